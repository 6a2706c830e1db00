//! FAPI 2.0 as one switch, and lives that a client has for itself.

use serde_json::json;
use store::Client;
use token::jws;
use token::key::PrivateKey;
use token::scope::ScopeSet;
use token::term::{Algorithm, ClientAuthMethod, Profile};

use super::browser::{PASSWORD, request};
use super::support::{Answer, Harness, ISSUER, REDIRECT, TestClient, VERIFIER, claims, settings};
use crate::Settings;
use crate::register::{ClientDraft, RegistrationRefused, check};
use token::secret::Secret;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client under FAPI 2.0, with its key.
async fn harness(algorithm: Algorithm, everywhere: bool) -> (Harness, PrivateKey) {
    let profile = everywhere.then_some(Profile::Fapi2);
    let harness = Harness::with(Settings { profile, ..settings() }).await;
    let hash = harness.authority.passwords().hash(Secret::new(PASSWORD), Vec::new()).await;
    let mut user = harness.user.clone();
    user.password_hash = Some(hash.expect("hash"));
    harness.store.update_user(&user).await.expect("user");
    let key = PrivateKey::generate(algorithm).expect("key");
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = Client {
        auth_method: ClientAuthMethod::PrivateKeyJwt,
        secret_hash: None,
        ..(*client).clone()
    };
    client.options.jwks = Some(json!({ "keys": [key.public().jwk()] }));
    client.options.profile = (!everywhere).then_some(Profile::Fapi2);
    harness.store.update_client(&client).await.expect("client");
    (harness, key)
}

fn proof(harness: &Harness, key: &PrivateKey, jti: &str) -> String {
    let jwk = serde_json::to_value(key.public().jwk()).expect("JWK");
    let header = json!({ "typ": "dpop+jwt", "alg": key.public().algorithm(), "jwk": jwk });
    let claims = json!({
        "jti": jti, "htm": "POST", "htu": format!("{ISSUER}/token"), "iat": harness.now().as_secs(),
    });
    let input = [header, claims].map(|part| token::base64url::encode(part.to_string())).join(".");
    let signature = key.sign(input.as_bytes()).expect("signature");
    format!("{input}.{}", token::base64url::encode(signature))
}

/// Sends a form with the client's assertion, and with a proof where one is given.
async fn send(
    harness: &Harness,
    key: &PrivateKey,
    path: &str,
    form: &[(&str, &str)],
    jti: &str,
    with_proof: bool,
) -> Answer {
    let now = harness.now().as_secs();
    let claims =
        json!({ "iss": "conf", "sub": "conf", "aud": ISSUER, "exp": now + 60, "jti": jti });
    let assertion = jws::sign(key, "JWT", claims.to_string().as_bytes()).expect("assertion");
    let mut form = form.to_vec();
    form.extend([("client_assertion_type", TYPE), ("client_assertion", assertion.as_str())]);
    let proof = proof(harness, key, jti);
    let fields = if with_proof { vec![("dpop", proof.as_str())] } else { Vec::new() };
    let client = TestClient { id: "conf".to_owned(), secret: None };
    harness.post_with(path, &client, &form, &fields).await
}

#[tokio::test]
async fn fapi_2_is_one_switch() {
    for everywhere in [false, true] {
        let (harness, key) = harness(Algorithm::Es256, everywhere).await;
        let client = TestClient { id: "conf".to_owned(), secret: None };
        // FAPI 2.0 Security Profile §5.3.2.2: pushed requests alone, with their redirect URI.
        harness.get(&request(&client, &[])).await.assert_refused_to_client("invalid_request");
        let form: Vec<(String, String)> = {
            let path = request(&client, &[]);
            let query = path.split_once('?').expect("query").1;
            form_urlencoded::parse(query.as_bytes()).into_owned().collect()
        };
        let pairs = |without: &str| -> Vec<(&str, &str)> {
            let pairs = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            pairs.filter(|(name, _)| *name != without && *name != "client_id").collect()
        };
        let bare: Vec<_> =
            pairs("redirect_uri").into_iter().filter(|(n, _)| *n != "scope").collect();
        let refused = send(&harness, &key, "/par", &bare, "p-1", false).await;
        refused.assert_refused(400, "invalid_request");
        let pushed = send(&harness, &key, "/par", &pairs(""), "p-2", false).await;
        let mut query = form_urlencoded::Serializer::new(String::from("/authorize?client_id=conf"));
        let path = query.append_pair("request_uri", &pushed.member("request_uri")).finish();
        let told = harness.browser().agree(&path).await.at_client();
        // §5.3.2.1: tokens bound to a key, or none.
        let form = [
            ("grant_type", "authorization_code"),
            ("code", told["code"].as_str()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let refused = send(&harness, &key, "/token", &form, "t-1", false).await;
        refused.assert_refused(400, "invalid_dpop_proof");
        let body = send(&harness, &key, "/token", &form, "t-2", true).await;
        assert_eq!(body.member("token_type"), "DPoP");
        // §5.3.2.1: refresh tokens are not rotated.
        let refresh = body.member("refresh_token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        for jti in ["r-1", "r-2"] {
            let body = send(&harness, &key, "/token", &form, jti, true).await;
            assert_eq!((body.status, body.member("refresh_token")), (200, refresh.clone()));
            harness.clock.pass(3000);
        }
        let metadata = harness.get("/.well-known/openid-configuration").await.json();
        assert_eq!(metadata["require_pushed_authorization_requests"], everywhere);
    }
}

#[tokio::test]
async fn neither_secrets_nor_weak_signatures_are_taken() {
    let (harness, key) = harness(Algorithm::Rs256, true).await;
    let form = [("grant_type", "client_credentials")];
    let refused = send(&harness, &key, "/token", &form, "a-1", true).await;
    refused.assert_refused(401, "invalid_client");
    // With the switch on for everybody, a client with a secret is none.
    let secret = Secret::new("s");
    let client = harness.store.client(&"pub".into()).await.expect("store").expect("client");
    let with_secret = Client {
        auth_method: ClientAuthMethod::ClientSecretBasic,
        secret_hash: Some(token::opaque::OpaqueHash::of(secret.expose())),
        ..(*client).clone()
    };
    harness.store.update_client(&with_secret).await.expect("client");
    let client = TestClient::named("pub", "s");
    harness.post("/token", &client, &form).await.assert_refused(401, "invalid_client");
}

/// FAPI 2.0 Security Profile §5.3.2.1: the issuer identifier as a string.
#[tokio::test]
async fn an_assertion_names_its_one_audience_as_a_string() {
    let (harness, key) = harness(Algorithm::Es256, false).await;
    let push = async |aud: serde_json::Value, jti: &str| {
        let exp = harness.now().as_secs() + 60;
        let claims = json!({ "iss": "conf", "sub": "conf", "aud": aud, "exp": exp, "jti": jti });
        let assertion = jws::sign(&key, "JWT", claims.to_string().as_bytes()).expect("assertion");
        let form = [("client_assertion_type", TYPE), ("client_assertion", &assertion)];
        let client = TestClient { id: "conf".to_owned(), secret: None };
        harness.post("/par", &client, &form).await
    };
    push(json!([ISSUER]), "a-1").await.assert_refused(401, "invalid_client");
    push(json!(format!("{ISSUER}/par")), "a-2").await.assert_refused(401, "invalid_client");
    // Known by it, the client hears what else is wrong.
    push(json!(ISSUER), "a-3").await.assert_refused(400, "invalid_request");
}

#[test]
fn registration_keeps_to_the_profile() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let mut good = ClientDraft {
        name: "Bank".to_owned(),
        auth_method: ClientAuthMethod::PrivateKeyJwt,
        grant_types: vec![token::term::GrantType::AuthorizationCode],
        redirect_uris: vec![REDIRECT.to_owned()],
        scopes: ScopeSet::default(),
        default_scopes: ScopeSet::default(),
        options: Default::default(),
        metadata: "{}".to_owned(),
    };
    good.options.profile = Some(Profile::Fapi2);
    good.options.jwks = Some(json!({ "keys": [key.public().jwk()] }));
    check(&good, &settings()).expect("good");
    let refused = |change: &dyn Fn(&mut ClientDraft)| {
        let mut draft = good.clone();
        change(&mut draft);
        match check(&draft, &settings()) {
            Err(RegistrationRefused::Member { member, .. }) => member,
            other => panic!("{other:?}"),
        }
    };
    let by_secret = |draft: &mut ClientDraft| {
        draft.auth_method = ClientAuthMethod::ClientSecretBasic;
    };
    assert_eq!(refused(&by_secret), "token_endpoint_auth_method");
    let plain = |draft: &mut ClientDraft| {
        draft.redirect_uris = vec!["http://127.0.0.1/callback".to_owned()];
    };
    assert_eq!(refused(&plain), "redirect_uris");
    let weak = |draft: &mut ClientDraft| {
        draft.options.token_endpoint_auth_signing_alg = Some(Algorithm::Rs256);
    };
    assert_eq!(refused(&weak), "token_endpoint_auth_signing_alg");
    let long = |draft: &mut ClientDraft| draft.options.access_token_life = Some(601);
    assert_eq!(refused(&long), "access_token_life");
    let none = |draft: &mut ClientDraft| draft.options.refresh_idle_life = Some(0);
    assert_eq!(refused(&none), "refresh_idle_life");
}

#[tokio::test]
async fn a_client_can_have_shorter_lives() {
    let harness = Harness::with_password().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.options.access_token_life = Some(60);
    client.options.refresh_idle_life = Some(120);
    client.options.refresh_absolute_life = Some(300);
    harness.store.update_client(&client).await.expect("client");
    let told = harness.browser().agree(&request(&harness.confidential, &[])).await.at_client();
    let body = harness.redeem(&harness.confidential, &told["code"]).await.json();
    assert_eq!((&body["expires_in"], &body["refresh_token_expires_in"]), (&json!(60), &json!(120)));
    let token = claims(body["access_token"].as_str().expect("token"));
    let life = token["exp"].as_i64().zip(token["iat"].as_i64()).map(|(exp, iat)| exp - iat);
    assert_eq!(life, Some(60));
    let mut refresh = body["refresh_token"].as_str().expect("token").to_owned();
    for expected in [Some(120), Some(100), None] {
        harness.clock.pass(100);
        let answer = harness.refresh(&harness.confidential, &refresh).await;
        match expected {
            Some(left) => {
                assert_eq!(answer.json()["refresh_token_expires_in"], left, "{}", answer.text);
                refresh = answer.member("refresh_token");
            }
            None => answer.assert_refused(400, "invalid_grant"),
        }
    }
}
