//! Node modules from the committed lock file.

use std::path::Path;
use std::process::Command;

use super::{is_installed_from, stamped};
use crate::failure::Failure;
use crate::process;

/// The oldest major version of Node.js with the Web Crypto API that the modules call.
const OLDEST: u32 = 20;

/// Installs `node_modules` into `folder` from the package files in `source`.
///
/// # Errors
/// Node.js is too old, a file is missing, or `npm ci` failed.
pub(super) fn provide(source: &Path, folder: &Path) -> Result<(), Failure> {
    check_version(&process::ask(Command::new("node").arg("--version"))?)?;
    let lock = read(&source.join("package-lock.json"))?;
    let package = read(&source.join("package.json"))?;
    let wanted = [package.as_slice(), lock.as_slice()].concat();
    let stamp = folder.join("node.installed");
    if is_installed_from(&stamp, &wanted) && folder.join("node_modules").is_dir() {
        println!("node modules: up to date");
        return Ok(());
    }
    stamped(&stamp, &wanted, || {
        write(&folder.join("package.json"), &package)?;
        write(&folder.join("package-lock.json"), &lock)?;
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]);
        process::run("installing node modules: npm ci", npm.current_dir(folder))
    })
}

fn check_version(said: &str) -> Result<(), Failure> {
    let major = said.trim().trim_start_matches('v').split('.').next().unwrap_or_default();
    if major.parse::<u32>().is_ok_and(|major| major >= OLDEST) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "Node.js {OLDEST} or newer is needed, but `node --version` says `{}`. To mend it: \
         install a newer Node.js (Debian 13 has {OLDEST}) and put it first in PATH",
        said.trim()
    )))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::file("read", path, &error))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| Failure::file("write", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_or_strange_version_is_refused() {
        assert!(check_version("v20.20.2\n").is_ok());
        assert!(check_version("v100.0.0").is_ok());
        for said in ["v18.20.4", "", "node"] {
            let words = check_version(said).unwrap_err().words;
            assert!(words.contains("Node.js 20 or newer"), "{words}");
        }
    }
}
