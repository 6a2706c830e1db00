//! What this server can do: RFC 8414 §2 and OpenID Connect Discovery 1.0 §3, one document.

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use serde_json::json;
use token::term::{Algorithm, ClientAuthMethod, ContentEncryption, GrantType, OAuthErrorCode};

use crate::endpoint::answer;
use crate::oauth_error::OAuthError;
use crate::register::ENCRYPTION_ALGS;
use crate::settings::Settings;
use crate::state::Authority;

const MAX_AGE_SECS: u32 = 300;

/// The document, ready to be sent.
pub(crate) struct Metadata(Bytes);

/// `GET /.well-known/oauth-authorization-server` and `/.well-known/openid-configuration`
pub(crate) async fn metadata(State(authority): State<Authority>) -> Response {
    answer::public_json(authority.metadata().0.clone(), MAX_AGE_SECS)
}

// === impl Metadata ===

impl Metadata {
    pub(crate) fn of(settings: &Settings) -> Self {
        let url = |path| settings.url(path);
        let built_in = Settings::BUILT_IN_SCOPES.iter().map(|(name, _)| *name);
        let scopes: Vec<&str> =
            built_in.chain(settings.scopes.iter().map(|scope| scope.name.as_str())).collect();
        let with_secret = [
            ClientAuthMethod::ClientSecretBasic,
            ClientAuthMethod::ClientSecretPost,
            ClientAuthMethod::PrivateKeyJwt,
        ];
        let document = json!({
            "issuer": settings.issuer,
            "authorization_endpoint": url("/authorize"),
            "token_endpoint": url("/token"),
            "userinfo_endpoint": url("/userinfo"),
            "jwks_uri": url("/.well-known/jwks.json"),
            "registration_endpoint": url("/register"),
            "revocation_endpoint": url("/revoke"),
            "introspection_endpoint": url("/introspect"),
            "device_authorization_endpoint": url("/device_authorization"),
            "pushed_authorization_request_endpoint": url("/par"),
            "require_pushed_authorization_requests": false,
            "restrictions_endpoint": url("/restrictions"),
            "scopes_supported": scopes,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": GrantType::ALL,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": settings.signing_algs,
            "id_token_encryption_alg_values_supported": ENCRYPTION_ALGS,
            "id_token_encryption_enc_values_supported": [ContentEncryption::A256Gcm],
            "token_endpoint_auth_methods_supported": ClientAuthMethod::ALL,
            "token_endpoint_auth_signing_alg_values_supported": Algorithm::ALL,
            "revocation_endpoint_auth_signing_alg_values_supported": Algorithm::ALL,
            "introspection_endpoint_auth_signing_alg_values_supported": Algorithm::ALL,
            "revocation_endpoint_auth_methods_supported": ClientAuthMethod::ALL,
            "introspection_endpoint_auth_methods_supported": with_secret,
            "code_challenge_methods_supported": ["S256"],
            "dpop_signing_alg_values_supported": Algorithm::ALL,
            "prompt_values_supported": ["none", "login", "consent"],
            "claim_types_supported": ["normal"],
            "claims_supported": [
                "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "at_hash", "sid",
                "name", "preferred_username", "email", "email_verified",
            ],
            "claims_parameter_supported": false,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
            "authorization_response_iss_parameter_supported": true,
            "protected_resources": settings.resource_identifiers(),
        });
        Self(Bytes::from(document.to_string()))
    }
}

/// Any other path.
pub(crate) async fn unknown_path() -> OAuthError {
    let words = "there is no endpoint at this path; the metadata documents name them all";
    OAuthError::new(OAuthErrorCode::InvalidRequest, words).with_status(http::StatusCode::NOT_FOUND)
}

/// Any other method of a known path.
pub(crate) async fn wrong_method() -> OAuthError {
    let words = "this endpoint has no such method; the field `Allow` names those it has";
    OAuthError::new(OAuthErrorCode::InvalidRequest, words)
        .with_status(http::StatusCode::METHOD_NOT_ALLOWED)
}
