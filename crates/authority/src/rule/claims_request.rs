//! `claims`: what is to be told about the person, by name (OpenID Connect Core 1.0 §5.5).

use serde_json::{Map, Value};
use store::ClaimsRequest;
use token::id::SubjectId;
use token::json;
use token::scope::ScopeSet;

use crate::person_claims;
use crate::rule::acr;
use crate::settings::Settings;

/// What the parameter asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedClaims {
    /// What is to be told, as far as it can be: a claim that is not known is no error.
    pub claims: ClaimsRequest,
    /// The only person that it may be told about.
    pub subject: Option<SubjectId>,
    /// How surely the person has to sign in.
    pub acr: acr::Wanted,
}

/// Why the parameter is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsRefused {
    /// An `acr` that has to be reached and cannot be.
    #[error("nobody can sign in here in any of the ways that the essential claim `acr` wants")]
    Acr,
    /// Not what the specification says.
    #[error(
        "`claims` must be a JSON object whose members `userinfo` and `id_token` are objects of \
         `null` or objects"
    )]
    Form,
}

/// Reads the parameter.
///
/// # Errors
/// [`ClaimsRefused`] when it is malformed, or asks for what cannot be.
pub fn parse(text: Option<&str>) -> Result<AskedClaims, ClaimsRefused> {
    let Some(text) = text else { return Ok(AskedClaims::default()) };
    let members = json::parse_object(text.as_bytes()).map_err(|_| ClaimsRefused::Form)?;
    let (userinfo, id_token) = (section(&members, "userinfo")?, section(&members, "id_token")?);
    let acr = wanted_acr(&id_token)?;
    let subject = [&id_token, &userinfo].into_iter().find_map(|section| {
        section.get("sub")?.as_object()?.get("value")?.as_str().map(SubjectId::from)
    });
    let names = |section: Map<String, Value>| section.into_iter().map(|(name, _)| name).collect();
    let claims = ClaimsRequest { userinfo: names(userinfo), id_token: names(id_token) };
    Ok(AskedClaims { claims, subject, acr })
}

/// The claims that the client can have: those that a scope brings which it is allowed. Beside them those
/// scopes, for the person who agrees; a claim that cannot be had is left out (§5.5.1).
pub fn allowed(
    asked: ClaimsRequest,
    allowed: &ScopeSet,
    settings: &Settings,
) -> (ClaimsRequest, ScopeSet) {
    let allowed = settings.ladder.reach(allowed);
    let brought_by = |name: &String| {
        person_claims::bringing(name, settings).find(|scope| allowed.contains(scope))
    };
    let ClaimsRequest { mut userinfo, mut id_token } = asked;
    let names = userinfo.iter().chain(&id_token);
    let brought: Vec<&str> = names.filter_map(brought_by).collect();
    let brought = allowed.only(|scope| brought.contains(&scope));
    userinfo.retain(|name| brought_by(name).is_some());
    id_token.retain(|name| brought_by(name).is_some());
    (ClaimsRequest { userinfo, id_token }, brought)
}

fn wanted_acr(id_token: &Map<String, Value>) -> Result<acr::Wanted, ClaimsRefused> {
    let Some(Value::Object(wanted)) = id_token.get("acr") else { return Ok(acr::Wanted::Any) };
    let Some(values) = values(wanted) else { return Ok(acr::Wanted::Any) };
    let essential = wanted.get("essential") == Some(&Value::Bool(true));
    if essential && !acr::KNOWN.iter().any(|acr| values.contains(acr)) {
        return Err(ClaimsRefused::Acr);
    }
    Ok(acr::Wanted::of(values.iter().copied(), essential))
}

fn section(members: &Map<String, Value>, name: &str) -> Result<Map<String, Value>, ClaimsRefused> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(claims)) if claims.values().all(|v| v.is_null() || v.is_object()) => {
            Ok(claims.clone())
        }
        Some(_) => Err(ClaimsRefused::Form),
    }
}

/// Every value that would do; nothing where any does.
fn values(wanted: &Map<String, Value>) -> Option<Vec<&str>> {
    let one = wanted.get("value").and_then(Value::as_str);
    let several = wanted.get("values").and_then(Value::as_array);
    match (one, several) {
        (Some(one), _) => Some(vec![one]),
        (None, Some(several)) => Some(several.iter().filter_map(Value::as_str).collect()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{ClaimsRefused, parse};

    #[test]
    fn claims_are_asked_for_by_name() {
        let asked = parse(Some(
            r#"{"userinfo":{"email":null,"name":{"essential":true}},
                "id_token":{"sub":{"value":"alice"},"acr":{"values":["x"]}},"other":1}"#,
        ));
        let asked = asked.expect("claims");
        assert_eq!(asked.claims.userinfo, ["email", "name"]);
        assert_eq!(asked.subject, Some("alice".into()));
        assert_eq!(parse(None), Ok(Default::default()));
    }

    #[test]
    fn what_is_no_such_object_is_refused() {
        for text in ["", "[]", "{", r#"{"userinfo":[]}"#, r#"{"id_token":{"email":true}}"#] {
            assert_eq!(parse(Some(text)), Err(ClaimsRefused::Form), "{text}");
        }
    }

    #[test]
    fn an_essential_acr_has_to_be_reachable() {
        let ask = |wanted: &str| parse(Some(&format!(r#"{{"id_token":{{"acr":{wanted}}}}}"#)));
        assert!(ask(r#"{"essential":true}"#).is_ok());
        assert!(ask(r#"{"values":["none"]}"#).is_ok(), "voluntary");
        let known = r#"{"essential":true,"values":["x","urn:tokenward:acr:one-factor"]}"#;
        assert!(ask(known).is_ok());
        for wanted in [r#"{"essential":true,"value":"x"}"#, r#"{"essential":true,"values":[]}"#] {
            assert_eq!(ask(wanted), Err(ClaimsRefused::Acr), "{wanted}");
        }
    }
}
