//! Whether a thing was there lately, in two bits for each: two generations of them, of which the older one is forgotten
//! when the younger one has seen enough.

/// Bits of one generation.
const BITS: usize = 1 << 20;
/// Things of one generation: three bits of four stay free, so that each takes one strange thing in sixteen for known.
const ENOUGH: usize = BITS / 8;

/// The last hundred thousand things and more, in 256 KiB.
#[derive(Debug)]
pub(crate) struct Lately {
    now: Box<[u64]>,
    before: Box<[u64]>,
    seen: usize,
}

impl Default for Lately {
    fn default() -> Self {
        let empty = || vec![0; BITS / 64].into_boxed_slice();
        Self { now: empty(), before: empty(), seen: 0 }
    }
}

// === impl Lately ===

impl Lately {
    /// The thing with this hash is there.
    pub(crate) fn note(&mut self, hash: u64) {
        if has(&self.now, hash) {
            return;
        }
        if self.seen >= ENOUGH {
            std::mem::swap(&mut self.now, &mut self.before);
            self.now.fill(0);
            self.seen = 0;
        }
        self.seen += 1;
        for (word, bit) in places(hash) {
            if let Some(held) = self.now.get_mut(word) {
                *held |= bit;
            }
        }
    }

    /// Whether it was there lately. Some that were not are taken for it, and none that was is missed.
    pub(crate) fn holds(&self, hash: u64) -> bool {
        has(&self.now, hash) || has(&self.before, hash)
    }
}

fn has(generation: &[u64], hash: u64) -> bool {
    places(hash).iter().all(|(word, bit)| generation.get(*word).is_some_and(|held| held & bit != 0))
}

fn places(hash: u64) -> [(usize, u64); 2] {
    [hash, hash >> 32].map(|part| {
        let at = part as usize % BITS;
        (at / 64, 1 << (at % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::{ENOUGH, Lately};
    use crate::sketch::hash;

    #[test]
    fn what_was_there_lately_is_known_and_nearly_nothing_else() {
        let mut lately = Lately::default();
        (0..ENOUGH as u64).for_each(|thing| lately.note(hash::of(thing)));
        assert!((0..ENOUGH as u64).all(|thing| lately.holds(hash::of(thing))));
        let strange = (0..10_000).map(|thing| hash::of(thing + (1_u64 << 40)));
        let mistaken = strange.filter(|hash| lately.holds(*hash)).count();
        assert!(mistaken < 10_000 / 12, "{mistaken}");
        (0..2 * ENOUGH as u64).for_each(|thing| lately.note(hash::of(thing + (1 << 50))));
        let kept = (0..10_000_u64).filter(|thing| lately.holds(hash::of(*thing))).count();
        assert!(kept < 10_000 / 6, "{kept}");
    }
}
