//! What a request leaves behind: an explanation by its id, and no credential in any line of the log.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use token::base64url;

use crate::support::http::Answer;
use crate::support::port::free_port;
use crate::support::served::Served;
use crate::support::{Product, text};

#[test]
fn a_refusal_is_explained_by_the_id_that_its_answer_told() {
    let product = Product::start();
    let answer = product.api("/nothing", &product.access_token());
    let problem = answer.expect(404);
    let id = problem["request_id"].as_str().expect("id");
    assert_eq!(answer.header("x-request-id"), id);
    let output = product.command(&["explain", id]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    for line in [
        "route ",
        "verify    ok          the token is ",
        "permit    FAILED      nothing is at this path",
        "forward   not reached",
    ] {
        assert!(told.contains(line), "no {line:?} in:\n{told}");
    }
    assert!(told.contains("unknown_route") && told.contains("/nothing"), "{told}");
    let json = product.command(&["explain", id, "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["request"], id);
    let gone = product.command(&["explain", "never-was"]);
    assert!(!gone.status.success());
    assert!(text(&gone.stderr).contains("before a restart"), "{}", text(&gone.stderr));
}

fn ask(served: &Served, url: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(url);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    served.http.send(request.body(Full::<Bytes>::default()).expect("request"))
}

#[test]
fn no_line_of_the_log_has_a_credential() {
    let port = free_port();
    let mut served = Served::start(&format!(
        "[log]\nlevel = \"trace\"\n[gateway.auth]\nlisten = \"127.0.0.1:{port}\""
    ));
    let (id, secret) = served.client(json!({
        "client_name": "logged", "grant_types": ["client_credentials"], "scope": "health",
    }));
    let tokens = served.http.post_form(
        &served.issuer("/token"),
        Some((&id, &secret)),
        &[("grant_type", "client_credentials"), ("scope", "health")],
    );
    let good = tokens.expect(200)["access_token"].as_str().expect("token").to_owned();
    let forged = format!("{}x", &good[..good.len() - 1]);
    let opaque = "tw_at_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
    let (proof, cookie, in_query) =
        ("eyJwcm9vZi0xMjM0NTY3ODkw", "cookie-1234567890", "query-1234567890");
    let auth = |path: &str| format!("http://127.0.0.1:{port}{path}");
    for token in [good.as_str(), forged.as_str(), opaque] {
        let bearer = format!("Bearer {token}");
        let dpop = format!("DPoP {token}");
        let cookies = format!("session={cookie}");
        for fields in [
            vec![("authorization", bearer.as_str())],
            vec![("authorization", &bearer), ("cookie", &cookies)],
            vec![("authorization", &dpop), ("dpop", proof)],
            vec![("x-api-key", token)],
        ] {
            ask(&served, &served.gateway("/healthz"), &fields);
            ask(&served, &served.gateway("/nothing"), &fields);
            let told = [
                ("x-forwarded-for", "127.0.0.1"),
                ("x-forwarded-host", "api.example"),
                ("x-forwarded-method", "GET"),
                ("x-forwarded-uri", "/healthz"),
            ];
            let described: Vec<_> = told.into_iter().chain(fields.iter().copied()).collect();
            ask(&served, &auth("/forward-auth"), &described);
            ask(&served, &auth("/ext_authz/healthz"), &described);
            ask(&served, &served.admin("/api/v1/clients"), &fields);
            ask(&served, &served.issuer("/userinfo"), &fields);
        }
    }
    ask(&served, &served.gateway(&format!("/healthz?access_token={in_query}")), &[]);
    served.kill();
    let log = served.log();
    assert!(log.contains("TRACE"), "nothing was traced");
    let basic = base64url::encode(format!("{id}:{secret}"));
    let parts = good.split('.').skip(1).chain([good.as_str(), &forged, opaque, proof, cookie]);
    for secret in parts.chain([secret.as_str(), in_query, &basic[..20]]) {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "`{secret}` is in the log");
    }
}
