//! `[[signal_transmitter]]`: whose security events are followed.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{Finding, key_source};
use super::notify;

/// Somebody whose security events (Shared Signals Framework 1.0) are followed: it pushes them to `/ssf/events`, or they
/// are fetched. What it says of our people ends their sign-ins; an account that it disables is suspended here until it enables it again, or
/// somebody lifts that.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignalTransmitter {
    /// Its name: letters, digits, `-` and `_`. What it does is done by `transmitter:NAME`.
    pub(crate) name: String,
    /// Its identifier, exactly as its events have it.
    pub(crate) issuer: String,
    /// Where its keys are. Absent: its metadata as an issuer of tokens say. Other places than the public internet
    /// have to be among `authority.reach`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_uri: Option<String>,
    /// File with its keys (a JSON Web Key Set), where they cannot be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_file: Option<PathBuf>,
    /// Whom its events have to be for. Absent: the issuer identifier of this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) audience: Option<String>,
    /// Where its events are fetched (RFC 8936): an https URL; http on this machine alone. Other places than the public
    /// internet have to be among `authority.reach`. Absent: it pushes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) poll_url: Option<String>,
    /// File with the bearer token that it shows; or that is shown to it, where its events are fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<PathBuf>,
    /// Environment variable with the same, in place of the file. It has to begin with `TOKENWARD_`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_env: Option<String>,
    /// It may name people by their confirmed address in these domains. Empty: by this server's issuer and `sub`
    /// alone.
    #[serde(default)]
    pub(crate) email_domains: Vec<String>,
}

/// What is wrong with them.
pub(super) fn check(all: &[SignalTransmitter], found: &mut Vec<Finding>) {
    let mut names = Vec::new();
    for (position, one) in all.iter().enumerate() {
        let path = format!("signal_transmitter[{position}]");
        let at = |member: &str| format!("{path}.{member}");
        notify::name(&one.name, &mut names, at("name"), found);
        let (uri, file) = (one.jwks_uri.as_deref(), one.jwks_file.as_deref());
        key_source(&path, &one.issuer, uri, file, found);
        if let Some(text) = &one.poll_url {
            notify::url(text, at("poll_url"), found);
        }
        let given = (one.token_file.is_some(), one.token_env.as_deref());
        notify::secret(given, ("token_file", "token_env"), &at, found);
    }
}
