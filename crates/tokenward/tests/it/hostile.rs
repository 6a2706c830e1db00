//! Malformed input at every door: a 4xx with a reason, never a 5xx, never the end of the process.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::Product;
use crate::support::http::Http;

/// Sends bytes, returns what comes back within a second of silence.
fn raw(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("connection");
    stream.set_read_timeout(Some(Duration::from_millis(1000))).expect("timeout");
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut buffer = [0u8; 4096];
    while let Ok(read) = stream.read(&mut buffer) {
        if read == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn status_of(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

#[test]
fn random_requests_never_give_a_5xx() {
    let product = Product::start();
    let token = product.access_token();
    let doors = [product.said("issuer"), product.said("gateway"), product.said("admin")]
        .map(|url| url.trim_start_matches("http://").to_owned());
    let path = prop_oneof![
        "/(token|authorize|login|consent|revoke|introspect|userinfo|register|orders|api/v1/clients|api/v1/restrictions)",
        "/(token|orders|api/v1/users)(/|\\?|%|;|\\.\\.|//)[ -~]{0,20}",
        "[ -~]{1,40}",
    ];
    let header = prop_oneof![
        Just(format!("Authorization: Bearer {token}")),
        "Authorization: (Bearer|Basic|DPoP|bearer)? ?[ -~]{0,60}",
        "Content-Type: (application/json|application/x-www-form-urlencoded|text/plain)",
        "[A-Za-z-]{1,20}: [ -~]{0,40}",
        "Cookie: [ -~]{0,40}",
    ];
    let strategy = (
        0..3usize,
        prop_oneof!["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "[A-Z]{1,8}"],
        path,
        proptest::collection::vec(header, 0..4),
        proptest::collection::vec(any::<u8>(), 0..200),
    );
    let mut runner =
        TestRunner::new(Config { cases: 600, failure_persistence: None, ..Config::default() });
    runner
        .run(&strategy, |(door, method, path, headers, body)| {
            let address = &doors[door];
            let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
            for header in &headers {
                request.push_str(header);
                request.push_str("\r\n");
            }
            request.push_str("\r\n");
            let mut bytes = request.into_bytes();
            bytes.extend_from_slice(&body);
            let answer = raw(address, &bytes);
            let status = status_of(&answer);
            prop_assert!(status.is_some_and(|status| status < 500), "{:?}\n{}", String::from_utf8_lossy(&bytes), answer);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    product.api("/orders", &product.access_token()).expect(200);
}

#[test]
fn refusals_are_json_that_names_what_is_wrong() {
    let product = Product::start();
    let (id, secret) = product.client();
    let token = |parameters: &[(&str, &str)]| {
        product.http.post_form(&product.issuer("/token"), Some((&id, &secret)), parameters)
    };
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[], "invalid_request"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (
            &[("grant_type", "client_credentials"), ("grant_type", "client_credentials")],
            "invalid_request",
        ),
        (&[("grant_type", "client_credentials"), ("scope", "a  b")], "invalid_scope"),
        (&[("grant_type", "refresh_token")], "invalid_request"),
        (
            &[("grant_type", "authorization_code"), ("code", "x"), ("code_verifier", "y")],
            "invalid_grant",
        ),
    ];
    for (parameters, error) in cases {
        let answer = token(parameters);
        let said = answer.expect(400);
        assert_eq!(said["error"], error, "{parameters:?}");
        assert!(said["error_description"].as_str().is_some_and(|text| text.len() > 10), "{said}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let problem =
        product.admin_call("POST", "/clients", Some(serde_json::json!({ "client_nam": "x" })));
    assert!(problem.header("content-type").starts_with("application/problem+json"));
    assert!(problem.body.contains("client_nam"), "{problem:?}");
    assert!((400..500).contains(&problem.status));
}

#[test]
fn ambiguous_framing_is_refused_and_the_connection_closed() {
    let product = Product::start();
    let token = product.access_token();
    let address = product.said("gateway").trim_start_matches("http://").to_owned();
    let head = format!("Host: {address}\r\nAuthorization: Bearer {token}\r\n");
    let smuggled = "GET /users HTTP/1.1\r\nHost: x\r\n\r\n";
    let cases = [
        format!(
            "POST /orders HTTP/1.1\r\n{head}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
        ),
        format!(
            "POST /orders HTTP/1.1\r\n{head}Content-Length: 0\r\nContent-Length: 40\r\n\r\n{smuggled}"
        ),
        format!("POST /orders HTTP/1.1\r\n{head}Transfer-Encoding: xchunked\r\n\r\n{smuggled}"),
        format!(
            "POST /orders HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{smuggled}"
        ),
        format!("GET /orders HTTP/1.1\r\n{head}Host: other.example\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n"),
        format!("GET /orders\u{b}HTTP/1.1\r\n{head}\r\n"),
    ];
    for case in cases {
        let answer = raw(&address, case.as_bytes());
        let first = status_of(&answer);
        assert!(first.is_none_or(|status| (400..500).contains(&status)), "{case}\n{answer}");
        assert_eq!(
            answer.matches("HTTP/1.1 ").count().max(1),
            1,
            "a second answer: {case}\n{answer}"
        );
    }
}

#[test]
fn odd_paths_do_not_go_around_a_route() {
    let product = Product::start();
    let scope = [("grant_type", "client_credentials"), ("scope", "users:read")];
    let token =
        product.token(&scope).expect(200)["access_token"].as_str().expect("token").to_owned();
    product.api("/users/1", &token).expect(200);
    product.api("/orders/1001", &token).expect(403);
    for path in [
        "/users/../orders/1001",
        "/users/%2e%2e/orders/1001",
        "/users/..%2forders",
        "/users//orders",
        "/users;/../orders",
        "/users/%2e/1",
        "/users/1%2f..%2f..%2forders",
        "/users/1%00",
        "/users/%252e%252e/orders",
        "/users/1\\..\\orders",
        "/./orders",
    ] {
        let address = product.said("gateway").trim_start_matches("http://");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        let answer = raw(address, request.as_bytes());
        assert_eq!(status_of(&answer), Some(400), "{path}: {answer}");
    }
    for (path, status) in
        [("/users/%31", 200), ("/Users/1", 404), ("/users/1/", 404), ("/orders", 403)]
    {
        assert_eq!(product.api(path, &token).status, status, "{path}");
    }
}

#[test]
fn a_credential_comes_in_one_place_only() {
    let product = Product::start();
    let token = product.access_token();
    let address = product.said("gateway").trim_start_matches("http://").to_owned();
    let send = |target: &str, headers: &str| {
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n"
        );
        status_of(&raw(&address, request.as_bytes()))
    };
    assert_eq!(send("/orders", &format!("Authorization: Bearer {token}\r\n")), Some(200));
    assert_eq!(
        send(
            "/orders",
            &format!("Authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n")
        ),
        Some(400)
    );
    assert_eq!(
        send("/orders", &format!("Authorization: Bearer {token}, Bearer {token}\r\n")),
        Some(400)
    );
    assert_eq!(send(&format!("/orders?access_token={token}"), ""), Some(400));
    assert_eq!(
        send(
            &format!("/orders?access_token={token}"),
            &format!("Authorization: Bearer {token}\r\n")
        ),
        Some(400)
    );
    assert_eq!(send("/orders", ""), Some(401));
    assert_eq!(send("/orders", &format!("Authorization: Basic {token}\r\n")), Some(401));
    assert_eq!(
        send(&format!("http://{address}/orders"), &format!("Authorization: Bearer {token}\r\n")),
        Some(200)
    );
    assert_eq!(
        send("http://other.example/orders", &format!("Authorization: Bearer {token}\r\n")),
        Some(400)
    );
    let http = Http::new();
    assert_eq!(
        http.get(&product.gateway("/.well-known/oauth-protected-resource"), None).expect(200)["resource"],
        product.line["gateway"]
    );
}
