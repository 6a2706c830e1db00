//! How much is allowed: `100/s`, `5000/h`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// So much in so long a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Allowance {
    /// How much; at least 1.
    pub amount: u32,
    /// In which time; at least a second.
    pub window: Duration,
}

/// A text that says no allowance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a number of requests and a time such as `100/s`, `600/m`, `5000/h`, `10000/d` or `50/10s`"
)]
pub struct NotAllowance(String);

// === impl Allowance ===

impl Allowance {
    /// The longest window.
    const LONGEST: u64 = 366 * 24 * 3600;

    /// The window, in whole seconds.
    pub fn window_secs(&self) -> u64 {
        self.window.as_secs()
    }

    fn read(text: &str) -> Option<Self> {
        let (amount, window) = text.split_once('/')?;
        let amount = number(amount).filter(|amount| *amount > 0)?;
        let unit = match window.chars().last()? {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 24 * 3600,
            _ => return None,
        };
        let count = match &window[..window.len() - 1] {
            "" => 1,
            count => number(count)?,
        };
        let secs = u64::from(count).checked_mul(unit)?;
        let good = (1..=Self::LONGEST).contains(&secs);
        good.then(|| Self { amount, window: Duration::from_secs(secs) })
    }
}

/// Digits alone: `parse` would take a sign as well.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl FromStr for Allowance {
    type Err = NotAllowance;

    fn from_str(text: &str) -> Result<Self, NotAllowance> {
        Self::read(text).ok_or_else(|| NotAllowance(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.window.as_secs();
        let units = [(24 * 3600, "d"), (3600, "h"), (60, "m"), (1, "s")];
        let (unit, name) =
            units.into_iter().find(|(unit, _)| secs.is_multiple_of(*unit)).unwrap_or((1, "s"));
        match secs / unit {
            1 => write!(f, "{}/{name}", self.amount),
            count => write!(f, "{}/{count}{name}", self.amount),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Allowance;

    #[test]
    fn it_is_read_and_printed() {
        for (text, amount, secs) in [
            ("100/s", 100, 1),
            ("600/m", 600, 60),
            ("5000/h", 5000, 3600),
            ("1/d", 1, 86_400),
            ("50/10s", 50, 10),
            ("7/90m", 7, 5400),
        ] {
            let allowance: Allowance = text.parse().expect(text);
            assert_eq!(allowance, Allowance { amount, window: Duration::from_secs(secs) });
            assert_eq!(allowance.to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused_and_named() {
        let wrong = [
            "",
            "100",
            "/s",
            "0/s",
            "-1/s",
            "+1/s",
            "1.5/s",
            "100/",
            "100/0s",
            "100/x",
            "100/s/s",
            "99999999999/s",
            "1/9999d",
            "100 / s",
            "100/é",
        ];
        for text in wrong {
            let refused = text.parse::<Allowance>().expect_err(text).to_string();
            assert!(refused.starts_with(&format!("`{text}` is not")), "{refused}");
        }
    }
}
