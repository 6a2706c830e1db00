//! Names as 64-bit numbers, the same in every run: state is keyed by them and holds no text.

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

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
