//! Which scopes a request may have (RFC 6749 §3.3 and §6).

use token::scope::{NotScopes, ScopeSet};
use token::term::scope;

use crate::rule::resource::ADMIN_PREFIX;

/// Why scopes are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeRefused {
    /// The text is no list of scopes.
    #[error(transparent)]
    Form(#[from] NotScopes),
    /// These scopes speak of a person, and there is none in this grant.
    #[error("`{0}` is about a person; a client that acts for itself cannot have it")]
    NeedsPerson(String),
    /// These scopes administer this server, and no person here is known to be its administrator.
    #[error("`{0}` administers this server; a person cannot give it to a client")]
    NeedsAdministrator(String),
    /// The client may not ask for them.
    #[error("the client may not have `{0}`; leave it out or have it added to the client")]
    NotAllowed(String),
    /// RFC 6749 §6: a refresh may narrow, never widen.
    #[error("`{0}` was not granted; a refresh cannot ask for more than the grant has")]
    Wider(String),
}

/// The scopes of a new grant: those asked for, all of which the client must be allowed, or its
/// default ones when it asks for none.
///
/// # Errors
/// [`ScopeRefused`] when the text is malformed or the client may not have a scope.
pub fn requested(
    asked: Option<&str>,
    allowed: &ScopeSet,
    default: &ScopeSet,
) -> Result<ScopeSet, ScopeRefused> {
    let Some(asked) = asked else { return Ok(default.intersection(allowed)) };
    let asked = ScopeSet::parse(asked)?;
    match asked.difference(allowed) {
        beyond if beyond.is_empty() => Ok(asked),
        beyond => Err(ScopeRefused::NotAllowed(beyond.to_string())),
    }
}

/// The scopes of a client that acts for itself (RFC 6749 §4.4): none that is about a person.
///
/// # Errors
/// As [`requested`], and [`ScopeRefused::NeedsPerson`] when such a scope is asked for by name.
pub fn requested_by_machine(
    asked: Option<&str>,
    allowed: &ScopeSet,
    default: &ScopeSet,
) -> Result<ScopeSet, ScopeRefused> {
    let scopes = requested(asked, allowed, default)?;
    let personal = scopes.intersection(&about_person());
    match asked {
        Some(_) if !personal.is_empty() => Err(ScopeRefused::NeedsPerson(personal.to_string())),
        _ => Ok(scopes.difference(&personal)),
    }
}

/// The scopes that a person can give to a client: none that administers this server, or whoever
/// has an account could.
///
/// # Errors
/// As [`requested`], and [`ScopeRefused::NeedsAdministrator`] when such a scope is asked for by
/// name.
pub fn requested_of_person(
    asked: Option<&str>,
    allowed: &ScopeSet,
    default: &ScopeSet,
) -> Result<ScopeSet, ScopeRefused> {
    let scopes = requested(asked, allowed, default)?;
    let names: Vec<&str> = scopes.iter().filter(|name| name.starts_with(ADMIN_PREFIX)).collect();
    let administration = ScopeSet::parse(&names.join(" "))?;
    match asked {
        Some(_) if !administration.is_empty() => {
            Err(ScopeRefused::NeedsAdministrator(administration.to_string()))
        }
        _ => Ok(scopes.difference(&administration)),
    }
}

/// The scopes of tokens made by a refresh: those asked for, or all that were granted.
///
/// # Errors
/// [`ScopeRefused::Wider`] when more is asked for than was granted.
pub fn narrowed(asked: Option<&str>, granted: &ScopeSet) -> Result<ScopeSet, ScopeRefused> {
    let Some(asked) = asked else { return Ok(granted.clone()) };
    let asked = ScopeSet::parse(asked)?;
    match asked.difference(granted) {
        beyond if beyond.is_empty() => Ok(asked),
        beyond => Err(ScopeRefused::Wider(beyond.to_string())),
    }
}

/// Scopes that make sense for a person only (OpenID Connect Core 1.0 §5.4 and §11).
pub fn about_person() -> ScopeSet {
    let names = [scope::OPENID, scope::PROFILE, scope::EMAIL, scope::OFFLINE_ACCESS];
    ScopeSet::parse(&names.join(" ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use token::scope::ScopeSet;

    use super::{ScopeRefused, narrowed, requested, requested_by_machine, requested_of_person};

    fn set(text: &str) -> ScopeSet {
        ScopeSet::parse(text).expect("scopes")
    }

    #[test]
    fn every_scope_asked_for_must_be_allowed() {
        let (allowed, default) = (set("a b c"), set("a"));
        assert_eq!(requested(Some("b a"), &allowed, &default), Ok(set("a b")));
        let refused = requested(Some("a x y"), &allowed, &default);
        assert_eq!(refused, Err(ScopeRefused::NotAllowed("x y".to_owned())));
        assert!(matches!(requested(Some("a  b"), &allowed, &default), Err(ScopeRefused::Form(_))));
        assert!(matches!(
            requested(Some("A"), &allowed, &default),
            Err(ScopeRefused::NotAllowed(_))
        ));
    }

    #[test]
    fn nothing_asked_gives_the_default_as_far_as_allowed() {
        assert_eq!(requested(None, &set("a b"), &set("a z")), Ok(set("a")));
    }

    #[test]
    fn a_machine_is_no_person() {
        let (allowed, default) = (set("a openid email"), set("a openid"));
        assert_eq!(requested_by_machine(None, &allowed, &default), Ok(set("a")));
        assert_eq!(requested_by_machine(Some("a"), &allowed, &default), Ok(set("a")));
        let refused = requested_by_machine(Some("a openid"), &allowed, &default);
        assert_eq!(refused, Err(ScopeRefused::NeedsPerson("openid".to_owned())));
    }

    #[test]
    fn a_person_is_no_administrator() {
        let (allowed, default) = (set("a tokenward:admin tokenward:read"), set("a tokenward:read"));
        assert_eq!(requested_of_person(None, &allowed, &default), Ok(set("a")));
        assert_eq!(requested_of_person(Some("a"), &allowed, &default), Ok(set("a")));
        let refused = requested_of_person(Some("a tokenward:admin"), &allowed, &default);
        assert_eq!(refused, Err(ScopeRefused::NeedsAdministrator("tokenward:admin".to_owned())));
    }

    #[test]
    fn a_refresh_never_widens() {
        let granted = set("a b");
        assert_eq!(narrowed(None, &granted), Ok(granted.clone()));
        assert_eq!(narrowed(Some("b"), &granted), Ok(set("b")));
        let refused = narrowed(Some("a b c"), &granted);
        assert_eq!(refused, Err(ScopeRefused::Wider("c".to_owned())));
    }
}
