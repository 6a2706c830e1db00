//! The rules that a request can break, with reason code and words for the client.

use std::sync::Arc;

use contract::{Broken, Violation};
use http::HeaderValue;
use inspect::{Excess, Finding};
use token::dpop::ProofRefused;
use token::place::Place;
use token::reason::{Reason, Refused};
use token::restriction::Proof;
use token::validate::TokenRefused;

use super::class::Class;
use crate::ask::Question;
use crate::body::UploadFault;
use crate::described::BadDescription;
use crate::framing::BadFraming;
use crate::limit::Exceeded;
use crate::settings::Binding;
use crate::streams::Cut;
use crate::target::BadTarget;

/// The rule broken.
pub(crate) enum Fault {
    /// What is in the field for API keys is none.
    ApiKey,
    /// The token is not to be used from this place.
    Away(Place),
    /// Another issuer has to be asked before it can be decided.
    Ask(Box<Question>),
    /// The token is for another audience than the route's.
    Audience,
    /// The token's claims are not those that the route demands.
    Claims,
    /// The route is not open at this time.
    Closed,
    /// The route is for other clients.
    OtherClient,
    /// The route is for other kinds of tokens.
    OtherKind,
    /// The route is for other networks.
    RouteNetwork,
    /// The route is for other places.
    RoutePlace(Place),
    /// A request with a cookie, which changes something and is not the application's own.
    CrossSite,
    /// The route is for tokens that are bound so, and this one is not.
    Bearer(Binding),
    /// The body is longer than the route lets it be.
    BodyTooLarge,
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
    /// There are too many header fields, or they are too long.
    Fields,
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
    /// The body has a media type that the document does not know for this operation.
    MediaType,
    /// The route has no rule for this method.
    Method { allow: HeaderValue },
    /// The client's network is blocked.
    Network,
    /// The gateway's own token cannot be made.
    NoInternalKey,
    /// The keys of the token's issuer are not known yet.
    NoKeys,
    /// The cookie stands for no session, or for none any more.
    NoSession,
    /// No access token; the scopes that the rule demands, if they are told.
    NoToken { scope: Option<Arc<str>> },
    /// The access token is in the query.
    QueryToken,
    /// The path is so like another one that servers take it for that.
    PathVariant,
    /// No policy permits it, or one forbids it.
    Policy,
    /// The body broke off or is malformed.
    RequestBody,
    /// The body comes too slowly.
    SlowBody,
    /// The token was revoked.
    Revoked,
    /// The request is not as the document has it.
    Schema(Box<Violation>),
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
    /// There is more to do than can be done, and others are trusted more.
    Overloaded,
    /// More than one access token.
    TwoTokens,
    /// Not one media type for one body.
    TwoTypes,
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

impl From<UploadFault> for Fault {
    fn from(fault: UploadFault) -> Self {
        match fault {
            UploadFault::Client => Self::RequestBody,
            UploadFault::Slow => Self::SlowBody,
            UploadFault::TooLarge => Self::BodyTooLarge,
            UploadFault::Cut(Cut::Expired) => Self::Expired,
            UploadFault::Cut(Cut::Restricted) => Self::Revoked,
        }
    }
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Excess(excess) => Self::InspectionExcess(excess),
            Broken::MediaType => Self::MediaType,
            Broken::Rule(violation) => Self::Schema(violation),
        }
    }
}

impl From<TokenRefused> for Fault {
    fn from(refused: TokenRefused) -> Self {
        Self::Token(Arc::new(refused))
    }
}

// === impl Fault ===

impl Fault {
    /// The reason code of the event.
    pub(crate) fn refused(&self) -> Refused {
        match self {
            Self::Audience => Reason::WrongAudience.into(),
            Self::ApiKey
            | Self::ContentEncoding
            | Self::Credential
            | Self::Description(_)
            | Self::Framing(_)
            | Self::QueryToken
            | Self::RequestBody
            | Self::SlowBody
            | Self::TwoTypes => Reason::Malformed.into(),
            Self::BodyTooLarge | Self::Fields => Reason::TooLarge.into(),
            Self::CrossSite => Reason::CrossSite.into(),
            Self::Bearer(Binding::Certificate) | Self::Demanded(Proof::Mtls) => {
                Reason::MtlsMissing.into()
            }
            Self::Bearer(_) | Self::Demanded(Proof::Dpop) => Reason::DpopMissing.into(),
            Self::Demanded(Proof::StepUp) | Self::StepUp { .. } => Reason::StepUp.into(),
            Self::Away(_) | Self::Elsewhere | Self::RouteNetwork | Self::RoutePlace(_) => {
                Reason::Network.into()
            }
            Self::Claims | Self::Closed | Self::OtherClient | Self::OtherKind | Self::Policy => {
                Reason::Policy.into()
            }
            Self::Expired => Reason::Expired.into(),
            Self::Honeytoken => Reason::Honeytoken.into(),
            Self::Injection(finding) => Refused::Injection(finding.class.as_str().into()),
            Self::InspectionExcess(_) => Reason::TooLarge.into(),
            Self::Limit(_) => Reason::Throttled.into(),
            Self::MediaType | Self::Schema(_) => Reason::Schema.into(),
            Self::Method { .. } | Self::PathVariant | Self::UnknownRoute => {
                Reason::UnknownRoute.into()
            }
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
            Self::Ask(_)
            | Self::NoInternalKey
            | Self::NoKeys
            | Self::Overloaded
            | Self::Unavailable => Reason::Unavailable.into(),
            Self::Unbound(reason) => (*reason).into(),
        }
    }

    pub(super) fn class(&self) -> Class {
        match self {
            Self::ApiKey
            | Self::Credential
            | Self::Description(_)
            | Self::Framing(_)
            | Self::QueryToken
            | Self::RequestBody
            | Self::Schema(_)
            | Self::TwoTokens
            | Self::TwoTypes => Class::BadRequest,
            Self::Target(BadTarget::TooLong) => Class::UriTooLong,
            Self::Target(_) => Class::BadRequest,
            Self::Method { .. } => Class::MethodNotAllowed,
            Self::ContentEncoding | Self::MediaType => Class::UnsupportedMediaType,
            Self::Away(_)
            | Self::Claims
            | Self::Closed
            | Self::CrossSite
            | Self::Elsewhere
            | Self::Injection(_)
            | Self::Network
            | Self::OtherClient
            | Self::OtherKind
            | Self::Policy
            | Self::RouteNetwork
            | Self::RoutePlace(_) => Class::Forbidden,
            Self::BodyTooLarge | Self::InspectionExcess(_) => Class::ContentTooLarge,
            Self::Fields => Class::FieldsTooLarge,
            Self::SlowBody => Class::RequestTimeout,
            Self::StepUp { .. } => Class::StepUp,
            Self::Limit(_) => Class::TooMany,
            Self::NoToken { .. } => Class::Unauthenticated,
            Self::Scope(_) => Class::InsufficientScope,
            Self::Ask(_)
            | Self::NoInternalKey
            | Self::NoKeys
            | Self::Overloaded
            | Self::Unavailable => Class::Unavailable,
            Self::PathVariant | Self::UnknownRoute => Class::NotFound,
            Self::Audience
            | Self::Bearer(_)
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
    pub(super) fn description(&self) -> String {
        match self {
            Self::ApiKey => {
                "the field for API keys takes personal tokens and tokens of services alone"
            }
            Self::Audience => "the token is for another audience",
            Self::Away(_) => "the token may not be used from this country or network",
            Self::Bearer(Binding::Certificate) => {
                "this is for tokens alone that are bound to a client certificate"
            }
            Self::Bearer(_) => {
                "this is for tokens alone that are bound to a key (DPoP) or to a client certificate"
            }
            Self::BodyTooLarge => "the body is longer than it may be here",
            Self::Fields => "there are too many header fields, or they are too long",
            Self::SlowBody => "the body comes too slowly",
            Self::Claims => "the token's claims are not those that this demands",
            Self::Closed => "this is not open at this time",
            Self::CrossSite => {
                "a request that changes something must come from the application's own pages"
            }
            Self::ContentEncoding => "the body is read here; send it without Content-Encoding",
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
            Self::Policy => "no policy permits this request, or one forbids it",
            Self::OtherKind => "this is not for tokens of this kind",
            Self::RouteNetwork => "this is not for requests from this network",
            Self::RoutePlace(_) => "this is not for requests from this country or network",
            Self::Expired => "the token has expired",
            Self::Framing(fault) => return fault.to_string(),
            Self::Honeytoken | Self::Revoked => "the token was revoked",
            Self::Injection(finding) => {
                return format!("{} looks like an injection", finding.place);
            }
            Self::InspectionExcess(excess) => return excess.to_string(),
            Self::Limit(_) => "too many requests; wait as long as Retry-After says",
            Self::MediaType => "the body has a media type that is not taken here",
            Self::Method { .. } => "the method is not allowed here",
            Self::Network => "requests from this network are blocked",
            Self::NoSession => "the session has ended; sign in again",
            Self::NoToken { .. } => "an access token is needed in the Authorization field",
            Self::QueryToken => {
                "an access token in the query is not taken, and is now known to \
                                 logs: replace it, and send it in the Authorization field"
            }
            Self::RequestBody => "the request's body is malformed or broke off",
            Self::Schema(violation) => return violation.to_string(),
            Self::Scope(_) => "the token lacks a scope",
            Self::StepUp { .. } => "the person has to sign in again, or more surely",
            Self::Suspended => "the token is suspended",
            Self::Target(fault) => return fault.to_string(),
            Self::Token(refused) => refused.detail,
            Self::TwoTokens => "more than one access token",
            Self::TwoTypes => "Content-Type does not name one media type",
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
            Self::Overloaded => "there is too much to do just now; try again shortly",
            Self::NoInternalKey => "the request cannot be passed on now; try again shortly",
            Self::NoKeys => "the keys of the token's issuer are not known yet; try again shortly",
            Self::Ask(_) | Self::Unavailable => {
                "the token cannot be looked up now; try again shortly"
            }
            Self::PathVariant => {
                "servers could take this path for another one: mind the case of its letters, and slashes, dots \
                 and spaces at its end"
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
            Self::Away(_)
                | Self::Demanded(_)
                | Self::Elsewhere
                | Self::Network
                | Self::Revoked
                | Self::StepUp { .. }
                | Self::Suspended
        )
    }

    /// What a client asks the authorization server for (RFC 9470 §3).
    pub(super) fn step_up(&self) -> String {
        let Self::StepUp { acr, max_age } = self else { return String::new() };
        let acr = acr.as_ref().map(|acr| format!(", acr_values=\"{acr}\"")).unwrap_or_default();
        let age = max_age.map(|age| format!(", max_age=\"{age}\"")).unwrap_or_default();
        acr + &age
    }

    pub(super) fn scope(&self) -> Option<&str> {
        match self {
            Self::NoToken { scope } => scope.as_deref(),
            Self::Scope(scopes) => Some(scopes),
            _ => None,
        }
    }
}
