//! Whom a token is for (RFC 8707).

use token::scope::ScopeSet;
use url::Url;

use crate::rule::scope::about_person;
use crate::settings::Settings;

/// Scopes of our own administration begin so.
pub(crate) const ADMIN_PREFIX: &str = "tokenward:";
const MAX_RESOURCES: usize = 8;

/// Why a resource is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceRefused {
    /// RFC 8707 §2: an absolute URI without a fragment.
    #[error("`resource` must be an absolute URI without a fragment")]
    Form,
    /// Its tokens are encrypted to it: nobody else could read them.
    #[error("tokens for `{0}` are encrypted to it; name it as the only `resource`")]
    Alone(String),
    /// A token is either opaque or not.
    #[error("tokens for `{0}` are opaque, and those for `{1}` are not; name one of the two")]
    Formats(String, String),
    /// The token is not for it, and the client may not have it traded for that.
    #[error("the token is not for `{0}`, and that is not among the client's `exchange_audiences`")]
    NotExchangeable(String),
    /// The grant does not include it.
    #[error("the grant is not for the resource `{0}`")]
    NotGranted(String),
    /// More than eight.
    #[error("at most 8 resources can be named")]
    TooMany,
    /// No such resource here.
    #[error("there is no resource `{0}` here")]
    Unknown(String),
}

/// The audiences of a new grant: the resources asked for, or those that its scopes belong to.
///
/// # Errors
/// [`ResourceRefused`] when one is malformed or unknown.
pub fn requested<'a>(
    asked: impl Iterator<Item = &'a str>,
    scopes: &ScopeSet,
    settings: &Settings,
) -> Result<Vec<String>, ResourceRefused> {
    let audiences = pick(asked, settings.audience_names(), ResourceRefused::Unknown)?;
    Ok(if audiences.is_empty() { default_audiences(scopes, settings) } else { audiences })
}

/// Checks that a token can be for all of these at the same time.
///
/// # Errors
/// [`ResourceRefused::Alone`] when one of several has its tokens encrypted,
/// [`ResourceRefused::Formats`] when some have opaque tokens and some do not.
pub fn together(audiences: &[String], settings: &Settings) -> Result<(), ResourceRefused> {
    let sealed = settings
        .resources
        .iter()
        .find(|resource| resource.encrypt_to.is_some() && audiences.contains(&resource.identifier));
    match sealed {
        Some(resource) if audiences.len() > 1 => {
            Err(ResourceRefused::Alone(resource.identifier.clone()))
        }
        _ => one_format(audiences, settings),
    }
}

fn one_format(audiences: &[String], settings: &Settings) -> Result<(), ResourceRefused> {
    let opaque = audiences.iter().find(|audience| settings.has_opaque_tokens(audience));
    let jwt = audiences.iter().find(|audience| !settings.has_opaque_tokens(audience));
    match (opaque, jwt) {
        (Some(opaque), Some(jwt)) => Err(ResourceRefused::Formats(opaque.clone(), jwt.clone())),
        _ => Ok(()),
    }
}

/// The audiences of tokens from an existing grant: the resources asked for, or all of it.
///
/// # Errors
/// [`ResourceRefused`] when one is malformed or not part of the grant.
pub fn narrowed<'a>(
    asked: impl Iterator<Item = &'a str>,
    granted: &[String],
) -> Result<Vec<String>, ResourceRefused> {
    let known = granted.iter().map(String::as_str);
    let audiences = pick(asked, known, ResourceRefused::NotGranted)?;
    Ok(if audiences.is_empty() { granted.to_vec() } else { audiences })
}

/// The audiences of a token that is traded (RFC 8693 §2.1): those asked for, each one of the token's own or
/// one that the client may pass it on to; all of the token's own when none is asked for.
///
/// # Errors
/// [`ResourceRefused`] when one is malformed or neither.
pub fn exchanged<'a>(
    asked: impl Iterator<Item = &'a str>,
    own: &[String],
    further: &[String],
    settings: &Settings,
) -> Result<Vec<String>, ResourceRefused> {
    // A resource that has left the configuration is nobody's audience any more.
    let there = |name: &&str| settings.audience_names().any(|known| known == *name);
    let further = further.iter().map(String::as_str).filter(there);
    let known = own.iter().map(String::as_str).chain(further);
    let audiences = pick(asked, known, ResourceRefused::NotExchangeable)?;
    Ok(if audiences.is_empty() { own.to_vec() } else { audiences })
}

fn pick<'a, 'b>(
    asked: impl Iterator<Item = &'a str>,
    known: impl Iterator<Item = &'b str> + Clone,
    stranger: fn(String) -> ResourceRefused,
) -> Result<Vec<String>, ResourceRefused> {
    let mut picked: Vec<String> = Vec::new();
    for (count, text) in asked.enumerate() {
        if count >= MAX_RESOURCES {
            return Err(ResourceRefused::TooMany);
        }
        let url = Url::parse(text).map_err(|_| ResourceRefused::Form)?;
        if url.fragment().is_some() {
            return Err(ResourceRefused::Form);
        }
        let same = |name: &&str| *name == text || Url::parse(name).as_ref() == Ok(&url);
        let name = known.clone().find(same);
        let name = name.ok_or_else(|| stranger(text.chars().take(128).collect()))?;
        if !picked.iter().any(|known| known == name) {
            picked.push(name.to_owned());
        }
    }
    Ok(picked)
}

fn default_audiences(scopes: &ScopeSet, settings: &Settings) -> Vec<String> {
    let first = settings.resources.first().map(|first| &first.identifier);
    let identity = about_person();
    let mut named: Vec<&String> = Vec::new();
    for scope in scopes.iter() {
        match settings.resources_of(scope) {
            [] if scope.starts_with(ADMIN_PREFIX) => named.push(&settings.admin_resource),
            // Told at UserInfo, which is no resource of these.
            [] if identity.contains(scope) => {}
            [] => named.extend(first),
            own => named.extend(own),
        }
    }
    if named.is_empty() {
        named.extend(first);
    }
    let named = |audience: &&str| named.iter().any(|name| name == audience);
    settings.audience_names().filter(named).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
