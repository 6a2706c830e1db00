//! What was used once and must not be used again: names are kept at least as long as they could be, and never forced out early.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256};

use crate::time::Timestamp;

/// Rooms with a lock of their own, so that threads rarely meet.
const SHARDS: usize = 16;

/// Names that were used: each is kept for one to two times the life that it was made for.
pub struct UsedOnce {
    life: Duration,
    shards: [Mutex<Shard>; SHARDS],
}

/// A name in short: half of a SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedName([u8; 16]);

/// Two generations: when the newer has lasted a whole life, the older holds nothing that matters.
#[derive(Default)]
struct Shard {
    newer: HashSet<u128>,
    older: HashSet<u128>,
    began: Timestamp,
}

// === impl UsedOnce ===

impl UsedOnce {
    /// For names that are refused for other reasons once they are older than `life`.
    pub fn new(life: Duration) -> Self {
        Self { life, shards: Default::default() }
    }

    /// Notes a name; `false` when it was used before.
    pub fn first_use(&self, name: &UsedName, now: Timestamp) -> bool {
        let shard = &self.shards[usize::from(name.0[0]) % SHARDS];
        let name = u128::from_be_bytes(name.0);
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(shard.began) >= self.life {
            // Two lives without a use: nothing in either can matter.
            let idle = now.since(shard.began) >= self.life * 2;
            shard.older = std::mem::take(&mut shard.newer);
            if idle {
                shard.older = HashSet::new();
            }
            shard.began = now;
        }
        !shard.older.contains(&name) && shard.newer.insert(name)
    }

    /// Lets a name be used once more: what was to be done under it could not be.
    pub fn forget(&self, name: &UsedName) {
        let shard = &self.shards[usize::from(name.0[0]) % SHARDS];
        let name = u128::from_be_bytes(name.0);
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.newer.remove(&name);
        shard.older.remove(&name);
    }
}

// === impl UsedName ===

impl UsedName {
    /// Of a name whose parts are kept apart.
    pub fn of(parts: [&str; 2]) -> Self {
        let mut context = digest::Context::new(&SHA256);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&context.finish().as_ref()[..16]);
        Self(bytes)
    }

    /// As it was written down.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// To be written down.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{UsedName, UsedOnce};
    use crate::time::Timestamp;

    #[test]
    fn a_name_is_good_once_for_its_whole_life() {
        let used = UsedOnce::new(Duration::from_secs(60));
        let at = |seconds: i64| Timestamp::from_secs(1_790_000_000 + seconds);
        assert!(used.first_use(&UsedName::of(["key", "a"]), at(0)));
        for seconds in [0, 1, 59, 60, 61, 119] {
            assert!(!used.first_use(&UsedName::of(["key", "a"]), at(seconds)), "{seconds}");
        }
        assert!(
            used.first_use(&UsedName::of(["keya", ""]), at(61)),
            "the parts are not run together"
        );
        assert!(used.first_use(&UsedName::of(["other", "a"]), at(119)));
        assert!(!used.first_use(&UsedName::of(["other", "a"]), at(178)));
    }

    #[test]
    fn a_use_late_in_a_generation_is_kept_through_the_next() {
        let used = UsedOnce::new(Duration::from_secs(60));
        let at = |seconds: i64| Timestamp::from_secs(1_790_000_000 + seconds);
        for name in 0..500 {
            assert!(used.first_use(&UsedName::of(["k", &name.to_string()]), at(name / 10)));
        }
        for name in 0..500 {
            assert!(
                !used.first_use(&UsedName::of(["k", &name.to_string()]), at(59 + name / 10)),
                "{name}"
            );
        }
    }

    #[test]
    fn one_of_many_threads_wins() {
        let used = UsedOnce::new(Duration::from_secs(60));
        let now = Timestamp::from_secs(1_790_000_000);
        let won: usize = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| usize::from(used.first_use(&UsedName::of(["k", "n"]), now)))
                })
                .collect();
            tries.into_iter().map(|one| one.join().expect("thread")).sum()
        });
        assert_eq!(won, 1);
    }
}
