//! The kinds of signed token beside access tokens, each with its own `typ` and its own rules, so that none passes for another.

pub mod attestation;
pub mod security_event;
pub mod software_statement;
pub mod upstream_logout;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::claims::Audience;
use crate::json::Names;
use crate::numeric_date;
use crate::term::token_type;
use crate::verify::{Common, Policy, Refusal, Rule};

/// The event that makes a logout token one (OpenID Connect Back-Channel Logout 1.0 §2.4).
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// RFC 7519 §4.1.2 sets no bound; OpenID Connect Core 1.0 §2 does.
const MAX_SUBJECT_BYTES: usize = 255;

/// A kind of token: what it is called, what it has to say, what it may not.
pub trait Kind: DeserializeOwned {
    /// Values of `typ` that name it.
    const TYPES: &'static [&'static str];
    /// Whether its specification lets `typ` be left out.
    const UNTYPED: bool;
    /// Claims that it has to have.
    const REQUIRED: &'static [&'static str];

    /// The claims that every kind is checked by.
    fn common(&self) -> Common<'_>;

    /// Takes every claim of the token, for a kind whose reader judges more than it names.
    fn keep(&mut self, _members: Map<String, Value>) {}

    /// Whether it has use for [`Kind::keep`].
    const KEEPS: bool = false;

    /// Its own rules.
    ///
    /// # Errors
    /// The claim and the rule that it broke.
    fn check(&self, policy: &Policy, names: &Names<'_>) -> Result<(), Refusal>;
}

/// An ID token, at the client that it is for (OpenID Connect Core 1.0 §3.1.3.7).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IdToken {
    /// Issuer.
    pub iss: String,
    /// The person.
    pub sub: String,
    /// The client, perhaps with others.
    pub aud: Audience,
    /// End of life, seconds since the epoch.
    #[serde(deserialize_with = "numeric_date::whole")]
    pub exp: i64,
    /// Issue time, seconds since the epoch.
    #[serde(deserialize_with = "numeric_date::whole")]
    pub iat: i64,
    /// The client that it was issued to.
    pub azp: Option<String>,
    /// The authorization request's nonce.
    pub nonce: Option<String>,
    /// When the person signed in, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub auth_time: Option<i64>,
    /// How surely.
    pub acr: Option<String>,
    /// By what means (RFC 8176).
    #[serde(default)]
    pub amr: Vec<String>,
    /// The sign-in session.
    pub sid: Option<String>,
}

/// A logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LogoutToken {
    /// Issuer.
    pub iss: String,
    /// The client.
    pub aud: Audience,
    /// Issue time, seconds since the epoch.
    #[serde(deserialize_with = "numeric_date::whole")]
    pub iat: i64,
    /// End of life, seconds since the epoch.
    #[serde(deserialize_with = "numeric_date::whole")]
    pub exp: i64,
    /// Its own name: it is used once.
    pub jti: String,
    /// The person; this or `sid` is there.
    pub sub: Option<String>,
    /// The session; this or `sub` is there.
    pub sid: Option<String>,
    /// What happened.
    pub events: BTreeMap<String, Value>,
}

/// A signed introspection response (RFC 9701 §5).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct IntrospectionResponse {
    /// The authorization server.
    pub iss: String,
    /// The API that asked.
    pub aud: Audience,
    /// When it answered, seconds since the epoch.
    #[serde(deserialize_with = "numeric_date::whole")]
    pub iat: i64,
    /// What it said (RFC 7662 §2.2).
    pub token_introspection: BTreeMap<String, Value>,
}

/// A client's assertion of who it is (RFC 7523 §3). The policy's issuer is the client, its audience
/// is the authorization server's issuer and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ClientAssertion {
    /// The client.
    pub iss: String,
    /// The client again.
    pub sub: String,
    /// The authorization server.
    pub aud: Audience,
    /// End of life, seconds since the epoch.
    #[serde(deserialize_with = "numeric_date::whole")]
    pub exp: i64,
    /// Not before, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub nbf: Option<i64>,
    /// Issue time, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub iat: Option<i64>,
    /// Its own name: it is used once.
    pub jti: String,
}

/// A signed authorization request (RFC 9101 §4). The policy's issuer is the client.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RequestObject {
    /// The client.
    pub iss: String,
    /// The authorization server.
    pub aud: Audience,
    /// The client again.
    pub client_id: String,
    /// End of life, seconds since the epoch (required by FAPI 2.0 Message Signing §5.3.1).
    #[serde(deserialize_with = "numeric_date::whole")]
    pub exp: i64,
    /// Not before, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub nbf: Option<i64>,
    /// Issue time, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub iat: Option<i64>,
    /// The request's parameters.
    #[serde(flatten)]
    pub parameters: BTreeMap<String, Value>,
}

/// What a platform says of a workload that runs on it: a Kubernetes service account, a job of GitHub
/// Actions, a JWT-SVID. Its issuer and audience are the policy's; the rest is for rules to judge.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct WorkloadToken {
    /// The platform; a JWT-SVID need not say (JWT-SVID §3).
    pub iss: Option<String>,
    /// The workload.
    pub sub: String,
    /// Whom it is for.
    pub aud: Audience,
    /// End of life, seconds since the epoch.
    #[serde(deserialize_with = "numeric_date::whole")]
    pub exp: i64,
    /// Not before, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub nbf: Option<i64>,
    /// Issue time, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub iat: Option<i64>,
    /// Every claim, those above as well.
    #[serde(skip)]
    pub members: Map<String, Value>,
}

/// An enterprise's word for one of its people, for one client at one server
/// (draft-ietf-oauth-identity-assertion-authz-grant §3.1).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct IdentityAssertion {
    /// The enterprise's identity provider.
    pub iss: String,
    /// The person there.
    pub sub: String,
    /// The authorization server that it is for, and nobody else.
    pub aud: Audience,
    /// The client at that server.
    pub client_id: String,
    /// Its own name: it is used once.
    pub jti: String,
    /// End of life, seconds since the epoch.
    #[serde(deserialize_with = "numeric_date::whole")]
    pub exp: i64,
    /// Issue time, seconds since the epoch.
    #[serde(deserialize_with = "numeric_date::whole")]
    pub iat: i64,
    /// What the enterprise allows.
    pub scope: Option<String>,
    /// For which APIs.
    pub resource: Option<Audience>,
    /// When the person signed in there, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub auth_time: Option<i64>,
    /// By what means.
    #[serde(default)]
    pub amr: Vec<String>,
    /// Every claim, those above as well.
    #[serde(skip)]
    pub members: Map<String, Value>,
}

fn broken<T>(claim: &'static str, rule: Rule) -> Result<T, Refusal> {
    Err(Refusal::Claim { claim, rule })
}

fn absent(names: &Names<'_>, claims: &[&'static str]) -> Result<(), Refusal> {
    match claims.iter().find(|claim| names.has(claim)) {
        Some(claim) => broken(claim, Rule::Forbidden),
        None => Ok(()),
    }
}

fn subject(sub: &str) -> Result<(), Refusal> {
    let good = (1..=MAX_SUBJECT_BYTES).contains(&sub.len()) && !sub.contains(char::is_control);
    if good { Ok(()) } else { broken("sub", Rule::Invalid) }
}

fn named(jti: &str) -> Result<(), Refusal> {
    if jti.is_empty() { broken("jti", Rule::Invalid) } else { Ok(()) }
}

// === impl IdToken ===

impl Kind for IdToken {
    const TYPES: &'static [&'static str] = &[token_type::ID_TOKEN];
    const UNTYPED: bool = true;
    const REQUIRED: &'static [&'static str] = &["iss", "sub", "aud", "exp", "iat"];

    fn common(&self) -> Common<'_> {
        let (exp, iat) = (Some(self.exp), Some(self.iat));
        Common { iss: Some(&self.iss), aud: Some(&self.aud), exp, nbf: None, iat }
    }

    fn check(&self, policy: &Policy, names: &Names<'_>) -> Result<(), Refusal> {
        subject(&self.sub)?;
        // A token of another kind without a type: a logout token, an assertion of a client.
        absent(names, &["events", "token_introspection", "client_id"])?;
        if self.iss == self.sub {
            return broken("sub", Rule::Invalid);
        }
        match &self.azp {
            Some(azp) if !policy.audiences.contains(azp) => return broken("azp", Rule::Mismatch),
            None if self.aud.iter().count() > 1 => return broken("azp", Rule::Missing),
            _ => {}
        }
        match (&policy.nonce, &self.nonce) {
            (Some(_), None) => broken("nonce", Rule::Missing),
            (Some(wanted), Some(nonce)) if wanted != nonce => broken("nonce", Rule::Mismatch),
            _ => Ok(()),
        }
    }
}

// === impl LogoutToken ===

impl Kind for LogoutToken {
    const TYPES: &'static [&'static str] = &[token_type::LOGOUT_TOKEN];
    const UNTYPED: bool = false;
    const REQUIRED: &'static [&'static str] = &["iss", "aud", "iat", "exp", "jti", "events"];

    fn common(&self) -> Common<'_> {
        let (exp, iat) = (Some(self.exp), Some(self.iat));
        Common { iss: Some(&self.iss), aud: Some(&self.aud), exp, nbf: None, iat }
    }

    fn check(&self, _: &Policy, names: &Names<'_>) -> Result<(), Refusal> {
        absent(names, &["nonce"])?;
        named(&self.jti)?;
        if !self.events.get(LOGOUT_EVENT).is_some_and(Value::is_object) {
            return broken("events", Rule::Invalid);
        }
        match (&self.sub, &self.sid) {
            (None, None) => broken("sub", Rule::Missing),
            (Some(sub), _) => subject(sub),
            (None, Some(_)) => Ok(()),
        }
    }
}

// === impl IntrospectionResponse ===

impl Kind for IntrospectionResponse {
    const TYPES: &'static [&'static str] = &[token_type::INTROSPECTION];
    const UNTYPED: bool = false;
    const REQUIRED: &'static [&'static str] = &["iss", "aud", "iat", "token_introspection"];

    fn common(&self) -> Common<'_> {
        Common {
            iss: Some(&self.iss),
            aud: Some(&self.aud),
            exp: None,
            nbf: None,
            iat: Some(self.iat),
        }
    }

    fn check(&self, _: &Policy, names: &Names<'_>) -> Result<(), Refusal> {
        // RFC 9701 §5: so that it is never taken for the token it speaks of.
        absent(names, &["sub", "exp"])?;
        let active = self.token_introspection.get("active");
        if active.is_some_and(Value::is_boolean) {
            return Ok(());
        }
        broken("token_introspection", Rule::Invalid)
    }
}

// === impl ClientAssertion ===

impl Kind for ClientAssertion {
    const TYPES: &'static [&'static str] = &[token_type::CLIENT_ASSERTION, "JWT"];
    const UNTYPED: bool = true;
    const REQUIRED: &'static [&'static str] = &["iss", "sub", "aud", "exp", "jti"];

    fn common(&self) -> Common<'_> {
        let Self { iss, aud, exp, nbf, iat, .. } = self;
        Common { iss: Some(iss), aud: Some(aud), exp: Some(*exp), nbf: *nbf, iat: *iat }
    }

    fn check(&self, _: &Policy, _: &Names<'_>) -> Result<(), Refusal> {
        if self.sub != self.iss {
            return broken("sub", Rule::Mismatch);
        }
        // One audience: with several, each could use it at the others (RFC 7523bis §4).
        if self.aud.iter().count() != 1 {
            return broken("aud", Rule::Invalid);
        }
        named(&self.jti)
    }
}

// === impl RequestObject ===

impl Kind for RequestObject {
    // RFC 9101 §10.8 only recommends a type; without one, what it has to have and may not tells it apart.
    const TYPES: &'static [&'static str] = &[token_type::REQUEST_OBJECT, "JWT"];
    const UNTYPED: bool = true;
    const REQUIRED: &'static [&'static str] = &["iss", "aud", "client_id", "exp"];

    fn common(&self) -> Common<'_> {
        let Self { iss, aud, exp, nbf, iat, .. } = self;
        Common { iss: Some(iss), aud: Some(aud), exp: Some(*exp), nbf: *nbf, iat: *iat }
    }

    fn check(&self, _: &Policy, names: &Names<'_>) -> Result<(), Refusal> {
        // RFC 9101 §4; `sub` would make it an assertion of the client (§10.8).
        absent(names, &["request", "request_uri", "sub"])?;
        if self.client_id == self.iss { Ok(()) } else { broken("client_id", Rule::Mismatch) }
    }
}

// === impl WorkloadToken ===

impl Kind for WorkloadToken {
    // Kubernetes writes no type, GitHub `JWT`, SPIFFE allows `JOSE` beside it (JWT-SVID §2.3).
    const TYPES: &'static [&'static str] = &["JWT", "JOSE"];
    const UNTYPED: bool = true;
    const REQUIRED: &'static [&'static str] = &["sub", "aud", "exp"];

    const KEEPS: bool = true;

    fn common(&self) -> Common<'_> {
        let Self { iss, aud, exp, nbf, iat, .. } = self;
        Common { iss: iss.as_deref(), aud: Some(aud), exp: Some(*exp), nbf: *nbf, iat: *iat }
    }

    fn check(&self, _: &Policy, names: &Names<'_>) -> Result<(), Refusal> {
        subject(&self.sub)?;
        // A token of another kind without a type: an ID token's nonce is bound to a person's browser.
        absent(names, &["events", "token_introspection", "nonce"])
    }

    fn keep(&mut self, members: Map<String, Value>) {
        self.members = members;
    }
}

// === impl IdentityAssertion ===

impl Kind for IdentityAssertion {
    const TYPES: &'static [&'static str] = &[token_type::IDENTITY_ASSERTION];
    const UNTYPED: bool = false;
    const REQUIRED: &'static [&'static str] =
        &["iss", "sub", "aud", "client_id", "jti", "exp", "iat"];

    const KEEPS: bool = true;

    fn common(&self) -> Common<'_> {
        let (exp, iat) = (Some(self.exp), Some(self.iat));
        Common { iss: Some(&self.iss), aud: Some(&self.aud), exp, nbf: None, iat }
    }

    fn check(&self, _: &Policy, _: &Names<'_>) -> Result<(), Refusal> {
        subject(&self.sub)?;
        if self.aud.iter().count() != 1 {
            return broken("aud", Rule::Invalid);
        }
        named(&self.jti)
    }

    fn keep(&mut self, members: Map<String, Value>) {
        self.members = members;
    }
}
