//! Links in letters: one purpose, one address, one use.

use token::opaque::OpaqueHash;
use token::secret::Secret;

use super::support::{Fixture, NOW, after, hash, user};
use crate::{Forgotten, Link, LinkPurpose, Store, StoreError, User};

const ADDRESS: &str = "alice@example.com";

fn link(secret: &str, purpose: LinkPurpose) -> Link {
    let is_new = matches!(purpose, LinkPurpose::Invitation | LinkPurpose::SignUp);
    Link {
        hash: hash(secret),
        id: secret.to_owned(),
        purpose,
        subject: (!is_new).then(|| "u1".into()),
        address: ADDRESS.to_owned(),
        username: is_new.then(|| "bob".to_owned()),
        name: None,
        created_by: "authority".to_owned(),
        created_at: NOW,
        expires_at: after(1800),
    }
}

async fn house() -> Fixture {
    let fixture = Fixture::new();
    fixture.store.create_user(&user("u1", "alice")).await.expect("user");
    fixture
}

async fn reset(store: &Store, secret: &str) -> bool {
    let password = Secret::new("$argon2id$new");
    let done = store.set_password(&"u1".into(), &password, Some(&hash(secret)), after(1)).await;
    done.expect("store")
}

async fn held(store: &Store) -> User {
    store.user(&"u1".into()).await.expect("store").expect("user")
}

fn is_new(user: &User) -> bool {
    user.password_hash.as_ref().is_some_and(|hash| hash.matches("$argon2id$new"))
}

#[tokio::test]
async fn a_link_reads_back_until_its_end() {
    let fixture = house().await;
    for purpose in
        [LinkPurpose::Address, LinkPurpose::Invitation, LinkPurpose::Reset, LinkPurpose::SignUp]
    {
        let link = link(purpose.as_str(), purpose);
        fixture.store.save_link(&link).await.expect("link");
        let read = fixture.store.link(&link.hash, after(1799)).await.expect("store");
        assert_eq!(read, Some(link.clone()));
        assert_eq!(fixture.store.link(&link.hash, after(1800)).await.expect("store"), None);
        let again = fixture.store.save_link(&link).await;
        assert!(matches!(again, Err(StoreError::NameTaken { .. })));
    }
    let forgotten = fixture.store.forget(after(1800)).await.expect("forget");
    assert_eq!(forgotten, Forgotten { links: 4, ..Forgotten::default() });
}

#[tokio::test]
async fn a_password_is_reset_once_and_other_links_end_with_it() {
    let fixture = house().await;
    let store = &fixture.store;
    let cookie = OpaqueHash::of("remembered");
    store.remember_browser(&cookie, &"u1".into(), NOW, after(9000)).await.expect("browser");
    for (secret, purpose) in
        [("r1", LinkPurpose::Reset), ("r2", LinkPurpose::Reset), ("a1", LinkPurpose::Address)]
    {
        store.save_link(&link(secret, purpose)).await.expect("link");
    }
    // Of another purpose, or of nobody.
    assert!(!reset(store, "a1").await && !reset(store, "r9").await && !is_new(&held(store).await));
    assert!(store.link(&hash("a1"), NOW).await.expect("store").is_some(), "not used up by that");
    assert!(reset(store, "r1").await && is_new(&held(store).await));
    assert!(!store.is_remembered(&cookie, &"u1".into(), NOW).await.expect("store"));
    assert!(!reset(store, "r1").await && !reset(store, "r2").await);
    assert!(store.link(&hash("a1"), NOW).await.expect("store").is_none());
}

#[tokio::test]
async fn a_reset_fits_the_address_that_it_was_sent_to_alone() {
    let fixture = house().await;
    let store = &fixture.store;
    store.save_link(&link("r1", LinkPurpose::Reset)).await.expect("link");
    let moved = User { email: Some("new@example.com".to_owned()), ..held(store).await };
    store.update_user(&moved).await.expect("store");
    assert!(!reset(store, "r1").await && !is_new(&held(store).await));
    // And it shows that the address is its person's.
    let back = User { email: Some(ADDRESS.to_owned()), email_verified: false, ..held(store).await };
    store.update_user(&back).await.expect("store");
    store.save_link(&link("r2", LinkPurpose::Reset)).await.expect("link");
    assert!(reset(store, "r2").await && held(store).await.email_verified);
}

#[tokio::test]
async fn an_address_is_confirmed_once() {
    let fixture = house().await;
    let store = &fixture.store;
    let address = "new@example.com".to_owned();
    let new = Link { address: address.clone(), ..link("a1", LinkPurpose::Address) };
    store.save_link(&new).await.expect("link");
    store.save_link(&link("r1", LinkPurpose::Reset)).await.expect("link");
    let secret = hash("a1");
    let confirm = || store.confirm_address(&secret, after(1));
    let before = confirm().await.expect("store").expect("user");
    assert_eq!(before.email.as_deref(), Some(ADDRESS));
    let held = held(store).await;
    assert!(held.email_verified && held.email == Some(address.clone()));
    assert!(confirm().await.expect("store").is_none());
    assert!(!reset(store, "r1").await, "it went to the address before");
    let found = store.users_by_email("NEW@example.com", 5).await.expect("store");
    assert_eq!(found.len(), 1);
    assert!(store.users_by_email(ADDRESS, 5).await.expect("store").is_empty());
}

#[tokio::test]
async fn an_invitation_lets_one_person_in() {
    let fixture = house().await;
    let store = &fixture.store;
    store.save_link(&link("i1", LinkPurpose::Invitation)).await.expect("link");
    store.save_link(&link("r1", LinkPurpose::Reset)).await.expect("link");
    let enter = |secret, user| async move {
        store.create_user_by_link(&hash(secret), &user, after(1)).await
    };
    let taken = enter("i1", user("u2", "alice")).await;
    assert!(matches!(taken, Err(StoreError::NameTaken { .. })));
    assert!(!enter("r1", user("u2", "bob")).await.expect("store"), "of another purpose");
    let bob = User { email: None, email_verified: false, ..user("u2", "bob") };
    assert!(enter("i1", bob).await.expect("store"));
    let bob = store.user(&"u2".into()).await.expect("store").expect("user");
    assert!(bob.email_verified && bob.email.as_deref() == Some(ADDRESS));
    assert!(!enter("i1", user("u3", "carol")).await.expect("store"), "used");
}

#[tokio::test]
async fn the_newest_five_to_one_address_are_good_and_can_be_taken_back() {
    let fixture = house().await;
    let store = &fixture.store;
    for number in 0..7 {
        let made = after(number);
        let one = Link { created_at: made, ..link(&format!("i{number}"), LinkPurpose::Invitation) };
        store.save_link(&one).await.expect("link");
    }
    let list = async |limit, behind: Option<&str>| {
        let links = store.links(LinkPurpose::Invitation, behind, limit, after(10)).await;
        links.expect("store").into_iter().map(|link| link.id).collect::<Vec<_>>()
    };
    assert_eq!(list(10, None).await, ["i2", "i3", "i4", "i5", "i6"]);
    assert_eq!(list(2, Some("i3")).await, ["i4", "i5"]);
    let withdraw = |purpose, id| store.withdraw_link(purpose, id);
    assert!(!withdraw(LinkPurpose::Reset, "i4").await.expect("store"));
    assert!(withdraw(LinkPurpose::Invitation, "i4").await.expect("store"));
    assert!(!withdraw(LinkPurpose::Invitation, "i4").await.expect("store"));
    store.delete_user(&"u1".into(), "admin:x", NOW).await.expect("store");
    assert_eq!(list(10, None).await, ["i2", "i3", "i5", "i6"]);
}
