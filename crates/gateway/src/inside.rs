//! Who a request comes from, told to upstreams as a token of the gateway's own (phantom token): whatever came
//! from outside, inside there is one short-lived JWT, which any library checks by the gateway's published keys.
//!
//! One is signed for each token, upstream and set of scopes that the token is good for, and kept beside the
//! verified token until half of its life has gone: a request pays for no signature.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use token::act::Actor;
use token::authorization_details::AuthorizationDetail;
use token::id::{ClientId, SubjectId, TokenId};
use token::jwk::BadKey;
use token::jws;
use token::random::{OsRandom, Random};
use token::scope::ScopeSet;
use token::term::token_type;
use token::time::Timestamp;

use crate::headers::is_unfit_for_identity;
use crate::settings::{Settings, SettingsError};
use crate::upstream::Upstream;
use crate::verify::Known;

mod keys;

pub use keys::InternalKeys;

/// Where the keys are published (RFC 7517 §5).
pub const JWKS_PATH: &str = "/.well-known/tokenward-internal-jwks.json";

/// How many of a token's are kept: more upstreams than one client uses.
const MOST_KEPT: usize = 8;

/// How upstreams are told who asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdentityForm {
    /// In fields that begin with `Tokenward-`.
    #[default]
    Headers,
    /// As a token of the gateway's own.
    Token,
    /// In both ways.
    Both,
}

/// What the gateway's own tokens are like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalTokenRule {
    /// How long one lives at most; never longer than the token that it stands for.
    pub life: Duration,
    /// The field that it is in; `None` for `Authorization: Bearer`.
    pub field: Option<HeaderName>,
}

/// What makes them.
pub(crate) struct InternalTokens {
    keys: Arc<InternalKeys>,
    issuer: String,
    rule: InternalTokenRule,
    random: OsRandom,
}

/// Those that were made for one token.
#[derive(Default)]
pub(crate) struct Phantoms(Mutex<Vec<Phantom>>);

struct Phantom {
    audience: Arc<str>,
    scope: ScopeSet,
    value: HeaderValue,
    renew_at: Timestamp,
}

/// What one says: RFC 9068 §2.2 as far as it fits, and `tkn`, the `jti` of the token that came from outside.
/// `cnf` stays outside: the proof was judged, and the upstream could not ask for it again.
#[derive(Serialize)]
struct Claims<'k> {
    iss: &'k str,
    aud: &'k str,
    sub: &'k SubjectId,
    client_id: &'k ClientId,
    jti: TokenId,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "ScopeSet::is_empty")]
    scope: &'k ScopeSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'k str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'k Actor>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    authorization_details: &'k [AuthorizationDetail],
    tkn: &'k TokenId,
}

impl Default for InternalTokenRule {
    fn default() -> Self {
        Self { life: Duration::from_mins(1), field: None }
    }
}

// === impl IdentityForm ===

impl IdentityForm {
    /// Whether there are fields that begin with `Tokenward-`.
    pub(crate) fn has_headers(self) -> bool {
        matches!(self, Self::Headers | Self::Both)
    }

    /// Whether there is a token of the gateway's own.
    pub(crate) fn has_token(self) -> bool {
        matches!(self, Self::Token | Self::Both)
    }
}

// === impl InternalTokens ===

impl InternalTokens {
    /// As the settings have it; `None` where no upstream gets one.
    ///
    /// # Errors
    /// [`SettingsError`] when they cannot be made, or would stand where something else does.
    pub(crate) fn new(
        settings: &Settings,
        keys: Option<Arc<InternalKeys>>,
    ) -> Result<Option<Self>, SettingsError> {
        let form = |form: &Option<IdentityForm>| form.unwrap_or(settings.identity);
        if !settings.upstreams.values().any(|rule| form(&rule.identity).has_token()) {
            return Ok(None);
        }
        let rule = settings.internal_token.clone();
        match &rule.field {
            None if settings.forward_token => return Err(SettingsError::TwoTokensForward),
            Some(field) if is_unfit_for_identity(field) => {
                return Err(SettingsError::BadIdentityField(field.to_string()));
            }
            _ => {}
        }
        // In whole seconds, of which half has to be left to be of use.
        if rule.life < Duration::from_secs(2) {
            return Err(SettingsError::ShortIdentity);
        }
        if settings.routes.iter().any(|route| route.path == JWKS_PATH) {
            return Err(SettingsError::TakenKeysPath);
        }
        let keys = keys.ok_or(SettingsError::NoInternalKeys)?;
        let issuer = settings.resource.clone();
        Ok(Some(Self { keys, issuer, rule, random: OsRandom::new() }))
    }

    /// The field that they are in.
    pub(crate) fn field(&self) -> &HeaderName {
        self.rule.field.as_ref().unwrap_or(&AUTHORIZATION)
    }

    /// The published keys (RFC 7517 §5), JSON.
    ///
    /// # Errors
    /// [`BadKey`] when the keys of now cannot be made.
    pub(crate) fn jwks(&self, now: Timestamp) -> Result<Bytes, BadKey> {
        self.keys.at(now).map(|held| held.published.clone())
    }

    /// Whether what one has made the other would make too.
    pub(crate) fn makes_the_same(&self, other: &Self) -> bool {
        let Self { keys, issuer, rule, .. } = self;
        Arc::ptr_eq(keys, &other.keys) && *issuer == other.issuer && *rule == other.rule
    }

    /// The field's value for this token at this upstream.
    ///
    /// # Errors
    /// [`BadKey`] when it cannot be signed.
    pub(crate) fn value(
        &self,
        known: &Known,
        upstream: &Upstream,
        now: Timestamp,
    ) -> Result<HeaderValue, BadKey> {
        let (audience, scope) = (upstream.audience(), known.token.scopes());
        let mut kept = known.phantoms().0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(phantom) =
            kept.iter().find(|one| one.audience == *audience && one.scope == *scope)
            && now < phantom.renew_at
        {
            return Ok(phantom.value.clone());
        }
        let value = self.make(known, audience, now)?;
        kept.retain(|one| now < one.renew_at && (one.audience != *audience || one.scope != *scope));
        if kept.len() >= MOST_KEPT {
            kept.remove(0);
        }
        let renew_at = now.plus(self.rule.life / 2).min(known.token.expires_at());
        let (scope, value) = (scope.clone(), value);
        kept.push(Phantom {
            audience: Arc::clone(audience),
            scope,
            value: value.clone(),
            renew_at,
        });
        Ok(value)
    }

    /// Puts it in; the client's own was removed before.
    ///
    /// # Errors
    /// As [`InternalTokens::value`].
    pub(crate) fn write(
        &self,
        headers: &mut HeaderMap,
        known: &Known,
        upstream: &Upstream,
        now: Timestamp,
    ) -> Result<(), BadKey> {
        let value = self.value(known, upstream, now)?;
        headers.insert(self.field(), value);
        Ok(())
    }

    fn make(&self, known: &Known, audience: &str, now: Timestamp) -> Result<HeaderValue, BadKey> {
        let (facts, own) = (known.token.facts(), &known.token);
        let claims = Claims {
            iss: &self.issuer,
            aud: audience,
            sub: &facts.subject,
            client_id: &facts.client,
            jti: TokenId::generate(now, &self.random as &dyn Random),
            iat: now.as_secs(),
            exp: now.plus(self.rule.life).min(known.token.expires_at()).as_secs(),
            scope: known.token.scopes(),
            auth_time: own.auth_time(),
            acr: own.acr(),
            act: own.actor(),
            authorization_details: own.authorization_details(),
            tkn: &facts.token,
        };
        let payload = serde_json::to_vec(&claims).map_err(|_| BadKey::Library)?;
        let held = self.keys.at(now)?;
        let jwt = jws::sign(&held.signs, token_type::INTERNAL, &payload)?;
        let text = if self.rule.field.is_none() { format!("Bearer {jwt}") } else { jwt };
        let mut value = HeaderValue::try_from(text).map_err(|_| BadKey::Library)?;
        value.set_sensitive(true);
        Ok(value)
    }
}
