//! Clients are found as they are now, and take their tokens with them when they go.

use std::sync::Arc;

use token::restriction::{Effect, Selector};

use super::support::{
    Fixture, NOW, after, allowed, begin, client, code, facts, hash, name, scopes,
};
use crate::{Client, Consent, GrantsOf, Rotation, StoreError};

#[tokio::test]
async fn a_client_reads_back_as_written() {
    let fixture = Fixture::new();
    let public = Client { secret_hash: None, disabled: true, ..client("b") };
    fixture.store.create_client(&client("a")).await.expect("client");
    fixture.store.create_client(&public).await.expect("client");
    let fixture = fixture.reopen(NOW).await;
    let read = |id: &str| {
        let (store, id) = (fixture.store.clone(), id.into());
        async move { store.client(&id).await.expect("store").map(|client| (*client).clone()) }
    };
    assert_eq!(read("a").await, Some(client("a")));
    assert_eq!(read("b").await, Some(public));
    assert_eq!(read("c").await, None);
}

#[tokio::test]
async fn a_client_id_is_given_once() {
    let fixture = Fixture::new();
    fixture.store.create_client(&client("a")).await.expect("client");
    let again = Client { name: "Other".to_owned(), ..client("a") };
    let refused = fixture.store.create_client(&again).await;
    assert!(matches!(refused, Err(StoreError::NameTaken { what: "client id" })));
    let held = fixture.store.client(&"a".into()).await.expect("store").expect("client");
    assert_eq!(held.name, "Client a");
}

#[tokio::test]
async fn a_client_that_was_not_there_is_found_once_it_is() {
    let fixture = Fixture::new();
    assert_eq!(fixture.store.client(&"a".into()).await.expect("store"), None);
    assert_eq!(fixture.store.shared().clients.len(), 0, "made-up names must cost no memory");
    fixture.store.create_client(&client("a")).await.expect("client");
    assert!(fixture.store.client(&"a".into()).await.expect("store").is_some());
}

#[tokio::test]
async fn a_change_is_seen_at_once() {
    let fixture = Fixture::new();
    fixture.store.create_client(&client("a")).await.expect("client");
    let before = fixture.store.client(&"a".into()).await.expect("store").expect("client");
    let same = fixture.store.client(&"a".into()).await.expect("store").expect("client");
    assert!(Arc::ptr_eq(&before, &same), "the second look-up comes from memory");
    let changed = Client {
        name: "Renamed".to_owned(),
        secret_hash: Some(hash("other")),
        scopes: scopes("orders:read"),
        disabled: true,
        ..client("a")
    };
    assert!(fixture.store.update_client(&changed).await.expect("store"));
    let held = fixture.store.client(&"a".into()).await.expect("store").expect("client");
    assert_eq!(*held, changed);
    assert!(!fixture.store.update_client(&client("b")).await.expect("store"));
    assert!(fixture.store.client(&"b".into()).await.expect("store").is_none());
}

#[tokio::test]
async fn the_origin_of_a_client_does_not_change() {
    let fixture = Fixture::new();
    fixture.store.create_client(&client("a")).await.expect("client");
    let changed = Client { created_by: "me".to_owned(), created_at: after(9), ..client("a") };
    fixture.store.update_client(&changed).await.expect("store");
    let held = fixture.store.client(&"a".into()).await.expect("store").expect("client");
    assert_eq!(*held, client("a"));
}

#[tokio::test]
async fn clients_come_in_pages() {
    let fixture = Fixture::new();
    for id in ["c", "a", "d", "b"] {
        fixture.store.create_client(&client(id)).await.expect("client");
    }
    let page = fixture.store.clients(None, 2).await.expect("page");
    assert_eq!(page, [client("a"), client("b")]);
    let page = fixture.store.clients(Some(&"b".into()), 100).await.expect("page");
    assert_eq!(page, [client("c"), client("d")]);
    assert!(fixture.store.clients(Some(&"d".into()), 100).await.expect("page").is_empty());
    assert!(fixture.store.clients(None, 0).await.expect("page").is_empty());
}

#[tokio::test]
async fn a_deleted_client_takes_everything_with_it() {
    let fixture = Fixture::new();
    let (store, id) = (&fixture.store, "c1".into());
    store.create_client(&client("c1")).await.expect("client");
    store.client(&id).await.expect("store");
    store.save_consent(&"u1".into(), &id, &allowed("openid"), NOW).await.expect("consent");
    begin(store, &code("g1"), "refresh").await;
    store.save_code(&code("g2")).await.expect("code");

    assert!(store.delete_client(&id, "admin:test", NOW).await.expect("store"));
    assert!(store.client(&id).await.expect("store").is_none());
    assert_eq!(store.consent(&"u1".into(), &id).await.expect("store"), Consent::default());
    assert!(store.code(&code("g2").hash).await.expect("store").is_none());
    assert!(store.grants_of(GrantsOf::Client(&id), NOW, 10).await.expect("store").is_empty());
    assert!(store.refresh(&name("refresh")).await.expect("store").expect("refresh").ended);
    let rotation = store.rotate_refresh(super::refresh::rotate("refresh", "next")).await;
    assert_eq!(rotation.expect("store"), Rotation::Ended);
    let restriction = store.index().on_token(&facts("t1"), NOW).expect("restriction");
    assert_eq!(restriction.selector, Selector::Client(id.clone()));
    assert_eq!((&restriction.effect, &*restriction.actor), (&Effect::Revoke, "admin:test"));

    let entries = store.index().last_seq();
    assert!(!store.delete_client(&id, "admin:test", NOW).await.expect("store"));
    assert_eq!(store.index().last_seq(), entries);
}
