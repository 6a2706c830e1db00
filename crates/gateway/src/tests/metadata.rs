//! Protected resource metadata (RFC 9728).

use serde_json::{Value, json};

use super::support::upstream::Recording;
use super::support::{House, RESOURCE, body, field, settings, status};

const PATH: &str = "/.well-known/oauth-protected-resource";

#[tokio::test]
async fn the_gateway_describes_itself() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let answer = house.ask(&format!("GET {PATH}"), "").await;
    assert_eq!(status(&answer), 200);
    assert_eq!(field(&answer, "content-type"), Some("application/json"));
    assert_eq!(field(&answer, "access-control-allow-origin"), Some("*"));
    let document: Value = serde_json::from_str(body(&answer)).expect("json");
    assert_eq!(
        document,
        json!({
            "resource": RESOURCE,
            "authorization_servers": ["https://issuer.example"],
            "scopes_supported": ["orders:read", "orders:write"],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": [
                "ES256", "ES384", "Ed25519", "EdDSA", "ML-DSA-44", "ML-DSA-65",
                "PS256", "PS384", "PS512", "RS256", "RS384", "RS512",
            ],
            "resource_name": "api.example",
        })
    );
    let head = house.ask(&format!("HEAD {PATH}"), "").await;
    assert_eq!((status(&head), body(&head)), (200, ""));
    let post = house.ask(&format!("POST {PATH}"), "Content-Length: 0\r\n").await;
    assert_eq!((status(&post), field(&post, "allow")), (405, Some("GET, HEAD")));
    assert_eq!(status(&house.ask(&format!("GET {PATH}/other"), "").await), 401);
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_resource_with_a_path_has_its_metadata_before_that_path() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.resource = "https://api.example:8443/v1/shop".into();
    let house = House::with(settings).await;
    for path in [PATH.to_owned(), format!("{PATH}/v1/shop")] {
        assert_eq!(status(&house.ask(&format!("GET {path}"), "").await), 200, "{path}");
    }
    let answer = house.ask("GET /orders", "").await;
    let expected = r#"Bearer resource_metadata="https://api.example:8443/.well-known/oauth-protected-resource/v1/shop""#;
    assert_eq!(field(&answer, "www-authenticate"), Some(expected));
}
