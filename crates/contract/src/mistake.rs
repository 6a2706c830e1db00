//! What is wrong with a document: the file, the place in it, and how to mend it.

use std::fmt;
use std::path::{Path, PathBuf};

/// A mistake in a document. Its text is `orders.yaml#/paths/~1orders/get: what is wrong`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistake {
    file: PathBuf,
    pointer: String,
    what: String,
}

// === impl Mistake ===

impl Mistake {
    pub(crate) fn new(file: &Path, pointer: &str, what: impl fmt::Display) -> Self {
        // Parsers of other makers write over several lines.
        let what = what.to_string().replace(['\n', '\r'], " ");
        Self { file: file.to_owned(), pointer: pointer.to_owned(), what }
    }

    /// Another mistake at the same place.
    pub(crate) fn saying(&self, what: &str) -> Self {
        Self { what: what.to_owned(), ..self.clone() }
    }

    /// Where in the file (RFC 6901); empty for all of it.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.pointer.is_empty() { "" } else { "#" };
        write!(f, "{}{mark}{}: {}", self.file.display(), self.pointer, self.what)
    }
}
