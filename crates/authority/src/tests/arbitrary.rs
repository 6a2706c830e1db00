//! Whatever is sent to whichever endpoint: never a server error, never a panic.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request};
use proptest::prelude::*;
use proptest::sample::select;
use tokio::runtime::Runtime;

use super::support::{Harness, VERIFIER, basic};

const PATHS: &[&str] = &[
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/approvals",
    "/approvals/decision",
    "/authorize",
    "/bc-authorize",
    "/consent",
    "/device",
    "/device/decision",
    "/device/qr",
    "/device_authorization",
    "/introspect",
    "/global-token-revocation",
    "/logout",
    "/logout/decision",
    "/par",
    "/restrictions",
    "/login",
    "/nowhere",
    "/register",
    "/register/conf",
    "/revoke",
    "/token",
    "/userinfo",
];
const NAMES: &[&str] = &[
    "access_token",
    "assertion",
    "authorization_details",
    "auth_req_id",
    "binding_message",
    "claims",
    "client_id",
    "id_token_hint",
    "client_secret",
    "code",
    "post_logout_redirect_uri",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "csrf",
    "decision",
    "device_code",
    "user_code",
    "grant_type",
    "login_hint",
    "max_age",
    "nonce",
    "password",
    "prompt",
    "redirect_uri",
    "refresh_token",
    "request",
    "request_uri",
    "signed_in",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "token",
    "token_type_hint",
    "username",
];
const VALUES: &[&str] = &[
    "S256",
    "alice",
    "allow",
    "authorization_code",
    "client_credentials",
    "code",
    "conf",
    "consent",
    "urn:ietf:params:oauth:grant-type:device_code",
    "BCDF-GHJK",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:openid:params:grant-type:ciba",
    r#"[{"type":"x"}]"#,
    "http://127.0.0.1:8081",
    "https://app.example/callback",
    "login",
    "none",
    "openid",
    "plain",
    "pub",
    "query",
    "form_post.jwt",
    r#"{"userinfo":{"email":null}}"#,
    "refresh_token",
    "tokenward:admin",
    "0",
    "-1",
    "99999999999999999999",
    VERIFIER,
    "\u{0}",
    "a b",
    "é",
    "%",
    "javascript:alert(1)",
    "//",
    "\r\nx: y",
];

/// Which credential of the harness goes into the request.
#[derive(Clone, Copy, Debug)]
enum Credential {
    Access,
    BadBasic,
    Client,
    Code,
    None,
    Refresh,
}

#[derive(Clone, Debug)]
struct Sent {
    method: &'static str,
    path: &'static str,
    query: String,
    content_type: &'static str,
    body: Vec<u8>,
    credential: Credential,
    fields: Vec<(&'static str, Vec<u8>)>,
}

fn pairs() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        3 => select(VALUES).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a-zA-Z0-9._~-]{0,200}",
    ];
    let pair = (select(NAMES), value);
    proptest::collection::vec(pair, 0..8).prop_map(|pairs| {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => pairs().prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..300),
        1 => r#"\{("[a-z_]{1,30}":("[a-z:/. ]{0,30}"|\["[a-z_]{0,20}"\]|1|null),?){0,5}\}"#
            .prop_map(String::into_bytes),
    ]
}

fn sent() -> impl Strategy<Value = Sent> {
    let methods = select(&["GET", "GET", "POST", "POST", "POST", "OPTIONS", "HEAD", "DELETE"][..]);
    let types = select(
        &[
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded",
            "application/json",
            "text/plain; charset=\"",
            "",
        ][..],
    );
    let credentials = select(
        &[
            Credential::Access,
            Credential::BadBasic,
            Credential::Client,
            Credential::Code,
            Credential::None,
            Credential::Refresh,
        ][..],
    );
    let names =
        select(&["authorization", "cookie", "x-forwarded-for", "user-agent", "host", "accept"][..]);
    let field = (names, proptest::collection::vec(any::<u8>(), 0..60));
    let fields = proptest::collection::vec(field, 0..3);
    (methods, select(PATHS), pairs(), types, body(), credentials, fields, any::<bool>()).prop_map(
        |(method, path, query, content_type, body, credential, fields, with_query)| Sent {
            method,
            path,
            query: if with_query || method == "GET" { query } else { String::new() },
            content_type,
            body,
            credential,
            fields,
        },
    )
}

async fn request(harness: &Harness, sent: &Sent) -> Request<Body> {
    let mut body = sent.body.clone();
    let client = &harness.confidential;
    let secret = client.secret.as_deref().unwrap_or_default();
    let mut authorization = None;
    let mut add = |text: String| body.extend_from_slice(text.as_bytes());
    match sent.credential {
        Credential::None => {}
        Credential::BadBasic => authorization = Some(basic("conf", "wrong")),
        Credential::Client => authorization = Some(basic(&client.id, secret)),
        Credential::Code => {
            authorization = Some(basic(&client.id, secret));
            let code = harness.code(client, "openid orders:read").await;
            add(format!("&code={}", code.expose()));
        }
        Credential::Access | Credential::Refresh => {
            let tokens = harness.signed_in(client, "openid orders:read").await;
            let access = tokens["access_token"].as_str().unwrap_or_default();
            let refresh = tokens["refresh_token"].as_str().unwrap_or_default();
            if matches!(sent.credential, Credential::Access) {
                authorization = Some(format!("Bearer {access}"));
                add(format!("&token={access}"));
            } else {
                authorization = Some(basic(&client.id, secret));
                add(format!("&refresh_token={refresh}&grant_type=refresh_token"));
            }
        }
    }
    let uri = format!("{}?{}", sent.path, sent.query);
    let method: Method = sent.method.parse().expect("method");
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    request = request.header("content-type", sent.content_type);
    for (name, value) in &sent.fields {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            request = request.header(*name, value);
        }
    }
    request.body(Body::from(body)).expect("request")
}

#[test]
fn nothing_that_is_sent_makes_a_server_error() {
    let runtime = Runtime::new().expect("runtime");
    let harness = runtime.block_on(Harness::new());
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() };
    proptest!(config, |(sent in sent())| {
        let answer = runtime.block_on(async {
            let request = request(&harness, &sent).await;
            harness.send(request).await
        });
        prop_assert!(answer.status < 500, "{} for {sent:?}: {}", answer.status, answer.text);
    });
}
