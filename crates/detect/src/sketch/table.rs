//! State for many keys, densely: at most so many, the least active forgotten first.

use std::hint::black_box;

/// Slots in a piece of memory: the table grows without ever moving what it holds.
const PIECE: usize = 1024;
/// Of how many neighbours the one not seen for longest makes room.
const CANDIDATES: usize = 4;
/// An entry of the index holds a position in its low bits and some of the key above them, so that a search
/// looks at hardly any slot but the right one.
const POSITION_BITS: u32 = 21;
const POSITION: u32 = (1 << POSITION_BITS) - 1;
/// More keys have no place in an entry.
const MOST: usize = POSITION as usize - 1;

/// Keys are hashes already. Which key is forgotten depends on the order of use alone, so a replay
/// forgets the same.
pub(crate) struct Table<V> {
    capacity: usize,
    /// Position + 1 of a key with its tag, 0 for none; linear probing.
    index: Vec<u32>,
    /// Apart from the values: what a search reads lies close together.
    keys: Vec<u64>,
    /// When each was used last, in seconds.
    last: Vec<u32>,
    pieces: Vec<Vec<V>>,
    hand: usize,
}

// === impl Table ===

impl<V: Default> Table<V> {
    pub(crate) const fn new(capacity: usize) -> Self {
        let capacity = if capacity < MOST { capacity } else { MOST };
        Self {
            capacity,
            index: Vec::new(),
            keys: Vec::new(),
            last: Vec::new(),
            pieces: Vec::new(),
            hand: 0,
        }
    }

    /// The state of a key, which counts as a use at `now` seconds; a new one when it was not held.
    pub(crate) fn touch(&mut self, key: u64, now: u32) -> &mut V {
        let position = match self.find(key) {
            Some(position) => position,
            None => self.insert(key),
        };
        self.last[position] = now;
        &mut self.pieces[position / PIECE][position % PIECE]
    }

    /// The state of a key without using it.
    pub(crate) fn peek(&self, key: u64) -> Option<&V> {
        self.find(key).map(|position| &self.pieces[position / PIECE][position % PIECE])
    }

    /// Reads what searches for these keys will read, and what makes room for those that are new: looks that do
    /// not wait for each other cost little more than one. Nothing comes of it but that the processor has at
    /// hand what it needs. `state` reads something of each cache line of a state.
    pub(crate) fn expect(
        &self,
        keys: impl Iterator<Item = u64> + Clone,
        state: impl Fn(&V) -> u64,
    ) {
        if self.index.is_empty() {
            return;
        }
        keys.clone().for_each(|key| {
            black_box(self.index[self.home(key)]);
        });
        let mut new = 0;
        for key in keys {
            let entry = self.index[self.home(key)];
            match position(entry).filter(|_| entry & !POSITION == tag(key)) {
                Some(position) => self.expect_at(position, &state),
                None => new += 1,
            }
        }
        if self.keys.len() < self.capacity {
            return;
        }
        let mut hand = self.hand;
        for _ in 0..new {
            let oldest = self.oldest(hand);
            black_box(self.index[self.home(self.keys[oldest])]);
            self.expect_at(oldest, &state);
            hand = (hand + CANDIDATES) % self.keys.len();
        }
    }

    fn expect_at(&self, position: usize, state: impl Fn(&V) -> u64) {
        black_box((self.keys[position], self.last[position]));
        black_box(state(&self.pieces[position / PIECE][position % PIECE]));
    }

    fn home(&self, key: u64) -> usize {
        key as usize & (self.index.len() - 1)
    }

    fn find(&self, key: u64) -> Option<usize> {
        if self.index.is_empty() {
            return None;
        }
        let mut at = self.home(key);
        loop {
            let entry = self.index[at];
            let position = position(entry)?;
            if entry & !POSITION == tag(key) && self.keys[position] == key {
                return Some(position);
            }
            at = (at + 1) & (self.index.len() - 1);
        }
    }

    fn insert(&mut self, key: u64) -> usize {
        let position = self.keys.len();
        if position >= self.capacity {
            return self.replace(key);
        }
        if self.index.len() < (position + 1) * 2 {
            self.grow();
        }
        if position.is_multiple_of(PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE.min(self.capacity)));
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.push(V::default());
        }
        self.keys.push(key);
        self.last.push(0);
        self.link(key, position);
        position
    }

    /// Takes the place of the neighbour that was not seen for longest.
    fn replace(&mut self, key: u64) -> usize {
        let oldest = self.oldest(self.hand);
        self.hand = (self.hand + CANDIDATES.min(self.keys.len())) % self.keys.len();
        self.unlink(oldest);
        self.keys[oldest] = key;
        self.pieces[oldest / PIECE][oldest % PIECE] = V::default();
        self.link(key, oldest);
        oldest
    }

    /// Of the neighbours from `hand` on, the one not seen for longest.
    fn oldest(&self, hand: usize) -> usize {
        let mut oldest = hand;
        for step in 1..CANDIDATES.min(self.keys.len()) {
            let at = (hand + step) % self.keys.len();
            if self.last[at] < self.last[oldest] {
                oldest = at;
            }
        }
        oldest
    }

    fn link(&mut self, key: u64, position: usize) {
        let mut at = self.home(key);
        while self.index[at] != 0 {
            at = (at + 1) & (self.index.len() - 1);
        }
        self.index[at] = tag(key) | (position as u32 + 1);
    }

    fn unlink(&mut self, gone: usize) {
        let mask = self.index.len() - 1;
        let mut hole = self.home(self.keys[gone]);
        while position(self.index[hole]) != Some(gone) {
            hole = (hole + 1) & mask;
        }
        // Entries behind the hole move up, or a search would end at it.
        let mut at = (hole + 1) & mask;
        while let Some(other) = position(self.index[at]) {
            let home = self.home(self.keys[other]);
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(hole) & mask) {
                self.index[hole] = self.index[at];
                hole = at;
            }
            at = (at + 1) & mask;
        }
        self.index[hole] = 0;
    }

    fn grow(&mut self) {
        self.index = vec![0; (self.index.len() * 2).max(64)];
        for position in 0..self.keys.len() {
            self.link(self.keys[position], position);
        }
    }
}

fn position(entry: u32) -> Option<usize> {
    ((entry & POSITION) as usize).checked_sub(1)
}

/// The high bits: the low ones choose the place in the index.
const fn tag(key: u64) -> u32 {
    (key >> 32) as u32 & !POSITION
}

#[cfg(test)]
mod tests {
    use super::Table;
    use crate::sketch::hash;

    #[test]
    fn it_holds_what_it_was_given_and_forgets_the_least_active() {
        let mut table: Table<u32> = Table::new(3000);
        for round in 0..3u32 {
            for n in 0..2900u32 {
                *table.touch(hash::both(1, n.into()), round) += n;
            }
        }
        assert!((0..2900u32).all(|n| table.peek(hash::both(1, n.into())) == Some(&(n * 3))));
        for n in 0..20_000u64 {
            let next = (0..3).map(|step| hash::both(2, n + step));
            table.expect(next, |value| u64::from(*value));
            *table.touch(hash::both(2, n), 3 + n as u32) += 1;
            *table.touch(hash::both(1, 7), 3 + n as u32) += 1;
        }
        assert_eq!(table.keys.len(), 3000);
        assert_eq!(table.peek(hash::both(1, 7)), Some(&20_021), "in use, so not forgotten");
        let held = (0..20_000u64).filter(|n| table.peek(hash::both(2, *n)).is_some()).count();
        assert!(held > 2000, "{held}");
    }
}
