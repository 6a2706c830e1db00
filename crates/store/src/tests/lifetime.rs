//! Opening, reopening, crashing: what is found, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;
use token::random::OsRandom;
use token::restriction::Selector;

use super::support::{
    Fixture, NOW, begin, client, code, facts, name, revoke, settings, suspend, user,
};
use crate::{Honeytoken, Lift, MasterKey, Rotation, Store, StoreError, schema};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("metadata").permissions().mode() & 0o777
}

fn open(folder: &Path, master: &MasterKey) -> Result<Store, StoreError> {
    Store::open(settings(folder), master.clone(), NOW)
}

#[tokio::test]
async fn only_the_owner_can_read_what_is_made() {
    let fixture = Fixture::new();
    fixture.store.set_meta("a", "b").await.expect("store");
    let folder = fixture.folder.path().join("data");
    assert_eq!(mode(&folder), 0o700);
    for name in ["tokenward.db", "tokenward.db-wal", "tokenward.db-shm"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_closed_store_is_one_file() {
    let fixture = Fixture::new();
    fixture.store.set_meta("a", "b").await.expect("store");
    fixture.store.meta("a").await.expect("store");
    fixture.store.close().await;
    let names: Vec<_> = fs::read_dir(fixture.folder.path().join("data"))
        .expect("folder")
        .map(|entry| entry.expect("entry").file_name())
        .collect();
    assert_eq!(names, ["tokenward.db"]);
}

#[tokio::test]
async fn every_commit_is_synced_to_disk() {
    let fixture = Fixture::new();
    let modes = fixture.store.write(|act| {
        let pragma = |name: &str| act.db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let journal: String = act.db.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        Ok((journal, pragma("synchronous")?, pragma("foreign_keys")?, pragma("secure_delete")?))
    });
    assert_eq!(modes.await.expect("store"), ("wal".to_owned(), 2, 1, 2));
}

/// A service that is started and a command beside it find the same new file.
#[tokio::test]
async fn who_opens_a_new_store_at_the_same_time_finds_it_whole() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().expect("folder");
        let master = MasterKey::generate(&OsRandom::new());
        let stores: Vec<_> = std::thread::scope(|threads| {
            let openers: Vec<_> =
                (0..4).map(|_| threads.spawn(|| open(folder.path(), &master))).collect();
            openers.into_iter().map(|opener| opener.join().expect("no panic")).collect()
        });
        for store in stores {
            store.expect("opened").close().await;
        }
        open(folder.path(), &master).expect("it is whole").close().await;
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    let fixture = Fixture::new();
    let refused = fixture.store.read(|db| crate::sql::execute(db, "DELETE FROM meta", []));
    assert!(matches!(refused, Err(StoreError::Sqlite(_))));
}

#[tokio::test]
async fn another_master_key_is_refused() {
    let fixture = Fixture::new();
    fixture.store.set_meta("a", "b").await.expect("store");
    fixture.store.close().await;
    let other = MasterKey::generate(&OsRandom::new());
    let refused = open(fixture.folder.path(), &other);
    assert!(matches!(refused, Err(StoreError::WrongMasterKey)));
    let store = open(fixture.folder.path(), &fixture.master).expect("the right one still opens it");
    assert_eq!(store.meta("a").await.expect("store").as_deref(), Some("b"));
}

#[tokio::test]
async fn a_file_from_the_future_is_refused_and_left_alone() {
    let fixture = Fixture::new();
    fixture.store.close().await;
    let path = settings(fixture.folder.path()).path;
    let newer = schema::newest() + 1;
    let db = Connection::open(&path).expect("file");
    db.pragma_update(None, "user_version", newer).expect("pragma");
    db.close().expect("close");
    let before = fs::read(&path).expect("file");
    match open(fixture.folder.path(), &fixture.master) {
        Err(error @ StoreError::SchemaTooNew { .. }) => {
            let text = error.to_string();
            assert!(text.contains(&format!("version {newer}")), "{text}");
            assert!(text.contains("newer version"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read(&path).expect("file"), before);
}

#[tokio::test]
async fn a_foreign_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let path = settings(folder.path()).path;
    fs::create_dir_all(path.parent().expect("parent")).expect("folder");
    let master = MasterKey::generate(&OsRandom::new());

    fs::write(&path, "This is no database, but somebody's only copy of something.\n".repeat(20))
        .expect("file");
    let before = fs::read(&path).expect("file");
    assert!(matches!(open(folder.path(), &master), Err(StoreError::NotAStore)));
    assert_eq!(fs::read(&path).expect("file"), before);

    fs::remove_file(&path).expect("file");
    let db = Connection::open(&path).expect("file");
    db.execute_batch("CREATE TABLE songs (title TEXT)").expect("table");
    db.close().expect("close");
    let before = fs::read(&path).expect("file");
    assert!(matches!(open(folder.path(), &master), Err(StoreError::NotAStore)));
    assert_eq!(fs::read(&path).expect("file"), before);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_an_error_with_words() {
    let folder = tempfile::tempdir().expect("folder");
    fs::write(folder.path().join("data"), "a file where the folder should be").expect("file");
    let master = MasterKey::generate(&OsRandom::new());
    match open(folder.path(), &master) {
        Err(error @ StoreError::Io(_)) => assert!(error.to_string().contains("cannot be made")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_damaged_value_is_named() {
    let fixture = Fixture::new();
    fixture.store.create_client(&client("a")).await.expect("client");
    let damage = fixture.store.write(|act| {
        let sql = "UPDATE clients SET auth_method = 'telepathy' WHERE id = 'a'";
        crate::sql::execute(act.db, sql, [])
    });
    damage.await.expect("store");
    let refused = fixture.store.client(&"a".into()).await;
    assert!(matches!(refused, Err(StoreError::Corrupt { what: "auth_method" })));
}

/// What a killed process leaves: the files as they are, without the memory that SQLite shares
/// between processes.
fn copy_after_crash(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("data")).expect("folder");
    for name in ["tokenward.db", "tokenward.db-wal"] {
        fs::copy(from.join("data").join(name), to.join("data").join(name)).expect("copy");
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_crash() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    store.create_client(&client("c1")).await.expect("client");
    store.create_user(&user("u1", "alice")).await.expect("user");
    begin(store, &code("g1"), "r1").await;
    let rotation = store.rotate_refresh(super::refresh::rotate("r1", "r2")).await;
    assert_eq!(rotation.expect("store"), Rotation::Rotated);
    store.restrict(revoke(Selector::Token("t1".into())), NOW).await.expect("restriction");
    let block = store.restrict(suspend(Selector::Issuer), NOW).await.expect("restriction");
    assert_eq!(store.lift(block.seq, "admin:test", NOW).await.expect("lift"), Lift::Lifted);
    let bait = Honeytoken {
        token: "bait".into(),
        label: "wiki".to_owned(),
        created_by: "admin:test".to_owned(),
        created_at: NOW,
        expires_at: NOW,
    };
    store.add_honeytoken(&bait).await.expect("honeytoken");

    // The crash comes while an act that nobody has been told about is under way.
    let still = fixture.stand_still().await;
    let elsewhere = tempfile::tempdir().expect("folder");
    copy_after_crash(fixture.folder.path(), elsewhere.path());
    still.end().await;

    let store = open(elsewhere.path(), &fixture.master).expect("store");
    assert!(store.client(&"c1".into()).await.expect("store").is_some());
    assert!(store.user_by_name("alice").await.expect("store").is_some());
    assert!(store.refresh(&name("r1")).await.expect("store").expect("r1").rotated_at.is_some());
    assert!(store.refresh(&name("r2")).await.expect("store").is_some());
    assert!(store.index().on_token(&facts("t1"), NOW).is_some());
    assert!(store.index().suspension_on(&Selector::Issuer, NOW).is_none());
    assert_eq!(store.index().last_seq(), 3);
    assert!(store.honeytokens().contains(&"bait".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_load_every_answered_row_survives_a_crash() {
    let fixture = Fixture::new();
    let tasks: Vec<_> = (0..8)
        .map(|writer| {
            let store = fixture.store.clone();
            tokio::spawn(async move {
                let mut answered = Vec::new();
                for number in 0..60 {
                    let token = format!("{writer}-{number}");
                    let new = revoke(Selector::Token(token.as_str().into()));
                    store.restrict(new, NOW).await.expect("restriction");
                    answered.push(token);
                }
                answered
            })
        })
        .collect();
    let mut answered = Vec::new();
    for task in tasks {
        answered.extend(task.await.expect("task"));
    }
    let still = fixture.stand_still().await;
    let elsewhere = tempfile::tempdir().expect("folder");
    copy_after_crash(fixture.folder.path(), elsewhere.path());
    still.end().await;
    let store = open(elsewhere.path(), &fixture.master).expect("store");
    for token in &answered {
        assert!(store.index().on_token(&facts(token), NOW).is_some(), "{token}");
    }
    assert_eq!((store.index().len(), store.index().last_seq()), (480, 480));
}
