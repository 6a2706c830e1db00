//! [`ApprovedGrant`] → tokens. Issuing an access token waits for nothing, unless it is opaque: that one
//! is on disk before anybody has it.

use std::time::Duration;

use aws_lc_rs::digest;
use bytes::Bytes;
use serde::Serialize;
use store::{IssuedToken, StatusPlace, Store, StoreError};
use token::act::Actor;
use token::authorization_details::AuthorizationDetail;
use token::base64url;
use token::claims::{AccessTokenClaims, IdTokenClaims};
use token::cnf::Confirmation;
use token::event::Who;
use token::id::{ClientId, GrantId, SessionId, SubjectId, TokenId};
use token::jwk::BadKey;
use token::key::PrivateKey;
use token::may_act::MayAct;
use token::opaque::Family;
use token::random::Random;
use token::scope::ScopeSet;
use token::secret::Secret;
use token::status_list::{StatusClaim, StatusReference};
use token::term::{Algorithm, TokenFormat, scope};
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;
use utoipa::ToSchema;

use crate::approve::ApprovedGrant;
use crate::client_auth::AuthenticatedClient;
use crate::keys::SigningKeys;
use crate::person_claims;
use crate::presented_token::LEEWAY;
use crate::rule::{acr, profile};
use crate::settings::TokenForm;
use crate::signed_answer;
use crate::state::Authority;
use crate::status_lists::published;

/// An access token to be made, for whoever needs one without a grant: the administrator's first
/// token, an initial access token for registration, a honeytoken.
#[derive(Clone, Debug)]
pub struct AccessTokenOrder {
    /// Whom it speaks for.
    pub subject: SubjectId,
    /// To whom it is issued.
    pub client: ClientId,
    /// What it allows.
    pub scopes: ScopeSet,
    /// Whom it is for.
    pub audiences: Vec<String>,
    /// How long it lives; at least one second.
    pub life: Duration,
    /// The grant that it belongs to.
    pub grant: Option<GrantId>,
    /// The sign-in session behind it.
    pub session: Option<SessionId>,
    /// When the person signed in.
    pub auth_time: Option<Timestamp>,
    /// How surely they did.
    pub acr: Option<String>,
    /// What exactly is allowed, where scopes say too little.
    pub details: Vec<AuthorizationDetail>,
    /// What has to be shown beside it.
    pub cnf: Option<Confirmation>,
    /// Who acts for the subject.
    pub act: Option<Actor>,
    /// Who may act with it.
    pub may_act: Option<MayAct>,
}

/// An access token, made and recorded.
#[derive(Clone, Debug)]
pub struct IssuedAccessToken {
    /// The token.
    pub token: Secret,
    /// Its name.
    pub id: TokenId,
    /// When it expires, in whole seconds.
    pub expires_at: Timestamp,
}

/// A refresh token that goes out with an answer.
pub(crate) struct OutgoingRefresh<'a> {
    pub(crate) token: &'a Secret,
    pub(crate) expires_at: Timestamp,
}

/// A token response that is ready, but not yet given out. [`Answer::give`] records its token.
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    pub(crate) who: Who,
    record: IssuedToken,
}

/// Why a token could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotIssued {
    /// The cryptographic library failed.
    #[error(transparent)]
    Signing(#[from] BadKey),
    /// What the token stands for could not be kept, or there is no place to publish its status at.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// RFC 6749 §5.1 and OpenID Connect Core 1.0 §3.1.3.3.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenResponse<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "ScopeSet::is_empty")]
    #[schema(value_type = Option<String>)]
    scope: &'a ScopeSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    /// The name that many servers give to what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token_expires_in: Option<u64>,
    /// How long it may lie unused (draft-ietf-oauth-refresh-token-expiration-03 §3).
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token_timeout: Option<u64>,
    /// How long the grant lives, however often it is refreshed (same).
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    /// RFC 9396 §7.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Option<Vec<Object>>)]
    authorization_details: &'a [AuthorizationDetail],
    /// RFC 8693 §2.2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
}

/// Makes an access token and records it, without waiting for the record to be written.
///
/// # Errors
/// [`BadKey::Library`] when the cryptographic library fails to sign.
pub fn mint(
    order: AccessTokenOrder,
    issuer: &str,
    keys: &SigningKeys,
    store: &Store,
    now: Timestamp,
    random: &dyn Random,
) -> Result<IssuedAccessToken, BadKey> {
    let (issued, record) = sign(order, issuer, &keys.active(), None, now, random)?;
    store.record_token(record);
    Ok(issued)
}

/// Makes a token response for an approved grant.
pub(crate) async fn answer(
    authority: &Authority,
    client: &AuthenticatedClient,
    approved: &ApprovedGrant,
    refresh: Option<&OutgoingRefresh<'_>>,
    bound: Option<Confirmation>,
    now: Timestamp,
) -> Result<Answer, NotIssued> {
    let consented = approved.consented();
    let form = authority.settings().token_form(approved.audiences());
    let by_key = bound.as_ref().is_some_and(|cnf| cnf.jkt.is_some());
    let order = AccessTokenOrder {
        subject: approved.subject().clone(),
        client: client.id().clone(),
        scopes: approved.scopes().clone(),
        audiences: approved.audiences().to_vec(),
        life: profile::shorter(form.life, client.client().options.access_token_life),
        grant: consented.map(|grant| grant.id.clone()),
        session: consented.and_then(|grant| grant.session.clone()),
        auth_time: consented.map(|grant| grant.auth_time),
        acr: consented.and_then(|grant| acr::of(&grant.amr)).map(str::to_owned),
        details: approved.details().to_vec(),
        cnf: bound,
        act: None,
        may_act: MayAct::of(&client.client().options.may_act),
    };
    let (issued, record) = access_token(authority, order, &form, now).await?;
    let unused_for = refresh.map(|refresh| seconds(refresh.expires_at, now));
    let body = TokenResponse {
        access_token: issued.token.expose(),
        token_type: if by_key { "DPoP" } else { "Bearer" },
        expires_in: seconds(issued.expires_at, now),
        scope: approved.scopes(),
        refresh_token: refresh.map(|refresh| refresh.token.expose()),
        refresh_token_expires_in: unused_for,
        refresh_token_timeout: unused_for,
        authorization_expires_in: refresh
            .and(consented)
            .map(|grant| seconds(grant.expires_at, now)),
        id_token: id_token(authority, client, approved, issued.token.expose(), now)?,
        authorization_details: approved.details(),
        issued_token_type: None,
    };
    let body = serde_json::to_vec(&body).map_err(|_| BadKey::Library)?.into();
    let who = Who {
        subject: Some(approved.subject().clone()),
        client: Some(client.id().clone()),
        token: Some(issued.id),
        grant: consented.map(|grant| grant.id.clone()),
        session: consented.and_then(|grant| grant.session.clone()),
        ..Who::default()
    };
    Ok(Answer { body, who, record })
}

/// Makes a token response for a token that was traded (RFC 8693 §2.2.1).
pub(crate) async fn exchanged(
    authority: &Authority,
    order: AccessTokenOrder,
    issued_token_type: &'static str,
    now: Timestamp,
) -> Result<Answer, NotIssued> {
    let form = authority.settings().token_form(&order.audiences);
    let who = Who {
        subject: Some(order.subject.clone()),
        client: Some(order.client.clone()),
        grant: order.grant.clone(),
        session: order.session.clone(),
        ..Who::default()
    };
    let (scopes, bound) =
        (order.scopes.clone(), order.cnf.as_ref().is_some_and(|cnf| cnf.jkt.is_some()));
    let details = order.details.clone();
    let (issued, record) = access_token(authority, order, &form, now).await?;
    let body = TokenResponse {
        access_token: issued.token.expose(),
        token_type: if bound { "DPoP" } else { "Bearer" },
        expires_in: seconds(issued.expires_at, now),
        scope: &scopes,
        refresh_token: None,
        refresh_token_expires_in: None,
        refresh_token_timeout: None,
        authorization_expires_in: None,
        id_token: None,
        authorization_details: &details,
        issued_token_type: Some(issued_token_type),
    };
    let body = serde_json::to_vec(&body).map_err(|_| BadKey::Library)?.into();
    Ok(Answer { body, who: Who { token: Some(issued.id), ..who }, record })
}

/// An access token as its resources want it: signed with their algorithm, its status published,
/// encrypted to their key, or kept here and given out as an opaque value.
async fn access_token(
    authority: &Authority,
    order: AccessTokenOrder,
    form: &TokenForm,
    now: Timestamp,
) -> Result<(IssuedAccessToken, IssuedToken), NotIssued> {
    let keys = authority.keys();
    let key = form.signing_alg.and_then(|algorithm| keys.active_for(algorithm));
    let key = key.unwrap_or_else(|| keys.active());
    let issuer = &authority.settings().issuer;
    let place = form.status_list.then(|| authority.status_lists().take(now)).transpose()?;
    let place = place.map(|place| (published::uri(authority, &place.list), place));
    let (mut issued, record) = sign(order, issuer, &key, place, now, authority.random())?;
    if let Some(recipient) = &form.encrypt_to {
        issued.token = Secret::new(signed_answer::sealed(recipient, issued.token.expose())?);
    }
    if form.format == TokenFormat::Opaque {
        let opaque = Family::Access.generate(authority.random());
        let forget_at = issued.expires_at.plus(LEEWAY);
        authority.store().keep_reference(&opaque, &issued.token, forget_at).await?;
        issued.token = opaque;
    }
    Ok((issued, record))
}

// === impl Answer ===

impl Answer {
    /// Gives the answer out: from here on its token exists.
    pub(crate) fn give(self, authority: &Authority) -> (Bytes, Who) {
        authority.store().record_token(self.record);
        (self.body, self.who)
    }
}

fn sign(
    order: AccessTokenOrder,
    issuer: &str,
    key: &PrivateKey,
    status: Option<(String, StatusPlace)>,
    now: Timestamp,
    random: &dyn Random,
) -> Result<(IssuedAccessToken, IssuedToken), BadKey> {
    let id = TokenId::generate(now, random);
    let expires_at = Timestamp::from_secs(now.plus(order.life).as_secs());
    let (uri, place) = status.unzip();
    let claims = AccessTokenClaims {
        iss: issuer.to_owned(),
        sub: order.subject.clone(),
        aud: order.audiences.clone().into(),
        exp: expires_at.as_secs(),
        iat: now.as_secs(),
        nbf: None,
        jti: id.clone(),
        client_id: order.client.clone(),
        scope: order.scopes.clone(),
        auth_time: order.auth_time.map(Timestamp::as_secs),
        acr: order.acr,
        sid: order.session.clone(),
        cnf: order.cnf.map(Box::new),
        act: order.act.map(Box::new),
        may_act: order.may_act.map(Box::new),
        authorization_details: order.details,
        status: place.as_ref().zip(uri).map(claim),
        grant_id: order.grant.clone(),
    };
    let token = Secret::new(claims.sign(key)?);
    let record = IssuedToken {
        token: id.clone(),
        kind: "access".into(),
        subject: order.subject,
        client: order.client,
        grant: order.grant,
        session: order.session,
        scopes: order.scopes,
        audiences: order.audiences,
        issued_at: now,
        expires_at,
        key: key.public().kid().clone(),
        status: place,
    };
    Ok((IssuedAccessToken { token, id, expires_at }, record))
}

/// Token Status List §6.2.
fn claim((place, uri): (&StatusPlace, String)) -> Box<StatusClaim> {
    Box::new(StatusClaim { status_list: Some(StatusReference { idx: place.idx, uri }) })
}

/// The record of a token of ours that has a place in a status list, made from the token itself.
pub(crate) fn listed_again(
    authority: &Authority,
    token: &VerifiedAccessToken,
) -> Option<IssuedToken> {
    let facts = token.facts();
    let reference = token.status()?;
    let list = published::named(authority, &reference.uri)?;
    Some(IssuedToken {
        token: facts.token.clone(),
        kind: "access".into(),
        subject: facts.subject.clone(),
        client: facts.client.clone(),
        grant: facts.grant.clone(),
        session: facts.session.clone(),
        scopes: token.scopes().clone(),
        audiences: token.audience().iter().map(str::to_owned).collect(),
        issued_at: facts.issued_at,
        expires_at: Timestamp::from_secs(token.claims().exp),
        key: facts.key.clone(),
        status: Some(StatusPlace { list, idx: reference.idx }),
    })
}

/// OpenID Connect Core 1.0 §2 and §12.2: an ID token when `openid` is among the scopes.
fn id_token(
    authority: &Authority,
    client: &AuthenticatedClient,
    approved: &ApprovedGrant,
    access_token: &str,
    now: Timestamp,
) -> Result<Option<String>, BadKey> {
    let Some(grant) = approved.consented() else { return Ok(None) };
    if !approved.scopes().contains(scope::OPENID) {
        return Ok(None);
    }
    let options = &client.client().options;
    let key = signed_answer::key(authority, options, options.id_token_signed_response_alg);
    let (named, settings) = (&grant.claims.id_token, authority.settings());
    let claims = IdTokenClaims {
        iss: settings.issuer.clone(),
        sub: approved.subject().clone(),
        aud: client.id().clone(),
        exp: now.plus(settings.id_token_life).as_secs(),
        iat: now.as_secs(),
        auth_time: grant.auth_time.as_secs(),
        nonce: approved.nonce().map(str::to_owned),
        amr: grant.amr.clone(),
        acr: acr::of(&grant.amr).map(str::to_owned),
        at_hash: half_hash(access_token, key.public().algorithm()),
        sid: grant.session.clone(),
        person: approved
            .user()
            .map(|user| person_claims::told(user, settings, &ScopeSet::default(), named))
            .unwrap_or_default(),
    };
    let signed = claims.sign(&key)?;
    signed_answer::encrypt(options, options.id_token_encrypted_response_alg, signed).map(Some)
}

/// OpenID Connect Core 1.0 §3.1.3.6: the left half of the hash that the ID token's algorithm has.
fn half_hash(text: &str, algorithm: Algorithm) -> String {
    let hash = match algorithm {
        Algorithm::Es256 | Algorithm::Ps256 | Algorithm::Rs256 => &digest::SHA256,
        Algorithm::Es384 | Algorithm::Ps384 | Algorithm::Rs384 => &digest::SHA384,
        // Ed25519 hashes with SHA-512 (RFC 8032 §5.1), ML-DSA names none.
        Algorithm::Ed25519
        | Algorithm::EdDsa
        | Algorithm::MlDsa44
        | Algorithm::MlDsa65
        | Algorithm::Ps512
        | Algorithm::Rs512 => &digest::SHA512,
    };
    let hash = digest::digest(hash, text.as_bytes());
    base64url::encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}

/// Rounded up, so that a life of ten minutes reads as such whatever the millisecond is.
fn seconds(until: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(until.since(now).as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
}
