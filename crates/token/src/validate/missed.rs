//! What a token with a good signature missed: an audience that was demanded, or its time.

use std::time::Duration;

use crate::reason::Reason;
use crate::time::Timestamp;

/// So many audiences of a token are told, and so many characters of each.
const MOST_TOLD: (usize, usize) = (8, 200);

/// What was demanded, and what the token has; for whoever runs the door, not for the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missed {
    /// It is for none of the audiences that are taken.
    Audience {
        /// Those that are.
        demanded: Vec<String>,
        /// The token's, as far as they are told.
        held: Vec<String>,
    },
    /// Its end has passed.
    End {
        /// As the token has it.
        at: Timestamp,
        /// How much later it would still have been taken.
        leeway: Duration,
    },
    /// Its beginning lies ahead.
    Start {
        /// As the token has it.
        at: Timestamp,
        /// How much earlier it would have been taken.
        leeway: Duration,
    },
}

// === impl Missed ===

impl Missed {
    /// None of `demanded` is among the token's audiences.
    pub(crate) fn audience<'a>(
        demanded: impl IntoIterator<Item = &'a String>,
        held: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let (most, longest) = MOST_TOLD;
        let told = |audience: &str| audience.chars().take(longest).collect();
        let held = held.into_iter().take(most).map(told);
        Self::Audience { demanded: demanded.into_iter().cloned().collect(), held: held.collect() }
    }

    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Audience { .. } => Reason::WrongAudience,
            Self::End { .. } => Reason::Expired,
            Self::Start { .. } => Reason::NotYetValid,
        }
    }

    /// Words for whoever made the token: they repeat nothing of it.
    pub(crate) fn detail(&self) -> &'static str {
        match self {
            Self::Audience { .. } => "the token is for another audience",
            Self::End { .. } => "the token has expired",
            Self::Start { .. } => "the token is not valid yet",
        }
    }

    /// In words, at the time of a request.
    pub fn at(&self, now: Timestamp) -> String {
        match self {
            Self::Audience { demanded, held } => {
                let held = if held.is_empty() { "nobody".to_owned() } else { held.join(", ") };
                format!("demands {}; the token is for {held}", demanded.join(", "))
            }
            Self::End { at, leeway } => {
                let (late, leeway) = (now.since(*at).as_secs(), leeway.as_secs());
                format!("the token ended {late} s before, at {at}; {leeway} s are let pass")
            }
            Self::Start { at, leeway } => {
                let (early, leeway) = (at.since(now).as_secs(), leeway.as_secs());
                format!("the token begins {early} s later, at {at}; {leeway} s are let pass")
            }
        }
    }
}
