//! `max_age`: how long ago the sign-in may be (OpenID Connect Core 1.0 §3.1.2.1).

use std::time::Duration;

use token::time::Timestamp;

/// Not a whole number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`max_age` must be a whole number of seconds, 0 or more")]
pub struct NotAnAge;

/// The longest time since the sign-in that the client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxAge(Duration);

// === impl MaxAge ===

impl MaxAge {
    /// Reads the parameter's value.
    ///
    /// # Errors
    /// [`NotAnAge`] for a sign, a fraction, or any other text.
    pub fn parse(value: &str) -> Result<Self, NotAnAge> {
        let is_number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        if !is_number || value.len() > 19 {
            return Err(NotAnAge);
        }
        value.parse().map(Duration::from_secs).map(Self).map_err(|_| NotAnAge)
    }

    /// So many seconds.
    pub fn of(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The time itself.
    pub fn duration(self) -> Duration {
        self.0
    }

    /// Whether somebody who signed in at `auth_time` has to do so again. Zero asks for it always,
    /// as `prompt=login` does.
    pub fn is_over(self, auth_time: Timestamp, now: Timestamp) -> bool {
        self.0.is_zero() || now.since(auth_time) > self.0
    }
}

#[cfg(test)]
mod tests {
    use token::time::Timestamp;

    use super::{MaxAge, NotAnAge};

    #[test]
    fn reads_whole_seconds() {
        for text in ["", "-1", "+1", "1.5", "1e3", " 1", "x", "99999999999999999999"] {
            assert_eq!(MaxAge::parse(text), Err(NotAnAge), "{text}");
        }
        assert!(MaxAge::parse("9999999999999999999").is_ok());
    }

    #[test]
    fn a_sign_in_grows_old() {
        let over = |max_age, seconds: i64| {
            let max_age = MaxAge::parse(max_age).expect("age");
            max_age.is_over(Timestamp::from_secs(1000), Timestamp::from_secs(1000 + seconds))
        };
        assert!(!over("60", 0));
        assert!(!over("60", 60));
        assert!(over("60", 61));
        assert!(over("0", 0));
        assert!(!over("9999999999999999999", 1_000_000_000));
    }
}
