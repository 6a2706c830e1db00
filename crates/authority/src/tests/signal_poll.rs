//! Security events that their receiver fetches: kept until they are acknowledged, for that receiver alone.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use store::{DeliveryState, NewRestriction};
use token::jws::Jws;
use token::restriction::{Effect, Selector};
use token::secret::Secret;

use super::support::{Answer, Harness, settings};
use crate::Settings;
use crate::signals::Stream;
use crate::signals::event::EventType;
use crate::signals::poll::Poll;

const TOKEN: &str = "let-me-fetch";

fn stream(name: &str, fetched_with: Option<&str>) -> Stream {
    Stream {
        name: name.to_owned(),
        audience: format!("https://{name}.example"),
        events: EventType::ALL.to_vec(),
        fetched_with: fetched_with.map(Secret::new),
    }
}

/// Two receivers that fetch and one that does not, all of whom have read the logs before anything happens.
async fn harness() -> Harness {
    let streams =
        vec![stream("crm", Some(TOKEN)), stream("erp", Some("another")), stream("pushed", None)];
    let harness = Harness::with(Settings { streams, ..settings() }).await;
    harness.authority.signal().await.expect("signal");
    harness
}

/// A suspension without an end is two events.
async fn suspend(harness: &Harness, subject: &str) {
    let now = harness.now();
    let row = NewRestriction {
        selector: Selector::Subject(subject.into()),
        effect: Effect::Suspend,
        from: now,
        until: None,
        reason: "test".to_owned(),
        actor: "admin:root".to_owned(),
    };
    harness.store.restrict(row, now).await.expect("held");
    harness.authority.signal().await.expect("signal");
}

async fn ask_as(harness: &Harness, stream: &str, field: Option<&str>, body: &str) -> Answer {
    let mut request = Request::post(format!("/ssf/poll/{stream}"))
        .header("content-type", "application/json; charset=utf-8");
    if let Some(field) = field {
        request = request.header("authorization", field);
    }
    harness.send(request.body(Body::from(body.to_owned())).expect("request")).await
}

async fn ask(harness: &Harness, stream: &str, body: Value) -> Value {
    let token = if stream == "crm" { TOKEN } else { "another" };
    let answer = ask_as(harness, stream, Some(&format!("Bearer {token}")), &body.to_string()).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

fn now_only() -> Value {
    json!({ "returnImmediately": true })
}

fn names(answer: &Value) -> Vec<String> {
    answer["sets"].as_object().expect("sets").keys().cloned().collect()
}

async fn waiting(harness: &Harness, stream: &str) -> u64 {
    harness.store.delivery_counts(stream).await.expect("store").waiting
}

#[tokio::test]
async fn an_event_comes_again_until_it_is_acknowledged() {
    let harness = harness().await;
    let nothing = ask(&harness, "crm", now_only()).await;
    assert_eq!(nothing, json!({ "sets": {}, "moreAvailable": false }));
    suspend(&harness, "alice-id").await;
    let first = ask(&harness, "crm", now_only()).await;
    assert_eq!((names(&first).len(), &first["moreAvailable"]), (2, &json!(false)));
    for (jti, token) in first["sets"].as_object().expect("sets") {
        let jws = Jws::parse(token.as_str().expect("text")).expect("JWS");
        let claims: Value = serde_json::from_slice(jws.unverified_payload()).expect("JSON");
        assert_eq!((&claims["jti"], &claims["aud"]), (&json!(jti), &json!("https://crm.example")));
    }
    assert_eq!(ask(&harness, "crm", now_only()).await, first, "the same, byte for byte");

    let held = names(&first);
    let answer = ask(
        &harness,
        "crm",
        json!({ "returnImmediately": true, "ack": [held[0], "unknown", ""], "later": 1 }),
    )
    .await;
    assert_eq!(names(&answer), [held[1].clone()]);
    // What was acknowledged does not come back with a restart.
    let harness = harness.restart().await;
    assert_eq!(names(&ask(&harness, "crm", now_only()).await), [held[1].clone()]);
    let over = ask(&harness, "crm", json!({ "ack": held, "maxEvents": 0 })).await;
    assert_eq!(over, json!({ "sets": {}, "moreAvailable": false }));
    assert_eq!(waiting(&harness, "crm").await, 0);
    assert_eq!(waiting(&harness, "erp").await, 2, "everybody acknowledges for themselves");
}

#[tokio::test]
async fn nobody_fetches_or_acknowledges_for_another() {
    let harness = harness().await;
    suspend(&harness, "alice-id").await;
    let theirs = names(&ask(&harness, "erp", now_only()).await);
    let refusals = [
        ("crm", None),
        ("crm", Some("Bearer another")),
        ("crm", Some("Bearer ")),
        ("crm", Some("Basic let-me-fetch")),
        ("erp", Some("Bearer let-me-fetch")),
        ("pushed", Some("Bearer let-me-fetch")),
        ("pushed", Some("Bearer ")),
        ("nobody", Some("Bearer let-me-fetch")),
    ];
    for (stream, field) in refusals {
        let answer = ask_as(&harness, stream, field, r#"{"returnImmediately":true}"#).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"), "{stream}");
        assert_eq!(answer.json()["err"], "authentication_failed");
    }
    let errors: Value = theirs.iter().map(|jti| (jti.clone(), json!({ "err": "x" }))).collect();
    let body = json!({ "ack": theirs, "setErrs": errors, "returnImmediately": true });
    ask(&harness, "crm", body).await;
    assert_eq!(names(&ask(&harness, "erp", now_only()).await), theirs);
    assert_eq!(waiting(&harness, "pushed").await, 2);
}

#[tokio::test]
async fn what_is_refused_is_given_up_with_the_cause() {
    let harness = harness().await;
    suspend(&harness, "alice-id").await;
    let held = names(&ask(&harness, "crm", now_only()).await);
    let words = "wrong\u{7}\n key ".repeat(100);
    let errors = json!({ &held[0]: { "err": "invalid_key", "description": words, "more": [] } });
    let answer =
        ask(&harness, "crm", json!({ "setErrs": errors, "returnImmediately": true })).await;
    assert_eq!(names(&answer), [held[1].clone()]);
    let dead = harness.store.deliveries(DeliveryState::Dead, None, 10).await.expect("store");
    assert_eq!((dead.len(), dead[0].id.as_str()), (1, held[0].as_str()));
    let cause = dead[0].cause.as_deref().expect("a cause");
    assert!(cause.starts_with("it refuses the event: invalid_key wrong key"), "{cause}");
    assert!(cause.len() < 300 && !cause.contains(char::is_control), "{cause}");
    // Somebody has it tried again, and it is taken.
    assert!(harness.store.deliver_again(&dead[0].id, harness.now()).await.expect("store"));
    assert_eq!(names(&ask(&harness, "crm", now_only()).await).len(), 2);
}

#[tokio::test]
async fn so_many_at_a_time_the_oldest_first() {
    let harness = harness().await;
    for number in 0..60 {
        suspend(&harness, &format!("person-{number:02}")).await;
        harness.clock.pass(1);
    }
    let five = ask(&harness, "crm", json!({ "maxEvents": 5 })).await;
    assert_eq!((names(&five).len(), &five["moreAvailable"]), (5, &json!(true)));
    let all = ask(&harness, "crm", json!({ "maxEvents": 4_000_000_000_u32 })).await;
    assert_eq!((names(&all).len(), &all["moreAvailable"]), (100, &json!(true)));
    assert!(names(&five).iter().all(|jti| names(&all).contains(jti)), "the oldest come first");
    let rest = ask(&harness, "crm", json!({ "ack": names(&all) })).await;
    assert_eq!((names(&rest).len(), &rest["moreAvailable"]), (20, &json!(false)));
    let none = ask(&harness, "crm", json!({ "maxEvents": 0 })).await;
    assert_eq!(none, json!({ "sets": {}, "moreAvailable": true }));
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_acknowledges_nothing() {
    let harness = harness().await;
    suspend(&harness, "alice-id").await;
    let held = names(&ask(&harness, "crm", now_only()).await);
    let bodies = [
        String::new(),
        "[]".to_owned(),
        "null".to_owned(),
        format!(r#"{{"ack":["{}"],"maxEvents":-1}}"#, held[0]),
        format!(r#"{{"ack":["{}"],"maxEvents":1.5}}"#, held[0]),
        format!(r#"{{"ack":["{}"],"ack":[]}}"#, held[0]),
        format!(r#"{{"ack":"{}"}}"#, held[0]),
        format!(r#"{{"ack":["{}"],"returnImmediately":"true"}}"#, held[0]),
        format!(r#"{{"ack":["{}"]"#, held[0]),
        r#"{"setErrs":{"a":"b"}}"#.to_owned(),
    ];
    let field = format!("Bearer {TOKEN}");
    for body in bodies {
        let answer = ask_as(&harness, "crm", Some(&field), &body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        assert_eq!(answer.json()["err"], "invalid_request", "{body}");
    }
    let long = format!(r#"{{"ack":["{}"],"x":"{}"}}"#, held[0], "y".repeat(70_000));
    assert_eq!(ask_as(&harness, "crm", Some(&field), &long).await.status, 413);
    let form = Request::post("/ssf/poll/crm")
        .header("authorization", &field)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("ack=1"));
    assert!(matches!(harness.send(form.expect("request")).await.status, 400 | 415));
    assert_eq!(waiting(&harness, "crm").await, 2);
}

#[tokio::test]
async fn it_waits_for_an_event_but_not_for_ever_and_not_for_everybody() {
    const EVER: Duration = Duration::from_hours(1);
    let harness = harness().await;
    let stream = harness.authority.fetched_stream("crm", TOKEN).expect("a stream").clone();
    let ask = async |longest| {
        let polled = harness.authority.poll(&stream, Poll::default(), longest).await;
        polled.expect("store").events.len()
    };
    assert_eq!(ask(Duration::from_millis(20)).await, 0, "nothing comes");

    let one_too_many = async {
        let held = ask(EVER).await;
        suspend(&harness, "alice-id").await;
        held
    };
    let all = async { tokio::join!(ask(EVER), ask(EVER), ask(EVER), ask(EVER), one_too_many) };
    let (one, two, three, four, fifth) = bounded(all).await;
    assert_eq!(([one, two, three, four], fifth), ([2; 4], 0));
    // Their places are free again.
    let held = harness.store.due_deliveries("crm", harness.now(), 10).await.expect("store");
    let taken: Vec<_> = held.into_iter().map(|one| one.id).collect();
    harness.store.settle_deliveries("crm", taken, Vec::new(), harness.now()).await.expect("store");
    let happens = suspend(&harness, "bob-id");
    assert_eq!(bounded(async { tokio::join!(ask(EVER), happens) }).await.0, 2);
    // A process that stops lets nobody wait.
    harness.authority.stop_waiting();
    let other = harness.authority.fetched_stream("erp", "another").expect("a stream").clone();
    let rest = harness.store.due_deliveries("erp", harness.now(), 10).await.expect("store");
    let taken = rest.into_iter().map(|one| one.id.to_string()).collect();
    let asked = Poll { taken, ..Poll::default() };
    let answer = bounded(harness.authority.poll(&other, asked, EVER)).await.expect("store");
    assert!(answer.events.is_empty());
}

async fn bounded<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("in time")
}
