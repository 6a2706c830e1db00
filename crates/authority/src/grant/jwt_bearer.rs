//! `jwt-bearer`: a token of another issuer for one of ours (RFC 7523 §2.1).
//!
//! A workload becomes the client that a rule says, with no secret stored anywhere. An identity assertion
//! (ID-JAG) lets a client act for a person whom their enterprise vouches for.

use store::Grant;
use token::id::GrantId;
use token::ladder::Ladder;
use token::scope::ScopeSet;
use token::term::{GrantType, parameter};
use token::time::Timestamp;

use crate::approve::{self, Wanted};
use crate::foreign::{self, ForeignRefused};
use crate::grant::{GrantRefused, Granted, TokenRequest, client_credentials};
use crate::issue;
use crate::rule::{resource, scope};
use crate::state::Authority;

/// Decides by what kind of assertion it is.
pub(crate) async fn decide(
    authority: &Authority,
    request: &TokenRequest<'_>,
) -> Result<Granted, GrantRefused> {
    approve::grant_type(request.client, GrantType::JwtBearer)?;
    let assertion = request.parameters.required(parameter::ASSERTION)?;
    if foreign::is_identity(assertion) {
        person(authority, request, assertion).await
    } else {
        workload(authority, request, assertion).await
    }
}

/// The client is known by the assertion itself, or has authenticated and brings its own.
async fn workload(
    authority: &Authority,
    request: &TokenRequest<'_>,
    assertion: &str,
) -> Result<Granted, GrantRefused> {
    let client = foreign::workload(authority, assertion, request.now).await?;
    if client.id != *request.client.id() {
        return Err(ForeignRefused::NoRule.into());
    }
    client_credentials::give(authority, request).await
}

/// draft-ietf-oauth-identity-assertion-authz-grant §4.4: for the client that it names, once.
async fn person(
    authority: &Authority,
    request: &TokenRequest<'_>,
    assertion: &str,
) -> Result<Granted, GrantRefused> {
    let (client, now) = (request.client, request.now);
    if client.is_public() {
        return Err(GrantRefused::PublicClient);
    }
    let (token, username) = foreign::identity(authority, assertion, now).await?;
    let claims = token.claims();
    if claims.client_id != client.id().as_str() {
        return Err(GrantRefused::AssertionForAnother);
    }
    let user = authority.store().user_by_name(&username).await?;
    let user = user.ok_or(GrantRefused::PersonUnknown)?;
    let settings = authority.settings();
    let scopes = scopes(request, claims.scope.as_deref(), &settings.ladder)?;
    let named = claims.resource.iter().flat_map(|resource| resource.iter());
    let asked = request.parameters.all(parameter::RESOURCE);
    let granted = resource::requested(named, &scopes, settings)?;
    let audiences = resource::narrowed(asked, &granted)?;
    resource::together(&audiences, settings)?;
    let scopes = scope::fitting(&scopes, &audiences, settings)?;
    let life = settings.token_form(&audiences).life;
    let grant = Grant {
        id: GrantId::generate(authority.random()),
        client: client.id().clone(),
        subject: user.id,
        session: None,
        scopes: scopes.clone(),
        audiences: audiences.clone(),
        auth_time: claims.auth_time.map_or(now, Timestamp::from_secs),
        amr: claims.amr.clone(),
        details: Vec::new(),
        claims: store::ClaimsRequest::default(),
        jkt: None,
        created_at: now,
        expires_at: now.plus(life),
    };
    let wanted = Wanted { scopes: scopes.clone(), audiences, details: Vec::new(), nonce: None };
    let approved = approve::person(authority.store(), client, &grant, wanted, now).await?;
    let until = Timestamp::from_secs(claims.exp).plus(foreign::LEEWAY);
    if !authority.use_assertion([claims.iss.as_str(), &claims.jti], until, now) {
        return Err(GrantRefused::AssertionReplayed);
    }
    let bound = request.binding();
    let answer = issue::answer(authority, client, &approved, None, bound, now).await?;
    authority.store().begin_grant(&grant).await?;
    let (body, who) = answer.give(authority);
    Ok(Granted { body, who, scopes })
}

/// What the enterprise allows, the client may have, and was asked for.
fn scopes(
    request: &TokenRequest<'_>,
    given: Option<&str>,
    ladder: &Ladder,
) -> Result<ScopeSet, GrantRefused> {
    let client = request.client.client();
    let asked = request.parameters.value(parameter::SCOPE);
    let (may, usual) = (&client.scopes, &client.default_scopes);
    let wanted = scope::requested_of_person(asked, may, usual, ladder)?;
    let Some(given) = given else { return Ok(wanted) };
    let given = ScopeSet::parse(given).map_err(scope::ScopeRefused::Form)?;
    match asked {
        Some(_) => Ok(scope::narrowed(asked, &given, ladder)?),
        None => Ok(scope::without_administration(&given.intersection(&ladder.reach(may)))),
    }
}
