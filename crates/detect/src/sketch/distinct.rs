//! How many different things were seen, in a few bits: linear counting.

use std::sync::LazyLock;

/// The most bits that are in use, and what so many set ones of them say: a logarithm for each look would be dear.
const MOST: usize = 256;
static ESTIMATES: LazyLock<[[u16; MOST + 1]; 3]> =
    LazyLock::new(|| [estimates(64), estimates(128), estimates(MOST)]);

/// Counts up to about four times its bits, with an error of some per cent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Distinct<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Default for Distinct<WORDS> {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

// === impl Distinct ===

impl<const WORDS: usize> Distinct<WORDS> {
    /// Whether the thing changed the count; a thing that was seen never does.
    pub(crate) fn add(&mut self, hash: u64) -> bool {
        // The high bits: the low ones choose places in tables.
        let bit = usize::try_from((hash >> 40) % (WORDS as u64 * 64)).unwrap_or(0);
        let Some(word) = self.0.get_mut(bit / 64) else { return false };
        let mask = 1u64 << (bit % 64);
        let is_new = *word & mask == 0;
        *word |= mask;
        is_new
    }

    /// Whether the thing, or another with its bit, was seen.
    pub(crate) fn contains(&self, hash: u64) -> bool {
        let mut other = *self;
        !other.add(hash)
    }

    /// The estimate.
    pub(crate) fn count(&self) -> u32 {
        const { assert!(matches!(WORDS, 1 | 2 | 4), "there is a table for it") }
        let set: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        u32::from(ESTIMATES[WORDS / 2][set as usize])
    }

    /// What was seen by either.
    pub(crate) fn with(&self, other: &Self) -> Self {
        let mut both = *self;
        for (word, more) in both.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
        both
    }

    /// Something of it, to bring it near.
    pub(crate) const fn read(&self) -> u64 {
        self.0[0]
    }

    pub(crate) fn clear(&mut self) {
        self.0 = [0; WORDS];
    }
}

/// By how many of so many bits are set.
fn estimates(bits: usize) -> [u16; MOST + 1] {
    std::array::from_fn(|set| {
        let (bits, free) = (bits as f32, (bits as f32 - set as f32).max(0.5));
        (bits * (bits / free).ln()).round() as u16
    })
}

#[cfg(test)]
mod tests {
    use super::Distinct;
    use crate::sketch::hash;

    #[test]
    fn repeats_count_once_and_many_are_counted_within_a_fifth() {
        for wanted in [1u32, 5, 40, 300] {
            let mut seen = Distinct::<4>::default();
            for n in (0..wanted).chain(0..wanted) {
                seen.add(hash::text(&n.to_string()));
            }
            let off = (seen.count() as f32 - wanted as f32).abs() / wanted as f32;
            assert!(off <= 0.2, "{} for {wanted}", seen.count());
        }
    }
}
