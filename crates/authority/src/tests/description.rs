//! The OpenAPI document says what is there.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use super::support::{Harness, ISSUER, settings};
use crate::description::{OPERATIONS, openapi_json};
use crate::register::metadata;
use crate::register::policy::Policy;
use crate::router;

/// Paths that people's browsers go to, and nobody else.
const PAGES: [&str; 43] = [
    "/account",
    "/account/applications/narrow",
    "/account/applications/withdraw",
    "/account/email",
    "/account/factors",
    "/account/factors/add",
    "/account/factors/codes",
    "/account/factors/forget",
    "/account/factors/passkey",
    "/account/factors/remove",
    "/account/factors/rename",
    "/account/identities",
    "/account/identities/confirm",
    "/account/identities/connect",
    "/account/identities/remove",
    "/account/password",
    "/account/sessions/end",
    "/account/sessions/end-others",
    "/account/sessions/everywhere",
    "/account/sign-ins/disown",
    "/account/tokens",
    "/account/tokens/create",
    "/account/tokens/narrow",
    "/account/tokens/revoke",
    "/account/tokens/rotate",
    "/approvals",
    "/approvals/decision",
    "/assets/{name}",
    "/consent",
    "/device",
    "/device/decision",
    "/device/qr",
    "/forgotten",
    "/link",
    "/login",
    "/login/code",
    "/login/code/passkey",
    "/login/enrol",
    "/login/passkey",
    "/login/provider",
    "/login/provider/{provider}",
    "/logout/decision",
    "/sign-up",
];

fn document() -> Value {
    serde_json::from_str(&openapi_json(ISSUER)).expect("JSON")
}

#[tokio::test]
async fn it_is_served_to_everybody() {
    let harness = Harness::new().await;
    let answer = harness.get("/openapi.json").await;
    assert_eq!((answer.status, answer.text), (200, openapi_json(ISSUER)));
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn it_has_exactly_the_operations_that_are_routed_and_no_page() {
    let mut described: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for operation in OPERATIONS {
        let methods = described.entry(operation.path).or_default();
        assert!(methods.insert(operation.method.to_uppercase()), "{} twice", operation.path);
    }
    let harness = Harness::new().await;
    let mut routed = BTreeMap::new();
    for path in router::endpoints(Policy::Token).names().iter().filter(|path| !PAGES.contains(path))
    {
        let uri = path.replace("{client_id}", "conf");
        let request = Request::patch(uri).body(Body::empty()).expect("request");
        let answer = harness.send(request).await;
        assert_eq!(answer.status, 405, "{path}");
        // Every GET answers HEAD; OPTIONS is for browsers.
        let methods = answer.header("allow").split(',').map(str::trim);
        let methods = methods.filter(|method| !matches!(*method, "HEAD" | "OPTIONS"));
        routed.insert(*path, methods.map(str::to_owned).collect());
    }
    assert_eq!(described, routed);
}

#[test]
fn every_operation_has_a_name_a_summary_and_its_refusals() {
    let document = document();
    let mut ids = BTreeSet::new();
    for operation in OPERATIONS {
        let described = &document["paths"][operation.path][operation.method];
        assert!(described["summary"].as_str().is_some_and(|words| !words.is_empty()));
        let id = described["operationId"].as_str().expect("operationId").to_owned();
        assert!(ids.insert(id.clone()), "{id} twice");
        assert!(described["responses"]["503"].is_object(), "{id}");
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_referred_to() {
    let document = document();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    for reference in &references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for part in ["schemas", "responses"] {
        for name in document["components"][part].as_object().expect("components").keys() {
            let reference = format!("#/components/{part}/{name}");
            assert!(references.contains(&reference), "{reference} is not needed");
        }
    }
}

/// The members of a registration are described by hand: each is held against what reads it.
#[test]
fn a_registration_is_read_as_it_is_described() {
    let document = document();
    let members = &document["components"]["schemas"]["ClientMetadata"]["properties"];
    let samples = [json!(true), json!("text"), json!(7), json!(["x"]), json!({ "keys": [] })];
    for (name, schema) in members.as_object().expect("properties") {
        let reads = |value: &Value| {
            let members = [(name.clone(), value.clone())].into_iter().collect();
            metadata::parse(&members, &settings().registration)
        };
        assert!(reads(&Value::Null).is_ok(), "{name}: null is as good as nothing");
        let words = schema["enum"].as_array();
        for word in words.into_iter().flatten() {
            assert!(reads(word).is_ok(), "{name}: {word}");
        }
        let kind = schema["type"][0].as_str().unwrap_or("string");
        for sample in &samples {
            let is_described = match kind {
                "array" => sample.is_array(),
                "boolean" => sample.is_boolean(),
                "integer" => sample.is_u64(),
                "object" => sample.is_object(),
                _ => sample.is_string(),
            };
            assert!(is_described || reads(sample).is_err(), "{name}: {sample} is taken");
        }
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str().filter(|_| name == "$ref") {
                    Some(reference) => drop(references.insert(reference.to_owned())),
                    None => collect(member, references),
                }
            }
        }
        _ => {}
    }
}
