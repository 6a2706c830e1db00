//! Instances of clients that somebody vouches for (draft-ietf-oauth-attestation-based-client-auth-10).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use store::Client;
use token::jws;
use token::key::{KeySet, MacKey, PrivateKey};
use token::term::{Algorithm, ClientAuthMethod, DeliveryMode, GrantType, MacAlgorithm};

use super::browser::request;
use super::support::{Answer, Harness, ISSUER, REDIRECT, TestClient, VERIFIER, settings};
use crate::Settings;
use crate::foreign::KeySource;

const MAKER: &str = "https://maker.example";
const OTHER: &str = "https://other.example";
const ATTESTATION: &str = "oauth-client-attestation+jwt";
const PROOF: &str = "oauth-client-attestation-pop+jwt";

/// An authority that trusts two attesters, and one instance of its client `conf`.
struct Attested {
    harness: Harness,
    maker: PrivateKey,
    other: PrivateKey,
    instance: PrivateKey,
    proofs: AtomicUsize,
}

fn new_key() -> PrivateKey {
    PrivateKey::generate(Algorithm::Es256).expect("key")
}

fn source(issuer: &str, key: &PrivateKey) -> KeySource {
    let keys = json!({ "keys": [key.public().jwk()] }).to_string();
    let keys = KeySet::from_jwks(keys.as_bytes()).expect("keys");
    KeySource { issuer: issuer.to_owned(), jwks_uri: None, keys: Some(Arc::new(keys)) }
}

fn sign(key: &PrivateKey, typ: &str, claims: &Value) -> String {
    jws::sign(key, typ, claims.to_string().as_bytes()).expect("token")
}

async fn change(harness: &Harness, change: impl FnOnce(&mut Client)) {
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    change(&mut client);
    harness.store.update_client(&client).await.expect("client");
}

fn be_attested(client: &mut Client) {
    client.auth_method = ClientAuthMethod::AttestJwtClientAuth;
    client.secret_hash = None;
}

// === impl Attested ===

impl Attested {
    async fn new() -> Self {
        Self::with(false).await
    }

    async fn with(attestation_challenge: bool) -> Self {
        Self::of(new_key(), new_key(), attestation_challenge).await
    }

    async fn of(maker: PrivateKey, instance: PrivateKey, attestation_challenge: bool) -> Self {
        let other = new_key();
        let attesters = vec![source(MAKER, &maker), source(OTHER, &other)];
        let settings = Settings { attesters, attestation_challenge, ..settings() };
        let harness = Harness::with(settings).await;
        harness.give_password().await;
        change(&harness, |client| {
            be_attested(client);
            client.grant_types.push(GrantType::Ciba);
            client.options.backchannel_token_delivery_mode = Some(DeliveryMode::Poll);
        })
        .await;
        Self { harness, maker, other, instance, proofs: AtomicUsize::new(0) }
    }

    fn client(&self) -> TestClient {
        TestClient { id: "conf".to_owned(), secret: None }
    }

    fn said_of(&self, instance: &PrivateKey) -> Value {
        let now = self.harness.now().as_secs();
        json!({ "iss": MAKER, "sub": "conf", "iat": now, "exp": now + 3600,
            "cnf": { "jwk": instance.public().jwk() } })
    }

    fn attestation(&self, instance: &PrivateKey) -> String {
        sign(&self.maker, ATTESTATION, &self.said_of(instance))
    }

    /// The claims of a new proof, with a name of its own.
    fn shown(&self) -> Value {
        let number = self.proofs.fetch_add(1, Ordering::SeqCst);
        json!({ "aud": ISSUER, "jti": format!("p-{number}"), "iat": self.harness.now().as_secs() })
    }

    fn proof(&self) -> String {
        sign(&self.instance, PROOF, &self.shown())
    }

    async fn send(
        &self,
        path: &str,
        form: &[(&str, &str)],
        attestation: &str,
        proof: &str,
    ) -> Answer {
        let fields =
            [("OAuth-Client-Attestation", attestation), ("OAuth-Client-Attestation-PoP", proof)];
        self.harness.post_with(path, &self.client(), form, &fields).await
    }

    async fn ask(&self, attestation: &str, proof: &str) -> Answer {
        self.send("/token", &[("grant_type", "client_credentials")], attestation, proof).await
    }

    /// By an instance that is attested, with a fresh proof.
    async fn by(&self, instance: &PrivateKey, path: &str, form: &[(&str, &str)]) -> Answer {
        let proof = sign(instance, PROOF, &self.shown());
        self.send(path, form, &self.attestation(instance), &proof).await
    }

    async fn refresh(&self, instance: &PrivateKey, token: &str) -> Answer {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.by(instance, "/token", &form).await
    }

    async fn redeem(&self, instance: &PrivateKey, code: &str) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.by(instance, "/token", &form).await
    }
}

#[tokio::test]
async fn an_attested_instance_is_its_client_at_every_endpoint() {
    let attested = Attested::new().await;
    let pushed = request(&attested.client(), &[]);
    let (_, query) = pushed.split_once('?').expect("query");
    let parameters: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let pushed: Vec<(&str, &str)> = parameters
        .iter()
        .filter(|(name, _)| name != "client_id")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    for (path, form, status) in [
        ("/token", vec![("grant_type", "client_credentials")], 200),
        ("/introspect", vec![("token", "x")], 200),
        ("/revoke", vec![("token", "x")], 200),
        ("/par", pushed, 201),
        ("/device_authorization", vec![("scope", "openid")], 200),
        ("/bc-authorize", vec![("scope", "openid"), ("login_hint", "alice")], 200),
    ] {
        let answer = attested.by(&attested.instance, path, &form).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        let event = attested.harness.events.last("client_auth");
        let (method, result) = (&event["method"], &event["result"]);
        assert_eq!((method, result), (&"attest_jwt_client_auth".into(), &"ok".into()), "{path}");
        let bare = attested.harness.post(path, &attested.client(), &form).await;
        bare.assert_refused(401, "invalid_client");
    }
}

#[tokio::test]
async fn keys_of_every_kind_attest_and_are_attested() {
    for algorithm in [
        Algorithm::Es384,
        Algorithm::Ed25519,
        Algorithm::EdDsa,
        Algorithm::MlDsa65,
        Algorithm::Ps256,
        Algorithm::Rs256,
    ] {
        let key = || PrivateKey::generate(algorithm).expect("key");
        let attested = Attested::of(key(), key(), false).await;
        let mut claims = attested.said_of(&attested.instance);
        let answer = attested.by(&attested.instance, "/introspect", &[("token", "x")]).await;
        assert_eq!(answer.status, 200, "{algorithm}: {}", answer.text);
        if matches!(algorithm, Algorithm::MlDsa65) {
            continue;
        }
        // RFC 7517 §4.4: a key need not say its algorithm, and a proof may call it by another name.
        let jwk = claims["cnf"]["jwk"].as_object_mut().expect("key");
        jwk.remove("alg");
        jwk.insert("kid".to_owned(), json!("of-the-instance"));
        let attestation = sign(&attested.maker, ATTESTATION, &claims);
        let answer = attested.ask(&attestation, &attested.proof()).await;
        assert_eq!(answer.status, 200, "{algorithm}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_attestation_names_its_client_by_itself_and_need_not_name_its_attester() {
    let attested = Attested::new().await;
    let mut unnamed = attested.said_of(&attested.instance);
    unnamed.as_object_mut().expect("object").remove("iss");
    for attester in [&attested.maker, &attested.other] {
        let attestation = sign(attester, ATTESTATION, &unnamed);
        let request = Request::post("/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("oauth-client-attestation", attestation)
            .header("oauth-client-attestation-pop", attested.proof())
            .body(Body::from("grant_type=client_credentials"));
        let answer = attested.harness.send(request.expect("request")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test]
async fn an_attestation_is_of_a_trusted_attester_for_this_client_now() {
    let attested = Attested::new().await;
    let (now, stranger) = (attested.harness.now().as_secs(), new_key());
    let twin = attested.harness.store.client(&"conf".into()).await.expect("store");
    let twin = Client { id: "twin".into(), ..(*twin.expect("client")).clone() };
    attested.harness.store.create_client(&twin).await.expect("client");
    let good = attested.said_of(&attested.instance);
    let with = |claim: &str, value: Value| {
        let mut claims = good.clone();
        claims[claim] = value;
        sign(&attested.maker, ATTESTATION, &claims)
    };
    let public = serde_json::to_vec(attested.maker.public().jwk()).expect("jwk");
    let kid = attested.maker.public().kid().clone();
    let secret = MacKey::new(MacAlgorithm::Hs256, kid, &public).expect("secret");
    let mut private = good["cnf"].clone();
    private["jwk"]["d"] = json!("AA");
    for (attestation, code) in [
        // §7.1: of another client, be it attested as well.
        (with("sub", json!("pub")), "invalid_client"),
        (with("sub", json!("twin")), "invalid_client"),
        (with("sub", Value::Null), "invalid_client"),
        // §7.4 has a word of its own.
        (with("exp", json!(now - 31)), "use_fresh_attestation"),
        (with("exp", Value::Null), "invalid_client"),
        (with("iat", json!(now + 31)), "invalid_client"),
        (with("aud", json!("https://elsewhere.example")), "invalid_client"),
        (with("iss", json!("https://elsewhere.example")), "invalid_client"),
        (with("iss", json!(OTHER)), "invalid_client"),
        (with("cnf", json!({ "jkt": "x" })), "invalid_client"),
        (with("cnf", private), "invalid_client"),
        (with("cnf", Value::Null), "invalid_client"),
        (sign(&stranger, ATTESTATION, &good), "invalid_client"),
        (sign(&attested.maker, "JWT", &good), "invalid_client"),
        (sign(&attested.maker, PROOF, &good), "invalid_client"),
        (
            jws::sign_with_secret(&secret, ATTESTATION, good.to_string().as_bytes()),
            "invalid_client",
        ),
        (
            format!("eyJhbGciOiJub25lIn0.{}.", token::base64url::encode(good.to_string())),
            "invalid_client",
        ),
        ("nonsense".to_owned(), "invalid_client"),
    ] {
        let answer = attested.ask(&attestation, &attested.proof()).await;
        let status = if code == "invalid_client" { 401 } else { 400 };
        answer.assert_refused(status, code);
    }
    let answer = attested.ask(&with("aud", json!(ISSUER)), &attested.proof()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn a_proof_is_by_the_attested_key_for_this_issuer_now_and_once() {
    let attested = Attested::new().await;
    let (now, stranger) = (attested.harness.now().as_secs(), new_key());
    let attestation = attested.attestation(&attested.instance);
    let with = |claim: &str, value: Value| {
        let mut claims = attested.shown();
        claims[claim] = value;
        sign(&attested.instance, PROOF, &claims)
    };
    for proof in [
        with("aud", json!(format!("{ISSUER}/token"))),
        with("aud", json!([ISSUER, "https://elsewhere.example"])),
        with("iat", json!(now - 91)),
        with("iat", json!(now + 31)),
        with("iat", Value::Null),
        with("exp", json!(now - 31)),
        with("jti", json!("")),
        with("jti", Value::Null),
        sign(&stranger, PROOF, &attested.shown()),
        sign(&attested.maker, PROOF, &attested.shown()),
        sign(&attested.instance, "JWT", &attested.shown()),
        sign(&attested.instance, ATTESTATION, &attested.shown()),
        attested.attestation(&attested.instance),
        "nonsense".to_owned(),
    ] {
        attested.ask(&attestation, &proof).await.assert_refused(401, "invalid_client");
        assert_eq!(attested.harness.events.last("client_auth")["result"], "bad_assertion");
    }
    // None of these has used its name up; one that was good has.
    let good = sign(&attested.instance, PROOF, &json!({ "aud": ISSUER, "jti": "p-0", "iat": now }));
    assert_eq!(attested.ask(&attestation, &good).await.status, 200);
    let again = attested.ask(&attestation, &good).await;
    again.assert_refused(401, "invalid_client");
    assert!(again.text.contains("used before"), "{}", again.text);
    attested.harness.clock.pass(80);
    attested.ask(&attestation, &good).await.assert_refused(401, "invalid_client");
    // The attestation itself is shown as often as its instance likes (§9.2).
    assert_eq!(attested.ask(&attestation, &attested.proof()).await.status, 200);
}

#[tokio::test]
async fn both_fields_are_there_once_and_nothing_beside_them() {
    let attested = Attested::new().await;
    let (one, two) = ("oauth-client-attestation", "oauth-client-attestation-pop");
    let attestation = attested.attestation(&attested.instance);
    let proof = attested.proof();
    let form = [("grant_type", "client_credentials")];
    let (first, second) = ((one, attestation.as_str()), (two, proof.as_str()));
    for fields in [
        vec![first],
        vec![second],
        vec![first, first, second],
        vec![first, second, second],
        // §5.2, which is not built: a proof of possession is no proof of the attested key.
        vec![first, ("dpop", proof.as_str())],
    ] {
        let client = attested.client();
        let answer = attested.harness.post_with("/token", &client, &form, &fields).await;
        answer.assert_refused(401, "invalid_client");
    }
    let fields = [first, second];
    let with_secret = TestClient::named("conf", "secret");
    let answer = attested.harness.post_with("/token", &with_secret, &form, &fields).await;
    answer.assert_refused(400, "invalid_request");
    for more in [("client_secret", "s"), ("client_assertion", "x.y.z")] {
        let form = [form[0], more];
        let answer = attested.harness.post_with("/token", &attested.client(), &form, &fields).await;
        answer.assert_refused(400, "invalid_request");
    }
    let other = TestClient { id: "pub".to_owned(), secret: None };
    let answer = attested.harness.post_with("/token", &other, &form, &fields).await;
    answer.assert_refused(401, "invalid_client");
    // None of it has used the proof up.
    assert_eq!(attested.ask(&attestation, &proof).await.status, 200);
}

#[tokio::test]
async fn a_client_of_another_method_is_not_attested() {
    let attested = Attested::new().await;
    let mut claims = attested.said_of(&attested.instance);
    claims["sub"] = json!("pub");
    let attestation = sign(&attested.maker, ATTESTATION, &claims);
    let (proof, form) = (attested.proof(), [("grant_type", "refresh_token")]);
    let fields = [
        ("oauth-client-attestation", attestation.as_str()),
        ("oauth-client-attestation-pop", proof.as_str()),
    ];
    let public = &attested.harness.public;
    let answer = attested.harness.post_with("/token", public, &form, &fields).await;
    answer.assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn a_client_can_name_who_alone_attests_it() {
    let attested = Attested::new().await;
    change(&attested.harness, |client| {
        client.options.client_attester = Some(OTHER.to_owned());
    })
    .await;
    let mut claims = attested.said_of(&attested.instance);
    for issuer in [json!(MAKER), json!(OTHER)] {
        claims["iss"] = issuer;
        let attestation = sign(&attested.maker, ATTESTATION, &claims);
        attested.ask(&attestation, &attested.proof()).await.assert_refused(401, "invalid_client");
    }
    let attestation = sign(&attested.other, ATTESTATION, &claims);
    assert_eq!(attested.ask(&attestation, &attested.proof()).await.status, 200);
}

#[tokio::test]
async fn a_challenge_is_brought_back_where_it_is_demanded() {
    let attested = Attested::with(true).await;
    let harness = &attested.harness;
    let fetch = || harness.send(Request::post("/challenge").body(Body::empty()).expect("request"));
    let fetched = fetch().await;
    assert_eq!((fetched.status, fetched.header("cache-control")), (200, "no-store"));
    let attestation = attested.attestation(&attested.instance);
    let with = |challenge: &str| {
        let mut claims = attested.shown();
        claims["challenge"] = json!(challenge);
        sign(&attested.instance, PROOF, &claims)
    };
    let challenge = fetched.member("attestation_challenge");
    let answer = attested.ask(&attestation, &with(&challenge)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    harness.clock.pass(301);
    for proof in [attested.proof(), with(&challenge), with("made up"), with("")] {
        let answer = attested.ask(&attestation, &proof).await;
        answer.assert_refused(400, "use_attestation_challenge");
        // §7.4: the refusal brings the challenge for the next try.
        let next = answer.header("oauth-client-attestation-challenge").to_owned();
        assert_eq!(attested.ask(&attestation, &with(&next)).await.status, 200);
    }
    let metadata = harness.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["challenge_endpoint"], format!("{ISSUER}/challenge"));
    // Elsewhere there is none.
    let plain = Attested::new().await;
    let request = Request::post("/challenge").body(Body::empty()).expect("request");
    plain.harness.send(request).await.assert_refused(404, "invalid_request");
    let metadata = plain.harness.get("/.well-known/oauth-authorization-server").await.json();
    assert!(metadata.get("challenge_endpoint").is_none());
}

#[tokio::test]
async fn a_refresh_token_is_good_for_the_instance_that_got_it() {
    let attested = Attested::new().await;
    let client = attested.client();
    let (instance, stolen_by) = (&attested.instance, new_key());
    let code = attested.harness.code(&client, "openid orders:read").await;
    let first = attested.redeem(instance, code.expose()).await;
    assert_eq!(first.status, 200, "{}", first.text);
    // §9.3: the very key, not only the client.
    let answer = attested.refresh(&stolen_by, &first.member("refresh_token")).await;
    answer.assert_refused(400, "invalid_grant");
    assert!(answer.text.contains("another instance"), "{}", answer.text);
    let second = attested.refresh(instance, &first.member("refresh_token")).await;
    assert_eq!(second.status, 200, "{}", second.text);
    let next = second.member("refresh_token");
    attested.refresh(&stolen_by, &next).await.assert_refused(400, "invalid_grant");
    let form = [("grant_type", "refresh_token"), ("refresh_token", next.as_str())];
    let bare = attested.harness.post("/token", &client, &form).await;
    bare.assert_refused(401, "invalid_client");
    assert_eq!(attested.refresh(instance, &next).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_of_before_is_not_good_for_any_instance() {
    let attested = Attested::new().await;
    let harness = &attested.harness;
    change(harness, |client| client.auth_method = ClientAuthMethod::None).await;
    let old = harness.signed_in(&attested.client(), "openid").await;
    change(harness, be_attested).await;
    let token = old["refresh_token"].as_str().expect("token");
    attested.refresh(&attested.instance, token).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_pushed_request_binds_its_code_to_the_instance() {
    let attested = Attested::new().await;
    let path = request(&attested.client(), &[]);
    let (_, query) = path.split_once('?').expect("query");
    let parameters: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let form: Vec<(&str, &str)> = parameters
        .iter()
        .filter(|(name, _)| name != "client_id")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let pushed = attested.by(&attested.instance, "/par", &form).await;
    assert_eq!(pushed.status, 201, "{}", pushed.text);
    let uri = pushed.member("request_uri");
    let query = form_urlencoded::Serializer::new(String::from("/authorize?"))
        .append_pair("client_id", "conf")
        .append_pair("request_uri", &uri)
        .finish();
    let told = attested.harness.browser().agree(&query).await.at_client();
    let stolen = attested.redeem(&new_key(), &told["code"]).await;
    stolen.assert_refused(400, "invalid_grant");
    let answer = attested.redeem(&attested.instance, &told["code"]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = attested.refresh(&attested.instance, &answer.member("refresh_token")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn the_method_is_announced_where_somebody_attests() {
    const MEMBERS: [&str; 2] = [
        "client_attestation_signing_alg_values_supported",
        "client_attestation_pop_signing_alg_values_supported",
    ];
    let (attested, plain) = (Attested::new().await, Harness::new().await);
    for (harness, announced) in [(&attested.harness, true), (&plain, false)] {
        let metadata = harness.get("/.well-known/oauth-authorization-server").await.json();
        for name in ["token", "revocation", "introspection"] {
            let methods = &metadata[format!("{name}_endpoint_auth_methods_supported")];
            let methods = methods.as_array().expect("methods");
            assert_eq!(methods.contains(&json!("attest_jwt_client_auth")), announced, "{name}");
        }
        for member in MEMBERS {
            assert_eq!(
                metadata[member],
                if announced { json!(Algorithm::ALL) } else { Value::Null }
            );
        }
    }
}
