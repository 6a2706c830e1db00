//! `token-exchange`: a service trades the token that it was called with for one to call on with (RFC 8693).
//!
//! The new token speaks for the same subject, never for longer, never with more scopes, and belongs
//! to the same grant: what ends the one ends the other. Whom else it may be for, an administrator has said
//! for the client that trades (`exchange_audiences`).
//!
//! Without an actor token the client goes on as the subject (§1.1, impersonation); with one the new token
//! says who acts (delegation). Where the subject's token says who may (`may_act`, §4.4), nobody else does
//! either; where it says nothing, whoever an administrator lets trade tokens may.

use std::sync::Arc;

use token::act::Actor;
use token::id::ClientId;
use token::ladder::Ladder;
use token::may_act::MayAct;
use token::scope::ScopeSet;
use token::term::{GrantType, parameter};
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;

use crate::approve;
use crate::grant::{GrantRefused, Granted, TokenRequest};
use crate::issue::{self, AccessTokenOrder};
use crate::presented_token;
use crate::restrained;
use crate::rule::profile;
use crate::rule::resource;
use crate::rule::scope::{self, ScopeRefused};
use crate::state::Authority;

/// The only types of token that are traded (RFC 8693 §3).
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// Who acted before is for people to read: more than this no person reads.
const LONGEST_CHAIN: usize = 4;

/// Why a token is not traded (RFC 8693 §2.2.2: all of it is `invalid_request`).
#[derive(Debug, thiserror::Error)]
pub enum ExchangeRefused {
    /// An actor token's type without the token.
    #[error("`actor_token_type` is there without `actor_token`")]
    ActorTypeAlone,
    /// More parties in a row than are told.
    #[error("the token has passed through too many hands to be traded again")]
    ChainTooLong,
    /// RFC 8693 §4.4: the subject's token does not say that this client may.
    #[error("`may_act` of the subject token does not name the client `{0}`")]
    MayNotAct(ClientId),
    /// A token that is not good.
    #[error("`{0}` is not a good access token of this server")]
    Token(&'static str),
    /// Another type of token.
    #[error("`{0}` must be `{ACCESS_TOKEN}` or `{JWT}`")]
    Type(&'static str),
}

/// Checks both tokens, narrows, and issues.
pub(crate) async fn decide(
    authority: &Authority,
    request: &TokenRequest<'_>,
) -> Result<Granted, GrantRefused> {
    if request.client.is_public() {
        return Err(GrantRefused::PublicClient);
    }
    approve::grant_type(request.client, GrantType::TokenExchange)?;
    let (parameters, now) = (request.parameters, request.now);
    if let Some(wanted) = parameters.value(parameter::REQUESTED_TOKEN_TYPE) {
        check_type(wanted, parameter::REQUESTED_TOKEN_TYPE)?;
    }
    let types = (parameter::SUBJECT_TOKEN, parameter::SUBJECT_TOKEN_TYPE);
    check_type(parameters.required(types.1)?, types.1)?;
    let subject = token(authority, parameters.required(types.0)?, types.0, now).await?;
    // A token that is bound to a key is never traded for one that whoever bears it can use.
    if subject.confirmation().is_some() && request.binding().is_none() {
        return Err(GrantRefused::ProofMissing);
    }
    let act = actor(authority, request, &subject).await?;

    let left = presented_token::scopes_left(authority, &subject, now);
    let scopes = scopes(request, &left, &authority.settings().ladder)?;
    let (settings, claims) = (authority.settings(), subject.claims());
    let asked = parameters.all(parameter::RESOURCE).chain(parameters.all(parameter::AUDIENCE));
    let own: Vec<String> = claims.aud.iter().map(str::to_owned).collect();
    let options = &request.client.client().options;
    let audiences = resource::exchanged(asked, &own, &options.exchange_audiences, settings)?;
    resource::together(&audiences, settings)?;
    let scopes = match scope::fitting(&scopes, &audiences, settings) {
        // Who asks for none passes on who calls, also to where none of the scopes applies.
        Err(_) if parameters.value(parameter::SCOPE).is_none() => ScopeSet::default(),
        fitting => fitting?,
    };
    let left = Timestamp::from_secs(claims.exp).since(now);
    let order = AccessTokenOrder {
        subject: claims.sub.clone(),
        client: request.client.id().clone(),
        scopes: scopes.clone(),
        life: profile::shorter(
            settings.token_form(&audiences).life.min(left),
            options.access_token_life,
        ),
        audiences,
        grant: claims.grant_id.clone(),
        session: claims.sid.clone(),
        auth_time: claims.auth_time.map(Timestamp::from_secs),
        acr: claims.acr.clone(),
        details: claims.authorization_details.clone(),
        cnf: request.binding(),
        act,
        may_act: MayAct::of(&options.may_act),
    };
    let answer = issue::exchanged(authority, order, ACCESS_TOKEN, now).await?;
    let (body, who) = answer.give(authority);
    Ok(Granted { body, who, scopes })
}

/// An access token of ours that could be used right now.
async fn token(
    authority: &Authority,
    text: &str,
    name: &'static str,
    now: Timestamp,
) -> Result<Arc<VerifiedAccessToken>, GrantRefused> {
    let bad = || GrantRefused::Exchange(ExchangeRefused::Token(name));
    let token = presented_token::ours(authority, text, now)?.ok_or_else(bad)?;
    match presented_token::objection(authority, &token, now).await? {
        None if !restrained::would_escape(authority, &token, now) => Ok(token),
        _ => Err(bad()),
    }
}

/// Who will act: whoever the actor token speaks for, before whom those stand that acted already
/// (RFC 8693 §4.1). Without an actor token the chain stays as it is.
async fn actor(
    authority: &Authority,
    request: &TokenRequest<'_>,
    subject: &VerifiedAccessToken,
) -> Result<Option<Actor>, GrantRefused> {
    let parameters = request.parameters;
    let before = subject.actor().cloned();
    let named = parameters.value(parameter::ACTOR_TOKEN_TYPE);
    let Some(text) = parameters.value(parameter::ACTOR_TOKEN) else {
        return match named {
            Some(_) => Err(ExchangeRefused::ActorTypeAlone.into()),
            None => {
                check_may_act(subject, request.client.id()).map(|()| before).map_err(Into::into)
            }
        };
    };
    check_type(parameters.required(parameter::ACTOR_TOKEN_TYPE)?, parameter::ACTOR_TOKEN_TYPE)?;
    let actor = token(authority, text, parameter::ACTOR_TOKEN, request.now).await?;
    check_may_act(subject, &actor.facts().client)?;
    let actor = Actor {
        sub: actor.facts().subject.clone(),
        iss: None,
        client_id: Some(actor.facts().client.clone()),
        act: before.map(Box::new),
    };
    if actor.chain().count() > LONGEST_CHAIN {
        return Err(ExchangeRefused::ChainTooLong.into());
    }
    Ok(Some(actor))
}

/// What is left of the subject's token, the client may have, and was asked for; never administration.
fn scopes(
    request: &TokenRequest<'_>,
    left: &ScopeSet,
    ladder: &Ladder,
) -> Result<ScopeSet, GrantRefused> {
    let asked = request.parameters.value(parameter::SCOPE);
    let wanted = scope::narrowed(asked, left, ladder)?;
    let allowed = wanted.intersection(&ladder.reach(&request.client.client().scopes));
    if asked.is_some() && allowed != wanted {
        let beyond = wanted.difference(&allowed);
        return Err(ScopeRefused::NotAllowed(beyond.to_string()).into());
    }
    Ok(scope::without_administration(&allowed))
}

/// §4.4: whoever goes on with the subject's token has to be named where it names anybody.
fn check_may_act(subject: &VerifiedAccessToken, client: &ClientId) -> Result<(), ExchangeRefused> {
    match subject.may_act() {
        Some(may_act) if !may_act.names(client) => Err(ExchangeRefused::MayNotAct(client.clone())),
        _ => Ok(()),
    }
}

fn check_type(text: &str, name: &'static str) -> Result<(), GrantRefused> {
    if matches!(text, ACCESS_TOKEN | JWT) {
        Ok(())
    } else {
        Err(ExchangeRefused::Type(name).into())
    }
}
