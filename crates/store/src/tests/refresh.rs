//! A refresh token works once; who may hear the same answer again, and who ends the family.

use std::fs;
use std::time::Duration;

use rusqlite::{Connection, params};
use token::random::OsRandom;
use token::refresh::{RefreshMint, RefreshName};
use token::restriction::{Effect, Selector};
use token::time::Timestamp;

use super::support::{Fixture, NOW, after, begin, code, facts, grant, hash, name, settings};
use crate::{MasterKey, Next, Rotate, Rotation, Store, schema, sql};

const WINDOW: Duration = Duration::from_secs(10);

pub(super) fn rotate(presented: &str, successor: &str) -> Rotate {
    Rotate {
        presented: name(presented),
        next: Some(Next {
            successor: hash(successor),
            expires_at: after(1000),
            answer: format!("answer with {successor}").into_bytes(),
        }),
        party: [1; 32],
        retry_window: WINDOW,
        now: NOW,
    }
}

/// The same rotation to a token that ends then.
fn until(rotate: Rotate, expires_at: Timestamp) -> Rotate {
    let next = rotate.next.map(|next| Next { expires_at, ..next });
    Rotate { next, ..rotate }
}

async fn run(store: &Store, rotate: Rotate) -> Rotation {
    store.rotate_refresh(rotate).await.expect("store")
}

/// Whether it is the token of its family that can be used.
async fn is_good(store: &Store, text: &str) -> bool {
    let state = store.refresh(&name(text)).await.expect("store");
    state.is_some_and(|state| state.rotated_at.is_none() && !state.ended)
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
    let state = fixture.store.refresh(&name("r1")).await.expect("store").expect("r1");
    assert_eq!(state.rotated_at, Some(NOW));
    let state = fixture.store.refresh(&name("r2")).await.expect("store").expect("r2");
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
    assert!(!is_good(&fixture.store, "r2").await && is_good(&fixture.store, "r1").await);
    assert!(fixture.store.refresh(&name("x")).await.expect("store").is_none());
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
    assert!(!is_good(&fixture.store, "r9").await && is_good(&fixture.store, "r2").await);
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
    assert!(!is_good(&fixture.store, "r2").await);
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
    let trigger = "CREATE TEMP TRIGGER no BEFORE UPDATE ON refresh_families \
                   BEGIN SELECT RAISE(ABORT, 'no'); END";
    let run_sql = |sql| fixture.store.write(move |act| Ok(act.db.execute_batch(sql)?));
    run_sql(trigger).await.expect("trigger");
    assert!(fixture.store.rotate_refresh(rotate("r1", "r0")).await.is_err());
    run_sql("DROP TRIGGER no").await.expect("no trigger");
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
            let rotate = rotate("r1", &format!("r1{number}"));
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
            let rotate = Rotate { party: [number % 2; 32], ..rotate("r1", &format!("r1{number}")) };
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
        let known = store.refresh_to_rotate(&name(token)).await.expect("store");
        assert_eq!(known, store.refresh(&name(token)).await.expect("store"), "{token}");
        run(store, rotate(token, next)).await;
        let known = store.refresh_to_rotate(&name(token)).await.expect("store").expect("used");
        assert_eq!(known.rotated_at, Some(NOW), "{token} is judged by its second use");
    }
    // A grant that was ended is noticed by whoever rotates.
    store.refresh_to_rotate(&name("r4")).await.expect("store").expect("r4");
    store.end_grant(&"g1".into(), "left", "client:c1", NOW).await.expect("store");
    assert_eq!(run(store, rotate("r4", "r5")).await, Rotation::Ended);
}

#[tokio::test]
async fn a_token_from_long_ago_ends_the_family_and_an_invented_one_finds_none() {
    let fixture = begun().await;
    for number in 1..20 {
        let rotated =
            run(&fixture.store, rotate(&format!("r{number}"), &format!("r{}", number + 1)));
        assert_eq!(rotated.await, Rotation::Rotated);
    }
    let rows = "SELECT count(*) AS n FROM refresh_families";
    let rows = fixture.store.read(|db| sql::one(db, rows, [], |row| row.number("n")));
    assert_eq!(rows.expect("store"), Some(1), "a rotation adds nothing");
    assert_eq!(run(&fixture.store, rotate("q1", "q2")).await, Rotation::Unknown);
    assert!(fixture.store.index().is_empty());
    let old = run(&fixture.store, rotate("r3", "r99")).await;
    assert_eq!(old, Rotation::Reused { grant: Box::new(grant("g1")) });
    assert_family_ended(&fixture);
}

#[tokio::test]
async fn tokens_from_before_there_were_families_go_on() {
    let mint = RefreshMint::new(&[1; 32]);
    let (fresh, used) = (mint.read("twr_fresh"), mint.read("twr_used"));
    let folder = tempfile::tempdir().expect("folder");
    let path = settings(folder.path()).path;
    fs::create_dir(folder.path().join("data")).expect("folder");
    let db = Connection::open(&path).expect("file");
    schema::migrate_to(&db, 7).expect("version 7");
    let grant_row = "INSERT INTO grants (grant_id, client, subject, grant_scopes, audiences, auth_time, \
                     amr, granted_at, grant_expires_at) VALUES (?1, 'c1', 'u1', 'openid', '[]', 0, '[]', ?2, ?3)";
    let token_row = "INSERT INTO refresh_tokens (hash, grant_id, scopes, expires_at, rotated_at) \
                     VALUES (?1, ?2, 'openid', ?3, ?4)";
    let (now, end) = (NOW.as_millis(), after(3000).as_millis());
    for (id, name, rotated_at) in [("g1", &fresh, None), ("g2", &used, Some(now))] {
        db.execute(grant_row, params![id, now, end]).expect("grant");
        db.execute(token_row, params![name.hash.as_bytes(), id, end, rotated_at]).expect("token");
    }
    // Rows of a grant that is forgotten were left behind.
    db.execute(token_row, params![[7u8; 32], "gone", end, None::<i64>]).expect("token");
    drop(db);
    let master = MasterKey::generate(&OsRandom::new());
    let store = Store::open(settings(folder.path()), master, NOW).expect("store");
    let first = Rotate { presented: fresh, ..rotate("", "next") };
    assert_eq!(run(&store, first.clone()).await, Rotation::Rotated);
    let again = run(&store, first).await;
    assert_eq!(again, Rotation::Retry { answer: b"answer with next".to_vec() });
    let next = RefreshName { family: fresh.family, hash: hash("next") };
    assert_eq!(
        run(&store, Rotate { presented: next, ..rotate("", "third") }).await,
        Rotation::Rotated
    );
    let reused = run(&store, Rotate { presented: used, ..rotate("", "x") }).await;
    assert!(matches!(reused, Rotation::Reused { grant } if grant.id == "g2".into()));
}
