//! `tokenward token verify`: whether an API would take a token, and if not, which rule it breaks.

use std::path::Path;

use ::token::key::KeySet;
use ::token::time::Clock as _;
use ::token::validate::{AccessTokenPolicy, verify_access_token};
use bytes::Bytes;
use clap::Args;
use http::Request;
use http_body_util::Full;
use serde_json::json;
use url::Url;

use crate::clock::SystemClock;
use crate::command::{Failure, print};
use crate::config::check::on_loopback;
use crate::config::span::Span;
use crate::fetch;

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The token; read from standard input when it is left out
    token: Option<String>,
    /// Key set of the issuer: a file, or an https URL
    #[arg(long, value_name = "FILE|URL")]
    jwks: String,
    /// The issuer, exactly
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// An audience that the token must have; repeat the option to take any of several
    #[arg(long = "audience", value_name = "URL", required = true)]
    audiences: Vec<String>,
    /// How far clocks may differ, at most 60s
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = Span::parse)]
    leeway: Span,
}

pub(super) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let token = super::given(arguments.token.as_deref())?;
    let keys = key_set(&arguments.jwks)?;
    let policy = AccessTokenPolicy {
        issuer: arguments.issuer.clone(),
        audiences: arguments.audiences.clone(),
        leeway: arguments.leeway.duration(),
    };
    match verify_access_token(token.expose(), &keys, &policy, SystemClock.now()) {
        Ok(verified) => {
            let (key, claims) = (verified.facts().key.clone(), verified.claims());
            print(&json!({ "valid": true, "key": key, "claims": claims }), json)
        }
        Err(refused) => {
            let (rule, detail) = (refused.refused.to_string(), refused.detail);
            if json {
                print(&json!({ "valid": false, "rule": rule, "detail": detail }), true)?;
            }
            Err(Failure::new(format_args!("refused: {detail} ({rule})")))
        }
    }
}

/// Reads a key set from a file or an https URL; what cannot be used is wrong usage, not a verdict.
pub(in crate::command) fn key_set(place: &str) -> Result<KeySet, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::usage(format_args!("{place}: {error}"));
    let keys = KeySet::from_jwks(&text(place)?).map_err(|error| wrong(&error))?;
    if keys.is_empty() { Err(wrong(&"no key for signatures")) } else { Ok(keys) }
}

fn text(place: &str) -> Result<Vec<u8>, Failure> {
    let url = Url::parse(place).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url else {
        return std::fs::read(Path::new(place))
            .map_err(|error| Failure::usage(format_args!("{place}: {error}")));
    };
    // Keys that anybody on the way can replace prove nothing.
    if url.scheme() == "http" && !on_loopback(&url) {
        return Err(Failure::usage(format_args!("{place}: keys are fetched by https only")));
    }
    let request =
        Request::get(url.as_str()).body(Full::new(Bytes::new())).map_err(Failure::usage)?;
    let answer = fetch::send(&super::super::serve::runtime()?, request, place);
    let (status, bytes) = answer.map_err(Failure::into_usage)?;
    if !status.is_success() {
        return Err(Failure::usage(format_args!("{place} answered {status}")));
    }
    Ok(bytes.to_vec())
}
