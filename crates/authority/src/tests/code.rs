//! A code and its verifier for tokens.

use store::NewRestriction;
use token::restriction::{Effect, Selector};

use super::support::{API, Harness, ISSUER, REDIRECT, VERIFIER, claims};

#[tokio::test]
async fn a_code_gives_all_tokens() {
    let harness = Harness::new().await;
    for client in [&harness.confidential, &harness.public] {
        let body = harness.signed_in(client, "openid orders:read").await;
        assert_eq!(body["scope"], "openid orders:read");
        assert_eq!(body["refresh_token_expires_in"], 3600);
        // draft-ietf-oauth-refresh-token-expiration-03 §3.
        assert_eq!(body["refresh_token_timeout"], 3600);
        assert_eq!(body["authorization_expires_in"], 4 * 3600);
        assert!(body["refresh_token"].as_str().is_some_and(|token| token.starts_with("twr_")));
        let access = claims(body["access_token"].as_str().expect("token"));
        assert_eq!((&access["sub"], &access["aud"]), (&"alice-id".into(), &API.into()));
        assert_eq!(access["sid"], "session-1");

        let id = claims(body["id_token"].as_str().expect("token"));
        assert_eq!((&id["iss"], &id["aud"]), (&ISSUER.into(), &client.id.as_str().into()));
        assert_eq!((&id["nonce"], &id["sub"]), (&"n-1".into(), &"alice-id".into()));
        assert_eq!(id["auth_time"], harness.now().as_secs());
        assert_eq!(id["amr"], serde_json::json!(["pwd"]));
        assert_eq!(id["at_hash"].as_str().map(str::len), Some(22));
        let event = harness.events.last("grant");
        assert_eq!((&event["result"], &event["grant"]), (&"ok".into(), &access["grant_id"]));
        assert_eq!(
            (&event["subject"], &event["session"]),
            (&"alice-id".into(), &"session-1".into())
        );
    }
}

#[tokio::test]
async fn there_is_no_id_token_without_openid_and_no_refresh_token_without_its_grant() {
    let harness = Harness::new().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.grant_types = vec![token::term::GrantType::AuthorizationCode];
    harness.store.update_client(&client).await.expect("client");
    let body = harness.signed_in(&harness.confidential, "orders:read").await;
    assert!(body.get("id_token").is_none() && body.get("refresh_token").is_none());
    for name in ["refresh_token_expires_in", "refresh_token_timeout", "authorization_expires_in"] {
        assert!(body.get(name).is_none(), "{name}");
    }
}

#[tokio::test]
async fn a_code_works_once_and_its_replay_ends_the_family() {
    let harness = Harness::new().await;
    let code = harness.code(&harness.confidential, "orders:read").await;
    let first = harness.redeem(&harness.confidential, code.expose()).await;
    assert_eq!(first.status, 200);
    let grant = claims(&first.member("access_token"))["grant_id"].clone();
    harness.clock.pass(1);
    let second = harness.redeem(&harness.confidential, code.expose()).await;
    second.assert_refused(400, "invalid_grant");
    let event = harness.events.last("grant");
    assert_eq!((&event["cause"], &event["grant"]), (&"code_replayed".into(), &grant));

    let selector = Selector::Grant(grant.as_str().expect("grant").into());
    let restriction = harness.store.index().on_selector(&selector, harness.now());
    assert_eq!(restriction.map(|row| row.effect.clone()), Some(Effect::Revoke));
    let refresh = first.member("refresh_token");
    harness.refresh(&harness.confidential, &refresh).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_code_expires() {
    let harness = Harness::new().await;
    let code = harness.code(&harness.confidential, "orders:read").await;
    harness.clock.pass(59);
    let just_in_time = harness.code(&harness.confidential, "orders:read").await;
    harness.clock.pass(1);
    harness.redeem(&harness.confidential, code.expose()).await.assert_refused(400, "invalid_grant");
    assert_eq!(harness.events.last("grant")["cause"], "expired");
    harness.clock.pass(58);
    assert_eq!(harness.redeem(&harness.confidential, just_in_time.expose()).await.status, 200);
}

#[tokio::test]
async fn without_the_verifier_the_code_stays_with_its_client() {
    let harness = Harness::new().await;
    let code = harness.code(&harness.public, "orders:read").await;
    let wrong = "a".repeat(43);
    for verifier in [
        None,
        Some(wrong.as_str()),
        Some("short"),
        Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ] {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", REDIRECT),
        ];
        form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        harness.post("/token", &harness.public, &form).await.assert_refused(400, "invalid_grant");
        assert_eq!(harness.events.last("grant")["cause"], "pkce_failed");
    }
    assert_eq!(harness.redeem(&harness.public, code.expose()).await.status, 200);
}

#[tokio::test]
async fn another_client_cannot_use_the_code_nor_spend_it() {
    let harness = Harness::new().await;
    let code = harness.code(&harness.confidential, "orders:read").await;
    harness.redeem(&harness.public, code.expose()).await.assert_refused(400, "invalid_grant");
    let event = harness.events.last("grant");
    assert_eq!((&event["cause"], &event["client"]), (&"wrong_client".into(), &"pub".into()));
    assert!(event.get("subject").is_none());
    assert_eq!(harness.redeem(&harness.confidential, code.expose()).await.status, 200);
    // Not even after its use can another client end the family with it.
    harness.redeem(&harness.public, code.expose()).await.assert_refused(400, "invalid_grant");
    assert!(harness.store.index().is_empty());
}

#[tokio::test]
async fn the_redirect_uri_must_be_the_same_when_it_is_sent() {
    let harness = Harness::new().await;
    let code = harness.code(&harness.confidential, "orders:read").await;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("code_verifier", VERIFIER),
        ("redirect_uri", "https://app.example/callback/"),
    ];
    harness.post("/token", &harness.confidential, &form).await.assert_refused(400, "invalid_grant");
    form.pop();
    assert_eq!(harness.post("/token", &harness.confidential, &form).await.status, 200);
}

#[tokio::test]
async fn the_resource_can_only_narrow() {
    let harness = Harness::new().await;
    let code = harness.code(&harness.confidential, "orders:read").await;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("code_verifier", VERIFIER),
        ("resource", "http://127.0.0.1:9000"),
    ];
    harness
        .post("/token", &harness.confidential, &form)
        .await
        .assert_refused(400, "invalid_target");
    form[3].1 = API;
    assert_eq!(harness.post("/token", &harness.confidential, &form).await.status, 200);
}

#[tokio::test]
async fn an_unknown_code_is_refused() {
    let harness = Harness::new().await;
    for code in ["x", "twc_", &"é".repeat(100)] {
        harness.redeem(&harness.confidential, code).await.assert_refused(400, "invalid_grant");
    }
}

#[tokio::test]
async fn a_disabled_person_gets_nothing() {
    let harness = Harness::new().await;
    let code = harness.code(&harness.confidential, "orders:read").await;
    let mut user = harness.user.clone();
    user.disabled = true;
    harness.store.update_user(&user).await.expect("user");
    harness.redeem(&harness.confidential, code.expose()).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn of_many_redeemers_one_wins() {
    let harness = Harness::new().await;
    let code = harness.code(&harness.confidential, "orders:read").await;
    let redeem = || harness.redeem(&harness.confidential, code.expose());
    let (a, b, c, d) = tokio::join!(redeem(), redeem(), redeem(), redeem());
    let won = [a, b, c, d].iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_replay_counts_without_the_verifier_too() {
    let harness = Harness::new().await;
    let code = harness.code(&harness.public, "orders:read").await;
    assert_eq!(harness.redeem(&harness.public, code.expose()).await.status, 200);
    let form = [("grant_type", "authorization_code"), ("code", code.expose())];
    harness.post("/token", &harness.public, &form).await.assert_refused(400, "invalid_grant");
    assert_eq!(harness.events.last("grant")["cause"], "code_replayed");
    assert!(!harness.store.index().is_empty());
}

#[tokio::test]
async fn a_suspended_person_gets_nothing_however_new_the_grant_is() {
    let harness = Harness::new().await;
    let suspension = NewRestriction {
        selector: Selector::Subject("alice-id".into()),
        effect: Effect::Suspend,
        from: harness.now(),
        until: None,
        reason: "test".to_owned(),
        actor: "admin:test".to_owned(),
    };
    harness.store.restrict(suspension, harness.now()).await.expect("restriction");
    harness.clock.pass(1);
    let code = harness.code(&harness.public, "orders:read").await;
    harness.redeem(&harness.public, code.expose()).await.assert_refused(400, "invalid_grant");
}
