//! Findings and incidents that are looked for: by each thing alone, by several, in pages, and by indexes.

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use token::finding::{Class, Severity};
use token::random::OsRandom;

use super::support::{Fixture, NOW, after, settings};
use crate::{Belongs, FindingsSought, MasterKey, NewFinding, Store, StoredFinding, schema};

/// A finding of the second `second`, about these.
fn finding(second: u64, detector: &str, incident: &str, members: Value) -> StoredFinding {
    let mut finding = members;
    finding["detector"] = json!(detector);
    finding["incident"] = json!(incident);
    StoredFinding {
        id: format!("f{second}").into(),
        finding,
        ts: after(second),
        detector: detector.to_owned(),
        incident: incident.to_owned(),
        campaign: None,
        restriction: None,
        restriction_created: false,
        undone_at: None,
        undone_by: None,
        verdict: None,
    }
}

async fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let all = [
        finding(
            1,
            "honeytoken",
            "ip:a@1",
            json!({ "class": "certain", "severity": "high",
            "token": "t1", "ip": "::ffff:192.0.2.1" }),
        ),
        finding(
            2,
            "volume",
            "subject:u1@2",
            json!({ "class": "statistical", "severity": "medium",
            "subject": "u1", "client": "c1" }),
        ),
        finding(
            3,
            "volume",
            "subject:u2@3",
            json!({ "class": "statistical", "severity": "low",
            "subject": "u2", "client": "c1" }),
        ),
        finding(
            4,
            "forged_token",
            "ip:a@1",
            json!({ "class": "certain", "severity": "critical",
            "ip": "192.0.2.1" }),
        ),
    ];
    for mut new in all {
        if new.detector == "honeytoken" {
            new.restriction = Some(7);
        }
        fixture.store.begin_finding(new.into(), NOW).await.expect("finding");
    }
    let sql =
        "UPDATE findings SET verdict = 'false', verdict_at = 1, verdict_by = 'a' WHERE id = ?1";
    let said = fixture.store.write(move |act| crate::sql::execute(act.db, sql, ["f2"]));
    said.await.expect("verdict");
    fixture
}

async fn ids(store: &Store, sought: &FindingsSought) -> Vec<String> {
    let found = store.findings(sought, None, 10).await.expect("findings");
    found.iter().map(|finding| finding.id.to_string()).collect()
}

async fn incidents(store: &Store, sought: &FindingsSought) -> Vec<String> {
    let found = store.incidents(sought, None, 10).await.expect("incidents");
    found.iter().map(|incident| incident.id.clone()).collect()
}

fn nothing() -> FindingsSought {
    FindingsSought::default()
}

#[tokio::test]
async fn each_condition_leaves_what_meets_it() {
    let fixture = fixture().await;
    let (a, u1, u2) = ("ip:a@1", "subject:u1@2", "subject:u2@3");
    for (sought, findings, of) in [
        (nothing(), vec!["f4", "f3", "f2", "f1"], vec![a, u2, u1]),
        (FindingsSought { detectors: vec!["volume"], ..nothing() }, vec!["f3", "f2"], vec![u2, u1]),
        (
            FindingsSought { detectors: vec!["honeytoken", "forged_token"], ..nothing() },
            vec!["f4", "f1"],
            vec![a],
        ),
        (FindingsSought { class: Some(Class::Certain), ..nothing() }, vec!["f4", "f1"], vec![a]),
        (
            FindingsSought { class: Some(Class::Statistical), ..nothing() },
            vec!["f3", "f2"],
            vec![u2, u1],
        ),
        (
            FindingsSought { severity: Some(Severity::Low), ..nothing() },
            vec!["f4", "f3", "f2", "f1"],
            vec![a, u2, u1],
        ),
        (
            FindingsSought { severity: Some(Severity::Medium), ..nothing() },
            vec!["f4", "f2", "f1"],
            vec![a, u1],
        ),
        (FindingsSought { severity: Some(Severity::Critical), ..nothing() }, vec!["f4"], vec![a]),
        (FindingsSought { subject: Some("u1".into()), ..nothing() }, vec!["f2"], vec![u1]),
        (FindingsSought { client: Some("c1".into()), ..nothing() }, vec!["f3", "f2"], vec![u2, u1]),
        (FindingsSought { token: Some("t1".into()), ..nothing() }, vec!["f1"], vec![a]),
        (FindingsSought { ip: "192.0.2.1".parse().ok(), ..nothing() }, vec!["f4", "f1"], vec![a]),
        (FindingsSought { ip: "192.0.2.2".parse().ok(), ..nothing() }, vec![], vec![]),
        (FindingsSought { incident: Some(a.to_owned()), ..nothing() }, vec!["f4", "f1"], vec![a]),
        (
            FindingsSought { from: Some(after(2)), ..nothing() },
            vec!["f4", "f3", "f2"],
            vec![a, u2, u1],
        ),
        (FindingsSought { before: Some(after(2)), ..nothing() }, vec!["f1"], vec![a]),
        (
            FindingsSought { from: Some(after(2)), before: Some(after(4)), ..nothing() },
            vec!["f3", "f2"],
            vec![u2, u1],
        ),
        (FindingsSought { answered: Some(true), ..nothing() }, vec!["f1"], vec![a]),
        (
            FindingsSought { answered: Some(false), ..nothing() },
            vec!["f4", "f3", "f2"],
            vec![u2, u1],
        ),
        (FindingsSought { judged: Some(true), ..nothing() }, vec!["f2"], vec![u1]),
        (FindingsSought { judged: Some(false), ..nothing() }, vec!["f4", "f3", "f1"], vec![a, u2]),
        (
            FindingsSought { client: Some("c1".into()), judged: Some(true), ..nothing() },
            vec!["f2"],
            vec![u1],
        ),
        (FindingsSought { subject: Some("u1' OR '1'='1".into()), ..nothing() }, vec![], vec![]),
    ] {
        assert_eq!(ids(&fixture.store, &sought).await, findings, "{sought:?}");
        assert_eq!(incidents(&fixture.store, &sought).await, of, "{sought:?}");
    }
}

/// An incident is counted whole, whichever of its findings was looked for.
#[tokio::test]
async fn incidents_stay_whole_and_keep_their_names() {
    let fixture = fixture().await;
    let store = &fixture.store;
    let sought = FindingsSought { token: Some("t1".into()), ..nothing() };
    let found = store.incidents(&sought, None, 10).await.expect("incidents");
    assert_eq!((found[0].findings, found[0].severity.as_str()), (2, "critical"));
    let belongs = Belongs { joins: vec!["ip:a@1".to_owned()], ..Belongs::default() };
    let mut new = finding(5, "volume", "subject:u9@0", json!({ "subject": "u9" }));
    new.campaign = Some("campaign:volume@1".to_owned());
    let new = NewFinding { belongs, ..new.into() };
    store.begin_finding(new, NOW).await.expect("finding");
    let old = FindingsSought { incident: Some("ip:a@1".to_owned()), ..nothing() };
    assert_eq!(ids(store, &old).await, ["f5", "f4", "f1"]);
    let campaign = FindingsSought { incident: Some("campaign:volume@1".to_owned()), ..nothing() };
    assert_eq!(ids(store, &campaign).await, ["f5"]);
    assert_eq!(incidents(store, &campaign).await, ["campaign:volume@1", "subject:u9@0"]);
}

#[tokio::test]
async fn what_is_sought_comes_in_pages() {
    let fixture = fixture().await;
    let sought = FindingsSought { client: Some("c1".into()), ..nothing() };
    let page = async |before: Option<&str>| {
        let before = before.map(Into::into);
        let page = fixture.store.findings(&sought, before.as_ref(), 1).await.expect("page");
        page.iter().map(|one| one.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(page(None).await, ["f3"]);
    assert_eq!(page(Some("f3")).await, ["f2"]);
    assert!(page(Some("f2")).await.is_empty());
    assert!(page(Some("unknown")).await.is_empty());
    let first = fixture.store.incidents(&sought, None, 1).await.expect("page");
    let second = fixture.store.incidents(&sought, Some(first[0].rank), 1).await.expect("page");
    assert_eq!([&*first[0].id, &*second[0].id], ["subject:u2@3", "subject:u1@2"]);
}

/// Whatever names somebody or something is found without reading every finding.
#[tokio::test]
async fn names_are_looked_up() {
    let fixture = fixture().await;
    for (sought, index) in [
        (FindingsSought { subject: Some("u1".into()), ..nothing() }, "findings_by_subject"),
        (FindingsSought { client: Some("c1".into()), ..nothing() }, "findings_by_client"),
        (FindingsSought { token: Some("t1".into()), ..nothing() }, "findings_by_token"),
        (FindingsSought { ip: "192.0.2.1".parse().ok(), ..nothing() }, "findings_by_ip"),
        (FindingsSought { detectors: vec!["volume"], ..nothing() }, "findings_by_detector"),
        (
            FindingsSought { severity: Some(Severity::Critical), ..nothing() },
            "findings_by_severity",
        ),
        (FindingsSought { answered: Some(true), ..nothing() }, "findings_answered"),
        (FindingsSought { judged: Some(true), ..nothing() }, "findings_judged"),
    ] {
        let conditions = sought.of_finding();
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT finding FROM findings WHERE TRUE{} \
             ORDER BY position DESC LIMIT 10",
            conditions.sql()
        );
        let values = rusqlite::params_from_iter(conditions.into_values());
        let plan = fixture.store.read(|db| {
            crate::sql::all(db, &sql, values, |row| row.text("detail")).map(|plan| plan.join("; "))
        });
        let plan = plan.expect("plan");
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{sought:?}: {plan}");
    }
}

/// Findings of an older version are found as well.
#[tokio::test]
async fn an_older_file_is_brought_along() {
    let folder = tempfile::tempdir().expect("folder");
    let (master, settings) = (MasterKey::generate(&OsRandom::new()), settings(folder.path()));
    std::fs::create_dir_all(settings.path.parent().expect("parent")).expect("folder");
    let db = Connection::open(&settings.path).expect("file");
    schema::migrate_to(&db, 17).expect("version 17");
    let text = json!({ "class": "certain", "subject": "u1", "ip": "192.0.2.1" }).to_string();
    db.execute(
        "INSERT INTO findings (id, position, finding, ts, detector, incident, restriction_created) \
         VALUES ('old', 1, ?1, 1, 'honeytoken', 'ip:192.0.2.1@1', 0)",
        params![text],
    )
    .expect("finding");
    db.close().expect("close");
    let store = Store::open(settings, master, NOW).expect("store");
    for sought in [
        FindingsSought { subject: Some("u1".into()), ..nothing() },
        FindingsSought { class: Some(Class::Certain), ..nothing() },
        FindingsSought { ip: "192.0.2.1".parse().ok(), ..nothing() },
    ] {
        assert_eq!(ids(&store, &sought).await, ["old"], "{sought:?}");
    }
}
