//! Security events, through the real program: pushed to a receiver that checks them with what is published, also after
//! a crash while it was down; and those of others, followed.

use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use token::jws::{self, Jws};
use token::key::{KeySet, PrivateKey};
use token::term::Algorithm;

use crate::interop::python_script;
use crate::support::output_of;
use crate::support::port::free_port;
use crate::support::receiver::receive;
use crate::support::served::Served;
use crate::support::text;

const PATIENCE: Duration = Duration::from_secs(20);
const AUDIENCE: &str = "https://crm.example/events";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type";
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type";

fn options(folder: &tempfile::TempDir, port: u16) -> String {
    let token = folder.path().join("token");
    std::fs::write(&token, "let-us-in\n").expect("token");
    format!(
        r#"
        [notify]
        reach = ["127.0.0.0/8"]
        [[notify.signals]]
        name = "crm"
        url = "http://127.0.0.1:{port}/events"
        audience = "{AUDIENCE}"
        token_file = "{}"
        "#,
        token.display()
    )
}

/// The claims of a token, checked as its receiver would: by the keys that the metadata lead to.
fn verified(product: &Served, token: &str) -> Value {
    let known = product.http.get(&product.issuer("/.well-known/ssf-configuration"), None);
    assert_eq!(known.status, 200, "{known:?}");
    let known: Value = serde_json::from_str(&known.body).expect("JSON");
    assert_eq!(known["issuer"], product.issuer(""));
    let keys = product.http.get(known["jwks_uri"].as_str().expect("URI"), None);
    let keys = KeySet::from_jwks(keys.body.as_bytes()).expect("keys");
    let jws = Jws::parse(token).expect("JWS");
    assert_eq!(jws.header().typ.as_deref(), Some("secevent+jwt"));
    assert!(keys.iter().any(|key| key.verifies(jws.signing_input(), jws.signature())));
    let claims: Value = serde_json::from_slice(jws.unverified_payload()).expect("JSON");
    assert_eq!((&claims["iss"], &claims["aud"]), (&known["issuer"], &json!(AUDIENCE)));
    claims
}

fn add_person(product: &Served) -> String {
    let body = json!({ "username": "rosa", "password": "a long and odd passphrase" });
    let made = product.admin_call("POST", "/users", Some(body));
    made["id"].as_str().expect("id").to_owned()
}

#[test]
fn what_happens_to_a_person_reaches_those_who_know_them() {
    let folder = tempfile::tempdir().expect("folder");
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let port = listener.local_addr().expect("address").port();
    let product = Served::start(&options(&folder, port));
    let requests = receive(listener);

    let tested = product.command(&["notify", "test", "crm"]);
    assert_eq!(text(&tested.stdout), "crm: taken\n", "{}", text(&tested.stderr));
    let test = requests.recv_timeout(PATIENCE).expect("a request");
    assert!(test.head.starts_with("POST /events HTTP/1.1"), "{}", test.head);
    assert_eq!(test.field("authorization"), "Bearer let-us-in");
    assert_eq!(test.field("content-type"), "application/secevent+jwt");
    let claims = verified(&product, &test.body);
    assert_eq!(claims["sub_id"], json!({ "format": "opaque", "id": "crm" }));

    let person = add_person(&product);
    let path = format!("/users/{person}");
    product.admin_call("PATCH", &path, Some(json!({ "disabled": true })));
    let mut names = Vec::new();
    for _ in 0..2 {
        let told = requests.recv_timeout(PATIENCE).expect("a request");
        let claims = verified(&product, &told.body);
        let expected = json!({ "format": "iss_sub", "iss": product.issuer(""), "sub": person });
        assert_eq!(claims["sub_id"], expected);
        names.extend(claims["events"].as_object().expect("events").keys().cloned());
    }
    names.sort();
    assert_eq!(names, [format!("{CAEP}/session-revoked"), format!("{RISC}/account-disabled")]);
    product.admin_call("PATCH", &path, Some(json!({ "disabled": false })));
    let told = requests.recv_timeout(PATIENCE).expect("a request");
    let claims = verified(&product, &told.body);
    assert!(claims["events"].get(format!("{RISC}/account-enabled")).is_some(), "{claims}");
}

#[test]
fn a_library_of_another_maker_fetches_what_happens() {
    let folder = tempfile::tempdir().expect("folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "let-me-fetch\n").expect("token");
    let product = Served::start(&format!(
        r#"
        [[notify.signals]]
        name = "crm"
        audience = "https://crm.example"
        token_file = "{}"
        "#,
        token.display()
    ));
    let mut command = python_script("poll_events.py");
    command.env("ISSUER", product.issuer("")).env("ADMIN", product.admin(""));
    command.env("ADMIN_TOKEN", product.token()).env("RECEIVER_TOKEN", "let-me-fetch");
    let said = output_of(&mut command);
    assert!(said.lines().last().is_some_and(|line| line.starts_with("ok")), "{said}");
}

#[test]
fn an_event_waits_through_a_crash_for_a_receiver_that_is_down() {
    let folder = tempfile::tempdir().expect("folder");
    let port = free_port();
    let product = Served::start(&options(&folder, port));
    let person = add_person(&product);
    let path = format!("/users/{person}/password");
    let body = json!({ "password": "another long and odd passphrase" });
    product.admin_call("PUT", &path, Some(body));
    let mut waiting = Vec::new();
    for _ in 0..200 {
        let listed = product.command(&["notify", "waiting", "--json"]);
        let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
        waiting = listed.as_array().or(listed["items"].as_array()).cloned().expect("a list");
        if waiting.len() == 2 && waiting.iter().all(|one| one["tries"] != 0) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut abouts: Vec<_> = waiting.iter().filter_map(|one| one["about"].as_str()).collect();
    abouts.sort_unstable();
    let expected =
        [format!("credential_change of {person}"), format!("session_revoked of {person}")];
    assert_eq!(abouts, expected);

    let product = product.again();
    let requests = receive(TcpListener::bind(("127.0.0.1", port)).expect("listener"));
    let mut events = Vec::new();
    for _ in 0..2 {
        let told = requests.recv_timeout(PATIENCE).expect("a request");
        let claims = verified(&product, &told.body);
        events.extend(claims["events"].as_object().expect("events").keys().cloned());
    }
    events.sort();
    assert_eq!(events, [format!("{CAEP}/credential-change"), format!("{CAEP}/session-revoked")]);
    assert!(requests.recv_timeout(Duration::from_secs(3)).is_err(), "once");
}

#[test]
fn what_happens_elsewhere_is_followed_and_can_be_undone() {
    let folder = tempfile::tempdir().expect("folder");
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let (keys, token) = (folder.path().join("keys"), folder.path().join("token"));
    let set = json!({ "keys": [key.public().jwk()] });
    std::fs::write(&keys, set.to_string()).expect("keys");
    std::fs::write(&token, "let-me-in\n").expect("token");
    let product = Served::start(&format!(
        r#"
        [[signal_transmitter]]
        name = "idp"
        issuer = "https://idp.example"
        jwks_file = "{}"
        token_file = "{}"
        "#,
        keys.display(),
        token.display()
    ));
    let person = add_person(&product);
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("time").as_secs();
    let claims = json!({
        "iss": "https://idp.example", "aud": product.issuer(""), "jti": "e1",
        "iat": now,
        "sub_id": { "format": "iss_sub", "iss": product.issuer(""), "sub": person },
        "events": { format!("{RISC}/account-disabled"): { "reason": "hijacking" } },
    });
    let event = jws::sign(&key, "secevent+jwt", claims.to_string().as_bytes()).expect("event");
    let push = |token: &str| {
        let request = Request::post(product.issuer("/ssf/events"))
            .header("content-type", "application/secevent+jwt")
            .header("authorization", format!("Bearer {token}"))
            .body(Full::from(event.clone()));
        product.http.send(request.expect("request"))
    };
    let stranger: Value = push("guessed").expect(401);
    assert_eq!(stranger["err"], "authentication_failed");
    for _ in 0..2 {
        assert_eq!((push("let-me-in").status, push("let-me-in").body.as_str()), (202, ""));
    }
    let held = product.admin_call("GET", "/restrictions", None);
    let held = held["items"].as_array().expect("items");
    let suspension = held.iter().find(|one| one["effect"] == "suspend").expect("a suspension");
    assert_eq!((held.len(), &suspension["actor"]), (2, &json!("transmitter:idp")));
    let undone = product.command(&["restriction", "lift", &suspension["seq"].to_string()]);
    assert!(undone.status.success(), "{}", text(&undone.stderr));
}
