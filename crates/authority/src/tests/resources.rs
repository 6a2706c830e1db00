//! Access tokens as their resource wants them: life, algorithm, encrypted.

use std::sync::Arc;
use std::time::Duration;

use token::encryption_key::DecryptionKey;
use token::jwe::Jwe;
use token::jws::Jws;
use token::term::{Algorithm, KeyManagement};

use super::support::{API, Answer, Harness, claims, settings};
use crate::settings::{ResourceDefinition, Settings};

const SEALED: &str = "https://sealed.example";
const QUICK: &str = "https://quick.example";

async fn harness() -> (Harness, DecryptionKey) {
    let key = DecryptionKey::generate(KeyManagement::EcdhEsA256Kw).expect("key");
    let sealed = ResourceDefinition {
        encrypt_to: key.public().map(Arc::new),
        ..ResourceDefinition::new(SEALED)
    };
    let quick = ResourceDefinition {
        access_token_life: Some(Duration::from_secs(30)),
        signing_alg: Some(Algorithm::Ed25519),
        ..ResourceDefinition::new(QUICK)
    };
    let resources = vec![ResourceDefinition::new(API), sealed, quick];
    let signing_algs = vec![Algorithm::Es256, Algorithm::Ed25519];
    (Harness::with(Settings { resources, signing_algs, ..settings() }).await, key)
}

async fn ask(harness: &Harness, resources: &[&str]) -> Answer {
    let mut form = vec![("grant_type", "client_credentials")];
    form.extend(resources.iter().map(|resource| ("resource", *resource)));
    harness.post("/token", &harness.confidential, &form).await
}

#[tokio::test]
async fn a_resource_has_its_own_life_and_algorithm() {
    let (harness, _) = harness().await;
    let quick = ask(&harness, &[QUICK]).await;
    assert_eq!(quick.json()["expires_in"], 30);
    let access = quick.member("access_token");
    assert_eq!(Jws::parse(&access).expect("JWS").header().alg, "Ed25519");
    let form = [("token", access.as_str())];
    let told = harness.post("/introspect", &harness.confidential, &form).await;
    assert_eq!(told.json()["active"], true);
    // With another, the shorter life holds for both.
    let both = ask(&harness, &[API, QUICK]).await;
    assert_eq!(both.json()["expires_in"], 30);
    let usual = ask(&harness, &[API]).await;
    assert_ne!(usual.json()["expires_in"], 30);
    assert_eq!(Jws::parse(&usual.member("access_token")).expect("JWS").header().alg, "ES256");
}

#[tokio::test]
async fn an_encrypted_token_is_for_its_resource_alone() {
    let (harness, key) = harness().await;
    let access = ask(&harness, &[SEALED]).await.member("access_token");
    let opened = Jwe::parse(&access).expect("JWE").decrypt(&key).expect("opened");
    assert_eq!(opened.cty.as_deref(), Some("JWT"));
    let inside = str::from_utf8(&opened.content).expect("text");
    assert_eq!(claims(inside)["aud"], SEALED);
    let form = [("token", inside)];
    let told = harness.post("/introspect", &harness.confidential, &form).await;
    assert_eq!(told.json()["active"], true);
    ask(&harness, &[SEALED, API]).await.assert_refused(400, "invalid_target");
}
