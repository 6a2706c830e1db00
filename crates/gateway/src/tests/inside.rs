//! Upstreams that are told who asks by a token of the gateway's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::HeaderName;
use serde_json::{Value, json};
use token::base64url;
use token::jws::Jws;
use token::key::{KeySet, PrivateKey};
use token::restriction::{Effect, Selector};
use token::scope::ScopeSet;

use super::support::upstream::Recording;
use super::support::{House, RESOURCE, bare_parts, body, field, settings, status};
use crate::inside::{IdentityForm, InternalKeys, InternalTokenRule, JWKS_PATH};
use crate::settings::{Settings, SettingsError};
use crate::{Gateway, Parts};

const DAY: Duration = Duration::from_hours(24);

/// A key of each number, always the same.
fn made(number: u64) -> PrivateKey {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    PrivateKey::ed25519_of_seed(&seed).expect("key")
}

fn keys() -> InternalKeys {
    InternalKeys::rotating(DAY, |number| Ok(made(number)))
}

fn with_tokens(upstream: &Recording) -> Settings {
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.identity = IdentityForm::Token;
    settings
}

/// The claims, once the signature is found good by the published keys.
async fn claims(house: &House, text: &str) -> Value {
    let published = house.ask(&format!("GET {JWKS_PATH}"), "").await;
    assert_eq!(status(&published), 200);
    let keys = KeySet::from_jwks(body(&published).as_bytes()).expect("keys");
    let jws = Jws::parse(text).expect("a JWS");
    assert_eq!(jws.header().typ.as_deref(), Some("tokenward-internal+jwt"));
    let kid = jws.header().kid.named().expect("kid");
    let key = keys.iter().find(|key| key.kid().as_str() == kid).expect("published");
    assert!(key.verifies(jws.signing_input(), jws.signature()));
    serde_json::from_slice(jws.unverified_payload()).expect("claims")
}

fn internal(arrived: &str) -> &str {
    let value = field(arrived, "authorization").expect("authorization");
    value.strip_prefix("Bearer ").expect("bearer")
}

#[tokio::test]
async fn it_says_what_counts_and_ends_soon() {
    let upstream = Recording::new().await;
    let house = House::with_keys(with_tokens(&upstream), keys()).await;
    let mut outside = house.claims();
    outside["acr"] = json!("urn:example:mfa");
    outside["auth_time"] = json!(1_789_999_000);
    outside["act"] = json!({ "sub": "agent" });
    let token = house.sign(&outside);
    assert_eq!(status(&house.ask_as(&token, "GET /orders/7", "").await), 200);
    let arrived = upstream.only();
    assert!(
        !arrived.contains(&token) && !arrived.to_lowercase().contains("tokenward-"),
        "{arrived}"
    );
    let said = claims(&house, internal(&arrived)).await;
    for (name, value) in [
        ("iss", json!(RESOURCE)),
        ("aud", json!("api")),
        ("sub", json!("u1")),
        ("client_id", json!("c1")),
        ("scope", json!("orders:read orders:write")),
        ("acr", json!("urn:example:mfa")),
        ("auth_time", json!(1_789_999_000)),
        ("act", json!({ "sub": "agent" })),
        ("tkn", outside["jti"].clone()),
        ("cnf", Value::Null),
    ] {
        assert_eq!(said[name], value, "{name}");
    }
    assert_ne!(said["jti"], outside["jti"]);
    let life = said["exp"].as_i64().expect("exp") - said["iat"].as_i64().expect("iat");
    assert_eq!(life, 60);
    // It opens nothing here.
    assert_eq!(status(&house.ask_as(internal(&arrived), "GET /orders/7", "").await), 401);
}

#[tokio::test]
async fn it_never_outlives_the_token_that_it_stands_for() {
    let upstream = Recording::new().await;
    let house = House::with_keys(with_tokens(&upstream), keys()).await;
    let end = house.clock_secs() + 20;
    let token = house.token_with("exp", json!(end));
    house.ask_as(&token, "GET /orders/7", "").await;
    assert_eq!(claims(&house, internal(&upstream.only())).await["exp"], json!(end));
}

#[tokio::test]
async fn one_is_signed_for_half_of_its_life() {
    let upstream = Recording::new().await;
    let house = House::with_keys(with_tokens(&upstream), keys()).await;
    let token = house.token("orders:read");
    let mut seen = Vec::new();
    for ahead in [0, 25, 10] {
        house.clock.advance(Duration::from_secs(ahead));
        house.ask_as(&token, "GET /orders/7", "").await;
        seen.push(internal(&upstream.requests().pop().expect("one")).to_owned());
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[1], seen[2], "after 35 of 60 seconds");
}

#[tokio::test]
async fn what_was_taken_back_in_part_is_not_in_it() {
    let upstream = Recording::new().await;
    let house = House::with_keys(with_tokens(&upstream), keys()).await;
    let token = house.token("orders:read orders:write");
    house.ask_as(&token, "GET /orders/7", "").await;
    let dropped = ScopeSet::parse("orders:write").expect("scope");
    house.restrict(Selector::Subject("u1".into()), Effect::DropScopes(dropped));
    for _ in 0..2 {
        house.ask_as(&token, "GET /orders/7", "").await;
    }
    let arrived = upstream.requests();
    let said = claims(&house, internal(&arrived[1])).await;
    assert_eq!(said["scope"], json!("orders:read"));
    assert_eq!(internal(&arrived[1]), internal(&arrived[2]), "kept like any other");
}

#[tokio::test]
async fn an_opaque_token_is_a_jwt_inside() {
    let upstream = Recording::new().await;
    let house = House::with_keys(with_tokens(&upstream), keys()).await;
    let opaque = house.shelf.keep(&house.token("orders:read"));
    assert_eq!(status(&house.ask_as(&opaque, "GET /orders/7", "").await), 200);
    let said = claims(&house, internal(&upstream.only())).await;
    assert_eq!((&said["sub"], &said["scope"]), (&json!("u1"), &json!("orders:read")));
}

#[tokio::test]
async fn no_field_of_the_client_passes_for_it() {
    let upstream = Recording::new().await;
    let mut settings = with_tokens(&upstream);
    settings.identity = IdentityForm::Both;
    let name = HeaderName::from_static("x-internal-token");
    settings.internal_token = InternalTokenRule { field: Some(name), ..Default::default() };
    settings.forward_token = true;
    let house = House::with_keys(settings, keys()).await;
    let token = house.token("orders:read");
    let forged = "X-Internal-Token: forged\r\nx_internal_token: forged\r\n\
                  Tokenward-Subject: forged\r\n";
    house.ask_as(&token, "GET /orders/7", forged).await;
    house.ask("GET /open/1", &format!("{forged}Connection: x-internal-token\r\n")).await;
    let arrived = upstream.requests();
    assert!(arrived.iter().all(|head| !head.contains("forged")), "{arrived:#?}");
    assert_eq!(
        claims(&house, field(&arrived[0], "x-internal-token").expect("one")).await["sub"],
        "u1"
    );
    assert_eq!(field(&arrived[0], "tokenward-subject"), Some("u1"));
    assert_eq!(field(&arrived[0], "authorization"), Some(&*format!("Bearer {token}")));
    assert_eq!(field(&arrived[1], "x-internal-token"), None);
}

#[tokio::test]
async fn an_upstream_may_want_it_otherwise() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    let rule = settings.upstreams.get_mut("api").expect("api");
    rule.identity = Some(IdentityForm::Token);
    rule.audience = Some("https://orders.internal".into());
    let house = House::with_keys(settings, keys()).await;
    house.ask_as(&house.token("orders:read"), "GET /orders/7", "").await;
    let said = claims(&house, internal(&upstream.only())).await;
    assert_eq!(said["aud"], "https://orders.internal");
}

#[tokio::test]
async fn keys_rotate_and_are_known_before() {
    let upstream = Recording::new().await;
    let house = House::with_keys(with_tokens(&upstream), keys()).await;
    let before = house.ask(&format!("GET {JWKS_PATH}"), "").await;
    let known = KeySet::from_jwks(body(&before).as_bytes()).expect("keys");
    assert_eq!(known.iter().count(), 3);
    house.clock.advance(DAY);
    house.ask_as(&house.token("orders:read"), "GET /orders/7", "").await;
    let arrived = upstream.only();
    let jws = Jws::parse(internal(&arrived)).expect("a JWS");
    let kid = jws.header().kid.named().expect("kid");
    assert!(known.iter().any(|key| key.kid().as_str() == kid), "published a day before it signs");
    let [first, ..] = internal(&arrived).split('.').collect::<Vec<_>>()[..] else { panic!("form") };
    let header = base64url::decode(first).expect("base64url");
    assert!(String::from_utf8_lossy(&header).contains("EdDSA"));
}

#[tokio::test]
async fn keys_are_published_only_where_they_sign() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    assert_eq!(status(&house.ask(&format!("GET {JWKS_PATH}"), "").await), 401);
}

#[test]
fn settings_that_contradict_one_another_are_refused() {
    let token = || {
        let mut settings = settings("http://127.0.0.1:9");
        settings.identity = IdentityForm::Token;
        settings
    };
    let built = |settings: Settings, keys: Option<InternalKeys>| {
        let parts = bare_parts();
        Gateway::new(settings, Parts { internal_keys: keys.map(Arc::new), ..parts }).err()
    };
    assert!(built(token(), Some(keys())).is_none());
    assert!(matches!(built(token(), None), Some(SettingsError::NoInternalKeys)));
    let forwarding = Settings { forward_token: true, ..token() };
    assert!(matches!(built(forwarding, Some(keys())), Some(SettingsError::TwoTokensForward)));
    for name in ["host", "cookie", "connection", "dpop", "content-length", "x-forwarded-for", "te"]
    {
        let field = Some(HeaderName::from_static(name));
        let rule = InternalTokenRule { field, ..Default::default() };
        let settings = Settings { internal_token: rule, ..token() };
        assert!(matches!(built(settings, Some(keys())), Some(SettingsError::BadIdentityField(_))));
    }
    let rule = InternalTokenRule { life: Duration::from_millis(900), ..Default::default() };
    let settings = Settings { internal_token: rule, ..token() };
    assert!(matches!(built(settings, Some(keys())), Some(SettingsError::ShortIdentity)));
    let mut settings = token();
    settings.routes[0].path = JWKS_PATH.into();
    assert!(matches!(built(settings, Some(keys())), Some(SettingsError::TakenKeysPath)));
}

#[tokio::test]
async fn the_request_path_signs_nothing() {
    let signed = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&signed);
    let upstream = Recording::new().await;
    let keys = InternalKeys::rotating(DAY, move |number| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(made(number))
    });
    let house = House::with_keys(with_tokens(&upstream), keys).await;
    let token = house.token("orders:read");
    for _ in 0..20 {
        house.ask_as(&token, "GET /orders/7", "").await;
    }
    assert_eq!(signed.load(Ordering::SeqCst), 3, "keys of three periods, once");
    let arrived = upstream.requests();
    assert!(arrived.windows(2).all(|two| internal(&two[0]) == internal(&two[1])));
}
