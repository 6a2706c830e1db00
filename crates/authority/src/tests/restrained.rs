//! What was taken back in part, at our own endpoints: nobody who asks us is told more than the gateway would let through.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use store::NewRestriction;
use token::restriction::Selector;

use super::support::{Answer, Harness, claims};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

async fn token(harness: &Harness) -> String {
    let body = harness.signed_in(&harness.public, "openid orders:read").await;
    body["access_token"].as_str().expect("token").to_owned()
}

fn this(token: &str) -> Selector {
    Selector::Token(claims(token)["jti"].as_str().expect("jti").into())
}

async fn restrict(harness: &Harness, selector: Selector, effect: &str) -> u64 {
    let now = harness.now();
    let row = NewRestriction {
        selector,
        effect: effect.parse().expect("effect"),
        from: now,
        until: None,
        reason: "test".to_owned(),
        actor: "admin:root".to_owned(),
    };
    harness.store.restrict(row, now).await.expect("restriction").seq
}

async fn introspected(harness: &Harness, token: &str) -> Value {
    harness.post("/introspect", &harness.confidential, &[("token", token)]).await.json()
}

async fn userinfo(harness: &Harness, token: &str) -> Answer {
    let request = Request::get("/userinfo").header("authorization", format!("Bearer {token}"));
    harness.send(request.body(Body::empty()).expect("request")).await
}

async fn trade(harness: &Harness, token: &str) -> Answer {
    let form =
        [("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", ACCESS_TOKEN)];
    harness.post("/token", &harness.confidential, &form).await
}

#[tokio::test]
async fn a_token_that_lacks_what_is_demanded_is_good_for_nothing_here() {
    let harness = Harness::new().await;
    for effect in ["require:step_up", "require:dpop", "require:mtls"] {
        let token = token(&harness).await;
        assert_eq!(introspected(&harness, &token).await["active"], true);
        let seq = restrict(&harness, this(&token), effect).await;
        assert_eq!(introspected(&harness, &token).await, json!({ "active": false }), "{effect}");
        let refused = userinfo(&harness, &token).await;
        assert_eq!(refused.status, 401, "{effect}");
        let challenge = refused.header("www-authenticate");
        let is_step_up = challenge.contains("error=\"insufficient_user_authentication\"")
            && challenge.contains("max_age=\"0\"");
        assert_eq!(is_step_up, effect == "require:step_up", "{challenge}");
        harness.store.lift(seq, "admin:root", harness.now()).await.expect("lift");
        assert_eq!(introspected(&harness, &token).await["active"], true, "{effect}");
        assert_eq!(userinfo(&harness, &token).await.status, 200, "{effect}");
    }
}

#[tokio::test]
async fn whoever_signs_in_again_goes_on() {
    let harness = Harness::new().await;
    let before = token(&harness).await;
    restrict(&harness, Selector::Subject("alice-id".into()), "require:step_up").await;
    assert_eq!(introspected(&harness, &before).await["active"], false);
    harness.clock.pass(2);
    let after = token(&harness).await;
    assert_eq!(introspected(&harness, &after).await["active"], true);
    assert_eq!(userinfo(&harness, &after).await.status, 200);
    assert_eq!(introspected(&harness, &before).await["active"], false, "older ones stay refused");
}

/// Requests of the tests come from 192.0.2.7.
#[tokio::test]
async fn from_where_a_token_is_good_holds_here_and_is_told() {
    let harness = Harness::new().await;
    let one = token(&harness).await;
    restrict(&harness, this(&one), "networks:192.0.2.0/24,198.51.100.0/24").await;
    let told = introspected(&harness, &one).await;
    assert_eq!(told["networks"], json!(["192.0.2.0/24", "198.51.100.0/24"]));
    assert_eq!(userinfo(&harness, &one).await.status, 200);
    restrict(&harness, this(&one), "networks:198.51.100.7/32,203.0.113.0/24").await;
    assert_eq!(introspected(&harness, &one).await["networks"], json!(["198.51.100.7/32"]));
    assert_eq!(userinfo(&harness, &one).await.status, 401);
    restrict(&harness, this(&one), "networks:192.0.2.0/24").await;
    assert_eq!(introspected(&harness, &one).await, json!({ "active": false }), "nowhere");
    let other = token(&harness).await;
    restrict(&harness, this(&other), "countries:NO,SE").await;
    assert_eq!(introspected(&harness, &other).await["places"], json!(["countries:NO,SE"]));
    assert_eq!(userinfo(&harness, &other).await.status, 401, "nothing is known of places here");
}

#[tokio::test]
async fn a_token_that_is_restrained_cannot_be_exchanged_for_one_that_is_not() {
    let harness = Harness::new().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = store::Client::clone(&client);
    client.grant_types.push(EXCHANGE.parse().expect("grant type"));
    harness.store.update_client(&client).await.expect("client");
    let client = harness.store.client(&"pub".into()).await.expect("store").expect("client");
    let mut client = store::Client::clone(&client);
    client.options.may_act = vec!["conf".to_owned()];
    harness.store.update_client(&client).await.expect("client");
    for effect in ["limit:1/h", "networks:192.0.2.0/24", "countries:NO", "require:step_up"] {
        let token = token(&harness).await;
        assert_eq!(trade(&harness, &token).await.status, 200, "{effect}");
        restrict(&harness, this(&token), effect).await;
        trade(&harness, &token).await.assert_refused(400, "invalid_request");
    }
    // What is about the grant is about the new token, too.
    let token = token(&harness).await;
    let grant = claims(&token)["grant_id"].as_str().expect("grant").into();
    restrict(&harness, Selector::Grant(grant), "networks:198.51.100.0/24").await;
    let traded = trade(&harness, &token).await.member("access_token");
    assert_eq!(introspected(&harness, &traded).await["networks"], json!(["198.51.100.0/24"]));
}
