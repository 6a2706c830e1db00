//! How much of a request is looked at before it is too much.

use std::fmt;

/// Bounds of one inspection; what goes beyond is an [`Excess`], never cut off in silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Nested objects, lists, elements or selections.
    pub depth: usize,
    /// Values in one query, form or document.
    pub values: usize,
    /// Parts of a multipart body.
    pub parts: usize,
}

/// Which bound was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Excess {
    /// The body is too long.
    Bytes,
    /// It is nested too deeply.
    Depth,
    /// A multipart body has too many parts.
    Parts,
    /// There are too many parameters, members or fields.
    Values,
}

// === impl Limits ===

impl Default for Limits {
    /// One mebibyte, 64 deep, 20 000 values, 256 parts.
    fn default() -> Self {
        Self { body_bytes: 1024 * 1024, depth: 64, values: 20_000, parts: 256 }
    }
}

// === impl Excess ===

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "the body is longer than is inspected",
            Self::Depth => "the body is nested too deeply",
            Self::Parts => "the body has too many parts",
            Self::Values => "there are too many parameters, members or fields",
        })
    }
}
