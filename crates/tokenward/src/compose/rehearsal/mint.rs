//! Tokens for cases: signed with keys that were made a moment ago, in the name of any issuer that is configured.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use token::client_certificate::ClientCertificate;
use token::foreign::{AcceptedType, ForeignRules};
use token::id::TokenId;
use token::jws;
use token::key::{KeySet, PrivateKey};
use token::keyring::Keyring;
use token::opaque::Family;
use token::random::OsRandom;
use token::term::{Algorithm, token_type};
use token::time::Timestamp;

use super::{Claims, Kind};
use crate::command::Failure;

/// So long a token is good.
const LIFE: Duration = Duration::from_mins(5);
/// Stands for the certificate that a bound token is bound to: only its hash counts.
const CERTIFICATE: &[u8] = b"the certificate of the case";

/// A token as a case describes it.
pub(crate) struct Token<'c> {
    pub(crate) kind: Kind,
    /// Without it, this server.
    pub(crate) issuer: Option<&'c str>,
    pub(crate) subject: &'c str,
    pub(crate) client: &'c str,
    pub(crate) scopes: &'c [String],
    /// Without it, the gateway's resource, or what its issuer calls that.
    pub(crate) audience: Option<&'c str>,
    /// Bound to a certificate, which comes with the request.
    pub(crate) bound: bool,
    /// Go over all others.
    pub(crate) claims: &'c Claims,
}

/// A token, and what comes with it.
pub(super) struct Made {
    pub(super) jwt: String,
    /// What is shown in its place.
    pub(super) opaque: Option<String>,
    pub(super) certificate: Option<ClientCertificate>,
}

/// Makes tokens of every issuer.
pub(super) struct Mint {
    own: Issuer,
    others: Vec<Issuer>,
}

/// Somebody in whose name tokens are made.
struct Issuer {
    name: String,
    key: PrivateKey,
    typ: String,
    audience: String,
}

// === impl Mint ===

impl Mint {
    /// For this server and these others.
    ///
    /// # Errors
    /// [`Failure`] when a key cannot be made, or an issuer takes no header with `typ`.
    pub(super) fn new(
        issuer: String,
        resource: String,
        others: &[ForeignRules],
    ) -> Result<Self, Failure> {
        let key = PrivateKey::generate(Algorithm::Es256).map_err(Failure::new)?;
        let typ = token_type::ACCESS_TOKEN.to_owned();
        let own = Issuer { name: issuer, key, typ, audience: resource };
        let others = others.iter().map(Issuer::of).collect::<Result<_, _>>()?;
        Ok(Self { own, others })
    }

    /// What this server's tokens are checked with.
    pub(super) fn keys(&self) -> KeySet {
        self.own.keys()
    }

    /// The same for each of the others, in their order.
    pub(super) fn foreign_keyrings(&self) -> Vec<Arc<Keyring>> {
        self.others.iter().map(|issuer| Arc::new(Keyring::new(issuer.keys()))).collect()
    }

    /// Makes one.
    ///
    /// # Errors
    /// [`Failure`] when its issuer is not configured, or it cannot be signed.
    pub(super) fn make(&self, token: &Token<'_>, now: Timestamp) -> Result<Made, Failure> {
        let issuer = match token.issuer {
            Some(name) if name != self.own.name => {
                let found = self.others.iter().find(|issuer| issuer.name == name);
                found.ok_or_else(|| {
                    Failure::new(format_args!("`token.issuer`: no `[[gateway.issuer]]` is {name}"))
                })?
            }
            _ => &self.own,
        };
        if token.kind == Kind::Opaque && !std::ptr::eq(issuer, &self.own) {
            let words =
                "`token.kind`: what an opaque token of another issuer is, only that one says";
            return Err(Failure::new(words));
        }
        let certificate = token.bound.then(|| ClientCertificate::new(CERTIFICATE));
        let mut claims = issuer.claims(token, now);
        if let Some(certificate) = &certificate {
            claims.insert("cnf".to_owned(), json!({ "x5t#S256": certificate.thumbprint() }));
        }
        claims.extend(token.claims.clone());
        let payload = serde_json::to_vec(&claims).map_err(Failure::new)?;
        let jwt = jws::sign(&issuer.key, &issuer.typ, &payload).map_err(Failure::new)?;
        let opaque = (token.kind == Kind::Opaque)
            .then(|| Family::Access.generate(&OsRandom::new()).expose().to_owned());
        Ok(Made { jwt, opaque, certificate })
    }
}

// === impl Issuer ===

impl Issuer {
    fn of(rules: &ForeignRules) -> Result<Self, Failure> {
        let name = rules.issuer.to_string();
        let typ = rules.types.iter().find_map(|accepted| match accepted {
            AcceptedType::Named(typ) => Some(typ.clone()),
            AcceptedType::Absent => None,
        });
        let typ = typ.ok_or_else(|| {
            Failure::new(format_args!("{name}: tokens without `typ` cannot be made here"))
        })?;
        let algorithm = rules.algorithms.first().copied().unwrap_or(Algorithm::Es256);
        let key = PrivateKey::generate(algorithm).map_err(Failure::new)?;
        let audience = rules.audiences.first().map(|one| one.named.clone()).unwrap_or_default();
        Ok(Self { name, key, typ, audience })
    }

    fn keys(&self) -> KeySet {
        [Arc::clone(self.key.public())].into_iter().collect()
    }

    fn claims(&self, token: &Token<'_>, now: Timestamp) -> Claims {
        let mut claims = Claims::new();
        let mut put = |name: &str, value| claims.insert(name.to_owned(), value);
        put("iss", json!(self.name));
        put("aud", json!(token.audience.unwrap_or(&self.audience)));
        put("sub", json!(token.subject));
        put("client_id", json!(token.client));
        put("jti", json!(TokenId::generate(now, &OsRandom::new())));
        put("iat", json!(now.as_secs()));
        put("exp", json!(now.plus(LIFE).as_secs()));
        if !token.scopes.is_empty() {
            put("scope", json!(token.scopes.join(" ")));
        }
        claims
    }
}
