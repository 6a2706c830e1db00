//! Policies that decide where the lists of a route are not enough.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Policies in the Cedar language: every request with a token needs one that permits it, and none that forbids
/// it. See docs/policy.md.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    /// The files; the last part of a path may have one `*`: `policies/*.cedar`. Read again when one changes.
    pub(crate) files: Vec<String>,
    /// A Cedar schema that the policies have to keep to. Absent: only their form and the routes that they name
    /// are checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<PathBuf>,
    /// The URL by which services reach the listener of `gateway.auth`, where they ask by the Authorization API
    /// of AuthZEN. Absent: made from its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) decision_point: Option<String>,
}
