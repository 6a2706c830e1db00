//! People, their sessions, and what they allowed.

use token::restriction::Selector;
use token::secret::Secret;

use super::support::{
    Fixture, NOW, after, allowed, begin, code, facts, hash, name, scopes, session, user,
};
use crate::{Consent, GrantsOf, Session, StoreError, User};

#[tokio::test]
async fn a_person_reads_back_as_written() {
    let fixture = Fixture::new();
    let bare = User {
        password_hash: None,
        name: None,
        email: None,
        email_verified: false,
        claims: Default::default(),
        disabled: true,
        ..user("u2", "bob")
    };
    fixture.store.create_user(&user("u1", "Alice")).await.expect("user");
    fixture.store.create_user(&bare).await.expect("user");
    let fixture = fixture.reopen(NOW).await;
    let held = fixture.store.user(&"u1".into()).await.expect("store").expect("user");
    assert_eq!((held.username.as_str(), held.name.as_deref()), ("Alice", Some("Alice Liddell")));
    assert_eq!(held.email.as_deref(), Some("alice@example.com"));
    assert!(held.email_verified && !held.disabled && held.created_at == NOW);
    assert_eq!(held.claims["department"], "Sales");
    assert!(held.password_hash.is_some_and(|hash| hash.matches("$argon2id$…")));
    let held = fixture.store.user(&"u2".into()).await.expect("store").expect("user");
    assert!(held.claims.is_empty());
    assert!(held.password_hash.is_none() && held.name.is_none() && held.email.is_none());
    assert!(held.disabled && !held.email_verified);
    assert!(fixture.store.user(&"u3".into()).await.expect("store").is_none());
}

#[tokio::test]
async fn a_name_is_the_same_in_every_case() {
    let fixture = Fixture::new();
    fixture.store.create_user(&user("u1", "Émile")).await.expect("user");
    for name in ["Émile", "émile", "  ÉMILE\t"] {
        let held = fixture.store.user_by_name(name).await.expect("store");
        assert_eq!(held.map(|user| user.id), Some("u1".into()), "{name:?}");
    }
    for name in ["Emile", "émile2", "", "émile%"] {
        assert!(fixture.store.user_by_name(name).await.expect("store").is_none(), "{name:?}");
    }
    let refused = fixture.store.create_user(&user("u2", " éMILE ")).await;
    assert!(matches!(refused, Err(StoreError::NameTaken { .. })));
    let refused = fixture.store.create_user(&user("u1", "other")).await;
    assert!(matches!(refused, Err(StoreError::NameTaken { .. })));
}

#[tokio::test]
async fn a_person_is_changed_but_not_into_another() {
    let fixture = Fixture::new();
    fixture.store.create_user(&user("u1", "alice")).await.expect("user");
    fixture.store.create_user(&user("u2", "bob")).await.expect("user");
    let changed = User {
        password_hash: Some(Secret::new("new")),
        claims: [("locale".to_owned(), "nl".into())].into_iter().collect(),
        disabled: true,
        ..user("u1", "Alice.Liddell")
    };
    assert!(fixture.store.update_user(&changed).await.expect("store"));
    assert!(fixture.store.user_by_name("alice").await.expect("store").is_none());
    let held = fixture.store.user_by_name("alice.liddell").await.expect("store").expect("user");
    assert_eq!(held.claims.len(), 1, "{:?}", held.claims);
    assert_eq!(held.claims["locale"], "nl");
    assert!(held.disabled && held.password_hash.is_some_and(|hash| hash.matches("new")));
    let refused = fixture.store.update_user(&user("u1", "BOB")).await;
    assert!(matches!(refused, Err(StoreError::NameTaken { what: "user name" })));
    assert!(!fixture.store.update_user(&user("u3", "carol")).await.expect("store"));
}

#[tokio::test]
async fn a_person_in_memory_follows_the_disk() {
    let fixture = Fixture::new();
    let (store, id) = (&fixture.store, "u1".into());
    let held = async || store.user(&id).await.expect("store");
    assert!(held().await.is_none());
    // Nobody is not remembered.
    store.create_user(&user("u1", "alice")).await.expect("user");
    assert_eq!(held().await.map(|user| user.disabled), Some(false));
    let changed = User { disabled: true, ..user("u1", "alice") };
    assert!(store.update_user(&changed).await.expect("store"));
    assert_eq!(held().await.map(|user| user.disabled), Some(true));
    // A change that was undone changes no memory.
    store.create_user(&user("u2", "bob")).await.expect("user");
    store.update_user(&User { disabled: false, ..user("u1", "bob") }).await.expect_err("taken");
    assert_eq!(held().await.map(|user| user.disabled), Some(true));
    assert!(store.delete_user(&id, "admin:test", NOW).await.expect("store"));
    assert!(held().await.is_none());
}

#[tokio::test]
async fn what_a_grant_asked_for_by_name_is_told_until_it_is_forgotten() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    assert!(store.claims_of(&"g1".into()).await.expect("store").is_none());
    let mut code = code("g1");
    code.grant.claims.userinfo = vec!["email".to_owned()];
    begin(store, &code, "refresh").await;
    for _ in 0..2 {
        let claims = store.claims_of(&"g1".into()).await.expect("store").expect("grant");
        assert_eq!(*claims, code.grant.claims);
    }
}

#[tokio::test]
async fn people_come_in_pages() {
    let fixture = Fixture::new();
    for id in ["u3", "u1", "u2"] {
        fixture.store.create_user(&user(id, id)).await.expect("user");
    }
    let ids = |page: Vec<User>| page.iter().map(|user| user.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(fixture.store.users(None, 2).await.expect("page")), ["u1", "u2"]);
    assert_eq!(ids(fixture.store.users(Some(&"u2".into()), 2).await.expect("page")), ["u3"]);
}

#[tokio::test]
async fn a_deleted_person_takes_everything_with_them() {
    let fixture = Fixture::new();
    let (store, id) = (&fixture.store, "u1".into());
    store.create_user(&user("u1", "alice")).await.expect("user");
    store.start_session(&session("s1", "u1"), None).await.expect("session");
    store.start_session(&session("s2", "u2"), None).await.expect("session");
    store.save_consent(&id, &"c1".into(), &allowed("openid"), NOW).await.expect("consent");
    begin(store, &code("g1"), "refresh").await;
    store.save_code(&code("g2")).await.expect("code");

    assert!(store.delete_user(&id, "admin:test", NOW).await.expect("store"));
    assert!(store.user(&id).await.expect("store").is_none());
    let cookie = |name: &str| session(name, "").cookie;
    assert!(store.session_by_cookie(&cookie("s1"), NOW).await.expect("store").is_none());
    assert!(store.session_by_cookie(&cookie("s2"), NOW).await.expect("store").is_some());
    assert_eq!(store.consent(&id, &"c1".into()).await.expect("store"), Consent::default());
    assert!(store.code(&code("g2").hash).await.expect("store").is_none());
    assert!(store.refresh(&name("refresh")).await.expect("store").expect("refresh").ended);
    let restriction = store.index().on_token(&facts("t1"), NOW).expect("restriction");
    assert_eq!(restriction.selector, Selector::Subject(id.clone()));
    assert!(!store.delete_user(&id, "admin:test", NOW).await.expect("store"));
}

#[tokio::test]
async fn a_session_is_found_by_its_cookie_while_it_lasts() {
    let fixture = Fixture::new();
    let (store, held) = (&fixture.store, session("s1", "u1"));
    store.start_session(&held, None).await.expect("session");
    let another = hash("another");
    let find = |cookie, now| store.session_by_cookie(cookie, now);
    assert_eq!(find(&held.cookie, NOW).await.expect("store"), Some(held.clone()));
    assert!(find(&another, NOW).await.expect("store").is_none());
    let last = after(600).minus(std::time::Duration::from_millis(1));
    assert!(find(&held.cookie, last).await.expect("store").is_some());
    assert!(find(&held.cookie, after(600)).await.expect("store").is_none());
    let refused = store.start_session(&Session { id: "s2".into(), ..held.clone() }, None).await;
    assert!(matches!(refused, Err(StoreError::NameTaken { .. })));
}

#[tokio::test]
async fn an_ended_session_ends_what_came_from_it() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    store.start_session(&session("s1", "u1"), None).await.expect("session");
    begin(store, &code("g1"), "refresh").await;
    store.save_code(&code("g2")).await.expect("code");
    assert!(store.end_session(&"s1".into(), "subject:u1", NOW).await.expect("store"));
    let cookie = session("s1", "").cookie;
    assert!(store.session_by_cookie(&cookie, NOW).await.expect("store").is_none());
    assert!(store.code(&code("g2").hash).await.expect("store").is_none());
    let session = "s1".into();
    let grants = store.grants_of(GrantsOf::Session(&session), NOW, 10).await.expect("store");
    assert!(grants.is_empty());
    let restriction = store.index().on_token(&facts("t1"), NOW).expect("restriction");
    assert_eq!(restriction.selector, Selector::Session("s1".into()));
    let entries = store.index().last_seq();
    assert!(!store.end_session(&"s1".into(), "subject:u1", NOW).await.expect("store"));
    assert_eq!(store.index().last_seq(), entries);
}

#[tokio::test]
async fn consent_grows_and_is_forgotten() {
    let fixture = Fixture::new();
    let (store, subject, client) = (&fixture.store, "u1".into(), "c1".into());
    let (other_subject, other_client) = ("u2".into(), "c2".into());
    let held = async |subject, client| store.consent(subject, client).await.expect("store");
    assert_eq!(held(&subject, &client).await, Consent::default());
    for wanted in ["openid orders:read", "orders:read orders:write"] {
        store.save_consent(&subject, &client, &allowed(wanted), NOW).await.expect("consent");
    }
    assert_eq!(held(&subject, &client).await, allowed("openid orders:read orders:write"));
    // About the same scope the newer decision counts.
    let decided = Consent { allowed: scopes("email"), refused: scopes("orders:read phone") };
    store.save_consent(&subject, &client, &decided, NOW).await.expect("consent");
    let decided = Consent { allowed: scopes("phone"), refused: scopes("") };
    store.save_consent(&subject, &client, &decided, NOW).await.expect("consent");
    let both = Consent {
        allowed: scopes("email openid orders:write phone"),
        refused: scopes("orders:read"),
    };
    assert_eq!(held(&subject, &client).await, both);
    assert_eq!(held(&subject, &other_client).await, Consent::default());
    assert_eq!(held(&other_subject, &client).await, Consent::default());
    assert!(store.forget_consent(&subject, &client).await.expect("store"));
    assert!(!store.forget_consent(&subject, &client).await.expect("store"));
    assert_eq!(held(&subject, &client).await, Consent::default());
}
