//! What the client asks for: the rules over the request's own parameters.

use store::{ClaimsRequest, Client};
use token::authorization_details::AuthorizationDetail;
use token::id::{KeyId, SubjectId};
use token::scope::ScopeSet;
use token::term::{GrantType, parameter};

use super::refusal::AuthorizeRefused;
use crate::id_token_hint;
use crate::parameters::Parameters;
use crate::rule::max_age::MaxAge;
use crate::rule::optional_scopes::Split;
use crate::rule::prompt::Prompt;
use crate::rule::{
    acr, authorization_details, claims_request, dpop_jkt, mfa, pkce, resource, response_type, scope,
};
use crate::settings::Settings;
use crate::state::Authority;

/// What the client asks for, after every rule over it.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    pub(crate) scopes: ScopeSet,
    /// What the person has to agree to: the scopes, and those that stand for claims asked for by name.
    pub(crate) consent: ScopeSet,
    pub(crate) audiences: Vec<String>,
    pub(crate) details: Vec<AuthorizationDetail>,
    /// The S256 challenge; absent only where it may be left out.
    pub(crate) challenge: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) jkt: Option<KeyId>,
    pub(crate) prompt: Prompt,
    pub(crate) max_age: Option<MaxAge>,
    /// The only person that will do.
    pub(crate) subject: Option<SubjectId>,
    pub(crate) claims: ClaimsRequest,
    pub(crate) login_hint: Option<String>,
    /// Whether more than a password is demanded.
    pub(crate) mfa: mfa::Demanded,
}

// === impl Demand ===

impl Demand {
    /// What a person has to agree to, by whether they can leave it out.
    pub(crate) fn split(&self, client: &Client, settings: &Settings) -> Split {
        Split::of(&client.options.optional_scopes, &self.consent, &settings.ladder)
    }
}

/// Whom an ID token is about that the client got here.
fn hinted(
    authority: &Authority,
    client: &Client,
    hint: &str,
) -> Result<SubjectId, AuthorizeRefused> {
    let hint = id_token_hint::read(authority, hint).filter(|hint| hint.client == client.id);
    hint.map(|hint| hint.subject).ok_or(AuthorizeRefused::IdTokenHint)
}

/// Checks the parameters, one rule after the other.
pub(super) fn check(
    authority: &Authority,
    client: &Client,
    parameters: &Parameters,
) -> Result<Demand, AuthorizeRefused> {
    let value = |name| parameters.value(name);
    if value(parameter::REQUEST_URI).is_some() {
        return Err(AuthorizeRefused::RequestUri);
    }
    if value(parameter::REGISTRATION).is_some() {
        return Err(AuthorizeRefused::Registration);
    }
    response_type::check(value(parameter::RESPONSE_TYPE), value(parameter::RESPONSE_MODE))?;
    if !client.grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(AuthorizeRefused::ClientMayNot);
    }
    let (settings, asked) = (authority.settings(), value(parameter::SCOPE));
    let (may, usual) = (&client.scopes, &client.default_scopes);
    let scopes = scope::requested_of_person(asked, may, usual, &settings.ladder)?;
    let challenge = pkce::check_challenge(
        value(parameter::CODE_CHALLENGE),
        value(parameter::CODE_CHALLENGE_METHOD),
        pkce::may_be_omitted(settings, client, &scopes),
    )?;
    let audiences = resource::requested(parameters.all(parameter::RESOURCE), &scopes, settings)?;
    // What none of them knows could never be used: nobody is asked for it.
    let scopes = scope::fitting(&scopes, &audiences, settings)?;
    let asked = claims_request::parse(value(parameter::CLAIMS))?;
    let voluntary = value(parameter::ACR_VALUES).unwrap_or_default().split(' ');
    let mfa = mfa::Demanded {
        acr: asked.acr.max(acr::Wanted::of(voluntary, false)),
        ..mfa::Demanded::by(client, &scopes, settings)
    };
    let (claims, brought) = claims_request::allowed(asked.claims, may, settings);
    let hinted = value(parameter::ID_TOKEN_HINT).map(|hint| hinted(authority, client, hint));
    let usual = client.options.default_max_age.map(MaxAge::of);
    let details = authorization_details::requested(
        value(parameter::AUTHORIZATION_DETAILS),
        &settings.authorization_details,
        &client.options.authorization_details_types,
        || settings.audiences(),
    )?;
    Ok(Demand {
        audiences,
        details,
        consent: scopes.union(&brought),
        scopes,
        challenge,
        nonce: value(parameter::NONCE).map(str::to_owned),
        jkt: value(parameter::DPOP_JKT).map(dpop_jkt::check).transpose()?,
        prompt: Prompt::parse(value(parameter::PROMPT))?,
        max_age: value(parameter::MAX_AGE).map(MaxAge::parse).transpose()?.or(usual),
        subject: hinted.transpose()?.or(asked.subject),
        claims,
        login_hint: value(parameter::LOGIN_HINT).map(str::to_owned),
        mfa,
    })
}
