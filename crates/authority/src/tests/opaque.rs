//! Opaque access tokens: whoever holds one learns nothing, and here it is as good as the JWT behind it.

use token::opaque::Family;
use token::term::TokenFormat;

use super::support::{API, Answer, Harness, claims, settings};
use crate::rule::resource::{self, ResourceRefused};
use crate::settings::{ResourceDefinition, Settings, SettingsError};

const FILES: &str = "https://files.example";
const PLAIN: &str = "https://plain.example";

/// The API and another resource with opaque tokens, and one with JWTs.
fn opaque_settings() -> Settings {
    let opaque = |name| ResourceDefinition {
        token_format: TokenFormat::Opaque,
        ..ResourceDefinition::new(name)
    };
    let resources = vec![opaque(API), opaque(FILES), ResourceDefinition::new(PLAIN)];
    Settings { resources, ..settings() }
}

async fn harness() -> Harness {
    Harness::with(opaque_settings()).await
}

async fn ask(harness: &Harness, resources: &[&str]) -> Answer {
    let mut form = vec![("grant_type", "client_credentials")];
    form.extend(resources.iter().map(|resource| ("resource", *resource)));
    harness.post("/token", &harness.confidential, &form).await
}

async fn introspect(harness: &Harness, token: &str) -> serde_json::Value {
    harness.post("/introspect", &harness.confidential, &[("token", token)]).await.json()
}

async fn userinfo(harness: &Harness, token: &str) -> Answer {
    let request =
        http::Request::get("/userinfo").header("authorization", format!("Bearer {token}"));
    harness.send(request.body(axum::body::Body::empty()).expect("request")).await
}

#[tokio::test]
async fn it_says_nothing_and_introspection_says_all() {
    let harness = harness().await;
    let answer = ask(&harness, &[]).await;
    let token = answer.member("access_token");
    assert_eq!(Family::of(&token), Ok(Family::Access));
    assert!(!answer.text.contains("eyJ"), "{}", answer.text);
    assert_eq!(answer.json()["expires_in"], 600);
    let told = introspect(&harness, &token).await;
    assert_eq!((&told["active"], &told["aud"]), (&true.into(), &API.into()));
    assert_eq!((&told["client_id"], &told["scope"]), (&"conf".into(), &"orders:read".into()));
    assert_eq!(harness.events.last("grant")["token"], told["jti"], "one name in every record");
    assert!(!harness.events.all().contains(&token));
    let cut = &token[..token.len() - 1];
    for stranger in [cut, Family::Access.generate(harness.authority.random()).expose()] {
        assert_eq!(introspect(&harness, stranger).await["active"], false, "{stranger}");
    }
    harness.clock.pass(600);
    assert_eq!(introspect(&harness, &token).await["active"], false);
}

#[tokio::test]
async fn an_opaque_token_opens_userinfo_until_it_is_revoked() {
    let harness = harness().await;
    let tokens = harness.signed_in(&harness.confidential, "openid").await;
    let token = tokens["access_token"].as_str().expect("token");
    assert_eq!(Family::of(token), Ok(Family::Access));
    assert_eq!(userinfo(&harness, token).await.json()["sub"], harness.user.id.as_str());
    // OpenID Connect Core 1.0 §3.1.3.6: the hash is of the token that goes out.
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    let half = token::base64url::encode(&hash.as_ref()[..16]);
    assert_eq!(claims(tokens["id_token"].as_str().expect("ID token"))["at_hash"], half);

    // RFC 7009 §2.1: only the client that it was issued to takes it back.
    let form = [("token", token)];
    assert_eq!(harness.post("/revoke", &harness.public, &form).await.status, 200);
    assert_eq!(userinfo(&harness, token).await.status, 200);
    assert_eq!(harness.post("/revoke", &harness.confidential, &form).await.status, 200);
    assert_eq!(introspect(&harness, token).await["active"], false);
    let refused = userinfo(&harness, token).await;
    assert_eq!(refused.status, 401);
    assert_eq!(harness.events.last("request")["refused"], "revoked");

    let stranger = Family::Access.generate(harness.authority.random());
    assert_eq!(userinfo(&harness, stranger.expose()).await.status, 401);
    assert_eq!(harness.events.last("request")["refused"], "unknown_token");
    assert_eq!(userinfo(&harness, "twa_garbage").await.status, 401);
    assert_eq!(harness.events.last("request")["refused"], "malformed");
}

#[tokio::test]
async fn every_refresh_gives_a_new_one_and_a_retry_the_same() {
    let harness = harness().await;
    let client = &harness.confidential;
    let first = harness.signed_in(client, "openid").await;
    let refresh = first["refresh_token"].as_str().expect("refresh token");
    let second = harness.refresh(client, refresh).await;
    let token = second.member("access_token");
    assert_eq!(Family::of(&token), Ok(Family::Access));
    assert_ne!(first["access_token"], token.as_str());
    let again = harness.refresh(client, refresh).await;
    assert_eq!(again.text, second.text);
    assert_eq!(introspect(&harness, &token).await["active"], true);
    // Its family ends with its refresh token (RFC 9700 §4.14).
    harness.clock.pass(60);
    harness.refresh(client, refresh).await.assert_refused(400, "invalid_grant");
    assert_eq!(introspect(&harness, &token).await["active"], false);
}

#[tokio::test]
async fn it_is_traded_as_a_jwt_is() {
    let harness = harness().await;
    let tokens = harness.signed_in(&harness.confidential, "orders:read").await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = store::Client::clone(&client);
    client.grant_types.push(token::term::GrantType::TokenExchange);
    client.options.exchange_audiences = vec![FILES.to_owned(), PLAIN.to_owned()];
    harness.store.update_client(&client).await.expect("client");
    let access_token = "urn:ietf:params:oauth:token-type:access_token";
    let mut form = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", tokens["access_token"].as_str().expect("token")),
        ("subject_token_type", access_token),
        ("resource", FILES),
    ];
    let traded = harness.post("/token", &harness.confidential, &form).await;
    let token = traded.member("access_token");
    assert_eq!(Family::of(&token), Ok(Family::Access), "{}", traded.text);
    assert_eq!(introspect(&harness, &token).await["aud"], FILES);
    form[3].1 = PLAIN;
    let plain = harness.post("/token", &harness.confidential, &form).await;
    assert_eq!(claims(&plain.member("access_token"))["aud"], PLAIN);
    form[1].1 = "twa_garbage";
    let refused = harness.post("/token", &harness.confidential, &form).await;
    refused.assert_refused(400, "invalid_request");
}

#[tokio::test]
async fn one_token_has_one_form() {
    let harness = harness().await;
    let both = ask(&harness, &[API, FILES]).await.member("access_token");
    assert_eq!(introspect(&harness, &both).await["aud"], serde_json::json!([API, FILES]));
    ask(&harness, &[API, PLAIN]).await.assert_refused(400, "invalid_target");
    let named = [API.to_owned(), PLAIN.to_owned()];
    let refused = resource::together(&named, &opaque_settings());
    assert_eq!(refused, Err(ResourceRefused::Formats(API.to_owned(), PLAIN.to_owned())));
    assert_eq!(claims(&ask(&harness, &[PLAIN]).await.member("access_token"))["aud"], PLAIN);
}

#[test]
fn what_says_nothing_is_not_encrypted() {
    use token::encryption_key::DecryptionKey;
    use token::term::KeyManagement;

    let key = DecryptionKey::generate(KeyManagement::EcdhEs).expect("key");
    let mut settings = opaque_settings();
    settings.resources[0].encrypt_to = key.public().map(std::sync::Arc::new);
    let refused = settings.check();
    assert_eq!(refused, Err(SettingsError::ResourceOpaqueEncrypted(API.to_owned())));
}
