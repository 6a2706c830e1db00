//! The introspection endpoint (RFC 7662).
//!
//! Any client with a secret may ask about any access token, since resource servers are clients
//! here; a refresh token is told to its own client only. Public clients may not ask at all.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use ipnet::IpNet;
use serde::Serialize;
use store::RefreshState;
use token::act::Actor;
use token::authorization_details::AuthorizationDetail;
use token::claims::Audience;
use token::cnf::Confirmation;
use token::event::{EventKind, Who};
use token::id::{ClientId, SubjectId, TokenId};
use token::may_act::MayAct;
use token::personal::{Owner, PersonalTokens as _};
use token::place::PlaceTest;
use token::scope::ScopeSet;
use token::term::{OAuthErrorCode, parameter, token_type};
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;
use utoipa::ToSchema;

use crate::bait::{self, Asking};
use crate::caller::Caller;
use crate::client_auth::AuthenticatedClient;
use crate::endpoint::answer;
use crate::endpoint::form::Form;
use crate::endpoint::token::authenticate;
use crate::oauth_error::OAuthError;
use crate::presented_token::{self, GoodToken};
use crate::restrained;
use crate::signed_answer;
use crate::state::Authority;

/// RFC 9701 §4 and §5.
const SIGNED: &str = "application/token-introspection+jwt";

/// RFC 7662 §2.2; all but `active` are absent for a token that is not good.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Introspection {
    active: bool,
    #[serde(skip_serializing_if = "ScopeSet::is_empty")]
    #[schema(value_type = Option<String>)]
    scope: ScopeSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    client_id: Option<ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    sub: Option<SubjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    aud: Option<Audience>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    jti: Option<TokenId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    cnf: Option<Box<Confirmation>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    act: Option<Box<Actor>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    may_act: Option<Box<MayAct>>,
    /// Our own member: the token is good from these networks alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<String>>)]
    networks: Vec<IpNet>,
    /// Our own member: and from these places alone, such as `countries:NO,SE`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<String>>)]
    places: Vec<PlaceTest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<Object>>)]
    authorization_details: Vec<AuthorizationDetail>,
}

/// RFC 9701 §5.
#[derive(Serialize)]
struct Signed<'a> {
    iss: &'a str,
    aud: &'a ClientId,
    iat: i64,
    token_introspection: Introspection,
}

/// `POST /introspect`
pub(crate) async fn introspect(
    State(authority): State<Authority>,
    caller: Caller,
    headers: HeaderMap,
    Form(parameters): Form,
) -> Result<Response, OAuthError> {
    let now = authority.now();
    let client = authenticate(&authority, &caller, &headers, &parameters, now).await;
    if let Some(shown) = parameters.value(parameter::TOKEN) {
        let asking = Asking::of(&client);
        bait::INTROSPECT.look_at_from(asking, &authority, &caller, &headers, shown, now);
    }
    let client = client?;
    if client.is_public() {
        let words = "introspection needs a client with a secret";
        return Err(OAuthError::new(OAuthErrorCode::InvalidClient, words));
    }
    let text = parameters.required(parameter::TOKEN)?;
    let good = presented_token::good(&authority, &client, text, now).await?;
    let body = match &good {
        Some(GoodToken::Access(token)) => of_access(&authority, token).await?,
        Some(GoodToken::Refresh(state)) => of_refresh(&authority, state).await?,
        None => Introspection::default(),
    };
    if let Some(GoodToken::Access(token)) = &good
        && let Some(used) =
            token.personal().and_then(|one| one.used(now, None, None, &ScopeSet::default()))
    {
        // Whoever asks about it has been shown it: an API that introspects keeps it alive, too.
        authority.store().keep_use(used);
    }
    let result = if body.active { "active" } else { "inactive" }.to_owned();
    let who = Who { client: Some(client.id().clone()), token: body.jti.clone(), ..Who::default() };
    authority.emit(&caller, who, EventKind::Introspect { result }, now);
    let wanted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if wanted.flat_map(|list| list.split(',')).any(|one| media_type(one) == SIGNED) {
        return signed(&authority, &client, body, now);
    }
    Ok(answer::json(StatusCode::OK, &body))
}

fn media_type(one: &str) -> &str {
    one.split(';').next().unwrap_or_default().trim()
}

/// RFC 9701 §5: signed for who asks, who may be somebody else than who reads it.
fn signed(
    authority: &Authority,
    client: &AuthenticatedClient,
    body: Introspection,
    now: Timestamp,
) -> Result<Response, OAuthError> {
    let options = &client.client().options;
    let iss = &authority.settings().issuer;
    let claims = Signed { iss, aud: client.id(), iat: now.as_secs(), token_introspection: body };
    let (wanted, kind) = (options.introspection_signed_response_alg, token_type::INTROSPECTION);
    let signed = signed_answer::sign(authority, options, wanted, kind, &claims)?;
    let how = options.introspection_encrypted_response_alg;
    Ok(answer::jwt(SIGNED, signed_answer::encrypt(options, how, signed)?))
}

async fn of_access(
    authority: &Authority,
    token: &VerifiedAccessToken,
) -> Result<Introspection, OAuthError> {
    let facts = token.facts();
    let Some(from) = restrained::good_from(authority, token, authority.now()) else {
        return Ok(Introspection::default());
    };
    // Any other token without a grant speaks for no person.
    let speaks_for_person = match token.personal() {
        Some(personal) => matches!(personal.terms.owner, Owner::Person(_)),
        None => facts.grant.is_some(),
    };
    let username =
        if speaks_for_person { username(authority, &facts.subject).await? } else { None };
    let claims = token.claims();
    let is_bound = claims.cnf.as_ref().is_some_and(|cnf| cnf.jkt.is_some());
    Ok(Introspection {
        active: true,
        // What counts no more at the gateway is not told as if it did.
        scope: presented_token::scopes_left(authority, token, authority.now()),
        client_id: Some(claims.client_id),
        username,
        token_type: Some(if is_bound { "DPoP" } else { "Bearer" }),
        exp: Some(claims.exp),
        iat: Some(claims.iat),
        sub: Some(claims.sub),
        aud: Some(claims.aud),
        iss: Some(claims.iss),
        jti: Some(claims.jti),
        cnf: claims.cnf,
        auth_time: claims.auth_time,
        acr: claims.acr,
        act: claims.act,
        may_act: claims.may_act,
        networks: from.networks,
        places: from.places,
        authorization_details: claims.authorization_details,
    })
}

async fn of_refresh(
    authority: &Authority,
    state: &RefreshState,
) -> Result<Introspection, OAuthError> {
    let grant = &state.grant;
    Ok(Introspection {
        active: true,
        scope: state.scopes.clone(),
        client_id: Some(grant.client.clone()),
        username: username(authority, &grant.subject).await?,
        exp: Some(state.expires_at.min(grant.expires_at).as_secs()),
        sub: Some(grant.subject.clone()),
        aud: Some(grant.audiences.clone().into()),
        iss: Some(authority.settings().issuer.clone()),
        ..Introspection::default()
    })
}

async fn username(
    authority: &Authority,
    subject: &SubjectId,
) -> Result<Option<String>, OAuthError> {
    Ok(authority.store().user(subject).await?.map(|user| user.username))
}
