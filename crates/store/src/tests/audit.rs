//! The audit log, and small facts by name.

use super::support::{Fixture, NOW, after};
use crate::AuditEntry;

fn entry(action: &str) -> AuditEntry {
    AuditEntry {
        at: NOW,
        actor: "admin:anna".to_owned(),
        action: action.to_owned(),
        target: "client:c1".to_owned(),
        ip: Some("2001:db8::1".parse().expect("address")),
    }
}

#[tokio::test]
async fn entries_come_newest_first_in_pages() {
    let fixture = Fixture::new();
    let local = AuditEntry { ip: None, at: after(1), ..entry("third") };
    for new in [entry("first"), entry("second"), local.clone()] {
        fixture.store.append_audit(&new).await.expect("audit");
    }
    let fixture = fixture.reopen(NOW).await;
    let page = fixture.store.audit(None, 2).await.expect("page");
    assert_eq!((page[0].seq, &page[0].entry), (3, &local));
    assert_eq!((page[1].seq, &page[1].entry), (2, &entry("second")));
    let page = fixture.store.audit(Some(2), 2).await.expect("page");
    assert_eq!(page.len(), 1);
    assert_eq!((page[0].seq, &page[0].entry), (1, &entry("first")));
}

#[tokio::test]
async fn facts_are_kept_by_name() {
    let fixture = Fixture::new();
    assert_eq!(fixture.store.meta("a").await.expect("store"), None);
    for value in ["1", "2", ""] {
        fixture.store.set_meta("a", value).await.expect("store");
        assert_eq!(fixture.store.meta("a").await.expect("store").as_deref(), Some(value));
    }
    assert_eq!(fixture.store.meta("b").await.expect("store"), None);
}
