//! What can be told about a person (OpenID Connect Core 1.0 §5.1), by scope or by name.

use serde_json::{Map, Value, json};
use store::User;
use token::scope::ScopeSet;
use token::term::scope;

use crate::language::Language;
use crate::settings::Settings;

/// Every claim that the specification knows, with the scope that brings it (§5.4).
const STANDARD: [(&str, &str, Kind); 19] = [
    ("name", scope::PROFILE, Kind::Text),
    ("family_name", scope::PROFILE, Kind::Text),
    ("given_name", scope::PROFILE, Kind::Text),
    ("middle_name", scope::PROFILE, Kind::Text),
    ("nickname", scope::PROFILE, Kind::Text),
    ("preferred_username", scope::PROFILE, Kind::Text),
    ("profile", scope::PROFILE, Kind::Text),
    ("picture", scope::PROFILE, Kind::Text),
    ("website", scope::PROFILE, Kind::Text),
    ("gender", scope::PROFILE, Kind::Text),
    ("birthdate", scope::PROFILE, Kind::Text),
    ("zoneinfo", scope::PROFILE, Kind::Text),
    ("locale", scope::PROFILE, Kind::Text),
    ("updated_at", scope::PROFILE, Kind::Number),
    ("email", scope::EMAIL, Kind::Text),
    ("email_verified", scope::EMAIL, Kind::Flag),
    ("address", scope::ADDRESS, Kind::Object),
    ("phone_number", scope::PHONE, Kind::Text),
    ("phone_number_verified", scope::PHONE, Kind::Flag),
];
/// Claims that an account has members of its own for.
const OWN: [&str; 4] = ["name", "preferred_username", "email", "email_verified"];
/// Claims that protocols decide by: about a token or a sign-in, never about a person.
const PROTOCOL: [&str; 40] = [
    "_claim_names",
    "_claim_sources",
    "acr",
    "act",
    "active",
    "amr",
    "at_hash",
    "ath",
    "aud",
    "auth_req_id",
    "auth_time",
    "authorization_details",
    "azp",
    "c_hash",
    "client_id",
    "cnf",
    "events",
    "exp",
    "grant_id",
    "htm",
    "htu",
    "iat",
    "iss",
    "jti",
    "may_act",
    "nbf",
    "nonce",
    "orig",
    "resource",
    "s_hash",
    "scope",
    "sid",
    "status",
    "status_list",
    "sub",
    "sub_id",
    "sub_jwk",
    "toe",
    "token_introspection",
    "txn",
];
const MAX_NAME_BYTES: usize = 128;
const MAX_CLAIMS: usize = 64;
const MAX_BYTES: usize = 8 * 1024;

/// What a standard claim has to be (§5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Flag,
    Number,
    Object,
    Text,
}

/// Why something cannot be said about a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadClaim {
    /// An account says it elsewhere.
    #[error("`{0}` is a member of the account itself; set it there")]
    Own(String),
    /// A name that is none.
    #[error("the name of a claim is 1 to 128 letters, digits and `_-.:/`")]
    Name,
    /// Not about a person.
    #[error("`{0}` is a claim of protocols; nothing about a person can have this name")]
    Protocol(String),
    /// More than goes into an answer.
    #[error("a person can have 64 claims, and 8 KiB of them as JSON")]
    TooLarge,
    /// A standard claim with another kind of value.
    #[error("`{name}` must be {kind} (OpenID Connect Core 1.0 section 5.1)")]
    Type {
        /// The claim.
        name: String,
        /// What it must be.
        kind: &'static str,
    },
}

/// Checks the name of a claim about a person.
///
/// # Errors
/// [`BadClaim`] when it is malformed, or when protocols decide by it.
pub fn check_name(name: &str) -> Result<(), BadClaim> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte);
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(good) {
        return Err(BadClaim::Name);
    }
    if PROTOCOL.contains(&name) {
        return Err(BadClaim::Protocol(name.to_owned()));
    }
    Ok(())
}

/// Checks the further claims of a person.
///
/// # Errors
/// [`BadClaim`] names the first that cannot be.
pub fn check(claims: &Map<String, Value>) -> Result<(), BadClaim> {
    for (name, value) in claims {
        check_name(name)?;
        if OWN.contains(&name.as_str()) {
            return Err(BadClaim::Own(name.clone()));
        }
        let standard = STANDARD.iter().find(|(known, ..)| known == name);
        if let Some((.., kind)) = standard.filter(|(.., kind)| !kind.fits(value)) {
            return Err(BadClaim::Type { name: name.clone(), kind: kind.words() });
        }
    }
    let bytes = serde_json::to_vec(claims).map_or(usize::MAX, |text| text.len());
    if claims.len() > MAX_CLAIMS || bytes > MAX_BYTES {
        return Err(BadClaim::TooLarge);
    }
    Ok(())
}

/// The language of somebody's `locale`, where pages are in it.
pub(crate) fn locale(user: &User) -> Option<Language> {
    Language::of_tag(user.claims.get("locale")?.as_str()?)
}

/// What these scopes and names bring; a claim without a value is left out (§5.3.2).
pub(crate) fn told(
    user: &User,
    settings: &Settings,
    scopes: &ScopeSet,
    named: &[String],
) -> Map<String, Value> {
    let scopes = settings.ladder.reach(scopes);
    let standard = STANDARD.iter().filter(|(_, scope, _)| scopes.contains(scope));
    let defined = settings.scopes.iter().filter(|scope| scopes.contains(&scope.name));
    let defined = defined.flat_map(|scope| scope.claims.iter().map(String::as_str));
    let names = standard.map(|(name, ..)| *name).chain(defined);
    names
        .chain(named.iter().map(String::as_str))
        .filter_map(|name| Some((name.to_owned(), value(user, name)?)))
        .collect()
}

/// The scopes that bring a claim; none when nobody knows it.
pub(crate) fn bringing<'s>(name: &str, settings: &'s Settings) -> impl Iterator<Item = &'s str> {
    let standard = STANDARD.iter().filter(move |(known, ..)| *known == name);
    let defined = settings.scopes.iter();
    let defined = defined.filter(move |scope| scope.claims.iter().any(|claim| claim == name));
    standard.map(|(_, scope, _)| *scope).chain(defined.map(|scope| scope.name.as_str()))
}

/// The claims of the specification, each with its type in a JSON schema.
pub(crate) fn standard() -> impl Iterator<Item = (&'static str, &'static str)> {
    STANDARD.iter().map(|(name, _, kind)| (*name, kind.json_type()))
}

/// Every claim that can be told.
pub(crate) fn supported(settings: &Settings) -> Vec<&str> {
    let mut names: Vec<&str> = STANDARD.iter().map(|(name, ..)| *name).collect();
    for name in settings.scopes.iter().flat_map(|scope| &scope.claims) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

fn value(user: &User, name: &str) -> Option<Value> {
    match name {
        "name" => user.name.as_ref().map(|name| json!(name)),
        "preferred_username" => Some(json!(user.username)),
        "email" => user.email.as_ref().map(|email| json!(email)),
        "email_verified" => user.email.as_ref().map(|_| json!(user.email_verified)),
        other => user.claims.get(other).cloned(),
    }
}

// === impl Kind ===

impl Kind {
    fn json_type(self) -> &'static str {
        match self {
            Self::Flag => "boolean",
            Self::Number => "number",
            Self::Object => "object",
            Self::Text => "string",
        }
    }

    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Flag => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::Object => value.is_object(),
            Self::Text => value.is_string(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Number => "a number of seconds since the epoch",
            Self::Object => "an object",
            Self::Text => "a text",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{BadClaim, PROTOCOL, check};

    fn checked(claims: &Value) -> Result<(), BadClaim> {
        check(claims.as_object().expect("object"))
    }

    #[test]
    fn what_is_about_a_person_can_be_said() {
        let good = json!({
            "department": "Sales", "groups": ["a", "b"], "https://example.com/cost-center": 7,
            "given_name": "Alice", "picture": "https://example.com/a.png", "updated_at": 1,
            "phone_number": "+1", "phone_number_verified": false, "address": { "country": "NL" },
        });
        assert_eq!(checked(&good), Ok(()));
    }

    #[test]
    fn what_protocols_decide_by_cannot() {
        for name in PROTOCOL {
            assert_eq!(checked(&json!({ name: "x" })), Err(BadClaim::Protocol(name.to_owned())));
        }
        for name in ["", "a b", "a\n", "é", "a\"", &"x".repeat(129)] {
            assert_eq!(checked(&json!({ name: 1 })), Err(BadClaim::Name), "{name}");
        }
        assert_eq!(checked(&json!({ "email": "a@b" })), Err(BadClaim::Own("email".to_owned())));
    }

    #[test]
    fn a_standard_claim_has_its_kind() {
        for (name, value) in [
            ("given_name", json!(1)),
            ("address", json!("Oxford")),
            ("phone_number_verified", json!("true")),
            ("updated_at", json!("today")),
            ("locale", Value::Null),
        ] {
            let refused = checked(&json!({ name: value }));
            assert!(matches!(refused, Err(BadClaim::Type { .. })), "{name}");
        }
    }

    #[test]
    fn an_answer_stays_small() {
        assert_eq!(checked(&json!({ "a": "x".repeat(8192) })), Err(BadClaim::TooLarge));
        let many = (0..65).map(|number| (format!("a{number}"), json!(1))).collect();
        assert_eq!(check(&many), Err(BadClaim::TooLarge));
    }
}
