//! State for many keys, densely: at most so many, the least active forgotten first.

mod ahead;

pub(crate) use ahead::Ahead;

/// Slots in a piece of memory: the table grows without ever moving what it holds.
const PIECE: usize = 1024;
/// Of how many neighbours the one not seen for longest makes room.
const CANDIDATES: usize = 4;
/// An entry of the index holds a position in its low bits. Above them are the last bits of the place where its key
/// belongs, so that entries can be moved without a look at their slots, and some of the key, so that a search
/// looks at hardly any slot but the right one.
const POSITION_BITS: u32 = 21;
const POSITION: u32 = (1 << POSITION_BITS) - 1;
const HOME_BITS: u32 = 7;
/// Farther from where it belongs, an entry's place does not follow from those bits.
const FAR: usize = 1 << HOME_BITS;
/// More keys have no place in an entry.
const MOST: usize = POSITION as usize - 1;

/// Keys are hashes already. Which key is forgotten depends on the order of use alone, so a replay
/// forgets the same.
pub(crate) struct Table<V> {
    capacity: usize,
    /// Position + 1 of a key with its tag, 0 for none; linear probing.
    index: Vec<u32>,
    pieces: Vec<Vec<Slot<V>>>,
    len: usize,
    hand: usize,
    /// Whether an entry ever was [`FAR`] from where it belongs: a chance of one in many billions, or somebody
    /// who chooses names for that.
    is_far: bool,
}

/// A key and its last use beside its state: whoever finds it needs all three, and each place in memory is a wait
/// of its own. Who makes room looks at neighbours, which is a walk that the processor foresees.
struct Slot<V> {
    key: u64,
    /// When it was used last, in seconds.
    last: u32,
    state: V,
}

// === impl Table ===

impl<V: Default> Table<V> {
    pub(crate) const fn new(capacity: usize) -> Self {
        let capacity = if capacity < MOST { capacity } else { MOST };
        Self { capacity, index: Vec::new(), pieces: Vec::new(), len: 0, hand: 0, is_far: false }
    }

    /// The state of a key, which counts as a use at `now` seconds; a new one when it was not held.
    pub(crate) fn touch(&mut self, key: u64, now: u32) -> &mut V {
        let position = match self.find(key) {
            Some(position) => position,
            None => self.insert(key),
        };
        let slot = &mut self.pieces[position / PIECE][position % PIECE];
        slot.last = now;
        &mut slot.state
    }

    /// The state of a key without using it.
    pub(crate) fn peek(&self, key: u64) -> Option<&V> {
        self.find(key).map(|position| &self.slot(position).state)
    }

    fn slot(&self, position: usize) -> &Slot<V> {
        &self.pieces[position / PIECE][position % PIECE]
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
            if entry & !POSITION == tag(key) && self.slot(position).key == key {
                return Some(position);
            }
            at = (at + 1) & (self.index.len() - 1);
        }
    }

    fn insert(&mut self, key: u64) -> usize {
        let position = self.len;
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
            piece.push(Slot { key, last: 0, state: V::default() });
        }
        self.len += 1;
        self.link(key, position);
        position
    }

    /// Takes the place of the neighbour that was not seen for longest.
    fn replace(&mut self, key: u64) -> usize {
        let (oldest, len) = (self.oldest(self.hand), self.len);
        self.hand = step(self.hand, CANDIDATES.min(len), len);
        self.unlink(oldest);
        self.pieces[oldest / PIECE][oldest % PIECE] = Slot { key, last: 0, state: V::default() };
        self.link(key, oldest);
        oldest
    }

    /// Of the neighbours from `hand` on, the one not seen for longest.
    fn oldest(&self, hand: usize) -> usize {
        let len = self.len;
        let neighbours = (0..CANDIDATES.min(len)).map(|by| step(hand, by, len));
        // Of equals the first. By arithmetic: which is the oldest is chance, and no branch can foresee it.
        let ages =
            neighbours.zip(0..).map(|(at, by)| (u64::from(self.slot(at).last) << 32 | by, at));
        ages.fold((u64::MAX, hand), |one, two| if two.0 < one.0 { two } else { one }).1
    }

    fn link(&mut self, key: u64, position: usize) {
        let (mut at, mask) = (self.home(key), self.index.len() - 1);
        while self.index[at] != 0 {
            at = (at + 1) & mask;
        }
        self.is_far |= (at.wrapping_sub(key as usize) & mask) >= FAR;
        self.index[at] = tag(key) | (position as u32 + 1);
    }

    fn unlink(&mut self, gone: usize) {
        let mask = self.index.len() - 1;
        let mut hole = self.home(self.slot(gone).key);
        while position(self.index[hole]) != Some(gone) {
            hole = (hole + 1) & mask;
        }
        // Entries behind the hole move up, or a search would end at it.
        let mut at = (hole + 1) & mask;
        while self.index[at] != 0 {
            if self.distance(at) >= (at.wrapping_sub(hole) & mask) {
                self.index[hole] = self.index[at];
                hole = at;
            }
            at = (at + 1) & mask;
        }
        self.index[hole] = 0;
    }

    /// How far the entry is from where it belongs. A look at its slot would be one at a random place in memory.
    fn distance(&self, at: usize) -> usize {
        let (entry, mask) = (self.index[at], self.index.len() - 1);
        match position(entry).filter(|_| self.is_far) {
            Some(other) => at.wrapping_sub(self.home(self.slot(other).key)) & mask,
            None => at.wrapping_sub((entry >> POSITION_BITS) as usize) & mask & (FAR - 1),
        }
    }

    fn grow(&mut self) {
        self.index = vec![0; (self.index.len() * 2).max(64)];
        for position in 0..self.len {
            self.link(self.slot(position).key, position);
        }
    }
}

/// So many, fewer than there are or as many, further in a circle: without a division.
const fn step(from: usize, by: usize, len: usize) -> usize {
    let to = from + by;
    if to >= len { to - len } else { to }
}

fn position(entry: u32) -> Option<usize> {
    ((entry & POSITION) as usize).checked_sub(1)
}

/// All of an entry but its position. Keys of one place differ in the high bits.
const fn tag(key: u64) -> u32 {
    let (home, rest) = (key as u32 & (FAR as u32 - 1), (key >> 32) as u32);
    (rest << HOME_BITS | home) << POSITION_BITS
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
            let mut ahead = table.expect(next);
            table.expect_states(&mut ahead, |value| u64::from(*value));
            table.expect_room(&ahead);
            *table.touch(hash::both(2, n), 3 + n as u32) += 1;
            *table.touch(hash::both(1, 7), 3 + n as u32) += 1;
        }
        assert_eq!(table.len, 3000);
        assert_eq!(table.peek(hash::both(1, 7)), Some(&20_021), "in use, so not forgotten");
        let held = (0..20_000u64).filter(|n| table.peek(hash::both(2, *n)).is_some()).count();
        assert!(held > 2000, "{held}");
    }

    /// Keys that all belong to one place, next to the end of the index, so that entries go around it.
    #[test]
    fn keys_of_one_place_are_found_after_others_are_forgotten_however_many_they_are() {
        for capacity in [20usize, 40, 400] {
            let mut table: Table<u64> = Table::new(capacity);
            let key = |n: u64| (n << 40) | ((n % 3) << 12) | 0xffe;
            for n in 0..2000u64 {
                *table.touch(key(n), n as u32) = n;
                if n.is_multiple_of(7) {
                    *table.touch(hash::both(3, n), n as u32) = n;
                }
            }
            let entries = table.index.iter().filter(|entry| **entry != 0).count();
            assert_eq!((table.len, entries), (capacity, capacity));
            let held: Vec<u64> = (0..2000).filter(|n| table.peek(key(*n)) == Some(n)).collect();
            let others = (0..2000).filter(|n| table.peek(hash::both(3, *n)) == Some(n)).count();
            assert_eq!(held.len() + others, capacity);
            assert_eq!(table.is_far, capacity == 400);
        }
    }
}
