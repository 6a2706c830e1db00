//! What a new password must be (NIST SP 800-63B-4 §3.1.1.2): long and not predictable, nothing else.

use token::secret::Secret;

/// For a password that is the only factor. There are no rules about which characters it has.
pub const MIN_CHARS: usize = 15;
/// Enough for any passphrase or password manager; a bound on what has to be hashed.
pub const MAX_BYTES: usize = 1024;

/// A password is predictable when a unit of at most this many characters repeated makes it up.
const LONGEST_UNIT: usize = 5;
/// Rows of keys and runs of characters, forwards and backwards.
const RUNS: [&str; 5] = [
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1q2w3e4r5t6y7u8i9o0p",
];
/// How much of a password may be one of those runs.
const LONGEST_RUN: usize = 9;

/// Which rule a new password breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefused {
    /// The name of the person it belongs to is most of it.
    #[error(
        "the password is mostly the user's own name; choose words that nobody connects with it"
    )]
    OwnName,
    /// One or a few characters over and over.
    #[error(
        "the password repeats a few characters; choose several words that do not belong together"
    )]
    Repetition,
    /// A row of keys or of the alphabet.
    #[error("the password follows the keyboard or the alphabet; choose several words instead")]
    Run,
    /// Longer than 1024 bytes.
    #[error("the password is longer than 1024 bytes")]
    TooLong,
    /// Shorter than 15 characters.
    #[error("the password must have at least 15 characters; several words are easy to remember")]
    TooShort,
}

/// Checks a new password.
///
/// # Errors
/// [`PolicyRefused`] names the rule broken.
pub fn check(password: &Secret) -> Result<(), PolicyRefused> {
    let text = password.expose();
    if text.len() > MAX_BYTES {
        return Err(PolicyRefused::TooLong);
    }
    let chars: Vec<char> = text.to_lowercase().chars().collect();
    // Each code point counts as one character (NIST SP 800-63B-4 §3.1.1.2).
    if text.chars().count() < MIN_CHARS {
        return Err(PolicyRefused::TooShort);
    }
    if (1..=LONGEST_UNIT).any(|unit| repeats(&chars, unit)) {
        return Err(PolicyRefused::Repetition);
    }
    if RUNS.iter().any(|run| longest_shared(&chars, run) > LONGEST_RUN) {
        return Err(PolicyRefused::Run);
    }
    Ok(())
}

/// Checks that a new password is not built from the names of the person it is for.
///
/// # Errors
/// [`PolicyRefused::OwnName`] when a name is more than half of it.
pub fn check_against(password: &Secret, names: &[&str]) -> Result<(), PolicyRefused> {
    let text = password.expose().to_lowercase();
    let is_most = |name: &&str| {
        let name = name.trim().to_lowercase();
        let shared = text.matches(name.as_str()).count() * name.chars().count();
        !name.is_empty() && shared * 2 > text.chars().count()
    };
    if names.iter().any(is_most) { Err(PolicyRefused::OwnName) } else { Ok(()) }
}

fn repeats(chars: &[char], unit: usize) -> bool {
    chars.iter().zip(chars.iter().skip(unit)).all(|(one, next)| one == next)
}

/// The longest stretch of the password that is also one of the run, in either direction.
fn longest_shared(chars: &[char], run: &str) -> usize {
    let forwards: Vec<char> = run.chars().collect();
    let backwards: Vec<char> = run.chars().rev().collect();
    [forwards, backwards].iter().map(|run| longest_common(chars, run)).max().unwrap_or(0)
}

fn longest_common(left: &[char], right: &[char]) -> usize {
    let mut longest = 0;
    let mut row = vec![0usize; right.len() + 1];
    for one in left {
        let mut diagonal = 0;
        for (cell, other) in row.iter_mut().skip(1).zip(right) {
            let before = *cell;
            *cell = if one == other { diagonal + 1 } else { 0 };
            longest = longest.max(*cell);
            diagonal = before;
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use token::secret::Secret;

    use super::{PolicyRefused, check, check_against};

    fn checked(text: &str) -> Result<(), PolicyRefused> {
        check(&Secret::new(text))
    }

    #[test]
    fn long_and_unpredictable_is_enough() {
        for text in [
            "correct horse battery",
            "a long enough passphrase",
            "7Kq2mX0vB9sLdEwZ",
            "ｐａｓｓｗｏｒｔ　ist recht lang",
        ] {
            assert_eq!(checked(text), Ok(()), "{text}");
        }
        assert_eq!(checked(&"four words and more ".repeat(50)), Ok(()));
    }

    #[test]
    fn length_has_its_bounds() {
        assert_eq!(checked("fourteen chars"), Err(PolicyRefused::TooShort));
        assert_eq!(checked("fifteen chars !"), Ok(()));
        // Characters, not bytes.
        assert_eq!(checked("äöüßéèêñçå"), Err(PolicyRefused::TooShort));
        assert_eq!(checked(&"correct horse ".repeat(74)), Err(PolicyRefused::TooLong));
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for text in ["aaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabc", "passspassspassspasss"] {
            assert_eq!(checked(text), Err(PolicyRefused::Repetition), "{text}");
        }
        for text in [
            "123456789012345",
            "abcdefghijklmnop",
            "QWERTYUIOPasdfgh",
            "my0987654321pass",
            "1qaz2wsx3edc4rfv",
        ] {
            assert_eq!(checked(text), Err(PolicyRefused::Run), "{text}");
        }
    }

    #[test]
    fn a_name_is_no_password() {
        let password = Secret::new("alice.liddell 12");
        let names = ["Alice.Liddell", ""];
        assert_eq!(check_against(&password, &names), Err(PolicyRefused::OwnName));
        let password = Secret::new("alice and fifteen rabbits");
        assert_eq!(check_against(&password, &["alice"]), Ok(()));
        assert_eq!(check_against(&password, &[]), Ok(()));
    }
}
