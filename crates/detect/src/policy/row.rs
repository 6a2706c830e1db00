//! One row of the table of responses: which findings it is for, and what is done about them.

use std::time::Duration;

use token::allowance::Allowance;
use token::finding::{Class, Severity, Target, Whom};
use token::restriction::Effect;

use super::family::Detectors;

/// What a row of the table says.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Detectors that it is for; none: all.
    pub detectors: Vec<Detectors>,
    /// Only findings of this class.
    pub class: Option<Class>,
    /// Only findings that are at least so bad.
    pub severity: Severity,
    /// Only findings that are at least so sure, 0 to 1.
    pub confidence: f64,
    /// Only findings about one of this kind.
    pub principal: Option<Principal>,
    /// Only from this one on of what fits otherwise, about the same target; 1: from the first on.
    pub repeated: u32,
    /// Within this time.
    pub within: Duration,
    /// What is done.
    pub act: Act,
    /// How often within a time, over all.
    pub at_most: Option<Allowance>,
    /// The same for findings that come by one network, and by one client.
    pub at_most_each: Option<Allowance>,
    /// Whether it is carried out, or only told.
    pub enforced: bool,
}

/// What a row does.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Nothing.
    None,
    /// Remember.
    Tag,
    /// Restrict the first of these that the finding names; where it names none, the row is not for it.
    Restrict {
        /// What is restricted, the narrowest that stops the harm first.
        on: Vec<Target>,
        /// How.
        effect: Effect,
        /// For how long; `None`: until it is undone.
        lasts: Option<Duration>,
    },
}

/// Who a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Nobody with a verified name.
    Network,
    /// Somebody who signs in.
    Person,
    /// A client that speaks for itself.
    Service,
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRow {
    /// `confidence`.
    #[error("must be 0 to 1")]
    Confidence,
    /// A cap on what restricts nothing.
    #[error("is only for an effect that restricts: leave it out beside `none` and `tag`")]
    Idle,
    /// `effect`: a revocation that rests on a judgement.
    #[error("a revocation is final, so it needs `class = \"certain\"`; use `suspend` with `for`")]
    RevokesByJudgement,
    /// `for` beside a revocation.
    #[error("a revocation is final: leave it out, or use `suspend`")]
    RevokesForATime,
    /// `on` is empty.
    #[error(
        "must name what is restricted: `token`, `grant`, `session`, `subject`, `client`, `network`"
    )]
    RestrictsNothing,
    /// `on`: a network.
    #[error("a network takes `suspend` alone: the other effects are about tokens")]
    RestrictsNetwork,
    /// `repeated`.
    #[error("must be 1 to 100")]
    Repeated,
    /// `for` is missing or 0s.
    #[error(
        "must be more than 0s, and may only be left out with `class = \"certain\"`: what rests on a judgement ends by itself"
    )]
    Unending,
    /// `within`.
    #[error("must be 1s to 30d")]
    Within,
}

const LONGEST_MEMORY: Duration = Duration::from_secs(30 * 24 * 3600);

// === impl Principal ===

impl Principal {
    /// The kind of whom a finding concerns. A client that speaks for itself is its own subject.
    pub fn of(whom: &Whom) -> Self {
        match (&whom.subject, &whom.client) {
            (Some(subject), Some(client)) if subject.as_str() == client.as_str() => Self::Service,
            (Some(_), _) => Self::Person,
            (None, Some(_)) => Self::Service,
            (None, None) => Self::Network,
        }
    }
}

// === impl Row ===

impl Row {
    /// For these detectors, with what most rows have.
    pub fn of(detectors: &[Detectors], act: Act) -> Self {
        Self {
            detectors: detectors.to_vec(),
            class: None,
            severity: Severity::Low,
            confidence: 0.0,
            principal: None,
            repeated: 1,
            within: Duration::from_secs(24 * 3600),
            act,
            at_most: None,
            at_most_each: None,
            enforced: true,
        }
    }

    /// Whether it can be carried out as it is written.
    ///
    /// # Errors
    /// The member's name as configurations have it, and what is wrong.
    pub fn check(&self) -> Result<(), (&'static str, BadRow)> {
        if !(0.0..=1.0).contains(&self.confidence) {
            return Err(("confidence", BadRow::Confidence));
        }
        if !(1..=100).contains(&self.repeated) {
            return Err(("repeated", BadRow::Repeated));
        }
        if self.within.is_zero() || self.within > LONGEST_MEMORY {
            return Err(("within", BadRow::Within));
        }
        let Act::Restrict { on, effect, lasts } = &self.act else {
            return match (self.at_most, self.at_most_each) {
                (Some(_), _) => Err(("at_most", BadRow::Idle)),
                (None, Some(_)) => Err(("at_most_each", BadRow::Idle)),
                (None, None) => Ok(()),
            };
        };
        let certain = self.class == Some(Class::Certain);
        match (effect, lasts) {
            _ if on.is_empty() => Err(("on", BadRow::RestrictsNothing)),
            (effect, _) if *effect != Effect::Suspend && on.contains(&Target::Ip) => {
                Err(("on", BadRow::RestrictsNetwork))
            }
            (Effect::Revoke, Some(_)) => Err(("for", BadRow::RevokesForATime)),
            (Effect::Revoke, None) if !certain => Err(("effect", BadRow::RevokesByJudgement)),
            (Effect::Revoke, None) => Ok(()),
            (_, Some(lasts)) if lasts.is_zero() => Err(("for", BadRow::Unending)),
            (_, None) if !certain => Err(("for", BadRow::Unending)),
            _ => Ok(()),
        }
    }
}
