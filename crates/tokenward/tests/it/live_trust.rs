//! Who is believed changes while it serves: other issuers, and proxies in front.

use std::path::Path;
use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use token::jws;
use token::key::PrivateKey;
use token::term::Algorithm;

use crate::support::served::Served;

const ISSUER: &str = "https://idp.example";

fn reload(served: &Served) -> Value {
    served.admin_call("POST", "/config/reload", None)
}

fn key(file: &Path) -> PrivateKey {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let keys = json!({ "keys": [key.public().jwk()] });
    std::fs::write(file, keys.to_string()).expect("file");
    key
}

fn token(served: &Served, key: &PrivateKey) -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
    let claims = json!({
        "iss": ISSUER, "aud": served.gateway(""), "sub": "alice", "client_id": "web",
        "iat": now, "exp": now + 300, "scope": "health",
    });
    jws::sign(key, "at+jwt", claims.to_string().as_bytes()).expect("token")
}

fn status(served: &Served, token: &str) -> u16 {
    served.http.get(&served.gateway("/healthz"), Some(token)).status
}

#[test]
fn other_issuers_come_and_go() {
    let folder = tempfile::tempdir().expect("folder");
    let files = ["one", "other"].map(|name| folder.path().join(name));
    let [one, other] = [0, 1].map(|number: usize| key(&files[number]));
    let issuer = |file: &Path, more: &str| {
        let file = file.display();
        format!("[[gateway.issuer]]\nissuer = \"{ISSUER}\"\njwks_file = \"{file}\"\n{more}")
    };
    let served = Served::start("");
    let [one, other] = [one, other].map(|key| token(&served, &key));
    assert_eq!([status(&served, &one), status(&served, &other)], [401, 401]);
    for (configured, expected, changed) in [
        (issuer(&files[0], ""), [200, 401], "gateway.issuer"),
        (issuer(&files[1], ""), [401, 200], "gateway.issuer[0].jwks_file"),
        // What was verified is no longer good where the rules are others.
        (
            issuer(&files[1], "required = { sub = \"bob\" }\n"),
            [401, 401],
            "gateway.issuer[0].required.sub",
        ),
        (String::new(), [401, 401], "gateway.issuer"),
        (issuer(&files[0], ""), [200, 401], "gateway.issuer"),
    ] {
        served.configure(&configured);
        let applied = reload(&served);
        let names = applied["changed"].as_array().expect("options");
        assert!(names.contains(&json!(changed)), "{applied}");
        let statuses = [status(&served, &one), status(&served, &other)];
        assert_eq!(statuses, expected, "{configured}");
    }
    // A bad one is refused whole, and who was there stays.
    served.configure(&issuer(&folder.path().join("missing"), ""));
    assert!(!served.command(&["config", "reload"]).status.success());
    assert_eq!(status(&served, &one), 200);
}

#[test]
fn proxies_in_front_come_and_go() {
    let route = |url: &str| {
        format!(
            "[[gateway.route]]\npath = \"/api/openapi.json\"\nupstream = \"api\"\npublic = true\n\
             networks = [\"192.0.2.0/24\"]\n{url}"
        )
    };
    let served = Served::start(&route(""));
    let ask = |field: &str, value: &str| {
        let request = Request::get(served.gateway("/api/openapi.json")).header(field, value);
        served.http.send(request.body(Full::<Bytes>::default()).expect("request")).status
    };
    let told = || [ask("X-Forwarded-For", "192.0.2.7"), ask("Forwarded", "for=192.0.2.7")];
    assert_eq!(told(), [403, 403]);
    for (members, expected) in [
        ("trusted_proxies = [\"127.0.0.0/8\"]", [200, 403]),
        ("trusted_proxies = [\"127.0.0.0/8\"]\nclient_address_field = \"forwarded\"", [403, 200]),
        ("trusted_proxies = [\"198.51.100.0/24\"]", [403, 403]),
        ("", [403, 403]),
    ] {
        served.configure_with(members, &route(""));
        reload(&served);
        assert_eq!(told(), expected, "{members}");
    }
}
