//! Findings over HTTP.

use serde_json::json;
use store::{NewRestriction, StoredFinding};
use token::id::FindingId;
use token::restriction::{Effect, Selector};

use super::support::Harness;

/// A finding, answered with this effect on a network.
async fn found(harness: &Harness, id: &str, effect: Option<Effect>) {
    let now = harness.authority.now();
    let mut seq = None;
    if let Some(effect) = effect {
        let new = NewRestriction {
            selector: Selector::Network("203.0.113.0/24".parse().expect("network")),
            effect,
            from: now,
            until: None,
            reason: "test".to_owned(),
            actor: "detector:honeytoken".to_owned(),
        };
        seq = Some(harness.store().restrict(new, now).await.expect("restriction").seq);
    }
    let finding = StoredFinding {
        id: FindingId::from(id),
        finding: json!({ "detector": "honeytoken", "evidence": { "summary": "bait" } }),
        ts: now,
        detector: "honeytoken".to_owned(),
        incident: "i".to_owned(),
        restriction: seq,
        restriction_created: seq.is_some(),
        undone_at: None,
        undone_by: None,
        campaign: None,
        verdict: None,
    };
    harness.store().add_finding(&finding, None).await.expect("finding");
}

#[tokio::test]
async fn a_block_is_undone_once() {
    let harness = Harness::new().await;
    found(&harness, "one", Some(Effect::Suspend)).await;
    let address = "203.0.113.9".parse().expect("address");
    let now = harness.authority.now();
    assert!(harness.store().index().on_network(address, now).is_some());
    let shown = harness.call("GET", "/findings/one", None).await.expect(200);
    assert_eq!(shown["finding"]["evidence"]["summary"], "bait");
    let undone = harness.call("POST", "/findings/one/undo", None).await.expect(200);
    assert_eq!(undone["undone_by"], "admin:operator");
    assert!(harness.store().index().on_network(address, now).is_none());
    harness.call("POST", "/findings/one/undo", None).await.problem(409);
    assert_eq!(harness.actions().await, ["finding.undo"]);
}

#[tokio::test]
async fn what_cannot_be_undone_says_why() {
    let harness = Harness::new().await;
    found(&harness, "final", Some(Effect::Revoke)).await;
    found(&harness, "idle", None).await;
    let detail = harness.call("POST", "/findings/final/undo", None).await.problem(409);
    assert!(detail.contains("final"), "{detail}");
    harness.call("POST", "/findings/idle/undo", None).await.problem(409);
    harness.call("POST", "/findings/nobody/undo", None).await.problem(404);
    harness.call("GET", "/findings/nobody", None).await.problem(404);
    assert!(harness.actions().await.is_empty());
    let first = harness.call("GET", "/findings?limit=1", None).await.expect(200);
    assert_eq!((&first["items"][0]["id"], &first["next"]), (&json!("idle"), &json!("idle")));
    let second = harness.call("GET", "/findings?limit=1&before=idle", None).await.expect(200);
    assert_eq!(second["items"][0]["id"], "final");
}
