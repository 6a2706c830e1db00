//! Guessing is slowed down, and nobody is kept out by somebody else's guesses.

use super::support::{Harness, TestClient};

#[tokio::test]
async fn wrong_secrets_are_slowed_down_and_the_right_one_is_let_through() {
    let harness = Harness::new().await;
    let wrong = TestClient::named("conf", "guess");
    let form = [("grant_type", "client_credentials")];
    for _ in 0..20 {
        harness.post("/token", &wrong, &form).await.assert_refused(401, "invalid_client");
    }
    for path in ["/token", "/introspect", "/revoke", "/par", "/device_authorization"] {
        let answer = harness.post(path, &wrong, &form).await;
        answer.assert_refused(429, "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), "6", "{path}");
    }
    let answer = harness.post("/token", &harness.confidential, &form).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    // Other clients, and the same one from elsewhere, are not concerned.
    let other = TestClient::named("nobody", "guess");
    harness.post("/token", &other, &form).await.assert_refused(401, "invalid_client");
    harness.clock.pass(6);
    harness.post("/token", &wrong, &form).await.assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn guessed_codes_and_tokens_are_slowed_down() {
    let harness = Harness::new().await;
    let client = &harness.public;
    for _ in 0..20 {
        harness.refresh(client, "twr_guess").await.assert_refused(400, "invalid_grant");
    }
    let answer = harness.redeem(client, "twc_guess").await;
    answer.assert_refused(429, "temporarily_unavailable");
    assert!(!answer.header("retry-after").is_empty());
    assert!(harness.signed_in(client, "openid").await["access_token"].is_string());
}

#[tokio::test]
async fn what_anybody_may_have_kept_is_bounded() {
    let harness = Harness::new().await;
    let form = [("scope", "openid")];
    for _ in 0..60 {
        let answer = harness.post("/device_authorization", &harness.public, &form).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let answer = harness.post("/device_authorization", &harness.public, &form).await;
    answer.assert_refused(429, "temporarily_unavailable");
    let answer = harness.post("/device_authorization", &harness.confidential, &form).await;
    assert_eq!(answer.status, 200, "a client that shows who it is: {}", answer.text);
}
