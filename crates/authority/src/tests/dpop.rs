//! Tokens that are bound to a key (RFC 9449), from the authorization request to UserInfo.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use token::base64url;
use token::dpop::token_hash;
use token::id::KeyId;
use token::key::PrivateKey;
use token::term::Algorithm;

use super::support::{Answer, Harness, ISSUER, REDIRECT, TestClient, VERIFIER, claims};

struct Sender(PrivateKey);

// === impl Sender ===

impl Sender {
    fn new() -> Self {
        Self(PrivateKey::generate(Algorithm::Es256).expect("key"))
    }

    fn jkt(&self) -> KeyId {
        self.0.public().jwk().thumbprint()
    }

    fn sign(&self, claims: &Value) -> String {
        let jwk = serde_json::to_value(self.0.public().jwk()).expect("JWK");
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk });
        let input = [&header, claims].map(|part| base64url::encode(part.to_string())).join(".");
        let signature = self.0.sign(input.as_bytes()).expect("signature");
        format!("{input}.{}", base64url::encode(signature))
    }

    /// A proof for the token endpoint, but for one claim.
    fn proof(&self, harness: &Harness, jti: &str, name: &str, value: Value) -> String {
        let mut claims = json!({
            "jti": jti, "htm": "POST", "htu": format!("{ISSUER}/token"),
            "iat": harness.now().as_secs(),
        });
        claims[name] = value;
        self.sign(&claims)
    }

    fn good(&self, harness: &Harness, jti: &str) -> String {
        self.proof(harness, jti, "unused", json!(1))
    }
}

async fn machine(harness: &Harness, fields: &[(&str, &str)]) -> Answer {
    let form = [("grant_type", "client_credentials")];
    harness.post_with("/token", &harness.confidential, &form, fields).await
}

async fn redeem(harness: &Harness, client: &TestClient, code: &str, proof: Option<&str>) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let fields: Vec<_> = proof.map(|proof| ("dpop", proof)).into_iter().collect();
    harness.post_with("/token", client, &form, &fields).await
}

async fn refresh(
    harness: &Harness,
    client: &TestClient,
    token: &str,
    proof: Option<&str>,
) -> Answer {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let fields: Vec<_> = proof.map(|proof| ("dpop", proof)).into_iter().collect();
    harness.post_with("/token", client, &form, &fields).await
}

#[tokio::test]
async fn a_proof_binds_the_token_to_its_key() {
    let harness = Harness::new().await;
    let sender = Sender::new();
    let answer = machine(&harness, &[("dpop", &sender.good(&harness, "p-1"))]).await;
    assert_eq!((answer.status, answer.member("token_type").as_str()), (200, "DPoP"));
    let access = answer.member("access_token");
    assert_eq!(claims(&access)["cnf"], json!({ "jkt": sender.jkt() }));
    let form = [("token", access.as_str())];
    let told = harness.post("/introspect", &harness.confidential, &form).await.json();
    assert_eq!((&told["token_type"], &told["cnf"]["jkt"]), (&json!("DPoP"), &json!(sender.jkt())));
    // Without a proof it is a bearer token, as ever.
    let plain = machine(&harness, &[]).await;
    assert_eq!(plain.member("token_type"), "Bearer");
    assert_eq!(claims(&plain.member("access_token")).get("cnf"), None);
}

#[tokio::test]
async fn a_proof_that_is_not_for_this_is_refused() {
    let harness = Harness::new().await;
    let sender = Sender::new();
    let now = harness.now().as_secs();
    let cases = [
        ("htm", json!("GET")),
        ("htu", json!(format!("{ISSUER}/introspect"))),
        ("htu", json!("https://other.example/token")),
        ("iat", json!(now - 61)),
        ("iat", json!(now + 11)),
        ("jti", json!("")),
    ];
    for (name, value) in cases {
        let proof = sender.proof(&harness, "p", name, value.clone());
        machine(&harness, &[("dpop", &proof)]).await.assert_refused(400, "invalid_dpop_proof");
    }
    let good = sender.good(&harness, "p-1");
    let twice = machine(&harness, &[("dpop", &good), ("dpop", &good)]).await;
    twice.assert_refused(400, "invalid_dpop_proof");
    assert_eq!(machine(&harness, &[("dpop", &good)]).await.status, 200);
    machine(&harness, &[("dpop", &good)]).await.assert_refused(400, "invalid_dpop_proof");
    machine(&harness, &[("dpop", "nonsense")]).await.assert_refused(400, "invalid_dpop_proof");
}

#[tokio::test]
async fn nonces_are_given_and_demanded() {
    let harness = Harness::with_nonces().await;
    let sender = Sender::new();
    let answer = machine(&harness, &[("dpop", &sender.good(&harness, "p-1"))]).await;
    answer.assert_refused(400, "use_dpop_nonce");
    let nonce = answer.header("dpop-nonce");
    let with = sender.proof(&harness, "p-2", "nonce", json!(nonce));
    assert_eq!(machine(&harness, &[("dpop", &with)]).await.status, 200);
    harness.clock.pass(301);
    let old = sender.proof(&harness, "p-3", "nonce", json!(nonce));
    machine(&harness, &[("dpop", &old)]).await.assert_refused(400, "use_dpop_nonce");
}

#[tokio::test]
async fn a_code_bound_to_a_key_is_good_for_that_key_alone() {
    let harness = Harness::new().await;
    let (sender, thief) = (Sender::new(), Sender::new());
    for client in [&harness.public, &harness.confidential] {
        let code = harness.code_for_key(client, "orders:read", Some(sender.jkt())).await;
        let none = redeem(&harness, client, code.expose(), None).await;
        none.assert_refused(400, "invalid_dpop_proof");
        let stolen = thief.good(&harness, &format!("t-{}", client.id));
        let refused = redeem(&harness, client, code.expose(), Some(&stolen)).await;
        refused.assert_refused(400, "invalid_grant");
        let own = sender.good(&harness, &format!("p-{}", client.id));
        assert_eq!(redeem(&harness, client, code.expose(), Some(&own)).await.status, 200);
    }
}

#[tokio::test]
async fn a_public_clients_refresh_token_needs_its_key() {
    let harness = Harness::new().await;
    let (sender, thief) = (Sender::new(), Sender::new());
    let code = harness.code(&harness.public, "openid orders:read").await;
    let proof = sender.good(&harness, "p-1");
    let first = redeem(&harness, &harness.public, code.expose(), Some(&proof)).await;
    let token = first.member("refresh_token");
    refresh(&harness, &harness.public, &token, None)
        .await
        .assert_refused(400, "invalid_dpop_proof");
    let stolen = thief.good(&harness, "t-1");
    refresh(&harness, &harness.public, &token, Some(&stolen))
        .await
        .assert_refused(400, "invalid_grant");
    // Whoever has the token without the key has harmed nobody.
    let own = sender.good(&harness, "p-2");
    let second = refresh(&harness, &harness.public, &token, Some(&own)).await;
    assert_eq!(second.status, 200, "{}", second.text);
    assert_eq!(claims(&second.member("access_token"))["cnf"]["jkt"], json!(sender.jkt()));
    // An answer that was lost is given again to who has the key.
    let retry = sender.good(&harness, "p-3");
    let again = refresh(&harness, &harness.public, &token, Some(&retry)).await;
    assert_eq!(again.text, second.text);
}

#[tokio::test]
async fn a_confidential_client_may_change_its_key() {
    let harness = Harness::new().await;
    let (old, new) = (Sender::new(), Sender::new());
    let code = harness.code(&harness.confidential, "orders:read").await;
    let proof = old.good(&harness, "p-1");
    let first = redeem(&harness, &harness.confidential, code.expose(), Some(&proof)).await;
    let token = first.member("refresh_token");
    let proof = new.good(&harness, "p-2");
    let second = refresh(&harness, &harness.confidential, &token, Some(&proof)).await;
    assert_eq!(claims(&second.member("access_token"))["cnf"]["jkt"], json!(new.jkt()));
}

#[tokio::test]
async fn a_client_that_promised_proofs_is_held_to_it() {
    let harness = Harness::new().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.options.dpop_bound_access_tokens = true;
    harness.store.update_client(&client).await.expect("client");
    machine(&harness, &[]).await.assert_refused(400, "invalid_dpop_proof");
    let proof = Sender::new().good(&harness, "p-1");
    assert_eq!(machine(&harness, &[("dpop", &proof)]).await.status, 200);
}

#[tokio::test]
async fn userinfo_asks_for_the_key_too() {
    let harness = Harness::new().await;
    let (sender, thief) = (Sender::new(), Sender::new());
    let code = harness.code(&harness.public, "openid").await;
    let proof = sender.good(&harness, "p-1");
    let answer = redeem(&harness, &harness.public, code.expose(), Some(&proof)).await;
    let access = answer.member("access_token");
    let for_userinfo = |sender: &Sender, jti: &str| {
        sender.sign(&json!({
            "jti": jti, "htm": "GET", "htu": format!("{ISSUER}/userinfo"),
            "iat": harness.now().as_secs(), "ath": token_hash(&access),
        }))
    };
    let ask = async |scheme: &str, proof: Option<String>| {
        let mut request = Request::get("/userinfo");
        request = request.header("authorization", format!("{scheme} {access}"));
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        harness.send(request.body(Body::empty()).expect("request")).await
    };
    let bearer = ask("Bearer", None).await;
    bearer.assert_refused(401, "invalid_token");
    assert!(bearer.header("www-authenticate").starts_with("DPoP algs=\"ES256"));
    assert_eq!(harness.events.last("request")["refused"], "dpop:missing");
    ask("DPoP", None).await.assert_refused(401, "invalid_token");
    ask("DPoP", Some(for_userinfo(&thief, "t-1"))).await.assert_refused(401, "invalid_token");
    assert_eq!(harness.events.last("request")["refused"], "dpop:mismatch");
    let good = for_userinfo(&sender, "u-1");
    assert_eq!(ask("DPoP", Some(good.clone())).await.status, 200);
    ask("DPoP", Some(good)).await.assert_refused(401, "invalid_dpop_proof");
    assert_eq!(harness.events.last("request")["refused"], "dpop:replayed");
    // For the token endpoint it was not made.
    let other = sender.good(&harness, "p-9");
    ask("DPoP", Some(other)).await.assert_refused(401, "invalid_dpop_proof");
}

#[tokio::test]
async fn an_unbound_token_is_not_taken_for_a_bound_one() {
    let harness = Harness::new().await;
    let body = harness.signed_in(&harness.public, "openid").await;
    let access = body["access_token"].as_str().expect("token");
    let request = Request::get("/userinfo").header("authorization", format!("DPoP {access}"));
    let answer = harness.send(request.body(Body::empty()).expect("request")).await;
    answer.assert_refused(401, "invalid_token");
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
}

#[tokio::test]
async fn a_restart_makes_no_proof_good_again() {
    // RFC 9449 §11.1.
    let harness = Harness::new().await;
    let sender = Sender::new();
    let (used, unused) = (sender.good(&harness, "p-1"), sender.good(&harness, "p-2"));
    assert_eq!(machine(&harness, &[("dpop", &used)]).await.status, 200);
    harness.store.set_meta("behind it", "1").await.expect("store");
    let harness = harness.restart().await;
    machine(&harness, &[("dpop", &used)]).await.assert_refused(400, "invalid_dpop_proof");
    assert_eq!(machine(&harness, &[("dpop", &unused)]).await.status, 200);
}
