//! Tokens of other issuers: a workload becomes a client by a rule, a person comes by their enterprise's word.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};
use store::Client;
use token::claim_pattern::Pattern;
use token::jws;
use token::key::{KeySet, PrivateKey};
use token::scope::ScopeSet;
use token::term::{Algorithm, ClientAuthMethod, GrantType};

use super::support::{API, Answer, Harness, ISSUER, TestClient, claims, settings};
use crate::Settings;
use crate::foreign::{KeySource, TrustedIssuer, WorkloadRule};

const PLATFORM: &str = "https://token.actions.example";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn trusted(issuer: &str, key: &PrivateKey) -> TrustedIssuer {
    let keys = json!({ "keys": [key.public().jwk()] }).to_string();
    let pattern = |claim, text| Pattern::new(claim, text).expect("pattern");
    TrustedIssuer {
        source: KeySource {
            issuer: issuer.to_owned(),
            jwks_uri: None,
            keys: Some(Arc::new(KeySet::from_jwks(keys.as_bytes()).expect("keys"))),
        },
        audience: None,
        rules: vec![WorkloadRule {
            claims: vec![pattern("sub", "repo:acme/*:ref:refs/heads/main"), pattern("env", "prod")],
            client: "deploy".into(),
        }],
        people: None,
    }
}

async fn harness(issuers: Vec<TrustedIssuer>) -> Harness {
    let harness = Harness::with(Settings { trusted_issuers: issuers, ..settings() }).await;
    let deploy = Client {
        id: "deploy".into(),
        name: "Deployments".to_owned(),
        secret_hash: None,
        auth_method: ClientAuthMethod::PrivateKeyJwt,
        grant_types: vec![GrantType::JwtBearer, GrantType::ClientCredentials],
        redirect_uris: Vec::new(),
        scopes: ScopeSet::parse("orders:read orders:write").expect("scopes"),
        default_scopes: ScopeSet::parse("orders:read").expect("scopes"),
        ..(*harness.store.client(&"conf".into()).await.expect("store").expect("client")).clone()
    };
    harness.store.create_client(&deploy).await.expect("client");
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.grant_types.push(GrantType::JwtBearer);
    harness.store.update_client(&client).await.expect("client");
    harness
}

fn job(harness: &Harness) -> Value {
    let now = harness.now().as_secs();
    json!({
        "iss": PLATFORM, "sub": "repo:acme/shop:ref:refs/heads/main", "aud": ISSUER,
        "env": "prod", "exp": now + 300, "iat": now, "nbf": now, "jti": "j-1",
    })
}

fn sign(key: &PrivateKey, typ: &str, claims: &Value) -> String {
    jws::sign(key, typ, claims.to_string().as_bytes()).expect("token")
}

async fn ask(harness: &Harness, assertion: &str) -> Answer {
    let form = format!("grant_type={GRANT}&assertion={assertion}");
    harness.post_bare("/token", &form).await
}

#[tokio::test]
async fn a_workload_becomes_the_client_of_its_rule() {
    let key = PrivateKey::generate(Algorithm::Rs256).expect("key");
    let harness = harness(vec![trusted(PLATFORM, &key)]).await;
    let assertion = sign(&key, "JWT", &job(&harness));
    let answer = ask(&harness, &assertion).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let token = claims(&answer.member("access_token"));
    assert_eq!((&token["sub"], &token["client_id"]), (&"deploy".into(), &"deploy".into()));
    assert_eq!((&token["scope"], &token["aud"]), (&"orders:read".into(), &API.into()));
    assert!(answer.json().get("refresh_token").is_none());
    // Platforms give their workloads one token for a while: it may come again.
    let form = format!("grant_type={GRANT}&scope=orders%3Awrite&assertion={assertion}");
    assert_eq!(harness.post_bare("/token", &form).await.member("scope"), "orders:write");
    let form = format!("grant_type={GRANT}&scope=tokenward%3Aadmin&assertion={assertion}");
    harness.post_bare("/token", &form).await.assert_refused(400, "invalid_scope");
}

/// A JWT-SVID of SPIFFE: known by its subject, with or without an issuer (JWT-SVID §3).
#[tokio::test]
async fn a_svid_is_known_by_its_trust_domain() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let mut domain = trusted("spiffe://acme.example", &key);
    // As its bundle has the key: for JWT-SVIDs, without an algorithm.
    let mut jwk = serde_json::to_value(key.public().jwk()).expect("JWK");
    jwk["use"] = json!("jwt-svid");
    jwk.as_object_mut().expect("JWK").remove("alg");
    let certificate = json!({ "kty": "EC", "use": "x509-svid", "crv": "P-256", "x": "", "y": "" });
    let bundle = json!({ "keys": [certificate, jwk], "spiffe_sequence": 1 }).to_string();
    domain.source.keys = Some(Arc::new(KeySet::from_jwks(bundle.as_bytes()).expect("bundle")));
    let pattern = Pattern::new("sub", "spiffe://acme.example/ns/shop/*").expect("pattern");
    domain.rules = vec![WorkloadRule { claims: vec![pattern], client: "deploy".into() }];
    let harness = harness(vec![domain]).await;
    let exp = harness.now().as_secs() + 300;
    let svid = |sub: &str, iss: Option<&str>| {
        let mut claims = json!({ "sub": sub, "aud": [ISSUER], "exp": exp });
        if let Some(iss) = iss {
            claims["iss"] = json!(iss);
        }
        sign(&key, "JWT", &claims)
    };
    let (good, spire) = ("spiffe://acme.example/ns/shop/sa/web", "https://spire.acme.example");
    for iss in [None, Some(spire)] {
        let answer = ask(&harness, &svid(good, iss)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(claims(&answer.member("access_token"))["sub"], "deploy");
    }
    // draft-ietf-oauth-spiffe-client-auth: as client authentication.
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe";
    let authenticate = async |svid: &str| {
        let form = format!(
            "grant_type=client_credentials&client_id=deploy&client_assertion_type={kind}\
             &client_assertion={svid}"
        );
        harness.post_bare("/token", &form).await
    };
    let answer = authenticate(&svid(good, None)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for sub in [
        "spiffe://acme.example/ns/other/sa/web",
        "spiffe://acme.example",
        "spiffe://acme.example/",
        "spiffe://acme.example.evil/ns/shop/sa/web",
        "spiffe://evil.example/ns/shop/sa/web",
    ] {
        ask(&harness, &svid(sub, None)).await.assert_refused(401, "invalid_client");
        authenticate(&svid(sub, None)).await.assert_refused(401, "invalid_client");
    }
}

/// Only a trust domain may leave `iss` out.
#[tokio::test]
async fn a_platform_says_who_it_is() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(vec![trusted(PLATFORM, &key)]).await;
    let mut claims = job(&harness);
    claims.as_object_mut().expect("claims").remove("iss");
    let answer = ask(&harness, &sign(&key, "JWT", &claims)).await;
    answer.assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn what_fits_no_rule_is_nobody() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(vec![trusted(PLATFORM, &key)]).await;
    for (claim, value) in [
        ("sub", json!("repo:acme/shop:ref:refs/heads/feature")),
        ("sub", json!("repo:evil/acme/x:ref:refs/heads/main2")),
        ("sub", json!("")),
        ("env", json!("test")),
        ("env", Value::Null),
        ("aud", json!("https://elsewhere.example")),
        ("iss", json!("https://elsewhere.example")),
        ("iss", json!(format!("{PLATFORM}/"))),
        ("exp", json!(harness.now().as_secs() - 60)),
        ("exp", Value::Null),
        ("nbf", json!(harness.now().as_secs() + 60)),
        ("nonce", json!("n-1")),
    ] {
        let mut claims = job(&harness);
        claims[claim] = value;
        let answer = ask(&harness, &sign(&key, "JWT", &claims)).await;
        answer.assert_refused(401, "invalid_client");
    }
    let stranger = PrivateKey::generate(Algorithm::Es256).expect("key");
    let good = job(&harness);
    for assertion in [
        sign(&stranger, "JWT", &good),
        sign(&key, "at+jwt", &good),
        sign(&key, "dpop+jwt", &good),
        format!("eyJhbGciOiJub25lIn0.{}.", token::base64url::encode(good.to_string())),
        "nonsense".to_owned(),
    ] {
        ask(&harness, &assertion).await.assert_refused(401, "invalid_client");
    }
    let mut stored =
        (*harness.store.client(&"deploy".into()).await.expect("s").expect("c")).clone();
    stored.disabled = true;
    harness.store.update_client(&stored).await.expect("client");
    ask(&harness, &sign(&key, "JWT", &good)).await.assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn a_workload_can_authenticate_its_client_with_the_token_of_its_platform() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(vec![trusted(PLATFORM, &key)]).await;
    let assertion = sign(&key, "JWT", &job(&harness));
    let form = |client: &str| {
        let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        format!(
            "grant_type=client_credentials&client_id={client}&client_assertion_type={kind}\
             &client_assertion={assertion}"
        )
    };
    let answer = harness.post_bare("/token", &form("deploy")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for client in ["conf", "pub", "nobody"] {
        harness.post_bare("/token", &form(client)).await.assert_refused(401, "invalid_client");
    }
    // Another client cannot bring it as a grant of its own.
    let grant = [("grant_type", GRANT), ("assertion", assertion.as_str())];
    let other = harness.post("/token", &harness.confidential, &grant).await;
    other.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn an_issuers_keys_are_found_by_its_metadata() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("socket");
    let issuer = format!("http://{}", socket.local_addr().expect("address"));
    let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }).to_string();
    let keys = json!({ "keys": [key.public().jwk()] }).to_string();
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(async move || metadata))
        .route("/keys", get(async move || keys));
    tokio::spawn(async move { axum::serve(socket, router).await.expect("serve") });
    let mut platform = trusted(&issuer, &key);
    platform.source.keys = None;
    let harness = harness(vec![platform]).await;
    let mut claims = job(&harness);
    claims["iss"] = json!(issuer);
    let answer = ask(&harness, &sign(&key, "JWT", &claims)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

// Identity assertions (draft-ietf-oauth-identity-assertion-authz-grant).

const ENTERPRISE: &str = "https://idp.example";
const JAG: &str = "oauth-id-jag+jwt";

async fn enterprise(key: &PrivateKey) -> Harness {
    let idp = TrustedIssuer {
        people: Some("preferred_username".to_owned()),
        rules: Vec::new(),
        ..trusted(ENTERPRISE, key)
    };
    harness(vec![idp]).await
}

fn identity(harness: &Harness, jti: &str) -> Value {
    let now = harness.now().as_secs();
    json!({
        "iss": ENTERPRISE, "sub": "e-1", "aud": ISSUER, "client_id": "conf", "jti": jti,
        "exp": now + 300, "iat": now, "scope": "openid orders:read", "resource": API,
        "preferred_username": "alice",
    })
}

async fn present(
    harness: &Harness,
    client: &TestClient,
    assertion: &str,
    more: &[(&str, &str)],
) -> Answer {
    let mut form = vec![("grant_type", GRANT), ("assertion", assertion)];
    form.extend(more);
    harness.post("/token", client, &form).await
}

#[tokio::test]
async fn an_enterprise_speaks_for_its_people() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = enterprise(&key).await;
    let assertion = sign(&key, JAG, &identity(&harness, "j-1"));
    let answer = present(&harness, &harness.confidential, &assertion, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let token = claims(&answer.member("access_token"));
    assert_eq!((&token["sub"], &token["aud"]), (&"alice-id".into(), &API.into()));
    assert_eq!(token["scope"], "openid orders:read");
    assert!(answer.json().get("refresh_token").is_none());
    let grant = token["grant_id"].as_str().expect("grant").into();
    assert!(harness.store.grant(&grant).await.expect("store").is_some());
    // Once, whatever happens between.
    let again = present(&harness, &harness.confidential, &assertion, &[]).await;
    again.assert_refused(400, "invalid_grant");
    let harness = harness.restart().await;
    let again = present(&harness, &harness.confidential, &assertion, &[]).await;
    again.assert_refused(400, "invalid_grant");
    // Narrower, never wider.
    let assertion = sign(&key, JAG, &identity(&harness, "j-2"));
    let narrow = [("scope", "orders:read")];
    let answer = present(&harness, &harness.confidential, &assertion, &narrow).await;
    assert_eq!(answer.member("scope"), "orders:read");
    let assertion = sign(&key, JAG, &identity(&harness, "j-3"));
    let wider = [("scope", "orders:write")];
    let answer = present(&harness, &harness.confidential, &assertion, &wider).await;
    answer.assert_refused(400, "invalid_scope");
    // Whatever the enterprise says: who administers this server is not for it to say.
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let scopes = ScopeSet::parse("orders:read tokenward:admin").expect("scopes");
    harness.store.update_client(&Client { scopes, ..(*client).clone() }).await.expect("client");
    let mut admin = identity(&harness, "j-4");
    admin["scope"] = "orders:read tokenward:admin".into();
    let assertion = sign(&key, JAG, &admin);
    let answer = present(&harness, &harness.confidential, &assertion, &[]).await;
    assert_eq!(answer.member("scope"), "orders:read");
}

#[tokio::test]
async fn an_enterprises_word_is_for_one_client_here_about_one_of_ours() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = enterprise(&key).await;
    for (claim, value) in [
        ("client_id", json!("pub")),
        ("aud", json!("https://elsewhere.example")),
        ("aud", json!([ISSUER, "https://elsewhere.example"])),
        ("iss", json!("https://elsewhere.example")),
        ("exp", json!(harness.now().as_secs() - 60)),
        ("jti", json!("")),
        ("preferred_username", json!("nobody")),
        ("preferred_username", Value::Null),
    ] {
        let mut claims = identity(&harness, "j");
        claims[claim] = value;
        let assertion = sign(&key, JAG, &claims);
        let answer = present(&harness, &harness.confidential, &assertion, &[]).await;
        answer.assert_refused(400, "invalid_grant");
    }
    let mut elsewhere = identity(&harness, "j");
    elsewhere["resource"] = json!("https://elsewhere.example");
    let assertion = sign(&key, JAG, &elsewhere);
    let answer = present(&harness, &harness.confidential, &assertion, &[]).await;
    answer.assert_refused(400, "invalid_target");
    // An ID token of the same enterprise is no assertion, and no workload's token either.
    let id_token = sign(&key, "JWT", &identity(&harness, "j"));
    let answer = present(&harness, &harness.confidential, &id_token, &[]).await;
    answer.assert_refused(400, "invalid_grant");
    let stranger = PrivateKey::generate(Algorithm::Es256).expect("key");
    let assertion = sign(&stranger, JAG, &identity(&harness, "j"));
    let answer = present(&harness, &harness.confidential, &assertion, &[]).await;
    answer.assert_refused(400, "invalid_grant");
    let public = present(&harness, &harness.public, &assertion, &[]).await;
    public.assert_refused(400, "unauthorized_client");
}
