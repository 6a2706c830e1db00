//! Keys come and go, and so do issuers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use token::jws;
use tokenward_verify::{BuildError, Verifier};

use crate::support::{Issuer, PATIENCE, Service, new_key};

#[tokio::test]
async fn a_new_key_is_looked_for_and_invented_ones_are_not() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    let old = issuer.token();
    issuer.rotate();
    assert_eq!(service.get(&issuer.token()).await.status, 200);
    assert_eq!(service.get(&old).await.status, 200);
    for _ in 0..20 {
        let forged = jws::sign(&new_key(), "at+jwt", issuer.claims().to_string().as_bytes());
        assert_eq!(service.get(&forged.expect("token")).await.status, 401);
    }
    let asked = issuer.state.asked_for_keys.load(Ordering::SeqCst);
    assert!((2..=5).contains(&asked), "{asked} fetches for 20 invented keys");
}

#[tokio::test]
async fn an_issuer_that_is_down_takes_nothing_with_it() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    issuer.is_down(true);
    for count in 0..5 {
        let token = issuer.token_with("jti", json!(format!("t-{count}")));
        assert_eq!(service.get(&token).await.status, 200);
    }
}

#[tokio::test]
async fn a_service_starts_before_its_issuer() {
    let issuer = Issuer::start().await;
    issuer.is_down(true);
    let verifier = issuer.verifier().build().expect("verifier");
    let service = Service::start(&verifier).await;
    let answer = service.get(&issuer.token()).await;
    assert_eq!(answer.error(), "503 temporarily_unavailable");
    assert_eq!(answer.headers["retry-after"], "1");
    let not_ready = verifier.ready(Duration::from_millis(300)).await.expect_err("down");
    assert!(not_ready.to_string().contains("503"), "{not_ready}");
    assert_eq!(service.reached(), 0);
    issuer.is_down(false);
    verifier.ready(PATIENCE).await.expect("ready");
    assert_eq!(service.get(&issuer.token()).await.status, 200);
}

#[tokio::test]
async fn without_discovery_the_keys_place_is_told() {
    let issuer = Issuer::start().await;
    let jwks_uri = format!("{}/jwks", issuer.url).parse().expect("URL");
    let verifier = issuer.verifier().jwks_uri(jwks_uri).build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    assert_eq!(service.get(&issuer.token()).await.status, 200);
}

#[tokio::test]
async fn an_issuer_inside_is_not_reached_unless_that_is_allowed() {
    let issuer = Issuer::start().await;
    let verifier = Verifier::builder(&issuer.url, "http://api.example").build().expect("verifier");
    let not_ready = verifier.ready(Duration::from_millis(300)).await.expect_err("not allowed");
    assert!(not_ready.to_string().contains("not to be reached"), "{not_ready}");
    assert_eq!(issuer.state.asked_for_keys.load(Ordering::SeqCst), 0);
}

#[test]
fn what_cannot_work_is_told_at_once() {
    let outside = Verifier::builder("https://issuer.example", "https://api.example").build();
    assert!(matches!(outside, Err(BuildError::NoRuntime)));
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let _inside = runtime.enter();
    let issuer = Verifier::builder("issuer", "https://api.example").build();
    assert!(matches!(issuer, Err(BuildError::Issuer(_))));
    let resource = Verifier::builder("https://issuer.example", "api").build();
    assert!(matches!(resource, Err(BuildError::Settings(_))));
}
