//! Recovery codes: what stands in for a factor that is lost. Each is good once.

use token::opaque::OpaqueHash;
use token::random::Random;
use token::secret::Secret;
use zeroize::Zeroizing;

use super::base32;

/// How many somebody gets.
const NUMBER: usize = 10;
/// Nobody guesses 80 random bits, so that a fast hash is enough to keep them by.
const BYTES: usize = 10;
const LETTERS: usize = BYTES / 5 * 8;

/// New codes, as people read them.
pub(crate) fn generate(random: &dyn Random) -> Vec<Secret> {
    let one = |_| {
        let mut bytes = Zeroizing::new([0u8; BYTES]);
        random.fill(bytes.as_mut_slice());
        let text = Zeroizing::new(base32::encode(bytes.as_slice()));
        Secret::new(base32::grouped(&text, "-"))
    };
    (0..NUMBER).map(one).collect()
}

/// What is kept of codes.
pub(crate) fn hashes(codes: &[Secret]) -> Vec<OpaqueHash> {
    codes.iter().filter_map(|code| hash(code.expose())).collect()
}

/// What is kept of a code, however it is typed; `None` when it cannot be one.
pub(crate) fn hash(typed: &str) -> Option<OpaqueHash> {
    base32::normal(typed, LETTERS).map(|text| OpaqueHash::of(&text))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use token::random::OsRandom;

    use super::{generate, hash, hashes};

    #[test]
    fn each_is_another_and_reads_back_however_it_is_typed() {
        let codes = generate(&OsRandom::new());
        let kept = hashes(&codes);
        assert_eq!(kept.iter().collect::<HashSet<_>>().len(), 10);
        for (code, kept) in codes.iter().zip(kept) {
            let code = code.expose();
            assert_eq!(code.len(), 19, "four groups of four");
            for typed in [code.to_owned(), code.to_lowercase(), code.replace('-', " ")] {
                assert_eq!(hash(&typed), Some(kept), "{typed}");
            }
        }
        assert!(hash("ABCD-EFGH").is_none() && hash("287082").is_none());
    }
}
