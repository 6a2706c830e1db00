//! Whatever is sent, the answer is no 5xx, and every refusal is a problem document.

use axum::body::Body;
use http::{Method, Request};
use proptest::prelude::*;
use serde_json::json;

use super::support::Harness;
use crate::operation;

fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        "\\PC{0,40}".prop_map(|text| json!(text)),
        Just(json!("orders:read")),
    ];
    let names = prop_oneof![
        Just("client_name"),
        Just("scope"),
        Just("grant_types"),
        Just("redirect_uris"),
        Just("selector"),
        Just("kind"),
        Just("value"),
        Just("effect"),
        Just("until"),
        Just("reason"),
        Just("username"),
        Just("password"),
        Just("email"),
        Just("label"),
        Just("at_once"),
        Just("disabled"),
        Just("x"),
    ];
    let value = leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|members| {
                json!(members.into_iter().collect::<std::collections::BTreeMap<_, _>>())
            }),
        ]
    });
    prop_oneof![4 => value.prop_map(|value| value.to_string()), 1 => "\\PC{0,60}"]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_body_path_or_query_makes_it_fail(
        requests in prop::collection::vec(
            (0..operation::ALL.len(), "[a-zA-Z0-9%._~:-]{1,20}", any_json(), "[a-z=&%0-9_]{0,30}"),
            1..6,
        ),
    ) {
        runtime().block_on(async {
            let harness = Harness::new().await;
            for (number, name, body, query) in requests {
                let (method, template) = operation::ALL[number];
                let path: String = template
                    .split('/')
                    .map(|part| if part.starts_with('{') { name.as_str() } else { part })
                    .collect::<Vec<_>>()
                    .join("/");
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("method");
                let request = Request::builder()
                    .method(method)
                    .uri(format!("/api/v1{path}?{query}"))
                    .header("authorization", format!("Bearer {}", harness.admin))
                    .header("content-type", "application/json")
                    .body(Body::from(body));
                // Not every text is a URI: such a request never gets here.
                let Ok(request) = request else { continue };
                let answer = harness.send(request).await;
                assert!(answer.status < 500, "{path}: {}", answer.text);
                if answer.status >= 400 {
                    answer.problem(answer.status);
                }
            }
        });
    }
}

#[test]
fn odd_bodies_are_refused() {
    runtime().block_on(async {
        let harness = Harness::new().await;
        let send = |kinds: &[&str], body: Vec<u8>| {
            let mut request = Request::post("/api/v1/clients")
                .header("authorization", format!("Bearer {}", harness.admin));
            for kind in kinds {
                request = request.header("content-type", *kind);
            }
            harness.send(request.body(Body::from(body)).expect("request"))
        };
        let good = br#"{"client_name":"a"}"#.to_vec();
        send(&["application/json; charset=utf-8"], good.clone()).await.expect(201);
        send(&[], good.clone()).await.problem(415);
        send(&["text/plain"], good.clone()).await.problem(415);
        send(&["application/json", "application/json"], good).await.problem(415);
        send(&["application/json"], vec![b' '; 65 * 1024]).await.problem(413);
        let twice = br#"{"client_name":"a","client_name":"b"}"#.to_vec();
        assert!(send(&["application/json"], twice).await.problem(400).contains("twice"));
        send(&["application/json"], b"\xff".to_vec()).await.problem(400);
        send(&["application/json"], b"[]".to_vec()).await.problem(400);
        send(&["application/json"], Vec::new()).await.problem(400);
    });
}
