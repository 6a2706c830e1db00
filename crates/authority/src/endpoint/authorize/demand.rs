//! What the client asks for: the rules over the request's own parameters.

use store::Client;
use token::id::KeyId;
use token::scope::ScopeSet;
use token::term::{GrantType, parameter};

use super::refusal::AuthorizeRefused;
use crate::parameters::Parameters;
use crate::rule::max_age::MaxAge;
use crate::rule::prompt::Prompt;
use crate::rule::{dpop_jkt, pkce, resource, response_type, scope};
use crate::settings::Settings;

/// What the client asks for, after every rule over it.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    pub(crate) scopes: ScopeSet,
    pub(crate) audiences: Vec<String>,
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
    pub(crate) jkt: Option<KeyId>,
    pub(crate) prompt: Prompt,
    pub(crate) max_age: Option<MaxAge>,
    pub(crate) login_hint: Option<String>,
}

/// Checks the parameters, one rule after the other.
pub(super) fn check(
    settings: &Settings,
    client: &Client,
    parameters: &Parameters,
) -> Result<Demand, AuthorizeRefused> {
    let value = |name| parameters.value(name);
    if value(parameter::REQUEST).is_some() {
        return Err(AuthorizeRefused::RequestObject);
    }
    if value(parameter::REQUEST_URI).is_some() {
        return Err(AuthorizeRefused::RequestUri);
    }
    response_type::check(value(parameter::RESPONSE_TYPE), value(parameter::RESPONSE_MODE))?;
    if !client.grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(AuthorizeRefused::ClientMayNot);
    }
    let challenge = pkce::check_challenge(
        value(parameter::CODE_CHALLENGE),
        value(parameter::CODE_CHALLENGE_METHOD),
    )?;
    let asked = value(parameter::SCOPE);
    let scopes = scope::requested_of_person(asked, &client.scopes, &client.default_scopes)?;
    let resources = parameters.all(parameter::RESOURCE);
    Ok(Demand {
        audiences: resource::requested(resources, &scopes, settings)?,
        scopes,
        challenge,
        nonce: value(parameter::NONCE).map(str::to_owned),
        jkt: value(parameter::DPOP_JKT).map(dpop_jkt::check).transpose()?,
        prompt: Prompt::parse(value(parameter::PROMPT))?,
        max_age: value(parameter::MAX_AGE).map(MaxAge::parse).transpose()?,
        login_hint: value(parameter::LOGIN_HINT).map(str::to_owned),
    })
}
