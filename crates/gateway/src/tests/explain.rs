//! What is told of a request afterwards: each step, what was demanded, what was there; no credential.

use std::time::Duration;

use serde_json::{Value, json};
use token::explanation::{Explanation, Outcome};
use token::restriction::{Effect, Selector};
use token::time::Timestamp;

use super::support::upstream::Recording;
use super::support::{House, field, settings};
use crate::explain::Kept;
use crate::limit::{Amount, Dimension, LimitRule};
use crate::settings::{Access, ClaimRule, Further};

/// The explanation of the request that got this answer, once its event is there.
async fn explain(house: &House, answer: &str) -> Explanation {
    house.events.next().await;
    let id = field(answer, "x-request-id").expect("a name");
    house.explainer.explain(id).expect("remembered")
}

/// The step that failed, and what is said of it.
#[track_caller]
fn failed(told: &Explanation) -> (&str, &str) {
    let mut failed = told.steps.iter().filter(|step| step.outcome == Outcome::Failed);
    let (one, none) = (failed.next().expect("a failure"), failed.next());
    assert_eq!(none, None);
    let at = told.steps.iter().position(|step| step.step == one.step).expect("there");
    let earlier = |outcome| matches!(outcome, Outcome::Passed | Outcome::NotNeeded);
    assert!(told.steps[..at].iter().all(|step| earlier(step.outcome)), "{told:?}");
    assert!(
        told.steps[at + 1..].iter().all(|step| step.outcome == Outcome::NotReached),
        "{told:?}"
    );
    (one.step, one.detail.as_deref().expect("words"))
}

#[tokio::test]
async fn a_request_that_was_let_through() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    let answer = house.ask_as(&token, "GET /orders/7?secret=query", "Cookie: a=kept-out\r\n").await;
    let told = explain(&house, &answer).await;
    assert!(told.steps.iter().all(|step| step.outcome == Outcome::Passed), "{told:?}");
    assert_eq!((told.door, told.method.as_str(), told.status), ("gateway", "GET", 200));
    assert_eq!((told.path.as_str(), told.route.as_deref()), ("/orders/7", Some("/orders/{id}")));
    assert_eq!(told.upstream, Some(format!("api ({})", upstream.address)));
    assert!(told.upstream_us.is_some_and(|us| us <= told.latency_us), "{told:?}");
    assert_eq!(told.who.subject.as_ref().map(|subject| subject.as_str()), Some("u1"));
    let text = serde_json::to_string(&told).expect("JSON");
    for kept_out in [token.as_str(), token.rsplit('.').next().expect("part"), "secret", "kept-out"]
    {
        assert!(!text.contains(kept_out), "{text}");
    }
    let names: Vec<&str> = told.steps.iter().map(|step| step.step).collect();
    assert_eq!(
        names.join(" "),
        "clear target framing route present verify bind in_force permit within admit inspect forward"
    );
}

#[tokio::test]
async fn a_public_route_needs_no_token() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let told = explain(&house, &house.ask("GET /open/1", "").await).await;
    for step in &told.steps {
        let about_token = ["present", "verify", "bind", "in_force"].contains(&step.step);
        let expected = if about_token { Outcome::NotNeeded } else { Outcome::Passed };
        assert_eq!(step.outcome, expected, "{step:?}");
    }
}

#[tokio::test]
async fn each_refusal_names_its_step_and_what_was_there() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    let pace = "1/h".parse().expect("pace");
    settings.limits = vec![LimitRule {
        name: "hourly".into(),
        by: vec![Dimension::Token],
        amount: Amount::Quota(pace),
        classes: Vec::new(),
        routes: vec!["/files/{rest...}".into()],
    }];
    let house = House::with(settings).await;
    let good = house.token("orders:read");
    let cases = [
        (
            String::new(),
            "GET /orders/7",
            "present",
            "an access token is needed in the Authorization field",
        ),
        (
            good.clone(),
            "PUT /orders/7",
            "permit",
            "demands `orders:read orders:write`; the token has `orders:read`",
        ),
        (
            good.clone(),
            "GET /ledger",
            "permit",
            "demands https://ledger.example; the token is for https://api.example",
        ),
        (good.clone(), "GET /nothing", "permit", "nothing is at this path"),
        (
            good.clone(),
            "GET /a/../b",
            "target",
            "the path has a segment `.` or `..`; send the path that is meant",
        ),
        ("a.b.c".to_owned(), "GET /orders/7", "verify", "malformed: "),
    ];
    for (token, line, step, words) in cases {
        let answer = match token.as_str() {
            "" => house.ask(line, "").await,
            token => house.ask_as(token, line, "").await,
        };
        let told = explain(&house, &answer).await;
        let (at, said) = failed(&told);
        assert_eq!(at, step, "{line}: {said}");
        assert!(said.starts_with(words), "{line}: {said}");
    }
    house.ask_as(&good, "GET /files/a", "").await;
    house.events.next().await;
    let told = explain(&house, &house.ask_as(&good, "GET /files/a", "").await).await;
    let (step, said) = failed(&told);
    assert_eq!(
        (step, said.starts_with("\"hourly\" is reached; more in ")),
        ("within", true),
        "{said}"
    );
    let seq = house.restrict(Selector::Subject("u1".into()), Effect::Revoke);
    let told = explain(&house, &house.ask_as(&good, "GET /orders/7", "").await).await;
    let revoked = format!("the token was revoked; restriction {seq}: revoke subject:u1");
    assert_eq!(failed(&told), ("in_force", revoked.as_str()));
    let seq =
        house.restrict(Selector::Network("127.0.0.0/8".parse().expect("net")), Effect::Suspend);
    let told = explain(&house, &house.ask("GET /open/1", "").await).await;
    let (step, said) = failed(&told);
    assert_eq!(step, "clear");
    assert!(said.contains(&format!("restriction {seq}: suspend network:127.0.0.0/8")), "{said}");
}

/// What a route demands is told whole, also where it was met.
#[tokio::test]
async fn alternatives_and_claims_are_named() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    let set = |scopes: &str| scopes.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let one_of = ["sales*", "support"].map(str::to_owned);
    let staff = ClaimRule::new("department", &one_of).expect("a rule");
    settings.routes[0].access = Access::Token {
        scopes: Vec::new(),
        audiences: Vec::new(),
        further: Further {
            any_scopes: vec![set("orders:write"), set("orders:import orders:read")],
            claims: vec![staff],
            ..Further::default()
        },
    };
    let house = House::with(settings).await;
    let sets = "demands `orders:write` or `orders:import orders:read`";
    let told = explain(&house, &house.ask_as(&house.token("x"), "GET /orders", "").await).await;
    assert_eq!(failed(&told), ("permit", format!("{sets}; the token has `x`").as_str()));
    let token = house.token("orders:write");
    let told = explain(&house, &house.ask_as(&token, "GET /orders", "").await).await;
    let wanted = "the claim `department` is `sales*` or the claim `department` is `support`";
    assert_eq!(failed(&told), ("permit", format!("demands that {wanted}").as_str()));
    let token = house.token_with("department", json!("support"));
    let told = explain(&house, &house.ask_as(&token, "GET /orders", "").await).await;
    let permit = told.steps.iter().find(|step| step.step == "permit").expect("permit");
    assert_eq!(permit.detail, Some(format!("{sets}, which the token has")));
}

/// Audiences, and by how much a time was missed when the request came, not when the token was first seen.
#[tokio::test]
async fn what_a_token_missed_is_measured() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let elsewhere = house.token_with("aud", json!(["https://elsewhere.example", "b"]));
    let now = house.clock_secs();
    let (end, start) = (now - 1_000, now + 1_000);
    let (old, early) = (house.token_with("exp", json!(end)), house.token_with("nbf", json!(start)));
    let short = house.token_with("exp", json!(now + 10));
    house.ask_as(&old, "GET /orders/7", "").await;
    house.ask_as(&short, "GET /orders/7", "").await;
    house.events.next().await;
    house.events.next().await;
    house.clock.advance(Duration::from_secs(100));
    let at = Timestamp::from_secs;
    for (token, words) in [
        (elsewhere, None),
        (old, Some(("expired", "ended", end))),
        (early, Some(("not_yet_valid", "begins", start))),
        (short, Some(("expired", "ended", now + 10))),
    ] {
        let told = explain(&house, &house.ask_as(&token, "GET /orders/7", "").await).await;
        let words = match words {
            None => "wrong_audience: demands https://api.example, https://ledger.example; the token is for \
                     https://elsewhere.example, b"
                .to_owned(),
            Some((reason, verb, secs)) => {
                let (apart, side) = match verb {
                    "ended" => (told.at.since(at(secs)), "before"),
                    _ => (at(secs).since(told.at), "later"),
                };
                let apart = apart.as_secs();
                format!(
                    "{reason}: the token {verb} {apart} s {side}, at {}; 0 s are let pass",
                    at(secs)
                )
            }
        };
        assert_eq!(failed(&told), ("verify", words.as_str()));
        let text = serde_json::to_string(&told).expect("JSON");
        assert!(!text.contains(token.rsplit('.').next().expect("a signature")), "{text}");
    }
}

#[tokio::test]
async fn refusals_outlast_what_is_let_through_and_memory_is_bounded() {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.kept = Kept { refused: 2, passed: 1 };
    let house = House::with(settings).await;
    let refused = house.ask("GET /orders/7", "").await;
    let mut passed = Vec::new();
    for _ in 0..3 {
        passed.push(house.ask("GET /open/1", "").await);
    }
    for _ in 0..4 {
        house.events.next().await;
    }
    let known = |answer: &String| {
        let id = field(answer, "x-request-id").expect("a name");
        house.explainer.explain(id).is_some()
    };
    assert!(known(&refused));
    assert_eq!(passed.iter().map(known).collect::<Vec<_>>(), [false, false, true]);
}

#[tokio::test]
async fn an_api_that_fails_is_said_to() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    drop(listener);
    let house = House::new(address).await;
    let told = explain(&house, &house.ask("GET /open/1", "").await).await;
    let (step, said) = failed(&told);
    assert_eq!(step, "forward");
    let at = format!("the API behind the gateway failed ({address}: no connection came about: ");
    assert!(said.starts_with(&at) && said.contains("refused"), "{said}");
    assert_eq!(told.upstream, Some(format!("api ({address})")));
    assert_eq!(told.upstream_us, None);
    let json: Value = serde_json::to_value(&told).expect("JSON");
    assert_eq!(json["status"], 502);
}
