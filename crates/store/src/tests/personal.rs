//! Personal tokens: kept as a hash, changed at once, ended with their owner.

use std::time::Duration;

use token::id::{ClientId, SubjectId, TokenId};
use token::opaque::Family;
use token::personal::{Owner, Personal, PersonalTokens, Terms};
use token::random::OsRandom;
use token::reason::Reason;
use token::restriction::{Effect, Selector};
use token::secret::Secret;

use super::support::{Fixture, NOW, after, client, scopes, user};
use crate::{Forgotten, NewRestriction, Rotated, Store, StoredPersonal, Succession};

const DAY: u64 = 24 * 3600;

fn stored(owner: Owner) -> StoredPersonal {
    StoredPersonal {
        terms: Terms {
            token: TokenId::generate(NOW, &OsRandom::new()),
            owner,
            scopes: scopes("orders:read orders:write"),
            audiences: vec!["https://api.example".to_owned()],
            networks: vec!["192.0.2.0/24".parse().expect("net")],
            places: vec!["countries:NO,SE".parse().expect("place")],
            jkt: Some("thumbprint".into()),
            created_at: NOW,
            expires_at: after(90 * DAY),
            idle: Some(Duration::from_secs(7 * DAY)),
        },
        name: "ci".to_owned(),
        created_by: "admin:u9".to_owned(),
        last_use: None,
        used_scopes: scopes(""),
        rotated_from: None,
        rotated_to: None,
        revoked_at: None,
    }
}

fn value() -> Secret {
    Family::Personal.generate(&OsRandom::new())
}

/// A person with one token.
async fn house() -> (Fixture, Secret, StoredPersonal) {
    let fixture = Fixture::new();
    fixture.store.create_user(&user("u1", "alice")).await.expect("user");
    let (secret, token) = (value(), stored(Owner::Person(SubjectId::from("u1"))));
    fixture.store.create_personal(&secret, &token).await.expect("token");
    (fixture, secret, token)
}

fn find(store: &Store, secret: &Secret) -> std::sync::Arc<Personal> {
    store.find(secret.expose()).expect("store").expect("the token")
}

fn succession(old_until: u64) -> Succession {
    Succession {
        token: TokenId::generate(after(1), &OsRandom::new()),
        expires_at: after(180 * DAY),
        old_until: after(old_until),
        created_by: "person:u1".to_owned(),
    }
}

async fn rotate(store: &Store, token: &TokenId, secret: &Secret, at: u64) -> Rotated {
    store.rotate_personal(token, secret, succession(600), after(at)).await.expect("store")
}

#[tokio::test]
async fn a_token_survives_the_end_of_the_process_and_its_text_is_nowhere() {
    let (fixture, secret, token) = house().await;
    let fixture = fixture.reopen(after(1)).await;
    let store = &fixture.store;
    assert_eq!(store.personal_token(&token.terms.token).await.expect("store"), Some(token.clone()));
    let found = find(store, &secret);
    assert_eq!((&found.terms, found.ended), (&token.terms, None));
    assert!(store.find(value().expose()).expect("store").is_none());
    assert!(store.issued_token(&token.terms.token).await.expect("store").is_some());
    store.close().await;
    for entry in std::fs::read_dir(fixture.folder.path().join("data")).expect("folder") {
        let bytes = std::fs::read(entry.expect("entry").path()).expect("file");
        let text = secret.expose().as_bytes();
        assert!(!bytes.windows(text.len()).any(|window| window == text));
    }
}

#[tokio::test]
async fn lists_are_of_one_owner_or_of_all() {
    let (fixture, _, token) = house().await;
    let store = &fixture.store;
    store.create_client(&client("c1")).await.expect("client");
    let of_service = stored(Owner::Service(ClientId::from("c1")));
    store.create_personal(&value(), &of_service).await.expect("token");
    let names =
        |list: Vec<StoredPersonal>| list.into_iter().map(|one| one.terms.token).collect::<Vec<_>>();
    let of = |owner: Owner| async move {
        names(store.personal_tokens(Some(&owner), None, 10).await.expect("store"))
    };
    assert_eq!(of(token.terms.owner.clone()).await, vec![token.terms.token.clone()]);
    assert_eq!(of(of_service.terms.owner.clone()).await, vec![of_service.terms.token.clone()]);
    let all = names(store.personal_tokens(None, None, 10).await.expect("store"));
    assert_eq!(all.len(), 2);
    let rest = store.personal_tokens(None, Some(&all[0]), 10).await.expect("store");
    assert_eq!(names(rest), all[1..]);
}

#[tokio::test]
async fn its_owner_bounds_and_ends_it_at_once() {
    let (fixture, secret, _) = house().await;
    let store = &fixture.store;
    let version = store.version();
    let disabled = crate::User { disabled: true, ..user("u1", "alice") };
    store.update_user(&disabled).await.expect("user");
    assert!(store.version() > version, "what was looked up counts no more");
    assert_eq!(find(store, &secret).ended, Some(Reason::Disabled));
    store.delete_user(&"u1".into(), "admin:u9", after(1)).await.expect("deleted");
    assert_eq!(find(store, &secret).ended, Some(Reason::Revoked));

    store.create_client(&client("c1")).await.expect("client");
    let (secret, token) = (value(), stored(Owner::Service(ClientId::from("c1"))));
    store.create_personal(&secret, &token).await.expect("token");
    assert_eq!(find(store, &secret).bound, Some(client("c1").scopes));
    let version = store.version();
    let less = crate::Client { scopes: scopes("orders:read"), ..client("c1") };
    store.update_client(&less).await.expect("client");
    assert!(store.version() > version);
    assert_eq!(find(store, &secret).bound, Some(scopes("orders:read")));
    store.delete_client(&"c1".into(), "admin:u9", after(1)).await.expect("deleted");
    assert_eq!(find(store, &secret).ended, Some(Reason::Revoked));
}

#[tokio::test]
async fn a_successor_has_the_same_terms_and_the_old_one_ends_soon() {
    let (fixture, secret, token) = house().await;
    let store = &fixture.store;
    let (fresh, version) = (value(), store.version());
    let rotated = rotate(store, &token.terms.token, &fresh, 1).await;
    let Rotated::By(new) = rotated else { panic!("{rotated:?}") };
    assert!(store.version() > version);
    assert_eq!(find(store, &secret).terms.expires_at, after(600));
    let found = find(store, &fresh);
    assert_eq!((found.ended, &found.terms), (None, &new.terms));
    let expected = Terms {
        token: new.terms.token.clone(),
        created_at: after(1),
        expires_at: after(180 * DAY),
        ..token.terms.clone()
    };
    assert_eq!(new.terms, expected);
    let old = store.personal_token(&token.terms.token).await.expect("store").expect("old");
    assert_eq!(old.rotated_to, Some(new.terms.token.clone()));
    assert_eq!(new.rotated_from, Some(token.terms.token.clone()));
    assert_eq!(rotate(store, &token.terms.token, &value(), 2).await, Rotated::NotInForce);
}

#[tokio::test]
async fn rotation_is_no_way_out_of_a_restriction() {
    for (selector, effect, expected) in [
        (None, Effect::DropScopes(scopes("orders:write")), Rotated::Restrained),
        (None, Effect::Suspend, Rotated::NotInForce),
        (Some(Selector::Subject("u1".into())), Effect::Revoke, Rotated::NotInForce),
    ] {
        let (fixture, _, token) = house().await;
        let name = token.terms.token;
        let new = NewRestriction {
            selector: selector.unwrap_or_else(|| Selector::Token(name.clone())),
            effect,
            from: after(1),
            until: None,
            reason: "test".to_owned(),
            actor: "admin:u9".to_owned(),
        };
        fixture.store.restrict(new, after(1)).await.expect("restricted");
        assert_eq!(rotate(&fixture.store, &name, &value(), 2).await, expected);
    }
    let (fixture, ..) = house().await;
    let rotated = rotate(&fixture.store, &"nobody".into(), &value(), 2).await;
    assert_eq!(rotated, Rotated::Unknown);
}

#[tokio::test]
async fn what_is_revoked_is_refused_for_good_and_is_in_the_log() {
    let (fixture, secret, token) = house().await;
    let store = &fixture.store;
    let name = &token.terms.token;
    let held = store.revoke_personal(name, "lost", "person:u1", after(1)).await.expect("store");
    assert_eq!(held, Some(token.clone()));
    assert_eq!(find(store, &secret).ended, Some(Reason::Revoked));
    let row = store.index().on_token(&token.terms.facts(), after(2)).expect("a restriction");
    assert_eq!((row.effect.clone(), row.reason.as_str()), (Effect::Revoke, "lost"));
    let seq = store.index().last_seq();
    store.revoke_personal(name, "again", "person:u1", after(3)).await.expect("store");
    assert_eq!(store.index().last_seq(), seq, "once is enough");
    let nobody = store.revoke_personal(&"no".into(), "lost", "person:u1", after(1)).await;
    assert_eq!(nobody.expect("store"), None);
}

#[tokio::test]
async fn uses_are_shared_at_once_and_written_down_in_the_background() {
    let (fixture, secret, token) = house().await;
    let store = &fixture.store;
    let (first, second) = (find(store, &secret), find(store, &secret));
    let ip = Some("192.0.2.7".parse().expect("ip"));
    let used = first.used(after(60), ip, Some("/orders/{id}"), &scopes("orders:read"));
    assert_eq!(second.uses.last(), after(60), "whoever holds it");
    store.keep_use(used.expect("the first use"));
    let fixture = fixture.reopen(after(61)).await;
    let store = &fixture.store;
    let held = store.personal_token(&token.terms.token).await.expect("store").expect("token");
    let last = held.last_use.expect("used");
    assert_eq!((last.at, last.ip, last.route.as_deref()), (after(60), ip, Some("/orders/{id}")));
    assert_eq!(held.used_scopes, scopes("orders:read"));
    let found = find(store, &secret);
    assert!(!found.is_over(after(7 * DAY + 59)));
    assert!(found.is_over(after(7 * DAY + 60)), "idle since its last use");
    assert!(store.narrow_personal(&token.terms.token, &held.used_scopes).await.expect("store"));
    assert_eq!(find(store, &secret).terms.scopes, scopes("orders:read"));
}

#[tokio::test]
async fn it_is_forgotten_a_week_after_its_end() {
    let (fixture, secret, _) = house().await;
    let store = &fixture.store;
    let forgotten = store.forget(after(90 * DAY)).await.expect("forget");
    assert_eq!(forgotten, Forgotten { issued_tokens: 1, ..Forgotten::default() });
    assert!(store.find(secret.expose()).expect("store").is_some());
    let forgotten = store.forget(after(97 * DAY)).await.expect("forget");
    assert_eq!(forgotten, Forgotten { personal_tokens: 1, ..Forgotten::default() });
    assert!(store.find(secret.expose()).expect("store").is_none());
}

#[tokio::test]
async fn an_owner_is_told_of_an_end_once_for_each_time_before() {
    let (fixture, _, token) = house().await;
    let store = &fixture.store;
    let names = async |days: u64, at| {
        let within = Duration::from_secs(days * DAY);
        let found = store.personal_ending(within, at).await.expect("store");
        found.into_iter().map(|one| one.terms.token).collect::<Vec<_>>()
    };
    assert!(names(7, after(82 * DAY)).await.is_empty(), "too early");
    let mine = vec![token.terms.token.clone()];
    assert_eq!(names(7, after(83 * DAY)).await, mine);
    assert!(names(7, after(84 * DAY)).await.is_empty(), "told");
    assert_eq!(names(1, after(89 * DAY)).await, mine);
    assert!(names(7, after(89 * DAY)).await.is_empty(), "told of less already");
    assert!(names(1, after(90 * DAY)).await.is_empty(), "over");
    // Made for a week: its owner knows.
    let (secret, mut short) = (value(), stored(Owner::Person(SubjectId::from("u1"))));
    short.terms.expires_at = after(7 * DAY);
    store.create_personal(&secret, &short).await.expect("token");
    assert!(names(7, NOW).await.is_empty());
    assert_eq!(names(1, after(6 * DAY)).await, [short.terms.token.clone()]);
    let revoked = store.revoke_personal(&mine[0], "x", "admin:u9", after(83 * DAY)).await;
    assert!(revoked.expect("store").is_some());
    assert!(names(3, after(88 * DAY)).await.is_empty(), "revoked");
}
