//! What was taken of what is allowed, by key: in the memory of this process.
//!
//! A rate is counted by the generic cell rate algorithm: one time for each key, at which all that was
//! taken will have come back. A quota is counted by a sliding window: the count of this window, and the
//! part of the one before that still reaches into it.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use token::time::Timestamp;

/// Whose: a hash with a secret of this process over the limit and those that it counts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(pub u64);

/// How much a key may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Evenly, at this pace, and so much at once.
    Rate {
        /// The time in which one comes back.
        each: Duration,
        /// At once.
        burst: u32,
    },
    /// So much in any window of this length.
    Quota {
        /// How much.
        amount: u32,
        /// The window's length.
        window: Duration,
    },
}

/// What came of taking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was there.
    Yes {
        /// What is left now.
        left: u32,
        /// When everything will be there again.
        whole_in: Duration,
    },
    /// It was not; nothing was taken.
    No {
        /// What is there.
        left: u32,
        /// When as much as was asked for will be there.
        retry_in: Duration,
    },
}

/// Where is counted. Asked for every request, so that it has to answer at once: what counts for several
/// processes counts here first and makes up with the others meanwhile.
pub trait Counters: Send + Sync {
    /// Takes `cost`, all of it or nothing.
    fn take(&self, key: Key, cost: u32, measure: &Measure, now: Timestamp) -> Taken;

    /// Gives back what was taken a moment ago, for a request that came to nothing.
    fn give_back(&self, key: Key, cost: u32, measure: &Measure);
}

/// Counters of this process.
pub struct InMemory {
    shards: Box<[Mutex<Shard>]>,
    /// Keys of one shard.
    most: usize,
}

#[derive(Default)]
struct Shard {
    entries: HashMap<Key, Entry, BuildHasherDefault<Hashed>>,
    /// With so many entries it is looked which of them say nothing any more.
    sweep_at: usize,
}

/// All times are nanoseconds of the Unix epoch.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// From then on it says nothing.
    until: i64,
    /// Of a quota: this window's count.
    count: u32,
    /// Of a quota: the count of the window before.
    before: u32,
}

/// A key is a hash already.
#[derive(Default)]
struct Hashed(u64);

const SHARDS: usize = 64;
const SMALL: usize = 256;

// === impl InMemory ===

impl InMemory {
    /// Room for so many keys, some 50 bytes each.
    pub fn new(keys: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, most: keys.div_ceil(SHARDS).max(SMALL) }
    }

    fn shard(&self, key: Key) -> MutexGuard<'_, Shard> {
        // The map uses the other bits.
        let number = usize::try_from(key.0 >> 58).unwrap_or_default() % SHARDS;
        self.shards[number].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many keys are counted.
    pub fn len(&self) -> usize {
        let count = |shard: &Mutex<Shard>| {
            shard.lock().unwrap_or_else(PoisonError::into_inner).entries.len()
        };
        self.shards.iter().map(count).sum()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Counters for InMemory {
    fn take(&self, key: Key, cost: u32, measure: &Measure, now: Timestamp) -> Taken {
        let now = nanos(now);
        let mut shard = self.shard(key);
        shard.make_room(self.most, now);
        match shard.entries.entry(key) {
            Slot::Occupied(mut slot) => slot.get_mut().take(cost, measure, now),
            Slot::Vacant(slot) => {
                let mut entry = Entry { until: i64::MIN, count: 0, before: 0 };
                let taken = entry.take(cost, measure, now);
                if matches!(taken, Taken::Yes { .. }) {
                    slot.insert(entry);
                }
                taken
            }
        }
    }

    fn give_back(&self, key: Key, cost: u32, measure: &Measure) {
        if let Some(entry) = self.shard(key).entries.get_mut(&key) {
            match measure {
                Measure::Rate { each, .. } => {
                    entry.until = entry.until.saturating_sub(long(*each, cost));
                }
                Measure::Quota { .. } => entry.count = entry.count.saturating_sub(cost),
            }
        }
    }
}

// === impl Shard ===

impl Shard {
    /// Forgets what says nothing any more; where that is not enough, whatever comes first: counting some
    /// keys anew is better than to count none.
    fn make_room(&mut self, most: usize, now: i64) {
        if self.entries.len() < self.sweep_at.max(SMALL).min(most) {
            return;
        }
        self.entries.retain(|_, entry| entry.until > now);
        if self.entries.len() >= most {
            let surplus: Vec<Key> = self.entries.keys().copied().take(most / 8 + 1).collect();
            for key in surplus {
                self.entries.remove(&key);
            }
        }
        self.sweep_at = self.entries.len() * 2;
    }
}

// === impl Entry ===

impl Entry {
    fn take(&mut self, cost: u32, measure: &Measure, now: i64) -> Taken {
        match *measure {
            Measure::Rate { each, burst } => self.take_rate(cost, each, burst, now),
            Measure::Quota { amount, window } => self.take_quota(cost, amount, window, now),
        }
    }

    fn take_rate(&mut self, cost: u32, each: Duration, burst: u32, now: i64) -> Taken {
        let taken = self.until.max(now);
        let next = taken.saturating_add(long(each, cost));
        let most = now.saturating_add(long(each, burst));
        let left = |until: i64| count((most - until).max(0), each);
        if next > most {
            return Taken::No { left: left(taken), retry_in: span(next - most) };
        }
        self.until = next;
        Taken::Yes { left: left(next), whole_in: span(next - now) }
    }

    fn take_quota(&mut self, cost: u32, amount: u32, window: Duration, now: i64) -> Taken {
        let length = i64::try_from(window.as_nanos()).unwrap_or(i64::MAX).max(1);
        let start = now - now.rem_euclid(length);
        let until = start.saturating_add(length.saturating_mul(2));
        match until.saturating_sub(self.until) {
            0 => {}
            passed if passed == length => (self.before, self.count) = (self.count, 0),
            _ => (self.before, self.count) = (0, 0),
        }
        self.until = until;
        let rest = start.saturating_add(length) - now;
        // What of the window before still reaches into the last `length` up to now; rounded up.
        let reaching = share(self.before, rest, length);
        let used = self.count.saturating_add(reaching);
        let left = amount.saturating_sub(used);
        if cost > left {
            let retry_in = span(self.until_fits(cost, amount, rest, length));
            return Taken::No { left, retry_in };
        }
        self.count += cost;
        Taken::Yes { left: left - cost, whole_in: span(rest.saturating_add(length)) }
    }

    /// How long until a quota has so much left, if nothing else is taken.
    fn until_fits(&self, cost: u32, amount: u32, rest: i64, length: i64) -> i64 {
        let free = i64::from(amount) - i64::from(self.count) - i64::from(cost);
        if free >= 0 && self.before > 0 {
            // Within this window, when no more than `free` of the one before reaches in.
            let reach = i128::from(free) * i128::from(length) / i128::from(self.before);
            return rest - i64::try_from(reach).unwrap_or(i64::MAX).min(rest);
        }
        // Within the next one, when enough of this one has left.
        let free = (i64::from(amount) - i64::from(cost)).max(0);
        let reach = i128::from(free) * i128::from(length) / i128::from(self.count.max(1));
        rest + length - i64::try_from(reach).unwrap_or(i64::MAX).min(length)
    }
}

// === impl Hashed ===

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

fn nanos(time: Timestamp) -> i64 {
    time.as_millis().saturating_mul(1_000_000)
}

/// So many times `each`.
fn long(each: Duration, count: u32) -> i64 {
    let each = i64::try_from(each.as_nanos()).unwrap_or(i64::MAX);
    each.saturating_mul(i64::from(count))
}

/// How often `each` fits into `time`.
fn count(time: i64, each: Duration) -> u32 {
    let each = i64::try_from(each.as_nanos()).unwrap_or(i64::MAX).max(1);
    u32::try_from(time / each).unwrap_or(u32::MAX)
}

fn span(nanos: i64) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or_default())
}

fn share(count: u32, part: i64, whole: i64) -> u32 {
    let share = (i128::from(count) * i128::from(part) + i128::from(whole) - 1) / i128::from(whole);
    u32::try_from(share).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
