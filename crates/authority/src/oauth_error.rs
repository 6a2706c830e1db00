//! What an OAuth endpoint answers when it refuses (RFC 6749 §5.2, RFC 6750 §3.1).

use http::StatusCode;
use store::StoreError;
use token::jwk::BadKey;
use token::term::OAuthErrorCode;

use crate::login::throttle::Throttled;
use crate::parameters::ParametersRefused;

const MAX_DESCRIPTION_CHARS: usize = 300;

/// A refusal as its caller may read it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct OAuthError {
    /// The registered code.
    pub code: OAuthErrorCode,
    /// What is wrong and how to mend it; only characters that RFC 6749 §5.2 allows.
    pub description: String,
    /// The HTTP status where the refusal is the answer itself (it may also travel in a redirect).
    pub status: StatusCode,
    /// The nonce that the next proof of possession needs (RFC 9449 §8).
    pub dpop_nonce: Option<String>,
    /// The challenge that the next proof of an attested key needs
    /// (draft-ietf-oauth-attestation-based-client-auth-10 §6.2).
    pub attestation_challenge: Option<String>,
    /// Seconds until another try makes sense.
    pub retry_after: Option<u64>,
}

// === impl OAuthError ===

impl OAuthError {
    /// A refusal with the status that its code has.
    pub fn new(code: OAuthErrorCode, description: impl AsRef<str>) -> Self {
        let allowed = |c: char| match c {
            '"' | '\\' => '\'',
            ' '..='~' => c,
            _ => '?',
        };
        let description =
            description.as_ref().chars().map(allowed).take(MAX_DESCRIPTION_CHARS).collect();
        let status = status(code);
        let (dpop_nonce, attestation_challenge, retry_after) = (None, None, None);
        Self { code, description, status, dpop_nonce, attestation_challenge, retry_after }
    }

    /// `invalid_request`.
    pub fn invalid_request(description: impl AsRef<str>) -> Self {
        Self::new(OAuthErrorCode::InvalidRequest, description)
    }

    /// The same refusal under another HTTP status.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The same refusal with a nonce.
    #[must_use]
    pub fn with_nonce(self, nonce: &str) -> Self {
        Self { dpop_nonce: Some(nonce.to_owned()), ..self }
    }

    /// The same refusal with a challenge.
    #[must_use]
    pub(crate) fn with_challenge(self, challenge: String) -> Self {
        Self { attestation_challenge: Some(challenge), ..self }
    }

    /// Too many tries (RFC 6585 §4).
    pub fn throttled(throttled: &Throttled) -> Self {
        let mut error = Self::new(OAuthErrorCode::TemporarilyUnavailable, throttled.to_string());
        error.status = StatusCode::TOO_MANY_REQUESTS;
        error.retry_after = Some(throttled.wait.as_secs().max(1));
        error
    }

    /// A failure of ours: the log has the cause, the caller learns only that it was not theirs.
    pub fn internal(cause: &dyn std::error::Error) -> Self {
        tracing::error!(cause = %cause, "request failed");
        Self::new(OAuthErrorCode::ServerError, "something failed here; the log says what")
    }
}

impl From<ParametersRefused> for OAuthError {
    fn from(refused: ParametersRefused) -> Self {
        Self::invalid_request(refused.to_string())
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed | StoreError::Overloaded => {
                tracing::warn!(cause = %error, "request turned away");
                let words = "the server is busy or stopping; try again shortly";
                Self::new(OAuthErrorCode::TemporarilyUnavailable, words)
            }
            other => Self::internal(&other),
        }
    }
}

impl From<BadKey> for OAuthError {
    fn from(error: BadKey) -> Self {
        Self::internal(&error)
    }
}

fn status(code: OAuthErrorCode) -> StatusCode {
    use OAuthErrorCode as Code;
    match code {
        Code::InsufficientUserAuthentication | Code::InvalidClient | Code::InvalidToken => {
            StatusCode::UNAUTHORIZED
        }
        Code::InsufficientScope => StatusCode::FORBIDDEN,
        Code::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        Code::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::AccessDenied
        | Code::AuthorizationPending
        | Code::ConsentRequired
        | Code::ExpiredToken
        | Code::InvalidAuthorizationDetails
        | Code::InvalidBindingMessage
        | Code::InvalidClientMetadata
        | Code::InvalidDpopProof
        | Code::InvalidGrant
        | Code::InvalidRedirectUri
        | Code::InvalidRequest
        | Code::InvalidRequestObject
        | Code::InvalidSoftwareStatement
        | Code::InvalidScope
        | Code::InvalidTarget
        | Code::LoginRequired
        | Code::RegistrationNotSupported
        | Code::RequestUriNotSupported
        | Code::SlowDown
        | Code::UnapprovedSoftwareStatement
        | Code::UnauthorizedClient
        | Code::UnknownUserId
        | Code::UnmetAuthenticationRequirements
        | Code::UnsupportedGrantType
        | Code::UnsupportedResponseType
        | Code::UnsupportedTokenType
        | Code::UseAttestationChallenge
        | Code::UseDpopNonce
        | Code::UseFreshAttestation => StatusCode::BAD_REQUEST,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use token::term::OAuthErrorCode;

    use super::OAuthError;

    #[test]
    fn a_description_keeps_to_the_allowed_characters() {
        let error = OAuthError::invalid_request("a \"b\" \\ é\n`c`");
        assert_eq!(error.description, "a 'b' ' ??`c`");
        assert_eq!(OAuthError::invalid_request("x".repeat(999)).description.len(), 300);
    }

    #[test]
    fn every_code_has_its_status() {
        for code in OAuthErrorCode::ALL {
            let expected = match code {
                OAuthErrorCode::InsufficientUserAuthentication
                | OAuthErrorCode::InvalidClient
                | OAuthErrorCode::InvalidToken => 401,
                OAuthErrorCode::InsufficientScope => 403,
                OAuthErrorCode::ServerError => 500,
                OAuthErrorCode::TemporarilyUnavailable => 503,
                _ => 400,
            };
            assert_eq!(OAuthError::new(*code, "").status.as_u16(), expected, "{code}");
        }
        let error = OAuthError::invalid_request("").with_status(StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(error.status.as_u16(), 413);
    }
}
