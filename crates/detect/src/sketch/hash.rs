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
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.0 = both(self.0, u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.0 = both(self.0, short(rest));
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
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let whole =
        words.iter().fold(text.len() as u64, |hash, word| both(hash, u64::from_le_bytes(*word)));
    match rest {
        [] => whole,
        rest => both(whole, short(rest)),
    }
}

/// The number that [`text`] gives of the same with `/` after it: of `/orders` that of `/orders/`.
pub(crate) fn folder(path: &str) -> u64 {
    let (words, rest) = path.as_bytes().as_chunks::<8>();
    let length = path.len() as u64 + 1;
    let whole = words.iter().fold(length, |hash, word| both(hash, u64::from_le_bytes(*word)));
    both(whole, short(rest) | u64::from(b'/') << (8 * rest.len()))
}

/// Fewer than eight bytes as one number.
fn short(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// The number of a text as if it had no digits and nothing that stands between them, such as the name of a program
/// without its version: `17_1` and `17_1_2` are both one's.
pub(crate) fn without_digits(text: &str) -> u64 {
    let (mut hash, mut word, mut length) = (0, 0, 0u64);
    let is_version = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    for byte in text.bytes().filter(|byte| !is_version(*byte)) {
        word = word << 8 | u64::from(byte);
        length += 1;
        if length.is_multiple_of(8) {
            (hash, word) = (both(hash, word), 0);
        }
    }
    both(both(hash, word), length)
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
        for path in ["", "/a", "/orders", "/v1/orders", "/v1/orders/{id}/items"] {
            assert_eq!(super::folder(path), super::text(&format!("{path}/")));
        }
    }

    #[test]
    fn a_name_without_digits_is_the_same_in_every_version() {
        let of = super::without_digits;
        assert_eq!(of("Mozilla/5.0 (X11) Firefox/99.0"), of("Mozilla/5.0 (X11) Firefox/141.2"));
        assert_ne!(of("Mozilla/5.0 (X11) Firefox/99.0"), of("Mozilla/5.0 (X11) Firefix/99.0"));
        assert_ne!(of("abcdefgh"), of("abcdefgi"));
        assert_ne!(of("1"), of("1a"));
        assert_eq!(of("é1"), of("é"));
    }

    #[test]
    fn a_version_with_more_parts_is_one_of_the_same_name() {
        let of = super::without_digits;
        for [one, other] in [["17_1", "17_1_2"], ["7.3", "7.3.1"], ["7-3", "7-3-1"]] {
            assert_eq!(of(one), of(other), "{one} {other}");
            assert_eq!(of(&format!("App/{one} (x)")), of(&format!("App/{other} (x)")), "{other}");
        }
        for [one, other] in [["7.3", "7.3b"], ["7.3", "7 3"], ["7.3", "7/3"], ["7.3", "7:3"]] {
            assert_ne!(of(one), of(other), "{one} {other}");
        }
    }
}
