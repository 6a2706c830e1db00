//! What can be told about a person (OpenID Connect Core 1.0 §5.1), by scope or by name.

use serde_json::{Map, Value, json};
use store::User;
use token::scope::ScopeSet;
use token::term::scope;

/// Every claim that is known, with the scope that brings it (§5.4).
pub(crate) const CLAIMS: [(&str, &str); 4] = [
    ("name", scope::PROFILE),
    ("preferred_username", scope::PROFILE),
    ("email", scope::EMAIL),
    ("email_verified", scope::EMAIL),
];

/// What these scopes and names bring; a claim without a value is left out.
pub(crate) fn told(user: &User, scopes: &ScopeSet, named: &[String]) -> Map<String, Value> {
    let wanted =
        |(name, scope): &(&str, &str)| scopes.contains(scope) || named.iter().any(|n| n == name);
    CLAIMS
        .into_iter()
        .filter(wanted)
        .filter_map(|(name, _)| Some((name.to_owned(), value(user, name)?)))
        .collect()
}

fn value(user: &User, name: &str) -> Option<Value> {
    match name {
        "name" => user.name.as_ref().map(|name| json!(name)),
        "preferred_username" => Some(json!(user.username)),
        "email" => user.email.as_ref().map(|email| json!(email)),
        "email_verified" => user.email.as_ref().map(|_| json!(user.email_verified)),
        _ => None,
    }
}
