//! What the index refuses is exactly what the log says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{RestrictionIndex, is_ahead};
use crate::restriction::{Effect, LogEntry, Restriction, Selector, TokenFacts};
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn facts() -> TokenFacts {
    TokenFacts {
        token: "t1".into(),
        grant: Some("g1".into()),
        session: Some("s1".into()),
        subject: "u1".into(),
        client: "c1".into(),
        key: "k1".into(),
        issued_at: NOW,
        foreign: None,
    }
}

fn row(seq: u64, selector: Selector, effect: Effect) -> Restriction {
    Restriction {
        seq,
        selector,
        effect,
        from: NOW,
        until: None,
        reason: "test".into(),
        actor: "admin:test".into(),
        at: NOW,
    }
}

fn holding(rows: impl IntoIterator<Item = Restriction>) -> RestrictionIndex {
    let index = RestrictionIndex::default();
    for row in rows {
        index.apply(&LogEntry::Restrict(row));
    }
    index
}

/// A token of another issuer that has the names of one of ours, as far as it can.
fn foreign_facts() -> TokenFacts {
    let name = |text: &str| crate::foreign::name("https://idp.example", text);
    TokenFacts {
        token: name("t1").as_str().into(),
        grant: None,
        session: Some(name("s1").as_str().into()),
        subject: name("u1").as_str().into(),
        client: name("c1").as_str().into(),
        key: name("k1").as_str().into(),
        issued_at: NOW,
        foreign: Some(std::sync::Arc::new("https://idp.example".to_owned())),
    }
}

#[test]
fn what_is_ours_and_what_is_another_issuers_never_meet() {
    let (ours, theirs) = (facts(), foreign_facts());
    for selector in [
        Selector::Issuer,
        Selector::Key(ours.key.clone()),
        Selector::Subject(ours.subject.clone()),
        Selector::Client(ours.client.clone()),
        Selector::Token(ours.token.clone()),
    ] {
        let index = holding([row(1, selector, Effect::Revoke)]);
        assert!(index.on_token(&ours, NOW).is_some());
        assert!(index.on_token(&theirs, NOW).is_none());
        assert!(!index.at(1).expect("row").covers(&theirs));
    }
    for selector in [
        Selector::Key(theirs.key.clone()),
        Selector::Session(theirs.session.clone().expect("session")),
        Selector::Subject(theirs.subject.clone()),
        Selector::Client(theirs.client.clone()),
        Selector::Token(theirs.token.clone()),
    ] {
        let index = holding([row(1, selector, Effect::Revoke)]);
        assert!(index.on_token(&theirs, NOW).is_some());
        assert!(index.on_token(&ours, NOW).is_none());
    }
}

#[test]
fn each_kind_of_selector_fits_its_own_tokens_only() {
    let fitting = [
        Selector::Token("t1".into()),
        Selector::Grant("g1".into()),
        Selector::Session("s1".into()),
        Selector::Subject("u1".into()),
        Selector::Client("c1".into()),
        Selector::Key("k1".into()),
        Selector::Issuer,
    ];
    for selector in fitting {
        let index = holding([row(1, selector.clone(), Effect::Revoke)]);
        assert!(index.on_token(&facts(), NOW).is_some(), "{selector}");
    }
    let others = [
        Selector::Token("t2".into()),
        Selector::Token("g1".into()),
        Selector::Grant("u1".into()),
        Selector::Subject("c1".into()),
    ];
    for selector in others {
        let index = holding([row(1, selector.clone(), Effect::Revoke)]);
        assert!(index.on_token(&facts(), NOW).is_none(), "{selector}");
    }
}

#[test]
fn a_token_issued_later_is_free_except_of_a_row_about_itself() {
    let later = TokenFacts { issued_at: NOW.plus(std::time::Duration::from_millis(1)), ..facts() };
    let family = holding([row(1, Selector::Grant("g1".into()), Effect::Revoke)]);
    assert!(family.on_token(&facts(), NOW).is_some());
    assert!(family.on_token(&later, NOW).is_none());
    let single = holding([row(1, Selector::Token("t1".into()), Effect::Revoke)]);
    assert!(single.on_token(&later, NOW).is_some());
}

#[test]
fn a_lift_ends_its_row_and_no_other() {
    let index = holding([
        row(1, Selector::Client("c1".into()), Effect::Suspend),
        row(2, Selector::Client("c1".into()), Effect::Suspend),
    ]);
    index.apply(&LogEntry::Lift { seq: 3, lifts: 1 });
    assert_eq!(index.on_token(&facts(), NOW).map(|row| row.seq), Some(2));
    index.apply(&LogEntry::Lift { seq: 4, lifts: 2 });
    assert!(index.on_token(&facts(), NOW).is_none());
    assert_eq!((index.len(), index.last_seq()), (0, 4));
}

#[test]
fn a_revocation_is_named_before_a_suspension() {
    let index = holding([
        row(1, Selector::Token("t1".into()), Effect::Suspend),
        row(2, Selector::Subject("u1".into()), Effect::Revoke),
        row(3, Selector::Client("c1".into()), Effect::Suspend),
    ]);
    assert_eq!(index.on_token(&facts(), NOW).map(|row| row.seq), Some(2));
}

#[test]
fn what_has_ended_is_forgotten() {
    let until = NOW.plus(std::time::Duration::from_secs(60));
    let ends = Restriction { until: Some(until), ..row(1, Selector::Issuer, Effect::Suspend) };
    let index = holding([ends, row(2, Selector::Token("x".into()), Effect::Revoke)]);
    assert!(index.on_token(&facts(), NOW).is_some());
    assert!(index.on_token(&facts(), until).is_none());
    assert_eq!((index.forget_ended(until), index.len()), (1, 1));
}

#[test]
fn networks_fit_addresses_whatever_their_notation() {
    let net = |text: &str| Selector::Network(text.parse().expect("network"));
    let index = holding([
        row(1, net("192.0.2.0/24"), Effect::Suspend),
        row(2, net("2001:db8::/64"), Effect::Suspend),
        row(3, net("198.51.100.7/32"), Effect::Suspend),
    ]);
    let blocked = |ip: &str| index.on_network(ip.parse().expect("address"), NOW).is_some();
    assert!(blocked("192.0.2.99"));
    assert!(blocked("::ffff:192.0.2.99"));
    assert!(blocked("2001:db8::5"));
    assert!(blocked("198.51.100.7"));
    assert!(!blocked("198.51.100.8"));
    assert!(!blocked("2001:db8:0:1::5"));
    index.apply(&LogEntry::Lift { seq: 4, lifts: 1 });
    assert!(!blocked("192.0.2.99"));
    assert!(blocked("198.51.100.7"));
}

#[test]
fn an_entry_seen_twice_counts_once() {
    let again = row(1, Selector::Client("c1".into()), Effect::Suspend);
    let index = holding([again.clone(), again]);
    index.apply(&LogEntry::Lift { seq: 2, lifts: 1 });
    index.apply(&LogEntry::Lift { seq: 2, lifts: 1 });
    assert!(index.on_token(&facts(), NOW).is_none());
}

#[test]
fn listeners_hear_after_the_row_holds() {
    let index = Arc::new(RestrictionIndex::default());
    let heard = Arc::new(AtomicUsize::new(0));
    let (seen, inner) = (Arc::clone(&heard), Arc::downgrade(&index));
    index.on_restriction(move |_| {
        let index = inner.upgrade().expect("index");
        assert!(index.on_token(&facts(), NOW).is_some());
        seen.fetch_add(1, Ordering::Relaxed);
    });
    index.apply(&LogEntry::Restrict(row(1, Selector::Issuer, Effect::Revoke)));
    assert_eq!(heard.load(Ordering::Relaxed), 1);
}

#[test]
fn a_suspension_is_seen_beside_a_revocation() {
    let selector = Selector::Subject("u1".into());
    let mut suspension = row(1, selector.clone(), Effect::Suspend);
    suspension.until = Some(Timestamp::from_secs(NOW.as_secs() + 60));
    let index = holding([suspension, row(2, selector.clone(), Effect::Revoke)]);
    assert_eq!(index.suspension_on(&selector, NOW).map(|row| row.seq), Some(1));
    let later = Timestamp::from_secs(NOW.as_secs() + 60);
    assert!(index.suspension_on(&selector, later).is_none());
    assert!(index.suspension_on(&Selector::Subject("u2".into()), NOW).is_none());
    index.apply(&LogEntry::Lift { seq: 3, lifts: 1 });
    assert!(index.suspension_on(&selector, NOW).is_none());
}

#[test]
fn what_is_being_written_holds_until_then_and_is_no_entry_of_the_log() {
    let told = Arc::new(AtomicUsize::new(0));
    let index = Arc::new(holding([row(4, Selector::Grant("g1".into()), Effect::Suspend)]));
    let seen = Arc::clone(&told);
    index.on_restriction(move |_| {
        seen.fetch_add(1, Ordering::SeqCst);
    });
    let ip = "192.0.2.7".parse().expect("address");
    let network = Selector::Network("192.0.2.0/24".parse().expect("network"));
    let by_token = index.hold_ahead(row(0, Selector::Token("t1".into()), Effect::Revoke));
    let same = index.hold_ahead(row(0, Selector::Token("t1".into()), Effect::Revoke));
    let by_network = index.hold_ahead(row(0, network, Effect::Suspend));
    let found = index.on_token(&facts(), NOW).expect("a restriction");
    assert!(found.effect == Effect::Revoke && is_ahead(found.seq));
    assert!(index.on_network(ip, NOW).is_some());
    assert_eq!((index.len(), index.last_seq(), told.load(Ordering::SeqCst)), (1, 4, 0));
    assert_eq!(index.forget_ended(NOW), 0);
    drop(by_network);
    assert!(index.on_network(ip, NOW).is_none());
    drop(same);
    assert!(is_ahead(index.on_token(&facts(), NOW).expect("the other holds").seq));
    drop(by_token);
    assert_eq!(index.on_token(&facts(), NOW).expect("what was there before").seq, 4);
    let partial = row(0, Selector::Token("t1".into()), Effect::DropScopes(Default::default()));
    let part = index.hold_ahead(partial);
    assert_eq!(index.partial_on(&facts(), NOW).len(), 1);
    drop(part);
    assert!(index.partial_on(&facts(), NOW).is_empty());
}
