//! What tests and benchmarks need beside Rust: installed where it is missing, named where it cannot be.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::place::Place;

mod debian;
mod node;
mod proxies;
mod python;
mod rust;

/// Where the clients of other makers were installed.
pub(crate) struct Clients {
    /// The folder that holds `node_modules`.
    pub(crate) node: PathBuf,
    /// The interpreter of the virtual environment.
    pub(crate) python: PathBuf,
    /// The program that is made with a crate.
    pub(crate) rust: PathBuf,
    /// The browser.
    pub(crate) chromium: PathBuf,
    /// Proxies that ask before they forward: the name of a variable, and a program.
    pub(crate) proxies: Vec<(&'static str, PathBuf)>,
}

/// Installs what `cargo xtask test` needs.
///
/// # Errors
/// Names what is missing and how to mend it.
pub(crate) fn clients(place: &Place) -> Result<Clients, Failure> {
    debian::provide(&[debian::NODE, debian::NPM, debian::PYTHON, debian::CURL, debian::CHROMIUM])?;
    let folder = place.target.join("interop");
    create(&folder)?;
    node::provide(&place.root.join("interop/node"), &folder)?;
    let requirements = place.root.join("interop/python/requirements.txt");
    let python = python::provide(&requirements, &folder, "venv")?;
    let rust = rust::provide(&place.root.join("interop/rust"), &folder)?;
    let proxies = proxies::provide(&place.root.join("interop/python/proxies.txt"), &folder)?;
    Ok(Clients { node: folder, python, rust, chromium: debian::path(debian::CHROMIUM)?, proxies })
}

/// Installs the peers of `cargo xtask bench`; without the right to install Debian packages, nginx
/// is left out.
///
/// # Errors
/// Names what is missing and how to mend it.
pub(crate) fn peers(place: &Place) -> Result<(), Failure> {
    debian::provide(&[debian::NODE, debian::NPM, debian::OPENSSL, debian::PYTHON])?;
    if let Err(failure) = debian::provide(&[debian::NGINX]) {
        println!("without nginx: {}", failure.words);
    }
    // The benchmark looks for the modules there, wherever cargo builds.
    let folder = place.root.join("target/interop");
    create(&folder)?;
    node::provide(&place.root.join("interop/node"), &folder)?;
    python::provide(&place.root.join("interop/python/peers.txt"), &folder, "peers").map(drop)
}

fn create(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))
}

/// Whether the last complete installation in `folder` was made from this text.
fn is_installed_from(stamp: &Path, wanted: &[u8]) -> bool {
    std::fs::read(stamp).is_ok_and(|installed| installed == wanted)
}

/// Runs an installation between taking its stamp away and setting it, so that a broken one is
/// never taken for a whole one.
fn stamped(
    stamp: &Path,
    wanted: &[u8],
    install: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    if stamp.exists() {
        std::fs::remove_file(stamp).map_err(|error| Failure::file("remove", stamp, &error))?;
    }
    install()?;
    std::fs::write(stamp, wanted).map_err(|error| Failure::file("write", stamp, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_installation_of_the_same_text_counts() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = folder.path().join("stamp");
        assert!(!is_installed_from(&stamp, b"a"));
        stamped(&stamp, b"a", || Ok(())).unwrap();
        assert!(is_installed_from(&stamp, b"a"));
        assert!(!is_installed_from(&stamp, b"b"));
        stamped(&stamp, b"b", || Err(Failure::new("cut off"))).unwrap_err();
        assert!(!is_installed_from(&stamp, b"a"));
        assert!(!is_installed_from(&stamp, b"b"));
    }
}
