//! Our own endpoints that take access tokens: present → verify → admit (RFC 6750, RFC 9068 §4).

use std::sync::Arc;

use http::{HeaderMap, StatusCode, header};
use store::StoreError;
use token::client_certificate::ClientCertificate;
use token::event::Who;
use token::reason::{Reason, Refused};
use token::scope::ScopeSet;
use token::secret::Secret;
use token::term::{Algorithm, OAuthErrorCode, parameter};
use token::time::Timestamp;
use token::validate::{TokenRefused, VerifiedAccessToken};

use crate::caller::Caller;
use crate::oauth_error::OAuthError;
use crate::parameters::Parameters;
use crate::possession::{Place, PossessionRefused, Shown};
use crate::presented_token::{self, NotVerified};
use crate::restrained;
use crate::state::Authority;

/// What an endpoint asks of a token.
#[derive(Clone, Debug)]
pub struct Demand {
    /// One of these must be an audience.
    pub audiences: Vec<String>,
    /// It must have one of these scopes; the first is the one that a refusal asks for.
    pub scopes: &'static [&'static str],
    /// Where it is used; `None` where tokens that are bound to a key are not taken.
    pub place: Option<Place>,
}

/// The one token of a request, as it came.
#[derive(Clone, Debug)]
pub struct Presented {
    token: Secret,
    scheme: Scheme,
    shown: Shown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

/// Why a request to one of our protected endpoints is refused.
#[derive(Debug, thiserror::Error)]
pub enum BearerRefused {
    /// The token is bound to a key that was not shown, or cannot be here.
    #[error("the access token is bound to a key; send it as `DPoP` with a proof of possession")]
    Bound(Arc<VerifiedAccessToken>),
    /// The proof is by another key.
    #[error("the access token is bound to another key")]
    BoundToAnother(Arc<VerifiedAccessToken>),
    /// The network is blocked for now.
    #[error("requests from this network are refused for now")]
    Blocked,
    /// The token is bound to another certificate than was shown, or none was.
    #[error("the access token is bound to a client certificate that was not shown")]
    Certificate(Arc<VerifiedAccessToken>),
    /// The form body of the request is wrong.
    #[error(transparent)]
    Form(OAuthError),
    /// The `Authorization` field is no bearer token.
    #[error("the field `Authorization` must be `Bearer` and one token")]
    HeaderForm,
    /// RFC 6750 §5.3: URLs end up in logs.
    #[error("the token must not be in the URL; use the field `Authorization`")]
    InQuery,
    /// No token at all.
    #[error("an access token is needed; send it in the field `Authorization: Bearer`")]
    NoToken,
    /// The token is bound to no key, and sent as if it were.
    #[error("the access token is bound to no key; send it as `Bearer`")]
    NotBound(Arc<VerifiedAccessToken>),
    /// The token verifies, but cannot be used.
    #[error("the access token cannot be used any more")]
    NotInOrder(Reason, Arc<VerifiedAccessToken>),
    /// A proof of possession that is not taken.
    #[error("{0}")]
    Possession(PossessionRefused, Arc<VerifiedAccessToken>),
    /// The token lacks the scope.
    #[error("the access token lacks the scope `{0}`")]
    Scope(&'static str, Arc<VerifiedAccessToken>),
    /// State could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// More than one token in the request (RFC 6750 §2).
    #[error("the request carries more than one token")]
    TwoTokens,
    /// The token does not verify.
    #[error("{}", .0.detail)]
    Unverified(TokenRefused),
}

/// Finds the one token of a request. `form` are the parameters of a form body, if there is one.
///
/// # Errors
/// [`BearerRefused`] when there is none, more than one, or one in the URL.
pub fn present(
    headers: &HeaderMap,
    query: Option<&str>,
    form: Option<&Parameters>,
) -> Result<Presented, BearerRefused> {
    let (token, scheme) = one_token(headers, query, form)?;
    Ok(Presented { token, scheme, shown: Shown::of(headers) })
}

fn one_token(
    headers: &HeaderMap,
    query: Option<&str>,
    form: Option<&Parameters>,
) -> Result<(Secret, Scheme), BearerRefused> {
    let in_query = Parameters::parse(query.unwrap_or_default())
        .is_ok_and(|parameters| parameters.value(parameter::ACCESS_TOKEN).is_some());
    if in_query {
        return Err(BearerRefused::InQuery);
    }
    let in_body = form.and_then(|form| form.secret(parameter::ACCESS_TOKEN));
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let field = fields.next();
    if fields.next().is_some() || (field.is_some() && in_body.is_some()) {
        return Err(BearerRefused::TwoTokens);
    }
    let Some(field) = field else {
        return in_body.map(|token| (token, Scheme::Bearer)).ok_or(BearerRefused::NoToken);
    };
    let text = field.to_str().map_err(|_| BearerRefused::HeaderForm)?;
    let (scheme, token) = text.split_once(' ').ok_or(BearerRefused::HeaderForm)?;
    let one_token = !token.is_empty() && !token.contains([' ', ',']);
    let scheme = match scheme {
        _ if !one_token => return Err(BearerRefused::HeaderForm),
        name if name.eq_ignore_ascii_case("bearer") => Scheme::Bearer,
        name if name.eq_ignore_ascii_case("dpop") => Scheme::Dpop,
        _ => return Err(BearerRefused::HeaderForm),
    };
    Ok((Secret::new(token), scheme))
}

/// Holds the key that the token is bound to against the one that was shown (RFC 9449 §7.1, §7.2).
fn bind(
    authority: &Authority,
    token: Arc<VerifiedAccessToken>,
    presented: &Presented,
    certificate: Option<&ClientCertificate>,
    place: Option<&Place>,
    now: Timestamp,
) -> Result<Arc<VerifiedAccessToken>, BearerRefused> {
    let Some(cnf) = token.confirmation() else {
        return match presented.scheme {
            Scheme::Bearer => Ok(token),
            Scheme::Dpop => Err(BearerRefused::NotBound(token)),
        };
    };
    if cnf.unknown {
        return Err(BearerRefused::Bound(token));
    }
    if let Some(thumbprint) = &cnf.x5t_s256
        && certificate.map(ClientCertificate::thumbprint) != Some(thumbprint)
    {
        return Err(BearerRefused::Certificate(token));
    }
    if cnf.jkt.is_none() {
        return match presented.scheme {
            Scheme::Bearer => Ok(token),
            Scheme::Dpop => Err(BearerRefused::NotBound(token)),
        };
    }
    let (Some(jkt), Some(place), Scheme::Dpop) = (cnf.jkt.clone(), place, presented.scheme) else {
        return Err(BearerRefused::Bound(token));
    };
    match presented.shown.take(authority, place, Some(presented.token.expose()), now) {
        Ok(Some(proof)) if *proof.jkt() == jkt => Ok(token),
        Ok(Some(_)) => Err(BearerRefused::BoundToAnother(token)),
        Ok(None) => Err(BearerRefused::Bound(token)),
        Err(refused) => Err(BearerRefused::Possession(refused, token)),
    }
}

/// Lets a request from this caller pass, or says why not.
///
/// # Errors
/// [`BearerRefused`] with the first rule broken.
pub(crate) async fn admit(
    authority: &Authority,
    caller: &Caller,
    presented: &Presented,
    demand: Demand,
    now: Timestamp,
) -> Result<Arc<VerifiedAccessToken>, BearerRefused> {
    check_network(authority, caller, now)?;
    let token = judge(authority, presented, caller.certificate.as_ref(), demand, now).await?;
    from_its_networks(authority, token, caller, now)
}

/// Refuses whoever comes from a network that is blocked.
///
/// # Errors
/// [`BearerRefused::Blocked`]
pub(crate) fn check_network(
    authority: &Authority,
    caller: &Caller,
    now: Timestamp,
) -> Result<(), BearerRefused> {
    let index = authority.store().index();
    match caller.ip.and_then(|ip| index.on_network(ip, now)) {
        Some(_) => Err(BearerRefused::Blocked),
        None => Ok(()),
    }
}

/// Lets a request pass, or says why not, whatever is restricted about the network that it comes
/// from: for the place where blocks are undone.
///
/// # Errors
/// [`BearerRefused`] with the first rule broken.
pub async fn admit_from_anywhere(
    authority: &Authority,
    caller: &Caller,
    presented: &Presented,
    demand: Demand,
    now: Timestamp,
) -> Result<Arc<VerifiedAccessToken>, BearerRefused> {
    let token = judge(authority, presented, None, demand, now).await?;
    from_its_networks(authority, token, caller, now)
}

/// Refuses a token that comes from elsewhere than it may.
fn from_its_networks(
    authority: &Authority,
    token: Arc<VerifiedAccessToken>,
    caller: &Caller,
    now: Timestamp,
) -> Result<Arc<VerifiedAccessToken>, BearerRefused> {
    match restrained::good_from(authority, &token, now) {
        Some(from) if from.admits(caller.ip) => Ok(token),
        _ => Err(BearerRefused::NotInOrder(Reason::Network, token)),
    }
}

async fn judge(
    authority: &Authority,
    presented: &Presented,
    certificate: Option<&ClientCertificate>,
    demand: Demand,
    now: Timestamp,
) -> Result<Arc<VerifiedAccessToken>, BearerRefused> {
    let token = presented_token::verify(authority, presented.token.expose(), demand.audiences, now)
        .map_err(|error| match error {
            NotVerified::Refused(refused) => {
                let bait = authority.store().honeytokens().recognise(&refused);
                BearerRefused::Unverified(bait.unwrap_or(refused))
            }
            NotVerified::Store(error) => error.into(),
        })?;
    let token = bind(authority, token, presented, certificate, demand.place.as_ref(), now)?;
    if let Some(reason) = presented_token::objection(authority, &token, now).await? {
        return Err(BearerRefused::NotInOrder(reason, token));
    }
    let scopes = presented_token::scopes_left(authority, &token, now);
    if !demand.scopes.iter().any(|scope| scopes.contains(scope)) {
        let asked = demand.scopes.first().copied().unwrap_or_default();
        return Err(BearerRefused::Scope(asked, token));
    }
    Ok(token)
}

// === impl BearerRefused ===

impl BearerRefused {
    /// The reason code for events; `None` for a failure of ours.
    pub(crate) fn reason(&self) -> Option<Refused> {
        Some(match self {
            Self::Bound(_) => Reason::DpopMissing.into(),
            Self::BoundToAnother(_) | Self::NotBound(_) => Reason::DpopMismatch.into(),
            Self::Possession(PossessionRefused::Odd, _) => Reason::DpopMismatch.into(),
            Self::Possession(PossessionRefused::Proof { refused, .. }, _) => {
                refused.reason().into()
            }
            Self::Blocked => Reason::Blocked.into(),
            Self::Form(_) | Self::HeaderForm | Self::InQuery => Reason::Malformed.into(),
            Self::NoToken => Reason::NoToken.into(),
            Self::Certificate(_) => Reason::MtlsMismatch.into(),
            Self::NotInOrder(reason, _) => (*reason).into(),
            Self::Scope(..) => Reason::InsufficientScope.into(),
            Self::Store(_) => return None,
            Self::TwoTokens => Reason::TwoTokens.into(),
            Self::Unverified(refused) => refused.refused.clone(),
        })
    }

    /// The registered error code.
    fn code(&self) -> OAuthErrorCode {
        match self {
            Self::Blocked => OAuthErrorCode::AccessDenied,
            Self::Form(error) => error.code,
            Self::NotInOrder(Reason::StepUp, _) => OAuthErrorCode::InsufficientUserAuthentication,
            Self::HeaderForm | Self::InQuery | Self::TwoTokens => OAuthErrorCode::InvalidRequest,
            Self::Bound(_)
            | Self::BoundToAnother(_)
            | Self::Certificate(_)
            | Self::NoToken
            | Self::NotBound(_)
            | Self::NotInOrder(..)
            | Self::Unverified(_) => OAuthErrorCode::InvalidToken,
            Self::Possession(refused, _) => refused.code(),
            Self::Scope(..) => OAuthErrorCode::InsufficientScope,
            Self::Store(_) => OAuthErrorCode::ServerError,
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Blocked | Self::Scope(..) => StatusCode::FORBIDDEN,
            Self::Form(error) => error.status,
            Self::HeaderForm | Self::InQuery | Self::TwoTokens => StatusCode::BAD_REQUEST,
            Self::Bound(_)
            | Self::BoundToAnother(_)
            | Self::Certificate(_)
            | Self::NoToken
            | Self::NotBound(_)
            | Self::NotInOrder(..)
            | Self::Possession(..)
            | Self::Unverified(_) => StatusCode::UNAUTHORIZED,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whose token it was, or whose it says it is.
    pub(crate) fn who(&self) -> Who {
        match self {
            Self::Bound(token)
            | Self::BoundToAnother(token)
            | Self::Certificate(token)
            | Self::NotBound(token)
            | Self::NotInOrder(_, token)
            | Self::Possession(_, token)
            | Self::Scope(_, token) => Who::verified(token.facts()),
            Self::Unverified(refused) => Who::claimed(&refused.claimed),
            _ => Who::default(),
        }
    }

    /// The scopes of a token that verified.
    pub(crate) fn scopes(&self) -> ScopeSet {
        match self {
            Self::NotInOrder(_, token) | Self::Scope(_, token) => token.scopes().clone(),
            _ => ScopeSet::default(),
        }
    }

    /// The challenge of RFC 6750 §3, where there is one. No error code when no token was sent.
    pub fn challenge(&self) -> Option<String> {
        const BARE: &str = r#"Bearer realm="tokenward""#;
        let error = match self {
            Self::Bound(_) | Self::BoundToAnother(_) | Self::Possession(..) => {
                let algorithms: Vec<&str> =
                    Algorithm::ALL.iter().map(|known| known.as_str()).collect();
                return Some(format!(
                    r#"DPoP algs="{}", error="{}", error_description="{self}""#,
                    algorithms.join(" "),
                    self.code(),
                ));
            }
            Self::Blocked | Self::Form(_) | Self::Store(_) => return None,
            Self::NoToken => return Some(BARE.to_owned()),
            Self::HeaderForm | Self::InQuery | Self::TwoTokens => OAuthErrorCode::InvalidRequest,
            Self::NotInOrder(Reason::StepUp, _) => {
                // RFC 9470 §3: a sign-in that begins now is new enough.
                let error = OAuthErrorCode::InsufficientUserAuthentication;
                let words = r#"error_description="the person has to sign in again""#;
                return Some(format!(r#"{BARE}, error="{error}", {words}, max_age="0""#));
            }
            Self::Certificate(_)
            | Self::NotBound(_)
            | Self::NotInOrder(..)
            | Self::Unverified(_) => OAuthErrorCode::InvalidToken,
            Self::Scope(scope, _) => {
                let error = OAuthErrorCode::InsufficientScope;
                return Some(format!(r#"{BARE}, error="{error}", scope="{scope}""#));
            }
        };
        Some(format!(r#"{BARE}, error="{error}", error_description="{self}""#))
    }
}

impl From<BearerRefused> for OAuthError {
    fn from(refused: BearerRefused) -> Self {
        match refused {
            BearerRefused::Form(error) => error,
            BearerRefused::Possession(refused, _) => {
                Self::from(refused).with_status(StatusCode::UNAUTHORIZED)
            }
            BearerRefused::Store(error) => error.into(),
            other => Self::new(other.code(), other.to_string()).with_status(other.status()),
        }
    }
}
