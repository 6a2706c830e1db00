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
    harness.store().begin_finding(finding.into(), now).await.expect("finding");
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

/// A finding of a detector that judges, about this subject.
async fn judged(harness: &Harness, id: &str) {
    let now = harness.authority.now();
    let finding = StoredFinding {
        id: FindingId::from(id),
        finding: json!({
            "detector": "volume", "class": "statistical", "severity": "medium", "subject": "u1",
            "route": "GET /orders", "response": "tag", "evidence": { "summary": "too many" },
        }),
        ts: now,
        detector: "volume".to_owned(),
        incident: "subject:u1@then".to_owned(),
        campaign: None,
        restriction: None,
        restriction_created: false,
        undone_at: None,
        undone_by: None,
        verdict: None,
    };
    harness.store().begin_finding(finding.into(), now).await.expect("finding");
}

#[tokio::test]
async fn what_people_say_of_findings_is_kept_listed_and_taken_back() {
    let harness = Harness::new().await;
    for id in ["f1", "f2", "f3"] {
        judged(&harness, id).await;
    }
    let say = async |id: &str, body: serde_json::Value| {
        harness.call("POST", &format!("/findings/{id}/feedback"), Some(body)).await
    };
    let shown = say("f1", json!({ "verdict": "expected" })).await.expect(200);
    assert_eq!(
        (&shown["verdict"], &shown["verdict_by"]),
        (&json!("expected"), &json!("admin:operator"))
    );
    // The same finding counts once, and there are no more than two halvings.
    for (id, halvings) in [("f1", 1), ("f2", 2), ("f3", 2)] {
        say(id, json!({ "verdict": "false" })).await.expect(200);
        let list = harness.call("GET", "/tolerances", None).await.expect(200);
        let items = list["items"].as_array().expect("items");
        assert_eq!((items.len(), &items[0]["halvings"]), (1, &json!(halvings)), "{list}");
        assert_eq!(items[0]["about"], "subject:u1");
    }
    say("f1", json!({ "verdict": "false", "about": "route" })).await.expect(200);
    let list = harness.call("GET", "/tolerances", None).await.expect(200);
    assert_eq!(list["items"][0]["about"], "route:GET /orders");
    let path = format!("/tolerances/{}", list["items"][0]["seq"]);
    harness.call("DELETE", &path, None).await.expect(204);
    harness.call("DELETE", &path, None).await.problem(404);
    say("f3", json!({ "verdict": "true" })).await.expect(200);
    let list = harness.call("GET", "/tolerances", None).await.expect(200);
    assert_eq!(list["items"], json!([]));
    say("f9", json!({ "verdict": "true" })).await.problem(404);
    say("f1", json!({ "verdict": "perhaps" })).await.problem(400);
    let actions = harness.actions().await;
    assert_eq!(actions.iter().filter(|action| *action == "finding.feedback").count(), 6);
    assert!(actions.contains(&"tolerance.remove".to_owned()));
}

#[tokio::test]
async fn proof_and_what_has_no_route_leave_no_tolerance() {
    let harness = Harness::new().await;
    found(&harness, "idle", None).await;
    let body = json!({ "verdict": "false", "about": "route" });
    harness.call("POST", "/findings/idle/feedback", Some(body)).await.problem(409);
    let list = harness.call("GET", "/tolerances", None).await.expect(200);
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn an_incident_tells_its_story() {
    let harness = Harness::new().await;
    found(&harness, "one", Some(Effect::Suspend)).await;
    found(&harness, "two", None).await;
    judged(&harness, "three").await;
    harness.call("POST", "/findings/one/undo", None).await.expect(200);
    let list = harness.call("GET", "/incidents", None).await.expect(200);
    let names: Vec<&str> = list["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|one| one["id"].as_str())
        .collect();
    assert_eq!(names, ["subject:u1@then", "i"]);
    assert_eq!(list["items"][1]["detectors"], json!([{ "detector": "honeytoken", "findings": 2 }]));
    let first = harness.call("GET", "/incidents?limit=1", None).await.expect(200);
    let next = first["next"].as_str().expect("next");
    let second = harness.call("GET", &format!("/incidents?limit=1&before={next}"), None).await;
    assert_eq!(second.expect(200)["items"][0]["id"], "i");
    let story = harness.call("GET", "/incidents/i", None).await.expect(200);
    let steps = story["timeline"].as_array().expect("timeline");
    let words: Vec<&str> = steps.iter().filter_map(|step| step["words"].as_str()).collect();
    assert_eq!(words, ["bait", "undone by admin:operator", "bait"], "all at the same time");
    assert_eq!((&story["answered"], &story["undone"]), (&json!(1), &json!(1)));
    assert!(story["restrictions"][0]["lifted_at"].is_string(), "{story}");
    let path = "/incidents/subject%3Au1%40then";
    assert_eq!(harness.call("GET", path, None).await.expect(200)["severity"], "medium");
    harness.call("GET", "/incidents/nobody", None).await.problem(404);
}

#[tokio::test]
async fn an_incident_is_undone_in_one_step_and_says_what_is_not() {
    let harness = Harness::new().await;
    found(&harness, "one", Some(Effect::Suspend)).await;
    found(&harness, "two", Some(Effect::Revoke)).await;
    found(&harness, "three", None).await;
    found(&harness, "four", Some(Effect::Suspend)).await;
    judged(&harness, "other").await;
    let done = harness.call("POST", "/incidents/i/undo", None).await.expect(200);
    assert_eq!((&done["id"], &done["undone"]), (&json!("i"), &json!(2)));
    let came = |n: usize| {
        let one = &done["findings"][n];
        (one["finding"].clone(), one["undone"].clone(), one["kept"].clone(), one["why"].clone())
    };
    assert_eq!(came(0), (json!("one"), json!(true), json!(false), json!(null)));
    let (finding, undone, kept, why) = came(1);
    assert_eq!((finding, undone, kept), (json!("two"), json!(false), json!(false)));
    assert!(why.as_str().is_some_and(|why| why.contains("final")), "{why}");
    assert_eq!(came(2), (json!("four"), json!(true), json!(false), json!(null)));
    assert!(done["findings"][3].is_null(), "nothing was done about the third");
    let shown = harness.call("GET", "/findings/four", None).await.expect(200);
    assert_eq!(shown["undone_by"], "admin:operator");
    assert_eq!(harness.actions().await, ["incident.undo"]);
    let audit = harness.call("GET", "/audit", None).await.expect(200);
    assert_eq!(audit["items"][0]["target"], "i 2 of 3");

    let detail = harness.call("POST", "/incidents/i/undo", None).await.problem(409);
    assert!(detail.contains("2: it was undone before") && detail.contains("1: a revo"), "{detail}");
    let detail = harness.call("POST", "/incidents/subject%3Au1%40then/undo", None).await;
    assert!(detail.problem(409).contains("nothing was done about it"));
    harness.call("POST", "/incidents/nobody/undo", None).await.problem(404);
    assert_eq!(harness.actions().await, ["incident.undo"], "what changes nothing is no change");
}
