//! Which scopes a request may have (RFC 6749 §3.3 and §6).

use std::sync::LazyLock;

use token::ladder::Ladder;
use token::scope::{NotScopes, ScopeSet};
use token::term::scope;

use crate::rule::resource::ADMIN_PREFIX;
use crate::settings::Settings;

/// Why scopes are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeRefused {
    /// None of these scopes belongs to whom the token would be for (RFC 8707 §2.2).
    #[error("`{0}` is for other resources than the token; name theirs in `resource`")]
    Elsewhere(String),
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

/// The scopes of a new grant: those asked for, all of which the client must be allowed or reach by
/// what it is allowed, or its default ones when it asks for none.
///
/// # Errors
/// [`ScopeRefused`] when the text is malformed or the client may not have a scope.
pub fn requested(
    asked: Option<&str>,
    allowed: &ScopeSet,
    default: &ScopeSet,
    ladder: &Ladder,
) -> Result<ScopeSet, ScopeRefused> {
    let allowed = ladder.reach(allowed);
    let Some(asked) = asked else { return Ok(default.intersection(&allowed)) };
    let asked = ScopeSet::parse(asked)?;
    match asked.difference(&allowed) {
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
    ladder: &Ladder,
) -> Result<ScopeSet, ScopeRefused> {
    let scopes = requested(asked, allowed, default, ladder)?;
    let personal = scopes.intersection(about_person());
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
    ladder: &Ladder,
) -> Result<ScopeSet, ScopeRefused> {
    let scopes = requested(asked, allowed, default, ladder)?;
    let administration = scopes.difference(&without_administration(&scopes));
    match asked {
        Some(_) if !administration.is_empty() => {
            Err(ScopeRefused::NeedsAdministrator(administration.to_string()))
        }
        _ => Ok(scopes.difference(&administration)),
    }
}

/// Those that do not administer this server.
pub fn without_administration(scopes: &ScopeSet) -> ScopeSet {
    scopes.only(|name| !name.starts_with(ADMIN_PREFIX))
}

/// The scopes of tokens made by a refresh: those asked for, or all that were granted.
///
/// # Errors
/// [`ScopeRefused::Wider`] when more is asked for than was granted and what that includes.
pub fn narrowed(
    asked: Option<&str>,
    granted: &ScopeSet,
    ladder: &Ladder,
) -> Result<ScopeSet, ScopeRefused> {
    let Some(asked) = asked else { return Ok(granted.clone()) };
    let asked = ScopeSet::parse(asked)?;
    match asked.difference(&ladder.reach(granted)) {
        beyond if beyond.is_empty() => Ok(asked),
        beyond => Err(ScopeRefused::Wider(beyond.to_string())),
    }
}

/// The scopes of a token for these audiences (RFC 8707 §2.2): those that belong to one of them, and
/// those that belong to nobody in particular.
///
/// # Errors
/// [`ScopeRefused::Elsewhere`] when nothing is left of them.
pub fn fitting(
    scopes: &ScopeSet,
    audiences: &[String],
    settings: &Settings,
) -> Result<ScopeSet, ScopeRefused> {
    let left = scopes.only(|name| {
        let own = settings.resources_of(name);
        own.is_empty() || own.iter().any(|resource| audiences.contains(resource))
    });
    if left.is_empty() && !scopes.is_empty() {
        return Err(ScopeRefused::Elsewhere(scopes.to_string()));
    }
    Ok(left)
}

/// Scopes that make sense for a person only (OpenID Connect Core 1.0 §5.4 and §11).
pub fn about_person() -> &'static ScopeSet {
    static SCOPES: LazyLock<ScopeSet> = LazyLock::new(|| {
        let names = [
            scope::OPENID,
            scope::PROFILE,
            scope::EMAIL,
            scope::ADDRESS,
            scope::PHONE,
            scope::OFFLINE_ACCESS,
        ];
        ScopeSet::parse(&names.join(" ")).unwrap_or_default()
    });
    &SCOPES
}

#[cfg(test)]
mod tests;
