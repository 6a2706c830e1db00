//! Findings and honeytokens.

use serde_json::json;

use token::index::is_ahead;
use token::restriction::{Effect, Selector, TokenFacts};
use token::time::Timestamp;

use super::support::{Fixture, NOW, after};
use crate::{
    Belongs, Filter, FindingsSought, Honeytoken, NewFinding, NewRestriction, Store, StoreError,
    StoredFinding, Undoing,
};

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
        campaign: None,
        verdict: None,
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
        fixture.store.begin_finding(new.clone().into(), NOW).await.expect("finding");
        assert_eq!(fixture.store.finding(&new.id).await.expect("store"), Some(new));
    }
    assert_eq!(fixture.store.finding(&"f3".into()).await.expect("store"), None);
    let again = fixture.store.begin_finding(finding("f1").into(), NOW).await;
    assert!(matches!(again, Err(StoreError::NameTaken { .. })));
}

#[tokio::test]
async fn a_finding_and_its_restriction_are_on_disk_together_or_not_at_all() {
    let fixture = Fixture::new();
    let (store, index) = (&fixture.store, fixture.store.index());
    let selector = |n: u8| Selector::Token(format!("t{n}").as_str().into());
    let new = |id: &str, n: u8| {
        let block = NewRestriction {
            selector: selector(n),
            effect: Effect::Suspend,
            from: NOW,
            until: None,
            reason: id.to_owned(),
            actor: "detector:test".to_owned(),
        };
        NewFinding { answer: Some(store.hold_ahead(block, NOW)), ..finding(id).into() }
    };
    let seq = |n: u8| index.on_selector(&selector(n), NOW).map(|row| row.seq);
    let still = fixture.stand_still().await;
    let waiting = [("f1", 1), ("f2", 2), ("f1", 3), ("f4", 1)]
        .map(|(id, n)| store.begin_finding(new(id, n), NOW));
    assert!((1..=3).all(|n| seq(n).is_some_and(is_ahead)), "nothing is on disk yet");
    still.end().await;
    let [first, second, taken, again] = waiting;
    let (first, second) = (first.await.expect("finding"), second.await.expect("finding"));
    assert!(matches!(taken.await, Err(StoreError::NameTaken { .. })));
    let again = again.await.expect("finding").finding;
    assert_eq!((seq(1), seq(2), seq(3)), (Some(1), Some(2), None));
    let answer = |found: &StoredFinding| (found.restriction, found.restriction_created);
    assert_eq!(
        (answer(&first.finding), answer(&second.finding)),
        ((Some(1), true), (Some(2), true))
    );
    assert_eq!(answer(&again), (Some(1), false), "the first one's stands for it too");
    let kept = store.findings(&FindingsSought::default(), None, 10).await.expect("findings");
    assert_eq!(kept, [again, second.finding, first.finding], "in the order of the calls");
}

#[tokio::test]
async fn parts_of_an_incident_join_it_and_are_found_by_their_old_name() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let of = |id: &str, incident: &str| {
        let mut new = StoredFinding { incident: incident.to_owned(), ..finding(id) };
        new.finding["incident"] = json!(incident);
        new
    };
    for new in [of("f1", "ip:a@1"), of("f2", "subject:b@2"), of("f3", "subject:c@3")] {
        store.begin_finding(new.into(), NOW).await.expect("finding");
    }
    let belongs = Belongs { joins: vec!["subject:b@2".to_owned()], ..Belongs::default() };
    let new = NewFinding { belongs, ..of("f4", "ip:a@1").into() };
    store.begin_finding(new, NOW).await.expect("finding");
    let ids: Vec<String> = store
        .findings_of("ip:a@1", 10)
        .await
        .expect("findings")
        .iter()
        .map(|found| found.id.to_string())
        .collect();
    assert_eq!(ids, ["f1", "f2", "f4"]);
    let mut names = Vec::new();
    for name in ["subject:b@2", "subject:c@3", "subject:d@4"] {
        names.push(store.incident(name).await.expect("incident").map(|whole| whole.id));
    }
    assert_eq!(names, [Some("ip:a@1".to_owned()), Some("subject:c@3".to_owned()), None]);
    assert_eq!(
        store.incidents(&FindingsSought::default(), None, 10).await.expect("incidents").len(),
        2
    );
}

#[tokio::test]
async fn findings_come_newest_first_in_pages() {
    let fixture = Fixture::new();
    // Neither their names nor the times of their events say in which order they were written.
    for (id, ts) in [("m", 3), ("z", 1), ("a", 2)] {
        let new = StoredFinding { ts: after(ts), ..finding(id) };
        fixture.store.begin_finding(new.clone().into(), NOW).await.expect("finding");
    }
    let ids = |page: Vec<StoredFinding>| {
        page.iter().map(|finding| finding.id.to_string()).collect::<Vec<_>>()
    };
    let page = |before: Option<&'static str>, limit| {
        let store = fixture.store.clone();
        async move {
            let before = before.map(Into::into);
            ids(store
                .findings(&FindingsSought::default(), before.as_ref(), limit)
                .await
                .expect("page"))
        }
    };
    assert_eq!(page(None, 2).await, ["a", "z"]);
    assert_eq!(page(Some("z"), 2).await, ["m"]);
    assert!(page(Some("m"), 2).await.is_empty());
    assert!(page(Some("unknown"), 2).await.is_empty());
}

/// A finding that is answered by this restriction, with what it would have had by itself.
async fn answered(store: &Store, id: &str, effect: Effect, until: Option<Timestamp>) -> u64 {
    answered_as(store, finding(id), effect, until).await
}

async fn answered_as(
    store: &Store,
    found: StoredFinding,
    effect: Effect,
    until: Option<Timestamp>,
) -> u64 {
    let id = found.id.as_str();
    let new = NewRestriction {
        selector: Selector::Token("t1".into()),
        effect: effect.clone(),
        from: NOW,
        until,
        reason: id.to_owned(),
        actor: "detector:test".to_owned(),
    };
    let answer = Some(store.hold_ahead(new, NOW));
    let mut value = json!({ "effect": effect, "evidence": { "summary": id } });
    if let Some(until) = until {
        value["until"] = json!(until);
    }
    let new = StoredFinding { finding: value, ..found };
    let new = NewFinding { answer, ..new.into() };
    let kept = store.begin_finding(new, NOW).await.expect("finding");
    kept.restriction.expect("restriction").seq
}

async fn undo(store: &Store, id: &str, at: u64) -> Undoing {
    store.undo_finding(&id.into(), "admin:anna", after(at)).await.expect("store")
}

/// What holds on the token then: effects and ends.
fn holding(store: &Store, at: u64) -> Vec<(String, Option<Timestamp>)> {
    let facts = TokenFacts {
        token: "t1".into(),
        grant: None,
        session: None,
        subject: "u1".into(),
        client: "c1".into(),
        key: "k1".into(),
        issued_at: NOW,
        foreign: None,
    };
    let index = store.index();
    let whole = index.on_token(&facts, after(at)).into_iter();
    let mut rows: Vec<_> = whole
        .chain(index.partial_on(&facts, after(at)))
        .map(|row| (row.effect.to_string(), row.until))
        .collect();
    rows.sort();
    rows
}

fn limit() -> Effect {
    "limit:10/m".parse().expect("effect")
}

#[tokio::test]
async fn a_finding_is_undone_once() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let seq = answered(store, "f1", limit(), Some(after(900))).await;
    assert_eq!(undo(store, "f1", 5).await, Undoing::Lifted(seq));
    assert_eq!(undo(store, "f1", 6).await, Undoing::AlreadyUndone);
    assert_eq!(undo(store, "f2", 6).await, Undoing::Unknown);
    assert!(holding(store, 6).is_empty());
    let held = store.finding(&"f1".into()).await.expect("store").expect("finding");
    assert_eq!((held.undone_at, held.undone_by.as_deref()), (Some(after(5)), Some("admin:anna")));
    let log = store.restrictions(Filter { in_force_at: None, before: None, limit: 10 }).await;
    assert_eq!(log.expect("log").len(), 1, "nothing but the restriction and its end");
}

#[tokio::test]
async fn what_ended_or_is_final_is_not_undone() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    answered(store, "f1", limit(), Some(after(10))).await;
    assert_eq!(undo(store, "f1", 11).await, Undoing::NothingDone);
    answered(store, "f2", Effect::Revoke, None).await;
    assert_eq!(undo(store, "f2", 11).await, Undoing::Final);
}

#[tokio::test]
async fn two_restrictions_of_one_token_are_lifted_one_by_one() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let first = answered(store, "f1", Effect::Suspend, Some(after(100))).await;
    let second = answered(store, "f2", limit(), Some(after(900))).await;
    assert_ne!(first, second);
    assert_eq!(undo(store, "f1", 5).await, Undoing::Lifted(first));
    assert_eq!(holding(store, 5), [("limit:10/m".to_owned(), Some(after(900)))]);
    assert_eq!(undo(store, "f2", 6).await, Undoing::Lifted(second));
    assert!(holding(store, 6).is_empty());
}

#[tokio::test]
async fn who_shares_a_restriction_keeps_what_it_would_have_had() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let seq = answered(store, "f1", Effect::Suspend, Some(after(900))).await;
    assert_eq!(answered(store, "f2", Effect::Suspend, Some(after(100))).await, seq);
    assert_eq!(answered(store, "f3", Effect::Suspend, Some(after(100))).await, seq);
    assert_eq!(answered(store, "f4", Effect::Suspend, Some(after(3))).await, seq);
    // The one that wrote it goes: the others would have ended it sooner, and one is over.
    assert_eq!(undo(store, "f1", 5).await, Undoing::Kept(seq));
    assert_eq!(holding(store, 5), [("suspend".to_owned(), Some(after(100)))]);
    let held = store.finding(&"f2".into()).await.expect("store").expect("finding");
    assert!(held.restriction_created && held.restriction != Some(seq), "{held:?}");
    // One that did not write it goes: nothing changes.
    let kept = held.restriction.expect("restriction");
    assert_eq!(undo(store, "f3", 6).await, Undoing::Kept(kept));
    assert_eq!(holding(store, 6), [("suspend".to_owned(), Some(after(100)))]);
    assert_eq!(undo(store, "f2", 7).await, Undoing::Lifted(kept));
    assert!(holding(store, 7).is_empty());
    // It is the same after a restart.
    let fixture = fixture.reopen(after(8)).await;
    assert!(holding(&fixture.store, 8).is_empty());
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

async fn undo_incident(store: &Store, name: &str, at: u64) -> Vec<(String, Undoing)> {
    let all = store.undo_incident(name, "admin:anna", after(at)).await.expect("store");
    all.into_iter().map(|(found, outcome)| (found.id.to_string(), outcome)).collect()
}

fn named(outcomes: &[(&str, Undoing)]) -> Vec<(String, Undoing)> {
    outcomes.iter().map(|(id, outcome)| ((*id).to_owned(), *outcome)).collect()
}

#[tokio::test]
async fn an_incident_is_undone_as_a_whole_but_for_what_is_final() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let shared = answered(store, "f1", limit(), Some(after(900))).await;
    assert_eq!(answered(store, "f2", limit(), Some(after(900))).await, shared);
    let unanswered = StoredFinding { restriction: None, ..finding("f3") };
    store.begin_finding(unanswered.into(), NOW).await.expect("finding");
    let whole = answered(store, "f4", Effect::Suspend, Some(after(900))).await;
    answered(store, "f5", Effect::Revoke, None).await;
    let other = StoredFinding { incident: "i2".to_owned(), ..finding("f6") };
    let others = answered_as(store, other, "limit:1/m".parse().expect("effect"), None).await;
    assert_eq!(
        undo_incident(store, "i1", 5).await,
        named(&[
            ("f1", Undoing::Lifted(shared)),
            ("f2", Undoing::Lifted(shared)),
            ("f4", Undoing::Lifted(whole)),
            ("f5", Undoing::Final),
        ])
    );
    let left = [("limit:1/m".to_owned(), None), ("revoke".to_owned(), None)];
    assert_eq!(holding(store, 6), left, "what is final, and another's");
    let log = store.restrictions(Filter { in_force_at: None, before: None, limit: 10 }).await;
    assert_eq!(
        log.expect("log").first().map(|row| row.restriction.seq),
        Some(others),
        "no new row"
    );
    let again = undo_incident(store, "i1", 7).await;
    let refused: Vec<Undoing> = again.into_iter().map(|(_, outcome)| outcome).collect();
    let once = Undoing::AlreadyUndone;
    assert_eq!(refused, [once, once, once, Undoing::Final]);
    assert!(undo_incident(store, "i3", 7).await.is_empty());
}

#[tokio::test]
async fn what_others_stand_on_stays_when_an_incident_is_undone() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let of = |id: &str, incident: &str| StoredFinding {
        incident: incident.to_owned(),
        campaign: (incident != "i3").then(|| "c1".to_owned()),
        ..finding(id)
    };
    let end = Some(after(900));
    let shared = answered_as(store, of("f1", "i1"), limit(), end).await;
    answered_as(store, of("f2", "i2"), limit(), end).await;
    answered_as(store, of("f3", "i3"), limit(), end).await;
    let kept = Undoing::Kept(shared);
    assert_eq!(undo_incident(store, "c1", 5).await, named(&[("f1", kept), ("f2", kept)]));
    assert_eq!(holding(store, 6), [("limit:10/m".to_owned(), end)]);
    let Undoing::Lifted(anew) = undo(store, "f3", 7).await else { panic!("the last one") };
    assert!(anew > shared && holding(store, 8).is_empty());
}
