//! Identity providers as they are configured.

use std::sync::Arc;

use authority::provider::preset::Preset;
use authority::provider::{ClientAuth, EmailProof, Groups, OAuth, Protocol, Provider};
use token::foreign::ClaimPath;
use token::secret::Secret;
use url::Url;

use super::issuers::secret_in;
use super::key_files;
use crate::command::Failure;
use crate::config::identity_provider::IdentityProvider;
use crate::config::load;

/// All of them, with their secrets.
///
/// # Errors
/// [`Failure`] names the file or the variable that cannot be used.
pub(super) fn providers(configured: &[IdentityProvider]) -> Result<Vec<Provider>, Failure> {
    configured.iter().map(provider).collect()
}

fn provider(part: &IdentityProvider) -> Result<Provider, Failure> {
    let (preset, missing) = (part.preset, |what: &str| {
        Failure::new(format_args!("authority.identity_provider `{}`: {what} is needed", part.name))
    });
    let protocol = if preset.is_openid() {
        let issuer = part.issuer().ok_or_else(|| missing("issuer"))?.to_owned();
        Protocol::OpenId { issuer }
    } else {
        let [authorization, token, userinfo, emails] = part.places().map(|(member, place, _)| {
            place.map(|place| place.parse::<Url>()).transpose().map(|place| (member, place))
        });
        let needed = |place: Result<(&'static str, Option<Url>), url::ParseError>| {
            let (member, place) = place.map_err(Failure::new)?;
            place.ok_or_else(|| missing(member))
        };
        Protocol::OAuth(Box::new(OAuth {
            authorization_endpoint: needed(authorization)?,
            token_endpoint: needed(token)?,
            userinfo_endpoint: needed(userinfo)?,
            emails_endpoint: emails.map_err(Failure::new)?.1,
            subject: path(part.subject_claim.as_deref().unwrap_or(preset.subject()))?,
        }))
    };
    let email_proof = match &part.email_verified_claim {
        Some(claim) => EmailProof::Claim(path(claim)?),
        None => preset.email_proof().ok_or_else(|| missing("email_verified_claim"))?,
    };
    let groups = part
        .groups_claim
        .as_deref()
        .map(|claim| Ok::<_, Failure>(Groups { source: path(claim)?, names: part.groups.clone() }));
    let claims = part.claims.iter().map(|(name, claim)| Ok((name.clone(), path(claim)?)));
    Ok(Provider {
        name: part.name.clone(),
        title: part.title.as_deref().or(preset.title()).unwrap_or(&part.name).to_owned(),
        protocol,
        client_id: part.client_id.clone(),
        client_auth: client_auth(part)?,
        scopes: part.scopes.as_deref().unwrap_or(preset.scopes()).to_owned(),
        domains: part.domains.iter().map(|domain| ::mail::domain(domain)).collect(),
        has_button: part.button,
        link: part.link,
        create: part.create,
        email_proof,
        username: path(part.username_claim.as_deref().unwrap_or(preset.username()))?,
        claims: claims.collect::<Result<_, Failure>>()?,
        groups: groups.transpose()?,
        trust_acr: part.trust_acr.clone(),
        trust_amr: part.trust_amr.clone(),
        keep_tokens: part.keep_tokens,
    })
}

fn path(claim: &str) -> Result<ClaimPath, Failure> {
    claim.parse().map_err(Failure::new)
}

fn client_auth(part: &IdentityProvider) -> Result<ClientAuth, Failure> {
    if let Some(file) = &part.client_key_file {
        let for_endpoint = part.preset == Preset::Okta;
        let key = Arc::new(key_files::signing(file)?);
        return Ok(ClientAuth::PrivateKey { key, for_endpoint });
    }
    match (&part.client_secret_file, &part.client_secret_env) {
        (Some(file), _) => secret_in(file).map(ClientAuth::Secret),
        (None, Some(name)) => {
            let environment = load::environment();
            let missing = || Failure::new(format_args!("{name}: the variable is not set"));
            let secret = Secret::new(environment.get(name).ok_or_else(missing)?);
            Ok(ClientAuth::Secret(secret))
        }
        (None, None) => Ok(ClientAuth::None),
    }
}
