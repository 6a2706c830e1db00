//! Software statements (RFC 7591 §2.3).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Kind, absent, broken};
use crate::claims::Audience;
use crate::json::Names;
use crate::numeric_date;
use crate::verify::{Common, Policy, Refusal, Rule};

/// What a publisher says of its software: metadata that every instance of it registers with (RFC 7591
/// §2.3). The policy's issuer is the publisher, its audience the authorization server; a statement may
/// leave its audience and its end out.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SoftwareStatement {
    /// The publisher.
    pub iss: String,
    /// What it is about, where the publisher says so.
    pub sub: Option<String>,
    /// The authorization server, where it is for some alone.
    pub aud: Option<Audience>,
    /// End of life, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub exp: Option<i64>,
    /// Not before, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub nbf: Option<i64>,
    /// Issue time, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub iat: Option<i64>,
    /// Every claim, those above as well.
    #[serde(skip)]
    pub members: Map<String, Value>,
}

// === impl SoftwareStatement ===

impl Kind for SoftwareStatement {
    // RFC 7591 §2.3 gives it no type.
    const TYPES: &'static [&'static str] = &["JWT"];
    const UNTYPED: bool = true;
    const REQUIRED: &'static [&'static str] = &["iss"];

    const KEEPS: bool = true;

    fn common(&self) -> Common<'_> {
        let Self { iss, aud, exp, nbf, iat, .. } = self;
        Common { iss: Some(iss), aud: aud.as_ref(), exp: *exp, nbf: *nbf, iat: *iat }
    }

    fn check(&self, _: &Policy, names: &Names<'_>) -> Result<(), Refusal> {
        // Claims of other kinds without a type; a statement inside of one would be anybody's word.
        absent(
            names,
            &["events", "token_introspection", "nonce", "auth_time", "software_statement"],
        )?;
        if self.sub.as_deref() == Some(self.iss.as_str()) {
            return broken("sub", Rule::Invalid);
        }
        Ok(())
    }

    fn keep(&mut self, members: Map<String, Value>) {
        self.members = members;
    }
}
