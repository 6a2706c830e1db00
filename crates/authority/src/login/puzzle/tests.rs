//! What is taken for an answer, and for a puzzle.

use std::time::Duration;

use token::random::OsRandom;
use token::time::Timestamp;

use super::{Difficulty, LIFE, PARTS, Puzzle, zeros};
use crate::login::browser::Browser;
use crate::login::csrf::Proofs;

/// Does the work.
pub(crate) fn solve(seed: &[u8; 32], bits: u32) -> String {
    let number = |part| (0..).find(|number| zeros(seed, part, *number) >= bits).expect("number");
    (0..PARTS).map(|part| number(part).to_string()).collect::<Vec<_>>().join(".")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_790_000_000 + seconds)
}

#[test]
fn the_answer_is_one_number_for_each_part_of_this_puzzle() {
    let puzzle = Puzzle::new(Difficulty::EASIEST, &OsRandom::new(), at(0));
    let answer = solve(&puzzle.seed(), puzzle.difficulty().bits());
    assert!(puzzle.is_solved(&answer));
    let numbers: Vec<&str> = answer.split('.').collect();
    let turned: Vec<&str> = numbers.iter().rev().copied().collect();
    let wrong = [
        String::new(),
        numbers[1..].join("."),
        format!("{answer}.0"),
        format!("{answer}."),
        turned.join("."),
        vec![numbers[0]; numbers.len()].join("."),
        vec!["x"; numbers.len()].join("."),
        vec!["-1"; numbers.len()].join("."),
        vec!["4294967296"; numbers.len()].join("."),
        "0".repeat(100_000),
    ];
    for wrong in wrong {
        assert!(!puzzle.is_solved(&wrong), "{wrong:.80}");
    }
    let other = Puzzle::new(Difficulty::EASIEST, &OsRandom::new(), at(0));
    assert!(!other.is_solved(&answer));
    let harder = Puzzle { difficulty: Difficulty::HARDEST, ..puzzle };
    assert!(!harder.is_solved(&answer));
}

/// FIPS 180-4, with a value that another implementation has given.
#[test]
fn the_hash_is_sha_256_of_seed_part_and_number() {
    assert_eq!(zeros(&[0; 32], 0, 0), 2);
    let first = (0..).find(|number| zeros(&[0; 32], 3, *number) >= 16);
    assert_eq!(first, Some(9_076));
}

#[test]
fn it_is_good_for_one_name_in_one_browser_for_a_while() {
    let (proofs, random) = (Proofs::with_key(&[7; 32]), OsRandom::new());
    let (browser, other) = (Browser::new(&random), Browser::new(&random));
    let puzzle = Puzzle::new(Difficulty::EASIEST, &random, at(0));
    let sealed = puzzle.seal("alice", &browser, &proofs);
    let open = |text: &str, username: &str, browser: &Browser, now| {
        Puzzle::open(text, username, browser, &proofs, now)
    };
    assert_eq!(open(&sealed, " ALICE ", &browser, at(0)), Some(puzzle.clone()));
    let life = i64::try_from(LIFE.as_secs()).expect("seconds");
    assert_eq!(open(&sealed, "alice", &browser, at(life - 1)), Some(puzzle));
    for (text, username, browser, now) in [
        (sealed.as_str(), "bob", &browser, at(0)),
        (&sealed, "alice", &other, at(0)),
        (&sealed, "alice", &browser, at(life)),
        (&sealed, "alice", &browser, at(-1)),
        (&sealed[1..], "alice", &browser, at(0)),
        (&sealed.replacen(".10.", ".9.", 1), "alice", &browser, at(0)),
        ("", "alice", &browser, at(0)),
        ("...", "alice", &browser, at(0)),
    ] {
        assert_eq!(open(text, username, browser, now), None, "{text} {username}");
    }
    let key = Proofs::with_key(&[8; 32]);
    assert_eq!(Puzzle::open(&sealed, "alice", &browser, &key, at(0)), None);
}

#[test]
fn it_grows_to_a_bound_and_so_does_the_wait_in_its_place() {
    let of = |part| Difficulty::of(part, 60);
    let bits: Vec<u32> = [1, 14, 15, 30, 45, 59, 60, 1000].map(|n| of(n).bits()).to_vec();
    assert_eq!(bits, [10, 10, 11, 12, 13, 13, 14, 14]);
    let waits = [0, 15, 30, 45, 60].map(|part| of(part).wait().as_secs());
    assert_eq!(waits, [7, 14, 28, 56, 112]);
    assert!(Difficulty::HARDEST.wait() < LIFE / 2);
    let puzzle = Puzzle::new(Difficulty::HARDEST, &OsRandom::new(), at(0));
    assert_eq!(puzzle.wait(at(0)), Duration::from_secs(112));
    assert_eq!(puzzle.wait(at(100)), Duration::from_secs(12));
    assert_eq!(puzzle.wait(at(112)), Duration::ZERO);
}
