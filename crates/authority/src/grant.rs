//! The grants of the token endpoint, one per file, and why one is refused.

pub mod authorization_code;
pub mod ciba;
pub mod client_credentials;
pub mod device_code;
pub(crate) mod first;
pub mod jwt_bearer;
pub mod refresh_token;
pub mod token_exchange;

use bytes::Bytes;
use store::{Grant, StoreError};
use token::cnf::Confirmation;
use token::event::{GrantCause, Who};
use token::id::{GrantId, KeyId};
use token::jwk::BadKey;
use token::scope::ScopeSet;
use token::term::{GrantType, OAuthErrorCode, parameter};
use token::time::Timestamp;

use crate::caller::Caller;
use crate::client_auth::AuthenticatedClient;
use crate::foreign::ForeignRefused;
use crate::grant::token_exchange::ExchangeRefused;
use crate::issue::NotIssued;
use crate::oauth_error::OAuthError;
use crate::parameters::{Parameters, ParametersRefused};
use crate::possession::PossessionRefused;
use crate::rule::authorization_details::DetailsRefused;
use crate::rule::pkce::PkceRefused;
use crate::rule::resource::ResourceRefused;
use crate::rule::scope::ScopeRefused;
use crate::state::Authority;

/// A token request whose client is known.
pub(crate) struct TokenRequest<'a> {
    pub(crate) client: &'a AuthenticatedClient,
    pub(crate) parameters: &'a Parameters,
    pub(crate) caller: &'a Caller,
    /// The key that the client has shown.
    pub(crate) jkt: Option<KeyId>,
    pub(crate) now: Timestamp,
}

/// A token request that was granted.
pub(crate) struct Granted {
    /// The response's JSON.
    pub(crate) body: Bytes,
    /// Whom it is about.
    pub(crate) who: Who,
    /// What was given.
    pub(crate) scopes: ScopeSet,
}

/// Why a token request is refused.
#[derive(Debug, thiserror::Error)]
pub enum GrantRefused {
    /// An identity assertion for another client.
    #[error("the assertion was issued to another client")]
    AssertionForAnother,
    /// An identity assertion that was used before.
    #[error("the assertion was used before; have a new one issued")]
    AssertionReplayed,
    /// Tokens that are bound to a certificate need one (RFC 8705 §3).
    #[error("this client's tokens are bound to its certificate; show it")]
    CertificateMissing,
    /// The client was not registered for this grant type.
    #[error("the client is not registered for the grant type `{0}`")]
    ClientMayNot(GrantType),
    /// The code is older than its life.
    #[error("the authorization code has expired; start again at the authorization endpoint")]
    CodeExpired(Box<Grant>),
    /// The code was redeemed before: whoever has it now may have stolen it.
    #[error("the authorization code was used before; every token made from it is revoked")]
    CodeReplayed(Box<Grant>),
    /// No such code.
    #[error("the authorization code is unknown")]
    CodeUnknown,
    /// The person said no (RFC 8628 §3.5).
    #[error("the person refused the request")]
    Denied,
    /// Nobody decided in time (RFC 8628 §3.5).
    #[error("nobody decided in time; start again")]
    DeviceCodeExpired,
    /// No such device code.
    #[error("the device code is unknown")]
    DeviceCodeUnknown,
    /// The device code was redeemed before.
    #[error("the device code was used before; every token made from it is revoked")]
    DeviceCodeReplayed(Box<Grant>),
    /// A token that cannot be traded (RFC 8693 §2.2.2).
    #[error(transparent)]
    Exchange(#[from] ExchangeRefused),
    /// RFC 9396 §5.
    #[error(transparent)]
    Details(#[from] DetailsRefused),
    /// A token of another issuer that is not taken (RFC 7521 §4.1.1).
    #[error(transparent)]
    Foreign(#[from] ForeignRefused),
    /// Another instance of the client than the one that got the grant.
    #[error("the refresh token was issued to another instance of the client")]
    InstanceMismatch(Box<Grant>),
    /// A parameter is missing.
    #[error(transparent)]
    Parameters(#[from] ParametersRefused),
    /// Nobody has decided yet (RFC 8628 §3.5).
    #[error("nobody has decided yet; ask again in {0} s")]
    Pending(u64),
    /// The person is gone, disabled or suspended.
    #[error("the person behind this grant is disabled")]
    PersonDisabled,
    /// The enterprise vouches for somebody who is not here.
    #[error("the assertion is about somebody who has no account here")]
    PersonUnknown,
    /// The verifier does not fit the challenge (RFC 7636 §4.6).
    #[error("{refused}")]
    PkceFailed {
        /// What does not fit.
        refused: PkceRefused,
        /// The grant that was not given.
        grant: Box<Grant>,
    },
    /// A token request without the proof of possession that it needs.
    #[error("the field `DPoP` with a proof of possession is missing")]
    ProofMissing,
    /// The proof is by another key than the grant is bound to.
    #[error("the grant is bound to another key than the proof of possession is made with")]
    ProofMismatch(Box<Grant>),
    /// A proof of possession that is not taken.
    #[error(transparent)]
    Possession(#[from] PossessionRefused),
    /// A public client cannot act for itself (RFC 6749 §4.4).
    #[error("a public client cannot use this grant type: it has nothing to show")]
    PublicClient,
    /// Another redirect URI than at the authorization endpoint (RFC 6749 §4.1.3).
    #[error("`redirect_uri` is not the one that the authorization request had")]
    RedirectUriMismatch,
    /// The refresh token lay unused too long, or its grant came to its end.
    #[error("the refresh token has expired; the person has to sign in again")]
    RefreshExpired(Box<Grant>),
    /// A used refresh token came back from elsewhere.
    #[error("the refresh token was used before; every token of its grant is revoked")]
    RefreshReused(Box<Grant>),
    /// No such refresh token.
    #[error("the refresh token is unknown")]
    RefreshUnknown,
    /// RFC 8707.
    #[error(transparent)]
    Resource(#[from] ResourceRefused),
    /// RFC 6749 §3.3 and §6.
    #[error("{refused}")]
    Scope {
        /// What is wrong with the scopes.
        refused: ScopeRefused,
        /// Whose grant would have been exceeded.
        grant: Option<Box<Grant>>,
    },
    /// The cryptographic library failed.
    #[error(transparent)]
    Signing(#[from] BadKey),
    /// Nobody has decided yet, and the client does not wait as it was told (RFC 8628 §3.5).
    #[error("nobody has decided yet, and this was too soon; from now on wait {0} s each time")]
    SlowDown(u64),
    /// The client is suspended as the subject of its own tokens.
    #[error("the client is suspended where it acts for itself")]
    ServiceSuspended,
    /// State could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Revoked, ended or suspended.
    #[error("the grant was taken back; the person has to sign in again")]
    TakenBack,
    /// Nobody here knows this grant type.
    #[error("the grant type is not supported; the metadata document names those that are")]
    UnsupportedGrantType,
    /// The code or refresh token was given to another client.
    #[error("the code or token was issued to another client")]
    WrongClient(GrantId),
}

/// Decides a token request by its grant type.
pub(crate) async fn decide(
    authority: &Authority,
    request: &TokenRequest<'_>,
    grant_type: GrantType,
) -> Result<Granted, GrantRefused> {
    match grant_type {
        GrantType::AuthorizationCode => authorization_code::decide(authority, request).await,
        GrantType::Ciba => ciba::decide(authority, request).await,
        GrantType::ClientCredentials => client_credentials::decide(authority, request).await,
        GrantType::DeviceCode => device_code::decide(authority, request).await,
        GrantType::JwtBearer => jwt_bearer::decide(authority, request).await,
        GrantType::RefreshToken => refresh_token::decide(authority, request).await,
        GrantType::TokenExchange => token_exchange::decide(authority, request).await,
    }
}

/// Holds the keys that the client has shown against the one that its grant is bound to: the key of its
/// proof, and that of its attested instance.
pub(crate) fn check_key(request: &TokenRequest<'_>, grant: &Grant) -> Result<(), GrantRefused> {
    let Some(bound) = &grant.jkt else { return Ok(()) };
    match (&request.jkt, request.client.instance()) {
        (None, None) => Err(GrantRefused::ProofMissing),
        (proof, instance) if proof.as_ref() == Some(bound) || instance == Some(bound) => Ok(()),
        _ => Err(GrantRefused::ProofMismatch(Box::new(grant.clone()))),
    }
}

/// The same where a grant is refreshed. An attested instance has to be the very one that got the grant
/// (draft-ietf-oauth-attestation-based-client-auth-10 §9.3).
pub(crate) fn check_refresher(
    request: &TokenRequest<'_>,
    grant: &Grant,
) -> Result<(), GrantRefused> {
    match request.client.instance() {
        Some(instance) if grant.jkt.as_ref() == Some(instance) => Ok(()),
        Some(_) => Err(GrantRefused::InstanceMismatch(Box::new(grant.clone()))),
        None => check_key(request, grant),
    }
}

/// The grant type that is asked for.
pub(crate) fn grant_type(parameters: &Parameters) -> Result<GrantType, GrantRefused> {
    let text = parameters.required(parameter::GRANT_TYPE)?;
    text.parse().map_err(|_| GrantRefused::UnsupportedGrantType)
}

// === impl TokenRequest ===

impl TokenRequest<'_> {
    /// What the tokens of this request are bound to.
    pub(crate) fn binding(&self) -> Option<Confirmation> {
        let bound = self.client.client().options.tls_client_certificate_bound_access_tokens;
        let certificate = self.caller.certificate.as_ref().filter(|_| bound);
        let x5t_s256 = certificate.map(|certificate| certificate.thumbprint().to_owned());
        let jkt = self.jkt.clone();
        let is_bound = jkt.is_some() || x5t_s256.is_some();
        is_bound.then_some(Confirmation { jkt, x5t_s256, unknown: false })
    }
}

// === impl GrantRefused ===

impl GrantRefused {
    /// What detectors are told.
    pub fn cause(&self) -> Option<GrantCause> {
        match self {
            Self::CodeExpired(_) | Self::DeviceCodeExpired | Self::RefreshExpired(_) => {
                Some(GrantCause::Expired)
            }
            Self::CodeReplayed(_) | Self::DeviceCodeReplayed(_) => Some(GrantCause::CodeReplayed),
            Self::PkceFailed { .. } => Some(GrantCause::PkceFailed),
            Self::RefreshReused(_) => Some(GrantCause::RefreshReused),
            Self::Scope { refused: ScopeRefused::Wider(_), .. } => Some(GrantCause::ScopeExceeded),
            Self::WrongClient(_) => Some(GrantCause::WrongClient),
            Self::AssertionForAnother
            | Self::AssertionReplayed
            | Self::CertificateMissing
            | Self::ClientMayNot(_)
            | Self::CodeUnknown
            | Self::Denied
            | Self::Details(_)
            | Self::DeviceCodeUnknown
            | Self::Exchange(_)
            | Self::Foreign(_)
            | Self::InstanceMismatch(_)
            | Self::Parameters(_)
            | Self::Pending(_)
            | Self::PersonDisabled
            | Self::PersonUnknown
            | Self::Possession(_)
            | Self::ProofMismatch(_)
            | Self::ServiceSuspended
            | Self::ProofMissing
            | Self::PublicClient
            | Self::RedirectUriMismatch
            | Self::RefreshUnknown
            | Self::Resource(_)
            | Self::Scope { .. }
            | Self::Signing(_)
            | Self::SlowDown(_)
            | Self::Store(_)
            | Self::TakenBack
            | Self::UnsupportedGrantType => None,
        }
    }

    /// Whether somebody may be trying what they do not have.
    pub(crate) fn is_guess(&self) -> bool {
        matches!(
            self,
            Self::CodeUnknown
                | Self::DeviceCodeUnknown
                | Self::Foreign(_)
                | Self::PkceFailed { .. }
                | Self::RefreshUnknown
        )
    }

    /// The registered error code.
    pub fn code(&self) -> OAuthErrorCode {
        match self {
            Self::CertificateMissing | Self::Exchange(_) | Self::Parameters(_) => {
                OAuthErrorCode::InvalidRequest
            }
            Self::Denied => OAuthErrorCode::AccessDenied,
            Self::Details(_) => OAuthErrorCode::InvalidAuthorizationDetails,
            Self::DeviceCodeExpired => OAuthErrorCode::ExpiredToken,
            Self::Pending(_) => OAuthErrorCode::AuthorizationPending,
            Self::SlowDown(_) => OAuthErrorCode::SlowDown,
            Self::Possession(refused) => refused.code(),
            Self::ProofMissing => OAuthErrorCode::InvalidDpopProof,
            Self::Signing(_) | Self::Store(_) | Self::Foreign(ForeignRefused::Store(_)) => {
                OAuthErrorCode::ServerError
            }
            Self::ClientMayNot(_) | Self::PublicClient => OAuthErrorCode::UnauthorizedClient,
            Self::Resource(_) => OAuthErrorCode::InvalidTarget,
            Self::Scope { .. } => OAuthErrorCode::InvalidScope,
            Self::UnsupportedGrantType => OAuthErrorCode::UnsupportedGrantType,
            Self::AssertionForAnother
            | Self::AssertionReplayed
            | Self::CodeExpired(_)
            | Self::CodeReplayed(_)
            | Self::CodeUnknown
            | Self::Foreign(_)
            | Self::InstanceMismatch(_)
            | Self::PersonUnknown
            | Self::DeviceCodeReplayed(_)
            | Self::DeviceCodeUnknown
            | Self::PersonDisabled
            | Self::PkceFailed { .. }
            | Self::ProofMismatch(_)
            | Self::ServiceSuspended
            | Self::RedirectUriMismatch
            | Self::RefreshExpired(_)
            | Self::RefreshReused(_)
            | Self::RefreshUnknown
            | Self::TakenBack
            | Self::WrongClient(_) => OAuthErrorCode::InvalidGrant,
        }
    }

    /// Whom the refusal is about, beside the client that asked.
    pub fn who(&self, client: &AuthenticatedClient) -> Who {
        let asking = Who { client: Some(client.id().clone()), ..Who::default() };
        match self {
            Self::CodeExpired(grant)
            | Self::CodeReplayed(grant)
            | Self::DeviceCodeReplayed(grant)
            | Self::InstanceMismatch(grant)
            | Self::PkceFailed { grant, .. }
            | Self::ProofMismatch(grant)
            | Self::RefreshExpired(grant)
            | Self::RefreshReused(grant)
            | Self::Scope { grant: Some(grant), .. } => Who {
                subject: Some(grant.subject.clone()),
                grant: Some(grant.id.clone()),
                session: grant.session.clone(),
                ..asking
            },
            Self::WrongClient(grant) => Who { grant: Some(grant.clone()), ..asking },
            _ => asking,
        }
    }
}

impl From<ScopeRefused> for GrantRefused {
    fn from(refused: ScopeRefused) -> Self {
        Self::Scope { refused, grant: None }
    }
}

impl From<NotIssued> for GrantRefused {
    fn from(error: NotIssued) -> Self {
        match error {
            NotIssued::Signing(error) => error.into(),
            NotIssued::Store(error) => error.into(),
        }
    }
}

impl From<GrantRefused> for OAuthError {
    fn from(refused: GrantRefused) -> Self {
        match refused {
            GrantRefused::Parameters(refused) => refused.into(),
            GrantRefused::Foreign(ForeignRefused::Store(error)) => error.into(),
            GrantRefused::Possession(refused) => refused.into(),
            GrantRefused::Signing(error) => error.into(),
            GrantRefused::Store(error) => error.into(),
            other => Self::new(other.code(), other.to_string()),
        }
    }
}
