//! Whatever is sent to whichever endpoint: never a server error, never a panic.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use token::term::GrantType;
use tokio::runtime::Runtime;

use super::browser::{self, Browser, PASSWORD};
use super::support::{Harness, ISSUER, TestClient, VERIFIER, basic};
use crate::description::openapi_json;
use crate::register::policy::Policy;
use crate::router;

/// Every path that is routed, and one that is not.
static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let routed = router::endpoints(Policy::Token);
    let names = routed.names().iter().chain(["/nowhere"].iter());
    names.map(|name| name.replace("{client_id}", "conf").replace("{name}", "x")).collect()
});

/// Every parameter and member that is described, and those of the pages' forms.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let document = serde_json::from_str(&openapi_json("")).expect("JSON");
    let mut names = BTreeSet::new();
    described(&document, &mut names);
    let forms = ["cancel", "csrf", "decision", "password", "question", "request", "signed_in"];
    names.extend(forms.iter().chain(&["user_code", "username"]).map(|name| (*name).to_owned()));
    names.into_iter().collect()
});

/// The page behind a code that a device has shown.
const DEVICE_DECISION: &str = "/device?user_code";

/// Pages with forms, as a person who is signed in sees them.
static PAGES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let pages = ["/approvals", "/device", DEVICE_DECISION, "/logout"];
    let conf = TestClient::named("conf", "");
    let authorize = browser::request(&conf, &[("prompt", "consent")]);
    let pages = pages.iter().map(|page| (*page).to_owned());
    pages.chain([authorize]).collect()
});

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
    Administrator,
    BadBasic,
    Client,
    Code,
    /// The cookies of a person who is signed in, and one of the forms that they see.
    Form(usize),
    None,
    Refresh,
    Registration,
    Session,
}

#[derive(Clone, Debug)]
struct Sent {
    method: &'static str,
    path: String,
    query: String,
    content_type: &'static str,
    body: Vec<u8>,
    credential: Credential,
    fields: Vec<(&'static str, Vec<u8>)>,
}

fn described(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| described(item, names)),
        Value::Object(members) => {
            if let Some(properties) = members.get("properties").and_then(Value::as_object) {
                names.extend(properties.keys().cloned());
            }
            if let Some(name) = members.get("name").and_then(Value::as_str) {
                names.insert(name.to_owned());
            }
            members.values().for_each(|member| described(member, names));
        }
        _ => {}
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(VALUES).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a-zA-Z0-9._~-]{0,200}",
    ]
}

fn pairs() -> impl Strategy<Value = String> {
    proptest::collection::vec((select(NAMES.as_slice()), text()), 0..8).prop_map(|pairs| {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    })
}

/// An object with members that are known, of every type.
fn members() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        let member = (select(NAMES.as_slice()), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            proptest::collection::vec(member, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    proptest::collection::vec((select(NAMES.as_slice()), value), 0..6).prop_map(|members| {
        let members: Map<String, Value> = members.into_iter().collect();
        Value::Object(members).to_string().into_bytes()
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => pairs().prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..300),
        2 => members(),
    ]
}

fn sent() -> impl Strategy<Value = Sent> {
    let methods = select(
        &["GET", "GET", "POST", "POST", "POST", "OPTIONS", "HEAD", "DELETE", "PUT", "PATCH"][..],
    );
    let types = select(
        &[
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded",
            "application/json",
            "text/plain; charset=\"",
            "",
        ][..],
    );
    let credentials = prop_oneof![
        4 => select(
            &[
                Credential::Access,
                Credential::Administrator,
                Credential::BadBasic,
                Credential::Client,
                Credential::Code,
                Credential::None,
                Credential::Refresh,
                Credential::Registration,
                Credential::Session,
            ][..],
        ),
        1 => (0..PAGES.len()).prop_map(Credential::Form),
    ];
    let names = select(
        &["authorization", "cookie", "dpop", "x-forwarded-for", "user-agent", "host", "accept"][..],
    );
    let field = (names, proptest::collection::vec(any::<u8>(), 0..60));
    let fields = proptest::collection::vec(field, 0..3);
    let paths = select(PATHS.as_slice());
    (methods, paths, pairs(), types, body(), credentials, fields, any::<bool>()).prop_map(
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

/// What a request has beside what is arbitrary.
#[derive(Default)]
struct Known {
    authorization: Option<String>,
    cookies: BTreeMap<String, String>,
    path: Option<String>,
    /// Parameters more.
    form: Option<String>,
}

async fn known(harness: &Harness, alice: &mut Browser<'_>, sent: &Sent) -> Known {
    let client = &harness.confidential;
    let secret = client.secret.as_deref().unwrap_or_default();
    let by_client = Known { authorization: Some(basic(&client.id, secret)), ..Known::default() };
    let bearing = |token: &str| Known {
        authorization: Some(format!("Bearer {token}")),
        form: Some(format!("&token={token}")),
        ..Known::default()
    };
    match sent.credential {
        Credential::None => Known::default(),
        Credential::BadBasic => {
            Known { authorization: Some(basic("conf", "wrong")), ..Known::default() }
        }
        Credential::Client => by_client,
        Credential::Code => {
            let code = harness.code(client, "openid orders:read").await;
            Known { form: Some(format!("&code={}", code.expose())), ..by_client }
        }
        Credential::Administrator => {
            let scopes = "openid tokenward:admin tokenward:register";
            bearing(harness.mint(scopes, ISSUER).token.expose())
        }
        Credential::Registration => registration(harness).await,
        Credential::Access | Credential::Refresh => {
            let tokens = harness.signed_in(client, "openid orders:read").await;
            let refresh = tokens["refresh_token"].as_str().unwrap_or_default();
            if matches!(sent.credential, Credential::Access) {
                return bearing(tokens["access_token"].as_str().unwrap_or_default());
            }
            let form = format!("&refresh_token={refresh}&grant_type=refresh_token");
            Known { form: Some(form), ..by_client }
        }
        Credential::Session => Known { cookies: alice.cookies.clone(), ..Known::default() },
        Credential::Form(page) => form(harness, alice, &PAGES[page]).await,
    }
}

async fn registration(harness: &Harness) -> Known {
    let token = harness.mint("tokenward:register", ISSUER).token;
    let request = Request::post("/register")
        .header("authorization", format!("Bearer {}", token.expose()))
        .header("content-type", "application/json")
        .body(Body::from(json!({ "redirect_uris": ["https://a.example/b"] }).to_string()));
    let answer = harness.send(request.expect("request")).await;
    // Registrations are limited too.
    harness.clock.pass(10);
    Known {
        authorization: Some(format!("Bearer {}", answer.member("registration_access_token"))),
        path: Some(format!("/register/{}", answer.member("client_id"))),
        ..Known::default()
    }
}

/// A page's form with its proof, for the address that it is for.
async fn form(harness: &Harness, alice: &mut Browser<'_>, page: &str) -> Known {
    let asked = [("scope", "openid"), ("login_hint", "alice")];
    harness.post("/bc-authorize", &harness.confidential, &asked).await;
    let mut answer = alice.get(page).await;
    if answer.text.contains("name=\"password\"") {
        alice.sign_in(page, "alice", PASSWORD).await;
        answer = alice.get(page).await;
    }
    let cookies = alice.cookies.clone();
    if !answer.text.contains("<form") {
        return Known { cookies, ..Known::default() };
    }
    let mut form = answer.form();
    if page == DEVICE_DECISION {
        let started = harness.post("/device_authorization", &harness.confidential, &[]).await;
        // Wrong codes are counted.
        harness.clock.pass(60);
        let user_code = started.member("user_code");
        let shown = alice.submit(&form, &[("user_code", &user_code)]).await;
        form = if shown.text.contains("<form") { shown.form() } else { form };
    }
    let fields =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    let form_text = Some(format!("&{fields}&decision=allow"));
    Known { cookies, path: Some(form.action), form: form_text, authorization: None }
}

fn request(sent: &Sent, known: Known) -> Request<Body> {
    let mut body = sent.body.clone();
    body.extend_from_slice(known.form.unwrap_or_default().as_bytes());
    let path = known.path.as_ref().unwrap_or(&sent.path);
    let (method, uri, content_type) = match sent.credential {
        Credential::Form(_) => ("POST", path.clone(), "application/x-www-form-urlencoded"),
        _ => (sent.method, format!("{path}?{}", sent.query), sent.content_type),
    };
    let method: Method = method.parse().expect("method");
    let mut request = Request::builder().method(method).uri(uri);
    request = request.header("content-type", content_type);
    if let Some(value) = known.authorization {
        request = request.header("authorization", value);
    }
    for (name, value) in &known.cookies {
        request = request.header("cookie", format!("{name}={value}"));
    }
    for (name, value) in &sent.fields {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            request = request.header(*name, value);
        }
    }
    request.body(Body::from(body)).expect("request")
}

async fn harness() -> Harness {
    let harness = Harness::with_password().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.grant_types = GrantType::ALL.to_vec();
    harness.store.update_client(&client).await.expect("client");
    harness
}

#[test]
fn nothing_that_is_sent_makes_a_server_error() {
    let runtime = Runtime::new().expect("runtime");
    let harness = runtime.block_on(harness());
    let alice = RefCell::new(harness.browser());
    let config = ProptestConfig { cases: 800, failure_persistence: None, ..Default::default() };
    proptest!(config, |(sent in sent())| {
        let mut alice = alice.borrow_mut();
        let answer = runtime.block_on(async {
            let known = known(&harness, &mut alice, &sent).await;
            harness.send(request(&sent, known)).await
        });
        prop_assert!(answer.status < 500, "{} for {sent:?}: {}", answer.status, answer.text);
    });
}
