//! Tokens that are kept for an application in a browser: renewed in time, once, and by nobody else.

use serde_json::{Value, json};
use store::{BrowserSession, Client};
use token::id::ClientId;
use token::opaque::Family;
use token::secret::Secret;

use super::support::{API, Harness, scopes};
use crate::browser_app::{BadBrowserApp, BrowserApp, BrowserAppSettings, Unfit};

const ORIGIN: &str = "https://app.example";

fn app(harness: &Harness, origin: &str, client: &str) -> Result<BrowserApp, BadBrowserApp> {
    let settings = BrowserAppSettings {
        origin: origin.to_owned(),
        client: client.into(),
        scopes: scopes("openid orders:read"),
        resource: API.to_owned(),
    };
    BrowserApp::new(harness.authority.clone(), settings)
}

/// A session whose tokens live for ten minutes from now.
async fn session(harness: &Harness) -> (Secret, Value) {
    let tokens = harness.signed_in(&harness.confidential, "openid orders:read").await;
    let now = harness.now();
    let kept = json!({
        "access_token": tokens["access_token"], "refresh_token": tokens["refresh_token"],
        "renew_at": now.as_millis() + 570_000, "expires_at": now.as_millis() + 600_000,
    });
    let claims = super::support::claims(tokens["access_token"].as_str().expect("token"));
    let session = BrowserSession {
        origin: ORIGIN.to_owned(),
        grant: claims["grant_id"].as_str().expect("grant").into(),
        tokens: Secret::new(kept.to_string()),
        expires_at: now.plus(harness.authority.settings().refresh_absolute_life),
    };
    let cookie = Family::Browser.generate(harness.authority.random());
    harness.store.start_browser_session(&cookie, &session).await.expect("session");
    (cookie, tokens["access_token"].clone())
}

async fn token(app: &BrowserApp, cookie: &Secret) -> Option<String> {
    let token = app.access_token(cookie.expose()).await.expect("store");
    token.map(|token| token.expose().to_owned())
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_by_one_of_many() {
    let harness = Harness::new().await;
    let app = app(&harness, ORIGIN, "conf").expect("app");
    let (cookie, first) = session(&harness).await;
    harness.clock.pass(569);
    assert_eq!(token(&app, &cookie).await.as_deref(), first.as_str());
    harness.clock.pass(1);
    let (one, two, three) =
        tokio::join!(token(&app, &cookie), token(&app, &cookie), token(&app, &cookie));
    assert!(one.is_some() && one == two && two == three, "two renewals would be a replay");
    assert_ne!(one.as_deref(), first.as_str());
    assert_eq!(token(&app, &cookie).await, one);
    // And again, with the refresh token that the first renewal gave.
    harness.clock.pass(600);
    let next = token(&app, &cookie).await;
    assert!(next.is_some() && next != one);
}

#[tokio::test]
async fn an_ended_grant_is_not_renewed() {
    let harness = Harness::new().await;
    let app = app(&harness, ORIGIN, "conf").expect("app");
    let (cookie, first) = session(&harness).await;
    let claims = super::support::claims(first.as_str().expect("token"));
    let grant = claims["grant_id"].as_str().expect("grant").into();
    harness.store.end_grant(&grant, "test", "test", harness.now()).await.expect("ended");
    harness.clock.pass(570);
    assert_eq!(token(&app, &cookie).await, None);
}

#[tokio::test]
async fn a_cookie_is_worth_nothing_elsewhere() {
    let harness = Harness::new().await;
    let (cookie, _) = session(&harness).await;
    let other = app(&harness, "https://other.example", "conf").expect("app");
    assert_eq!(token(&other, &cookie).await, None);
    let app = app(&harness, ORIGIN, "conf").expect("app");
    let stranger = Family::Browser.generate(harness.authority.random());
    for text in [stranger.expose(), &cookie.expose()[..52], "", "x"] {
        assert_eq!(token(&app, &Secret::new(text)).await, None, "{text}");
    }
}

#[tokio::test]
async fn a_public_client_gets_nothing_by_being_this_process() {
    let harness = Harness::new().await;
    let public = app(&harness, ORIGIN, "pub").expect("app");
    let (cookie, _) = session(&harness).await;
    harness.clock.pass(570);
    assert_eq!(token(&public, &cookie).await, None);
}

#[tokio::test]
async fn an_application_has_an_origin() {
    let harness = Harness::new().await;
    for wrong in ["https://app.example/", "https://app.example/x", "app.example", ""] {
        let refused = app(&harness, wrong, "conf").err();
        assert_eq!(refused, Some(BadBrowserApp::Origin(wrong.to_owned())));
    }
}

#[tokio::test]
async fn what_keeps_a_client_from_serving_an_application_is_said() {
    let harness = Harness::new().await;
    let unfit = async |client| app(&harness, ORIGIN, client).expect("app").unfit().await;
    let callback = format!("{ORIGIN}/bff/callback");
    assert_eq!(unfit("nobody").await.expect("store"), [Unfit::Missing(callback.clone())]);
    let public = unfit("pub").await.expect("store");
    assert!(public.contains(&Unfit::Public), "{public:?}");
    let id = ClientId::from(harness.confidential.id.clone());
    let mut client =
        Client::clone(&harness.store.client(&id).await.expect("store").expect("client"));
    client.redirect_uris = vec![callback];
    client.scopes = scopes("openid orders:read");
    harness.store.update_client(&client).await.expect("changed");
    assert_eq!(unfit(id.as_str()).await.expect("store"), []);
    client.scopes = scopes("openid");
    client.disabled = true;
    client.options.dpop_bound_access_tokens = true;
    client.redirect_uris.clear();
    harness.store.update_client(&client).await.expect("changed");
    let words: Vec<String> =
        unfit(id.as_str()).await.expect("store").iter().map(Unfit::to_string).collect();
    assert_eq!(
        words,
        [
            "it is disabled",
            "its tokens are bound to a key or a certificate, and a browser has a cookie alone",
            "`https://app.example/bff/callback` is not among its redirect URIs",
            "it may not ask for the scope `orders:read`",
        ]
    );
}
