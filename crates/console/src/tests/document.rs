//! The OpenAPI document says what is there.

use std::collections::BTreeSet;

use axum::body::Body;
use http::Request;
use serde_json::Value;

use super::support::Harness;
use crate::{openapi_json, operation};

const METHODS: [&str; 5] = ["delete", "get", "patch", "post", "put"];

fn document() -> Value {
    serde_json::from_str(&openapi_json()).expect("JSON")
}

#[tokio::test]
async fn it_is_served_to_everybody() {
    let harness = Harness::new().await;
    let request = Request::get("/api/openapi.json").body(Body::empty()).expect("request");
    assert_eq!(harness.send(request).await.text, openapi_json());
}

#[test]
fn it_has_exactly_the_operations_that_are_routed() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
            described.insert(((*method).to_owned(), path.clone()));
        }
    }
    let routed: BTreeSet<(String, String)> =
        operation::ALL.iter().map(|(m, p)| ((*m).to_owned(), (*p).to_owned())).collect();
    assert_eq!(described, routed);
}

#[test]
fn every_operation_says_what_it_does_and_how_it_refuses() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (method, path) in operation::ALL {
        let described = &document["paths"][path][method];
        assert!(described["summary"].is_string(), "{method} {path}");
        let id = described["operationId"].as_str().expect("operationId");
        assert!(ids.insert(id.to_owned()), "{id} twice");
        for status in ["401", "403", "default"] {
            let content = &described["responses"][status]["content"];
            let schema = &content["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{method} {path} {status}");
        }
        for (status, response) in described["responses"].as_object().expect("responses") {
            let content = response["content"].as_object();
            let problem = content.is_some_and(|content| content.contains_key("application/json"));
            assert!(!(problem && status.starts_with('4')), "{method} {path} {status}");
        }
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')) {
            let name = name.trim_end_matches('}');
            let parameters = described["parameters"].as_array().expect("parameters");
            assert!(parameters.iter().any(|p| p["name"] == name && p["in"] == "path"), "{path}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str().filter(|_| name == "$ref") {
                    Some(reference) => references.push(reference.to_owned()),
                    None => collect(member, references),
                }
            }
        }
        _ => {}
    }
}
