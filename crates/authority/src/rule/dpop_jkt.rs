//! Binding a code to a key (RFC 9449 §10).

use token::base64url;
use token::id::KeyId;

/// The parameter is no thumbprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`dpop_jkt` must be the SHA-256 thumbprint of a key, 43 characters of base64url (RFC 7638)"
)]
pub struct NotAThumbprint;

/// Checks `dpop_jkt`.
///
/// # Errors
/// [`NotAThumbprint`] when it is none.
pub fn check(text: &str) -> Result<KeyId, NotAThumbprint> {
    match base64url::decode(text) {
        Some(bytes) if bytes.len() == 32 => Ok(text.into()),
        _ => Err(NotAThumbprint),
    }
}

#[cfg(test)]
mod tests {
    use super::{NotAThumbprint, check};

    #[test]
    fn thirty_two_bytes_and_nothing_else() {
        let good = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        assert_eq!(check(good), Ok(good.into()));
        for text in ["", "x", &good[1..], &format!("{good}="), &format!("{good}AA")] {
            assert_eq!(check(text), Err(NotAThumbprint), "{text}");
        }
    }
}
