//! A program that is made with a client from crates.io, from its committed lock file.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::process;

/// Builds the package in `source` below `folder` and returns its program.
///
/// # Errors
/// `cargo build` failed.
pub(super) fn provide(source: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    let target = folder.join("rust");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--locked", "--manifest-path"]);
    cargo.arg(source.join("Cargo.toml")).arg("--target-dir").arg(&target);
    process::run("building a client from crates.io: cargo build", &mut cargo)?;
    Ok(target.join("debug/interop"))
}
