//! A store in a folder of its own, and rows to put into it.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;
use token::id::{GrantId, TokenId};
use token::opaque::OpaqueHash;
use token::random::OsRandom;
use token::refresh::{RefreshFamily, RefreshName};
use token::restriction::{Effect, Selector, TokenFacts};
use token::scope::ScopeSet;
use token::term::{ClientAuthMethod, GrantType};
use token::time::Timestamp;
use tokio::task::JoinHandle;

use crate::{
    ClaimsRequest, Client, Code, Grant, IssuedToken, MasterKey, NewRefresh, NewRestriction,
    Session, Settings, Store, StoreError, User,
};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_123);
pub(crate) const LIFE: Duration = Duration::from_secs(3600);

pub(crate) fn after(secs: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(secs))
}

/// An open store, and what is needed to open it again.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) folder: TempDir,
    pub(crate) master: MasterKey,
}

/// A writer that stands still inside an act: what is sent meanwhile makes up one commit.
pub(crate) struct Standstill {
    go: mpsc::Sender<()>,
    held: JoinHandle<Result<(), StoreError>>,
}

// === impl Fixture ===

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with_queue(crate::writer::QUEUE)
    }

    pub(crate) fn with_queue(queue: usize) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let master = MasterKey::generate(&OsRandom::new());
        let settings = settings(folder.path());
        let store = Store::open_with_queue(settings, master.clone(), NOW, queue).expect("store");
        Self { store, folder, master }
    }

    /// Closes the store and opens it again.
    pub(crate) async fn reopen(self, now: Timestamp) -> Self {
        self.store.close().await;
        let Self { store, folder, master } = self;
        drop(store);
        let store = Store::open(settings(folder.path()), master.clone(), now).expect("store");
        Self { store, folder, master }
    }

    pub(crate) async fn stand_still(&self) -> Standstill {
        let (go, wait) = mpsc::channel::<()>();
        let (inside, entered) = tokio::sync::oneshot::channel();
        let store = self.store.clone();
        let held = tokio::spawn(async move {
            store
                .write(move |_| {
                    let _ = inside.send(());
                    let _ = wait.recv_timeout(Duration::from_secs(30));
                    Ok(())
                })
                .await
        });
        entered.await.expect("the act began");
        Standstill { go, held }
    }

    /// Waits until this many acts wait, as tasks that were just spawned need a moment to send.
    pub(crate) async fn until_queued(&self, acts: usize) {
        for _ in 0..3000 {
            if self.store.health().queue_depth >= acts {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{acts} acts do not wait: {:?}", self.store.health());
    }
}

// === impl Standstill ===

impl Standstill {
    pub(crate) async fn end(self) {
        self.go.send(()).expect("the writer waits");
        self.held.await.expect("task").expect("act");
    }
}

pub(crate) fn settings(folder: &Path) -> Settings {
    Settings { path: folder.join("data").join("tokenward.db"), longest_token_life: LIFE }
}

pub(crate) fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).expect("scopes")
}

/// The decision to allow these and to refuse nothing.
pub(crate) fn allowed(text: &str) -> crate::Consent {
    crate::Consent { allowed: scopes(text), refused: ScopeSet::default() }
}

pub(crate) fn hash(text: &str) -> OpaqueHash {
    OpaqueHash::of(text)
}

pub(crate) fn client(id: &str) -> Client {
    Client {
        id: id.into(),
        name: format!("Client {id}"),
        secret_hash: Some(hash("secret")),
        auth_method: ClientAuthMethod::ClientSecretBasic,
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        redirect_uris: vec!["https://app.example/callback".to_owned()],
        scopes: scopes("openid orders:read orders:write"),
        default_scopes: scopes("orders:read"),
        created_by: "admin:test".to_owned(),
        created_at: NOW,
        disabled: false,
        options: Default::default(),
        registration_token: Some(hash("registration token")),
        metadata: r#"{"tos_uri":"https://app.example/tos"}"#.to_owned(),
    }
}

pub(crate) fn user(id: &str, username: &str) -> User {
    User {
        id: id.into(),
        username: username.to_owned(),
        password_hash: Some(token::secret::Secret::new("$argon2id$…")),
        name: Some("Alice Liddell".to_owned()),
        email: Some("alice@example.com".to_owned()),
        email_verified: true,
        claims: [("department".to_owned(), "Sales".into())].into_iter().collect(),
        disabled: false,
        require_mfa: false,
        created_at: NOW,
    }
}

pub(crate) fn session(id: &str, subject: &str) -> Session {
    Session {
        id: id.into(),
        cookie: hash(&format!("cookie of {id}")),
        subject: subject.into(),
        auth_time: NOW,
        amr: vec!["pwd".to_owned()],
        created_at: NOW,
        expires_at: after(600),
        last_used_at: NOW,
        ip: Some([192, 0, 2, 7].into()),
        browser: Some("Firefox on Linux".to_owned()),
        upstream: None,
    }
}

pub(crate) fn grant(id: &str) -> Grant {
    Grant {
        id: id.into(),
        client: "c1".into(),
        subject: "u1".into(),
        session: Some("s1".into()),
        scopes: scopes("openid orders:read"),
        audiences: vec!["https://api.example".to_owned()],
        auth_time: NOW,
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
        details: Vec::new(),
        claims: ClaimsRequest::default(),
        jkt: None,
        created_at: NOW,
        expires_at: after(3000),
    }
}

/// A code named like its grant.
pub(crate) fn code(id: &str) -> Code {
    Code {
        hash: hash(&format!("code of {id}")),
        grant: grant(id),
        redirect_uri: "https://app.example/callback".to_owned(),
        redirect_uri_sent: true,
        challenge: Some("challenge".to_owned()),
        nonce: Some("nonce".to_owned()),
        expires_at: after(60),
    }
}

pub(crate) fn new_refresh(text: &str) -> NewRefresh {
    NewRefresh { name: name(text), expires_at: after(1000), scopes: scopes("openid orders:read") }
}

/// Names of one family differ in digits alone.
pub(crate) fn name(text: &str) -> RefreshName {
    let family = hash(text.trim_end_matches(|c: char| c.is_ascii_digit()));
    let family = RefreshFamily::from_slice(&family.as_bytes()[..10]).expect("family");
    RefreshName { family, hash: hash(text) }
}

/// Begins grant `id` with the refresh token `refresh`.
pub(crate) async fn begin(store: &Store, code: &Code, refresh: &str) -> GrantId {
    store.save_code(code).await.expect("code");
    let redeemed = store.redeem_code(&code.hash, Some(new_refresh(refresh)), None, NOW).await;
    assert_eq!(redeemed.expect("redeemed"), crate::Redeemed::Done);
    code.grant.id.clone()
}

pub(crate) fn revoke(selector: Selector) -> NewRestriction {
    NewRestriction {
        selector,
        effect: Effect::Revoke,
        from: NOW,
        until: None,
        reason: "test".to_owned(),
        actor: "admin:test".to_owned(),
    }
}

pub(crate) fn suspend(selector: Selector) -> NewRestriction {
    NewRestriction { effect: Effect::Suspend, ..revoke(selector) }
}

pub(crate) fn facts(token: &str) -> TokenFacts {
    TokenFacts {
        token: token.into(),
        grant: Some("g1".into()),
        session: Some("s1".into()),
        subject: "u1".into(),
        client: "c1".into(),
        key: "k1".into(),
        issued_at: NOW,
        foreign: None,
    }
}

pub(crate) fn issued(token: impl Into<TokenId>) -> IssuedToken {
    IssuedToken {
        token: token.into(),
        kind: "access".into(),
        subject: "u1".into(),
        client: "c1".into(),
        grant: Some("g1".into()),
        session: None,
        scopes: scopes("orders:read"),
        audiences: vec!["https://api.example".to_owned()],
        issued_at: NOW,
        expires_at: after(600),
        key: "k1".into(),
        status: None,
    }
}
