//! ID tokens as the client registered them: algorithm, and encrypted to its key.

use aws_lc_rs::digest;
use serde_json::{Value, json};
use store::ClientOptions;
use token::base64url;
use token::encryption_key::DecryptionKey;
use token::jwe::Jwe;
use token::jws::Jws;
use token::term::{Algorithm, ContentEncryption, KeyManagement};

use super::support::{Harness, claims, settings};

async fn harness(options: ClientOptions) -> Harness {
    let algorithms = vec![Algorithm::Es256, Algorithm::Ed25519, Algorithm::EdDsa, Algorithm::Ps256];
    let harness = Harness::with(crate::Settings { signing_algs: algorithms, ..settings() }).await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let client = store::Client { options, ..(*client).clone() };
    harness.store.update_client(&client).await.expect("client");
    harness
}

async fn tokens(harness: &Harness) -> (String, String) {
    let body = harness.signed_in(&harness.confidential, "openid").await;
    let text = |name: &str| body[name].as_str().expect("token").to_owned();
    (text("id_token"), text("access_token"))
}

#[tokio::test]
async fn the_client_chooses_its_algorithm() {
    for (algorithm, hash) in [
        (Algorithm::Es256, &digest::SHA256),
        (Algorithm::Ps256, &digest::SHA256),
        (Algorithm::Ed25519, &digest::SHA512),
        (Algorithm::EdDsa, &digest::SHA512),
    ] {
        let wanted = Some(algorithm);
        let options = ClientOptions { id_token_signed_response_alg: wanted, ..Default::default() };
        let harness = harness(options).await;
        let (id_token, access) = tokens(&harness).await;
        let jws = Jws::parse(&id_token).expect("JWS");
        assert_eq!(jws.header().alg, algorithm.as_str());
        let keys = harness.authority.keys().keyring().current();
        assert!(token::signature::verify(&jws, &keys).is_ok());
        let half = digest::digest(hash, access.as_bytes());
        let half = base64url::encode(&half.as_ref()[..half.as_ref().len() / 2]);
        assert_eq!(claims(&id_token)["at_hash"], json!(half), "{algorithm}");
        // Access tokens are for APIs: theirs is the server's choice.
        assert_eq!(Jws::parse(&access).expect("JWS").header().alg, "ES256");
    }
}

#[tokio::test]
async fn an_encrypted_id_token_opens_with_the_clients_key_alone() {
    for how in [KeyManagement::EcdhEs, KeyManagement::EcdhEsA256Kw, KeyManagement::RsaOaep256] {
        let (key, other) = (
            DecryptionKey::generate(how).expect("key"),
            DecryptionKey::generate(how).expect("key"),
        );
        let public = key.public().expect("public half");
        let jwk: Value = serde_json::to_value(&public).expect("JWK");
        let harness = harness(ClientOptions {
            jwks: Some(json!({ "keys": [jwk] })),
            id_token_encrypted_response_alg: Some(how),
            id_token_encrypted_response_enc: Some(ContentEncryption::A256Gcm),
            ..Default::default()
        })
        .await;
        let (id_token, access) = tokens(&harness).await;
        let jwe = Jwe::parse(&id_token).expect("JWE");
        assert!(jwe.decrypt(&other).is_err());
        let opened = jwe.decrypt(&key).expect("opened");
        let inside = str::from_utf8(&opened.content).expect("text");
        assert_eq!(claims(inside)["sub"], "alice-id", "{how}");
        assert!(Jws::parse(&access).is_ok(), "access tokens are not for the client to read");
    }
}
