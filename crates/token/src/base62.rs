//! Base 62 (`0-9A-Za-z`): random values that survive a double click and every shell.

use zeroize::Zeroizing;

use crate::random::Random;

/// The digits, in order of value.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// So many digits come out of one division.
const DIGITS: usize = 5;
const DIVISOR: u64 = 62u64.pow(5);

/// `bytes` as one number in base 62, most significant digit first, padded with `0` to `width` digits.
pub fn encode(bytes: &[u8], width: usize) -> String {
    let mut number = Zeroizing::new(limbs(bytes));
    let mut digits = Zeroizing::new(Vec::with_capacity(width + DIGITS));
    while number.iter().any(|limb| *limb != 0) {
        let mut remainder = 0u64;
        for limb in number.iter_mut() {
            let current = remainder << 32 | u64::from(*limb);
            // Below 2^32, since the remainder is below the divisor.
            *limb = u32::try_from(current / DIVISOR).unwrap_or(u32::MAX);
            remainder = current % DIVISOR;
        }
        for _ in 0..DIGITS {
            digits.push(ALPHABET[usize::try_from(remainder % 62).unwrap_or_default()]);
            remainder /= 62;
        }
    }
    let needed = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    digits.resize(needed.max(width), b'0');
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}

/// The number that these digits are, in so many bytes; `None` when it does not fit or a character is no
/// digit.
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut number = [0u8; N];
    for digits in text.as_bytes().chunks(DIGITS) {
        let (mut carry, mut factor) = (0, 1);
        for digit in digits {
            carry = carry * 62 + u64::from(value(*digit)?);
            factor *= 62;
        }
        for byte in number.iter_mut().rev() {
            let current = u64::from(*byte) * factor + carry;
            *byte = current.to_be_bytes()[7];
            carry = current >> 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(number)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'Z' => Some(digit - b'A' + 10),
        b'a'..=b'z' => Some(digit - b'a' + 36),
        _ => None,
    }
}

/// The number in words of 32 bits, most significant first.
fn limbs(bytes: &[u8]) -> Vec<u32> {
    let (head, whole) = bytes.split_at(bytes.len() % 4);
    let limb = |bytes: &[u8]| bytes.iter().fold(0, |limb, byte| limb << 8 | u32::from(*byte));
    std::iter::once(limb(head)).chain(whole.chunks_exact(4).map(limb)).collect()
}

/// `len` random digits, each with the full 5.95 bits.
pub fn random(len: usize, random: &dyn Random) -> String {
    let mut text = String::with_capacity(len);
    let mut buffer = [0u8; 64];
    while text.len() < len {
        random.fill(&mut buffer);
        // 248 = 4 × 62: bytes above would make the first digits likelier.
        for byte in buffer.iter().filter(|byte| **byte < 248).take(len - text.len()) {
            text.push(char::from(ALPHABET[usize::from(byte % 62)]));
        }
    }
    text
}

/// Whether every character is a base-62 digit.
pub fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{decode, encode};

    #[test]
    fn known_values() {
        assert_eq!(encode(&[], 0), "");
        assert_eq!(encode(&[], 2), "00");
        assert_eq!(encode(&[0, 0], 3), "000");
        assert_eq!(encode(&[61], 0), "z");
        assert_eq!(encode(&[62], 0), "10");
        assert_eq!(encode(&[62], 1), "10");
        assert_eq!(encode(&[0xff; 4], 6), "4gfFC3");
        assert_eq!(encode(&62u64.pow(5).to_be_bytes(), 0), "100000");
        assert_eq!(encode(&62u64.pow(10).to_be_bytes(), 0), "10000000000");
        assert_eq!(decode("4gfFC3"), Some([0xff; 4]));
        assert_eq!(decode::<4>("4gfFC4"), None, "too large");
        assert_eq!(decode::<4>("4g-FC"), None);
    }

    proptest! {
        #[test]
        fn what_is_encoded_can_be_decoded(bytes: [u8; 32]) {
            let text = encode(&bytes, 0);
            prop_assert_eq!(decode(&text), Some(bytes));
            prop_assert!(!text.starts_with('0'));
        }

        #[test]
        fn any_text_is_decoded_or_refused(text in ".{0,50}") {
            let back: Option<[u8; 32]> = decode(&text);
            let back = back.map(|bytes| encode(&bytes, text.len()));
            prop_assert!(back.is_none_or(|back| back == text));
        }
    }
}
