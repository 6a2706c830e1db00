//! `cargo xtask bench`: what a request and a token cost, beside peers on the same machine.

use std::process::Command;

use crate::failure::Failure;
use crate::install;
use crate::place::Place;
use crate::process;

/// Installs the peers and runs the benchmarks.
///
/// # Errors
/// What could not be installed, or the benchmark's own failure.
pub(crate) fn run() -> Result<(), Failure> {
    let place = Place::find()?;
    install::peers(&place)?;
    for (package, name) in [("token", "jwt"), ("tokenward", "cost")] {
        let mut bench = Command::new("cargo");
        bench.args(["bench", "--package", package, "--bench", name]).current_dir(&place.root);
        process::run(&format!("cargo bench --package {package} --bench {name}"), &mut bench)?;
    }
    Ok(())
}
