//! `cargo xtask eval-detect`: what the detectors find and imagine, and what they cost.

use std::process::Command;

use crate::failure::Failure;
use crate::place::Place;
use crate::process;

/// Prints recall, false alarms and time to finding by detector.
///
/// # Errors
/// When it cannot be built or run.
pub(crate) fn run(place: &Place) -> Result<(), Failure> {
    example(place, &[])
}

/// Prints events a second and memory.
///
/// # Errors
/// When it cannot be built or run.
pub(crate) fn figures(place: &Place) -> Result<(), Failure> {
    example(place, &["--release", "--", "--figures"])
}

fn example(place: &Place, rest: &[&str]) -> Result<(), Failure> {
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--quiet", "--package", "detect", "--example", "eval_detect"]).args(rest);
    cargo.current_dir(&place.root);
    process::run("cargo run --package detect --example eval_detect", &mut cargo)
}
