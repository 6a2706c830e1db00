//! What was used once stays used.

use token::replay::UsedName;

use super::support::{Fixture, NOW, after};
use crate::UsedKind;

#[tokio::test]
async fn a_name_is_remembered_across_a_restart_until_its_time() {
    let fixture = Fixture::new();
    let (name, other) = (UsedName::of(["client", "j-1"]), UsedName::of(["client", "j-2"]));
    for (kind, name, secs) in [
        (UsedKind::Assertion, &name, 60),
        (UsedKind::Assertion, &name, 60),
        (UsedKind::Assertion, &other, 120),
        (UsedKind::Proof, &other, 60),
    ] {
        fixture.store.record_used(kind, name.clone(), after(secs));
    }
    let fixture = fixture.reopen(after(1)).await;
    let names = |kind, secs| fixture.store.used_names(kind, after(secs)).expect("store");
    assert_eq!(names(UsedKind::Assertion, 59).len(), 2);
    assert_eq!(names(UsedKind::Assertion, 60), std::slice::from_ref(&other));
    assert_eq!(names(UsedKind::Proof, 59), [other]);
    assert_eq!(names(UsedKind::Proof, 60), []);
    assert_eq!(fixture.store.forget(NOW).await.expect("forget").used, 0);
    assert_eq!(fixture.store.forget(after(60)).await.expect("forget").used, 2);
    assert_eq!(fixture.store.forget(after(120)).await.expect("forget").used, 1);
}

#[tokio::test]
async fn an_act_that_is_answered_has_every_name_before_it_on_disk() {
    let fixture = Fixture::new();
    fixture.store.record_used(UsedKind::Proof, UsedName::of(["key", "j"]), after(60));
    fixture.store.set_meta("behind it", "1").await.expect("store");
    assert_eq!(fixture.store.used_names(UsedKind::Proof, NOW).expect("store").len(), 1);
    assert_eq!(fixture.store.health().lost_background, 0);
}
