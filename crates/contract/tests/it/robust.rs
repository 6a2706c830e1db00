//! No document and no request makes it panic or run away.

use contract::{Contract, UnknownQuery};
use http::header::CONTENT_TYPE;
use inspect::{Expectations as _, Limits, Place};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{body, check, headers, odd, query, sample, shop};

/// A document with one of its values replaced.
fn broken_document() -> impl Strategy<Value = Value> {
    let odd: Value = read("odd.json");
    let replacement = prop_oneof![
        Just(Value::Null),
        Just(json!(true)),
        Just(json!(-1.5)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[], {}, null])),
        Just(json!({ "$ref": "#" })),
        Just(json!({ "$ref": "#/components/schemas/Tree" })),
        Just(json!({ "allOf": [{ "$ref": "#/components/schemas/Self" }] })),
        "[a-z{}/~#.]{0,8}".prop_map(Value::String),
    ];
    (any::<prop::sample::Index>(), replacement).prop_map(move |(index, value)| {
        let mut document = odd.clone();
        let mut places = Vec::new();
        pointers(&document, String::new(), &mut places);
        if let Some(at) = document.pointer_mut(&places[index.index(places.len())]) {
            *at = value;
        }
        document
    })
}

fn read(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(sample(name)).expect("sample")).expect("JSON")
}

fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers(member, format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
    found.push(at);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_document_panics(document in broken_document()) {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("a.json");
        std::fs::write(&file, document.to_string()).expect("file");
        let Ok(contract) = Contract::read(&file, None) else { return Ok(()) };
        for operation in contract.operations() {
            let Ok(checks) = contract.checks(&[operation], UnknownQuery::Refuse) else { continue };
            for check in checks {
                query(&check, "/a%2Fb/1,2", "q=1&size=2&where=%7B%7D&either=a");
                body(&check, "application/json", br#"{"left":{"value":1},"right":null,"name":"x"}"#);
            }
        }
    }

    #[test]
    fn no_yaml_panics(text in "[-a-z0-9:{}\\[\\]&*!|>#'\" \n]{0,200}") {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, format!("openapi: 3.0.0\npaths:\n{text}")).expect("file");
        let _ = Contract::read(&file, None);
    }

    #[test]
    fn no_request_panics(
        path in "/[a-z0-9/%,]{0,20}",
        text in "[a-z0-9=&%+,|\\[\\]{}\":.-]{0,60}",
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        kind in prop_oneof![
            Just("application/json"),
            Just("application/x-www-form-urlencoded"),
            Just("multipart/form-data; boundary=B"),
            Just("multipart/form-data; boundary=\""),
            Just("text/plain"),
        ],
    ) {
        let (shop, odd) = (shop(), odd());
        for check in [
            check(&shop, "GET /v1/orders", UnknownQuery::Refuse),
            check(&shop, "POST /v1/pictures", UnknownQuery::Allow),
            check(&odd, "GET /search", UnknownQuery::Refuse),
            check(&odd, "PUT /tree", UnknownQuery::Refuse),
        ] {
            let said = query(&check, &path, &text);
            prop_assert!(said.len() < 300 && said.is_ascii());
            let said = body(&check, kind, &bytes);
            prop_assert!(said.len() < 300 && said.is_ascii());
            body(&check, kind, text.as_bytes());
            let framed = [b"--B\r\nContent-Disposition: form-data; name=", &*bytes].concat();
            body(&check, kind, &framed);
            let fields = headers(&[(CONTENT_TYPE.as_str(), "application/json")]);
            check.expectations(&fields).expect(&Place::BodyMember(text.clone()));
            let _ = check.head(&path, Some(&text), &fields, &Limits::default());
        }
    }
}
