//! Identities at providers: whose they are, what is kept with them, and which sessions stand on them.

use zeroize::Zeroizing;

use super::support::{Fixture, NOW, after, session, user};
use crate::{IdentityRemoval, NewIdentity, Session, StoreError, Upstream};

const TOKENS: &[u8] = b"tokens of the provider";

fn new(id: &str, provider: &str, subject: &str) -> NewIdentity {
    NewIdentity {
        id: id.to_owned(),
        provider: provider.to_owned(),
        issuer: "https://idp.example".to_owned(),
        provider_subject: subject.to_owned(),
        label: "alice@idp.example".to_owned(),
        tokens: None,
        at: NOW,
    }
}

async fn with_people() -> Fixture {
    let fixture = Fixture::new();
    for (id, name) in [("u1", "alice"), ("u2", "bob")] {
        fixture.store.create_user(&user(id, name)).await.expect("user");
    }
    fixture
}

#[tokio::test]
async fn an_identity_belongs_to_one_person() {
    let fixture = with_people().await;
    let store = &fixture.store;
    let identity = new("i1", "acme", "there-1");
    assert!(store.add_identity(&"u1".into(), &identity, true).await.expect("store"));
    let refused = store.add_identity(&"u2".into(), &new("i2", "acme", "there-1"), false).await;
    assert!(matches!(refused, Err(StoreError::NameTaken { what: "identity" })), "{refused:?}");
    assert!(
        !store.add_identity(&"nobody".into(), &new("i3", "acme", "x"), false).await.expect("ok")
    );
    // A rule connects one; only its person connects more.
    let more = new("i4", "acme", "there-2");
    assert!(!store.add_identity(&"u1".into(), &more, true).await.expect("store"));
    assert!(store.add_identity(&"u1".into(), &more, false).await.expect("store"));
    let found = store.identity("acme", "https://idp.example", "there-1").await.expect("store");
    assert_eq!(found.expect("identity").subject, "u1".into());
    // The name of the provider alone is no proof: it may have been given to another.
    let other = store.identity("acme", "https://other.example", "there-1").await.expect("store");
    assert_eq!(other, None);
    assert_eq!(store.identities_of(&"u1".into()).await.expect("store").len(), 2);
    store.delete_user(&"u1".into(), "test", NOW).await.expect("store");
    assert!(store.identities_of(&"u1".into()).await.expect("store").is_empty());
}

#[tokio::test]
async fn a_person_comes_with_an_identity_or_not_at_all() {
    let fixture = with_people().await;
    let store = &fixture.store;
    let taken = store.create_user_with_identity(&user("u3", "ALICE"), &new("i1", "a", "s")).await;
    assert!(matches!(taken, Err(StoreError::NameTaken { what: "user name or id" })), "{taken:?}");
    assert_eq!(store.identity("a", "https://idp.example", "s").await.expect("store"), None);
    store
        .create_user_with_identity(&user("u3", "carol"), &new("i1", "a", "s"))
        .await
        .expect("made");
    let taken = store.create_user_with_identity(&user("u4", "dave"), &new("i2", "a", "s")).await;
    assert!(matches!(taken, Err(StoreError::NameTaken { what: "identity" })), "{taken:?}");
    assert!(store.user(&"u4".into()).await.expect("store").is_none());
}

#[tokio::test]
async fn tokens_are_sealed_and_stay_until_others_come() {
    let fixture = with_people().await;
    let store = &fixture.store;
    let tokens = |text: &[u8]| Zeroizing::new(text.to_vec());
    let identity = NewIdentity { tokens: Some(tokens(TOKENS)), ..new("i1", "acme", "s") };
    store.add_identity(&"u1".into(), &identity, false).await.expect("store");
    store.note_identity_use("i1", "new label", None, after(5)).await.expect("store");
    let held = store.identities_of(&"u1".into()).await.expect("store").remove(0);
    assert_eq!((held.label.as_str(), held.last_used_at), ("new label", Some(after(5))));
    assert!(held.has_tokens);
    let read = store.identity_tokens(&"u1".into(), "i1").await.expect("store");
    assert_eq!(read.as_deref().map(Vec::as_slice), Some(TOKENS));
    assert_eq!(store.identity_tokens(&"u2".into(), "i1").await.expect("store"), None);
    store.note_identity_use("i1", "l", Some(&tokens(b"others")), after(6)).await.expect("store");
    let read = store.identity_tokens(&"u1".into(), "i1").await.expect("store");
    assert_eq!(read.as_deref().map(Vec::as_slice), Some(&b"others"[..]));
    store.close().await;
    for entry in std::fs::read_dir(fixture.folder.path().join("data")).expect("folder") {
        let bytes = std::fs::read(entry.expect("entry").path()).expect("file");
        assert!(!bytes.windows(TOKENS.len()).any(|part| part == TOKENS));
    }
}

#[tokio::test]
async fn the_last_way_in_is_not_taken_by_mistake() {
    let fixture = with_people().await;
    let store = &fixture.store;
    let mut bare = user("u3", "carol");
    bare.password_hash = None;
    store.create_user_with_identity(&bare, &new("i1", "acme", "s")).await.expect("made");
    let id = "u3".into();
    let kept = store.remove_identity(&id, "i1", true).await.expect("store");
    assert_eq!(kept, IdentityRemoval::OnlyWay);
    store.add_identity(&id, &new("i2", "other", "s"), false).await.expect("store");
    let gone = store.remove_identity(&id, "i1", true).await.expect("store");
    assert!(matches!(gone, IdentityRemoval::Removed(identity) if identity.id == "i1"));
    let unknown = store.remove_identity(&"u1".into(), "i2", false).await.expect("store");
    assert_eq!(unknown, IdentityRemoval::Unknown);
    // An administrator may.
    let gone = store.remove_identity(&id, "i2", false).await.expect("store");
    assert!(matches!(gone, IdentityRemoval::Removed(_)));
}

#[tokio::test]
async fn sessions_are_found_by_what_they_stand_on() {
    let fixture = with_people().await;
    let store = &fixture.store;
    let upstream = |subject: &str, sid: Option<&str>| {
        let (provider, subject) = ("acme".to_owned(), subject.to_owned());
        Some(Upstream { provider, subject, session: sid.map(str::to_owned) })
    };
    for (id, upstream) in [
        ("s1", upstream("there-1", Some("sid-1"))),
        ("s2", upstream("there-1", None)),
        ("s3", upstream("there-2", Some("sid-2"))),
        ("s4", None),
    ] {
        let session = Session { upstream, ..session(id, "u1") };
        store.start_session(&session, None).await.expect("session");
        let found = store.session_by_cookie(&session.cookie, NOW).await.expect("store");
        assert_eq!(found, Some(session));
    }
    let found = async |subject, sid| {
        let found = store.sessions_by_provider("acme", subject, sid, NOW).await.expect("store");
        let mut ids: Vec<String> = found.iter().map(|session| session.id.to_string()).collect();
        ids.sort_unstable();
        ids.join(" ")
    };
    assert_eq!(found(Some("there-1"), None).await, "s1 s2");
    assert_eq!(found(None, Some("sid-2")).await, "s3");
    assert_eq!(found(Some("there-1"), Some("sid-1")).await, "s1");
    assert_eq!(found(Some("there-2"), Some("sid-1")).await, "");
    assert_eq!(found(None, None).await, "", "nobody is named");
}
