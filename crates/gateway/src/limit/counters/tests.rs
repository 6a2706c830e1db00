//! Rates and quotas against a plain model, and how little is kept of them.

use std::time::Duration;

use proptest::prelude::*;
use token::time::Timestamp;

use super::{Counters as _, InMemory, Key, Measure, Taken};

const KEY: Key = Key(0x0123_4567_89ab_cdef);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + millis)
}

fn rate(per_sec: u32, burst: u32) -> Measure {
    Measure::Rate { each: Duration::from_secs(1) / per_sec, burst }
}

fn quota(amount: u32, secs: u64) -> Measure {
    Measure::Quota { amount, window: Duration::from_secs(secs) }
}

fn went(taken: Taken) -> bool {
    matches!(taken, Taken::Yes { .. })
}

fn retry_in(taken: Taken) -> Duration {
    match taken {
        Taken::No { retry_in, .. } => retry_in,
        Taken::Yes { .. } => panic!("it was there"),
    }
}

#[test]
fn a_burst_goes_at_once_and_then_the_pace_counts() {
    let counters = InMemory::new(100);
    let measure = rate(10, 5);
    for left in (0..5).rev() {
        let Taken::Yes { left: found, .. } = counters.take(KEY, 1, &measure, at(0)) else {
            panic!("{left}")
        };
        assert_eq!(found, left);
    }
    let taken = counters.take(KEY, 1, &measure, at(0));
    assert_eq!(taken, Taken::No { left: 0, retry_in: Duration::from_millis(100) });
    assert!(!went(counters.take(KEY, 1, &measure, at(99))));
    assert!(went(counters.take(KEY, 1, &measure, at(100))));
    assert!(!went(counters.take(KEY, 1, &measure, at(150))));
    // Another key is another account.
    assert!(went(counters.take(Key(7), 1, &measure, at(150))));
    // After a long time there is a burst again, and no more than that.
    assert!((0..5).all(|_| went(counters.take(KEY, 1, &measure, at(60_000)))));
    assert!(!went(counters.take(KEY, 1, &measure, at(60_000))));
}

#[test]
fn a_cost_is_taken_whole_or_not_at_all() {
    let counters = InMemory::new(100);
    let measure = rate(10, 5);
    assert!(went(counters.take(KEY, 3, &measure, at(0))));
    let refused = counters.take(KEY, 3, &measure, at(0));
    assert_eq!(refused, Taken::No { left: 2, retry_in: Duration::from_millis(100) });
    assert!(went(counters.take(KEY, 2, &measure, at(0))));
    counters.give_back(KEY, 2, &measure);
    assert!(went(counters.take(KEY, 2, &measure, at(0))));
    assert!(went(counters.take(KEY, 0, &measure, at(0))), "what is free is never refused");
}

#[test]
fn a_quota_is_never_exceeded_in_any_window() {
    let counters = InMemory::new(100);
    let measure = quota(10, 10);
    // The epoch is a multiple of ten seconds from `at(0)`.
    let taken = (0..20).filter(|_| went(counters.take(KEY, 1, &measure, at(9_000)))).count();
    assert_eq!(taken, 10);
    // One second into the next window nine tenths of them still count.
    let taken = (0..20).filter(|_| went(counters.take(KEY, 1, &measure, at(11_000)))).count();
    assert_eq!(taken, 1);
    let taken = (0..20).filter(|_| went(counters.take(KEY, 1, &measure, at(40_000)))).count();
    assert_eq!(taken, 10);
}

#[test]
fn a_quota_says_when_it_fits_again() {
    let counters = InMemory::new(100);
    let measure = quota(10, 10);
    for _ in 0..10 {
        assert!(went(counters.take(KEY, 1, &measure, at(2_000))));
    }
    // In eight seconds the window ends, and a second later a tenth has left.
    let wait = retry_in(counters.take(KEY, 1, &measure, at(2_000)));
    assert_eq!(wait, Duration::from_secs(9));
    assert!(!went(counters.take(KEY, 1, &measure, at(10_999))));
    assert!(went(counters.take(KEY, 1, &measure, at(11_000))));
    let wait = retry_in(counters.take(KEY, 1, &measure, at(11_000)));
    assert!(went(counters.take(
        KEY,
        1,
        &measure,
        at(11_000 + i64::try_from(wait.as_millis()).expect("short"))
    )));
}

#[test]
fn what_says_nothing_any_more_is_forgotten_and_memory_is_bounded() {
    let counters = InMemory::new(64 * 256);
    let measure = rate(1000, 1);
    for key in 0..1_000_000u64 {
        let key = Key(key.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        counters.take(key, 1, &measure, at(0));
    }
    assert!(counters.len() <= 64 * 257, "{}", counters.len());
    for key in 0..100_000u64 {
        let key = Key(key.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        counters.take(key, 1, &measure, at(i64::try_from(key.0 % 1000).expect("small") + 10_000));
    }
    assert!(counters.len() <= 64 * 257, "{}", counters.len());
    let fresh = InMemory::new(1000);
    assert!(!went(fresh.take(KEY, 2, &rate(1, 1), at(0))) && fresh.is_empty(), "refused: not kept");
}

proptest! {
    /// In any stretch of time no more goes than the burst and what came back meanwhile.
    #[test]
    fn a_rate_holds_over_any_stretch(
        steps in proptest::collection::vec((0i64..300, 1u32..4), 1..200),
        per_sec in 1u32..50,
        burst in 4u32..20,
    ) {
        let (counters, measure) = (InMemory::new(100), rate(per_sec, burst));
        let (mut now, mut taken) = (0, Vec::new());
        for (pause, cost) in steps {
            now += pause;
            match counters.take(KEY, cost, &measure, at(now)) {
                Taken::Yes { .. } => taken.push((now, cost)),
                Taken::No { retry_in, .. } => {
                    let nanos = i64::try_from(retry_in.as_nanos()).expect("short");
                    prop_assert!(nanos > 0);
                }
            }
        }
        for (first, (start, _)) in taken.iter().enumerate() {
            let mut sum = 0;
            for (end, cost) in &taken[first..] {
                sum += cost;
                let back = f64::from(per_sec) * (end - start) as f64 / 1000.0;
                prop_assert!(f64::from(sum) <= f64::from(burst) + back + 1e-6);
            }
        }
    }

    /// Whatever comes, no two windows in a row let more through than the amount and what the estimate rounds.
    #[test]
    fn a_quota_holds_in_its_own_windows(
        steps in proptest::collection::vec((0i64..3000, 1u32..4), 1..300),
        amount in 4u32..30,
    ) {
        let (counters, measure) = (InMemory::new(100), quota(amount, 10));
        let (mut now, mut taken) = (0i64, Vec::new());
        for (pause, cost) in steps {
            now += pause;
            match counters.take(KEY, cost, &measure, at(now)) {
                Taken::Yes { left, .. } => {
                    prop_assert!(left <= amount);
                    taken.push((now, cost));
                }
                Taken::No { retry_in, left } => {
                    prop_assert!(left < cost);
                    // Waiting as long as was said is enough.
                    let wait = i64::try_from(retry_in.as_millis()).expect("short") + 1;
                    prop_assert!(went(counters.take(KEY, cost, &measure, at(now + wait))));
                    now += wait;
                    taken.push((now, cost));
                }
            }
        }
        for window in 0..=now / 10_000 {
            let inside = taken.iter().filter(|(when, _)| when / 10_000 == window);
            prop_assert!(inside.map(|(_, cost)| cost).sum::<u32>() <= amount);
        }
    }
}
