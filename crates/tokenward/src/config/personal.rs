//! What can be configured of personal tokens and tokens of services.

use authority::personal::Policy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use token::scope::{NotScopes, ScopeSet};

use super::check::Finding;
use super::span::Span;

/// Personal tokens of people and tokens of services: made by the command line or the API, shown once.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PersonalTokens {
    /// Whether new ones are made. Those that are there stay good until they end or are revoked.
    pub(crate) enabled: bool,
    /// The longest life; every one of them has an end.
    pub(crate) max_life: Span,
    /// One that is not used for this long ends, where it does not say another time; 0s: never.
    pub(crate) idle: Span,
    /// Scopes that they may have, with all that these include, separated by spaces; empty: every scope that
    /// is configured. Built-in scopes never.
    pub(crate) scopes: String,
    /// After a rotation the old value is good for so long, where nobody says another time.
    pub(crate) overlap: Span,
}

/// What a gateway does with `Authorization: Basic`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BasicTokens {
    /// A password that is a personal token counts as that token, whatever the user name.
    #[default]
    Accept,
    /// The same, and whoever brings no token is told so: `git` sends a password only then. Browsers show a
    /// window to type one into.
    Challenge,
    /// It is no credential.
    Off,
}

// === impl PersonalTokens ===

impl PersonalTokens {
    /// The same as the authority is told it.
    ///
    /// # Errors
    /// [`NotScopes`] when `scopes` are none.
    pub(crate) fn policy(&self) -> Result<Policy, NotScopes> {
        let scopes = ScopeSet::parse(&self.scopes)?;
        let idle = self.idle.duration();
        Ok(Policy {
            enabled: self.enabled,
            max_life: self.max_life.duration(),
            idle: (!idle.is_zero()).then_some(idle),
            scopes: (!scopes.is_empty()).then_some(scopes),
            overlap: self.overlap.duration(),
        })
    }

    /// What is wrong with it.
    pub(crate) fn check(&self, found: &mut Vec<Finding>) {
        let mut wrong = |member: &str, words: &str| {
            found.push((format!("authority.personal_tokens.{member}"), words.to_owned()));
        };
        if self.max_life.duration().as_secs() < 60 {
            wrong("max_life", "must be at least 1m");
        }
        let idle = self.idle.duration();
        if !idle.is_zero() && idle < Policy::SHORTEST_IDLE {
            wrong("idle", "must be 0s or at least 10m");
        }
        if let Err(fault) = ScopeSet::parse(&self.scopes) {
            wrong("scopes", &fault.to_string());
        }
    }
}

impl Default for PersonalTokens {
    fn default() -> Self {
        Self {
            enabled: true,
            max_life: Span::days(365),
            idle: Span::seconds(0),
            scopes: String::new(),
            overlap: Span::hours(24),
        }
    }
}

impl From<BasicTokens> for gateway::Basic {
    fn from(told: BasicTokens) -> Self {
        match told {
            BasicTokens::Accept => Self::Accept,
            BasicTokens::Challenge => Self::Challenge,
            BasicTokens::Off => Self::Off,
        }
    }
}
