//! Where things are: the repository's root, cargo's target folder, and what cargo knows.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};

use crate::failure::Failure;

/// The repository as cargo sees it.
pub(crate) struct Place {
    /// The repository's root.
    pub(crate) root: PathBuf,
    /// Where cargo builds; respects `CARGO_TARGET_DIR`.
    pub(crate) target: PathBuf,
    /// Packages and how they depend on one another.
    pub(crate) metadata: Metadata,
}

impl Place {
    /// Asks `cargo metadata`.
    ///
    /// # Errors
    /// Cargo's own words.
    pub(crate) fn find() -> Result<Self, Failure> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let metadata = MetadataCommand::new()
            .manifest_path(manifest)
            .exec()
            .map_err(|error| Failure::new(format!("cargo metadata: {error}")))?;
        Ok(Self {
            root: metadata.workspace_root.clone().into_std_path_buf(),
            target: metadata.target_directory.clone().into_std_path_buf(),
            metadata,
        })
    }
}
