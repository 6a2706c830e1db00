//! What the watcher sees: one event for each request and each step of authentication.
//!
//! The JSON form is the public event format: one object a line, unknown members ignored,
//! a missing member means "not known".

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::id::{ClientId, GrantId, SessionId, SubjectId, TokenId};
use crate::reason::Refused;
use crate::restriction::TokenFacts;
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use crate::validate::Claimed;

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened.
    pub ts: Timestamp,
    /// Client address after trusted-proxy resolution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// Who and what it is about.
    #[serde(flatten)]
    pub who: Who,
    /// User-Agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ua: Option<String>,
    /// What is known of where it came from.
    #[serde(flatten)]
    pub origin: Origin,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Verified names, or (then all verified ones are absent) what a bad credential claims.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Who {
    /// Verified subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectId>,
    /// Verified client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientId>,
    /// The token's `jti` or opaque id, never the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// The grant family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The sign-in session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// What a credential that failed says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_subject: Option<String>,
    /// What a credential that failed says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_client: Option<String>,
    /// What a credential that failed says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_token: Option<String>,
}

/// What is known of the place, the network and the software behind an address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// ISO 3166 code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Autonomous system number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
    /// What kind of network it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<NetworkKind>,
    /// Latitude in degrees, north positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    /// Longitude in degrees, east positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<f64>,
    /// The software's family, by its User-Agent, such as `curl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// TLS fingerprint, where TLS ends here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ja4: Option<String>,
}

/// Who is found behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkKind {
    /// An organisation.
    Business,
    /// Machines in a data centre.
    Hosting,
    /// A mobile carrier.
    Mobile,
    /// A household.
    Residential,
    /// An exit of Tor.
    Tor,
    /// An exit of a VPN.
    Vpn,
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// The kinds of event, each with its own members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly all events are requests")]
pub enum EventKind {
    /// One API request at a door.
    Request(Request),
    /// One factor of a sign-in tried.
    Login {
        /// Keyed hash of the name typed.
        #[serde(default)]
        username: String,
        /// `ok`, `bad_password`, `unknown_user`, `mfa_failed`, `throttled`, `disabled`.
        #[serde(default)]
        result: String,
        /// `password`, `totp`, `recovery_code`, `passkey`, `sso`.
        #[serde(default)]
        factor: String,
        /// Whether this factor finished the sign-in.
        #[serde(default)]
        complete: bool,
    },
    /// A client authenticated, or failed to.
    ClientAuth {
        /// The method, by its registered name.
        #[serde(default)]
        method: String,
        /// `ok`, `bad_secret`, `unknown_client`, `bad_assertion`, `replayed_assertion`.
        #[serde(default)]
        result: String,
    },
    /// An authorization request.
    Authorize {
        /// What was asked for.
        #[serde(default, with = "scope_array")]
        scopes: ScopeSet,
        /// `ok`, `unknown_client`, `bad_redirect_uri`, `bad_pkce`, `denied`, `login_required`.
        #[serde(default)]
        result: String,
        /// Host of the redirect URI.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        redirect_host: Option<String>,
    },
    /// A person decided.
    Consent {
        /// What was asked for.
        #[serde(default, with = "scope_array")]
        scopes: ScopeSet,
        /// `granted` or `denied`.
        #[serde(default)]
        result: String,
        /// Seconds since the client was registered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_age_s: Option<u64>,
        /// Whether somebody has vouched for the client.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_verified: Option<bool>,
    },
    /// A step of the device grant.
    Device {
        /// `started`, `polled`, `approved`, `denied`, `bad_user_code`.
        #[serde(default)]
        step: String,
        /// Keyed hash of the device code; absent when a wrong user code was typed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// A token request was decided.
    Grant {
        /// By its registered name.
        #[serde(default)]
        grant_type: String,
        /// What was given.
        #[serde(default, with = "scope_array")]
        scopes: ScopeSet,
        /// `ok` or the RFC 6749 error.
        #[serde(default)]
        result: String,
        /// Why it was refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<GrantCause>,
    },
    /// Dynamic registration.
    Register {
        /// `ok` or the error.
        #[serde(default)]
        result: String,
        /// Hosts of the redirect URIs.
        #[serde(default)]
        redirect_hosts: Vec<String>,
    },
    /// The introspection endpoint was called.
    Introspect {
        /// `active`, `inactive` or the error.
        #[serde(default)]
        result: String,
    },
    /// Something was taken back.
    Revoke {
        /// `ok` or the error.
        #[serde(default)]
        result: String,
        /// What it was about, as `grant:…`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        selector: Option<String>,
        /// `client:…`, `admin:…`, `system`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<String>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// An administrative change.
    Admin {
        /// Who did it.
        #[serde(default)]
        actor: String,
        /// What, such as `client.create`.
        #[serde(default)]
        action: String,
        /// On what.
        #[serde(default)]
        target: String,
    },
    /// A leaked credential was reported; there is no `ip`, since who reports has leaked nothing.
    LeakReport {
        /// Who found it, and where: `github:content`.
        #[serde(default)]
        source: String,
        /// Keyed hash of the place's URL.
        #[serde(default)]
        url_hash: String,
    },
    /// A kind that this version does not know.
    #[serde(other)]
    Other,
}

/// Why a token request was refused, for the detectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantCause {
    /// Sender-constraint of the grant not met.
    BindingMismatch,
    /// An authorization code came a second time.
    CodeReplayed,
    /// Too late.
    Expired,
    /// The code verifier does not fit.
    PkceFailed,
    /// A rotated refresh token came back from elsewhere.
    RefreshReused,
    /// More scope than was granted.
    ScopeExceeded,
    /// The grant is another client's.
    WrongClient,
    /// A cause that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Members of a `request` event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What the request is called, as its answer says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What kind of credential came.
    #[serde(default)]
    pub token_kind: TokenKind,
    /// Scopes of the verified token.
    #[serde(default, with = "scope_array")]
    pub scopes: ScopeSet,
    /// HTTP method.
    #[serde(default)]
    pub method: String,
    /// Host asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Path without query.
    #[serde(default)]
    pub path: String,
    /// The route's template; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Value of the last path parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Status sent to the client.
    #[serde(default)]
    pub status: u16,
    /// Why it was refused; absent when it was let through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// Who has passed on what is shown, where that is not whoever holds it: `client:ID`, a client of ours that was
    /// shown it by somebody else; `unproven`, somebody who may be one; or `site`, another site or a link that had a
    /// browser send it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_on_by: Option<Box<str>>,
    /// Why a rule that only observes would have refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_refuse: Option<Refused>,
    /// What that rule says, for people: the place in the request and what is wrong with it, never the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_refuse_detail: Option<Box<str>>,
    /// The policies that decided, if some were asked: those that permit it, or those that forbid it or could
    /// not be evaluated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<String>,
    /// What is another than when the token was issued, as far as both are known; absent when nothing is
    /// remembered of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Box<[Moved]>>,
    /// Body bytes received.
    #[serde(default)]
    pub bytes_in: u64,
    /// Body bytes sent.
    #[serde(default)]
    pub bytes_out: u64,
    /// Length of the JSON array sent, where whoever made the event counted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records_out: Option<u64>,
    /// Microseconds from the request's head to the response's end.
    #[serde(default)]
    pub latency_us: u64,
}

// === impl Request ===

impl Request {
    /// Whether its method is one that changes something (RFC 9110 §9.2.1).
    pub fn is_change(&self) -> bool {
        matches!(self.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE")
    }
}

/// What can be another than when a token was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// The autonomous system.
    Asn,
    /// The country.
    Country,
    /// The TLS fingerprint.
    Ja4,
    /// The family of the software.
    Software,
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What kind of credential a request carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A configured API key.
    ApiKey,
    /// A JWT.
    Jwt,
    /// Nothing.
    #[default]
    None,
    /// An opaque access token.
    Opaque,
    /// A personal token.
    Pat,
    /// A backend-for-frontend session.
    Session,
}

/// Where events go: never waits; what cannot be taken is counted and lost.
pub trait EventSink: Send + Sync + 'static {
    /// Hands an event over.
    fn emit(&self, event: Event);
}

// === impl TokenKind ===

impl TokenKind {
    /// Whether such credentials are made for programs: nobody's presence or haste follows from their use.
    pub const fn is_for_programs(self) -> bool {
        matches!(self, Self::ApiKey | Self::Pat)
    }
}

// === impl NetworkKind ===

impl NetworkKind {
    /// As events have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Business => "business",
            Self::Hosting => "hosting",
            Self::Mobile => "mobile",
            Self::Residential => "residential",
            Self::Tor => "tor",
            Self::Vpn => "vpn",
            Self::Unknown => "unknown",
        }
    }
}

// === impl Who ===

impl Who {
    /// The verified names of a token.
    pub fn verified(facts: &TokenFacts) -> Self {
        Self {
            subject: Some(facts.subject.clone()),
            client: Some(facts.client.clone()),
            token: Some(facts.token.clone()),
            grant: facts.grant.clone(),
            session: facts.session.clone(),
            ..Self::default()
        }
    }

    /// What a refused token says of itself.
    pub fn claimed(claimed: &Claimed) -> Self {
        Self {
            claimed_subject: claimed.subject.clone(),
            claimed_client: claimed.client.clone(),
            claimed_token: claimed.token.clone(),
            ..Self::default()
        }
    }
}

// === impl EventKind ===

impl EventKind {
    /// A person's decision about a client that was registered at `since`.
    pub fn consent(scopes: ScopeSet, result: String, since: Timestamp, now: Timestamp) -> Self {
        let client_age_s = Some(now.since(since).as_secs());
        Self::Consent { scopes, result, client_age_s, client_verified: None }
    }
}

/// Events carry scopes as an array, unlike the OAuth wire.
mod scope_array {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::scope::ScopeSet;

    pub(super) fn serialize<S: Serializer>(scopes: &ScopeSet, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(scopes.iter())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<ScopeSet, D::Error> {
        let list = Vec::<String>::deserialize(d)?;
        ScopeSet::parse(&list.join(" ")).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
