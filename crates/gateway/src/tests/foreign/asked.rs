//! Tokens that another issuer is asked about: once for everybody, for a while, and never of another.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http::Request;
use serde_json::{Value, json};
use token::base64url;
use token::event::TokenKind;
use token::opaque::Family;
use token::random::OsRandom;

use super::{IDP, Idp, OTHER, Scene, asked_about, issuer, sign, verdict};
use crate::ForeignIssuer;
use crate::forward_auth::ForwardAuth;
use crate::tests::support::upstream::Recording;
use crate::tests::support::{House, settings, status};

#[tokio::test]
async fn an_opaque_token_is_asked_about_once_and_again_when_that_is_old() {
    let scene = Scene::new().await;
    let token = scene.idp.opaque("idp_", scene.active("token_type", json!("Bearer")));
    let crowd = (0..20).map(|_| scene.house.ask_as(&token, "GET /orders/7", ""));
    for answer in futures_util::future::join_all(crowd).await {
        assert_eq!(status(&answer), 200);
        let (event, request) = scene.house.events.next().await;
        assert_eq!(request.token_kind, TokenKind::Opaque);
        assert_eq!(event.who.subject.expect("subject").as_str(), "https://idp.example|u1");
    }
    assert_eq!(scene.idp.questions(), 1, "one question for everybody");
    // Taken back there: known here when the answer is old, and no sooner.
    scene.idp.say(&token, json!({ "active": false }));
    assert_eq!(scene.ask(&token).await, "200");
    scene.house.clock.advance(Duration::from_secs(31));
    assert_eq!(scene.ask(&token).await, "401 unknown_token");
    assert_eq!(scene.ask(&token).await, "401 unknown_token");
    assert_eq!(scene.idp.questions(), 2);
    // That it is not good counts shortly.
    scene.idp.say(&token, scene.active("sub", json!("u1")));
    scene.house.clock.advance(Duration::from_secs(6));
    assert_eq!(scene.ask(&token).await, "200");
    assert_eq!(scene.idp.questions(), 3);
}

#[tokio::test]
async fn no_answer_counts_longer_than_the_token() {
    let scene = Scene::new().await;
    let ends = scene.house.clock_secs() + 10;
    let token = scene.idp.opaque("idp_", scene.active("exp", json!(ends)));
    assert_eq!(scene.ask(&token).await, "200");
    scene.house.clock.advance(Duration::from_secs(11));
    assert_eq!(scene.ask(&token).await, "401 expired");
}

#[tokio::test]
async fn an_answer_is_held_to_the_issuers_rules() {
    let scene = Scene::new().await;
    for (answer, expected) in [
        (scene.active("aud", json!("api://other")), "401 wrong_audience"),
        (scene.active("iss", json!(OTHER)), "401 wrong_issuer"),
        (scene.active("token_type", json!("refresh_token")), "401 wrong_type"),
        (scene.active("scope", json!("orders:write")), "403 insufficient_scope"),
        (scene.active("cnf", json!({ "jkt": base64url::encode([7; 32]) })), "401 dpop:missing"),
        (json!({ "active": true }), "401 malformed"),
        (json!("<html>"), "503 unavailable"),
        (Value::Null, "503 unavailable"),
    ] {
        let token = scene.idp.opaque("idp_", answer);
        assert_eq!(scene.ask(&token).await, expected);
    }
    assert_eq!(scene.upstream.requests().len(), 0);
}

#[tokio::test]
async fn a_token_is_shown_to_its_issuer_alone() {
    let scene = Scene::new().await;
    let secrets = Family::ALL.map(|family| family.generate(&OsRandom::new()));
    for text in secrets.iter().map(|secret| secret.expose()).chain(["garbage", "idp", "eyJ.x.y"]) {
        assert!(scene.ask(text).await.starts_with("401 "), "{text}");
    }
    assert_eq!((scene.idp.questions(), scene.other.questions()), (0, 0));
    assert_eq!(scene.ask("oth_x").await, "401 unknown_token");
    assert_eq!((scene.idp.questions(), scene.other.questions()), (0, 1));
    // A signed token that is good by its keys is shown to nobody.
    assert_eq!(scene.ask(&scene.token("jti", json!("t1"))).await, "200");
    assert_eq!(scene.idp.questions(), 0);
}

#[tokio::test]
async fn one_that_is_asked_about_everything_is_asked_about_jwts_too() {
    let upstream = Recording::new().await;
    let settings = settings(&format!("http://{}", upstream.address));
    let (idp, key) = Idp::start();
    let issuer = ForeignIssuer { keyring: None, ..issuer(IDP, &settings, &idp) };
    let house = House::with_issuers(settings, vec![asked_about("", issuer)]).await;
    let now = house.clock_secs();
    let claims = json!({
        "iss": IDP, "aud": "api://orders", "sub": "u1", "client_id": "c1", "iat": now,
        "exp": now + 300, "scope": "orders:read", "active": true,
    });
    let token = sign(&key, &claims);
    assert_eq!(verdict(&house, &token).await, "401 unknown_token");
    house.clock.advance(Duration::from_secs(6));
    idp.say(&token, claims);
    assert_eq!(verdict(&house, &token).await, "200");
    // A stranger's and our own are not its business.
    let stranger = sign(&key, &json!({ "iss": "https://stranger.example" }));
    assert!(verdict(&house, &stranger).await.starts_with("401 "));
    assert_eq!(verdict(&house, &house.token("orders:read")).await, "200");
    assert_eq!(idp.questions(), 2);
}

#[tokio::test]
async fn a_slow_issuer_keeps_nobody_else_waiting() {
    let scene = Scene::new().await;
    let slow = "idp_slow".to_owned();
    scene.idp.say(&slow, scene.active("sub", json!("u1")));
    let crowd = (0..20).map(|_| scene.house.ask_as(&slow, "GET /orders/7", ""));
    let others = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let token = scene.house.token("orders:read");
        let signed = scene.token("jti", json!("t1"));
        let began = Instant::now();
        for token in [&token, &signed] {
            assert_eq!(status(&scene.house.ask_as(token, "GET /orders/7", "").await), 200);
        }
        began.elapsed()
    };
    let (answers, took) =
        futures_util::future::join(futures_util::future::join_all(crowd), others).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(answers.iter().all(|answer| status(answer) == 200));
    assert_eq!(scene.idp.questions(), 1);
}

#[tokio::test]
async fn what_goes_away_while_it_waits_takes_nothing_along() {
    let scene = Scene::new().await;
    let slow = "idp_slow".to_owned();
    scene.idp.say(&slow, scene.active("sub", json!("u1")));
    let impatient = scene.house.ask_as(&slow, "GET /orders/7", "");
    assert!(tokio::time::timeout(Duration::from_millis(200), impatient).await.is_err());
    assert_eq!(status(&scene.house.ask_as(&slow, "GET /orders/7", "").await), 200);
    assert_eq!(scene.idp.questions(), 1, "it joined the question that was under way");
}

#[tokio::test]
async fn a_proxy_that_asks_waits_likewise() {
    let scene = Scene::new().await;
    let door = ForwardAuth::new(scene.house.checker.clone());
    let ask = async |token: &str| {
        let request = Request::get("/forward-auth")
            .header("x-forwarded-method", "GET")
            .header("x-forwarded-uri", "/orders/7")
            .header("x-forwarded-host", "api.example")
            .header("x-forwarded-for", "203.0.113.9")
            .header("authorization", format!("Bearer {token}"));
        door.answer(request.body(()).expect("request").into_parts().0).await
    };
    let token = scene.idp.opaque("idp_", scene.active("sub", json!("u1")));
    for _ in 0..2 {
        let answer = ask(&token).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["tokenward-subject"], "https://idp.example|u1");
    }
    assert_eq!(ask("idp_none").await.status(), 401);
    assert_eq!(scene.idp.questions(), 2);
    // And the other door knows what was asked here.
    assert_eq!(status(&scene.house.ask_as(&token, "GET /orders/7", "").await), 200);
    assert_eq!(scene.idp.questions(), 2);
}

#[tokio::test]
async fn so_many_are_asked_about_at_the_same_time_and_no_more() {
    let scene = Scene::new().await;
    let crowd = (0..300).map(|number| {
        let token = format!("idp_{number}");
        let house = &scene.house;
        async move { status(&house.ask_as(&token, "GET /orders/7", "").await) }
    });
    let seen = futures_util::future::join_all(crowd).await;
    assert!(seen.iter().all(|status| [401, 503].contains(status)), "{seen:?}");
    assert!(scene.idp.most.load(Ordering::SeqCst) <= 256);
}
