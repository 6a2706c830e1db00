//! Places: each once, in no order, from lists that are on disk.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use store::StoreError;
use tempfile::TempDir;
use token::random::OsRandom;
use token::time::Timestamp;

use super::{ENTRIES, StatusLists};
use crate::tests::support::{open_store, settings};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

fn lists(folder: &TempDir) -> StatusLists {
    StatusLists::new(open_store(folder, NOW), Arc::new(OsRandom::new()), &settings())
}

#[tokio::test]
async fn without_a_list_there_is_no_place() {
    let folder = tempfile::tempdir().expect("folder");
    let lists = lists(&folder);
    assert!(matches!(lists.take(NOW), Err(StoreError::Overloaded)));
}

#[tokio::test]
async fn no_place_is_given_twice_and_a_full_list_gives_way_to_the_next() {
    let folder = tempfile::tempdir().expect("folder");
    let lists = lists(&folder);
    lists.make_ready(NOW).await.expect("list");
    let entries = usize::try_from(ENTRIES).expect("entries");
    let mut given = HashSet::new();
    let mut names = Vec::new();
    for number in 0..entries + 1000 {
        if number == entries / 2 + 1 {
            // The next one is being written: what is free meanwhile is half a list.
            for _ in 0..1000 {
                if lists.open().next.is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        let place = lists.take(NOW).expect("place");
        assert!(place.idx < ENTRIES);
        if !names.contains(&place.list) {
            names.push(place.list.clone());
        }
        assert!(given.insert((place.list, place.idx)), "given twice");
    }
    let on_disk = lists.0.store.status_lists().await.expect("store");
    assert_eq!(names.len(), 2);
    assert!(names.iter().all(|name| on_disk.contains(name)), "{names:?} {on_disk:?}");
}

#[tokio::test]
async fn places_are_in_no_order() {
    // §12.5: who sees two places learns nothing about what was issued between them.
    let folder = tempfile::tempdir().expect("folder");
    let lists = lists(&folder);
    lists.make_ready(NOW).await.expect("list");
    let taken: Vec<u64> = (0..200).map(|_| lists.take(NOW).expect("place").idx).collect();
    let neighbours = taken.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) < 16).count();
    let rising = taken.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!(neighbours < 10 && (50..150).contains(&rising), "{taken:?}");
    assert!(taken.iter().any(|idx| *idx > ENTRIES / 2), "from the whole list");
}
