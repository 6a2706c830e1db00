//! Findings and honeytokens.

use serde_json::json;

use super::support::{Fixture, NOW, after};
use crate::{Honeytoken, StoreError, StoredFinding};

fn finding(id: &str) -> StoredFinding {
    StoredFinding {
        id: id.into(),
        finding: json!({"detector": "refresh_reuse", "evidence": {"summary": "used twice"}}),
        ts: NOW,
        detector: "refresh_reuse".to_owned(),
        incident: "i1".to_owned(),
        restriction: Some(7),
        restriction_created: true,
        undone_at: None,
        undone_by: None,
    }
}

fn bait(token: &str) -> Honeytoken {
    Honeytoken {
        token: token.into(),
        label: "in the wiki".to_owned(),
        created_by: "admin:test".to_owned(),
        created_at: NOW,
        expires_at: after(900),
    }
}

#[tokio::test]
async fn a_finding_reads_back_as_written() {
    let fixture = Fixture::new();
    let bare = StoredFinding { restriction: None, restriction_created: false, ..finding("f2") };
    for new in [finding("f1"), bare] {
        fixture.store.add_finding(&new).await.expect("finding");
        assert_eq!(fixture.store.finding(&new.id).await.expect("store"), Some(new));
    }
    assert_eq!(fixture.store.finding(&"f3".into()).await.expect("store"), None);
    let again = fixture.store.add_finding(&finding("f1")).await;
    assert!(matches!(again, Err(StoreError::NameTaken { .. })));
}

#[tokio::test]
async fn findings_come_newest_first_in_pages() {
    let fixture = Fixture::new();
    // Neither their names nor the times of their events say in which order they were written.
    for (id, ts) in [("m", 3), ("z", 1), ("a", 2)] {
        let new = StoredFinding { ts: after(ts), ..finding(id) };
        fixture.store.add_finding(&new).await.expect("finding");
    }
    let ids = |page: Vec<StoredFinding>| {
        page.iter().map(|finding| finding.id.to_string()).collect::<Vec<_>>()
    };
    let page = |before: Option<&'static str>, limit| {
        let store = fixture.store.clone();
        async move {
            let before = before.map(Into::into);
            ids(store.findings(before.as_ref(), limit).await.expect("page"))
        }
    };
    assert_eq!(page(None, 2).await, ["a", "z"]);
    assert_eq!(page(Some("z"), 2).await, ["m"]);
    assert!(page(Some("m"), 2).await.is_empty());
    assert!(page(Some("unknown"), 2).await.is_empty());
}

#[tokio::test]
async fn a_finding_is_undone_once() {
    let fixture = Fixture::new();
    fixture.store.add_finding(&finding("f1")).await.expect("finding");
    let undo = |id: &'static str, actor: &'static str| {
        let store = fixture.store.clone();
        async move { store.mark_undone(&id.into(), actor, after(5)).await.expect("store") }
    };
    assert!(undo("f1", "admin:anna").await);
    assert!(!undo("f1", "admin:bert").await);
    assert!(!undo("f2", "admin:anna").await);
    let held = fixture.store.finding(&"f1".into()).await.expect("store").expect("finding");
    assert_eq!((held.undone_at, held.undone_by.as_deref()), (Some(after(5)), Some("admin:anna")));
}

#[tokio::test]
async fn bait_is_known_at_once_and_after_a_restart() {
    let fixture = Fixture::new();
    assert!(!fixture.store.honeytokens().contains(&"b1".into()));
    fixture.store.add_honeytoken(&bait("b1")).await.expect("honeytoken");
    assert!(fixture.store.honeytokens().contains(&"b1".into()));
    // Also when it would have expired: who shows it has found it.
    let fixture = fixture.reopen(after(10_000)).await;
    fixture.store.forget(after(10_000)).await.expect("forget");
    assert!(fixture.store.honeytokens().contains(&"b1".into()));
    assert!(!fixture.store.honeytokens().contains(&"b2".into()));
    let held = fixture.store.honeytoken(&"b1".into()).await.expect("store");
    assert_eq!(held, Some(bait("b1")));
    assert_eq!(fixture.store.honeytoken(&"b2".into()).await.expect("store"), None);
    let again = fixture.store.add_honeytoken(&bait("b1")).await;
    assert!(matches!(again, Err(StoreError::NameTaken { what: "honeytoken" })));
}

#[tokio::test]
async fn bait_that_was_not_written_is_not_known() {
    let fixture = Fixture::new();
    let failed = fixture.store.write(|act| {
        act.after_commit(crate::writer::AfterCommit::Honeytoken("b1".into()));
        Err::<(), _>(StoreError::Sealed)
    });
    assert!(failed.await.is_err());
    assert!(!fixture.store.honeytokens().contains(&"b1".into()));
}

#[tokio::test]
async fn honeytokens_come_in_pages() {
    let fixture = Fixture::new();
    for token in ["b3", "b1", "b2"] {
        fixture.store.add_honeytoken(&bait(token)).await.expect("honeytoken");
    }
    let page = fixture.store.list_honeytokens(None, 2).await.expect("page");
    assert_eq!(page, [bait("b1"), bait("b2")]);
    let page = fixture.store.list_honeytokens(Some(&"b2".into()), 2).await.expect("page");
    assert_eq!(page, [bait("b3")]);
}
