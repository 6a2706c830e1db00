//! The parameters of forms and queries.

use serde_json::{Map, Value, json};
use token::term::{GrantType, parameter};

use crate::rule::response_type::ResponseMode;

/// One parameter.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    words: &'static str,
    kind: Kind,
    is_needed: bool,
}

enum Kind {
    GrantType,
    Mode,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// May be sent several times.
    Several,
    Text,
    Uri,
    /// A whole number that is not negative.
    Whole,
}

// === impl Field ===

impl Field {
    const fn new(name: &'static str, words: &'static str) -> Self {
        Self { name, words, kind: Kind::Text, is_needed: false }
    }

    const fn of(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    const fn needed(self) -> Self {
        Self { is_needed: true, ..self }
    }

    fn schema(&self) -> Value {
        match self.kind {
            Kind::GrantType => json!({ "type": "string", "enum": GrantType::ALL }),
            Kind::Mode => json!({ "type": "string", "enum": ResponseMode::NAMES }),
            Kind::OneOf(words) => json!({ "type": "string", "enum": words }),
            Kind::Several => json!({ "type": "array", "items": { "type": "string" } }),
            Kind::Text => json!({ "type": "string" }),
            Kind::Uri => json!({ "type": "string", "format": "uri" }),
            Kind::Whole => json!({ "type": "integer", "minimum": 0 }),
        }
    }

    /// As a parameter of a URL.
    fn in_query(&self) -> Value {
        json!({
            "name": self.name,
            "in": "query",
            "description": self.words,
            "required": self.is_needed,
            "schema": self.schema(),
        })
    }
}

/// The parameters of a URL.
pub(super) fn query(lists: &[&[Field]]) -> Vec<Value> {
    lists.iter().copied().flatten().map(Field::in_query).collect()
}

/// The schema of a form.
pub(super) fn form(lists: &[&[Field]]) -> Value {
    let mut properties = Map::new();
    let mut needed = Vec::new();
    for field in lists.iter().copied().flatten() {
        let mut schema = field.schema();
        schema["description"] = json!(field.words);
        if field.is_needed {
            needed.push(field.name);
            if matches!(field.kind, Kind::Text) {
                // An empty value counts as absent (RFC 6749 §3.1).
                schema["minLength"] = json!(1);
            }
        }
        properties.insert(field.name.to_owned(), schema);
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if !needed.is_empty() {
        schema["required"] = json!(needed);
    }
    schema
}

/// How a client shows who it is, unless it does so by HTTP Basic or by its certificate.
pub(super) const CLIENT: &[Field] = &[
    Field::new(parameter::CLIENT_ID, "The client"),
    Field::new(parameter::CLIENT_SECRET, "Its secret (RFC 6749 §2.3.1)"),
    Field::new(parameter::CLIENT_ASSERTION, "What it signed instead (RFC 7523 §2.2)"),
    Field::new(parameter::CLIENT_ASSERTION_TYPE, "Goes with it (RFC 7523 §2.2)"),
];

/// RFC 6749 §4.1.3, §4.4.2 and §6, and the grants of RFC 7523, RFC 8628, RFC 8693 and CIBA.
pub(super) const TOKEN: &[Field] = &[
    Field::new(parameter::GRANT_TYPE, "What is traded for a token").of(Kind::GrantType).needed(),
    Field::new(parameter::CODE, "`authorization_code`: the code"),
    Field::new(parameter::REDIRECT_URI, "`authorization_code`: where the code was sent")
        .of(Kind::Uri),
    Field::new(parameter::CODE_VERIFIER, "`authorization_code`: RFC 7636 §4.1"),
    Field::new(parameter::REFRESH_TOKEN, "`refresh_token`: the token"),
    Field::new(parameter::DEVICE_CODE, "Device: what the device got (RFC 8628 §3.4)"),
    Field::new(parameter::AUTH_REQ_ID, "CIBA: what the client got (CIBA Core 1.0 §10.1)"),
    Field::new(parameter::ASSERTION, "JWT bearer: the assertion (RFC 7523 §2.1)"),
    Field::new(parameter::SUBJECT_TOKEN, "Token exchange: whom it is about (RFC 8693 §2.1)"),
    Field::new(parameter::SUBJECT_TOKEN_TYPE, "Token exchange: what `subject_token` is"),
    Field::new(parameter::ACTOR_TOKEN, "Token exchange: who acts for them"),
    Field::new(parameter::ACTOR_TOKEN_TYPE, "Token exchange: what `actor_token` is"),
    Field::new(parameter::REQUESTED_TOKEN_TYPE, "Token exchange: what is wanted"),
    Field::new(parameter::AUDIENCE, "Token exchange: the same as `resource`").of(Kind::Several),
    SCOPE,
    RESOURCE,
    DETAILS,
];

/// RFC 6749 §4.1.1, OpenID Connect Core 1.0 §3.1.2.1, and what extends them.
pub(super) const AUTHORIZATION: &[Field] = &[
    Field::new(parameter::RESPONSE_TYPE, "What is wanted").of(Kind::OneOf(&["code"])),
    Field::new(parameter::REDIRECT_URI, "Where the answer goes").of(Kind::Uri),
    Field::new(parameter::STATE, "Comes back with the answer"),
    Field::new(parameter::CODE_CHALLENGE, "RFC 7636 §4.2"),
    Field::new(parameter::CODE_CHALLENGE_METHOD, "RFC 7636 §4.3").of(Kind::OneOf(&["S256"])),
    Field::new(parameter::NONCE, "Comes back in the ID token"),
    Field::new(parameter::RESPONSE_MODE, "How the answer travels").of(Kind::Mode),
    Field::new(parameter::PROMPT, "What the person must, or must not, be asked"),
    Field::new(parameter::MAX_AGE, "How many seconds ago they may have signed in").of(Kind::Whole),
    Field::new(parameter::LOGIN_HINT, "Whom the client expects"),
    Field::new(parameter::ID_TOKEN_HINT, "Whom the client knows"),
    Field::new(parameter::CLAIMS, "Claims one by one, as JSON (OpenID Connect Core 1.0 §5.5)"),
    Field::new(parameter::DPOP_JKT, "The key that the code is for (RFC 9449 §10)"),
    Field::new(parameter::REQUEST, "All of these, signed (RFC 9101)"),
    SCOPE,
    RESOURCE,
    DETAILS,
];

/// How the authorization endpoint is told whose request it is.
pub(super) const AUTHORIZING_CLIENT: &[Field] = &[
    Field::new(parameter::CLIENT_ID, "The client"),
    Field::new(parameter::REQUEST_URI, "A pushed request, instead of all others (RFC 9126)"),
];

/// RFC 7009 §2.1, RFC 7662 §2.1.
pub(super) const PRESENTED_TOKEN: &[Field] = &[
    Field::new(parameter::TOKEN, "The token").needed(),
    Field::new("token_type_hint", "Not needed: tokens say what they are"),
];

/// OpenID Connect Back-Channel Logout 1.0 §2.5.
pub(super) const LOGOUT_TOKEN: &[Field] =
    &[Field::new("logout_token", "What the provider has signed").needed()];

/// RFC 8628 §3.1.
pub(super) const DEVICE: &[Field] = &[SCOPE, RESOURCE, DETAILS];

/// CIBA Core 1.0 §7.1.
pub(super) const BACKCHANNEL: &[Field] = &[
    SCOPE,
    Field::new(parameter::LOGIN_HINT, "The person, by their username"),
    Field::new(parameter::ID_TOKEN_HINT, "The person, by an ID token of this client"),
    Field::new("binding_message", "What both sides show"),
    Field::new("client_notification_token", "With what the client is told, if it wants to be"),
    Field::new("requested_expiry", "How many seconds the question stands").of(Kind::Whole),
    Field::new(parameter::REQUEST, "All of these, signed (§7.1.1)"),
    RESOURCE,
    DETAILS,
];

/// RFC 6750 §2.2.
pub(super) const BEARER: &[Field] =
    &[Field::new(parameter::ACCESS_TOKEN, "The access token, if it is not in the header")];

/// The restriction log.
pub(super) const LOG: &[Field] = &[
    Field::new("after", "The position that the caller knows").of(Kind::Whole),
    Field::new("wait", "How many seconds to wait for something new, at most 30").of(Kind::Whole),
];

/// OpenID Connect RP-Initiated Logout 1.0 §2.
pub(super) const LOGOUT: &[Field] = &[
    Field::new(parameter::ID_TOKEN_HINT, "An ID token of this client"),
    Field::new(parameter::CLIENT_ID, "The client"),
    Field::new("post_logout_redirect_uri", "Where the person goes on").of(Kind::Uri),
    Field::new(parameter::STATE, "Goes along"),
];

const SCOPE: Field = Field::new(parameter::SCOPE, "What may be done, separated by spaces");
const RESOURCE: Field =
    Field::new(parameter::RESOURCE, "For whom it is (RFC 8707)").of(Kind::Several);
const DETAILS: Field =
    Field::new(parameter::AUTHORIZATION_DETAILS, "What exactly, as a JSON array (RFC 9396)");
