//! Every refusal once: reason code, status, challenge (RFC 6750 §3) and words for the client.

use std::sync::Arc;

use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use inspect::{Excess, Finding};
use serde_json::json;
use token::dpop::ProofRefused;
use token::honeytoken::Honeytokens;
use token::reason::{Reason, Refused};
use token::restriction::Proof;
use token::term::OAuthErrorCode;
use token::validate::TokenRefused;

use crate::ask::Question;
use crate::body::UploadFault;
use crate::described::BadDescription;
use crate::framing::BadFraming;
use crate::headers::DPOP_NONCE;
use crate::limit::{Exceeded, seconds};
use crate::present::Scheme;
use crate::resource::Resource;
use crate::streams::Cut;
use crate::target::BadTarget;
use crate::verify::Known;

/// A request that goes no further: the rule broken, and whose token it was.
pub(crate) struct Refusal {
    fault: Fault,
    whose: Whose,
    scheme: Scheme,
}

/// Whose token came with a refused request.
pub(crate) enum Whose {
    /// Nobody's, as far as known.
    Nobody,
    /// It failed verification; what it says is only a claim.
    Claimed(Arc<Known>),
    /// It was verified.
    Verified(Arc<Known>),
}

/// The rule broken.
pub(crate) enum Fault {
    /// Another issuer has to be asked before it can be decided.
    Ask(Box<Question>),
    /// The token is for another audience than the route's.
    Audience,
    /// The route is for other clients.
    OtherClient,
    /// The route is for other networks.
    RouteNetwork,
    /// A request with a cookie, which changes something and is not the application's own.
    CrossSite,
    /// The body is compressed, where it is to be inspected.
    ContentEncoding,
    /// The `Authorization` field has no bearer token's form.
    Credential,
    /// A proxy describes no request, or two.
    Description(BadDescription),
    /// A token is demanded that is bound to its client.
    Demanded(Proof),
    /// The token is not to be used from this network.
    Elsewhere,
    /// The token's time has passed.
    Expired,
    /// The message's framing can be read in two ways.
    Framing(BadFraming),
    /// The token is bait.
    Honeytoken,
    /// The request carries an injection.
    Injection(Finding),
    /// The request is larger than what is inspected.
    InspectionExcess(Excess),
    /// A limit is reached.
    Limit(Box<Exceeded>),
    /// The route has no rule for this method.
    Method { allow: HeaderValue },
    /// The client's network is blocked.
    Network,
    /// The keys of the token's issuer are not known yet.
    NoKeys,
    /// The cookie stands for no session, or for none any more.
    NoSession,
    /// No access token; the scopes that the rule demands, if they are told.
    NoToken { scope: Option<Arc<str>> },
    /// The access token is in the query.
    QueryToken,
    /// The body broke off or is malformed.
    RequestBody,
    /// The token was revoked.
    Revoked,
    /// The token lacks a scope that the rule demands.
    Scope(Arc<str>),
    /// The person has to sign in again: in one of these ways, and no longer ago than so many seconds.
    StepUp { acr: Option<Arc<str>>, max_age: Option<u64> },
    /// The token is suspended.
    Suspended,
    /// The target can be read in two ways.
    Target(BadTarget),
    /// The token failed verification.
    Token(Arc<TokenRefused>),
    /// More than one access token.
    TwoTokens,
    /// The token is presented with a proof, and bound to no key.
    NotBound,
    /// No proof of possession came.
    NoProof,
    /// The proof of possession is not good; the next one needs this nonce.
    Proof { refused: Box<ProofRefused>, nonce: Option<String> },
    /// More than one proof of possession came.
    TwoProofs,
    /// The token is bound to something else than what came with it.
    Unbound(Reason),
    /// What an opaque token stands for cannot be looked up now.
    Unavailable,
    /// No rule knows the path.
    UnknownRoute,
}

/// What a fault is on the wire: status, error code and challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// 400 `invalid_request`.
    BadRequest,
    /// 413.
    ContentTooLarge,
    /// 403 `access_denied`.
    Forbidden,
    /// 403 `insufficient_scope` (RFC 6750 §3.1).
    InsufficientScope,
    /// 401 `invalid_dpop_proof` (RFC 9449 §7.1).
    InvalidProof,
    /// 401 `invalid_token` (RFC 6750 §3.1).
    InvalidToken,
    /// 405 with `Allow`.
    MethodNotAllowed,
    /// 404.
    NotFound,
    /// 401 `insufficient_user_authentication` (RFC 9470 §3).
    StepUp,
    /// 429 (RFC 6585 §4).
    TooMany,
    /// 503.
    Unavailable,
    /// 415.
    UnsupportedMediaType,
    /// 414.
    UriTooLong,
    /// 401 with a challenge that names no error (RFC 6750 §3.1).
    Unauthenticated,
    /// 401 `use_dpop_nonce` (RFC 9449 §9).
    UseNonce,
}

// === impl Refusal ===

impl Refusal {
    /// For a token that was verified.
    pub(crate) fn of_verified(fault: Fault, known: Arc<Known>) -> Self {
        Self { whose: Whose::Verified(known), ..fault.into() }
    }

    /// For a token that was verified once and is good no longer.
    pub(crate) fn of_known(fault: Fault, known: Arc<Known>) -> Self {
        Self { whose: Whose::Claimed(known), ..fault.into() }
    }

    /// The same, unless the token turns out to be bait: who shows bait is a thief also when it
    /// has expired or its key is gone.
    pub(crate) fn or_bait(self, honeytokens: &Honeytokens) -> Self {
        match (&self.fault, &self.whose) {
            (Fault::Token(refused), _) => match honeytokens.recognise(refused) {
                Some(bait) => Fault::Token(Arc::new(bait)).into(),
                None => self,
            },
            (_, Whose::Claimed(known)) if honeytokens.contains(&known.token.facts().token) => {
                Self::of_verified(Fault::Honeytoken, Arc::clone(known))
            }
            _ => self,
        }
    }

    /// The challenge is of the scheme that the client used; of `DPoP` where only that will do.
    pub(crate) fn told_by(self, scheme: Scheme) -> Self {
        match self.fault {
            Fault::Unbound(Reason::DpopMissing) | Fault::Demanded(Proof::Dpop) => {
                Self { scheme: Scheme::Dpop, ..self }
            }
            Fault::NotBound => Self { scheme: Scheme::Bearer, ..self },
            _ => Self { scheme, ..self },
        }
    }

    /// Tells also what a token would need, where none came.
    pub(crate) fn with_scope(self, wanted: impl FnOnce() -> Option<Arc<str>>) -> Self {
        match self.fault {
            Fault::NoToken { .. } => Self { fault: Fault::NoToken { scope: wanted() }, ..self },
            _ => self,
        }
    }

    /// What has to be asked before it can be decided.
    ///
    /// # Errors
    /// The refusal itself, when it is decided.
    pub(crate) fn into_question(self) -> Result<Question, Self> {
        match self.fault {
            Fault::Ask(question) => Ok(*question),
            fault => Err(Self { fault, ..self }),
        }
    }

    pub(crate) fn fault(&self) -> &Fault {
        &self.fault
    }

    pub(crate) fn whose(&self) -> &Whose {
        &self.whose
    }

    /// The answer's head and its body.
    pub(crate) fn answer(&self, resource: &Resource) -> Response<String> {
        let class = self.fault.class();
        let description = self.fault.description();
        let mut response = error(class.status(), class.error(), &description);
        let headers = response.headers_mut();
        let scope = self.fault.scope().map(|scope| format!(", scope=\"{scope}\""));
        match class {
            Class::Unauthenticated => {
                for scheme in [Scheme::Bearer, Scheme::Dpop] {
                    let bare = resource.challenge(scheme);
                    let text = bare.to_str().ok().zip(scope.as_deref());
                    let scoped = text.map(|(bare, scope)| format!("{bare}{scope}").parse());
                    challenge(headers, scoped.and_then(Result::ok).unwrap_or_else(|| bare.clone()));
                }
            }
            Class::InvalidToken
            | Class::InsufficientScope
            | Class::InvalidProof
            | Class::StepUp
            | Class::UseNonce => {
                let step_up = self.fault.step_up();
                let text = format!(
                    "{}, error=\"{}\", error_description=\"{description}\"{}{step_up}",
                    resource.challenge(self.scheme).to_str().unwrap_or("Bearer"),
                    class.error(),
                    scope.unwrap_or_default(),
                );
                challenge(headers, HeaderValue::from_str(&text).unwrap_or_else(|_| bare()));
            }
            Class::BadRequest
            | Class::ContentTooLarge
            | Class::Forbidden
            | Class::MethodNotAllowed
            | Class::NotFound
            | Class::TooMany
            | Class::Unavailable
            | Class::UnsupportedMediaType
            | Class::UriTooLong => {}
        }
        if let Fault::Limit(exceeded) = &self.fault {
            // A second at least: whoever comes back at once is in the way of all others.
            headers.insert(RETRY_AFTER, seconds(exceeded.retry_in).max(1).into());
            exceeded.told.write(headers);
        }
        if let Fault::Method { allow } = &self.fault {
            headers.insert(ALLOW, allow.clone());
        }
        if let Fault::Proof { nonce: Some(nonce), .. } = &self.fault
            && let Ok(nonce) = HeaderValue::from_str(nonce)
        {
            headers.insert(DPOP_NONCE, nonce);
        }
        if matches!(
            self.fault,
            Fault::ContentEncoding
                | Fault::Framing(_)
                | Fault::InspectionExcess(_)
                | Fault::RequestBody
        ) {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { fault, whose: Whose::Nobody, scheme: Scheme::Bearer }
    }
}

impl From<UploadFault> for Fault {
    fn from(fault: UploadFault) -> Self {
        match fault {
            UploadFault::Client => Self::RequestBody,
            UploadFault::Cut(Cut::Expired) => Self::Expired,
            UploadFault::Cut(Cut::Restricted) => Self::Revoked,
        }
    }
}

impl From<TokenRefused> for Fault {
    fn from(refused: TokenRefused) -> Self {
        Self::Token(Arc::new(refused))
    }
}

impl From<BadTarget> for Refusal {
    fn from(fault: BadTarget) -> Self {
        Fault::Target(fault).into()
    }
}

impl From<BadFraming> for Refusal {
    fn from(fault: BadFraming) -> Self {
        Fault::Framing(fault).into()
    }
}

// === impl Fault ===

impl Fault {
    /// The reason code of the event.
    pub(crate) fn refused(&self) -> Refused {
        match self {
            Self::Audience => Reason::WrongAudience.into(),
            Self::ContentEncoding
            | Self::Credential
            | Self::Description(_)
            | Self::Framing(_)
            | Self::QueryToken
            | Self::RequestBody => Reason::Malformed.into(),
            Self::CrossSite => Reason::CrossSite.into(),
            Self::Demanded(Proof::Dpop) => Reason::DpopMissing.into(),
            Self::Demanded(Proof::Mtls) => Reason::MtlsMissing.into(),
            Self::Demanded(Proof::StepUp) | Self::StepUp { .. } => Reason::StepUp.into(),
            Self::Elsewhere | Self::RouteNetwork => Reason::Network.into(),
            Self::OtherClient => Reason::Policy.into(),
            Self::Expired => Reason::Expired.into(),
            Self::Honeytoken => Reason::Honeytoken.into(),
            Self::Injection(finding) => Refused::Injection(finding.class.as_str().into()),
            Self::InspectionExcess(_) => Reason::TooLarge.into(),
            Self::Limit(_) => Reason::Throttled.into(),
            Self::Method { .. } | Self::UnknownRoute => Reason::UnknownRoute.into(),
            Self::Network | Self::Suspended => Reason::Blocked.into(),
            Self::NoSession => Reason::UnknownToken.into(),
            Self::NoToken { .. } => Reason::NoToken.into(),
            Self::Revoked => Reason::Revoked.into(),
            Self::Scope(_) => Reason::InsufficientScope.into(),
            Self::Target(BadTarget::TooLong) => Reason::TooLarge.into(),
            Self::Target(_) => Reason::Malformed.into(),
            Self::Token(refused) => refused.refused.clone(),
            Self::TwoTokens => Reason::TwoTokens.into(),
            Self::NoProof => Reason::DpopMissing.into(),
            Self::NotBound | Self::TwoProofs => Reason::DpopMismatch.into(),
            Self::Proof { refused, .. } => refused.reason().into(),
            Self::Ask(_) | Self::NoKeys | Self::Unavailable => Reason::Unavailable.into(),
            Self::Unbound(reason) => (*reason).into(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Credential
            | Self::Description(_)
            | Self::Framing(_)
            | Self::QueryToken
            | Self::RequestBody
            | Self::TwoTokens => Class::BadRequest,
            Self::Target(BadTarget::TooLong) => Class::UriTooLong,
            Self::Target(_) => Class::BadRequest,
            Self::Method { .. } => Class::MethodNotAllowed,
            Self::ContentEncoding => Class::UnsupportedMediaType,
            Self::CrossSite
            | Self::Elsewhere
            | Self::Injection(_)
            | Self::Network
            | Self::OtherClient
            | Self::RouteNetwork => Class::Forbidden,
            Self::InspectionExcess(_) => Class::ContentTooLarge,
            Self::StepUp { .. } => Class::StepUp,
            Self::Limit(_) => Class::TooMany,
            Self::NoToken { .. } => Class::Unauthenticated,
            Self::Scope(_) => Class::InsufficientScope,
            Self::Ask(_) | Self::NoKeys | Self::Unavailable => Class::Unavailable,
            Self::UnknownRoute => Class::NotFound,
            Self::Audience
            | Self::Demanded(_)
            | Self::Expired
            | Self::Honeytoken
            | Self::NoSession
            | Self::Revoked
            | Self::Suspended
            | Self::NotBound
            | Self::Token(_)
            | Self::Unbound(_) => Class::InvalidToken,
            Self::NoProof | Self::TwoProofs => Class::InvalidProof,
            Self::Proof { refused, .. } => match **refused {
                ProofRefused::Nonce => Class::UseNonce,
                ProofRefused::Broken(_) | ProofRefused::Replayed => Class::InvalidProof,
            },
        }
    }

    /// Words for the client. Bait reads like a revoked token: a thief must not learn of it.
    fn description(&self) -> String {
        match self {
            Self::Audience => "the token is for another audience",
            Self::CrossSite => {
                "a request that changes something must come from the application's own pages"
            }
            Self::ContentEncoding => "the body is inspected here; send it without Content-Encoding",
            Self::Credential => "the Authorization field is not `Bearer` and one token",
            Self::Description(fault) => return fault.to_string(),
            Self::Demanded(Proof::Dpop) => {
                "the token is not enough any more: get one that is bound to a key, by a DPoP proof"
            }
            Self::Demanded(_) => {
                "the token is not enough any more: get one that is bound to a client certificate"
            }
            Self::Elsewhere => "the token may not be used from this network",
            Self::OtherClient => "this is not for the client that the token was issued to",
            Self::RouteNetwork => "this is not for requests from this network",
            Self::Expired => "the token has expired",
            Self::Framing(fault) => return fault.to_string(),
            Self::Honeytoken | Self::Revoked => "the token was revoked",
            Self::Injection(finding) => {
                return format!("{} looks like an injection", finding.place);
            }
            Self::InspectionExcess(excess) => return excess.to_string(),
            Self::Limit(_) => "too many requests; wait as long as Retry-After says",
            Self::Method { .. } => "the method is not allowed here",
            Self::Network => "requests from this network are blocked",
            Self::NoSession => "the session has ended; sign in again",
            Self::NoToken { .. } => "an access token is needed in the Authorization field",
            Self::QueryToken => {
                "an access token in the query is not taken, and is now known to \
                                 logs: replace it, and send it in the Authorization field"
            }
            Self::RequestBody => "the request's body is malformed or broke off",
            Self::Scope(_) => "the token lacks a scope",
            Self::StepUp { .. } => "the person has to sign in again, or more surely",
            Self::Suspended => "the token is suspended",
            Self::Target(fault) => return fault.to_string(),
            Self::Token(refused) => refused.detail,
            Self::TwoTokens => "more than one access token",
            Self::NoProof => "the token needs a proof of possession in the DPoP field",
            Self::NotBound => "the token is bound to no key; send it as `Bearer`",
            Self::Proof { refused, .. } => return refused.to_string(),
            Self::TwoProofs => "the DPoP field is to be there once, and a JWT",
            Self::Unbound(Reason::DpopMissing) => {
                "the token is bound to a key; send it as `DPoP` with a proof of possession"
            }
            Self::Unbound(Reason::DpopMismatch) => "the token is bound to another key",
            Self::Unbound(Reason::MtlsMissing) => "the token is bound to a client certificate",
            Self::Unbound(_) => "the token is bound in a way that is not known here",
            Self::NoKeys => "the keys of the token's issuer are not known yet; try again shortly",
            Self::Ask(_) | Self::Unavailable => {
                "the token cannot be looked up now; try again shortly"
            }
            Self::UnknownRoute => "nothing is at this path",
        }
        .to_owned()
    }

    /// Whether the token cost work and was never anybody's.
    pub(crate) fn is_garbage(&self) -> bool {
        matches!(self.refused(), Refused::Forged(_))
            || self.refused() == Refused::Plain(Reason::UnknownToken)
    }

    /// Whether something was taken back.
    pub(crate) fn is_restriction(&self) -> bool {
        matches!(
            self,
            Self::Demanded(_)
                | Self::Elsewhere
                | Self::Network
                | Self::Revoked
                | Self::StepUp { .. }
                | Self::Suspended
        )
    }

    /// What a client asks the authorization server for (RFC 9470 §3).
    fn step_up(&self) -> String {
        let Self::StepUp { acr, max_age } = self else { return String::new() };
        let acr = acr.as_ref().map(|acr| format!(", acr_values=\"{acr}\"")).unwrap_or_default();
        let age = max_age.map(|age| format!(", max_age=\"{age}\"")).unwrap_or_default();
        acr + &age
    }

    fn scope(&self) -> Option<&str> {
        match self {
            Self::NoToken { scope } => scope.as_deref(),
            Self::Scope(scopes) => Some(scopes),
            _ => None,
        }
    }
}

// === impl Class ===

impl Class {
    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::ContentTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Forbidden | Self::InsufficientScope => StatusCode::FORBIDDEN,
            Self::InvalidProof
            | Self::InvalidToken
            | Self::StepUp
            | Self::Unauthenticated
            | Self::UseNonce => StatusCode::UNAUTHORIZED,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
        }
    }

    fn error(self) -> &'static str {
        match self {
            Self::BadRequest | Self::UriTooLong => OAuthErrorCode::InvalidRequest.as_str(),
            Self::ContentTooLarge => "content_too_large",
            Self::Forbidden => OAuthErrorCode::AccessDenied.as_str(),
            Self::InsufficientScope => OAuthErrorCode::InsufficientScope.as_str(),
            Self::InvalidProof => OAuthErrorCode::InvalidDpopProof.as_str(),
            Self::InvalidToken => OAuthErrorCode::InvalidToken.as_str(),
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotFound => "not_found",
            Self::StepUp => OAuthErrorCode::InsufficientUserAuthentication.as_str(),
            Self::TooMany => "too_many_requests",
            Self::Unavailable => OAuthErrorCode::TemporarilyUnavailable.as_str(),
            Self::Unauthenticated => "unauthenticated",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::UseNonce => OAuthErrorCode::UseDpopNonce.as_str(),
        }
    }
}

/// An error answer of the gateway itself: JSON, never cached.
pub(crate) fn error(status: StatusCode, code: &str, description: &str) -> Response<String> {
    let body = json!({ "error": code, "error_description": description }).to_string();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn challenge(headers: &mut HeaderMap, value: HeaderValue) {
    headers.append(WWW_AUTHENTICATE, value);
}

fn bare() -> HeaderValue {
    HeaderValue::from_static("Bearer")
}

#[cfg(test)]
mod tests;
