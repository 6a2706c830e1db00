//! Sender-constrained tokens (RFC 9449 §7): taken from who has the key, from nobody else, and once.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use token::base64url;
use token::dpop::{Nonces, token_hash};
use token::key::PrivateKey;
use token::term::Algorithm;

use super::support::upstream::Recording;
use super::support::{House, RESOURCE, error, field, settings, status};

const URI: &str = "https://api.example/orders/7";

struct Sender {
    key: PrivateKey,
    made: std::cell::Cell<u32>,
}

// === impl Sender ===

impl Sender {
    fn new(algorithm: Algorithm) -> Self {
        let key = PrivateKey::generate(algorithm).expect("key");
        Self { key, made: std::cell::Cell::new(0) }
    }

    fn bound_token(&self, house: &House) -> String {
        let jkt = self.key.public().jwk().thumbprint();
        house.token_with("cnf", json!({ "jkt": jkt }))
    }

    /// A good proof for `GET /orders/7` with this token, but for one claim.
    fn proof(&self, house: &House, token: &str, name: &str, value: Value) -> String {
        self.made.set(self.made.get() + 1);
        let mut claims = json!({
            "jti": format!("proof-{}", self.made.get()), "htm": "GET", "htu": URI,
            "iat": house.clock_secs(), "ath": token_hash(token),
        });
        claims[name] = value;
        let jwk = serde_json::to_value(self.key.public().jwk()).expect("JWK");
        let header = json!({ "typ": "dpop+jwt", "alg": self.key.public().algorithm(), "jwk": jwk });
        let parts = [header, claims].map(|part| base64url::encode(part.to_string()));
        let input = parts.join(".");
        let signature = self.key.sign(input.as_bytes()).expect("signature");
        format!("{input}.{}", base64url::encode(signature))
    }

    fn good_proof(&self, house: &House, token: &str) -> String {
        self.proof(house, token, "unused", json!(1))
    }
}

async fn house() -> (House, Recording) {
    let upstream = Recording::new().await;
    (House::new(upstream.address).await, upstream)
}

async fn ask(house: &House, token: &str, fields: &str) -> String {
    house.ask("GET /orders/7?page=2", &format!("Authorization: DPoP {token}\r\n{fields}")).await
}

/// `status error reason`, and the challenge.
async fn refused(house: &House, answer: &str) -> (String, String) {
    let (_, event) = house.events.next().await;
    let reason = event.refused.map_or_else(String::new, |refused| refused.to_string());
    let challenge = field(answer, "www-authenticate").unwrap_or_default().to_owned();
    (format!("{} {} {reason}", status(answer), error(answer)), challenge)
}

#[tokio::test]
async fn whoever_has_the_key_is_let_through() {
    let (house, upstream) = house().await;
    for algorithm in [Algorithm::Es256, Algorithm::Ed25519, Algorithm::EdDsa, Algorithm::Ps256] {
        let sender = Sender::new(algorithm);
        let token = sender.bound_token(&house);
        for _ in 0..2 {
            let proof = sender.good_proof(&house, &token);
            let answer = ask(&house, &token, &format!("DPoP: {proof}\r\n")).await;
            assert_eq!(status(&answer), 200, "{answer}");
        }
    }
    assert_eq!(upstream.requests().len(), 8);
    assert!(upstream.requests().iter().all(|request| !request.to_lowercase().contains("dpop")));
}

#[tokio::test]
async fn a_bound_token_is_nothing_without_its_key() {
    let (house, upstream) = house().await;
    let (owner, thief) = (Sender::new(Algorithm::Es256), Sender::new(Algorithm::Es256));
    let token = owner.bound_token(&house);
    let good = owner.good_proof(&house, &token);
    let as_bearer = format!("DPoP: {good}\r\n");
    let answer = house.ask_as(&token, "GET /orders/7", &as_bearer).await;
    let (what, challenge) = refused(&house, &answer).await;
    assert_eq!(what, "401 invalid_token dpop:missing");
    assert!(challenge.starts_with("DPoP algs=\"ES256"), "{challenge}");

    let stolen = thief.good_proof(&house, &token);
    let cases = [
        (String::new(), "401 invalid_dpop_proof dpop:missing"),
        (format!("DPoP: {stolen}\r\n"), "401 invalid_token dpop:mismatch"),
        (format!("DPoP: {good}\r\nDPoP: {good}\r\n"), "401 invalid_dpop_proof dpop:mismatch"),
        (format!("DPoP: {good}, {good}\r\n"), "401 invalid_dpop_proof dpop:mismatch"),
        ("DPoP: \r\n".to_owned(), "401 invalid_dpop_proof dpop:mismatch"),
        (format!("DPoP: {token}\r\n"), "401 invalid_dpop_proof dpop:mismatch"),
    ];
    for (fields, expected) in cases {
        let answer = ask(&house, &token, &fields).await;
        let (what, challenge) = refused(&house, &answer).await;
        assert_eq!(what, expected, "{fields}");
        assert!(challenge.starts_with("DPoP algs="), "{challenge}");
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_proof_is_for_one_request_and_good_once() {
    let (house, upstream) = house().await;
    let sender = Sender::new(Algorithm::Es256);
    let token = sender.bound_token(&house);
    let now = house.clock_secs();
    let cases = [
        ("htm", json!("POST"), "dpop:mismatch"),
        ("htm", json!("get"), "dpop:mismatch"),
        ("htu", json!("https://api.example/orders/8"), "dpop:mismatch"),
        ("htu", json!("http://api.example/orders/7"), "dpop:mismatch"),
        ("htu", json!("https://api.example:8443/orders/7"), "dpop:mismatch"),
        ("htu", json!("https://evil.example/orders/7"), "dpop:mismatch"),
        ("htu", json!("/orders/7"), "dpop:mismatch"),
        ("ath", json!(token_hash("another")), "dpop:mismatch"),
        ("ath", json!(null), "dpop:mismatch"),
        ("jti", json!(""), "dpop:mismatch"),
        ("iat", json!(now - 61), "dpop:stale"),
        ("iat", json!(now + 11), "dpop:stale"),
    ];
    for (name, value, reason) in cases {
        let proof = sender.proof(&house, &token, name, value.clone());
        let answer = ask(&house, &token, &format!("DPoP: {proof}\r\n")).await;
        let (what, _) = refused(&house, &answer).await;
        assert_eq!(what, format!("401 invalid_dpop_proof {reason}"), "{name} {value}");
    }
    assert!(upstream.requests().is_empty());
    // The same place, written otherwise (RFC 9449 §4.3: by the rules of RFC 3986 §6.2).
    for htu in ["https://API.example:443/orders/7", "HTTPS://api.example/%6frders/7?a=b#c"] {
        let proof = sender.proof(&house, &token, "htu", json!(htu));
        let answer = ask(&house, &token, &format!("DPoP: {proof}\r\n")).await;
        assert_eq!(status(&answer), 200, "{htu}");
        house.events.next().await;
    }
    let proof = sender.good_proof(&house, &token);
    let field = format!("DPoP: {proof}\r\n");
    assert_eq!(status(&ask(&house, &token, &field).await), 200);
    house.events.next().await;
    for seconds in [0, 30, 25] {
        house.clock.advance(Duration::from_secs(seconds));
        let (what, _) = refused(&house, &ask(&house, &token, &field).await).await;
        assert_eq!(what, "401 invalid_dpop_proof dpop:replayed");
    }
    // A Host field from elsewhere changes nothing about where the request went.
    let foreign = sender.proof(&house, &token, "htu", json!("https://evil.example/orders/7"));
    let request = format!(
        "GET /orders/7 HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n\
         Connection: close\r\nAuthorization: DPoP {token}\r\nDPoP: {foreign}\r\n\r\n"
    );
    assert_eq!(status(&house.raw(request).await), 401);
}

#[tokio::test]
async fn an_unbound_token_is_not_taken_for_a_bound_one() {
    let (house, _upstream) = house().await;
    let sender = Sender::new(Algorithm::Es256);
    let token = house.token("orders:read");
    let proof = sender.good_proof(&house, &token);
    let answer = ask(&house, &token, &format!("DPoP: {proof}\r\n")).await;
    assert_eq!(refused(&house, &answer).await.0, "401 invalid_token dpop:mismatch");
    for (cnf, reason) in [
        (json!({ "x5t#S256": "A".repeat(43) }), "mtls:missing"),
        (json!({ "kid": "k" }), "policy"),
        (json!({}), "policy"),
        (json!({ "jkt": "A".repeat(43), "x5t#S256": "A".repeat(43) }), "mtls:missing"),
    ] {
        let token = house.token_with("cnf", cnf.clone());
        let answer = house.ask_as(&token, "GET /orders/7", "").await;
        assert_eq!(
            refused(&house, &answer).await.0,
            format!("401 invalid_token {reason}"),
            "{cnf}"
        );
    }
}

#[tokio::test]
async fn a_nonce_is_given_and_then_demanded() {
    let upstream = Recording::new().await;
    let nonces = Arc::new(Nonces::new(&[3; 32], Duration::from_secs(300)));
    let settings = settings(&format!("http://{}", upstream.address));
    assert_eq!(settings.resource, RESOURCE);
    let house = House::with_nonces(settings, nonces).await;
    let sender = Sender::new(Algorithm::Es256);
    let token = sender.bound_token(&house);
    let proof = sender.good_proof(&house, &token);
    let answer = ask(&house, &token, &format!("DPoP: {proof}\r\n")).await;
    let nonce = field(&answer, "dpop-nonce").expect("nonce").to_owned();
    assert_eq!(refused(&house, &answer).await.0, "401 use_dpop_nonce dpop:missing");
    let proof = sender.proof(&house, &token, "nonce", json!(nonce));
    assert_eq!(status(&ask(&house, &token, &format!("DPoP: {proof}\r\n")).await), 200);
    house.clock.advance(Duration::from_secs(301));
    let token = sender.bound_token(&house);
    let proof = sender.proof(&house, &token, "nonce", json!(nonce));
    assert_eq!(status(&ask(&house, &token, &format!("DPoP: {proof}\r\n")).await), 401);
}

#[tokio::test]
async fn a_proof_is_for_the_opaque_token_as_it_was_presented() {
    let (house, upstream) = house().await;
    let sender = Sender::new(Algorithm::Es256);
    let jwt = sender.bound_token(&house);
    let token = house.shelf.keep(&jwt);
    let proof = sender.good_proof(&house, &token);
    assert_eq!(status(&ask(&house, &token, &format!("DPoP: {proof}\r\n")).await), 200);
    house.events.next().await;
    // RFC 9449 §4.2: `ath` is the hash of the presented token, not of what it stands for.
    let proof = sender.good_proof(&house, &jwt);
    let answer = ask(&house, &token, &format!("DPoP: {proof}\r\n")).await;
    assert_eq!(refused(&house, &answer).await.0, "401 invalid_dpop_proof dpop:mismatch");
    let answer = house.ask_as(&token, "GET /orders/7", "").await;
    assert_eq!(refused(&house, &answer).await.0, "401 invalid_token dpop:missing");
    assert_eq!(upstream.requests().len(), 1);
}
