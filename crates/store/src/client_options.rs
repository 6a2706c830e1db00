//! What a client may register beside its name and addresses (RFC 7591 §2, OpenID Connect Dynamic Client Registration 1.0 §2).

use serde::{Deserialize, Serialize};
use token::scope::ScopeSet;
use token::term::{Algorithm, ContentEncryption, DeliveryMode, KeyManagement, Profile};

/// The rest of a client's registration, each member by its name on the wire. Absent members have the
/// meaning that their specification gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientOptions {
    /// Its public keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// Where its public keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// With which algorithm its assertions are signed; any, without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<Algorithm>,
    /// Who alone attests its instances; whoever is trusted, without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_attester: Option<String>,
    /// Every token request has to have a proof of possession (RFC 9449 §5.2).
    #[serde(skip_serializing_if = "is_false")]
    pub dpop_bound_access_tokens: bool,
    /// Authorization requests have to be pushed (RFC 9126 §6).
    #[serde(skip_serializing_if = "is_false")]
    pub require_pushed_authorization_requests: bool,
    /// It may leave PKCE out, where it authenticates and asks for an ID token.
    #[serde(skip_serializing_if = "is_false")]
    pub pkce_optional: bool,
    /// With which algorithm its ID tokens are signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// How its ID tokens' content key is encrypted; without it they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<KeyManagement>,
    /// How its ID tokens' content is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<ContentEncryption>,
    /// With which algorithm its signed authorization responses are signed (JARM §3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_signed_response_alg: Option<Algorithm>,
    /// How those are encrypted; without it they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_alg: Option<KeyManagement>,
    /// How their content is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_enc: Option<ContentEncryption>,
    /// With which algorithm its UserInfo is signed; without it, it is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// How it is encrypted; without it, it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<KeyManagement>,
    /// How its content is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<ContentEncryption>,
    /// With which algorithm signed introspection responses are signed (RFC 9701 §6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<Algorithm>,
    /// How those are encrypted; without it they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_alg: Option<KeyManagement>,
    /// How their content is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_enc: Option<ContentEncryption>,
    /// With which algorithm its request objects are signed; any, without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<Algorithm>,
    /// Authorization requests have to be signed (RFC 9101 §10.5).
    #[serde(skip_serializing_if = "is_false")]
    pub require_signed_request_object: bool,
    /// Where people may be sent after signing out (OpenID Connect RP-Initiated Logout 1.0 §3.1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where the client is told that somebody has signed out (OpenID Connect Back-Channel Logout 1.0
    /// §2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether it wants to know which session it was; it is always told.
    #[serde(skip_serializing_if = "is_false")]
    pub backchannel_logout_session_required: bool,
    /// Scopes that people may leave out of what it asks for; it cannot do without the others.
    #[serde(skip_serializing_if = "ScopeSet::is_empty")]
    pub optional_scopes: ScopeSet,
    /// Types of `authorization_details` that it may ask for (RFC 9396 §10).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types: Vec<String>,
    /// Clients that may act with its tokens (RFC 8693 §4.4).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub may_act: Vec<String>,
    /// For whom it can have tokens exchanged, beside those that they are for already.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exchange_audiences: Vec<String>,
    /// The one name that its certificate has.
    #[serde(flatten)]
    pub tls_client_auth: CertificateSubject,
    /// Its access tokens are bound to its certificate (RFC 8705 §3.4).
    #[serde(skip_serializing_if = "is_false")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// How it learns of decisions that it asked for by the back channel (CIBA Core 1.0 §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_token_delivery_mode: Option<DeliveryMode>,
    /// Where it is told of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_client_notification_endpoint: Option<String>,
    /// A profile that it keeps as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Life of its access tokens in seconds, where it is shorter than usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_life: Option<u64>,
    /// How long its refresh tokens may lie unused, in seconds, where it is shorter than usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_idle_life: Option<u64>,
    /// How long its grants live, in seconds, where it is shorter than usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_absolute_life: Option<u64>,
    /// Its people have to prove more than a password.
    #[serde(skip_serializing_if = "is_false")]
    pub require_mfa: bool,
    /// How old a sign-in may be at most, in seconds, where a request does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
}

/// The name in a client's certificate (RFC 8705 §2.1.2): one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CertificateSubject {
    /// Its subject, as RFC 4514 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_subject_dn: Option<String>,
    /// A host in its subject alternative name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_dns: Option<String>,
    /// A URI there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_uri: Option<String>,
    /// An IP address there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_ip: Option<String>,
    /// An e-mail address there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_email: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_false(value: &bool) -> bool {
    !value
}
