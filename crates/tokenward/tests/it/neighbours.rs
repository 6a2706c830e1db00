//! Proxies of other makers that ask Tokenward, by the recipes that are shipped: one story, told by each.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::support::neighbour::{Neighbour, Raw};

mod caddy;
mod envoy;
mod haproxy;
mod nginx;
mod traefik;

/// What only Tokenward may say, as a client says it, and what would describe another request.
const SPOOFED: &str = "Tokenward-Subject: spoofed\r\ntokenward_subject: spoofed\r\n\
    Tokenward-Token_Id: spoofed\r\nTokenward_Scope: spoofed\r\n\
    X-Forwarded-Uri: /public/spoofed\r\nX_Forwarded_Uri: /public/spoofed\r\n\
    X-Forwarded-Method: SPOOFED\r\nX-Original-URI: /public/spoofed\r\nX-Original-URL: /spoofed\r\n\
    X-Original-Method: SPOOFED\r\nX-Rewrite-URL: /spoofed\r\nX-HTTP-Method-Override: SPOOFED\r\n";

/// The whole story.
fn tell(neighbour: Neighbour) {
    a_good_token_arrives_with_its_identity(&neighbour);
    what_a_client_says_of_itself_does_not_arrive(&neighbour);
    refusals_are_those_of_the_gateway(&neighbour);
    no_path_leads_around_a_route(&neighbour);
    a_revoked_token_is_refused_at_once(&neighbour);
    the_metadata_is_found(&neighbour);
    a_blocked_network_is_the_clients(&neighbour);
    without_tokenward_nothing_passes(neighbour);
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// The only head that has arrived.
#[track_caller]
fn only(neighbour: &Neighbour) -> String {
    let arrived = neighbour.api.arrived();
    assert_eq!(arrived.len(), 1, "{arrived:#?}");
    arrived.into_iter().next().expect("one")
}

fn has_field(head: &str, name: &str, value: &str) -> bool {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut named = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    named.next().is_some_and(|(_, found)| found.trim() == value) && named.next().is_none()
}

fn a_good_token_arrives_with_its_identity(neighbour: &Neighbour) {
    let answer = neighbour.ask("GET /api/1?q=a%20b", &bearer(&neighbour.token()));
    assert_eq!((answer.status, answer.body.as_str()), (200, "fine"));
    let head = only(neighbour);
    assert!(head.starts_with("GET /api/1?q=a%20b HTTP/1.1\r\n"), "{head}");
    assert!(has_field(&head, "tokenward-scope", "health"), "{head}");
    let lower = head.to_lowercase();
    for name in ["tokenward-subject:", "tokenward-client:", "tokenward-token-id:", "x-request-id:"]
    {
        assert_eq!(lower.matches(name).count(), 1, "{name} in {head}");
    }
    assert!(!lower.contains("bearer"), "the token ends at the proxy: {head}");
    let answer = neighbour.ask("POST /public/1", "Content-Length: 4\r\n\r\nbody");
    assert_eq!(answer.status, 200);
    assert!(only(neighbour).starts_with("POST /public/1 HTTP/1.1\r\n"));
}

fn what_a_client_says_of_itself_does_not_arrive(neighbour: &Neighbour) {
    let fields = format!("{}{SPOOFED}", bearer(&neighbour.token()));
    assert_eq!(neighbour.ask("GET /api/1", &fields).status, 200);
    let head = only(neighbour);
    assert!(!head.to_lowercase().contains("spoofed"), "{head}");
    assert!(has_field(&head, "tokenward-scope", "health"), "{head}");
    assert_eq!(neighbour.ask("GET /public/1", SPOOFED).status, 200);
    let head = only(neighbour).to_lowercase();
    assert!(!head.contains("spoofed") && !head.contains("tokenward"), "{head}");
    assert_eq!(neighbour.ask("GET /api/1", SPOOFED).status, 401, "another path is described");
    // What is named as for this hop alone is taken out; what then arrives is nobody's, or ours.
    let named =
        "Connection: tokenward-subject, x-forwarded-uri, x-forwarded-for, authorization\r\n";
    neighbour.ask("GET /api/1", &format!("{named}{SPOOFED}"));
    assert!(neighbour.api.arrived().is_empty());
    neighbour.ask("GET /api/1", &format!("{named}{fields}"));
    for head in neighbour.api.arrived() {
        assert!(!head.to_lowercase().contains("spoofed"), "{head}");
    }
}

fn refusals_are_those_of_the_gateway(neighbour: &Neighbour) {
    let good = bearer(&neighbour.token());
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJpc3MiOiJ4In0.";
    let cases = [
        ("GET /api/1", String::new(), 401),
        ("GET /nothing", String::new(), 401),
        ("GET /api/1", bearer("abc"), 401),
        ("GET /api/1", bearer(none), 401),
        ("GET /api/1", "Authorization: Basic dTpw\r\n".to_owned(), 401),
        (
            "GET /api/1",
            format!("Authorization: DPoP {}", &good["Authorization: Bearer ".len()..]),
            401,
        ),
        ("GET /write/1", good.clone(), 403),
        ("GET /nothing", good.clone(), 404),
        ("PUT /api/1", format!("{good}Content-Length: 0\r\n"), 405),
        ("GET /api/1?access_token=x", String::new(), 400),
        ("GET /public/1?access_token=x", String::new(), 400),
        ("GET /api/1?access_token=x", good.clone(), 400),
        ("GET /api/1", format!("{good}{good}"), 400),
    ];
    for (line, fields, status) in cases {
        let (answer, own) = (neighbour.ask(line, &fields), neighbour.ask_gateway(line, &fields));
        // Some proxies refuse two credentials by themselves, which is as good.
        if fields.matches("Authorization").count() > 1 && answer.status == 400 {
            continue;
        }
        assert_eq!((answer.status, own.status), (status, status), "{line} {fields}");
        assert_eq!(problem(&answer), problem(&own), "{line} {fields}");
        assert_eq!(challenges(&answer), challenges(&own), "{line} {fields}");
        assert_eq!(answer.fields("allow"), own.fields("allow"), "{line}");
        assert_eq!(answer.fields("cache-control"), ["no-store"], "{line}");
    }
    assert!(neighbour.api.arrived().is_empty());
}

/// The body, but for the request's id, which the answer tells too.
#[track_caller]
fn problem(answer: &Raw) -> Value {
    let mut problem: Value = serde_json::from_str(&answer.body).expect("JSON");
    let id = problem["request_id"].take();
    assert_eq!(answer.fields("x-request-id"), [id.as_str().expect("id")]);
    assert_eq!(answer.fields("content-type"), ["application/problem+json"]);
    problem
}

/// All challenges as one list: NGINX passes on one field.
fn challenges(answer: &Raw) -> String {
    answer.fields("www-authenticate").join(", ")
}

fn no_path_leads_around_a_route(neighbour: &Neighbour) {
    for target in [
        "/public/../api/1",
        "/public/%2e%2e/api/1",
        "/public/%2E./api/1",
        "/public/..%2fapi/1",
        "/public/..%5capi/1",
        "/public/%252e%252e/api/1",
        "/public/..;/api/1",
        "/public;/../api/1",
        "/public/..\\api\\1",
        "/public/%2f..%2fapi/1",
        "/public/1#/../../api/1",
        "/public/1%00/../../api/1",
        "/public/%c0%ae%c0%ae/api/1",
        "//api/1",
        "/./api/1",
        "/%61pi/1",
        "/api/1/",
        "/api//1",
        "/api/1?x=/public/",
        "http://api.example/api/1",
        "http://other.example/api/1",
        "http://api.example/public/../api/1",
        "/.well-known/oauth-protected-resource/../../api/1",
        "/forward-auth",
        "/auth-request",
        "/.tokenward",
        "/ext_authz/public/1",
    ] {
        let answer = neighbour.ask(&format!("GET {target}"), SPOOFED);
        for head in neighbour.api.arrived() {
            let path = head.split(' ').nth(1).expect("path").to_lowercase();
            let odd = ["..", "%2e", "%2f", "%5c", "%25", "\\", ";", "#"];
            let plain = path.starts_with("/public/") && !odd.iter().any(|odd| path.contains(odd));
            assert!(plain, "{target} arrived as {path} with {}", answer.status);
        }
    }
}

fn a_revoked_token_is_refused_at_once(neighbour: &Neighbour) {
    let token = neighbour.token();
    assert_eq!(neighbour.ask("GET /api/1", &bearer(&token)).status, 200);
    only(neighbour);
    neighbour.revoke(&token);
    let answer = neighbour.ask("GET /api/1", &bearer(&token));
    assert_eq!(answer.status, 401, "{}", answer.body);
    assert!(challenges(&answer).contains("error=\"invalid_token\""), "{}", challenges(&answer));
    assert!(neighbour.api.arrived().is_empty());
}

fn the_metadata_is_found(neighbour: &Neighbour) {
    let answer = neighbour.ask("GET /.well-known/oauth-protected-resource", "");
    assert_eq!(answer.status, 200);
    let start = answer.body.find('{').expect("JSON");
    let end = answer.body.rfind('}').expect("JSON");
    let document: Value = serde_json::from_str(&answer.body[start..=end]).expect("JSON");
    assert_eq!(document["resource"], neighbour.tokenward.gateway(""));
    assert!(neighbour.api.arrived().is_empty());
}

fn a_blocked_network_is_the_clients(neighbour: &Neighbour) {
    let blocked = Ipv4Addr::new(127, 0, 0, 77);
    let body = json!({
        "selector": { "kind": "network", "value": "127.0.0.77/32" }, "effect": "suspend",
        "reason": "test",
    });
    neighbour.tokenward.admin_call("POST", "/restrictions", Some(body));
    let good = bearer(&neighbour.token());
    for fields in ["", "X-Forwarded-For: 127.0.0.1\r\n", "X-Real-IP: 127.0.0.1\r\n"] {
        for line in ["GET /api/1", "GET /public/1"] {
            let answer = neighbour.ask_from(blocked, line, &format!("{good}{fields}"));
            assert_eq!(answer.status, 403, "{line} {fields}");
        }
    }
    assert!(neighbour.api.arrived().is_empty());
    let fields = format!("{good}X-Forwarded-For: 127.0.0.77\r\nX-Real-IP: 127.0.0.77\r\n");
    assert_eq!(neighbour.ask("GET /api/1", &fields).status, 200, "nobody blocks another");
    only(neighbour);
}

fn without_tokenward_nothing_passes(mut neighbour: Neighbour) {
    let good = bearer(&neighbour.token());
    neighbour.tokenward.kill();
    for line in ["GET /api/1", "GET /public/1"] {
        let answer = neighbour.ask(line, &good);
        assert!(answer.status >= 400, "{line}: {}", answer.status);
    }
    assert!(neighbour.api.arrived().is_empty());
}
