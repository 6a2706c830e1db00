//! A client that acts for itself, and how it says who it is.

use axum::body::Body;
use axum::http::Request;
use store::NewRestriction;
use token::restriction::{Effect, Selector};
use token::scope::ScopeSet;
use token::term::GrantType;

use super::support::{API, Harness, ISSUER, TestClient, basic, claims};

const GRANT: &[(&str, &str)] = &[("grant_type", "client_credentials")];

#[tokio::test]
async fn a_client_gets_a_token_that_verifies() {
    let harness = Harness::new().await;
    let answer = harness.post("/token", &harness.confidential, GRANT).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), "no-store");
    // RFC 6749 §5.1.
    assert_eq!(answer.header("pragma"), "no-cache");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&"Bearer".into(), &600.into()));
    // Its default scopes without those that are about a person.
    assert_eq!(body["scope"], "orders:read");
    assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());

    let claims = claims(body["access_token"].as_str().expect("token"));
    assert_eq!((&claims["iss"], &claims["aud"]), (&ISSUER.into(), &API.into()));
    assert_eq!((&claims["sub"], &claims["client_id"]), (&"conf".into(), &"conf".into()));
    let verified = crate::presented_token::verify(
        &harness.authority,
        body["access_token"].as_str().expect("token"),
        vec![API.to_owned()],
        harness.now(),
    );
    assert!(verified.is_ok());
    let event = harness.events.last("grant");
    assert_eq!((&event["result"], &event["client"]), (&"ok".into(), &"conf".into()));
    assert_eq!(event["token"], claims["jti"]);
    assert_eq!(harness.events.last("client_auth")["method"], "client_secret_basic");
}

#[tokio::test]
async fn the_secret_may_come_in_the_body() {
    let harness = Harness::new().await;
    let TestClient { id, secret } = &harness.confidential;
    let secret = secret.as_deref().expect("secret");
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    assert_eq!(harness.post_bare("/token", &body).await.status, 200);
    assert_eq!(harness.events.last("client_auth")["method"], "client_secret_post");
}

#[tokio::test]
async fn a_bad_secret_and_an_unknown_client_read_the_same() {
    let harness = Harness::new().await;
    let wrong = harness.post("/token", &TestClient::named("conf", "wrong"), GRANT).await;
    assert_eq!(harness.events.last("client_auth")["result"], "bad_secret");
    let unknown = harness.post("/token", &TestClient::named("nobody", "wrong"), GRANT).await;
    assert_eq!(harness.events.last("client_auth")["result"], "unknown_client");
    for answer in [&wrong, &unknown] {
        answer.assert_refused(401, "invalid_client");
        assert!(answer.header("www-authenticate").starts_with("Basic "));
    }
    assert_eq!(wrong.text, unknown.text);
}

#[tokio::test]
async fn credentials_come_one_way_at_a_time() {
    let harness = Harness::new().await;
    let secret = harness.confidential.secret.clone().expect("secret");
    let twice = [GRANT[0], ("client_secret", secret.as_str())];
    harness
        .post("/token", &harness.confidential, &twice)
        .await
        .assert_refused(400, "invalid_request");
    let other_id = [GRANT[0], ("client_id", "pub")];
    harness
        .post("/token", &harness.confidential, &other_id)
        .await
        .assert_refused(400, "invalid_request");
    let same_id = [GRANT[0], ("client_id", "conf")];
    assert_eq!(harness.post("/token", &harness.confidential, &same_id).await.status, 200);
    let two_fields = [("authorization", "Basic eDp5")];
    harness
        .post_with("/token", &harness.confidential, GRANT, &two_fields)
        .await
        .assert_refused(400, "invalid_request");
}

#[tokio::test]
async fn a_secret_is_needed_and_none_is_made_up() {
    let harness = Harness::new().await;
    harness
        .post_bare("/token", "grant_type=client_credentials&client_id=conf")
        .await
        .assert_refused(401, "invalid_client");
    harness
        .post_bare("/token", "grant_type=client_credentials")
        .await
        .assert_refused(401, "invalid_client");
    harness
        .post_bare("/token", "grant_type=client_credentials&client_id=pub&client_secret=x")
        .await
        .assert_refused(401, "invalid_client");
    harness
        .post_bare("/token", "grant_type=client_credentials&client_assertion=a.b.c")
        .await
        .assert_refused(401, "invalid_client");
    harness.post("/token", &harness.public, GRANT).await.assert_refused(400, "unauthorized_client");
}

#[tokio::test]
async fn malformed_basic_authentication_is_refused() {
    let harness = Harness::new().await;
    for field in ["Basic", "Basic !!!", "Basic eA==", "Basic Ong=", "Bearer abc", "Basic JXo6eA=="]
    {
        let request = Request::post("/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", field)
            .body(Body::from("grant_type=client_credentials"))
            .expect("request");
        harness.send(request).await.assert_refused(401, "invalid_client");
    }
}

#[tokio::test]
async fn basic_credentials_are_form_decoded() {
    let harness = Harness::new().await;
    let mut client =
        (*harness.store.client(&"conf".into()).await.expect("store").expect("client")).clone();
    client.id = "a:b c".into();
    client.secret_hash = Some(token::opaque::OpaqueHash::of("p%q+r é"));
    harness.store.create_client(&client).await.expect("client");
    let odd = TestClient::named("a:b c", "p%q+r é");
    assert!(basic(&odd.id, "p%q+r é").starts_with("Basic "));
    assert_eq!(harness.post("/token", &odd, GRANT).await.status, 200);
}

#[tokio::test]
async fn every_scope_must_be_allowed() {
    let harness = Harness::new().await;
    for scope in ["orders:read tokenward:admin", "openid", "a  b", "orders:delete"] {
        let form = [GRANT[0], ("scope", scope)];
        harness
            .post("/token", &harness.confidential, &form)
            .await
            .assert_refused(400, "invalid_scope");
    }
    let form = [GRANT[0], ("scope", "orders:write orders:read")];
    let answer = harness.post("/token", &harness.confidential, &form).await;
    assert_eq!(answer.member("scope"), "orders:read orders:write");
}

#[tokio::test]
async fn the_resource_is_the_audience() {
    let harness = Harness::new().await;
    let form = [GRANT[0], ("resource", "http://127.0.0.1:9000"), ("resource", API)];
    let answer = harness.post("/token", &harness.confidential, &form).await;
    let audiences = claims(&answer.member("access_token"))["aud"].clone();
    assert_eq!(audiences, serde_json::json!(["http://127.0.0.1:9000", API]));
    let form = [GRANT[0], ("resource", "https://elsewhere.example")];
    harness
        .post("/token", &harness.confidential, &form)
        .await
        .assert_refused(400, "invalid_target");
}

#[tokio::test]
async fn a_disabled_or_suspended_client_gets_nothing() {
    let harness = Harness::new().await;
    let suspension = NewRestriction {
        selector: Selector::Client("conf".into()),
        effect: Effect::Suspend,
        from: harness.now(),
        until: Some(harness.now().plus(std::time::Duration::from_secs(60))),
        reason: "test".to_owned(),
        actor: "admin:test".to_owned(),
    };
    harness.store.restrict(suspension, harness.now()).await.expect("restriction");
    harness.clock.pass(1);
    harness
        .post("/token", &harness.confidential, GRANT)
        .await
        .assert_refused(401, "invalid_client");
    harness.clock.pass(60);
    assert_eq!(harness.post("/token", &harness.confidential, GRANT).await.status, 200);

    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.disabled = true;
    harness.store.update_client(&client).await.expect("client");
    harness
        .post("/token", &harness.confidential, GRANT)
        .await
        .assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn a_client_uses_only_the_grants_it_was_registered_for() {
    let harness = Harness::new().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.grant_types.clear();
    harness.store.update_client(&client).await.expect("client");
    for form in [
        vec![GRANT[0]],
        vec![("grant_type", "refresh_token"), ("refresh_token", "x")],
        vec![("grant_type", "authorization_code"), ("code", "x")],
    ] {
        harness
            .post("/token", &harness.confidential, &form)
            .await
            .assert_refused(400, "unauthorized_client");
    }
}

#[tokio::test]
async fn the_grant_type_must_be_known() {
    let harness = Harness::new().await;
    let client = &harness.confidential;
    harness.post("/token", client, &[]).await.assert_refused(400, "invalid_request");
    for grant_type in ["password", "implicit", "CLIENT_CREDENTIALS", "client_credentials "] {
        harness
            .post("/token", client, &[("grant_type", grant_type)])
            .await
            .assert_refused(400, "unsupported_grant_type");
    }
    harness
        .post("/token", client, &[("grant_type", "authorization_code")])
        .await
        .assert_refused(400, "invalid_request");
    harness
        .post("/token", client, &[("grant_type", "refresh_token")])
        .await
        .assert_refused(400, "invalid_request");
}

#[tokio::test]
async fn no_secret_and_no_token_is_in_an_event() {
    let harness = Harness::new().await;
    let answer = harness.post("/token", &harness.confidential, GRANT).await;
    let events = harness.events.all();
    assert!(!events.contains(harness.confidential.secret.as_deref().expect("secret")));
    assert!(!events.contains(&answer.member("access_token")));
    assert!(events.contains("192.0.2.7"));
}

#[tokio::test]
async fn a_token_without_scopes_says_nothing_of_them() {
    let harness = Harness::new().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.default_scopes = ScopeSet::default();
    harness.store.update_client(&client).await.expect("client");
    let answer = harness.post("/token", &harness.confidential, GRANT).await;
    assert_eq!((answer.status, answer.json().get("scope")), (200, None));
    assert!(claims(&answer.member("access_token")).get("scope").is_none());
}

#[tokio::test]
async fn a_public_client_never_acts_for_itself() {
    let harness = Harness::new().await;
    let client = harness.store.client(&"pub".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.grant_types.push(GrantType::ClientCredentials);
    harness.store.update_client(&client).await.expect("client");
    harness.post("/token", &harness.public, GRANT).await.assert_refused(400, "unauthorized_client");
}
