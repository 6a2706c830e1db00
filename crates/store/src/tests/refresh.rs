//! A refresh token works once; who may hear the same answer again, and who ends the family.

use std::time::Duration;

use token::restriction::{Effect, Selector};
use token::time::Timestamp;

use super::support::{Fixture, NOW, after, begin, code, facts, grant, hash, new_refresh};
use crate::{NewRefresh, Next, Rotate, Rotation, Store};

const WINDOW: Duration = Duration::from_secs(10);

pub(super) fn rotate(presented: &str, successor: &str) -> Rotate {
    Rotate {
        presented: hash(presented),
        next: Some(Next {
            successor: new_refresh(successor),
            answer: format!("answer with {successor}").into_bytes(),
        }),
        party: [1; 32],
        retry_window: WINDOW,
        now: NOW,
    }
}

/// The same rotation to a token that ends then.
fn until(rotate: Rotate, expires_at: Timestamp) -> Rotate {
    let next = rotate.next.map(|next| {
        let successor = NewRefresh { expires_at, ..next.successor };
        Next { successor, ..next }
    });
    Rotate { next, ..rotate }
}

async fn run(store: &Store, rotate: Rotate) -> Rotation {
    store.rotate_refresh(rotate).await.expect("store")
}

async fn begun() -> Fixture {
    let fixture = Fixture::new();
    begin(&fixture.store, &code("g1"), "r1").await;
    fixture
}

#[track_caller]
fn assert_family_ended(fixture: &Fixture) {
    let restriction = fixture.store.index().on_token(&facts("t1"), NOW).expect("restriction");
    assert_eq!(restriction.selector, Selector::Grant("g1".into()));
    assert_eq!(restriction.effect, Effect::Revoke);
    assert_eq!(restriction.reason, "refresh token used twice");
    assert_eq!(fixture.store.index().len(), 1);
}

#[tokio::test]
async fn rotation_puts_the_successor_in_place() {
    let fixture = begun().await;
    assert_eq!(run(&fixture.store, rotate("r1", "r2")).await, Rotation::Rotated);
    let state = fixture.store.refresh(&hash("r1")).await.expect("store").expect("r1");
    assert_eq!(state.rotated_at, Some(NOW));
    let state = fixture.store.refresh(&hash("r2")).await.expect("store").expect("r2");
    assert_eq!((state.rotated_at, state.ended), (None, false));
    assert_eq!(state.grant, grant("g1"));
    assert_eq!(state.expires_at, after(1000));
    assert_eq!(run(&fixture.store, rotate("r2", "r3")).await, Rotation::Rotated);
    assert!(fixture.store.index().is_empty());
}

#[tokio::test]
async fn an_unknown_token_changes_nothing() {
    let fixture = begun().await;
    assert_eq!(run(&fixture.store, rotate("x", "r2")).await, Rotation::Unknown);
    assert!(fixture.store.refresh(&hash("r2")).await.expect("store").is_none());
    assert!(fixture.store.refresh(&hash("x")).await.expect("store").is_none());
    assert!(fixture.store.index().is_empty());
}

#[tokio::test]
async fn the_same_party_gets_the_same_answer_again() {
    let fixture = begun().await;
    run(&fixture.store, rotate("r1", "r2")).await;
    let answer = b"answer with r2".to_vec();
    for millis in [0, 5_000, 9_999] {
        let now = NOW.plus(Duration::from_millis(millis));
        let again = run(&fixture.store, Rotate { now, ..rotate("r1", "r9") }).await;
        assert_eq!(again, Rotation::Retry { answer: answer.clone() }, "{millis}");
    }
    assert!(fixture.store.refresh(&hash("r9")).await.expect("store").is_none());
    assert!(fixture.store.index().is_empty());
}

#[tokio::test]
async fn another_party_ends_the_family() {
    let fixture = begun().await;
    run(&fixture.store, rotate("r1", "r2")).await;
    let stolen = run(&fixture.store, Rotate { party: [2; 32], ..rotate("r1", "r9") }).await;
    assert_eq!(stolen, Rotation::Reused { grant: Box::new(grant("g1")) });
    assert_family_ended(&fixture);
    // The successor is dead, and the honest party's retry finds it so.
    assert_eq!(run(&fixture.store, rotate("r2", "r3")).await, Rotation::Ended);
    assert_eq!(run(&fixture.store, rotate("r1", "r3")).await, Rotation::Ended);
    assert_eq!(fixture.store.index().last_seq(), 1);
}

#[tokio::test]
async fn a_repeat_after_the_window_ends_the_family() {
    let fixture = begun().await;
    run(&fixture.store, rotate("r1", "r2")).await;
    let late = run(&fixture.store, Rotate { now: after(10), ..rotate("r1", "r9") }).await;
    assert_eq!(late, Rotation::Reused { grant: Box::new(grant("g1")) });
    assert_family_ended(&fixture);
}

#[tokio::test]
async fn a_repeat_after_the_successor_was_used_ends_the_family() {
    let fixture = begun().await;
    run(&fixture.store, rotate("r1", "r2")).await;
    run(&fixture.store, rotate("r2", "r3")).await;
    let again = run(&fixture.store, rotate("r1", "r9")).await;
    assert_eq!(again, Rotation::Reused { grant: Box::new(grant("g1")) });
    assert_family_ended(&fixture);
}

#[tokio::test]
async fn without_a_window_there_is_no_second_time() {
    let fixture = begun().await;
    let strict = |next| Rotate { retry_window: Duration::ZERO, ..rotate("r1", next) };
    assert_eq!(run(&fixture.store, strict("r2")).await, Rotation::Rotated);
    let again = run(&fixture.store, strict("r3")).await;
    assert_eq!(again, Rotation::Reused { grant: Box::new(grant("g1")) });
}

#[tokio::test]
async fn time_ends_a_token_and_a_grant() {
    let fixture = begun().await;
    let idle = Rotate { now: after(1000), ..rotate("r1", "r2") };
    assert_eq!(run(&fixture.store, idle).await, Rotation::Expired);
    let last = Rotate { now: after(999), ..rotate("r1", "r2") };
    assert_eq!(run(&fixture.store, until(last, after(9000))).await, Rotation::Rotated);
    let absolute = Rotate { now: after(3000), ..rotate("r2", "r3") };
    assert_eq!(run(&fixture.store, absolute).await, Rotation::Expired);
    // Nothing can come of a grant that is over, so a second use of its tokens ends nothing.
    let used = Rotate { now: after(3000), ..rotate("r1", "r3") };
    assert_eq!(run(&fixture.store, used).await, Rotation::Expired);
    assert!(fixture.store.index().is_empty());
}

#[tokio::test]
async fn a_used_token_that_expired_still_betrays_its_thief() {
    let fixture = begun().await;
    run(&fixture.store, until(rotate("r1", "r2"), after(2900))).await;
    let late = Rotate { now: after(1500), ..rotate("r1", "r9") };
    assert_eq!(run(&fixture.store, late).await, Rotation::Reused { grant: Box::new(grant("g1")) });
    assert_family_ended(&fixture);
}

#[tokio::test]
async fn an_ended_grant_gives_nothing() {
    let fixture = begun().await;
    fixture.store.end_grant(&"g1".into(), "left", "client:c1", NOW).await.expect("store");
    assert_eq!(run(&fixture.store, rotate("r1", "r2")).await, Rotation::Ended);
    assert!(fixture.store.refresh(&hash("r2")).await.expect("store").is_none());
}

#[tokio::test]
async fn an_answer_is_asked_for_without_one_to_take_its_place() {
    let fixture = begun().await;
    let ask = || Rotate { next: None, ..rotate("r1", "") };
    assert_eq!(run(&fixture.store, ask()).await, Rotation::NextWanted, "it was never used");
    run(&fixture.store, rotate("r1", "r2")).await;
    assert_eq!(
        run(&fixture.store, ask()).await,
        Rotation::Retry { answer: b"answer with r2".to_vec() }
    );
}

#[tokio::test]
async fn after_a_restart_the_same_party_rotates_once_more() {
    let fixture = begun().await;
    run(&fixture.store, rotate("r1", "r2")).await;
    let fixture = fixture.reopen(NOW).await;
    let ask = Rotate { next: None, ..rotate("r1", "") };
    assert_eq!(run(&fixture.store, ask).await, Rotation::NextWanted);
    assert_eq!(run(&fixture.store, rotate("r1", "r3")).await, Rotation::Rotated);
    // From then on that is the answer, to be heard as often as the first.
    let again = run(&fixture.store, rotate("r1", "r9")).await;
    assert_eq!(again, Rotation::Retry { answer: b"answer with r3".to_vec() });
    assert_eq!(run(&fixture.store, rotate("r3", "r4")).await, Rotation::Rotated);
    assert!(fixture.store.index().is_empty());
}

#[tokio::test]
async fn a_successor_that_was_replaced_betrays_a_second_hand() {
    let fixture = begun().await;
    run(&fixture.store, rotate("r1", "r2")).await;
    let fixture = fixture.reopen(NOW).await;
    run(&fixture.store, rotate("r1", "r3")).await;
    let void = run(&fixture.store, rotate("r2", "r9")).await;
    assert_eq!(void, Rotation::Reused { grant: Box::new(grant("g1")) });
    assert_family_ended(&fixture);
    assert_eq!(run(&fixture.store, rotate("r3", "r4")).await, Rotation::Ended);
}

#[tokio::test]
async fn a_restart_changes_nothing_for_another_party_or_after_the_window() {
    for late in [
        Rotate { party: [2; 32], ..rotate("r1", "r9") },
        Rotate { now: after(10), ..rotate("r1", "r9") },
    ] {
        let fixture = begun().await;
        run(&fixture.store, rotate("r1", "r2")).await;
        let fixture = fixture.reopen(NOW).await;
        assert_eq!(
            run(&fixture.store, late).await,
            Rotation::Reused { grant: Box::new(grant("g1")) }
        );
        assert_family_ended(&fixture);
    }
}

#[tokio::test]
async fn a_rotation_that_was_not_committed_leaves_no_answer() {
    let fixture = begun().await;
    let lost = Rotate {
        next: Some(Next { successor: new_refresh("r1"), answer: b"never".to_vec() }),
        ..rotate("r1", "")
    };
    assert!(fixture.store.rotate_refresh(lost).await.is_err(), "a token cannot follow itself");
    assert_eq!(run(&fixture.store, rotate("r1", "r2")).await, Rotation::Rotated);
    let again = run(&fixture.store, rotate("r1", "r9")).await;
    assert_eq!(again, Rotation::Retry { answer: b"answer with r2".to_vec() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_parallel_rotations_one_rotates() {
    let fixture = begun().await;
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let store = fixture.store.clone();
            let rotate = rotate("r1", &format!("next {number}"));
            tokio::spawn(async move { run(&store, rotate).await })
        })
        .collect();
    let (mut rotated, mut answers) = (0, Vec::new());
    for task in tasks {
        match task.await.expect("task") {
            Rotation::Rotated => rotated += 1,
            Rotation::Retry { answer } => answers.push(answer),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((rotated, answers.len()), (1, 99));
    answers.dedup();
    assert_eq!(answers.len(), 1, "everybody hears the same");
    assert!(fixture.store.index().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_parallel_parties_none_keeps_the_family() {
    let fixture = begun().await;
    let tasks: Vec<_> = (0..40u8)
        .map(|number| {
            let store = fixture.store.clone();
            let rotate = Rotate { party: [number % 2; 32], ..rotate("r1", &format!("n{number}")) };
            tokio::spawn(async move { run(&store, rotate).await })
        })
        .collect();
    let (mut rotated, mut reused) = (0, 0);
    for task in tasks {
        match task.await.expect("task") {
            Rotation::Rotated => rotated += 1,
            Rotation::Reused { .. } => reused += 1,
            _ => {}
        }
    }
    assert_eq!((rotated, reused), (1, 1));
    assert_family_ended(&fixture);
}

#[tokio::test]
async fn what_is_in_memory_is_what_is_on_disk_until_it_is_used() {
    let fixture = begun().await;
    let store = &fixture.store;
    for (token, next) in [("r1", "r2"), ("r2", "r3"), ("r3", "r4")] {
        let known = store.refresh_to_rotate(&hash(token)).await.expect("store");
        assert_eq!(known, store.refresh(&hash(token)).await.expect("store"), "{token}");
        run(store, rotate(token, next)).await;
        let known = store.refresh_to_rotate(&hash(token)).await.expect("store").expect("used");
        assert_eq!(known.rotated_at, Some(NOW), "{token} is judged by its second use");
    }
    // A grant that was ended is noticed by whoever rotates.
    store.refresh_to_rotate(&hash("r4")).await.expect("store").expect("r4");
    store.end_grant(&"g1".into(), "left", "client:c1", NOW).await.expect("store");
    assert_eq!(run(store, rotate("r4", "r5")).await, Rotation::Ended);
}
