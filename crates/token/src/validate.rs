//! Unverified token + keys + policy + time → [`VerifiedAccessToken`], the only proof of a check.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::act::Actor;
use crate::authorization_details::AuthorizationDetail;
use crate::claims::{AccessTokenClaims, Audience};
use crate::cnf::Confirmation;
use crate::id::KeyId;
use crate::json;
use crate::jws::{Jws, NotJws};
use crate::key::KeySet;
use crate::may_act::MayAct;
use crate::personal::Personal;
use crate::reason::{Reason, Refused};
use crate::restriction::TokenFacts;
use crate::scope::ScopeSet;
use crate::signature::{self, Broken};
use crate::status_list::{StatusClaim, StatusReference};
use crate::term::token_type;
use crate::time::Timestamp;

use self::alike::Alike;
pub use self::alike::AlikeTokens;
pub use self::missed::Missed;

mod alike;
mod missed;

/// What an access token must be to be accepted: built once, used for every token.
#[derive(Clone, Debug)]
pub struct AccessTokenPolicy {
    /// The issuer, compared exactly.
    pub issuer: String,
    /// At least one of these must be an audience of the token.
    pub audiences: Vec<String>,
    /// How far clocks may differ; at most 60 s are used.
    pub leeway: Duration,
}

/// An access token that has been checked. There is no other way to make one than
/// [`verify_access_token`], for tokens of other issuers [`crate::foreign`], and for personal ones
/// [`crate::personal`].
#[derive(Debug)]
pub struct VerifiedAccessToken {
    facts: TokenFacts,
    alike: Arc<Alike>,
    exp: i64,
    iat: i64,
    /// [`NO_TIME`] where it is not said.
    auth_time: i64,
    rare: Option<Box<Rare>>,
}

const NO_TIME: i64 = i64::MIN;

/// What few tokens say.
#[derive(Clone, Debug, Default)]
struct Rare {
    nbf: Option<i64>,
    cnf: Option<Box<Confirmation>>,
    act: Option<Box<Actor>>,
    may_act: Option<Box<MayAct>>,
    authorization_details: Vec<AuthorizationDetail>,
    status: Option<Box<StatusClaim>>,
    personal: Option<Arc<Personal>>,
    payload: Option<Arc<Kept>>,
}

/// All that the issuer has written, read only where somebody asks for it.
#[derive(Debug)]
struct Kept {
    bytes: Box<[u8]>,
    members: OnceLock<Map<String, Value>>,
}

/// Why a token was refused, and what it says of itself; the latter is nobody's word.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("token refused: {refused}")]
pub struct TokenRefused {
    /// The reason, the same word everywhere.
    pub refused: Refused,
    /// What a person who made the token can read to mend it; repeats nothing of the token.
    pub detail: &'static str,
    /// The unverified names inside.
    pub claimed: Claimed,
    /// What exactly it missed, where its signature is good.
    pub missed: Option<Box<Missed>>,
}

/// What a token that failed verification says of itself. Never act on whom it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// `sub`.
    pub subject: Option<String>,
    /// `client_id`.
    pub client: Option<String>,
    /// `jti`.
    pub token: Option<String>,
}

// === impl TokenRefused ===

impl TokenRefused {
    /// Of a token whose signature is good.
    pub(crate) fn missing(missed: Missed, claimed: Claimed) -> Self {
        let (refused, detail) = (missed.reason().into(), missed.detail());
        Self { refused, detail, claimed, missed: Some(Box::new(missed)) }
    }
}

// === impl VerifiedAccessToken ===

impl VerifiedAccessToken {
    /// Everything about it has been checked by the caller.
    pub(crate) fn assertion(
        claims: AccessTokenClaims,
        facts: TokenFacts,
        leeway: Duration,
        payload: &[u8],
    ) -> Self {
        let alike = Alike {
            issuer: claims.iss.into(),
            audience: claims.aud,
            client: facts.client.clone(),
            key: facts.key.clone(),
            scope: claims.scope,
            acr: claims.acr.map(Into::into),
            leeway,
        };
        let rare = Rare {
            nbf: claims.nbf,
            cnf: claims.cnf,
            act: claims.act,
            may_act: claims.may_act,
            authorization_details: claims.authorization_details,
            status: claims.status,
            personal: None,
            payload: Some(Arc::new(Kept { bytes: payload.into(), members: OnceLock::new() })),
        };
        Self {
            facts,
            alike: Arc::new(alike),
            exp: claims.exp,
            iat: claims.iat,
            auth_time: claims.auth_time.unwrap_or(NO_TIME),
            rare: Some(Box::new(rare)),
        }
    }

    /// The same, of a personal token: its life does not end by `exp` alone.
    pub(crate) fn standing_for(mut self, personal: Arc<Personal>) -> Self {
        self.rare.get_or_insert_default().personal = Some(personal);
        self
    }

    /// The same token, with what is equal and others hold too.
    fn with(mut self, alike: Arc<Alike>) -> Self {
        self.facts.client = alike.client.clone();
        self.facts.key = alike.key.clone();
        if self.facts.subject.as_str() == alike.client.as_str() {
            self.facts.subject = (&alike.client).into();
        }
        Self { alike, ..self }
    }

    /// The same without [`Self::members`]: most of what a token weighs, for who asks no rule about them.
    #[must_use]
    pub fn without_members(mut self) -> Self {
        if let Some(rare) = &mut self.rare {
            rare.payload = None;
        }
        self.rare = self.rare.filter(|rare| rare.says_something());
        self
    }

    /// What stands behind it, if it is a personal token or one of a service.
    pub fn personal(&self) -> Option<&Arc<Personal>> {
        self.rare.as_ref()?.personal.as_ref()
    }

    /// Every claim as its issuer wrote it, under the names that it has there; `None` after
    /// [`Self::without_members`]. What a token was narrowed to is in [`Self::scopes`] alone.
    pub fn members(&self) -> Option<&Map<String, Value>> {
        let Kept { bytes, members } = &**self.rare.as_ref()?.payload.as_ref()?;
        // They were an object when the token was checked.
        Some(members.get_or_init(|| json::parse_object(bytes).unwrap_or_default()))
    }

    /// The claims, put together.
    pub fn claims(&self) -> AccessTokenClaims {
        let rare = self.rare.as_deref().cloned().unwrap_or_default();
        AccessTokenClaims {
            iss: self.issuer().to_owned(),
            sub: self.facts.subject.clone(),
            aud: self.audience().clone(),
            exp: self.exp,
            iat: self.iat,
            nbf: rare.nbf,
            jti: self.facts.token.clone(),
            client_id: self.facts.client.clone(),
            scope: self.scopes().clone(),
            auth_time: self.auth_time(),
            acr: self.acr().map(str::to_owned),
            sid: self.facts.session.clone(),
            cnf: rare.cnf,
            act: rare.act,
            may_act: rare.may_act,
            authorization_details: rare.authorization_details,
            status: rare.status,
            grant_id: self.facts.grant.clone(),
        }
    }

    /// What restrictions can fit on.
    pub fn facts(&self) -> &TokenFacts {
        &self.facts
    }

    /// `iss`.
    pub fn issuer(&self) -> &str {
        &self.alike.issuer
    }

    /// Who may accept it.
    pub fn audience(&self) -> &Audience {
        &self.alike.audience
    }

    /// What it allows.
    pub fn scopes(&self) -> &ScopeSet {
        &self.alike.scope
    }

    /// How surely the person was known (RFC 9470 §6.1).
    pub fn acr(&self) -> Option<&str> {
        self.alike.acr.as_deref()
    }

    /// When the person signed in, seconds since the epoch.
    pub fn auth_time(&self) -> Option<i64> {
        (self.auth_time != NO_TIME).then_some(self.auth_time)
    }

    /// Who acts for the subject (RFC 8693 §4.1).
    pub fn actor(&self) -> Option<&Actor> {
        self.rare.as_ref()?.act.as_deref()
    }

    /// Who may act for the subject (RFC 8693 §4.4).
    pub fn may_act(&self) -> Option<&MayAct> {
        self.rare.as_ref()?.may_act.as_deref()
    }

    /// What exactly it allows (RFC 9396 §9.1).
    pub fn authorization_details(&self) -> &[AuthorizationDetail] {
        self.rare.as_ref().map_or(&[], |rare| &rare.authorization_details)
    }

    /// Where its status stands (Token Status List §6.2).
    pub fn status(&self) -> Option<&StatusReference> {
        self.rare.as_ref()?.status.as_ref()?.status_list.as_ref()
    }

    /// The same token with less: scopes that count no more were taken from it.
    #[must_use]
    pub fn without(&self, scopes: &ScopeSet) -> Self {
        let scope = self.scopes().difference(scopes);
        Self {
            facts: self.facts.clone(),
            alike: Arc::new(Alike { scope, ..Alike::clone(&self.alike) }),
            exp: self.exp,
            iat: self.iat,
            auth_time: self.auth_time,
            rare: self.rare.clone(),
        }
    }

    /// What has to be shown beside it (`cnf`, RFC 7800 §3.1).
    pub fn confirmation(&self) -> Option<&Confirmation> {
        self.rare.as_ref()?.cnf.as_deref()
    }

    /// Whether its time has passed: a cached token is asked again on every use.
    pub fn expired(&self, now: Timestamp) -> bool {
        match self.personal() {
            Some(personal) => personal.is_over(now),
            None => now >= self.expires_at(),
        }
    }

    /// Its end, for whoever wants to know by how much it was missed.
    pub fn end(&self) -> Missed {
        match self.personal() {
            Some(personal) => Missed::End { at: personal.ends_at(), leeway: Duration::ZERO },
            None => Missed::End { at: Timestamp::from_secs(self.exp), leeway: self.alike.leeway },
        }
    }

    /// When it will be refused.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_secs(self.exp).plus(self.alike.leeway)
    }
}

/// Checks a JWT access token (RFC 9068 §4): form, type, key, signature, issuer, audience, times.
///
/// # Errors
/// [`TokenRefused`] with the first rule broken, in that order. A token that claims our issuer
/// and breaks the cryptography is a forgery; one that names another issuer is only a stranger.
pub fn verify_access_token(
    text: &str,
    keys: &KeySet,
    policy: &AccessTokenPolicy,
    now: Timestamp,
) -> Result<VerifiedAccessToken, TokenRefused> {
    let jws = Jws::parse_for(text, keys).map_err(refuse_form)?;
    // Read now, believed only after the signature.
    let payload = Payload::read(jws.unverified_payload());
    let refuse = |refused: Refused, detail| TokenRefused {
        refused,
        detail,
        claimed: Claimed::of(jws.unverified_payload()),
        missed: None,
    };

    let kid = check_signature(&jws, keys, policy, payload.issuer())
        .map_err(|(why, detail)| refuse(why, detail))?;
    if jws.header().typ.as_deref() != Some(token_type::ACCESS_TOKEN) {
        return Err(refuse(Reason::WrongType.into(), "the token's type is not at+jwt"));
    }
    let Payload::Good(claims) = payload else {
        let words = "a required claim is missing or has the wrong type";
        return Err(refuse(Reason::Malformed.into(), words));
    };
    let leeway = policy.leeway.min(Duration::from_secs(60));
    if claims.iss != policy.issuer {
        return Err(refuse(Reason::WrongIssuer.into(), "the token is from another issuer"));
    }
    check_claims(&claims, policy, leeway, now)
        .map_err(|missed| TokenRefused::missing(missed, Claimed::of(jws.unverified_payload())))?;
    let facts = TokenFacts {
        token: claims.jti.clone(),
        grant: claims.grant_id.clone(),
        session: claims.sid.clone(),
        subject: claims.sub.clone(),
        client: claims.client_id.clone(),
        key: kid,
        issued_at: claims.jti.issued_at().unwrap_or(Timestamp::from_secs(claims.iat)),
        foreign: None,
    };
    Ok(VerifiedAccessToken::assertion(claims, facts, leeway, jws.unverified_payload()))
}

fn check_signature(
    jws: &Jws<'_>,
    keys: &KeySet,
    policy: &AccessTokenPolicy,
    issuer: Option<&str>,
) -> Result<KeyId, Broken> {
    signature::is_claimed(jws.header())?;
    if issuer.is_some_and(|issuer| issuer != policy.issuer) {
        return Err((Reason::WrongIssuer.into(), "the token is from another issuer"));
    }
    signature::verify(jws, keys).map(|key| key.kid().clone())
}

fn check_claims(
    claims: &AccessTokenClaims,
    policy: &AccessTokenPolicy,
    leeway: Duration,
    now: Timestamp,
) -> Result<(), Missed> {
    if !policy.audiences.iter().any(|audience| claims.aud.contains(audience)) {
        return Err(Missed::audience(&policy.audiences, claims.aud.iter()));
    }
    check_times(claims.exp, claims.nbf.unwrap_or(claims.iat).max(claims.iat), leeway, now)
}

/// Whether it is between a token's beginning and its end, in seconds since the epoch.
pub(crate) fn check_times(
    ends: i64,
    starts: i64,
    leeway: Duration,
    now: Timestamp,
) -> Result<(), Missed> {
    let (end, start) = (Timestamp::from_secs(ends), Timestamp::from_secs(starts));
    if now >= end.plus(leeway) {
        return Err(Missed::End { at: end, leeway });
    }
    if start > now.plus(leeway) {
        return Err(Missed::Start { at: start, leeway });
    }
    Ok(())
}

pub(crate) fn refuse_form(fault: NotJws) -> TokenRefused {
    let (reason, detail) = match fault {
        NotJws::Alg => (Reason::Malformed, "the token's header has no `alg` text"),
        NotJws::Base64(_) => (Reason::Malformed, "a part of the token is not canonical base64url"),
        NotJws::Encrypted => (Reason::WrongType, "the token is encrypted"),
        NotJws::Header => (Reason::Malformed, "the token's header is not a strict JSON object"),
        NotJws::Parts => (Reason::Malformed, "the token does not have the form of a JWT"),
        NotJws::TooLong => (Reason::TooLarge, "the token is longer than 16 KiB"),
        NotJws::Typ => (Reason::Malformed, "the token's `typ` is not a text"),
    };
    TokenRefused { refused: reason.into(), detail, claimed: Claimed::default(), missed: None }
}

/// What a payload says, before anybody has vouched for it.
#[expect(clippy::large_enum_variant, reason = "it lives for one call")]
enum Payload {
    /// Every claim is there and of its type.
    Good(AccessTokenClaims),
    /// It cannot be an access token's; this is the issuer that it names.
    Bad { issuer: Option<String> },
}

// === impl Rare ===

impl Rare {
    fn says_something(&self) -> bool {
        let Self { nbf, cnf, act, may_act, authorization_details, status, personal, payload } =
            self;
        nbf.is_some()
            || cnf.is_some()
            || act.is_some()
            || may_act.is_some()
            || !authorization_details.is_empty()
            || status.is_some()
            || personal.is_some()
            || payload.is_some()
    }
}

// === impl Payload ===

impl Payload {
    fn read(bytes: &[u8]) -> Self {
        if let Ok(claims) = json::parse(bytes) {
            return Self::Good(claims);
        }
        let members = json::parse_object(bytes).unwrap_or_default();
        Self::Bad { issuer: members.get("iss").and_then(Value::as_str).map(str::to_owned) }
    }

    fn issuer(&self) -> Option<&str> {
        match self {
            Self::Good(claims) => Some(&claims.iss),
            Self::Bad { issuer } => issuer.as_deref(),
        }
    }
}

// === impl Claimed ===

impl Claimed {
    pub(crate) fn of(payload: &[u8]) -> Self {
        let Ok(members) = json::parse_object(payload) else { return Self::default() };
        Self {
            subject: short_text(&members, "sub"),
            client: short_text(&members, "client_id"),
            token: short_text(&members, "jti"),
        }
    }
}

/// Attacker's text goes into events: bounded, and without control characters.
fn short_text(members: &Map<String, Value>, name: &str) -> Option<String> {
    let text = members.get(name)?.as_str()?;
    Some(text.chars().filter(|c| !c.is_control()).take(128).collect())
}

#[cfg(test)]
mod tests;
