//! How fresh a sign-in at an identity provider has to be, and whether it is (OpenID Connect Core 1.0 §3.1.2.1).

use std::time::Duration;

use token::time::Timestamp;

/// How far clocks may differ.
const LEEWAY: Duration = Duration::from_secs(30);

/// What is asked of a provider about the time of a sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fresh {
    /// How long ago it may be.
    pub max_age: Option<Duration>,
    /// Whether it has to be made anew.
    pub anew: bool,
    /// Whether a provider that cannot say when it was will not do: somebody is told the time.
    pub strictly: bool,
}

/// The provider let somebody pass whose sign-in is too old, or does not say when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the sign-in at the provider is not as fresh as it has to be, or the provider does not say when it was"
)]
pub struct NotFresh;

// === impl Fresh ===

impl Fresh {
    /// Whether anything is asked for.
    pub fn is_asked(self) -> bool {
        self.anew || self.max_age.is_some()
    }

    /// Checks what the provider says: when somebody signed in whom we sent there at `left`.
    ///
    /// # Errors
    /// [`NotFresh`] when that is too long ago, or is not said although it has to be.
    pub fn check(
        self,
        auth_time: Option<Timestamp>,
        left: Timestamp,
        now: Timestamp,
    ) -> Result<(), NotFresh> {
        let Some(auth_time) = auth_time else {
            let will_not_do = self.strictly && self.is_asked();
            return if will_not_do { Err(NotFresh) } else { Ok(()) };
        };
        // Whoever signed in since they left did so for this, however long they took.
        if !self.is_asked() || auth_time.plus(LEEWAY) >= left {
            return Ok(());
        }
        let young = self.max_age.is_some_and(|most| now.since(auth_time) <= most);
        if young && !self.anew { Ok(()) } else { Err(NotFresh) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use token::time::Timestamp;

    use super::{Fresh, NotFresh};

    /// Somebody left at 10 000 s and is back a minute later.
    fn check(fresh: Fresh, auth_time: Option<i64>) -> Result<(), NotFresh> {
        let at = Timestamp::from_secs;
        fresh.check(auth_time.map(at), at(10_000), at(10_060))
    }

    #[test]
    fn what_is_asked_is_checked() {
        let max_age = |secs| Fresh { max_age: Some(Duration::from_secs(secs)), ..Fresh::default() };
        let anew = Fresh { anew: true, ..Fresh::default() };
        assert_eq!(check(Fresh::default(), Some(0)), Ok(()));
        assert_eq!(check(max_age(300), Some(9_800)), Ok(()));
        assert_eq!(check(max_age(300), Some(9_700)), Err(NotFresh));
        assert_eq!(check(max_age(0), Some(9_950)), Err(NotFresh));
        // As the provider counts by another clock.
        assert_eq!(check(max_age(0), Some(9_980)), Ok(()));
        assert_eq!(check(anew, Some(9_950)), Err(NotFresh));
        assert_eq!(check(anew, Some(10_030)), Ok(()));
    }

    #[test]
    fn who_does_not_say_when_will_not_always_do() {
        let anew = Fresh { anew: true, ..Fresh::default() };
        assert_eq!(check(anew, None), Ok(()));
        assert_eq!(check(Fresh { strictly: true, ..anew }, None), Err(NotFresh));
        assert_eq!(check(Fresh { strictly: true, ..Fresh::default() }, None), Ok(()));
    }
}
