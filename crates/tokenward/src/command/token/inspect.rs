//! `tokenward token inspect`: what a found string is, offline.

use ::token::base64url;
use ::token::json::parse_object;
use ::token::jws::{Jws, NotJws};
use ::token::opaque::{Family, NotOpaque};
use ::token::time::{Clock as _, Timestamp};
use clap::Args;
use serde_json::{Map, Value, json};

use crate::clock::SystemClock;
use crate::command::{Failure, print};

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The token; read from standard input when it is left out
    token: Option<String>,
}

pub(super) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let token = super::given(arguments.token.as_deref())?;
    let described = describe(token.expose(), SystemClock.now()).map_err(Failure::new)?;
    print(&described, json)
}

/// What a text is, in members for people and scripts; never the text itself.
fn describe(text: &str, now: Timestamp) -> Result<Value, String> {
    match Family::of(text) {
        Ok(family) => {
            return Ok(json!({ "kind": "opaque", "what": what(family), "prefix": family.prefix(),
                "well_formed": true, "verified": false }));
        }
        Err(NotOpaque::Prefix) => {}
        Err(wrong) => return Err(wrong.to_string()),
    }
    match Jws::parse(text) {
        Ok(jws) => signed(text, &jws, now),
        Err(NotJws::Encrypted) => encrypted(text),
        Err(NotJws::Parts) => {
            Err("this is neither a JWT nor an opaque token of Tokenward".to_owned())
        }
        Err(wrong) => Err(wrong.to_string()),
    }
}

fn signed(text: &str, jws: &Jws<'_>, now: Timestamp) -> Result<Value, String> {
    let claims = parse_object(jws.unverified_payload());
    let claims = claims.map_err(|error| format!("the payload is {error}"))?;
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(Timestamp::from_secs);
    let mut described = json!({
        "kind": "jwt", "what": "signed token (JWS)", "header": header(text)?,
        "issued_at": time("iat"), "expires_at": time("exp"),
        "expired": time("exp").map(|end| now >= end), "well_formed": true, "verified": false,
    });
    described["claims"] = Value::Object(claims);
    Ok(described)
}

fn encrypted(text: &str) -> Result<Value, String> {
    if text.split('.').any(|part| base64url::decode(part).is_none()) {
        return Err("a part of the encrypted token is not canonical base64url".to_owned());
    }
    Ok(json!({ "kind": "jwe", "what": "encrypted token (JWE)", "header": header(text)?,
        "well_formed": true, "verified": false }))
}

fn header(text: &str) -> Result<Map<String, Value>, String> {
    let first = text.split('.').next().unwrap_or_default();
    let bytes = base64url::decode(first).ok_or("the header is not canonical base64url")?;
    parse_object(&bytes).map_err(|error| format!("the header is {error}"))
}

pub(super) fn what(family: Family) -> &'static str {
    match family {
        Family::Access => "access token",
        Family::Browser => "cookie of an application in a browser",
        Family::ClientSecret => "client secret",
        Family::Code => "authorization code",
        Family::Device => "device code",
        Family::Personal => "personal token",
        Family::Refresh => "refresh token",
        Family::Registration => "registration access token",
        Family::SignIn => "cookie of a sign-in session",
    }
}
