//! The schemas of bodies: from the types that are sent where there are such.

use serde_json::{Map, Value, json};
use token::term::{Algorithm, ClientAuthMethod, GrantType, OAuthErrorCode};
use utoipa::PartialSchema;

use crate::endpoint::answer::ErrorBody;
use crate::endpoint::bc_authorize::Asked;
use crate::endpoint::challenge::Challenge;
use crate::endpoint::device::Started;
use crate::endpoint::introspect::Introspection;
use crate::endpoint::leaks::Label;
use crate::endpoint::par::Pushed;
use crate::endpoint::restrictions::Page;
use crate::endpoint::signal_events::EventRefused;
use crate::endpoint::status_list::Aggregation;
use crate::issue::TokenResponse;
use crate::person_claims;
use crate::register::policy::Registration;
use crate::register::{metadata, options};
use crate::signals::message::{EventError, PollAnswer, PollRequest};

/// Every schema by its name.
pub(super) fn all() -> Value {
    json!({
        "BackchannelAuthentication": of::<Asked>(),
        "Challenge": of::<Challenge>(),
        "ChangedRegistration": changed_registration(),
        "ClientMetadata": client_metadata(),
        "DeviceAuthorization": of::<Started>(),
        "Document": {
            "type": "object",
            "required": ["openapi", "info", "paths"],
            "properties": { "openapi": { "type": "string", "pattern": "^3\\.1\\." } },
        },
        "Error": error(),
        "EventError": of::<EventError>(),
        "EventRefused": of::<EventRefused>(),
        "GlobalRevocation": global_revocation(),
        "Introspection": of::<Introspection>(),
        "Jwt": { "type": "string", "description": "A signed token, encrypted if so registered" },
        "KeySet": key_set(),
        "LeakLabels": { "type": "array", "items": of::<Label>() },
        "LeakReport": leak_report(),
        "Metadata": server_metadata(),
        "Page": { "type": "string" },
        "PollAnswer": of::<PollAnswer>(),
        "PollRequest": of::<PollRequest>(),
        "PushedRequest": of::<Pushed>(),
        "RegisteredClient": registered_client(),
        "RestrictionLog": of::<Page>(),
        "SignalsMetadata": signals_metadata(),
        "StatusLists": of::<Aggregation>(),
        "TokenResponse": of::<TokenResponse<'_>>(),
        "UserInfo": user_info(),
    })
}

fn of<T: PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap_or_default()
}

/// RFC 6749 §5.2, with every code that is ever sent.
fn error() -> Value {
    let mut schema = of::<ErrorBody<'_>>();
    schema["properties"]["error"]["enum"] = json!(OAuthErrorCode::ALL);
    schema
}

/// RFC 9493 §3.2.3 and §3.2.4.
fn global_revocation() -> Value {
    let format = |name: &str, members: &[&str]| {
        let mut properties = Map::new();
        properties.insert("format".to_owned(), json!({ "const": name }));
        for member in members {
            properties.insert((*member).to_owned(), json!({ "type": "string" }));
        }
        let required: Vec<&str> = ["format"].into_iter().chain(members.iter().copied()).collect();
        json!({ "type": "object", "required": required, "properties": properties })
    };
    let subject = [format("iss_sub", &["iss", "sub"]), format("opaque", &["id"])];
    json!({
        "type": "object",
        "required": ["sub_id"],
        "properties": { "sub_id": { "oneOf": subject } },
    })
}

/// Signed as a whole in the field `Github-Public-Key-Signature`.
fn leak_report() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "array",
        "maxItems": 200,
        "items": {
            "type": "object",
            "required": ["token", "type"],
            "properties": { "token": text, "type": text, "url": text, "source": text },
        },
    })
}

fn key_set() -> Value {
    json!({
        "type": "object",
        "required": ["keys"],
        "properties": { "keys": { "type": "array", "items": {
            "type": "object",
            "required": ["kty", "kid", "alg", "use"],
            "properties": {
                "alg": { "type": "string", "enum": Algorithm::ALL },
                "kid": { "type": "string" },
                "kty": { "type": "string" },
                "use": { "const": "sig" },
            },
        } } },
    })
}

/// RFC 8414 §2 and OpenID Connect Discovery 1.0 §3: what must be there.
fn server_metadata() -> Value {
    json!({
        "type": "object",
        "required": [
            "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri",
            "response_types_supported", "subject_types_supported",
            "id_token_signing_alg_values_supported",
        ],
        "properties": {
            "issuer": { "type": "string", "format": "uri" },
            "authorization_endpoint": { "type": "string", "format": "uri" },
            "token_endpoint": { "type": "string", "format": "uri" },
            "jwks_uri": { "type": "string", "format": "uri" },
            "grant_types_supported": strings(GrantType::ALL),
            "token_endpoint_auth_methods_supported": strings(ClientAuthMethod::ALL),
        },
    })
}

/// OpenID Connect Core 1.0 §5.3.2.
fn user_info() -> Value {
    let mut properties = Map::new();
    for (name, kind) in person_claims::standard() {
        properties.insert(name.to_owned(), json!({ "type": kind }));
    }
    properties.insert("sub".to_owned(), json!({ "type": "string" }));
    json!({ "type": "object", "required": ["sub"], "properties": properties })
}

/// RFC 7591 §2: what a client says of itself. `null` is as good as nothing.
fn client_metadata() -> Value {
    let given = options::NAMES.iter().filter(|name| !metadata::BY_ADMINISTRATOR.contains(name));
    let own = metadata::WEB_ADDRESSES.iter().chain(&metadata::TEXTS);
    let mut properties: Map<String, Value> =
        given.chain(own).map(|name| ((*name).to_owned(), member(name))).collect();
    for (name, schema) in [
        ("application_type", json!({ "enum": ["native", "web", null] })),
        ("client_name", json!({ "type": ["string", "null"], "maxLength": 100 })),
        ("contacts", list(json!({ "type": "string" }))),
        ("grant_types", list(json!({ "enum": Registration::GRANT_TYPES }))),
        ("redirect_uris", list(json!({ "type": "string", "format": "uri" }))),
        ("response_types", list(json!({ "const": "code" }))),
        ("scope", json!({ "type": ["string", "null"] })),
        ("subject_type", json!({ "enum": ["public", null] })),
        ("token_endpoint_auth_method", one_of(ClientAuthMethod::ALL)),
    ] {
        properties.insert(name.to_owned(), schema);
    }
    json!({ "type": "object", "properties": properties })
}

/// RFC 7592 §2.2: all of it anew.
fn changed_registration() -> Value {
    json!({
        "allOf": [{ "$ref": "#/components/schemas/ClientMetadata" }],
        "required": ["client_id"],
        "properties": {
            "client_id": { "type": "string" },
            "client_secret": { "type": "string" },
        },
    })
}

/// Shared Signals Framework 1.0 §7.1.
fn signals_metadata() -> Value {
    json!({
        "type": "object",
        "required": ["issuer"],
        "properties": {
            "spec_version": { "const": "1_0" },
            "issuer": { "type": "string", "format": "uri" },
            "jwks_uri": { "type": "string", "format": "uri" },
            "delivery_methods_supported": { "type": "array", "items": { "type": "string" } },
            "default_subjects": { "enum": ["ALL", "NONE"] },
        },
    })
}

/// RFC 7591 §3.2.1 and RFC 7592 §3.
fn registered_client() -> Value {
    json!({
        "allOf": [{ "$ref": "#/components/schemas/ClientMetadata" }],
        "required": [
            "client_id", "client_id_issued_at", "client_name", "grant_types", "redirect_uris",
            "response_types", "scope", "token_endpoint_auth_method",
        ],
        "properties": {
            "client_id": { "type": "string" },
            "client_id_issued_at": { "type": "integer" },
            "client_secret": { "type": "string" },
            "client_secret_expires_at": { "const": 0 },
            "registration_access_token": { "type": "string" },
            "registration_client_uri": { "type": "string", "format": "uri" },
        },
    })
}

/// A member that [`options::parse`] reads, or that is kept as it came.
fn member(name: &str) -> Value {
    match name {
        "jwks" => json!({ "type": ["object", "null"] }),
        "post_logout_redirect_uris" => list(json!({ "type": "string", "format": "uri" })),
        "default_max_age" => json!({ "type": ["integer", "null"], "minimum": 0 }),
        flag if FLAGS.contains(&flag) => json!({ "type": ["boolean", "null"] }),
        uri if uri.ends_with("_uri") => json!({ "type": ["string", "null"], "format": "uri" }),
        signed if signed.ends_with("signing_alg") || signed.ends_with("signed_response_alg") => {
            one_of(Algorithm::ALL)
        }
        _ => json!({ "type": ["string", "null"] }),
    }
}

const FLAGS: [&str; 5] = [
    "backchannel_logout_session_required",
    "dpop_bound_access_tokens",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
    "tls_client_certificate_bound_access_tokens",
];

fn one_of(words: &[impl serde::Serialize]) -> Value {
    let words = words.iter().map(|word| json!(word)).chain([Value::Null]);
    json!({ "enum": words.collect::<Vec<_>>() })
}

fn strings(words: &[impl serde::Serialize]) -> Value {
    json!({ "type": "array", "items": { "enum": words } })
}

fn list(items: Value) -> Value {
    json!({ "type": ["array", "null"], "items": items })
}
