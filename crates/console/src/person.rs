//! What a person's account may have: names that can be seen, an address that can be written to.

use crate::problem::Problem;

const MAX_NAME_CHARS: usize = 128;
/// RFC 5321 §4.5.3.1.3, without the angle brackets.
const MAX_ADDRESS_BYTES: usize = 254;

/// Checks the name somebody signs in with: 1 to 128 visible characters, no space around them.
///
/// # Errors
/// A [`Problem`] that names the rule.
pub(crate) fn check_username(username: &str) -> Result<(), Problem> {
    if username.trim() != username {
        return Err(Problem::bad_request("`username` must not begin or end with a space"));
    }
    check_visible("username", username)
}

/// Checks the name that others see: 1 to 128 visible characters.
///
/// # Errors
/// A [`Problem`] that names the rule.
pub(crate) fn check_name(name: Option<&str>) -> Result<(), Problem> {
    name.map_or(Ok(()), |name| check_visible("name", name))
}

/// Checks the form of an address; whether it is the person's own only a message can tell.
///
/// # Errors
/// A [`Problem`] that names the rule.
pub(crate) fn check_email(email: Option<&str>) -> Result<(), Problem> {
    let Some(email) = email else { return Ok(()) };
    let parts = email.rsplit_once('@');
    let good = parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && email.len() <= MAX_ADDRESS_BYTES
        && !email.contains(|c: char| c.is_control() || c.is_whitespace());
    if good { Ok(()) } else { Err(Problem::bad_request("`email` is no mail address")) }
}

fn check_visible(member: &str, text: &str) -> Result<(), Problem> {
    let length = text.chars().count();
    if text.trim().is_empty() || length > MAX_NAME_CHARS || !authority::register::is_visible(text) {
        let words = format!("`{member}` must be 1 to {MAX_NAME_CHARS} characters that can be seen");
        return Err(Problem::bad_request(words));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{check_email, check_name, check_username};

    #[test]
    fn names_can_be_seen() {
        for name in ["alice", "Ålïcé van der Berg", "李"] {
            assert!(check_username(name).is_ok() && check_name(Some(name)).is_ok(), "{name}");
        }
        for name in ["", " ", " alice", "alice ", "a\u{7}", "a\u{202e}b", &"x".repeat(129)] {
            assert!(check_username(name).is_err(), "{name:?}");
        }
        assert!(check_name(None).is_ok());
    }

    #[test]
    fn an_address_has_two_parts() {
        for email in ["a@b", "a.b+c@example.com", "\"odd@local\"@example.com"] {
            assert!(check_email(Some(email)).is_ok(), "{email}");
        }
        for email in ["", "a", "@b", "a@", "a b@c", "a@b\n", &format!("{}@b", "x".repeat(254))] {
            assert!(check_email(Some(email)).is_err(), "{email:?}");
        }
    }
}
