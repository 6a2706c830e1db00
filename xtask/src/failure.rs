//! Why a task stopped: words for a person and the status to end with.

/// A task that stopped; `status` becomes the exit status of `cargo xtask`.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) words: String,
    pub(crate) status: u8,
}

impl Failure {
    /// With exit status 1.
    pub(crate) fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), status: 1 }
    }

    /// A file that could not be read or written.
    pub(crate) fn file(act: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(format!("cannot {act} `{}`: {error}", path.display()))
    }
}
