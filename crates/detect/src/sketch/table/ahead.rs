//! A look ahead at what searches of a table will read, in three steps that many tables take together.
//!
//! With a million principals hardly anything is in the processor's cache. It waits for many looks at once about as
//! long as for one, as long as none depends on another and few instructions are between them. So what the index
//! says comes before what a state says, for all tables, and who makes room last. Nothing comes of it but that the
//! processor has at hand what it needs.

use std::hint::black_box;

use smallvec::SmallVec;

use super::{CANDIDATES, POSITION, Table, position, step, tag};
use crate::engine::AHEAD;

/// What one table will be asked next, and what the steps have found of it.
pub(crate) struct Ahead {
    keys: SmallVec<[u64; AHEAD]>,
    /// Slots that make room for keys that are new.
    room: SmallVec<[usize; AHEAD]>,
}

impl<V: Default> Table<V> {
    /// The first step reads where the index has these keys.
    pub(crate) fn expect(&self, keys: impl Iterator<Item = u64>) -> Ahead {
        let keys: SmallVec<_> =
            if self.index.is_empty() { SmallVec::new() } else { keys.collect() };
        black_box(keys.iter().fold(0, |sum, key| sum ^ self.index[self.home(*key)]));
        Ahead { keys, room: SmallVec::new() }
    }

    /// The second step reads the states, and those that make room. `read` is something of each cache line of a state.
    pub(crate) fn expect_states(&self, ahead: &mut Ahead, read: impl Fn(&V) -> u64) {
        let held: SmallVec<[usize; AHEAD]> =
            ahead.keys.iter().filter_map(|key| self.likely(*key)).collect();
        if self.len >= self.capacity {
            let (mut hand, len) = (self.hand, self.len);
            ahead.room.extend((held.len()..ahead.keys.len()).map(|_| {
                let oldest = self.oldest(hand);
                hand = step(hand, CANDIDATES.min(len), len);
                oldest
            }));
        }
        for slots in [&held, &ahead.room] {
            black_box(slots.iter().fold(0, |sum, position| {
                let slot = self.slot(*position);
                sum ^ slot.key ^ u64::from(slot.last) ^ read(&slot.state)
            }));
        }
    }

    /// The third step reads where the index has those that make room.
    pub(crate) fn expect_room(&self, ahead: &Ahead) {
        let keys = ahead.room.iter().map(|position| self.slot(*position).key);
        black_box(keys.fold(0, |sum, key| sum ^ self.index[self.home(key)]));
    }

    /// Where the key is, as far as the index alone tells.
    fn likely(&self, key: u64) -> Option<usize> {
        let (mut at, mask) = (self.home(key), self.index.len() - 1);
        loop {
            let entry = self.index[at];
            let position = position(entry)?;
            if entry & !POSITION == tag(key) {
                return Some(position);
            }
            at = (at + 1) & mask;
        }
    }
}
