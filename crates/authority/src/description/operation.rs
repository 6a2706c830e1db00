//! The table of operations: what each takes, gives and refuses.

use serde_json::{Map, Value, json};
use token::term::scope;

use super::field::{self, Field};

/// One method of one path.
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    id: &'static str,
    summary: &'static str,
    credential: Credential,
    takes: Takes,
    gives: &'static [Gives],
    /// Statuses of [`REFUSALS`] or, where pages answer, of [`PAGES`].
    refuses: &'static [&'static str],
}

/// With what the caller shows who they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Credential {
    /// An access token, with this scope.
    AccessToken(&'static str),
    /// A client's, in one of the ways that the metadata name.
    Client,
    None,
    /// What came with the registration (RFC 7592 §3).
    RegistrationToken,
    /// A receiver's bearer token.
    Receiver,
    /// A transmitter's bearer token.
    Transmitter,
}

enum Takes {
    Form(&'static [&'static [Field]]),
    /// A security event token.
    Event,
    Json(&'static str),
    /// A form that need not be sent.
    MaybeForm(&'static [&'static [Field]]),
    Nothing,
    Query(&'static [&'static [Field]]),
}

/// An answer that is no refusal.
struct Gives {
    status: &'static str,
    words: &'static str,
    /// Media types and the names of their schemas.
    content: &'static [(&'static str, &'static str)],
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const HTML: &str = "text/html";
const JWT: &str = "application/jwt";

/// Refusals by their status (RFC 6749 §5.2, RFC 6750 §3.1).
const REFUSALS: [(&str, &str); 9] = [
    ("400", "The request is wrong; `error` and `error_description` say how"),
    ("401", "The client or the token is not accepted"),
    ("403", "The token lacks the scope, or the caller may not ask"),
    ("404", "There is nobody of this name"),
    ("406", "It is not to be had in a form that is accepted"),
    ("413", "The body is larger than 64 KiB"),
    ("429", "Too many tries; `Retry-After` says when again"),
    ("501", "What is asked for is not built; `error_description` says what"),
    ("503", "The server is busy or stopping; `Retry-After` says when again"),
];

/// Refusals that a person reads.
const PAGES: [(&str, &str); 6] = [
    ("400", "A page that says what is wrong: there is nowhere to send the person"),
    ("403", "A page: this network is refused for the time being"),
    ("413", "A page: the form is too long"),
    ("414", "A page: the request is longer than 16 KiB"),
    ("429", "A page: too many tries"),
    ("503", "A page: the server is busy or stopping"),
];

const BY_FORM: &[&str] = &["400", "401", "413", "429", "503"];
const BY_TOKEN: &[&str] = &["400", "401", "403", "413", "429", "503"];
const BY_PAGE: &[&str] = &["400", "403", "413", "414", "429", "503"];
const PUBLIC: &[&str] = &["503"];

const REFUSED_EVENT: &str =
    "The event is not taken; `err` and `description` say why (RFC 8935 §2.3)";
const REFUSED_POLL: &str = "The request is refused; `err` and `description` say why";
const EVENT_REFUSED: &[(&str, &str)] = &[(JSON, "EventRefused")];
const METADATA: &[Gives] = &[ok("The metadata", &[(JSON, "Metadata")])];
const REGISTERED: &[Gives] = &[ok("What is registered", &[(JSON, "RegisteredClient")])];
const USERINFO: &[Gives] =
    &[ok("The claims, signed if so registered", &[(JSON, "UserInfo"), (JWT, "Jwt")])];
const ON_THE_WAY: &[Gives] = &[
    ok("A page for the person, or a form that carries the answer", &[(HTML, "Page")]),
    Gives {
        status: "303",
        words: "On to the client with the answer, or to the next page",
        content: &[],
    },
];

const fn ok(words: &'static str, content: &'static [(&'static str, &'static str)]) -> Gives {
    Gives { status: "200", words, content }
}

/// Every operation that is not a page.
pub(crate) const OPERATIONS: &[Operation] = &[
    public("/.well-known/jwks.json", "keys", "The public keys (RFC 7517 §5)", KEYS),
    public(
        "/.well-known/oauth-authorization-server",
        "oauth_metadata",
        "What this server can do (RFC 8414)",
        METADATA,
    ),
    public(
        "/.well-known/openid-configuration",
        "openid_metadata",
        "The same (OpenID Connect Discovery 1.0)",
        METADATA,
    ),
    public("/openapi.json", "openapi", "This document", DOCUMENT),
    Operation {
        method: "get",
        path: "/authorize",
        id: "authorize",
        summary: "Send a person to sign in and agree (RFC 6749 §4.1.1)",
        credential: Credential::None,
        takes: Takes::Query(&[field::AUTHORIZING_CLIENT, field::AUTHORIZATION]),
        gives: ON_THE_WAY,
        refuses: BY_PAGE,
    },
    Operation {
        method: "post",
        path: "/authorize",
        id: "authorize_by_form",
        summary: "The same, by a form",
        credential: Credential::None,
        takes: Takes::Form(&[field::AUTHORIZING_CLIENT, field::AUTHORIZATION]),
        gives: ON_THE_WAY,
        refuses: BY_PAGE,
    },
    public(
        "/status",
        "status_lists",
        "Every status list (draft-ietf-oauth-status-list-21 §9.3)",
        &[ok("Where they are", &[(JSON, "StatusLists")])],
    ),
    Operation {
        refuses: &["404", "406", "501", "503"],
        ..public(
            "/status/{list}",
            "status_list",
            "Which tokens of a list were taken back (draft-ietf-oauth-status-list-21 §8)",
            &[
                ok("The list", &[("application/statuslist+jwt", "Jwt")]),
                Gives { status: "304", words: "It is as it was", content: &[] },
            ],
        )
    },
    Operation {
        method: "post",
        path: "/challenge",
        id: "challenge",
        summary: "Get a challenge for the proof of an attested key, where they are demanded \
                  (draft-ietf-oauth-attestation-based-client-auth-10 §6.1)",
        credential: Credential::None,
        takes: Takes::Nothing,
        gives: &[ok("A challenge", &[(JSON, "Challenge")])],
        refuses: &["404", "503"],
    },
    by_client(
        "/par",
        "push",
        "Push an authorization request (RFC 9126)",
        &[field::CLIENT, field::AUTHORIZATION],
        &[Gives {
            status: "201",
            words: "The name of the request",
            content: &[(JSON, "PushedRequest")],
        }],
    ),
    by_client(
        "/token",
        "token",
        "Get a token (RFC 6749 §3.2)",
        &[field::CLIENT, field::TOKEN],
        &[ok("The token", &[(JSON, "TokenResponse")])],
    ),
    by_client(
        "/revoke",
        "revoke",
        "Take a token back (RFC 7009)",
        &[field::CLIENT, field::PRESENTED_TOKEN],
        &[ok("Taken back, or never good", &[])],
    ),
    by_client(
        "/introspect",
        "introspect",
        "Ask about a token (RFC 7662)",
        &[field::CLIENT, field::PRESENTED_TOKEN],
        &[ok(
            "What it is; signed if the client asks for that (RFC 9701)",
            &[(JSON, "Introspection"), ("application/token-introspection+jwt", "Jwt")],
        )],
    ),
    by_client(
        "/device_authorization",
        "start_device",
        "Begin for a device without a keyboard (RFC 8628 §3.1)",
        &[field::CLIENT, field::DEVICE],
        &[ok("What the device shows", &[(JSON, "DeviceAuthorization")])],
    ),
    by_client(
        "/bc-authorize",
        "ask_person",
        "Ask a person by the back channel (CIBA Core 1.0 §7)",
        &[field::CLIENT, field::BACKCHANNEL],
        &[ok("What to poll with", &[(JSON, "BackchannelAuthentication")])],
    ),
    Operation {
        refuses: &["400", "401", "403", "413", "429", "503"],
        ..by_client(
            "/restrictions",
            "restrictions",
            "Read what was taken back, as it happens; for clients with the scope \
             `tokenward:restrictions`",
            &[field::CLIENT, field::LOG],
            &[ok("A part of the log", &[(JSON, "RestrictionLog")])],
        )
    },
    Operation {
        method: "get",
        path: "/userinfo",
        id: "userinfo",
        summary: "Who the person is (OpenID Connect Core 1.0 §5.3)",
        credential: Credential::AccessToken(scope::OPENID),
        takes: Takes::Nothing,
        gives: USERINFO,
        refuses: BY_TOKEN,
    },
    Operation {
        method: "post",
        path: "/userinfo",
        id: "userinfo_by_form",
        summary: "The same, with the token in the header or in the form",
        credential: Credential::AccessToken(scope::OPENID),
        takes: Takes::MaybeForm(&[field::BEARER]),
        gives: USERINFO,
        refuses: BY_TOKEN,
    },
    Operation {
        method: "post",
        path: "/global-token-revocation",
        id: "revoke_everything",
        summary: "End everything of a person (draft-parecki-oauth-global-token-revocation)",
        credential: Credential::AccessToken(scope::ADMIN),
        takes: Takes::Json("GlobalRevocation"),
        gives: &[Gives { status: "204", words: "Done", content: &[] }],
        refuses: &["400", "401", "403", "404", "413", "429", "503"],
    },
    Operation {
        method: "get",
        path: "/.well-known/ssf-configuration",
        id: "signals_metadata",
        summary: "What receivers of security events need (Shared Signals Framework 1.0 §7)",
        credential: Credential::None,
        takes: Takes::Nothing,
        gives: &[ok("The metadata", &[(JSON, "SignalsMetadata")])],
        refuses: &["404", "503"],
    },
    Operation {
        method: "post",
        path: "/ssf/events",
        id: "push_event",
        summary: "Push a security event of a transmitter that is known here (RFC 8935)",
        credential: Credential::Transmitter,
        takes: Takes::Event,
        gives: &[
            Gives { status: "202", words: "Taken", content: &[] },
            Gives { status: "400", words: REFUSED_EVENT, content: EVENT_REFUSED },
            Gives { status: "401", words: REFUSED_EVENT, content: EVENT_REFUSED },
            Gives { status: "413", words: REFUSED_EVENT, content: EVENT_REFUSED },
            Gives { status: "503", words: REFUSED_EVENT, content: EVENT_REFUSED },
        ],
        refuses: &[],
    },
    Operation {
        method: "post",
        path: "/ssf/poll/{stream}",
        id: "poll_events",
        summary: "Fetch security events, for the receiver of a stream (RFC 8936)",
        credential: Credential::Receiver,
        takes: Takes::Json("PollRequest"),
        gives: &[
            ok("Events that wait", &[(JSON, "PollAnswer")]),
            Gives { status: "400", words: REFUSED_POLL, content: EVENT_REFUSED },
            Gives { status: "401", words: REFUSED_POLL, content: EVENT_REFUSED },
            Gives { status: "413", words: REFUSED_POLL, content: EVENT_REFUSED },
            Gives { status: "503", words: REFUSED_POLL, content: EVENT_REFUSED },
        ],
        refuses: &[],
    },
    Operation {
        method: "post",
        path: "/leaks/github",
        id: "leaks",
        summary: "Report leaked tokens, which are taken back (secret scanning partner programme)",
        credential: Credential::None,
        takes: Takes::Json("LeakReport"),
        gives: &[ok("What became of each", &[(JSON, "LeakLabels")])],
        refuses: &["400", "401", "404", "413", "503"],
    },
    Operation {
        method: "post",
        path: "/login/provider/{provider}/logout",
        id: "upstream_logout",
        summary: "Say that a session at an identity provider has ended \
                  (OpenID Connect Back-Channel Logout 1.0 §2.5)",
        credential: Credential::None,
        takes: Takes::Form(&[field::LOGOUT_TOKEN]),
        gives: &[ok("What stood on it has ended", &[])],
        refuses: &["400", "404", "413", "503"],
    },
    Operation {
        method: "post",
        path: "/register",
        id: "register",
        summary: "Register a client (RFC 7591 §3)",
        credential: Credential::AccessToken(scope::REGISTER),
        takes: Takes::Json("ClientMetadata"),
        gives: &[Gives {
            status: "201",
            words: "What was registered",
            content: &[(JSON, "RegisteredClient")],
        }],
        refuses: BY_TOKEN,
    },
    registration("get", "show_registration", "Read a registration (RFC 7592 §2.1)"),
    Operation {
        takes: Takes::Json("ChangedRegistration"),
        ..registration("put", "replace_registration", "Replace a registration (RFC 7592 §2.2)")
    },
    Operation {
        gives: &[Gives { status: "204", words: "Removed", content: &[] }],
        ..registration("delete", "remove_registration", "Remove a registration (RFC 7592 §2.3)")
    },
    Operation {
        method: "get",
        path: "/logout",
        id: "logout",
        summary: "Send a person to sign out (OpenID Connect RP-Initiated Logout 1.0)",
        credential: Credential::None,
        takes: Takes::Query(&[field::LOGOUT]),
        gives: ON_THE_WAY,
        refuses: BY_PAGE,
    },
    Operation {
        method: "post",
        path: "/logout",
        id: "logout_by_form",
        summary: "The same, by a form",
        credential: Credential::None,
        takes: Takes::Form(&[field::LOGOUT]),
        gives: ON_THE_WAY,
        refuses: BY_PAGE,
    },
];

const KEYS: &[Gives] = &[ok("The keys", &[(JSON, "KeySet")])];
const DOCUMENT: &[Gives] = &[ok("An OpenAPI 3.1 document", &[(JSON, "Document")])];

const fn public(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    gives: &'static [Gives],
) -> Operation {
    let (credential, takes) = (Credential::None, Takes::Nothing);
    Operation { method: "get", path, id, summary, credential, takes, gives, refuses: PUBLIC }
}

const fn by_client(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    fields: &'static [&'static [Field]],
    gives: &'static [Gives],
) -> Operation {
    let (credential, takes) = (Credential::Client, Takes::Form(fields));
    Operation { method: "post", path, id, summary, credential, takes, gives, refuses: BY_FORM }
}

const fn registration(method: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation {
        method,
        path: "/register/{client_id}",
        id,
        summary,
        credential: Credential::RegistrationToken,
        takes: Takes::Nothing,
        gives: REGISTERED,
        refuses: BY_FORM,
    }
}

// === impl Operation ===

impl Operation {
    /// An Operation Object.
    pub(super) fn describe(&self) -> Value {
        let mut described = json!({
            "operationId": self.id,
            "summary": self.summary,
            "responses": self.responses(),
        });
        let parameters = self.parameters();
        if !parameters.is_empty() {
            described["parameters"] = json!(parameters);
        }
        if let Some(body) = self.takes.body() {
            described["requestBody"] = body;
        }
        if let Some(security) = self.credential.requirement() {
            described["security"] = security;
        }
        described
    }

    fn parameters(&self) -> Vec<Value> {
        let mut parameters = match self.takes {
            Takes::Query(fields) => field::query(fields),
            Takes::Event
            | Takes::Form(_)
            | Takes::Json(_)
            | Takes::MaybeForm(_)
            | Takes::Nothing => Vec::new(),
        };
        for (name, words) in [
            ("client_id", "The client"),
            ("list", "The list"),
            ("provider", "The provider, by its name here"),
            ("stream", "The stream, by its name here"),
        ] {
            if self.path.contains(&format!("{{{name}}}")) {
                parameters.push(json!({
                    "name": name, "in": "path", "required": true,
                    "description": words, "schema": { "type": "string" },
                }));
            }
        }
        parameters
    }

    fn responses(&self) -> Value {
        let mut responses = Map::new();
        for gives in self.gives {
            responses.insert(gives.status.to_owned(), gives.describe());
        }
        let kind = if matches!(self.gives, [page, ..] if page.content == [(HTML, "Page")]) {
            "Page"
        } else {
            "Refused"
        };
        for status in self.refuses {
            let reference = format!("#/components/responses/{kind}{status}");
            responses.insert((*status).to_owned(), json!({ "$ref": reference }));
        }
        Value::Object(responses)
    }
}

// === impl Credential ===

impl Credential {
    fn requirement(self) -> Option<Value> {
        match self {
            // A scope is named in words: only flows of OAuth have a place for it.
            Self::AccessToken(_) => Some(json!([{ "access_token": [] }])),
            // Nothing: the form can have it too, and public clients have none.
            Self::Client => Some(json!([{ "client_basic": [] }, { "client_certificate": [] }, {}])),
            Self::None => None,
            Self::RegistrationToken => Some(json!([{ "registration_token": [] }])),
            Self::Receiver => Some(json!([{ "receiver_token": [] }])),
            Self::Transmitter => Some(json!([{ "transmitter_token": [] }])),
        }
    }
}

// === impl Takes ===

impl Takes {
    fn body(&self) -> Option<Value> {
        let (media_type, schema, required) = match self {
            Self::Form(fields) => (FORM, field::form(fields), true),
            Self::Json(name) => (JSON, reference(name), true),
            Self::MaybeForm(fields) => (FORM, field::form(fields), false),
            Self::Nothing | Self::Query(_) => return None,
            Self::Event => {
                let schema = json!({ "type": "string" });
                let content = json!({ "application/secevent+jwt": { "schema": schema } });
                return Some(json!({ "required": true, "content": content }));
            }
        };
        Some(json!({ "required": required, "content": { media_type: { "schema": schema } } }))
    }
}

// === impl Gives ===

impl Gives {
    fn describe(&self) -> Value {
        let mut described = json!({ "description": self.words });
        let mut content = Map::new();
        for (media_type, schema) in self.content {
            content.insert((*media_type).to_owned(), json!({ "schema": reference(schema) }));
        }
        if !content.is_empty() {
            described["content"] = Value::Object(content);
        }
        if self.status == "303" {
            described["headers"] = json!({
                "Location": { "required": true, "schema": { "type": "string" } },
            });
        }
        described
    }
}

/// Every refusal, to be referred to.
pub(super) fn refusals() -> Value {
    let mut responses = Map::new();
    for (status, words) in REFUSALS {
        let mut response = json!({
            "description": words,
            "content": { JSON: { "schema": reference("Error") } },
        });
        if status == "401" {
            response["headers"] = json!({ "WWW-Authenticate": text_header() });
        }
        if matches!(status, "429" | "503") {
            response["headers"] = json!({ "Retry-After": text_header() });
        }
        responses.insert(format!("Refused{status}"), response);
    }
    for (status, words) in PAGES {
        let content = json!({ HTML: { "schema": reference("Page") } });
        let response = json!({ "description": words, "content": content });
        responses.insert(format!("Page{status}"), response);
    }
    Value::Object(responses)
}

/// Every way to show who one is.
pub(super) fn credentials() -> Value {
    json!({
        "access_token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
        "client_basic": {
            "type": "http",
            "scheme": "basic",
            "description": "The client's id and secret, each form-encoded (RFC 6749 §2.3.1)",
        },
        "client_certificate": { "type": "mutualTLS", "description": "RFC 8705 §2" },
        "receiver_token": {
            "type": "http",
            "scheme": "bearer",
            "description": "What the receiver of a stream was given",
        },
        "registration_token": {
            "type": "http",
            "scheme": "bearer",
            "description": "`registration_access_token` of the registration",
        },
        "transmitter_token": {
            "type": "http",
            "scheme": "bearer",
            "description": "What a transmitter of security events was given",
        },
    })
}

fn text_header() -> Value {
    json!({ "required": true, "schema": { "type": "string" } })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
