//! Opaque tokens: what they stand for is checked as if it had come itself.

use std::time::Duration;

use serde_json::json;
use token::event::TokenKind;
use token::id::{GrantId, TokenId};
use token::opaque::Family;
use token::random::OsRandom;
use token::restriction::{Effect, Selector};

use super::support::upstream::Recording;
use super::support::{House, error, field, settings, status};

async fn house() -> (House, Recording) {
    let upstream = Recording::new().await;
    (House::new(upstream.address).await, upstream)
}

/// `status reason` of a request with this token.
async fn verdict(house: &House, token: &str) -> String {
    let answer = house.ask_as(token, "GET /orders/7", "").await;
    let (_, request) = house.events.next().await;
    match request.refused {
        Some(refused) => format!("{} {refused}", status(&answer)),
        None => status(&answer).to_string(),
    }
}

#[tokio::test]
async fn it_is_looked_up_once_and_never_goes_on() {
    let (house, upstream) = house().await;
    let claims = house.claims();
    let token = house.shelf.keep(&house.sign(&claims));
    let answer = house.ask_as(&token, "GET /orders/7", "").await;
    assert_eq!(status(&answer), 200);
    let (event, request) = house.events.next().await;
    assert_eq!(request.token_kind, TokenKind::Opaque);
    assert_eq!(event.who.token.expect("verified").as_str(), claims["jti"].as_str().expect("jti"));
    assert_eq!(verdict(&house, &token).await, "200", "and from the cache");
    assert_eq!(house.shelf.asked(), 1);
    let requests = upstream.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| !request.contains("twa_") && !request.contains("eyJ")));
}

#[tokio::test]
async fn the_upstream_gets_the_value_that_was_presented_where_it_wants_it() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.forward_token = true;
    let house = House::with(settings).await;
    let token = house.shelf.keep(&house.token("orders:read"));
    assert_eq!(verdict(&house, &token).await, "200");
    let request = upstream.requests().remove(0);
    assert_eq!(field(&request, "authorization"), Some(format!("Bearer {token}").as_str()));
}

#[tokio::test]
async fn what_is_taken_back_is_refused_at_once_by_any_name() {
    let (house, _upstream) = house().await;
    for by_grant in [false, true] {
        let claims = house.claims();
        let token = house.shelf.keep(&house.sign(&claims));
        assert_eq!(verdict(&house, &token).await, "200");
        tokio::time::sleep(Duration::from_millis(2)).await;
        house.restrict(
            if by_grant {
                Selector::Grant(GrantId::from("g1"))
            } else {
                Selector::Token(TokenId::from(claims["jti"].as_str().expect("jti")))
            },
            Effect::Revoke,
        );
        assert_eq!(verdict(&house, &token).await, "401 revoked");
    }
}

#[tokio::test]
async fn what_it_stands_for_is_held_to_every_rule() {
    let (house, upstream) = house().await;
    let mut old = house.claims();
    old["exp"] = json!(house.clock_secs() - 1);
    let good = house.token("orders:read");
    let cases = [
        (house.sign(&old), "401 expired"),
        (house.token_with("aud", json!("https://other.example")), "401 wrong_audience"),
        (house.token_with("iss", json!("https://other.example")), "401 wrong_issuer"),
        (house.token("orders:write"), "403 insufficient_scope"),
        (format!("{}AAAA", &good[..good.len() - 4]), "401 forged:bad_signature"),
        // One step, not a chain of them.
        (house.shelf.keep(&good), "401 malformed"),
    ];
    for (jwt, expected) in cases {
        let token = house.shelf.keep(&jwt);
        assert_eq!(verdict(&house, &token).await, expected);
        assert_eq!(verdict(&house, &token).await, expected, "again");
    }
    // From the cache, its time passes all the same.
    let token = house.shelf.keep(&good);
    assert_eq!(verdict(&house, &token).await, "200");
    house.clock.advance(Duration::from_secs(301));
    assert_eq!(verdict(&house, &token).await, "401 expired");
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn a_stranger_is_looked_up_once_and_garbage_never() {
    let (house, _upstream) = house().await;
    let stranger = Family::Access.generate(&OsRandom::new());
    assert_eq!(verdict(&house, stranger.expose()).await, "401 unknown_token");
    assert_eq!(verdict(&house, stranger.expose()).await, "401 unknown_token");
    assert_eq!(house.shelf.asked(), 1);
    let cut = &stranger.expose()[..52];
    let altered = format!("{cut}{}", if stranger.expose().ends_with('0') { "1" } else { "0" });
    let refresh = Family::Refresh.generate(&OsRandom::new());
    for garbage in ["twa_", "twa_x", cut, &altered, refresh.expose()] {
        assert_eq!(verdict(&house, garbage).await, "401 malformed", "{garbage}");
    }
    assert_eq!(house.shelf.asked(), 1);
}

#[tokio::test]
async fn while_nothing_can_be_looked_up_only_known_tokens_pass() {
    let (house, _upstream) = house().await;
    let [known, new] = [0, 1].map(|_| house.shelf.keep(&house.token("orders:read")));
    assert_eq!(verdict(&house, &known).await, "200");
    house.shelf.set_broken(true);
    assert_eq!(verdict(&house, &known).await, "200");
    let answer = house.ask_as(&new, "GET /orders/7", "").await;
    assert_eq!((status(&answer), error(&answer).as_str()), (503, "temporarily_unavailable"));
    assert_eq!(field(&answer, "www-authenticate"), None, "the token may be good");
    let (_, request) = house.events.next().await;
    assert_eq!(request.refused.expect("refused").to_string(), "unavailable");
    house.shelf.set_broken(false);
    assert_eq!(verdict(&house, &new).await, "200", "a failure is not remembered");
}
