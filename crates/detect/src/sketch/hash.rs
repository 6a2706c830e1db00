//! Names as 64-bit numbers, the same in every run: state is keyed by them and holds no text.

use std::hash::{Hash, Hasher};

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The number of anything that can be hashed.
pub(crate) fn of(thing: impl Hash) -> u64 {
    let mut state = Mixed(0);
    thing.hash(&mut state);
    state.0
}

/// [`both`] over eight bytes at a time.
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0u8; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            self.0 = both(self.0, u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.0 = both(self.0, byte.into());
    }

    fn write_u16(&mut self, number: u16) {
        self.0 = both(self.0, number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = both(self.0, number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = both(self.0, number);
    }

    fn write_usize(&mut self, number: usize) {
        self.0 = both(self.0, number as u64);
    }
}

/// The number of a text. Two texts of one number share state, which costs accuracy and no safety:
/// findings are written from the event, never from a number.
pub(crate) fn text(text: &str) -> u64 {
    let mut hash = text.len() as u64;
    for chunk in text.as_bytes().chunks(8) {
        let mut word = [0u8; 8];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        hash = both(hash, u64::from_le_bytes(word));
    }
    hash
}

/// The number of a pair.
pub(crate) const fn both(first: u64, second: u64) -> u64 {
    let mut hash = (first.rotate_left(23) ^ second).wrapping_mul(FACTOR);
    hash ^= hash >> 29;
    hash = hash.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn names_that_differ_a_little_differ_in_every_bit_range() {
        let hashes: Vec<u64> = (0..4096).map(|n| super::text(&format!("order-{n}"))).collect();
        let low: HashSet<u64> = hashes.iter().map(|hash| hash & 0xfff).collect();
        let high: HashSet<u64> = hashes.iter().map(|hash| hash >> 52).collect();
        // 63 % is what chance gives.
        assert!(low.len() > 2400 && high.len() > 2400, "{} {}", low.len(), high.len());
        assert_ne!(super::text("ab\0"), super::text("ab"));
    }
}
