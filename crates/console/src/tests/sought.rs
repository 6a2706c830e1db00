//! Findings and incidents that are looked for over HTTP: each parameter leaves what meets it, each wrong value is named.

use serde_json::{Value, json};
use store::StoredFinding;
use token::id::FindingId;

use super::support::Harness;

async fn found(harness: &Harness, id: &str, incident: &str, members: Value) {
    let now = harness.authority.now();
    let finding = StoredFinding {
        id: FindingId::from(id),
        detector: members["detector"].as_str().expect("detector").to_owned(),
        finding: members,
        ts: now,
        incident: incident.to_owned(),
        campaign: None,
        restriction: None,
        restriction_created: false,
        undone_at: None,
        undone_by: None,
        verdict: None,
    };
    harness.store().begin_finding(finding.into(), now).await.expect("finding");
}

async fn harness() -> Harness {
    let harness = Harness::new().await;
    let bait = json!({ "detector": "honeytoken", "class": "certain", "severity": "critical",
        "token": "t1", "ip": "192.0.2.1" });
    found(&harness, "bait", "ip:192.0.2.1@then", bait).await;
    let volume = json!({ "detector": "volume", "class": "statistical", "severity": "medium",
        "subject": "https://idp.example|u 1", "client": "c1" });
    found(&harness, "volume", "subject:u1@then", volume).await;
    let verdict = json!({ "verdict": "true" });
    harness.call("POST", "/findings/volume/feedback", Some(verdict)).await.expect(200);
    harness
}

async fn ids(harness: &Harness, path: &str) -> Vec<String> {
    let page = harness.call("GET", path, None).await.expect(200);
    let items = page["items"].as_array().expect("items").iter();
    items.map(|one| one["id"].as_str().expect("id").to_owned()).collect()
}

#[tokio::test]
async fn each_parameter_leaves_what_meets_it() {
    let harness = harness().await;
    let now = harness.authority.now();
    for (query, left) in [
        ("detector=honeytoken".to_owned(), "bait"),
        ("detector=tokens".to_owned(), "bait"),
        ("detector=traffic".to_owned(), "volume"),
        ("class=certain".to_owned(), "bait"),
        ("severity=high".to_owned(), "bait"),
        ("subject=https%3A%2F%2Fidp.example%7Cu%201".to_owned(), "volume"),
        ("client=c1".to_owned(), "volume"),
        ("token=t1".to_owned(), "bait"),
        ("ip=192.0.2.1".to_owned(), "bait"),
        ("ip=%3A%3Affff%3A192.0.2.1".to_owned(), "bait"),
        ("incident=subject%3Au1%40then".to_owned(), "volume"),
        ("judged=false".to_owned(), "bait"),
        ("judged=true&answered=false".to_owned(), "volume"),
        ("detector=*&class=statistical".to_owned(), "volume"),
    ] {
        assert_eq!(ids(&harness, &format!("/findings?{query}")).await, [left], "{query}");
        let incident = if left == "bait" { "ip:192.0.2.1@then" } else { "subject:u1@then" };
        assert_eq!(ids(&harness, &format!("/incidents?{query}")).await, [incident], "{query}");
    }
    for (query, count) in [
        (format!("from={now}"), 2),
        (format!("to={now}"), 0),
        ("answered=true".to_owned(), 0),
        ("severity=low".to_owned(), 2),
        ("client=c2".to_owned(), 0),
        ("limit=1".to_owned(), 1),
    ] {
        assert_eq!(ids(&harness, &format!("/findings?{query}")).await.len(), count, "{query}");
        assert_eq!(ids(&harness, &format!("/incidents?{query}")).await.len(), count, "{query}");
    }
    let next = "/findings?severity=low&limit=1&before=volume";
    assert_eq!(ids(&harness, next).await, ["bait"]);
}

#[tokio::test]
async fn a_wrong_value_is_refused_by_name() {
    let harness = harness().await;
    let long = "x".repeat(257);
    for (query, name) in [
        ("detector=honey", "detector"),
        ("detector=", "detector"),
        ("class=sure", "class"),
        ("severity=worst", "severity"),
        ("severity=HIGH", "severity"),
        ("subject=", "subject"),
        (&format!("client={long}"), "client"),
        (&format!("token={long}"), "token"),
        ("incident=", "incident"),
        ("ip=192.0.2.0/24", "ip"),
        ("ip=nowhere", "ip"),
        ("from=yesterday", "from"),
        ("to=2026-13-01T00:00:00Z", "to"),
        ("from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
        ("answered=yes", "answered"),
        ("judged=1", "judged"),
        ("limit=0", "limit"),
        ("colour=red", "colour"),
    ] {
        for list in ["findings", "incidents"] {
            let detail = harness.call("GET", &format!("/{list}?{query}"), None).await.problem(400);
            assert!(detail.contains(name), "{query}: {detail}");
        }
    }
}
