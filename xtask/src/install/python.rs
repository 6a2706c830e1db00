//! Python virtual environments from committed requirements.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{is_installed_from, stamped};
use crate::failure::Failure;
use crate::process;

/// Installs a virtual environment `name` into `folder` and returns its interpreter.
///
/// # Errors
/// The environment cannot be made, a file is missing, or `pip install` failed.
pub(super) fn provide(requirements: &Path, folder: &Path, name: &str) -> Result<PathBuf, Failure> {
    let wanted =
        std::fs::read(requirements).map_err(|error| Failure::file("read", requirements, &error))?;
    let venv = folder.join(name);
    let python = venv.join("bin/python");
    let stamp = folder.join(format!("{name}.installed"));
    // An interpreter that was upgraded or moved leaves an environment that no longer starts.
    let starts = || process::ask(Command::new(&python).args(["-m", "pip", "--version"])).is_ok();
    if is_installed_from(&stamp, &wanted) && starts() {
        println!("python packages ({name}): up to date");
        return Ok(python);
    }
    stamped(&stamp, &wanted, || {
        let mut create = Command::new("python3");
        create.args(["-m", "venv", "--clear"]).arg(&venv);
        process::run("making a Python virtual environment", &mut create).map_err(|failure| {
            Failure {
                words: format!(
                    "{}. To mend it: sudo apt-get install python3-venv, or put a python3 that has \
                     `venv` and `ensurepip` first in PATH",
                    failure.words
                ),
                ..failure
            }
        })?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        pip.args(["--no-deps", "--requirement"]).arg(requirements);
        process::run("installing python packages: pip install", &mut pip)
    })?;
    Ok(python)
}
