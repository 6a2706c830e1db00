//! Tokens that are bound to a key.

use serde_json::json;
use token::base64url;
use token::dpop::token_hash;
use token::key::PrivateKey;

use crate::support::{Issuer, PATIENCE, Service, new_key, now};

fn proof(key: &PrivateKey, token: &str, jti: &str, nonce: Option<&str>) -> String {
    let claims = json!({
        "jti": jti, "htm": "GET", "htu": "http://api.example/orders", "iat": now(),
        "ath": token_hash(token), "nonce": nonce,
    });
    let jwk = serde_json::to_value(key.public().jwk()).expect("JWK");
    let header = json!({ "typ": "dpop+jwt", "alg": key.public().algorithm(), "jwk": jwk });
    let input = [header, claims].map(|part| base64url::encode(part.to_string())).join(".");
    let signature = key.sign(input.as_bytes()).expect("signature");
    format!("{input}.{}", base64url::encode(signature))
}

#[tokio::test]
async fn a_bound_token_needs_its_key_once_for_every_request() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    let (key, thief) = (new_key(), new_key());
    let token = issuer.token_with("cnf", json!({ "jkt": key.public().jwk().thumbprint() }));
    let ask = async |proof: &str| {
        let fields = [("authorization", format!("DPoP {token}")), ("dpop", proof.to_owned())];
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        service.ask("GET", "/orders", &fields).await
    };
    let first = proof(&key, &token, "p-1", None);
    assert_eq!(ask(&first).await.status, 200);
    assert_eq!(ask(&first).await.error(), "401 invalid_dpop_proof");
    assert_eq!(ask(&proof(&key, &token, "p-2", None)).await.status, 200);
    assert_eq!(ask(&proof(&thief, &token, "p-3", None)).await.error(), "401 invalid_token");
    assert_eq!(service.get(&token).await.error(), "401 invalid_token");
    // The first request after a rotation is checked twice, and its proof is good all the same.
    issuer.rotate();
    let token = issuer.token_with("cnf", json!({ "jkt": key.public().jwk().thumbprint() }));
    let fields =
        [("authorization", format!("DPoP {token}")), ("dpop", proof(&key, &token, "p-4", None))];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(service.ask("GET", "/orders", &fields).await.status, 200);
}

#[tokio::test]
async fn nonces_are_demanded_where_they_are_wanted() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().dpop_nonces().build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    let key = new_key();
    let token = issuer.token_with("cnf", json!({ "jkt": key.public().jwk().thumbprint() }));
    let authorization = format!("DPoP {token}");
    let without = proof(&key, &token, "p-1", None);
    let fields = [("authorization", authorization.as_str()), ("dpop", without.as_str())];
    let answer = service.ask("GET", "/orders", &fields).await;
    assert_eq!(answer.error(), "401 use_dpop_nonce");
    let nonce = answer.headers["dpop-nonce"].to_str().expect("nonce");
    let with = proof(&key, &token, "p-2", Some(nonce));
    let fields = [("authorization", authorization.as_str()), ("dpop", with.as_str())];
    assert_eq!(service.ask("GET", "/orders", &fields).await.status, 200);
}
