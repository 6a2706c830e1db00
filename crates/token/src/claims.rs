//! Claims sets, each its own type with its own `typ`, so that one cannot pass for another (RFC 8725 §3.11).

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::act::Actor;
use crate::authorization_details::AuthorizationDetail;
use crate::cnf::Confirmation;
use crate::id::{ClientId, GrantId, SessionId, SubjectId, TokenId};
use crate::jwk::BadKey;
use crate::jws;
use crate::key::PrivateKey;
use crate::may_act::MayAct;
use crate::scope::ScopeSet;
use crate::status_list::StatusClaim;
use crate::term::token_type;

/// Audiences of a token: one text or several (RFC 7519 §4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Audience {
    /// One audience.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// An access token's claims (RFC 9068 §2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// Issuer.
    pub iss: String,
    /// Whom the token speaks for; the client itself in the client credentials grant.
    pub sub: SubjectId,
    /// Who may accept it.
    pub aud: Audience,
    /// End of life, seconds since the epoch.
    pub exp: i64,
    /// Issue time, seconds since the epoch.
    pub iat: i64,
    /// Not before, seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// The token's own name.
    pub jti: TokenId,
    /// To whom it was issued (RFC 8693 §4.3).
    pub client_id: ClientId,
    /// What it allows (RFC 8693 §4.2).
    #[serde(default, skip_serializing_if = "ScopeSet::is_empty")]
    pub scope: ScopeSet,
    /// When the person signed in, seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How surely the person was known (RFC 9470 §6.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The sign-in session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// Whose key has to be shown beside the token (RFC 7800 §3.1).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub cnf: Option<Box<Confirmation>>,
    /// Who acts for the subject (RFC 8693 §4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Actor>>,
    /// Who may (RFC 8693 §4.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_act: Option<Box<MayAct>>,
    /// What exactly it allows (RFC 9396 §9.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<AuthorizationDetail>,
    /// Where its status stands.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "not_null")]
    pub status: Option<Box<StatusClaim>>,
    /// The grant that the token came from (our own claim).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<GrantId>,
}

/// An ID token's claims (OpenID Connect Core 1.0 §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdTokenClaims {
    /// Issuer.
    pub iss: String,
    /// The person.
    pub sub: SubjectId,
    /// The client.
    pub aud: ClientId,
    /// End of life, seconds since the epoch.
    pub exp: i64,
    /// Issue time, seconds since the epoch.
    pub iat: i64,
    /// When the person signed in, seconds since the epoch.
    pub auth_time: i64,
    /// The authorization request's nonce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// How the person signed in (RFC 8176).
    pub amr: Vec<String>,
    /// How surely (OpenID Connect Core 1.0 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// Left half of the access token's SHA-256 (OpenID Connect Core 1.0 §3.1.3.6).
    pub at_hash: String,
    /// The sign-in session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// What else was asked for about the person (OpenID Connect Core 1.0 §5.5).
    #[serde(flatten)]
    pub person: Map<String, Value>,
}

// === impl Audience ===

impl Audience {
    /// Whether `audience` is one of them, compared exactly.
    pub fn contains(&self, audience: &str) -> bool {
        self.iter().any(|one| one == audience)
    }

    /// The audiences.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(one) => std::slice::from_ref(one).iter().map(String::as_str),
            Self::Many(many) => many.iter().map(String::as_str),
        }
    }
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneOrMany)
    }
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Audience;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or an array of texts")
    }

    fn visit_str<E>(self, one: &str) -> Result<Audience, E> {
        Ok(Audience::One(one.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Audience, A::Error> {
        let mut many = Vec::new();
        while let Some(one) = sequence.next_element()? {
            many.push(one);
        }
        Ok(Audience::Many(many))
    }
}

/// One audience prints as one text.
impl From<Vec<String>> for Audience {
    fn from(mut audiences: Vec<String>) -> Self {
        match audiences.len() {
            1 => Self::One(audiences.remove(0)),
            _ => Self::Many(audiences),
        }
    }
}

// === impl AccessTokenClaims ===

/// What limits a token is never lost by being `null`.
fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl AccessTokenClaims {
    /// Signs them as an access token (`typ: at+jwt`, RFC 9068 §2.1).
    ///
    /// # Errors
    /// [`BadKey::Library`] when the library fails to sign.
    pub fn sign(&self, key: &PrivateKey) -> Result<String, BadKey> {
        let payload = serde_json::to_vec(self).map_err(|_| BadKey::Library)?;
        jws::sign(key, token_type::ACCESS_TOKEN, &payload)
    }
}

// === impl IdTokenClaims ===

impl IdTokenClaims {
    /// Signs them as an ID token (`typ: JWT`).
    ///
    /// # Errors
    /// [`BadKey::Library`] when the library fails to sign.
    pub fn sign(&self, key: &PrivateKey) -> Result<String, BadKey> {
        let payload = serde_json::to_vec(self).map_err(|_| BadKey::Library)?;
        jws::sign(key, token_type::ID_TOKEN, &payload)
    }
}
