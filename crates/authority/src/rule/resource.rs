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
    let known = settings.audiences();
    let audiences = pick(asked, &known, ResourceRefused::Unknown)?;
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
    let audiences = pick(asked, granted, ResourceRefused::NotGranted)?;
    Ok(if audiences.is_empty() { granted.to_vec() } else { audiences })
}

fn pick<'a>(
    asked: impl Iterator<Item = &'a str>,
    known: &[String],
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
        let same = |name: &&String| name.as_str() == text || Url::parse(name).as_ref() == Ok(&url);
        let name = known.iter().find(same);
        let name = name.ok_or_else(|| stranger(text.chars().take(128).collect()))?;
        if !picked.contains(name) {
            picked.push(name.clone());
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
    settings.audiences().into_iter().filter(|audience| named.contains(&audience)).collect()
}

#[cfg(test)]
mod tests {
    use token::scope::ScopeSet;

    use super::{ResourceRefused, narrowed, requested};
    use crate::settings::{ResourceDefinition, ScopeDefinition};
    use crate::tests::support::{API, settings};

    fn audiences(asked: &[&str], scopes: &str) -> Result<Vec<String>, ResourceRefused> {
        let mut settings = settings();
        settings.admin_resource = "https://id.example".to_owned();
        settings.resources =
            ["https://api.example", "https://files.example/v1"].map(ResourceDefinition::new).into();
        requested(asked.iter().copied(), &ScopeSet::parse(scopes).expect("scopes"), &settings)
    }

    #[test]
    fn the_resources_asked_for_are_the_audience() {
        let named = audiences(&["https://files.example/v1", "https://id.example"], "a");
        assert_eq!(named, Ok(vec!["https://files.example/v1".into(), "https://id.example".into()]));
        // As URL parsers print an origin: the same resource, under its configured name.
        assert_eq!(
            audiences(&["https://api.example/"], "a"),
            Ok(vec!["https://api.example".into()])
        );
        assert_eq!(
            audiences(&["https://api.example", "https://api.example"], "a").map(|all| all.len()),
            Ok(1)
        );
    }

    #[test]
    fn unknown_or_malformed_resources_are_refused() {
        for text in ["https://api.example.evil", "https://api.example/x", "http://api.example"] {
            assert_eq!(audiences(&[text], "a"), Err(ResourceRefused::Unknown(text.to_owned())));
        }
        for text in ["api", "/api", "https://api.example/#x", "https://api.example#"] {
            assert_eq!(audiences(&[text], "a"), Err(ResourceRefused::Form), "{text}");
        }
        assert_eq!(audiences(&["https://api.example"; 9], "a"), Err(ResourceRefused::TooMany));
    }

    #[test]
    fn without_a_resource_the_scopes_decide() {
        let api = || "https://api.example".to_owned();
        let admin = || "https://id.example".to_owned();
        assert_eq!(audiences(&[], "orders:read"), Ok(vec![api()]));
        assert_eq!(audiences(&[], "openid"), Ok(vec![api()]));
        assert_eq!(audiences(&[], ""), Ok(vec![api()]));
        assert_eq!(audiences(&[], "tokenward:admin"), Ok(vec![admin()]));
        assert_eq!(audiences(&[], "orders:read tokenward:read"), Ok(vec![api(), admin()]));
    }

    #[test]
    fn a_scope_brings_the_resources_that_it_belongs_to() {
        const FILES: &str = "http://127.0.0.1:9000";
        let mut settings = settings();
        let own = |name: &str, resources: &[&str]| ScopeDefinition {
            resources: resources.iter().map(|one| (*one).to_owned()).collect(),
            ..ScopeDefinition::new(name, "")
        };
        settings.scopes = vec![own("files", &[FILES]), own("both", &[FILES, API]), own("any", &[])];
        let audiences = |scopes: &str| {
            let scopes = ScopeSet::parse(scopes).expect("scopes");
            requested([].into_iter(), &scopes, &settings).expect("audiences")
        };
        assert_eq!(audiences("files"), [FILES]);
        assert_eq!(audiences("both"), [API, FILES]);
        assert_eq!(audiences("any files"), [API, FILES]);
        // Who somebody is, is asked at UserInfo.
        assert_eq!(audiences("files openid email offline_access"), [FILES]);
        assert_eq!(audiences("openid"), [API]);
        assert_eq!(audiences("any"), [API]);
    }

    #[test]
    fn a_token_request_can_only_narrow() {
        let granted = vec!["https://a.example".to_owned(), "https://b.example".to_owned()];
        assert_eq!(narrowed([].into_iter(), &granted), Ok(granted.clone()));
        let one = narrowed(["https://b.example"].into_iter(), &granted);
        assert_eq!(one, Ok(vec!["https://b.example".to_owned()]));
        let refused = narrowed(["https://c.example"].into_iter(), &granted);
        assert_eq!(refused, Err(ResourceRefused::NotGranted("https://c.example".to_owned())));
    }
}
