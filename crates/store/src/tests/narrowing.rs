//! A person takes back a part: grants, codes, refresh tokens and what is out lose it, and nothing else.

use token::restriction::{Effect, Selector};
use token::scope::ScopeSet;

use super::support::{Fixture, NOW, after, allowed, begin, code, facts, name, new_refresh, scopes};
use crate::{ClaimsRequest, Code, Consent, GrantsOf, NewRefresh, Store, TakenBack};

/// A code whose grant has these scopes, and claims by name.
fn code_of(id: &str, wanted: &str) -> Code {
    let mut code = code(id);
    code.grant.scopes = scopes(wanted);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    code.grant.claims = ClaimsRequest { userinfo: names(&["email", "name"]), id_token: Vec::new() };
    code
}

/// Takes scopes back from `c1`; `orders:write` includes `orders:read`.
async fn take(store: &Store, taken: &str) -> bool {
    let taken = TakenBack { scopes: scopes(taken), claims: vec!["email".to_owned()] };
    let reach = |held: &ScopeSet| match held.contains("orders:write") {
        true => held.union(&scopes("orders:read")),
        false => held.clone(),
    };
    let (subject, client) = ("u1".into(), "c1".into());
    let taken = store.take_back(&subject, &client, taken, reach, "subject:u1", NOW);
    taken.await.expect("store")
}

#[tokio::test]
async fn a_scope_is_taken_back_everywhere_at_once() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let (subject, client) = ("u1".into(), "c1".into());
    let all = "email openid orders:write";
    store.save_consent(&subject, &client, &allowed(all), NOW).await.expect("consent");
    let first = code_of("g1", all);
    store.save_code(&first).await.expect("code");
    let refresh = NewRefresh { scopes: scopes(all), ..new_refresh("refresh") };
    store.redeem_code(&first.hash, Some(refresh), None, NOW).await.expect("redeemed");
    store.save_code(&code_of("g2", all)).await.expect("code");
    store.save_code(&code_of("g3", "orders:write")).await.expect("code");
    // In memory, as every refresh token that was shown.
    store.refresh_to_rotate(&name("refresh")).await.expect("store").expect("refresh");
    store.claims_of(&"g1".into()).await.expect("store").expect("claims");

    assert!(take(store, "orders:write").await);
    let consent = store.consent(&subject, &client).await.expect("store");
    assert_eq!(consent.allowed, scopes("email openid"));
    assert_eq!(consent.refused, scopes("orders:write"));
    let held = store.grants_of(GrantsOf::Subject(&subject), NOW, 9).await.expect("grants");
    assert_eq!(held[0].scopes, scopes("email openid"));
    assert_eq!(held[0].claims.userinfo, ["name"]);
    let refresh = store.refresh_to_rotate(&name("refresh")).await.expect("store").expect("refresh");
    assert_eq!((refresh.scopes, refresh.ended), (scopes("email openid"), false));
    assert_eq!(refresh.grant.scopes, scopes("email openid"));
    let claims = store.claims_of(&"g1".into()).await.expect("store").expect("claims");
    assert_eq!(claims.userinfo, ["name"]);
    let waiting = store.code(&code("g2").hash).await.expect("store").expect("code");
    assert_eq!(waiting.code.grant.scopes, scopes("email openid"));
    assert!(store.code(&code("g3").hash).await.expect("store").is_none());
    // With what it includes: a refresh may have made a token with that alone.
    let dropped = store.index().dropped_scopes(&facts("t1"), after(2999));
    assert_eq!(dropped, scopes("orders:read orders:write"));
    assert!(store.index().on_token(&facts("t1"), NOW).is_none());
    assert!(!take(store, "orders:write").await, "there is nothing of it any more");
    assert_eq!(store.index().len(), 1);

    let fixture = fixture.reopen(NOW).await;
    let dropped = fixture.store.index().dropped_scopes(&facts("t1"), NOW);
    assert_eq!(dropped, scopes("orders:read orders:write"));
}

#[tokio::test]
async fn a_grant_of_which_nothing_is_left_ends() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    begin(store, &code_of("g1", "orders:write"), "refresh").await;
    assert!(take(store, "orders:write").await);
    let restriction = store.index().on_token(&facts("t1"), NOW).expect("restriction");
    assert_eq!(restriction.selector, Selector::Grant("g1".into()));
    assert_eq!(restriction.effect, Effect::Revoke);
    assert!(store.refresh(&name("refresh")).await.expect("store").expect("refresh").ended);
}

#[tokio::test]
async fn what_another_has_is_left_alone() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let mut other = code_of("g1", "openid orders:write");
    other.grant.client = "c2".into();
    begin(store, &other, "refresh").await;
    assert!(!take(store, "orders:write").await);
    let refresh = store.refresh(&name("refresh")).await.expect("store").expect("refresh");
    assert_eq!(refresh.scopes, scopes("openid orders:read"));
    assert_eq!(refresh.grant.scopes, scopes("openid orders:write"));
    let nobody = store.consent(&"u1".into(), &"c1".into()).await.expect("store");
    assert_eq!(nobody, Consent::default());
}
