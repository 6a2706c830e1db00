//! The Authorization API: cases as services ask them, and what is wrong with others.

use http::{HeaderMap, Method, Response};
use serde_json::{Value, json};

use super::engine;
use crate::Engine;
use crate::authzen::{EVALUATION, EVALUATIONS, METADATA};

const POLICIES: &str = "
    permit(principal in Group::\"editors\", action in [Action::\"read\", Action::\"edit\"], resource);
    permit(principal, action == Action::\"read\", resource is document)
        when { resource.public || resource.owner == principal };
    permit(principal is user, action == Action::\"rename\", resource is user)
        when { principal == resource && context.mfa };
    forbid(principal, action, resource) when { resource has locked && resource.locked };
    permit(principal is User, action in Action::\"GET\", resource is Route);
";

fn post(engine: &Engine, path: &str, body: &str) -> (u16, Value) {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json; charset=utf-8".parse().expect("field"));
    headers.insert("x-request-id", "bfe9eb29".parse().expect("field"));
    let answer =
        engine.answer("https://pdp.example", &Method::POST, path, &headers, body.as_bytes());
    assert_eq!(answer.headers()["x-request-id"], "bfe9eb29");
    (answer.status().as_u16(), value(&answer))
}

fn value(answer: &Response<bytes::Bytes>) -> Value {
    serde_json::from_slice(answer.body()).expect("JSON")
}

fn case(subject: Value, action: &str, resource: Value) -> Value {
    json!({ "subject": subject, "action": { "name": action }, "resource": resource })
}

fn alice() -> Value {
    json!({ "type": "user", "id": "alice", "properties": { "groups": ["editors"] } })
}

fn bob() -> Value {
    json!({ "type": "user", "id": "bob" })
}

fn document(properties: Value) -> Value {
    json!({ "type": "document", "id": "7", "properties": properties })
}

#[test]
fn a_case_is_decided_by_the_same_policies() {
    let engine = engine(POLICIES);
    let myself = json!({ "type": "user", "id": "bob", "properties": { "name": "Bob" } });
    let mut renames = case(bob(), "rename", myself);
    renames["context"] = json!({ "mfa": true });
    for (case, decision) in [
        (case(alice(), "edit", document(json!({ "public": false }))), true),
        (case(bob(), "edit", document(json!({ "public": true }))), false),
        (case(bob(), "read", document(json!({ "public": true }))), true),
        (case(alice(), "read", document(json!({ "locked": true, "public": true }))), false),
        (renames, true),
        (
            case(
                json!({ "type": "User", "id": "u1" }),
                "GET /orders/{id}",
                json!({ "type": "Route", "id": "/orders/{id}" }),
            ),
            true,
        ),
        (case(bob(), "GET /orders/{id}", json!({ "type": "Route", "id": "/orders/{id}" })), false),
    ] {
        let (status, answer) = post(&engine, EVALUATION, &case.to_string());
        assert_eq!((status, &answer["decision"]), (200, &json!(decision)), "{case}");
        assert_eq!(answer["context"]["reason"].is_string(), !decision);
    }
    // A policy that cannot be evaluated: `public` is not there.
    let (_, answer) =
        post(&engine, EVALUATION, &case(bob(), "read", document(json!({}))).to_string());
    assert_eq!(answer["decision"], false);
}

#[test]
fn several_cases_share_what_they_have_in_common() {
    let engine = engine(POLICIES);
    let all = |semantic: &str| {
        json!({
            "subject": bob(), "action": { "name": "read" },
            "options": { "evaluations_semantic": semantic },
            "evaluations": [
                { "resource": document(json!({ "public": true })) },
                { "resource": document(json!({ "public": false, "owner": 1 })) },
                { "resource": { "type": "no type", "id": "1" } },
                { "action": { "name": "edit" }, "subject": alice(), "resource": document(json!({})) },
            ],
        })
    };
    let decisions = |semantic: &str| {
        let (status, answer) = post(&engine, EVALUATIONS, &all(semantic).to_string());
        assert_eq!(status, 200);
        let answers = answer["evaluations"].as_array().expect("answers").clone();
        let error = answers.get(2).map(|one| one["context"]["error"]["status"].clone());
        assert!(error.is_none_or(|status| status == 400));
        answers.iter().map(|one| one["decision"] == true).collect::<Vec<_>>()
    };
    assert_eq!(decisions("execute_all"), [true, false, false, true]);
    assert_eq!(decisions("deny_on_first_deny"), [true, false]);
    assert_eq!(decisions("permit_on_first_permit"), [true]);
    // Without cases it is one.
    let mut one = case(alice(), "edit", document(json!({})));
    one["evaluations"] = json!([]);
    assert_eq!(post(&engine, EVALUATIONS, &one.to_string()), (200, json!({ "decision": true })));
}

#[test]
fn what_is_no_case_is_refused_with_what_is_wrong() {
    let engine = engine(POLICIES);
    let good = case(bob(), "read", document(json!({ "public": true })));
    let with = |path: &str, value: Value| {
        let mut other = good.clone();
        *other.pointer_mut(path).expect("member") = value;
        other.to_string()
    };
    let mut contradiction = case(alice(), "read", alice());
    contradiction["resource"]["properties"]["groups"] = json!([]);
    for (body, names) in [
        ("[]".to_owned(), "JSON object"),
        ("{".to_owned(), "JSON object"),
        ("{\"subject\":{},\"subject\":{}}".to_owned(), "JSON object"),
        (with("/subject", json!("alice")), "`subject`"),
        (with("/subject/type", json!("a b")), "`subject.type`"),
        (with("/subject/id", json!(7)), "`subject.id`"),
        (with("/resource/id", json!("")), "`resource.id`"),
        (with("/action/name", json!(null)), "`action.name`"),
        (with("/resource/properties", json!([])), "`resource.properties`"),
        (with("/resource/properties/public", json!(0.123_456)), "0.123456"),
        (contradiction.to_string(), "`groups`"),
    ] {
        let (status, answer) = post(&engine, EVALUATION, &body);
        let words = answer["error_description"].as_str().unwrap_or_default();
        assert!(status == 400 && words.contains(names), "{body}: {status} {words}");
    }
    for (body, names) in [
        (json!({ "evaluations": 7 }), "`evaluations`"),
        (json!({ "evaluations": [7] }), "`evaluations`"),
        (json!({ "evaluations": [{}], "options": { "evaluations_semantic": "some" } }), "semantic"),
        (json!({ "evaluations": vec![json!({}); 201] }), "200"),
    ] {
        let (status, answer) = post(&engine, EVALUATIONS, &body.to_string());
        assert_eq!(status, 400);
        assert!(answer["error_description"].as_str().is_some_and(|words| words.contains(names)));
    }
    let body = good.to_string();
    let plain = engine.answer("x", &Method::POST, EVALUATION, &HeaderMap::new(), body.as_bytes());
    assert_eq!(plain.status(), 400, "not sent as JSON");
    let get = engine.answer("x", &Method::GET, EVALUATION, &HeaderMap::new(), b"");
    assert_eq!(
        (get.status().as_u16(), &get.headers()["allow"]),
        (405, &"POST".parse().expect("field"))
    );
}

#[test]
fn the_metadata_says_where_it_is() {
    let answer =
        engine("").answer("https://pdp.example/", &Method::GET, METADATA, &HeaderMap::new(), b"");
    assert_eq!(
        value(&answer),
        json!({
            "policy_decision_point": "https://pdp.example",
            "access_evaluation_endpoint": "https://pdp.example/access/v1/evaluation",
            "access_evaluations_endpoint": "https://pdp.example/access/v1/evaluations",
        })
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_case_is_too_odd(kind in "\\PC{0,8}", id in "\\PC{0,8}", body in "\\PC{0,40}") {
        let engine = engine(POLICIES);
        let odd = json!({ "type": kind, "id": id, "properties": { id: body } });
        post(&engine, EVALUATION, &case(odd.clone(), &body, odd).to_string());
        post(&engine, EVALUATIONS, &body);
    }
}
