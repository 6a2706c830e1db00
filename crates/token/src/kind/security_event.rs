//! Security events of others (RFC 8417, Shared Signals Framework 1.0 §4).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Kind, absent, broken, named};
use crate::claims::Audience;
use crate::json::Names;
use crate::numeric_date;
use crate::term::token_type;
use crate::verify::{Common, Policy, Refusal, Rule};

/// What a transmitter says has happened. The policy's issuer is the transmitter, its audience the receiver.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SecurityEvent {
    /// The transmitter.
    pub iss: String,
    /// The receiver, perhaps with others.
    pub aud: Audience,
    /// Its name: of two with the same one, one was sent again.
    pub jti: String,
    /// Issue time, seconds since the epoch.
    #[serde(deserialize_with = "numeric_date::whole")]
    pub iat: i64,
    /// To whom it has happened (RFC 9493).
    pub sub_id: Map<String, Value>,
    /// What has happened, by URIs.
    pub events: Map<String, Value>,
}

// === impl SecurityEvent ===

impl Kind for SecurityEvent {
    const TYPES: &'static [&'static str] = &[token_type::SECURITY_EVENT];
    const UNTYPED: bool = false;
    const REQUIRED: &'static [&'static str] = &["iss", "aud", "jti", "iat", "sub_id", "events"];

    fn common(&self) -> Common<'_> {
        let (iss, aud, iat) = (Some(self.iss.as_str()), Some(&self.aud), Some(self.iat));
        Common { iss, aud, exp: None, nbf: None, iat }
    }

    fn check(&self, _: &Policy, names: &Names<'_>) -> Result<(), Refusal> {
        // §4.1.3, §4.1.6: what other kinds of token have.
        absent(names, &["sub", "exp"])?;
        if self.events.is_empty() {
            return broken("events", Rule::Invalid);
        }
        named(&self.jti)
    }
}
