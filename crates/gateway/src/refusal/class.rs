//! What a fault is on the wire: status, error code and challenge.

use http::StatusCode;
use token::term::OAuthErrorCode;

/// What a fault is on the wire: status, error code and challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// 400 `invalid_request`.
    BadRequest,
    /// 413.
    ContentTooLarge,
    /// 431 (RFC 6585 §5).
    FieldsTooLarge,
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
    /// 408.
    RequestTimeout,
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

// === impl Class ===

impl Class {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::FieldsTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
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

    pub(super) fn error(self) -> &'static str {
        match self {
            Self::BadRequest | Self::UriTooLong => OAuthErrorCode::InvalidRequest.as_str(),
            Self::FieldsTooLarge => "header_fields_too_large",
            Self::RequestTimeout => "request_timeout",
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
