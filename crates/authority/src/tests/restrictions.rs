//! The restriction log for services that check tokens themselves.

use std::time::{Duration, Instant};

use serde_json::json;
use store::NewRestriction;
use token::restriction::{Effect, Selector};
use token::scope::ScopeSet;

use super::support::{Answer, Harness};

async fn harness() -> Harness {
    let harness = Harness::new().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let scopes = client.scopes.union(&ScopeSet::parse("tokenward:restrictions").expect("scope"));
    let client = store::Client { scopes, ..(*client).clone() };
    harness.store.update_client(&client).await.expect("client");
    harness
}

fn revoke(selector: Selector, harness: &Harness) -> NewRestriction {
    NewRestriction {
        selector,
        effect: Effect::Revoke,
        from: harness.authority.now(),
        until: None,
        reason: "found in a public repository".into(),
        actor: "admin:alice".into(),
    }
}

async fn ask(harness: &Harness, after: &str, wait: &str) -> Answer {
    let form = [("after", after), ("wait", wait)];
    harness.post("/restrictions", &harness.confidential, &form).await
}

#[tokio::test]
async fn what_was_taken_back_is_told_without_its_reason() {
    let harness = harness().await;
    let now = harness.authority.now();
    assert_eq!(
        ask(&harness, "0", "0").await.json(),
        json!({ "restrictions": [], "lifted": [], "upto": 0, "more": false })
    );
    let row = revoke(Selector::Subject("alice-id".into()), &harness);
    harness.store.restrict(row, now).await.expect("restriction");
    let answer = ask(&harness, "0", "0").await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let page = answer.json();
    let told = &page["restrictions"][0];
    assert_eq!(told["selector"], json!({ "kind": "subject", "value": "alice-id" }));
    assert_eq!((&told["effect"], &told["seq"]), (&json!("revoke"), &json!(1)));
    assert!(told["until"].is_string() && page["upto"] == 1);
    assert!(!answer.text.contains("repository") && !answer.text.contains("admin:"));
}

#[tokio::test]
async fn a_waiting_service_is_told_at_once() {
    let harness = harness().await;
    let began = Instant::now();
    let (answer, ()) = tokio::join!(ask(&harness, "0", "20"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let row = revoke(Selector::Client("pub".into()), &harness);
        harness.store.restrict(row, harness.authority.now()).await.expect("restriction");
    });
    assert_eq!(answer.json()["upto"], 1);
    assert!(began.elapsed() < Duration::from_secs(10), "it waited for the end of its time");
}

#[tokio::test]
async fn nobody_waits_for_a_process_that_stops() {
    let harness = harness().await;
    let began = Instant::now();
    let (answer, ()) = tokio::join!(ask(&harness, "0", "20"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        harness.authority.stop_waiting();
    });
    assert_eq!((answer.status, &answer.json()["upto"]), (200, &json!(0)));
    assert_eq!(ask(&harness, "0", "20").await.status, 200);
    assert!(began.elapsed() < Duration::from_secs(10), "it waited for the end of its time");
}

#[tokio::test]
async fn who_may_not_ask_is_told_so() {
    let harness = harness().await;
    let public = harness.post("/restrictions", &harness.public, &[]).await;
    assert_eq!((public.status, &public.json()["error"]), (403, &json!("unauthorized_client")));
    let without_scope = Harness::new().await;
    let refused = without_scope.post("/restrictions", &without_scope.confidential, &[]).await;
    assert_eq!((refused.status, &refused.json()["error"]), (403, &json!("unauthorized_client")));
    for after in ["x", "-1", "1e3"] {
        let refused = ask(&harness, after, "0").await;
        assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_request")));
    }
}
