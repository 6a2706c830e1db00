//! The protocol's own words, each once: grant types, error codes, methods, types and header names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A word that is not in the list of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown value")]
pub struct UnknownTerm;

macro_rules! terms {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownTerm;

            fn from_str(text: &str) -> Result<Self, UnknownTerm> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or(UnknownTerm)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|_| {
                    let known: Vec<&str> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    let shown: String = text.chars().take(64).collect();
                    de::Error::custom(format!("unknown value `{shown}`, expected one of: {}", known.join(", ")))
                })
            }
        }
    )*};
}

terms! {
    /// `grant_type` (RFC 6749 §4, RFC 7591 §2).
    GrantType {
        /// RFC 6749 §4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 6749 §4.4.
        ClientCredentials = "client_credentials",
        /// RFC 7523 §2.1.
        JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer",
        /// CIBA Core 1.0 §10.1.
        Ciba = "urn:openid:params:grant-type:ciba",
        /// RFC 8628 §3.4.
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        /// RFC 6749 §6.
        RefreshToken = "refresh_token",
        /// RFC 8693 §2.1.
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
    }

    /// How a key pair signs: JWS algorithms with a public half (RFC 7518 §3.1, RFC 8037 §3.1,
    /// RFC 9864 §2.2, RFC 9964 §3). Those with a shared secret are [`MacAlgorithm`]: no key can be
    /// taken for one of the other kind.
    Algorithm {
        /// ECDSA on P-256 with SHA-256.
        Es256 = "ES256",
        /// ECDSA on P-384 with SHA-384.
        Es384 = "ES384",
        /// EdDSA on Curve25519, by the name that says so (RFC 9864).
        Ed25519 = "Ed25519",
        /// The same, by the older name that does not say which curve (RFC 8037).
        EdDsa = "EdDSA",
        /// ML-DSA with the parameter set 44 (FIPS 204).
        MlDsa44 = "ML-DSA-44",
        /// ML-DSA with the parameter set 65 (FIPS 204).
        MlDsa65 = "ML-DSA-65",
        /// RSASSA-PSS with SHA-256.
        Ps256 = "PS256",
        /// RSASSA-PSS with SHA-384.
        Ps384 = "PS384",
        /// RSASSA-PSS with SHA-512.
        Ps512 = "PS512",
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        Rs256 = "RS256",
        /// RSASSA-PKCS1-v1_5 with SHA-384.
        Rs384 = "RS384",
        /// RSASSA-PKCS1-v1_5 with SHA-512.
        Rs512 = "RS512",
    }

    /// How a shared secret signs: HMAC (RFC 7518 §3.2).
    MacAlgorithm {
        /// With SHA-256.
        Hs256 = "HS256",
        /// With SHA-384.
        Hs384 = "HS384",
        /// With SHA-512.
        Hs512 = "HS512",
    }

    /// How a JWE's content key reaches who decrypts (RFC 7518 §4.1). `PBES2` (a flood of work by one
    /// header), `RSA1_5` (Bleichenbacher) and `RSA-OAEP` (SHA-1) are not among them.
    KeyManagement {
        /// The shared secret is the content key.
        Dir = "dir",
        /// The shared secret wraps the content key by AES-256-GCM.
        A256GcmKw = "A256GCMKW",
        /// The content key is agreed on with an ephemeral key.
        EcdhEs = "ECDH-ES",
        /// The key that is agreed on wraps the content key.
        EcdhEsA256Kw = "ECDH-ES+A256KW",
        /// The content key is encrypted to an RSA key, with SHA-256.
        RsaOaep256 = "RSA-OAEP-256",
    }

    /// How a JWE's content is encrypted (RFC 7518 §5.1).
    ContentEncryption {
        /// AES-256-GCM: what we write.
        A256Gcm = "A256GCM",
        /// AES-128-CBC and HMAC-SHA-256, cut to 128 bits: read only.
        A128CbcHs256 = "A128CBC-HS256",
    }

    /// The field in which proxies write whom they speak for.
    AddressField {
        /// The usual one, which no standard describes.
        XForwardedFor = "x-forwarded-for",
        /// RFC 7239 §4.
        Forwarded = "forwarded",
    }

    /// How a client learns of a decision (CIBA Core 1.0 §5).
    DeliveryMode {
        /// It is told, and then asks.
        Ping = "ping",
        /// It asks until there is one.
        Poll = "poll",
    }

    /// What an access token is for whoever holds it.
    TokenFormat {
        /// A JWT (RFC 9068), which a checker reads by itself.
        Jwt = "jwt",
        /// A value that says nothing, and stands for a JWT that is kept here.
        Opaque = "opaque",
    }

    /// A set of rules that is kept as a whole.
    Profile {
        /// FAPI 2.0 Security Profile.
        Fapi2 = "fapi2",
    }

    /// `token_endpoint_auth_method` (RFC 7591 §2).
    ClientAuthMethod {
        /// A key that somebody vouches for (draft-ietf-oauth-attestation-based-client-auth-10 §8).
        AttestJwtClientAuth = "attest_jwt_client_auth",
        /// The secret in the Authorization field (RFC 6749 §2.3.1).
        ClientSecretBasic = "client_secret_basic",
        /// The secret in the body (RFC 6749 §2.3.1).
        ClientSecretPost = "client_secret_post",
        /// A public client.
        None = "none",
        /// An assertion signed with the client's key (RFC 7523 §2.2).
        PrivateKeyJwt = "private_key_jwt",
        /// A certificate that the client made itself (RFC 8705 §2.2).
        SelfSignedTlsClientAuth = "self_signed_tls_client_auth",
        /// A certificate of a trusted authority (RFC 8705 §2.1).
        TlsClientAuth = "tls_client_auth",
    }

    /// Error codes of the OAuth endpoints (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1,
    /// RFC 7009 §2.2.1, RFC 7591 §3.2.2, RFC 8707 §2, OpenID Connect Core 1.0 §3.1.2.6).
    OAuthErrorCode {
        /// The person or the server said no.
        AccessDenied = "access_denied",
        /// Nobody has decided yet (RFC 8628 §3.5).
        AuthorizationPending = "authorization_pending",
        /// Interaction is needed, but was forbidden by `prompt=none`.
        ConsentRequired = "consent_required",
        /// The time to decide is over (RFC 8628 §3.5).
        ExpiredToken = "expired_token",
        /// The token lacks a scope.
        InsufficientScope = "insufficient_scope",
        /// The person has to sign in more recently, or more surely (RFC 9470 §3).
        InsufficientUserAuthentication = "insufficient_user_authentication",
        /// Details that cannot be granted (RFC 9396 §5).
        InvalidAuthorizationDetails = "invalid_authorization_details",
        /// Client authentication failed.
        InvalidClient = "invalid_client",
        /// A member of the registration is wrong.
        InvalidClientMetadata = "invalid_client_metadata",
        /// The message cannot be shown (CIBA Core 1.0 §13).
        InvalidBindingMessage = "invalid_binding_message",
        /// The code, refresh token or its binding is not good.
        InvalidGrant = "invalid_grant",
        /// A redirect URI of the registration is wrong.
        InvalidRedirectUri = "invalid_redirect_uri",
        /// The request is not well formed.
        InvalidRequest = "invalid_request",
        /// The scope is unknown or not allowed.
        InvalidScope = "invalid_scope",
        /// The proof of possession is not good (RFC 9449 §5 and §7.1).
        InvalidDpopProof = "invalid_dpop_proof",
        /// The request object is not good (RFC 9101 §7).
        InvalidRequestObject = "invalid_request_object",
        /// The software statement is not good (RFC 7591 §3.2.2).
        InvalidSoftwareStatement = "invalid_software_statement",
        /// The resource is unknown or not allowed.
        InvalidTarget = "invalid_target",
        /// The access token is not good.
        InvalidToken = "invalid_token",
        /// A sign-in is needed, but was forbidden by `prompt=none`.
        LoginRequired = "login_required",
        /// A client cannot describe itself in a request (OpenID Connect Core 1.0 §3.1.2.6).
        RegistrationNotSupported = "registration_not_supported",
        /// Request objects by reference are not taken.
        RequestUriNotSupported = "request_uri_not_supported",
        /// Something here failed.
        ServerError = "server_error",
        /// Nobody has decided yet, and the client asks too often (RFC 8628 §3.5).
        SlowDown = "slow_down",
        /// Too much to do just now.
        TemporarilyUnavailable = "temporarily_unavailable",
        /// The software statement is not of a publisher who is trusted here (RFC 7591 §3.2.2).
        UnapprovedSoftwareStatement = "unapproved_software_statement",
        /// The client may not use this grant.
        UnauthorizedClient = "unauthorized_client",
        /// Nobody here knows this grant.
        UnsupportedGrantType = "unsupported_grant_type",
        /// Nobody of this name (CIBA Core 1.0 §13).
        UnknownUserId = "unknown_user_id",
        /// The person cannot sign in as surely as is asked for (OpenID Connect Core Unmet
        /// Authentication Requirements 1.0).
        UnmetAuthenticationRequirements = "unmet_authentication_requirements",
        /// Only `code` is known.
        UnsupportedResponseType = "unsupported_response_type",
        /// This kind of token cannot be revoked.
        UnsupportedTokenType = "unsupported_token_type",
        /// The proof of an attested key needs a challenge
        /// (draft-ietf-oauth-attestation-based-client-auth-10 §7.4).
        UseAttestationChallenge = "use_attestation_challenge",
        /// The proof of possession needs a nonce (RFC 9449 §8 and §9).
        UseDpopNonce = "use_dpop_nonce",
        /// The client attestation has expired (draft-ietf-oauth-attestation-based-client-auth-10 §7.4).
        UseFreshAttestation = "use_fresh_attestation",
    }
}

impl Default for AddressField {
    /// What most proxies write.
    fn default() -> Self {
        Self::XForwardedFor
    }
}

impl Default for TokenFormat {
    /// What RFC 9068 has.
    fn default() -> Self {
        Self::Jwt
    }
}

/// Values of the JOSE header `typ`.
pub mod token_type {
    /// RFC 9068 §2.1.
    pub const ACCESS_TOKEN: &str = "at+jwt";
    /// Client assertions (draft-ietf-oauth-rfc7523bis §3).
    pub const CLIENT_ASSERTION: &str = "client-authentication+jwt";
    /// draft-ietf-oauth-attestation-based-client-auth-10 §4.
    pub const CLIENT_ATTESTATION: &str = "oauth-client-attestation+jwt";
    /// draft-ietf-oauth-attestation-based-client-auth-10 §5.1.
    pub const CLIENT_ATTESTATION_PROOF: &str = "oauth-client-attestation-pop+jwt";
    /// RFC 9449 §4.2.
    pub const DPOP_PROOF: &str = "dpop+jwt";
    /// ID tokens have no type of their own.
    pub const ID_TOKEN: &str = "JWT";
    /// RFC 9701 §5.
    pub const INTROSPECTION: &str = "token-introspection+jwt";
    /// What a gateway tells the APIs behind it (our own type, so that it never passes for an access token).
    pub const INTERNAL: &str = "tokenward-internal+jwt";
    /// draft-ietf-oauth-identity-assertion-authz-grant §3.1.
    pub const IDENTITY_ASSERTION: &str = "oauth-id-jag+jwt";
    /// OpenID Connect Back-Channel Logout 1.0 §2.4.
    pub const LOGOUT_TOKEN: &str = "logout+jwt";
    /// RFC 8417 §2.3.
    pub const SECURITY_EVENT: &str = "secevent+jwt";
    /// RFC 9101 §4.
    pub const REQUEST_OBJECT: &str = "oauth-authz-req+jwt";
    /// Token Status List §5.1.
    pub const STATUS_LIST: &str = "statuslist+jwt";
}

/// Scopes with a meaning of their own.
pub mod scope {
    /// Everything in the admin API.
    pub const ADMIN: &str = "tokenward:admin";
    /// Reading in the admin API.
    pub const ADMIN_READ: &str = "tokenward:read";
    /// Reading what was taken back, for services that check tokens themselves.
    pub const RESTRICTIONS: &str = "tokenward:restrictions";
    /// Registering clients (RFC 7591 §3: initial access token).
    pub const REGISTER: &str = "tokenward:register";
    /// OpenID Connect Core 1.0 §3.1.2.1.
    pub const OPENID: &str = "openid";
    /// OpenID Connect Core 1.0 §5.4.
    pub const PROFILE: &str = "profile";
    /// OpenID Connect Core 1.0 §5.4.
    pub const EMAIL: &str = "email";
    /// OpenID Connect Core 1.0 §5.4.
    pub const ADDRESS: &str = "address";
    /// OpenID Connect Core 1.0 §5.4.
    pub const PHONE: &str = "phone";
    /// OpenID Connect Core 1.0 §11.
    pub const OFFLINE_ACCESS: &str = "offline_access";
}

/// Names of request parameters.
pub mod parameter {
    /// RFC 6750 §2.2.
    pub const ACCESS_TOKEN: &str = "access_token";
    /// RFC 8693 §2.1.
    pub const ACTOR_TOKEN: &str = "actor_token";
    /// RFC 8693 §2.1.
    pub const ACTOR_TOKEN_TYPE: &str = "actor_token_type";
    /// RFC 7521 §4.1.
    pub const ASSERTION: &str = "assertion";
    /// RFC 8693 §2.1.
    pub const AUDIENCE: &str = "audience";
    /// RFC 7521 §4.2.
    pub const CLIENT_ASSERTION: &str = "client_assertion";
    /// RFC 7521 §4.2.
    pub const CLIENT_ASSERTION_TYPE: &str = "client_assertion_type";
    /// CIBA Core 1.0 §10.1.
    pub const AUTH_REQ_ID: &str = "auth_req_id";
    /// OpenID Connect Core 1.0 §3.1.2.1.
    pub const ACR_VALUES: &str = "acr_values";
    /// RFC 9396 §2.
    pub const AUTHORIZATION_DETAILS: &str = "authorization_details";
    /// OpenID Connect Core 1.0 §5.5.
    pub const CLAIMS: &str = "claims";
    /// RFC 6749 §2.2.
    pub const CLIENT_ID: &str = "client_id";
    /// RFC 6749 §2.3.1.
    pub const CLIENT_SECRET: &str = "client_secret";
    /// RFC 6749 §4.1.3.
    pub const CODE: &str = "code";
    /// RFC 7636 §4.3.
    pub const CODE_CHALLENGE: &str = "code_challenge";
    /// RFC 7636 §4.3.
    pub const CODE_CHALLENGE_METHOD: &str = "code_challenge_method";
    /// RFC 7636 §4.5.
    pub const CODE_VERIFIER: &str = "code_verifier";
    /// RFC 8628 §3.4.
    pub const DEVICE_CODE: &str = "device_code";
    /// RFC 9449 §10.
    pub const DPOP_JKT: &str = "dpop_jkt";
    /// RFC 6749 §4.1.2.1 and §5.2.
    pub const ERROR: &str = "error";
    /// RFC 6749 §4.1.2.1 and §5.2.
    pub const ERROR_DESCRIPTION: &str = "error_description";
    /// RFC 6749 §4.1.3.
    pub const GRANT_TYPE: &str = "grant_type";
    /// OpenID Connect Core 1.0 §3.1.2.1.
    pub const ID_TOKEN_HINT: &str = "id_token_hint";
    /// RFC 9207 §2.
    pub const ISS: &str = "iss";
    /// OpenID Connect Core 1.0 §3.1.2.1.
    pub const LOGIN_HINT: &str = "login_hint";
    /// OpenID Connect Core 1.0 §3.1.2.1.
    pub const MAX_AGE: &str = "max_age";
    /// OpenID Connect Core 1.0 §3.1.2.1.
    pub const NONCE: &str = "nonce";
    /// OpenID Connect Core 1.0 §3.1.2.1.
    pub const PROMPT: &str = "prompt";
    /// RFC 6749 §3.1.2.
    pub const REDIRECT_URI: &str = "redirect_uri";
    /// RFC 6749 §6.
    pub const REFRESH_TOKEN: &str = "refresh_token";
    /// OpenID Connect Core 1.0 §7.2.1.
    pub const REGISTRATION: &str = "registration";
    /// RFC 9101 §5.
    pub const REQUEST: &str = "request";
    /// RFC 9101 §5.
    pub const REQUEST_URI: &str = "request_uri";
    /// RFC 8693 §2.1.
    pub const REQUESTED_TOKEN_TYPE: &str = "requested_token_type";
    /// RFC 8707 §2.
    pub const RESOURCE: &str = "resource";
    /// JARM §4.1.
    pub const RESPONSE: &str = "response";
    /// OAuth 2.0 Multiple Response Type Encoding Practices §2.1.
    pub const RESPONSE_MODE: &str = "response_mode";
    /// RFC 6749 §3.1.1.
    pub const RESPONSE_TYPE: &str = "response_type";
    /// RFC 6749 §3.3.
    pub const SCOPE: &str = "scope";
    /// RFC 6749 §4.1.1.
    pub const STATE: &str = "state";
    /// RFC 8693 §2.1.
    pub const SUBJECT_TOKEN: &str = "subject_token";
    /// RFC 8693 §2.1.
    pub const SUBJECT_TOKEN_TYPE: &str = "subject_token_type";
    /// RFC 7009 §2.1, RFC 7662 §2.1.
    pub const TOKEN: &str = "token";
    /// RFC 7662 §2.1.
    pub const TOKEN_TYPE_HINT: &str = "token_type_hint";
    /// RFC 8628 §3.3.1.
    pub const USER_CODE: &str = "user_code";
}
