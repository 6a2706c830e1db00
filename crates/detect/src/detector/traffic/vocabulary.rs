//! Whether one of a few words is anywhere in a text, in upper or lower case: in one walk, without a copy.

/// At most sixty-four words, in lower case.
pub(super) struct Vocabulary<const N: usize> {
    words: [&'static str; N],
    /// By their first byte, one bit for each word.
    begin: [u64; 128],
}

// === impl Vocabulary ===

impl<const N: usize> Vocabulary<N> {
    /// Of these words, none of which is empty.
    pub(super) const fn new(words: [&'static str; N]) -> Self {
        let (mut begin, mut at) = ([0; 128], 0);
        while at < N {
            begin[(words[at].as_bytes()[0] & 127) as usize] |= 1 << at;
            at += 1;
        }
        Self { words, begin }
    }

    /// Whether the text has one of them.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let text = text.as_bytes();
        text.iter().enumerate().any(|(at, byte)| {
            let mut possible = self.begin[usize::from(byte.to_ascii_lowercase() & 127)];
            while possible != 0 {
                let word = self.words[possible.trailing_zeros() as usize].as_bytes();
                let here = text.get(at..at + word.len());
                if here.is_some_and(|here| here.eq_ignore_ascii_case(word)) {
                    return true;
                }
                possible &= possible - 1;
            }
            false
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Vocabulary;

    #[test]
    fn a_word_is_found_wherever_it_is_and_nothing_else() {
        let words = Vocabulary::new(["sqlmap", "nikto", "nmap", ".env"]);
        for text in ["sqlmap/1.2", "Mozilla NIKTO", "xNmap", "/a/.ENV", "nnmap", "é.env"] {
            assert!(words.is_in(text), "{text}");
        }
        for text in ["", "sqlma", "nik to", "nma", "env", "\u{ee}env"] {
            assert!(!words.is_in(text), "{text}");
        }
    }
}
