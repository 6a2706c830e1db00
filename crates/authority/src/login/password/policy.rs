//! What a new password must be (NIST SP 800-63B-4 §3.1.1.2): long, not known to whoever guesses, nothing
//! else. There are no rules about which characters it has, and it never expires.

use std::io;
use std::sync::Arc;

use token::secret::Secret;
use unicode_normalization::{UnicodeNormalization as _, is_nfkc};

use super::breached::Breached;
use super::used_most;

/// Enough for any passphrase or password manager; a bound on what has to be hashed.
pub const MAX_BYTES: usize = 1024;

/// What would be found with fewer guesses than ten to this power is refused: it is a word, a name, a date,
/// a row of keys, a repetition, or a few of these.
const FEWEST_GUESSES_LOG10: f64 = 8.0;
/// The estimate looks at so many characters: its work grows faster than the text.
const JUDGED_CHARS: usize = 40;
/// The product's own name is among what is tried first.
const PRODUCT: &str = "tokenward";

/// The rules of this authority.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The shortest password, in characters.
    pub min_chars: usize,
    /// Passwords that were stolen elsewhere, where the operator has a list.
    pub breached: Option<Arc<Breached>>,
}

/// Which rule a new password breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefused {
    /// It is on the operator's list.
    #[error("the password is among those that were stolen elsewhere; choose another")]
    Breached,
    /// It is on the list that is built in.
    #[error("the password is among the hundred thousand that are used most; choose another")]
    Common,
    /// It is made of what is tried first.
    #[error(
        "the password is easy to guess: it is made of a name, a common word or a pattern; choose \
         several words that do not belong together"
    )]
    Predictable,
    /// Longer than 1024 bytes.
    #[error("the password is longer than 1024 bytes")]
    TooLong,
    /// Shorter than the rules say.
    #[error("the password must have at least {0} characters; several words are easy to remember")]
    TooShort(usize),
}

// === impl Rules ===

impl Rules {
    /// For a password that may be the only factor.
    pub const USUAL_MIN_CHARS: usize = 15;
    /// Where nobody signs in with a password alone. Shorter is never good.
    pub const LEAST_MIN_CHARS: usize = 8;

    /// Checks a new password, normalised, against the rules and the names of the person it is for.
    ///
    /// # Errors
    /// The system's error when the list cannot be read; inside, which rule is broken.
    pub(super) fn check(
        &self,
        password: &Secret,
        names: &[String],
    ) -> io::Result<Result<(), PolicyRefused>> {
        let text = password.expose();
        if text.len() > MAX_BYTES {
            return Ok(Err(PolicyRefused::TooLong));
        }
        // Each code point counts as one character (NIST SP 800-63B-4 §3.1.1.2).
        if text.chars().count() < self.min_chars {
            return Ok(Err(PolicyRefused::TooShort(self.min_chars)));
        }
        if used_most::is_common(text) {
            return Ok(Err(PolicyRefused::Common));
        }
        if is_predictable(text, names) {
            return Ok(Err(PolicyRefused::Predictable));
        }
        match &self.breached {
            Some(list) if list.contains(text)? => Ok(Err(PolicyRefused::Breached)),
            _ => Ok(Ok(())),
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self { min_chars: Self::USUAL_MIN_CHARS, breached: None }
    }
}

/// One form for all ways to type the same characters (NFKC, as NIST SP 800-63B-4 §3.1.1.2 wants it), so that
/// another keyboard does not keep anybody out. Nothing is cut off.
pub(super) fn normalised(password: Secret) -> Secret {
    let text = password.expose();
    // Whoever sends what cannot be a password anyway does not have it transformed.
    if text.len() > MAX_BYTES || is_nfkc(text) {
        return password;
    }
    Secret::new(text.nfkc().collect::<String>())
}

fn is_predictable(text: &str, names: &[String]) -> bool {
    let judged = text.char_indices().nth(JUDGED_CHARS).and_then(|(end, _)| text.get(..end));
    let names: Vec<String> = names.iter().flat_map(|name| parts(name)).collect();
    let known: Vec<&str> = names.iter().map(String::as_str).chain([PRODUCT]).collect();
    zxcvbn::zxcvbn(judged.unwrap_or(text), &known).guesses_log10() < FEWEST_GUESSES_LOG10
}

/// A name, the words that it is made of, and these with what people put between words.
fn parts(name: &str) -> Vec<String> {
    let name = name.trim().to_lowercase();
    let words = name.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| word.len() > 2).collect();
    let joined = ["", " ", ".", "-", "_"].map(|between| words.join(between));
    let single = words.iter().map(|word| (*word).to_owned());
    let all = single.chain(joined).chain([name.clone()]);
    all.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use token::secret::Secret;

    use super::{PolicyRefused, Rules, normalised};

    fn checked(text: &str) -> Result<(), PolicyRefused> {
        checked_for(text, &[])
    }

    fn checked_for(text: &str, names: &[&str]) -> Result<(), PolicyRefused> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Rules::default().check(&normalised(Secret::new(text)), &names).expect("no list")
    }

    #[test]
    fn long_and_unpredictable_is_enough() {
        for text in [
            "correct horse battery",
            "a long enough passphrase",
            "7Kq2mX0vB9sLdEwZ",
            "ｐａｓｓｗｏｒｔ　ist recht lang",
            "лошадь батарея скрепка",
        ] {
            assert_eq!(checked(text), Ok(()), "{text}");
        }
        assert_eq!(checked(&"four words and more ".repeat(3)), Ok(()));
    }

    #[test]
    fn length_has_its_bounds() {
        assert_eq!(checked("fourteen chars"), Err(PolicyRefused::TooShort(15)));
        assert_eq!(checked("fifteen chars !"), Ok(()));
        // Characters, not bytes.
        assert_eq!(checked("äöüßéèêñçå"), Err(PolicyRefused::TooShort(15)));
        assert_eq!(checked(&"x7Kq2mX0vB9sLdEwZ".repeat(60)), Ok(()));
        assert_eq!(checked(&"x7Kq2mX0vB9sLdEwZ".repeat(61)), Err(PolicyRefused::TooLong));
        let rules = Rules { min_chars: Rules::LEAST_MIN_CHARS, breached: None };
        let short = rules.check(&Secret::new("v9sLdEwZ"), &[]);
        assert_eq!(short.expect("no list"), Ok(()));
    }

    #[test]
    fn what_is_used_most_is_refused_however_its_letters_are_written() {
        for text in [
            "passwordpassword",
            "1qaz2wsx3edc4rfv",
            "kartoffelpuffer",
            "KartoffelPuffer",
            "mailcreated5240",
            "1Q2w3e4r5t6y7u8i9o",
        ] {
            assert_eq!(checked(text), Err(PolicyRefused::Common), "{text}");
        }
        // A word on the list does not spoil a passphrase.
        assert_eq!(checked("kartoffelpuffer am abend"), Ok(()));
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for text in [
            "aaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "password123password123",
            "iloveyouiloveyou1",
            "abcdefghijklmnop",
            "QWERTYUIOPasdfgh",
            "administrator123",
            "tokenwardtokenward",
            "Summer2025!Summer2025!",
        ] {
            assert_eq!(checked(text), Err(PolicyRefused::Predictable), "{text}");
        }
    }

    #[test]
    fn a_name_is_no_password() {
        let names = ["Alice.Liddell", "alice@wonderland.example"];
        for text in ["alice.liddell 12", "AliceLiddell2026", "alice@wonderland.example"] {
            assert_eq!(checked_for(text, &names), Err(PolicyRefused::Predictable), "{text}");
        }
        assert_eq!(checked_for("alice and fifteen rabbits", &names), Ok(()));
    }

    #[test]
    fn the_same_characters_are_the_same_password() {
        let composed = normalised(Secret::new("caf\u{e9} au lait, s'il vous pla\u{ee}t"));
        let decomposed = normalised(Secret::new("cafe\u{301} au lait, s'il vous plai\u{302}t"));
        assert_eq!(composed.expose(), decomposed.expose());
        // Case and space stay what they are.
        assert_eq!(normalised(Secret::new(" Ab  c ")).expose(), " Ab  c ");
    }
}
