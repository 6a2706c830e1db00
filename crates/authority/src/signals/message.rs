//! What receivers and transmitters of fetched security events say to each other (RFC 8936 §2.2, §2.3).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What a receiver asks for (§2.2).
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PollRequest {
    /// So many events at most; 0: none, only `ack` and `setErrs` are noted. Absent, or more than 100: 100.
    pub(crate) max_events: Option<u32>,
    /// Whether to answer at once where there is no event; else the answer waits for one, 30 seconds at most.
    pub(crate) return_immediately: bool,
    /// Events that were taken, by their `jti`: they do not come again.
    pub(crate) ack: Vec<String>,
    /// Events that are refused, by their `jti`: they do not come again either.
    pub(crate) set_errs: BTreeMap<String, EventError>,
}

/// Why a receiver refuses an event (RFC 8936 §2.6, with the codes of RFC 8935 §2.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct EventError {
    /// Such as `invalid_key`.
    pub(crate) err: String,
    /// In words.
    pub(crate) description: String,
}

/// Events that wait (§2.3).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PollAnswer {
    /// Security event tokens by their `jti`.
    pub(crate) sets: BTreeMap<String, String>,
    /// Whether more wait.
    pub(crate) more_available: bool,
}

/// The same as somebody else sends it: nothing of it is believed yet.
#[derive(Debug, Deserialize)]
pub(crate) struct ForeignAnswer {
    pub(crate) sets: Map<String, Value>,
}
