//! `cargo xtask test`: installs what tests need, then runs every check in order of its cost.

use std::process::Command;

use crate::failure::Failure;
use crate::install;
use crate::place::Place;
use crate::process;

/// Runs everything; the first failure ends it.
///
/// # Errors
/// The first check that failed, with its exit status.
pub(crate) fn run() -> Result<(), Failure> {
    let place = Place::find()?;
    process::headline("what the tests need");
    let clients = install::clients(&place)?;
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(arguments).current_dir(&place.root);
        process::run(&format!("cargo {}", arguments.join(" ")), &mut command)
    };
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    process::headline("cargo xtask tidy");
    crate::tidy::run(&place)?;
    let mut test = Command::new("cargo");
    test.args(["test", "--workspace"])
        .current_dir(&place.root)
        .env("TOKENWARD_INTEROP_NODE", &clients.node)
        .env("TOKENWARD_INTEROP_PYTHON", &clients.python)
        .env("TOKENWARD_INTEROP_RUST", &clients.rust)
        .env("TOKENWARD_CHROMIUM", &clients.chromium)
        .envs(clients.proxies);
    process::run("cargo test --workspace", &mut test)
}
