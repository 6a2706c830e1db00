//! What the types alone cannot say about other issuers.

use std::time::Duration;

use token::foreign::{ClaimPath, LONGEST_ISSUER, SEPARATOR};
use token::scope::is_scope_token;
use url::Url;

use super::{Finding, key_source, on_loopback};
use crate::config::issuer::{Introspection, Issuer};

/// The longest that an answer about a token may count.
const LONGEST_CACHE: Duration = Duration::from_mins(10);

/// Every mistake in them; `ours` is our own identifier.
pub(super) fn issuers(issuers: &[Issuer], ours: &str, found: &mut Vec<Finding>) {
    for (position, issuer) in issuers.iter().enumerate() {
        let path = format!("gateway.issuer[{position}]");
        let before = issuers.get(..position).unwrap_or_default();
        one(&path, issuer, found);
        if issuer.issuer == ours {
            let words = "is this server itself, whose tokens are taken already".to_owned();
            found.push((format!("{path}.issuer"), words));
        }
        if before.iter().any(|other| other.issuer == issuer.issuer) {
            let words = format!("`{}` is there twice: merge the two", issuer.issuer);
            found.push((format!("{path}.issuer"), words));
        }
        prefixes(&path, issuer, before, found);
    }
}

/// A token is shown to one issuer, so it has to be clear whose it is.
fn prefixes(path: &str, issuer: &Issuer, before: &[Issuer], found: &mut Vec<Finding>) {
    let Some(own) = &issuer.introspection else { return };
    let others = before.iter().filter_map(|other| other.introspection.as_ref());
    let overlaps = |other: &&Introspection| {
        own.prefix.starts_with(&other.prefix) || other.prefix.starts_with(&own.prefix)
    };
    if others.into_iter().any(|other| overlaps(&other)) {
        let words = "another issuer's tokens can begin likewise: give both a `prefix` of its own, so that no \
                     token is shown to the wrong one";
        found.push((format!("{path}.introspection.prefix"), words.to_owned()));
    }
}

fn one(path: &str, issuer: &Issuer, found: &mut Vec<Finding>) {
    let at = |name: &str| format!("{path}.{name}");
    if issuer.issuer.is_empty() || issuer.issuer.contains(SEPARATOR) {
        let words =
            format!("must be a text without `{SEPARATOR}`, which stands behind it in names");
        found.push((at("issuer"), words));
    }
    if issuer.issuer.len() > LONGEST_ISSUER {
        let words = format!("must have at most {LONGEST_ISSUER} bytes, as names stand behind it");
        found.push((at("issuer"), words));
    }
    let (uri, file) = (issuer.jwks_uri.as_deref(), issuer.jwks_file.as_deref());
    if uri.is_some() || file.is_some() || issuer.introspection.is_none() {
        key_source(path, &issuer.issuer, uri, file, found);
    }
    match uri {
        Some(uri) => endpoint(&at("jwks_uri"), uri, found),
        // Its metadata is fetched.
        None if file.is_none() && issuer.introspection.is_none() => {
            endpoint(&at("issuer"), &issuer.issuer, found);
        }
        None => {}
    }
    let client = issuer.client.iter().map(|claim| ("client", claim));
    let required = issuer.required.keys().map(|claim| ("required", claim));
    let scopes = issuer.scopes.iter().map(|scope| ("scopes", &scope.claim));
    for (name, claim) in client.chain(required).chain(scopes).chain([("subject", &issuer.subject)])
    {
        if let Err(wrong) = claim.parse::<ClaimPath>() {
            found.push((at(name), wrong.to_string()));
        }
    }
    for scope in &issuer.scopes {
        if !scope.prefix.is_empty() && !is_scope_token(&scope.prefix) {
            let words = format!("the prefix `{}` cannot be part of a scope", scope.prefix);
            found.push((at("scopes"), words));
        }
    }
    if let Some(part) = &issuer.introspection {
        introspection(&at("introspection"), part, found);
    }
}

fn introspection(path: &str, part: &Introspection, found: &mut Vec<Finding>) {
    let at = |name: &str| format!("{path}.{name}");
    endpoint(&at("url"), &part.url, found);
    if part.client_secret_file.is_some() == part.client_secret_env.is_some() {
        let words = "needs one of `client_secret_file` and `client_secret_env`";
        found.push((path.to_owned(), words.to_owned()));
    }
    let named = part.client_secret_env.as_deref();
    if named.is_some_and(|name| !name.starts_with("TOKENWARD_") || name.contains("__")) {
        let words = "must begin with `TOKENWARD_` and have no `__`, which names options";
        found.push((at("client_secret_env"), words.to_owned()));
    }
    if part.cache.duration() > LONGEST_CACHE {
        let words = "must be at most 10m: so long a token passes that its issuer took back";
        found.push((at("cache"), words.to_owned()));
    }
}

fn endpoint(path: &str, text: &str, found: &mut Vec<Finding>) {
    let good = Url::parse(text)
        .is_ok_and(|url| url.scheme() == "https" || (url.scheme() == "http" && on_loopback(&url)));
    if !good {
        let words = "must begin with https:// (http:// only on 127.0.0.1, [::1] or localhost)";
        found.push((path.to_owned(), format!("`{text}` {words}")));
    }
}
