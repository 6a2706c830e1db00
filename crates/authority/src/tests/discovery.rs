//! What the server says of itself is true.

use axum::body::Body;
use axum::http::Request;

use super::support::{Harness, ISSUER, settings};

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn both_documents_name_the_issuer_and_its_endpoints() {
    let harness = Harness::new().await;
    for path in [OAUTH, OPENID] {
        let answer = harness.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let document = answer.json();
        assert_eq!(document["issuer"], ISSUER);
        assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
        assert_eq!(document["response_types_supported"], serde_json::json!(["code"]));
        assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    }
}

#[tokio::test]
async fn every_endpoint_that_is_named_is_there() {
    let harness = Harness::new().await;
    let document = harness.get(OPENID).await.json();
    let endpoints = document.as_object().expect("object").iter();
    let endpoints =
        endpoints.filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri");
    let mut seen = 0;
    for (name, url) in endpoints {
        let path = url.as_str().and_then(|url| url.strip_prefix(ISSUER)).expect("our own URL");
        // A method that no endpoint has: 405 says that the path exists, 404 that it does not.
        let request = Request::delete(path).body(Body::empty()).expect("request");
        assert_eq!(harness.send(request).await.status, 405, "{name}");
        seen += 1;
    }
    assert!(seen > 8, "{seen}");
}

#[tokio::test]
async fn the_keys_are_public_and_nothing_else() {
    let harness = Harness::new().await;
    let answer = harness.get("/.well-known/jwks.json").await;
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let keys = answer.json()["keys"].clone();
    assert_eq!(keys.as_array().map(Vec::len), Some(1));
    assert_eq!((&keys[0]["alg"], &keys[0]["use"]), (&"ES256".into(), &"sig".into()));
    assert!(keys[0].get("d").is_none());
}

#[tokio::test]
async fn an_issuer_with_a_path_has_both_well_known_forms() {
    let mut settings = settings();
    settings.issuer = "http://127.0.0.1:8080/tenant".to_owned();
    let harness = Harness::with(settings).await;
    for path in [
        "/tenant/.well-known/openid-configuration",
        "/tenant/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration/tenant",
        "/.well-known/oauth-authorization-server/tenant",
    ] {
        let answer = harness.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.json()["token_endpoint"], "http://127.0.0.1:8080/tenant/token");
    }
    assert_eq!(harness.get("/.well-known/openid-configuration").await.status, 404);
    assert_eq!(harness.get("/tenant/nowhere").await.status, 404);
    assert_eq!(harness.get("/tenant/token").await.status, 405);
    assert_eq!(harness.get("/token").await.status, 404);
    let form = [("grant_type", "client_credentials")];
    assert_eq!(harness.post("/tenant/token", &harness.confidential, &form).await.status, 200);
}
