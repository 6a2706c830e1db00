//! What cannot be right about how upstreams are told who asks, and about keys in files.

use std::time::Duration;

use super::Finding;
use crate::compose::key_files;
use crate::config::upstream::Upstream;
use crate::config::{Gateway, Identity};

/// Longer, and a restriction would not reach an upstream that keeps what it was told.
const LONGEST_LIFE: Duration = Duration::from_mins(10);

/// Every mistake in it.
pub(super) fn check(part: &Gateway, found: &mut Vec<Finding>) {
    let token = &part.internal_token;
    let life = token.life.duration();
    if life < Duration::from_secs(2) || life > LONGEST_LIFE {
        let words = "must be at least 2s and at most 10m";
        found.push(("gateway.internal_token.life".to_owned(), words.to_owned()));
    }
    let field = token.field.as_deref();
    if field.is_some_and(|field| field.parse::<http::HeaderName>().is_err()) {
        let words = "must be the name of a header field, such as X-Internal-Token";
        found.push(("gateway.internal_token.field".to_owned(), words.to_owned()));
    }
    if let Some(file) = &token.key_file
        && let Err(wrong) = key_files::signing(file)
    {
        found.push(("gateway.internal_token.key_file".to_owned(), wrong.to_string()));
    }
    for (position, file) in part.decryption_keys.iter().enumerate() {
        if let Err(wrong) = key_files::private(file) {
            found.push((format!("gateway.decryption_keys[{position}]"), wrong.to_string()));
        }
    }
    for (position, issuer) in part.issuers.iter().enumerate() {
        if let Some(Err(wrong)) = issuer.jwks_file.as_deref().map(key_files::set) {
            found.push((format!("gateway.issuer[{position}].jwks_file"), wrong.to_string()));
        }
    }
    let own = part.upstreams.values().map(|upstream| match upstream {
        Upstream::Address(_) => None,
        Upstream::Servers(table) => table.identity,
    });
    let has_token = |own: Option<Identity>| own.unwrap_or(part.identity) != Identity::Headers;
    if part.forward_token && field.is_none() && own.into_iter().any(has_token) {
        let words = "the client's token and the internal one would both be in `Authorization`: give \
                     `gateway.internal_token.field`, or forward only one of them";
        found.push(("gateway.forward_token".to_owned(), words.to_owned()));
    }
}
