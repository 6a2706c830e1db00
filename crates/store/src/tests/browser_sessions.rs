//! What is kept for applications in browsers.

use token::opaque::Family;
use token::random::OsRandom;
use token::secret::Secret;

use super::support::{Fixture, after};
use crate::{BrowserSession, Forgotten};

const ORIGIN: &str = "https://app.example";

fn session(tokens: &str) -> BrowserSession {
    let (origin, grant) = (ORIGIN.to_owned(), "g1".into());
    BrowserSession { origin, grant, tokens: Secret::new(tokens), expires_at: after(600) }
}

#[tokio::test]
async fn tokens_are_kept_for_one_cookie_at_one_origin() {
    let fixture = Fixture::new();
    let cookie = Family::Browser.generate(&OsRandom::new());
    fixture.store.start_browser_session(&cookie, &session("first")).await.expect("started");
    let fixture = fixture.reopen(after(1)).await;
    let store = &fixture.store;
    let held = |now, origin: &str| {
        let session = store.browser_session(cookie.expose(), origin, now).expect("store");
        session.map(|session| session.tokens.expose().to_owned())
    };
    assert_eq!(held(after(1), ORIGIN).as_deref(), Some("first"));
    assert_eq!(held(after(1), "https://other.example"), None);
    assert!(store.browser_session("twb_other", ORIGIN, after(1)).expect("store").is_none());
    let newer = Secret::new("second");
    assert!(store.renew_browser_session(cookie.expose(), &newer).await.expect("store"));
    assert_eq!(held(after(599), ORIGIN).as_deref(), Some("second"));
    assert_eq!(held(after(600), ORIGIN), None);
    let forgotten = store.forget(after(600)).await.expect("forget");
    assert_eq!(forgotten, Forgotten { browser_sessions: 1, ..Forgotten::default() });
}

#[tokio::test]
async fn an_ended_session_is_not_renewed() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let cookie = Family::Browser.generate(&OsRandom::new());
    store.start_browser_session(&cookie, &session("first")).await.expect("started");
    store.end_browser_session(cookie.expose()).await.expect("ended");
    assert!(store.browser_session(cookie.expose(), ORIGIN, after(1)).expect("store").is_none());
    let newer = Secret::new("second");
    assert!(!store.renew_browser_session(cookie.expose(), &newer).await.expect("store"));
}

#[tokio::test]
async fn the_file_holds_neither_cookie_nor_tokens() {
    let fixture = Fixture::new();
    let cookie = Family::Browser.generate(&OsRandom::new());
    let tokens = "tokens that nobody reads at rest";
    fixture.store.start_browser_session(&cookie, &session(tokens)).await.expect("started");
    fixture.store.close().await;
    for entry in std::fs::read_dir(fixture.folder.path().join("data")).expect("folder") {
        let bytes = std::fs::read(entry.expect("entry").path()).expect("file");
        for secret in [cookie.expose(), tokens] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
}
