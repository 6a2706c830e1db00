//! The restriction log and the memory that follows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use token::index::{RestrictionIndex, is_ahead};
use token::restriction::{Effect, LogEntry, Selector};
use token::scope::ScopeSet;

use super::support::{Fixture, LIFE, NOW, after, facts, issued, revoke, suspend};
use crate::{Filter, IssuedToken, Lift, NewRestriction, RestrictionRow};

const ALL: Filter = Filter { in_force_at: None, before: None, limit: 100 };

fn subject() -> Selector {
    Selector::Subject("u1".into())
}

fn network(text: &str) -> Selector {
    Selector::Network(text.parse().expect("network"))
}

fn seqs(rows: &[RestrictionRow]) -> Vec<u64> {
    rows.iter().map(|row| row.restriction.seq).collect()
}

#[tokio::test]
async fn a_restriction_holds_before_the_call_returns() {
    let fixture = Fixture::new();
    for token in ["t1", "t2", "t3"] {
        assert!(fixture.store.index().on_token(&facts(token), NOW).is_none());
        let selector = Selector::Token(token.into());
        let row = fixture.store.restrict(revoke(selector), NOW).await.expect("restriction");
        assert_eq!(fixture.store.index().on_token(&facts(token), NOW), Some(row));
    }
    assert_eq!(fixture.store.index().last_seq(), 3);
}

#[tokio::test]
async fn what_the_watcher_decides_holds_while_it_is_being_written_whoever_waits_for_that() {
    let fixture = Fixture::new();
    let index = fixture.store.index();
    let mut nobody = Context::from_waker(Waker::noop());
    let suspended = |token| index.on_token(&facts(token), NOW).map(|row| is_ahead(row.seq));
    let dropped = || index.partial_on(&facts("t1"), NOW).len();
    let on_token = |token: &str| suspend(Selector::Token(token.into()));
    let part = NewRestriction { effect: Effect::DropScopes(ScopeSet::default()), ..on_token("t1") };
    let still = fixture.stand_still().await;
    let mut whole = Box::pin(fixture.store.restrict_once(on_token("t1"), NOW));
    let mut part = Box::pin(fixture.store.restrict_once(part, NOW));
    let mut unwatched = Box::pin(fixture.store.restrict_once(on_token("t2"), NOW));
    assert!(whole.as_mut().poll(&mut nobody).is_pending());
    assert!(part.as_mut().poll(&mut nobody).is_pending());
    assert!(unwatched.as_mut().poll(&mut nobody).is_pending());
    drop(unwatched);
    let (seen, asked) = (Arc::clone(index), facts("t1"));
    let later = fixture.store.begin(move |_| Ok(seen.on_token(&asked, NOW).is_some()));
    assert_eq!((suspended("t1"), dropped(), suspended("t2")), (Some(true), 1, Some(true)));
    still.end().await;
    whole.await.expect("restriction");
    part.await.expect("restriction");
    assert!(later.await.expect("act"), "between its own act and the commit");
    let held = (suspended("t1"), dropped(), suspended("t2"));
    assert_eq!(held, (Some(false), 1, Some(false)), "the log's own");

    fixture.store.close().await;
    fixture.store.restrict_once(on_token("t3"), NOW).await.expect_err("closed");
    assert_eq!(suspended("t3"), None, "what cannot be written ends");
}

#[tokio::test]
async fn every_kind_of_selector_survives_a_restart() {
    let selectors = [
        Selector::Client("c".into()),
        Selector::Grant("g".into()),
        Selector::Issuer,
        Selector::Key("k".into()),
        network("192.0.2.0/24"),
        network("2001:db8::/64"),
        Selector::Session("s".into()),
        subject(),
        Selector::Token("t".into()),
    ];
    let fixture = Fixture::new();
    let mut written = Vec::new();
    for selector in &selectors {
        let new = NewRestriction { until: Some(after(900)), ..suspend(selector.clone()) };
        written.push(fixture.store.restrict(new, NOW).await.expect("restriction"));
    }
    let fixture = fixture.reopen(after(1)).await;
    for (selector, row) in selectors.iter().zip(&written) {
        let held = fixture.store.index().on_selector(selector, after(1));
        assert_eq!(held.as_ref(), Some(row), "{selector}");
    }
    assert_eq!(fixture.store.index().len(), selectors.len());
    assert_eq!(fixture.store.index().last_seq(), 9);
    // What ended meanwhile is not loaded; the numbers go on all the same.
    let fixture = fixture.reopen(after(900)).await;
    assert!(fixture.store.index().is_empty());
    assert_eq!(fixture.store.index().last_seq(), 9);
    let row = fixture.store.restrict(revoke(subject()), after(900)).await.expect("restriction");
    assert_eq!(row.seq, 10);
}

#[tokio::test]
async fn numbers_have_no_holes_when_acts_fail() {
    let fixture = Fixture::new();
    for _ in 0..2 {
        fixture.store.restrict(suspend(subject()), NOW).await.expect("restriction");
        let failed = fixture.store.write(|act| {
            act.restrict(revoke(subject()), NOW)?;
            Err::<(), _>(crate::StoreError::Sealed)
        });
        assert!(failed.await.is_err());
    }
    let rows = fixture.store.restrictions(ALL).await.expect("rows");
    assert_eq!(seqs(&rows), [2, 1]);
    assert_eq!((fixture.store.index().len(), fixture.store.index().last_seq()), (2, 2));
}

#[tokio::test]
async fn networks_have_one_notation() {
    let fixture = Fixture::new();
    for (given, address) in [
        ("192.0.2.77/24", "192.0.2.1"),
        ("::ffff:198.51.100.7/128", "198.51.100.7"),
        ("2001:db8:0:1::5/64", "2001:db8:0:1::9"),
    ] {
        let address = address.parse().expect("address");
        assert!(fixture.store.index().on_network(address, NOW).is_none(), "{given}");
        fixture.store.restrict(suspend(network(given)), NOW).await.expect("restriction");
        assert!(fixture.store.index().on_network(address, NOW).is_some(), "{given}");
        let (_, created) =
            fixture.store.restrict_once(suspend(network(given)), NOW).await.expect("restriction");
        assert!(!created, "{given}");
    }
    let other_host = suspend(network("192.0.2.99/24"));
    let (row, created) = fixture.store.restrict_once(other_host, NOW).await.expect("restriction");
    assert_eq!((&row.selector, created), (&network("192.0.2.0/24"), false));
    // A wider IPv6 network that merely contains the mapped addresses stays what it is.
    let row = fixture.store.restrict(suspend(network("::/64")), NOW).await.expect("restriction");
    assert_eq!(row.selector, network("::/64"));
}

#[tokio::test]
async fn once_means_once_while_it_does_as_much() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let block = |secs| NewRestriction { until: Some(after(secs)), ..suspend(subject()) };
    let (first, created) = store.restrict_once(block(100), NOW).await.expect("restriction");
    assert!(created);
    for shorter in [block(100), block(50)] {
        let (held, created) = store.restrict_once(shorter, NOW).await.expect("restriction");
        assert_eq!((held.seq, created), (first.seq, false));
    }
    let longer = [block(101), suspend(subject())];
    let other = [suspend(Selector::Subject("u2".into())), suspend(Selector::Client("u1".into()))];
    let stronger = [revoke(subject())];
    let more = [NewRestriction { from: after(1), ..suspend(subject()) }];
    for new in longer.into_iter().chain(other).chain(stronger).chain(more) {
        let (_, created) = store.restrict_once(new.clone(), NOW).await.expect("restriction");
        assert!(created, "{new:?}");
        let (_, created) = store.restrict_once(new.clone(), NOW).await.expect("restriction");
        assert!(!created, "{new:?}");
    }
}

#[tokio::test]
async fn once_again_after_the_end_or_the_lift() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let block = NewRestriction { until: Some(after(100)), ..suspend(network("192.0.2.1/32")) };
    let (first, _) = store.restrict_once(block.clone(), NOW).await.expect("restriction");
    assert_eq!(store.lift(first.seq, "admin:test", NOW).await.expect("lift"), Lift::Lifted);
    let (_, created) = store.restrict_once(block.clone(), NOW).await.expect("restriction");
    assert!(created);
    let again = NewRestriction { until: Some(after(200)), ..block };
    let (_, created) = store.restrict_once(again, after(100)).await.expect("restriction");
    assert!(created);
}

#[tokio::test]
async fn a_revocation_does_not_stand_for_a_suspension_of_whoever_is_issued_to() {
    let fixture = Fixture::new();
    let once = |new| fixture.store.restrict_once(new, NOW);
    for selector in [subject(), Selector::Client("c1".into()), Selector::Issuer] {
        once(revoke(selector.clone())).await.expect("restriction");
        let (_, created) = once(suspend(selector.clone())).await.expect("restriction");
        assert!(created, "{selector}");
        assert!(fixture.store.index().suspension_on(&selector, NOW).is_some());
    }
    for selector in [Selector::Grant("g1".into()), Selector::Token("t1".into())] {
        once(revoke(selector.clone())).await.expect("restriction");
        let (_, created) = once(suspend(selector.clone())).await.expect("restriction");
        assert!(!created, "{selector}");
    }
}

#[tokio::test]
async fn a_token_and_a_network_are_restricted_whatever_the_time() {
    let fixture = Fixture::new();
    for selector in [Selector::Token("t1".into()), network("192.0.2.1/32")] {
        fixture.store.restrict(revoke(selector.clone()), NOW).await.expect("restriction");
        let later = NewRestriction { from: after(60), ..revoke(selector) };
        let (_, created) = fixture.store.restrict_once(later, after(60)).await.expect("row");
        assert!(!created);
    }
}

#[tokio::test]
async fn parallel_calls_of_once_write_one_row() {
    let fixture = Fixture::new();
    let still = fixture.stand_still().await;
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let store = fixture.store.clone();
            tokio::spawn(async move { store.restrict_once(suspend(subject()), NOW).await })
        })
        .collect();
    fixture.until_queued(10).await;
    still.end().await;
    let mut created = 0;
    for task in tasks {
        created += usize::from(task.await.expect("task").expect("restriction").1);
    }
    assert_eq!((created, fixture.store.index().len()), (1, 1));
}

#[tokio::test]
async fn a_lift_ends_a_suspension_and_nothing_else() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let held = store.restrict(suspend(subject()), NOW).await.expect("restriction");
    let other = store.restrict(suspend(Selector::Issuer), NOW).await.expect("restriction");
    let last = store.restrict(revoke(subject()), NOW).await.expect("restriction");
    let lift = |seq| store.lift(seq, "admin:anna", after(5));
    assert_eq!(lift(last.seq).await.expect("lift"), Lift::Final);
    assert_eq!(lift(99).await.expect("lift"), Lift::Unknown);
    assert_eq!(lift(0).await.expect("lift"), Lift::Unknown);
    assert_eq!(lift(u64::MAX).await.expect("lift"), Lift::Unknown);
    assert_eq!(lift(held.seq).await.expect("lift"), Lift::Lifted);
    assert!(store.index().suspension_on(&subject(), after(5)).is_none());
    assert!(store.index().suspension_on(&Selector::Issuer, after(5)).is_some());
    assert_eq!(lift(held.seq).await.expect("lift"), Lift::NotInForce);
    assert_eq!(lift(4).await.expect("lift"), Lift::Unknown, "a lift cannot be lifted");
    assert_eq!(store.index().last_seq(), 4);

    let rows = store.restrictions(ALL).await.expect("rows");
    assert_eq!(seqs(&rows), [last.seq, other.seq, held.seq]);
    assert_eq!(rows[2].lifted_at, Some(after(5)));
    assert_eq!(rows[2].lifted_by.as_deref(), Some("admin:anna"));
    assert_eq!((rows[1].lifted_at, rows[1].lifted_by.as_deref()), (None, None));

    // Even where the clock went back, a lifted row is not loaded again.
    let fixture = fixture.reopen(NOW).await;
    assert!(fixture.store.index().suspension_on(&subject(), NOW).is_none());
    assert_eq!((fixture.store.index().len(), fixture.store.index().last_seq()), (2, 4));
}

#[tokio::test]
async fn what_has_ended_cannot_be_lifted() {
    let fixture = Fixture::new();
    let block = NewRestriction { until: Some(after(10)), ..suspend(subject()) };
    let row = fixture.store.restrict(block, NOW).await.expect("restriction");
    let lift = fixture.store.lift(row.seq, "admin:test", after(10)).await;
    assert_eq!(lift.expect("lift"), Lift::NotInForce);
}

#[tokio::test]
async fn the_log_is_read_in_pages_and_by_what_is_in_force() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    for secs in [10, 20, 30] {
        let block = NewRestriction { until: Some(after(secs)), ..suspend(subject()) };
        store.restrict(block, NOW).await.expect("restriction");
    }
    store.restrict(suspend(Selector::Issuer), NOW).await.expect("restriction");
    store.lift(4, "admin:test", NOW).await.expect("lift");
    let list = |filter| async move { seqs(&store.restrictions(filter).await.expect("rows")) };
    assert_eq!(list(ALL).await, [4, 3, 2, 1]);
    assert_eq!(list(Filter { limit: 2, ..ALL }).await, [4, 3]);
    assert_eq!(list(Filter { before: Some(3), ..ALL }).await, [2, 1]);
    assert_eq!(list(Filter { in_force_at: Some(NOW), ..ALL }).await, [3, 2, 1]);
    assert_eq!(list(Filter { in_force_at: Some(after(20)), ..ALL }).await, [3]);
    let page = Filter { in_force_at: Some(NOW), before: Some(3), limit: 1 };
    assert_eq!(list(page).await, [2]);
}

#[tokio::test]
async fn a_revocation_leaves_memory_when_its_last_token_has_expired() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    store.restrict(revoke(subject()), NOW).await.expect("restriction");
    store.restrict(revoke(network("192.0.2.1/32")), NOW).await.expect("restriction");
    store.restrict(suspend(Selector::Issuer), NOW).await.expect("restriction");
    // Checkers may still take an expired token for a while, where clocks differ.
    let end = NOW.plus(LIFE).plus(Duration::from_secs(300));
    store.forget(end.minus(Duration::from_millis(1))).await.expect("forget");
    assert_eq!(store.index().len(), 3);
    store.forget(end).await.expect("forget");
    assert_eq!(store.index().len(), 2, "networks and suspensions have no last token");
    assert!(store.index().on_selector(&subject(), end).is_none());
    let fixture = fixture.reopen(end).await;
    assert_eq!(fixture.store.index().len(), 2);
    // It stays readable for a week.
    let rows = fixture.store.restrictions(ALL).await.expect("rows");
    assert_eq!(seqs(&rows), [3, 2, 1]);
    let week = end.plus(Duration::from_secs(7 * 24 * 3600));
    assert_eq!(fixture.store.forget(week).await.expect("forget").restrictions, 1);
    assert_eq!(seqs(&fixture.store.restrictions(ALL).await.expect("rows")), [3, 2]);
}

#[tokio::test]
async fn a_revocation_is_held_as_long_as_a_long_lived_token_lives() {
    let selectors = [
        Selector::Client("c1".into()),
        Selector::Grant("g1".into()),
        Selector::Issuer,
        Selector::Key("k1".into()),
        Selector::Session("s1".into()),
        subject(),
        Selector::Token("t1".into()),
    ];
    let year = Duration::from_secs(365 * 24 * 3600);
    for selector in selectors {
        let fixture = Fixture::new();
        let long =
            IssuedToken { expires_at: NOW.plus(year), session: Some("s1".into()), ..issued("t1") };
        // Not yet written when the revocation is: the writer has both in hand.
        fixture.store.record_token(long);
        fixture.store.restrict(revoke(selector.clone()), NOW).await.expect("restriction");
        let late = NOW.plus(year).minus(Duration::from_secs(1));
        fixture.store.forget(late).await.expect("forget");
        assert!(fixture.store.index().on_token(&facts("t1"), late).is_some(), "{selector}");
        let fixture = fixture.reopen(late).await;
        assert!(fixture.store.index().on_token(&facts("t1"), late).is_some(), "{selector}");
        fixture.store.forget(late.plus(Duration::from_secs(302))).await.expect("forget");
        assert!(fixture.store.index().is_empty(), "{selector}");
    }
}

#[tokio::test]
async fn a_listener_hears_before_the_call_returns_and_may_panic() {
    let fixture = Fixture::new();
    let heard = Arc::new(AtomicBool::new(false));
    let inner = Arc::clone(&heard);
    fixture.store.index().on_restriction(move |_| {
        inner.store(true, Ordering::SeqCst);
        panic!("a listener's defect");
    });
    fixture.store.restrict(revoke(subject()), NOW).await.expect("restriction");
    assert!(heard.load(Ordering::SeqCst));
    assert!(fixture.store.index().on_token(&facts("t1"), NOW).is_some());
    fixture.store.restrict(revoke(Selector::Issuer), NOW).await.expect("the writer goes on");
    assert!(fixture.store.health().writer_alive);
}

#[tokio::test]
async fn the_log_is_read_in_pages_that_make_an_equal_index() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    for number in 0..7 {
        let row = suspend(Selector::Token(format!("t{number}").into()));
        store.restrict(row, NOW).await.expect("restriction");
    }
    for seq in [2, 5] {
        assert_eq!(store.lift(seq, "admin:a", NOW).await.expect("lift"), Lift::Lifted);
    }
    let copy = RestrictionIndex::default();
    let mut at = 0;
    for _ in 0..10 {
        let page = store.restriction_log(at, 2, NOW).await.expect("page");
        page.entries.iter().for_each(|entry| copy.apply(entry));
        assert!(page.upto >= at && page.entries.len() <= 2);
        at = page.upto;
        if !page.more {
            break;
        }
    }
    assert_eq!((at, copy.len()), (9, 5));
    for number in 0..7 {
        let facts = facts(&format!("t{number}"));
        let both = [&copy, store.index()].map(|index| index.on_token(&facts, NOW).is_some());
        assert_eq!(both[0], both[1], "t{number}");
    }
    // A lift reaches who knows the restriction already; an end that is known is told.
    store.lift(1, "admin:a", NOW).await.expect("lift");
    let until = Some(after(60));
    let short = NewRestriction { until, ..suspend(subject()) };
    store.restrict(short, NOW).await.expect("restriction");
    store.restrict(revoke(subject()), NOW).await.expect("restriction");
    let page = store.restriction_log(at, 100, NOW).await.expect("page");
    page.entries.iter().for_each(|entry| copy.apply(entry));
    assert!(copy.on_token(&facts("t0"), after(61)).is_some_and(|row| row.until > until));
    let page = store.restriction_log(12, 100, NOW).await.expect("page");
    assert_eq!((page.entries.len(), page.upto, page.more), (0, 12, false));
    let page = store.restriction_log(0, 100, after(10_000_000)).await.expect("page");
    assert!(page.entries.iter().all(|entry| match entry {
        LogEntry::Restrict(row) => row.until.is_none(),
        LogEntry::Lift { .. } => true,
    }));
}

#[tokio::test]
async fn what_is_partial_fits_later_tokens_outlives_a_restart_and_is_written_once() {
    let fixture = Fixture::new();
    let partial = |effect: &str| NewRestriction {
        effect: effect.parse().expect("effect"),
        ..suspend(subject())
    };
    let once = |new| fixture.store.restrict_once(new, NOW);
    let effects =
        ["drop_scopes:a", "drop_scopes:b", "require:step_up", "limit:1/m", "networks:192.0.2.0/24"];
    for effect in effects {
        assert!(once(partial(effect)).await.expect("row").1, "{effect}");
        assert!(!once(partial(effect)).await.expect("row").1, "{effect} stands already");
    }
    assert!(once(suspend(subject())).await.expect("row").1, "to refuse is more than any of them");
    let fixture = fixture.reopen(after(10_000_000)).await;
    let index = fixture.store.index();
    let late = token::restriction::TokenFacts { issued_at: after(9_999_999), ..facts("t9") };
    let held = index.partial_on(&late, after(10_000_000));
    let texts: Vec<String> = held.iter().map(|row| row.effect.to_string()).collect();
    assert_eq!(texts, effects);
    assert_eq!(index.dropped_scopes(&late, NOW).to_string(), "a b");
    fixture.store.forget(after(10_000_000)).await.expect("forget");
    assert_eq!(index.partial_on(&late, after(10_000_000)).len(), effects.len());
    for row in held {
        let lifted = fixture.store.lift(row.seq, "admin:test", after(10_000_000)).await;
        assert_eq!(lifted.expect("lift"), Lift::Lifted);
    }
    assert!(index.partial_on(&late, after(10_000_000)).is_empty());
}
