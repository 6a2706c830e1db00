//! What this server can do: RFC 8414 §2 and OpenID Connect Discovery 1.0 §3, one document.

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use token::term::{
    Algorithm, ClientAuthMethod, ContentEncryption, DeliveryMode, GrantType, OAuthErrorCode,
    Profile,
};

use crate::endpoint::answer;
use crate::language::Language;
use crate::oauth_error::OAuthError;
use crate::person_claims;
use crate::register::options::ENCRYPTION_ALGS;
use crate::register::policy::Policy;
use crate::rule::acr;
use crate::rule::prompt;
use crate::rule::response_type::ResponseMode;
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
        let parts = [endpoints(settings), requests(settings), clients(settings), answers(settings)];
        let members = parts.into_iter().flat_map(|part| match part {
            Value::Object(members) => members,
            _ => Map::new(),
        });
        Self(Bytes::from(Value::Object(members.collect()).to_string()))
    }
}

fn endpoints(settings: &Settings) -> Value {
    let url = |path| settings.url(path);
    let mut endpoints = json!({
        "issuer": settings.issuer,
        "authorization_endpoint": url("/authorize"),
        "token_endpoint": url("/token"),
        "userinfo_endpoint": url("/userinfo"),
        "jwks_uri": url("/.well-known/jwks.json"),
        "revocation_endpoint": url("/revoke"),
        "introspection_endpoint": url("/introspect"),
        "device_authorization_endpoint": url("/device_authorization"),
        "backchannel_authentication_endpoint": url("/bc-authorize"),
        "backchannel_token_delivery_modes_supported": DeliveryMode::ALL,
        "backchannel_user_code_parameter_supported": false,
        "pushed_authorization_request_endpoint": url("/par"),
        "end_session_endpoint": url("/logout"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "global_token_revocation_endpoint": url("/global-token-revocation"),
        "global_token_revocation_endpoint_auth_methods_supported": ["bearer"],
        "restrictions_endpoint": url("/restrictions"),
        "protected_resources": settings.resource_identifiers(),
    });
    if settings.registration.policy != Policy::Off {
        endpoints["registration_endpoint"] = json!(url("/register"));
    }
    if settings.attestation_challenge {
        endpoints["challenge_endpoint"] = json!(url("/challenge"));
    }
    if settings.publishes_status() {
        endpoints["status_list_aggregation_endpoint"] = url("/status").into();
    }
    endpoints
}

/// What can be asked for, and how.
fn requests(settings: &Settings) -> Value {
    let built_in = Settings::BUILT_IN_SCOPES.iter().copied();
    let scopes: Vec<&str> =
        built_in.chain(settings.scopes.iter().map(|scope| scope.name.as_str())).collect();
    json!({
        "scopes_supported": scopes,
        "grant_types_supported": GrantType::ALL,
        "authorization_details_types_supported": settings
            .authorization_details
            .iter()
            .map(|defined| defined.kind.as_str())
            .collect::<Vec<_>>(),
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::NAMES,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": prompt::KNOWN,
        "acr_values_supported": acr::KNOWN,
        "ui_locales_supported": Language::ALL.map(Language::tag),
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": false,
        "request_object_signing_alg_values_supported": Algorithm::ALL,
        "require_signed_request_object": false,
        "require_pushed_authorization_requests": settings.profile == Some(Profile::Fapi2),
    })
}

/// How clients show who they are.
fn clients(settings: &Settings) -> Value {
    let attested = !settings.attesters.is_empty();
    let by_certificate =
        [ClientAuthMethod::TlsClientAuth, ClientAuthMethod::SelfSignedTlsClientAuth];
    let methods: Vec<ClientAuthMethod> = ClientAuthMethod::ALL
        .iter()
        .copied()
        .filter(|method| settings.mutual_tls || !by_certificate.contains(method))
        .filter(|method| attested || *method != ClientAuthMethod::AttestJwtClientAuth)
        .collect();
    let with_secret: Vec<ClientAuthMethod> =
        methods.iter().copied().filter(|method| *method != ClientAuthMethod::None).collect();
    let mut clients = json!({
        "client_id_metadata_document_supported": settings.client_id_metadata_documents,
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": Algorithm::ALL,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": Algorithm::ALL,
        "introspection_endpoint_auth_methods_supported": with_secret,
        "introspection_endpoint_auth_signing_alg_values_supported": Algorithm::ALL,
        "tls_client_certificate_bound_access_tokens": settings.mutual_tls,
        "dpop_signing_alg_values_supported": Algorithm::ALL,
    });
    if attested {
        clients["client_attestation_signing_alg_values_supported"] = json!(Algorithm::ALL);
        clients["client_attestation_pop_signing_alg_values_supported"] = json!(Algorithm::ALL);
    }
    clients
}

/// What comes back.
fn answers(settings: &Settings) -> Value {
    let claims = ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash"];
    let claims = claims.into_iter().chain(["sid"]);
    let claims: Vec<&str> = claims.chain(person_claims::supported(settings)).collect();
    let mut answers = json!({
        "subject_types_supported": ["public"],
        "claim_types_supported": ["normal"],
        "claims_supported": claims,
        "authorization_response_iss_parameter_supported": true,
        "refresh_token_expiration_types_supported": ["authorization", "token_timeout"],
    });
    for name in ["id_token", "userinfo", "authorization", "introspection"] {
        let member = |rest: &str| format!("{name}_{rest}_values_supported");
        answers[member("signing_alg")] = json!(settings.signing_algs);
        answers[member("encryption_alg")] = json!(ENCRYPTION_ALGS);
        answers[member("encryption_enc")] = json!([ContentEncryption::A256Gcm]);
    }
    answers
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
