//! What a person's account may have: names that can be seen, an address that can be written to.

use mail::Address;
use unicode_normalization::UnicodeNormalization as _;

use crate::register::is_visible;

const MAX_NAME_CHARS: usize = 128;

/// Which rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPerson {
    /// The address.
    #[error("`email` is no mail address")]
    Email,
    /// The name that others see.
    #[error("`name` must be 1 to {MAX_NAME_CHARS} characters that can be seen")]
    Name,
    /// Space around the user name.
    #[error("`username` must not begin or end with a space")]
    Space,
    /// The user name.
    #[error("`username` must be 1 to {MAX_NAME_CHARS} characters that can be seen")]
    Username,
}

/// A user name that somebody chooses in the form in which all compare it (NFKC): what only looks like the name of
/// another person, in wide letters for example, is that name, here and in applications that are told.
pub(crate) fn normalised(username: &str) -> String {
    username.nfkc().collect()
}

/// Checks the name somebody signs in with: 1 to 128 visible characters, no space around them.
///
/// # Errors
/// [`BadPerson`] names the rule.
pub fn check_username(username: &str) -> Result<(), BadPerson> {
    if username.trim() != username {
        return Err(BadPerson::Space);
    }
    let is_selector = |c: char| matches!(c, '\u{fe00}'..='\u{fe0f}');
    if is_good_name(username) && !username.contains(is_selector) {
        Ok(())
    } else {
        Err(BadPerson::Username)
    }
}

/// Checks the name that others see: 1 to 128 visible characters.
///
/// # Errors
/// [`BadPerson`] names the rule.
pub fn check_name(name: Option<&str>) -> Result<(), BadPerson> {
    if name.is_none_or(is_good_name) { Ok(()) } else { Err(BadPerson::Name) }
}

/// Checks the form of an address; whether it is the person's own only a letter can tell.
///
/// # Errors
/// [`BadPerson`] names the rule.
pub fn check_email(email: Option<&str>) -> Result<(), BadPerson> {
    let is_address = |email: &str| Address::parse(email).is_ok();
    if email.is_none_or(is_address) { Ok(()) } else { Err(BadPerson::Email) }
}

fn is_good_name(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_NAME_CHARS && is_visible(text)
}

#[cfg(test)]
mod tests {
    use super::{check_email, check_name, check_username, normalised};

    #[test]
    fn names_can_be_seen() {
        for name in ["alice", "Ålïcé van der Berg", "李"] {
            assert!(check_username(name).is_ok() && check_name(Some(name)).is_ok(), "{name}");
        }
        for name in ["", " ", " alice", "alice ", "a\u{7}", "a\u{202e}b", &"x".repeat(129)] {
            assert!(check_username(name).is_err(), "{name:?}");
        }
        for unseen in ['\u{ad}', '\u{200b}', '\u{3164}', '\u{fe0f}', '\u{e0041}'] {
            assert!(check_username(&format!("ali{unseen}ce")).is_err(), "{unseen:?}");
        }
        assert!(check_name(Some("Alice \u{2764}\u{fe0f}")).is_ok());
        assert_eq!(normalised("ａｌｉｃｅ"), "alice");
        assert!(check_name(None).is_ok());
    }

    #[test]
    fn an_address_has_two_parts() {
        for email in ["a@b.example", "a.b+c@example.com", "\"odd.local\"@example.com"] {
            assert!(check_email(Some(email)).is_ok(), "{email}");
        }
        for email in ["", "a", "@b", "a@", "a b@c", "a@b\n", &format!("{}@b", "x".repeat(254))] {
            assert!(check_email(Some(email)).is_err(), "{email:?}");
        }
    }
}
