//! The writer: acts share a commit, not a fate, unless the disk refuses.

use std::time::Duration;

use token::restriction::Selector;

use super::support::{Fixture, NOW, client, facts, issued, revoke, user};
use crate::background::WAITING_MAX;
use crate::{StoreError, sql};

#[tokio::test]
async fn an_act_that_fails_undoes_itself_alone() {
    let fixture = Fixture::new();
    let still = fixture.stand_still().await;
    let (store, spoiled) = (fixture.store.clone(), fixture.store.clone());
    let good = tokio::spawn(async move { store.create_client(&client("good")).await });
    fixture.until_queued(1).await;
    let bad = tokio::spawn(async move {
        spoiled
            .write(|act| {
                let sql = "INSERT INTO meta (name, value) VALUES ('half', 'done')";
                sql::execute(act.db, sql, [])?;
                act.restrict(revoke(Selector::Issuer), NOW)?;
                Err::<(), _>(StoreError::Sealed)
            })
            .await
    });
    fixture.until_queued(2).await;
    let store = fixture.store.clone();
    let later = tokio::spawn(async move { store.create_user(&user("u1", "alice")).await });
    fixture.until_queued(3).await;
    still.end().await;
    good.await.expect("task").expect("the act before");
    later.await.expect("task").expect("the act behind");
    assert!(matches!(bad.await.expect("task"), Err(StoreError::Sealed)));
    assert_eq!(fixture.store.meta("half").await.expect("store"), None);
    assert!(fixture.store.index().is_empty());
    assert_eq!(fixture.store.health().last_error, None);
}

#[tokio::test]
async fn a_panic_undoes_its_act_and_the_writer_goes_on() {
    let fixture = Fixture::new();
    let panicked = fixture.store.write(|act| {
        sql::execute(act.db, "INSERT INTO meta (name, value) VALUES ('half', 'done')", [])?;
        act.restrict(revoke(Selector::Issuer), NOW)?;
        if act.db.is_autocommit() {
            return Ok(());
        }
        panic!("a defect");
    });
    assert!(matches!(panicked.await, Err(StoreError::ActPanicked)));
    assert_eq!(fixture.store.meta("half").await.expect("store"), None);
    assert!(fixture.store.index().is_empty());
    fixture.store.set_meta("after", "1").await.expect("the writer goes on");
    assert!(fixture.store.health().writer_alive);
}

/// A row without its parent, checked at COMMIT only: the one way to have SQLite refuse a commit.
async fn spoil_commit(store: crate::Store) -> Result<(), StoreError> {
    store
        .write(|act| {
            let sql = "CREATE TABLE spoilt (grant_id TEXT REFERENCES grants (grant_id) \
                       DEFERRABLE INITIALLY DEFERRED); \
                       INSERT INTO spoilt (grant_id) VALUES ('nobody');";
            Ok(act.db.execute_batch(sql)?)
        })
        .await
}

#[tokio::test]
async fn a_commit_that_fails_is_nobodys_success() {
    let fixture = Fixture::new();
    let still = fixture.stand_still().await;
    let mut revocations = Vec::new();
    for number in 0..3 {
        let store = fixture.store.clone();
        revocations.push(tokio::spawn(async move {
            store.restrict(revoke(Selector::Token("t1".into())), NOW).await
        }));
        fixture.until_queued(number + 1).await;
    }
    let spoiled = tokio::spawn(spoil_commit(fixture.store.clone()));
    fixture.until_queued(4).await;
    let store = fixture.store.clone();
    let own = tokio::spawn(async move { store.write(|_| Err::<(), _>(StoreError::Sealed)).await });
    fixture.until_queued(5).await;
    fixture.store.record_token(issued("t1"));
    still.end().await;

    for task in revocations {
        assert!(matches!(task.await.expect("task"), Err(StoreError::NotCommitted(_))));
    }
    assert!(matches!(spoiled.await.expect("task"), Err(StoreError::NotCommitted(_))));
    assert!(matches!(own.await.expect("task"), Err(StoreError::Sealed)));
    assert!(fixture.store.index().is_empty(), "memory must not run ahead of the disk");
    assert!(fixture.store.index().on_token(&facts("t1"), NOW).is_none());
    let health = fixture.store.health();
    assert!(health.writer_alive && health.last_error.is_some());
    assert_eq!(health.lost_background, 1);

    // The next one is good again, and takes up the numbers where they were.
    let row = fixture.store.restrict(revoke(Selector::Issuer), NOW).await.expect("restriction");
    assert_eq!(row.seq, 1);
    assert_eq!(fixture.store.health().last_error, None);
    let fixture = fixture.reopen(NOW).await;
    assert_eq!(fixture.store.index().len(), 1);
}

#[tokio::test]
async fn a_full_disk_fails_the_act_and_not_the_store() {
    let fixture = Fixture::new();
    fixture.store.set_meta("before", "1").await.expect("store");
    let limit = |pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        fixture.store.write(move |act| Ok(act.db.execute_batch(&sql)?))
    };
    limit(1).await.expect("limit");
    let large = "x".repeat(1 << 20);
    assert!(fixture.store.set_meta("large", &large).await.is_err());
    assert!(fixture.store.health().writer_alive);
    limit(1 << 20).await.expect("limit");
    fixture.store.set_meta("large", &large).await.expect("there is room again");
    assert_eq!(fixture.store.meta("before").await.expect("store").as_deref(), Some("1"));
}

#[tokio::test]
async fn more_acts_than_the_queue_holds_are_turned_away() {
    let fixture = Fixture::with_queue(4);
    let still = fixture.stand_still().await;
    let mut waiting = Vec::new();
    for number in 0..4 {
        let store = fixture.store.clone();
        let name = format!("n{number}");
        waiting.push(tokio::spawn(async move { store.set_meta(&name, "1").await }));
    }
    fixture.until_queued(4).await;
    let refused = fixture.store.set_meta("one too many", "1").await;
    assert!(matches!(refused, Err(StoreError::Overloaded)));
    assert_eq!(fixture.store.health().queue_depth, 4);
    // Reads go on.
    assert_eq!(fixture.store.meta("n0").await.expect("store"), None);
    still.end().await;
    for task in waiting {
        task.await.expect("task").expect("those who waited are served");
    }
    assert_eq!(fixture.store.health().queue_depth, 0);
    fixture.store.set_meta("one too many", "1").await.expect("there is room again");
}

#[tokio::test]
async fn an_act_whose_caller_went_away_is_done() {
    let fixture = Fixture::new();
    let still = fixture.stand_still().await;
    let store = fixture.store.clone();
    let gone = tokio::spawn(async move { store.set_meta("left", "behind").await });
    fixture.until_queued(1).await;
    gone.abort();
    assert!(gone.await.expect_err("aborted").is_cancelled());
    still.end().await;
    fixture.store.set_meta("behind it", "1").await.expect("store");
    assert_eq!(fixture.store.meta("left").await.expect("store").as_deref(), Some("behind"));
}

#[tokio::test]
async fn records_are_written_without_anybody_waiting() {
    let fixture = Fixture::new();
    fixture.store.set_meta("before it", "1").await.expect("store");
    // The writer has fallen asleep by now: the record alone must wake it.
    tokio::time::sleep(Duration::from_millis(100)).await;
    fixture.store.record_token(issued("t1"));
    for _ in 0..3000 {
        if fixture.store.issued_token(&"t1".into()).await.expect("store").is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the record was never written");
}

#[tokio::test]
async fn too_many_records_are_counted_and_lost() {
    let fixture = Fixture::new();
    let still = fixture.stand_still().await;
    for number in 0..WAITING_MAX + 5 {
        fixture.store.record_token(issued(format!("t{number:05}")));
    }
    assert_eq!(fixture.store.health().lost_background, 5);
    still.end().await;
    fixture.store.set_meta("behind them", "1").await.expect("store");
    let last = format!("t{:05}", WAITING_MAX - 1);
    assert!(fixture.store.issued_token(&last.into()).await.expect("store").is_some());
    let lost = format!("t{WAITING_MAX:05}");
    assert!(fixture.store.issued_token(&lost.into()).await.expect("store").is_none());
}

#[tokio::test]
async fn closing_writes_what_waits_and_takes_no_more() {
    let fixture = Fixture::new();
    let still = fixture.stand_still().await;
    let store = fixture.store.clone();
    let waiting = tokio::spawn(async move { store.set_meta("waited", "1").await });
    fixture.until_queued(1).await;
    fixture.store.record_token(issued("t1"));
    let store = fixture.store.clone();
    let closing = tokio::spawn(async move { store.close().await });
    for _ in 0..3000 {
        if matches!(fixture.store.meta("waited").await, Err(StoreError::Closed)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(matches!(fixture.store.set_meta("late", "1").await, Err(StoreError::Closed)));
    still.end().await;
    waiting.await.expect("task").expect("it waited already");
    closing.await.expect("task");
    assert!(!fixture.store.health().writer_alive);
    fixture.store.record_token(issued("t2"));
    assert_eq!(fixture.store.health().lost_background, 1);
    fixture.store.close().await;
    let fixture = fixture.reopen(NOW).await;
    assert_eq!(fixture.store.meta("waited").await.expect("store").as_deref(), Some("1"));
    assert_eq!(fixture.store.meta("late").await.expect("store"), None);
    assert!(fixture.store.issued_token(&"t1".into()).await.expect("store").is_some());
}

#[tokio::test]
async fn a_statement_is_planned_once() {
    fn planned_again(db: &rusqlite::Connection) -> Result<i32, StoreError> {
        let sql = "SELECT f.scopes FROM refresh_families f JOIN grants ON grants.grant_id = f.grant_id \
                   WHERE f.family = ?1";
        for number in 0..3u8 {
            sql::one(db, sql, [[number; 10]], |_| Ok(()))?;
        }
        Ok(db.prepare_cached(sql)?.get_status(rusqlite::StatementStatus::RePrepare))
    }
    let fixture = Fixture::new();
    assert_eq!(fixture.store.read(planned_again).expect("read"), 0);
    assert_eq!(fixture.store.write(|act| planned_again(act.db)).await.expect("written"), 0);
}
