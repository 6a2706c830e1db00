//! Databases of places.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where addresses are. See docs/geo.md.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Geo {
    /// Databases of countries, autonomous systems and places, or folders that have some: MaxMind DB files
    /// (`.mmdb`) and ranges of addresses (`.csv`), as `tokenward geo fetch` gets them. Read at start. What the
    /// first one that knows a fact says of it counts. Empty: no place is known.
    pub(crate) files: Vec<PathBuf>,
}
