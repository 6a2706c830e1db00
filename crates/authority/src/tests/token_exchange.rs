//! Token exchange (RFC 8693): the same subject, never more, never longer, one family.

use std::time::Duration;

use serde_json::{Value, json};
use store::{Client, ClientOptions};

use token::cnf::Confirmation;
use token::random::OsRandom;

use super::support::{API, Answer, Harness, ISSUER, claims, scopes};
use crate::issue::{AccessTokenOrder, mint};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";
const FILES: &str = "http://127.0.0.1:9000";

/// The client `conf` may trade, also for the next resource, and act; `pub` is whom people use.
async fn harness() -> Harness {
    let harness = Harness::new().await;
    for id in ["conf", "pub"] {
        change(&harness, id, |options| {
            options.may_act = vec!["conf".to_owned()];
            options.exchange_audiences = vec![FILES.to_owned()];
        })
        .await;
    }
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = Client::clone(&client);
    client.grant_types.push(GRANT.parse().expect("grant type"));
    client.scopes = scopes("openid orders:read tokenward:admin");
    harness.store.update_client(&client).await.expect("client");
    harness
}

async fn change(harness: &Harness, id: &str, change: impl FnOnce(&mut ClientOptions)) {
    let client = harness.store.client(&id.into()).await.expect("store").expect("client");
    let mut client = Client::clone(&client);
    change(&mut client.options);
    harness.store.update_client(&client).await.expect("client");
}

/// A token of the client `conf`, for itself.
async fn machine(harness: &Harness) -> String {
    let form = [("grant_type", "client_credentials")];
    harness.post("/token", &harness.confidential, &form).await.member("access_token")
}

async fn person(harness: &Harness, scopes: &str) -> String {
    let body = harness.signed_in(&harness.public, scopes).await;
    body["access_token"].as_str().expect("token").to_owned()
}

async fn trade(harness: &Harness, token: &str, more: &[(&str, &str)]) -> Answer {
    let mut form =
        vec![("grant_type", GRANT), ("subject_token", token), ("subject_token_type", TYPE)];
    form.extend(more);
    harness.post("/token", &harness.confidential, &form).await
}

fn token(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    claims(&answer.member("access_token"))
}

#[tokio::test]
async fn a_service_calls_on_for_the_same_person_with_less() {
    let harness = harness().await;
    let subject = person(&harness, "openid orders:read orders:write").await;
    let before = claims(&subject);
    harness.clock.pass(100);
    let answer = trade(&harness, &subject, &[("resource", FILES)]).await;
    let after = token(&answer);
    assert_eq!(answer.member("issued_token_type"), TYPE);
    assert_eq!(answer.member("token_type"), "Bearer");
    for name in ["sub", "grant_id", "sid", "auth_time"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    assert_eq!((&after["client_id"], &after["aud"]), (&json!("conf"), &json!(FILES)));
    assert_eq!(after["scope"], "openid orders:read");
    assert!(after["exp"].as_i64() <= before["exp"].as_i64());
    assert!(answer.json().get("refresh_token").is_none() && after.get("act").is_none());
    // Without a resource it is for whom it was, under either name of the parameter.
    assert_eq!(token(&trade(&harness, &subject, &[]).await)["aud"], API);
    let by_audience = trade(&harness, &subject, &[("audience", FILES)]).await;
    assert_eq!(token(&by_audience)["aud"], FILES);
}

#[tokio::test]
async fn who_acts_is_in_the_token_and_who_acted_before() {
    let harness = harness().await;
    let subject = person(&harness, "orders:read").await;
    let machine = machine(&harness).await;
    let actor = [("actor_token", machine.as_str()), ("actor_token_type", TYPE)];
    let mut at = trade(&harness, &subject, &actor).await;
    assert_eq!(token(&at)["act"], json!({ "sub": "conf", "client_id": "conf" }));
    for depth in 2..=4 {
        at = trade(&harness, &at.member("access_token"), &actor).await;
        let chain = std::iter::successors(Some(&token(&at)["act"]), |act| act.get("act")).count();
        assert_eq!(chain, depth);
    }
    let last = at.member("access_token");
    trade(&harness, &last, &actor).await.assert_refused(400, "invalid_request");
    // Passed on without acting, the chain stays.
    assert_eq!(token(&trade(&harness, &last, &[]).await)["act"], claims(&last)["act"]);
    let alone = [("actor_token_type", TYPE)];
    trade(&harness, &subject, &alone).await.assert_refused(400, "invalid_request");
}

#[tokio::test]
async fn never_more_and_never_from_nothing() {
    let harness = harness().await;
    let subject = person(&harness, "openid orders:read").await;
    for (more, code) in [
        ([("scope", "orders:read orders:write")], "invalid_scope"),
        ([("scope", "tokenward:admin")], "invalid_scope"),
        ([("resource", "https://elsewhere.example")], "invalid_target"),
        (
            [("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")],
            "invalid_request",
        ),
        ([("actor_token", "x")], "invalid_request"),
    ] {
        trade(&harness, &subject, &more).await.assert_refused(400, code);
    }
    let id_token = harness.signed_in(&harness.public, "openid").await["id_token"].clone();
    for text in ["x", "a.b.c", id_token.as_str().expect("token")] {
        trade(&harness, text, &[]).await.assert_refused(400, "invalid_request");
    }
    let form = [("grant_type", GRANT), ("subject_token", subject.as_str())];
    let typeless = harness.post("/token", &harness.confidential, &form).await;
    typeless.assert_refused(400, "invalid_request");
    let form = [("grant_type", GRANT), ("subject_token", &subject), ("subject_token_type", TYPE)];
    harness.post("/token", &harness.public, &form).await.assert_refused(400, "unauthorized_client");
    // An administrator's token cannot be turned into another one.
    let admin = harness.mint("tokenward:admin orders:read", API);
    let traded = token(&trade(&harness, admin.token.expose(), &[]).await);
    assert_eq!(traded["scope"], "orders:read");
    let plain = Harness::new().await;
    let subject = person(&plain, "orders:read").await;
    trade(&plain, &subject, &[]).await.assert_refused(400, "unauthorized_client");
}

#[tokio::test]
async fn where_the_subjects_token_names_anybody_nobody_else_can_go_on_with_it() {
    // RFC 8693 §4.4.
    let harness = harness().await;
    let machine = machine(&harness).await;
    let actor = [("actor_token", machine.as_str()), ("actor_token_type", TYPE)];
    for (may_act, claim, allowed) in [
        (&[][..], Value::Null, true),
        (&["other"], json!({ "client_id": "other" }), false),
        (&["conf"], json!({ "client_id": "conf" }), true),
        (&["other", "conf"], json!({ "client_id": ["other", "conf"] }), true),
    ] {
        let may_act = may_act.iter().map(|name| (*name).to_owned()).collect();
        change(&harness, "pub", |options| options.may_act = may_act).await;
        let subject = person(&harness, "orders:read").await;
        assert_eq!(claims(&subject)["may_act"], claim);
        let told = harness.post("/introspect", &harness.confidential, &[("token", &subject)]).await;
        assert_eq!(told.json()["may_act"], claim);
        let answer = trade(&harness, &subject, &actor).await;
        if allowed {
            assert_eq!(token(&answer)["act"]["client_id"], "conf");
            let traded = answer.member("access_token");
            let form = [("token", traded.as_str())];
            let told = harness.post("/introspect", &harness.confidential, &form).await;
            assert_eq!(told.json()["act"]["sub"], "conf");
        } else {
            answer.assert_refused(400, "invalid_request");
            assert!(answer.member("error_description").contains("may_act"), "{}", answer.text);
        }
        // Without an actor token (§1.1, impersonation) it is the client itself that has to be named.
        let passed_on = trade(&harness, &subject, &[]).await;
        if !allowed {
            passed_on.assert_refused(400, "invalid_request");
            continue;
        }
        let passed_on = token(&passed_on);
        assert!(passed_on.get("act").is_none() && passed_on["sub"] == "alice-id", "{passed_on}");
        // What is issued to `conf` names those who may act with the tokens of `conf`.
        assert_eq!(passed_on["may_act"], json!({ "client_id": "conf" }));
    }
}

#[tokio::test]
async fn a_token_goes_no_further_than_an_administrator_allows() {
    let harness = harness().await;
    let subject = person(&harness, "openid orders:read").await;
    assert_eq!(token(&trade(&harness, &subject, &[("resource", API)]).await)["aud"], API);
    assert_eq!(token(&trade(&harness, &subject, &[("audience", FILES)]).await)["aud"], FILES);
    let both = [("resource", API), ("audience", FILES)];
    assert_eq!(token(&trade(&harness, &subject, &both).await)["aud"], json!([API, FILES]));
    trade(&harness, &subject, &[("resource", ISSUER)]).await.assert_refused(400, "invalid_target");
    // It is the client that trades whose list counts, and a traded token does not take it along.
    let further = trade(&harness, &subject, &[("resource", FILES)]).await.member("access_token");
    change(&harness, "conf", |options| options.exchange_audiences.clear()).await;
    for asked in [[("resource", FILES)], [("audience", FILES)]] {
        trade(&harness, &subject, &asked).await.assert_refused(400, "invalid_target");
    }
    trade(&harness, &further, &[("resource", API)]).await.assert_refused(400, "invalid_target");
    assert_eq!(token(&trade(&harness, &further, &[]).await)["aud"], FILES);
}

#[tokio::test]
async fn a_bound_token_is_not_traded_for_one_that_is_not() {
    let harness = harness().await;
    let order = AccessTokenOrder {
        subject: "u-1".into(),
        client: "pub".into(),
        scopes: scopes("orders:read"),
        audiences: vec![API.to_owned()],
        life: Duration::from_secs(60),
        grant: None,
        session: None,
        auth_time: None,
        acr: None,
        details: Vec::new(),
        cnf: Some(Confirmation::jkt("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".into())),
        act: None,
        may_act: None,
    };
    let (keys, random) = (harness.authority.keys(), OsRandom::new());
    let bound = mint(order, ISSUER, keys, &harness.store, harness.now(), &random).expect("token");
    let refused = trade(&harness, bound.token.expose(), &[]).await;
    refused.assert_refused(400, "invalid_dpop_proof");
}

#[tokio::test]
async fn what_ends_the_first_ends_the_second() {
    let harness = harness().await;
    let body = harness.signed_in(&harness.public, "openid orders:read").await;
    let subject = body["access_token"].as_str().expect("token");
    let traded = trade(&harness, subject, &[]).await.member("access_token");
    let refresh = body["refresh_token"].as_str().expect("token");
    harness.post("/revoke", &harness.public, &[("token", refresh)]).await;
    for token in [subject, traded.as_str()] {
        let told = harness.post("/introspect", &harness.confidential, &[("token", token)]).await;
        assert_eq!(told.text, r#"{"active":false}"#);
        trade(&harness, token, &[]).await.assert_refused(400, "invalid_request");
    }
}
