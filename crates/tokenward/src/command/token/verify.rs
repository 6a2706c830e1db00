//! `tokenward token verify`: whether its recipient would take a token, and if not, which rule it breaks.

use std::path::Path;

use ::token::json::parse_object;
use ::token::jws::{Jws, Kid};
use ::token::key::KeySet;
use ::token::kind::{
    ClientAssertion, IdToken, IntrospectionResponse, Kind, LogoutToken, RequestObject,
};
use ::token::reason::{Reason, Refused};
use ::token::time::Clock as _;
use ::token::validate::{AccessTokenPolicy, verify_access_token};
use ::token::verify::{Policy, Refusal, verify};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
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
    /// What kind of token it has to be. The issuer of a client-assertion or a request-object is the
    /// client
    #[arg(long = "type", value_name = "KIND", value_enum, default_value_t = TokenKind::Access)]
    kind: TokenKind,
    /// The nonce that an ID token has to bring back
    #[arg(long, value_name = "TEXT")]
    nonce: Option<String>,
    /// How far clocks may differ, at most 60s
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = Span::parse)]
    leeway: Span,
}

pub(super) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let token = super::given(arguments.token.as_deref())?;
    let keys = key_set(&arguments.jwks)?;
    if arguments.nonce.is_some() && arguments.kind != TokenKind::Id {
        return Err(Failure::usage("--nonce is for --type id"));
    }
    match verified(token.expose(), &keys, arguments) {
        Ok((key, claims)) => print(&json!({ "valid": true, "key": key, "claims": claims }), json),
        Err((rule, detail)) => {
            if json {
                let rule = rule.to_string();
                print(&json!({ "valid": false, "rule": rule, "detail": detail }), true)?;
            }
            Err(Failure::new(format_args!("refused: {detail} ({rule})")))
        }
    }
}

/// The kinds of token that can be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TokenKind {
    /// Access token (RFC 9068)
    Access,
    /// ID token (OpenID Connect Core 1.0)
    Id,
    /// Logout token (OpenID Connect Back-Channel Logout 1.0)
    Logout,
    /// Signed introspection response (RFC 9701)
    Introspection,
    /// Client assertion (RFC 7523)
    ClientAssertion,
    /// Request object (RFC 9101)
    RequestObject,
}

/// The key's name and the claims, or the rule that was broken and words about it.
fn verified(
    token: &str,
    keys: &KeySet,
    arguments: &Arguments,
) -> Result<(Option<String>, Value), (Refused, String)> {
    match arguments.kind {
        TokenKind::Access => access(token, keys, arguments),
        TokenKind::Id => other::<IdToken>(token, keys, arguments),
        TokenKind::Logout => other::<LogoutToken>(token, keys, arguments),
        TokenKind::Introspection => other::<IntrospectionResponse>(token, keys, arguments),
        TokenKind::ClientAssertion => other::<ClientAssertion>(token, keys, arguments),
        TokenKind::RequestObject => other::<RequestObject>(token, keys, arguments),
    }
}

fn access(
    token: &str,
    keys: &KeySet,
    arguments: &Arguments,
) -> Result<(Option<String>, Value), (Refused, String)> {
    let policy = AccessTokenPolicy {
        issuer: arguments.issuer.clone(),
        audiences: arguments.audiences.clone(),
        leeway: arguments.leeway.duration(),
    };
    let verified = verify_access_token(token, keys, &policy, SystemClock.now())
        .map_err(|refused| (refused.refused, refused.detail.to_owned()))?;
    Ok((Some(verified.facts().key.to_string()), json!(verified.claims())))
}

fn other<K: Kind>(
    token: &str,
    keys: &KeySet,
    arguments: &Arguments,
) -> Result<(Option<String>, Value), (Refused, String)> {
    let (first, more) = arguments
        .audiences
        .split_first()
        .map_or(("", &[][..]), |(first, more)| (first.as_str(), more));
    let mut policy = Policy::new(&arguments.issuer, first).leeway(arguments.leeway.duration());
    for audience in more {
        policy = policy.or_audience(audience);
    }
    if let Some(nonce) = &arguments.nonce {
        policy = policy.nonce(nonce);
    }
    verify::<K>(token, keys, &policy, SystemClock.now()).map_err(|refused| {
        let words = match &refused {
            Refusal::Signature { detail, .. } => (*detail).to_owned(),
            other => other.to_string(),
        };
        (refused.reason(), words)
    })?;
    // As it was signed, also what this kind of token does not know.
    let jws = Jws::parse(token).map_err(|error| (Reason::Malformed.into(), error.to_string()))?;
    let claims = parse_object(jws.unverified_payload())
        .map_err(|error| (Reason::Malformed.into(), error.to_string()))?;
    let key = match &jws.header().kid {
        Kid::Named(kid) => Some(kid.clone()),
        Kid::Absent | Kid::Odd => None,
    };
    Ok((key, Value::Object(claims)))
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
