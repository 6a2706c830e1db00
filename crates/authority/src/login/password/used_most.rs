//! The passwords that are used most, built in (NIST SP 800-63B-4 §3.1.1.2).
//!
//! The lists are those of the crates `passwords` (99,838) and `zxcvbn` (30,000, a third of them on no other):
//! nothing has to be configured, and they come anew with every version of those crates.

use passwords::analyzer::is_common_password;
use zxcvbn::matching::patterns::{DictionaryPattern, MatchPattern};

/// No password of the lists is longer, so that nothing longer has to be looked up.
const LONGEST_CHARS: usize = 40;

/// Whether a password is on a list. All of it is compared (NIST SP 800-63B-4 §3.1.1.2), without the case of its
/// letters, since whoever guesses tries those variants too.
pub(super) fn is_common(password: &str) -> bool {
    if password.chars().nth(LONGEST_CHARS).is_some() {
        return false;
    }
    let folded = password.to_lowercase();
    // A few entries have capitals of their own.
    let forms = [password, &folded, &password.to_uppercase(), &capitalised(&folded)];
    forms.iter().any(is_common_password) || is_of_zxcvbn(&folded)
}

fn capitalised(folded: &str) -> String {
    let mut letters = folded.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Whether the estimate finds it as one entry of the list of passwords.
fn is_of_zxcvbn(folded: &str) -> bool {
    let estimate = zxcvbn::zxcvbn(folded, &[]);
    let [only] = estimate.sequence() else { return false };
    // The crate does not export the type of the list's name; of its values passwords are the default.
    let passwords = DictionaryPattern::default().dictionary_name;
    matches!(&only.pattern, MatchPattern::Dictionary(found)
        if found.dictionary_name == passwords && found.matched_word == folded)
}

#[cfg(test)]
mod tests {
    use super::is_common;

    #[test]
    fn entries_of_both_lists_are_found_in_any_case() {
        for text in [
            // Of `passwords`, with its own capitals, without, and with others.
            "!QAZ1qaz",
            "password123456789",
            "PassWord123456789",
            "sharmaine005foskett6071988",
            // Of `zxcvbn` alone.
            "mailcreated5240",
            "MailCreated5240",
        ] {
            assert!(is_common(text), "{text}");
        }
    }

    #[test]
    fn what_only_holds_an_entry_is_not_on_the_list() {
        for text in [
            "",
            "correct horse battery",
            " password123456789",
            "kartoffelpuffer am abend",
            "0425detaercliam",
            &"kartoffelpuffer".repeat(3),
        ] {
            assert!(!is_common(text), "{text}");
        }
    }
}
