//! Requests held against an OpenAPI document: refused or observed, at the proxy and where only the head is known.

use std::sync::Arc;

use contract::{Contract, UnknownQuery};
use http::{HeaderMap, HeaderValue};
use token::reason::Reason;

use super::support::upstream::Recording;
use super::support::{House, body, field, settings, status};
use crate::checker::Decision;
use crate::described::{Described as Asked, Told};
use crate::settings::{Access, Described, Further, Inspect, Settings};

const DOCUMENT: &str = r##"{
    "openapi": "3.1.0",
    "paths": {
        "/orders": { "post": {
            "parameters": [ { "name": "dry", "in": "query", "schema": { "type": "boolean" } } ],
            "requestBody": { "required": true, "content": {
                "application/json": { "schema": {
                    "type": "object",
                    "required": [ "qty" ],
                    "properties": {
                        "qty": { "type": "integer", "minimum": 1 },
                        "note": { "type": "string", "maxLength": 100000 },
                        "list": { "type": "array" }
                    }
                } },
                "image/png": {}
            } }
        } },
        "/orders/{id}": { "get": { "parameters": [
            { "name": "id", "in": "path", "required": true, "schema": { "type": "integer" } },
            { "name": "X-Trace", "in": "header", "schema": { "type": "string", "format": "uuid" } }
        ] } }
    }
}"##;

/// The usual settings, `POST /orders` and `GET /orders/{id}` described.
fn described(upstream: &str, enforce: bool, inspect: Inspect) -> Settings {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("orders.json");
    std::fs::write(&file, DOCUMENT).expect("document");
    let contract = Contract::read(&file, None).expect("good");
    let operations: Vec<_> = contract.operations().iter().collect();
    let checks = contract.checks(&operations, UnknownQuery::Refuse).expect("good");
    let mut settings = settings(upstream);
    settings.inspect_body_limit = 64 * 1024;
    for (operation, check) in operations.iter().zip(checks) {
        let mut routes = settings.routes.iter_mut();
        let route = routes.find(|route| {
            route.path == operation.path && route.methods.contains(&operation.method)
        });
        let route = route.expect("route");
        route.inspect = inspect;
        route.described = Some(Described { check: Arc::new(check), enforce });
    }
    settings
}

async fn house(enforce: bool, inspect: Inspect) -> (House, Recording) {
    let upstream = Recording::new().await;
    let settings = described(&format!("http://{}", upstream.address), enforce, inspect);
    (House::with(settings).await, upstream)
}

fn post(token: &str, query: &str, kind: &str, text: &str) -> String {
    format!(
        "POST /orders{query} HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    )
}

fn cases() -> Vec<(&'static str, &'static str, String, u16, &'static str)> {
    let long = "n".repeat(40_000);
    vec![
        ("", "application/json", r#"{"qty":0}"#.into(), 400, "body /qty: must be at least 1"),
        (
            "",
            "application/json",
            format!(r#"{{"qty":0,"note":"{long}"}}"#),
            400,
            "body /qty: must be",
        ),
        (
            "?dry=no",
            "application/json",
            r#"{"qty":1}"#.into(),
            400,
            "query dry: is not of the type",
        ),
        ("?debug", "application/json", r#"{"qty":1}"#.into(), 400, "query: has a parameter that"),
        ("", "application/json", String::new(), 400, "body: is missing"),
        ("", "text/csv", "qty".into(), 415, "media type"),
        (
            "",
            "application/json",
            format!(r#"{{"qty":1,"list":{}{}}}"#, "[".repeat(70), "]".repeat(70)),
            413,
            "too deeply",
        ),
        ("", "application/json", format!("[{}1]", "1,".repeat(25_000)), 413, "too many"),
        (
            "",
            "application/json",
            format!(r#"{{"qty":1,"note":"{long}{long}"}}"#),
            413,
            "longer than",
        ),
    ]
}

#[tokio::test]
async fn what_is_not_as_described_is_refused_with_its_place() {
    let (house, upstream) = house(true, Inspect::Off).await;
    let token = house.token("orders:write");
    for (query, kind, text, code, words) in cases() {
        let answer = house.raw(post(&token, query, kind, &text)).await;
        assert_eq!(status(&answer), code, "{query} {kind} {words}");
        assert!(answer.contains(words), "{answer}");
        let (event, request) = house.events.next().await;
        let reason = if code == 413 { Reason::TooLarge } else { Reason::Schema };
        assert_eq!(request.refused, Some(reason.into()), "{words}");
        assert!(event.who.subject.is_some());
    }
    assert!(upstream.requests().is_empty());
    let answer = house.raw(post("none", "", "application/json", "{}")).await;
    assert_eq!(status(&answer), 401, "who has no good token learns nothing of the description");
}

#[tokio::test]
async fn good_requests_arrive_as_they_were_sent() {
    let (house, upstream) = house(true, Inspect::Enforce).await;
    let token = house.token("orders:read orders:write");
    let text = "{ \"qty\": 1.0,\r\n \"note\" : \"x\" }";
    assert_eq!(status(&house.raw(post(&token, "?dry=true", "application/json", text)).await), 200);
    assert_eq!(body(&upstream.only()), text);
    let picture = "not JSON, not read".repeat(5000);
    assert_eq!(status(&house.raw(post(&token, "", "image/png", &picture)).await), 200);
    assert_eq!(status(&house.ask_as(&token, "GET /orders/7", "").await), 200);
    let chunked = format!(
        "POST /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
         4\r\n{{\"qt\r\n5\r\ny\":0}}\r\n0\r\n\r\n"
    );
    assert_eq!(status(&house.raw(chunked.clone()).await), 400);
    assert_eq!(status(&house.raw(chunked.replace(":0", ":5")).await), 200);
}

#[tokio::test]
async fn observing_forwards_and_says_what_would_be_refused() {
    let (house, upstream) = house(false, Inspect::Off).await;
    let token = house.token("orders:write");
    for (query, kind, text, _, words) in cases() {
        let answer = house.raw(post(&token, query, kind, &text)).await;
        assert_eq!(status(&answer), 200, "{words}");
        let (_, request) = house.events.next().await;
        assert_eq!(request.refused, None);
        assert!(request.would_refuse.is_some(), "{words}");
        let detail = request.would_refuse_detail.expect("its words");
        assert!(detail.contains(words), "{detail}");
    }
    let arrived = upstream.requests();
    assert!(arrived.iter().zip(cases()).all(|(text, case)| body(text) == case.2));
    assert_eq!(arrived.len(), cases().len());
}

#[tokio::test]
async fn each_way_of_judging_has_its_own_word() {
    let attack = r#"{"qty":0,"list":["x' OR '1'='1"]}"#;
    let prose = r#"{"qty":1,"note":"please drop table 4; it is broken"}"#;
    for (enforce, inspect, code) in [
        (true, Inspect::Off, 400),
        (true, Inspect::Enforce, 400),
        (false, Inspect::Enforce, 403),
        (false, Inspect::Observe, 200),
    ] {
        let (house, _upstream) = house(enforce, inspect).await;
        let token = house.token("orders:write");
        let answer = house.raw(post(&token, "", "application/json", attack)).await;
        assert_eq!(status(&answer), code, "{enforce} {inspect:?}");
        let (_, seen) = house.events.next().await;
        if code == 200 {
            let noticed = seen.would_refuse.map(|refused| refused.to_string());
            assert_eq!(noticed.as_deref(), Some("injection:sqli"), "the watcher goes by it");
            let id = field(&answer, "x-request-id").expect("a name");
            let told = house.explainer.explain(id).expect("remembered");
            let inspect = told.steps.iter().find(|step| step.step == "inspect").expect("a step");
            let said = inspect.detail.as_deref().unwrap_or_default();
            let words = "description observed, injections observed; would refuse injection:sqli: ";
            assert!(said.starts_with(words), "{said}");
        }
        // The document gives `note` to text for people.
        let answer = house.raw(post(&token, "", "application/json", prose)).await;
        assert_eq!(status(&answer), 200, "{enforce} {inspect:?}");
    }
}

#[tokio::test]
async fn where_only_the_head_is_known_parameters_are_judged() {
    let upstream = Recording::new().await;
    let settings = described(&format!("http://{}", upstream.address), true, Inspect::Off);
    let house = House::with(settings).await;
    let token = house.token("orders:read orders:write");
    let ask = async |method: &str, target: &str, trace: &str| {
        let client = "192.0.2.1".parse().expect("address");
        let told = Told::new(method.as_bytes(), target, b"api.example", client).expect("told");
        let mut headers = HeaderMap::new();
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).expect("field");
        headers.insert("authorization", bearer);
        headers.insert("x-trace", HeaderValue::from_str(trace).expect("field"));
        match house.checker.decide(&Asked::new(told, headers, None)).await {
            Decision::Allowed(_) => 200,
            Decision::Refused(answer) => answer.status().as_u16(),
        }
    };
    let trace = "0190a7c4-7b3e-7e25-8c5a-6d1f0f3b2a11";
    assert_eq!(ask("GET", "/orders/7", trace).await, 200);
    assert_eq!(ask("GET", "/orders/x", trace).await, 400);
    assert_eq!(ask("GET", "/orders/7", "x").await, 400);
    assert_eq!(ask("POST", "/orders", trace).await, 200, "there is no body to judge");
    assert_eq!(ask("POST", "/orders?dry=no", trace).await, 400);
}

/// An upstream that ignores case takes `/Orders` for `/orders`, whose body nobody would have read.
#[tokio::test]
async fn a_wide_rule_is_no_way_around_a_description() {
    for (enforce, code) in [(true, 404), (false, 200)] {
        let upstream = Recording::new().await;
        let mut settings =
            described(&format!("http://{}", upstream.address), enforce, Inspect::Off);
        let mut wide = settings.routes.clone();
        wide.retain(|route| route.path == "/orders");
        for route in &mut wide {
            (route.path, route.described) = ("/{rest...}".into(), None);
        }
        settings.routes.append(&mut wide);
        let house = House::with(settings).await;
        let token = house.token("orders:write");
        let request = post(&token, "", "application/json", "{}").replace("/orders", "/Orders");
        assert_eq!(status(&house.raw(request).await), code, "{enforce}");
    }
}

#[tokio::test]
async fn alternatives_are_sets_of_scopes() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    let sets = [&["orders:read"][..], &["orders:write", "orders:audit"][..]];
    let any_scopes = sets.map(|set| set.iter().map(|scope| (*scope).to_owned()).collect()).to_vec();
    settings.routes[0].access = Access::Token {
        scopes: Vec::new(),
        audiences: Vec::new(),
        further: Further { any_scopes, ..Further::default() },
    };
    let house = House::with(settings).await;
    for (scopes, code) in [
        ("orders:read", 200),
        ("orders:write orders:audit", 200),
        ("orders:write", 403),
        ("orders:audit", 403),
    ] {
        let answer = house.ask_as(&house.token(scopes), "GET /orders", "").await;
        assert_eq!(status(&answer), code, "{scopes}");
        assert_eq!(answer.contains("scope=\"orders:read\""), code == 403, "{answer}");
    }
}
