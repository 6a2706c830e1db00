//! How many connections a listener takes, and how patient it is with them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Finding;
use super::span::Span;
use crate::listen::Patience;

/// Connections of a listener.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Connections {
    /// How many there may be. More are closed at once. 0: as many as come.
    pub(crate) most: usize,
    /// How many of them one network may have: an address, of IPv6 a /64; `trusted_proxies` may have any
    /// number. 0: as many as come.
    pub(crate) most_per_network: u32,
    /// How many requests one HTTP/2 connection may have at a time.
    pub(crate) streams: u32,
    /// How long a client may take for a request's head, and for the first byte of a connection.
    pub(crate) head_timeout: Span,
    /// How long a connection may rest without a request.
    pub(crate) idle_timeout: Span,
    /// How long a client may take to read on.
    pub(crate) write_timeout: Span,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            most: 10_000,
            most_per_network: 1000,
            streams: 200,
            head_timeout: Span::seconds(15),
            idle_timeout: Span::minutes(1),
            write_timeout: Span::seconds(30),
        }
    }
}

// === impl Connections ===

impl Connections {
    /// What the listener is told.
    pub(crate) fn patience(&self) -> Patience {
        Patience {
            head: self.head_timeout.duration(),
            idle: self.idle_timeout.duration(),
            write: self.write_timeout.duration(),
            streams: self.streams,
        }
    }

    /// Every mistake in it.
    pub(super) fn check(&self, section: &str, found: &mut Vec<Finding>) {
        for (name, span) in [
            ("head_timeout", self.head_timeout),
            ("idle_timeout", self.idle_timeout),
            ("write_timeout", self.write_timeout),
        ] {
            if span.duration().is_zero() {
                let path = format!("{section}.connections.{name}");
                found.push((path, "must be more than 0s".to_owned()));
            }
        }
        if self.streams == 0 {
            let path = format!("{section}.connections.streams");
            found.push((path, "must be at least 1".to_owned()));
        }
    }
}
