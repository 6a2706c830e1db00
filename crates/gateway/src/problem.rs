//! The one body of every answer of a door itself: problem details (RFC 9457).

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use token::reason::{Reason, Refused};
use wire::BadHead;

use crate::request_id::RequestId;

pub use form::Form;

mod form;

/// What every `type` begins with; a kind's code ends it.
pub const TYPE: &str = "urn:tokenward:problem:";

/// One answer of a door itself.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'p> {
    /// The status.
    pub status: StatusCode,
    /// The code by which clients of OAuth know it (RFC 6750 §3.1, RFC 6749 §5.2).
    pub error: &'p str,
    /// Which kind of problem it is, as far as the client may know.
    pub kind: Kind,
    /// What is wrong, and how to mend it.
    pub detail: &'p str,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $title:literal;)*) => {
        /// The kinds of problem that a client is told of. Each has a part of `docs/problems.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The member `reason`, and the end of `type`.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The member `title`: the same for every problem of the kind.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

kinds! {
    /// Something or somebody is blocked.
    Blocked = "blocked", "Blocked";
    /// The API behind the gateway failed.
    BadGateway = "bad_gateway", "The API failed";
    /// A request with a cookie from elsewhere.
    CrossSite = "cross_site", "Request from another site";
    /// Whom the token speaks for is disabled.
    Disabled = "disabled", "Disabled";
    /// A proof of possession does not fit.
    DpopMismatch = "dpop:mismatch", "Proof of possession does not fit";
    /// A proof of possession is missing.
    DpopMissing = "dpop:missing", "Proof of possession needed";
    /// A proof of possession was used before.
    DpopReplayed = "dpop:replayed", "Proof of possession used before";
    /// A proof of possession is too old.
    DpopStale = "dpop:stale", "Proof of possession too old";
    /// The token has expired.
    Expired = "expired", "Token expired";
    /// The API behind the gateway did not answer in time.
    GatewayTimeout = "gateway_timeout", "The API did not answer in time";
    /// The request carries an injection.
    Injection = "injection", "Request looks like an injection";
    /// The token lacks a scope.
    InsufficientScope = "insufficient_scope", "Scope missing";
    /// The credential or the request is not well formed.
    Malformed = "malformed", "Malformed";
    /// A client certificate does not fit.
    MtlsMismatch = "mtls:mismatch", "Client certificate does not fit";
    /// A client certificate is missing.
    MtlsMissing = "mtls:missing", "Client certificate needed";
    /// Not from this network.
    Network = "network", "Not from this network";
    /// No token came.
    NoToken = "no_token", "Token needed";
    /// The token is not valid yet.
    NotYetValid = "not_yet_valid", "Token not valid yet";
    /// The API behind the gateway has as many requests as it takes.
    Overloaded = "overloaded", "The API is busy";
    /// A rule of the place refuses it.
    Policy = "policy", "Not allowed here";
    /// The token was taken back.
    Revoked = "revoked", "Token revoked";
    /// The request is not as the API's document describes it.
    Schema = "schema", "Not as the API describes it";
    /// The person has to sign in again.
    StepUp = "step_up", "Sign-in needed";
    /// Too many requests.
    Throttled = "throttled", "Too many requests";
    /// Too large.
    TooLarge = "too_large", "Too large";
    /// More than one token.
    TwoTokens = "two_tokens", "More than one token";
    /// It cannot be decided now.
    Unavailable = "unavailable", "Cannot be decided now";
    /// Nothing is there.
    UnknownRoute = "unknown_route", "Nothing at this place";
    /// The token is not known.
    UnknownToken = "unknown_token", "Token not known";
    /// The token is for another audience.
    WrongAudience = "wrong_audience", "Token for another audience";
    /// The token is of another issuer.
    WrongIssuer = "wrong_issuer", "Token of another issuer";
    /// A token of another kind.
    WrongType = "wrong_type", "Token of another kind";
}

#[derive(Serialize)]
struct Body<'p> {
    r#type: String,
    title: &'p str,
    status: u16,
    detail: &'p str,
    reason: &'p str,
    request_id: &'p str,
    error: &'p str,
    error_description: &'p str,
}

/// The answer to what is no request.
pub fn malformed(bad: BadHead, id: &RequestId) -> Response<String> {
    let (status, detail) = (bad.status(), bad.to_string());
    Problem { status, error: "invalid_request", kind: Kind::Malformed, detail: &detail }.answer(id)
}

// === impl Problem ===

impl Problem<'_> {
    /// The answer to the request of this id: never cached.
    pub fn answer(&self, request: &RequestId) -> Response<String> {
        let body = Body {
            r#type: format!("{TYPE}{}", self.kind.code()),
            title: self.kind.title(),
            status: self.status.as_u16(),
            detail: self.detail,
            reason: self.kind.code(),
            request_id: request.as_str(),
            error: self.error,
            error_description: self.detail,
        };
        // Texts and a number: always serializable.
        let mut response = Response::new(serde_json::to_string(&body).unwrap_or_default());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

// === impl Kind ===

impl From<&Refused> for Kind {
    /// What an attacker could learn from is left out: which forgery was noticed, which injection, that a
    /// token is bait.
    fn from(refused: &Refused) -> Self {
        match refused {
            Refused::Forged(_) => Self::UnknownToken,
            Refused::Injection(_) => Self::Injection,
            Refused::Plain(reason) => (*reason).into(),
            Refused::Unknown(_) => Self::Policy,
        }
    }
}

impl From<Reason> for Kind {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Blocked => Self::Blocked,
            Reason::CrossSite => Self::CrossSite,
            Reason::Disabled => Self::Disabled,
            Reason::DpopMismatch => Self::DpopMismatch,
            Reason::DpopMissing => Self::DpopMissing,
            Reason::DpopReplayed => Self::DpopReplayed,
            Reason::DpopStale => Self::DpopStale,
            Reason::Expired => Self::Expired,
            Reason::Honeytoken | Reason::Revoked => Self::Revoked,
            Reason::InsufficientScope => Self::InsufficientScope,
            Reason::Malformed => Self::Malformed,
            Reason::MtlsMismatch => Self::MtlsMismatch,
            Reason::MtlsMissing => Self::MtlsMissing,
            Reason::Network => Self::Network,
            Reason::NoToken => Self::NoToken,
            Reason::NotYetValid => Self::NotYetValid,
            Reason::Policy => Self::Policy,
            Reason::Schema => Self::Schema,
            Reason::StepUp => Self::StepUp,
            Reason::Throttled => Self::Throttled,
            Reason::TooLarge => Self::TooLarge,
            Reason::TwoTokens => Self::TwoTokens,
            Reason::Unavailable => Self::Unavailable,
            Reason::UnknownRoute => Self::UnknownRoute,
            Reason::UnknownToken => Self::UnknownToken,
            Reason::WrongAudience => Self::WrongAudience,
            Reason::WrongIssuer => Self::WrongIssuer,
            Reason::WrongType => Self::WrongType,
        }
    }
}

#[cfg(test)]
mod tests;
