//! What a proxy is told to do with a request that is let through.

use envoy_types::ext_authz::v3::pb::{HeaderAppendAction, HttpResponse, OkHttpResponse};
use http::HeaderMap;
use serde_json::json;
use token::client_certificate::ClientCertificate;

use crate::door::{Asked, call, check, head};
use crate::house::House;

/// What a client says of itself, what it must not say, and what is nobody's business.
const FIELDS: [(&str, &str); 11] = [
    ("accept", "*/*"),
    ("cookie", "a=b"),
    ("dpop", "x"),
    ("tokenward-other", "spoofed"),
    ("tokenward-subject", "spoofed"),
    ("tokenward_subject", "spoofed"),
    ("x-forwarded-for", "9.9.9.9"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-uri", "/open/a"),
    ("x-original-url", "/open/a"),
    ("x-real-ip", "9.9.9.9"),
];

/// What is taken out of them where Tokenward names somebody.
const TAKEN_OUT: [&str; 8] = [
    "authorization",
    "dpop",
    "tokenward-other",
    "tokenward_subject",
    "x-forwarded-uri",
    "x-original-method",
    "x-original-url",
    "x-real-ip",
];

fn asked(house: &House, target: &'static str) -> Asked {
    let mut fields: Vec<_> =
        FIELDS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let token = house.token("sub", json!("u1"));
    fields.push(("authorization", format!("Bearer {token}")));
    fields.push(("x-original-method", "GET".to_owned()));
    Asked { method: "GET", target, fields }
}

async fn by_grpc(house: &House, asked: &Asked) -> OkHttpResponse {
    let answer = check(house, call(asked, true)).await;
    house.event().await;
    match answer.http_response {
        Some(HttpResponse::OkResponse(ok)) => ok,
        other => panic!("{other:?}"),
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names
}

fn identity(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let fields = headers.iter().filter(|(name, _)| name.as_str().starts_with("tokenward-"));
    fields.map(|(name, value)| (name.as_str(), value.to_str().expect("text"))).collect()
}

#[tokio::test]
async fn envoy_sets_the_identity_and_takes_out_what_is_ours_to_say() {
    let house = House::start().await;
    let ok = by_grpc(&house, &asked(&house, "/orders/7")).await;
    assert_eq!(sorted(ok.headers_to_remove), TAKEN_OUT);
    let set: Vec<_> = ok
        .headers
        .into_iter()
        .map(|option| {
            assert_eq!(option.append_action(), HeaderAppendAction::OverwriteIfExistsOrAdd);
            let field = option.header.expect("field");
            (field.key, field.value)
        })
        .collect();
    let names: Vec<_> = set.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "tokenward-subject",
            "tokenward-client",
            "tokenward-scope",
            "tokenward-token-id",
            "x-request-id"
        ]
    );
    assert_eq!(set[0].1, "u1");
    // Nobody is named on a public route, the client's own words the less.
    let ok = by_grpc(&house, &asked(&house, "/open/a")).await;
    assert_eq!(ok.headers.len(), 1, "the request's name alone");
    let mut all: Vec<_> = TAKEN_OUT.map(str::to_owned).to_vec();
    all.push("tokenward-subject".to_owned());
    assert_eq!(sorted(ok.headers_to_remove), sorted(all));
}

#[tokio::test]
async fn over_http_it_is_the_same_and_nobody_keeps_the_answer() {
    let house = House::start().await;
    let asked = asked(&house, "/orders/7");
    let answer = house.http.answer(head(&asked, "GET", "/ext_authz/orders/7", &[]));
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["tokenward-subject"], "u1");
    let removed = answer.headers()["x-envoy-auth-headers-to-remove"].to_str().expect("text");
    assert_eq!(sorted(removed.split(',').map(str::to_owned).collect()), TAKEN_OUT);
    house.event().await;
    for (path, told) in [
        ("/forward-auth", ["x-forwarded-method", "x-forwarded-uri"]),
        ("/auth-request", ["x-original-method", "x-original-uri"]),
    ] {
        let fields = [("authorization", format!("Bearer {}", house.token("sub", json!("u2"))))];
        for (target, expected) in [("/orders/7", 4), ("/open/a", 0)] {
            let asked = crate::door::Asked { method: "GET", target, fields: fields.to_vec() };
            let told = [(told[0], "GET"), (told[1], target), ("x-forwarded-host", "api.example")];
            let answer = house.http.answer(head(&asked, "GET", path, &told));
            assert_eq!(answer.status(), 200, "{path}");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            assert_eq!(identity(answer.headers()).len(), expected, "{path} {target}");
            assert!(answer.body().is_empty());
            let (event, request) = house.event().await;
            assert_eq!((request.status, request.path.as_str()), (200, target));
            assert_eq!(event.who.subject.is_some(), expected > 0);
        }
    }
}

#[tokio::test]
async fn a_certificate_that_the_proxy_has_seen_counts_and_no_other() {
    let house = House::start().await;
    let der = [&[0x30, 0x82, 0x01, 0x00][..], &[7; 256]].concat();
    let shown = ClientCertificate::new(&der);
    let token = house.token("cnf", json!({ "x5t#S256": shown.thumbprint() }));
    let fields = vec![("authorization", format!("Bearer {token}"))];
    let asked = Asked { method: "GET", target: "/orders/7", fields };
    for (seen, status) in
        [(Some(shown), 200), (Some(ClientCertificate::new(b"x")), 401), (None, 401)]
    {
        let mut head = head(&asked, "GET", "/ext_authz/orders/7", &[]);
        if let Some(seen) = seen {
            head.extensions.insert(seen);
        }
        assert_eq!(house.http.answer(head).status(), status);
        house.event().await;
    }
    // As Envoy has it: percent-encoded PEM.
    let base64 = "MIIBAAcH".to_owned() + &"BwcH".repeat(84) + "Bwc=";
    let mut call = call(&asked, true);
    let source = call.attributes.as_mut().and_then(|attributes| attributes.source.as_mut());
    source.expect("source").certificate =
        format!("-----BEGIN%20CERTIFICATE-----%0A{base64}%0A-----END%20CERTIFICATE-----%0A");
    let answer = check(&house, call).await;
    assert!(matches!(answer.http_response, Some(HttpResponse::OkResponse(_))), "{answer:?}");
}
