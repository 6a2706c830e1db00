//! `cargo xtask bench`: what a request and a token cost, beside peers on the same machine.

use std::process::Command;

use crate::failure::Failure;
use crate::install;
use crate::place::Place;
use crate::process;

/// Installs the peers and runs the benchmark.
///
/// # Errors
/// What could not be installed, or the benchmark's own failure.
pub(crate) fn run() -> Result<(), Failure> {
    let place = Place::find()?;
    install::peers(&place)?;
    let mut bench = Command::new("cargo");
    bench.args(["bench", "--package", "tokenward", "--bench", "cost"]).current_dir(&place.root);
    process::run("cargo bench --package tokenward --bench cost", &mut bench)
}
