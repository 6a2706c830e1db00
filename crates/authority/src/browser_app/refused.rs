//! Why an application in a browser is refused something, and what it is told.

use http::StatusCode;
use store::StoreError;
use token::jwk::BadKey;
use token::term::OAuthErrorCode;

use crate::client_auth::ClientAuthRefused;
use crate::grant::GrantRefused;
use crate::oauth_error::OAuthError;
use crate::parameters::ParametersRefused;

/// Why something is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum AppRefused {
    /// The client cannot act.
    #[error("the client of this application cannot be used: {0}")]
    Client(#[from] ClientAuthRefused),
    /// Its tokens are for whoever shows something beside them.
    #[error(
        "the client of this application must be confidential, and its tokens bound to no key and \
         no certificate"
    )]
    ClientUnfit,
    /// The issuer said no.
    #[error("the sign-in was not completed: {0}")]
    Declined(String),
    /// No tokens.
    #[error(transparent)]
    Grant(#[from] GrantRefused),
    /// RFC 9207 §2.4.
    #[error("the answer is from another issuer than the one that was asked")]
    Issuer,
    /// Nothing is under way in this browser.
    #[error("no sign-in is under way in this browser, or it took too long; start again")]
    NoAttempt,
    /// OpenID Connect Core 1.0 §3.1.3.7.
    #[error("the ID token is not the answer to this sign-in; start again")]
    Nonce,
    /// The request's words are wrong.
    #[error(transparent)]
    Parameters(#[from] ParametersRefused),
    /// An open redirect.
    #[error("`return_to` must be a path of this application, such as /orders")]
    ReturnTo,
    /// RFC 6749 §10.12.
    #[error("the answer is not to the sign-in that began in this browser; start again")]
    State,
    /// State could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What we wrote ourselves cannot be read.
    #[error("what is kept for this session cannot be read")]
    Unreadable,
}

// === impl AppRefused ===

impl AppRefused {
    /// Whether it is a failure of ours, which may be over soon.
    pub(super) fn is_ours(&self) -> bool {
        match self {
            Self::Store(_) | Self::Unreadable => true,
            Self::Grant(refused) => refused.code() == OAuthErrorCode::ServerError,
            Self::Client(ClientAuthRefused::Store(_)) => true,
            Self::Client(_)
            | Self::ClientUnfit
            | Self::Declined(_)
            | Self::Issuer
            | Self::NoAttempt
            | Self::Nonce
            | Self::Parameters(_)
            | Self::ReturnTo
            | Self::State => false,
        }
    }
}

impl From<AppRefused> for OAuthError {
    fn from(refused: AppRefused) -> Self {
        let words = refused.to_string();
        match refused {
            AppRefused::Client(ClientAuthRefused::Store(error)) | AppRefused::Store(error) => {
                error.into()
            }
            AppRefused::Client(_) | AppRefused::ClientUnfit => {
                tracing::error!(cause = words, "a browser application is not set up");
                let error = Self::new(OAuthErrorCode::ServerError, words);
                error.with_status(StatusCode::INTERNAL_SERVER_ERROR)
            }
            AppRefused::Declined(_) => {
                Self::new(OAuthErrorCode::AccessDenied, words).with_status(StatusCode::FORBIDDEN)
            }
            AppRefused::Grant(refused) => refused.into(),
            AppRefused::Parameters(refused) => refused.into(),
            AppRefused::Unreadable => Self::internal(&BadKey::Library),
            AppRefused::Issuer
            | AppRefused::NoAttempt
            | AppRefused::Nonce
            | AppRefused::ReturnTo
            | AppRefused::State => Self::invalid_request(words),
        }
    }
}
