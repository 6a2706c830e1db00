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
    // A package by itself: what it is compared with needs OpenSSL.
    let mut jose = Command::new("cargo");
    jose.args(["run", "--release", "--manifest-path", "bench/jose/Cargo.toml"]);
    jose.env("CARGO_TARGET_DIR", place.root.join("target")).current_dir(&place.root);
    process::run("cargo run --release --manifest-path bench/jose/Cargo.toml", &mut jose)?;
    cost(&place, &[])
}

/// Installs the peers and measures one part of the product: `authority`, `gateway`, `auth` or `idle`; with
/// another number of tokens or of connections where one is given.
///
/// # Errors
/// What could not be installed, or the benchmark's own failure.
pub(crate) fn run_part(part: &str, number: Option<&str>) -> Result<(), Failure> {
    let place = Place::find()?;
    install::peers(&place)?;
    let words: Vec<&str> = ["--", part].into_iter().chain(number).collect();
    cost(&place, &words)
}

fn cost(place: &Place, part: &[&str]) -> Result<(), Failure> {
    let mut bench = Command::new("cargo");
    bench.args(["bench", "--package", "tokenward", "--bench", "cost"]).args(part);
    bench.current_dir(&place.root);
    process::run("cargo bench --package tokenward --bench cost", &mut bench)
}
