//! `[authority.mfa]`: who has to prove more than a password.

use authority::rule::mfa::{MfaPolicy, Require};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Finding;
use super::span::Span;

/// Beyond that, a browser that was given away opens accounts too long.
const LONGEST: Span = Span::days(90);

/// Who has to prove more than a password when they sign in: a code of an app, or a recovery code. People
/// set it up at `/account/factors`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mfa {
    /// Of whom it is demanded: `always`, of everybody; `enrolled`, of whoever has set it up; `never`, only
    /// where a client (`require_mfa`), a scope (`mfa`), a request (`acr_values`) or a person's own entry
    /// demands it.
    #[schemars(with = "String")]
    pub(crate) require: Require,
    /// Whether somebody of whom it is demanded, and who has nothing to show yet, sets it up while signing
    /// in. `false`: they are refused, and their application is told `unmet_authentication_requirements`.
    pub(crate) enrol_at_sign_in: bool,
    /// For how long people can have a browser remembered, so that it is not asked there for what is usual.
    /// What a client, a scope or a request demands is asked for all the same. 0s: not at all; at most 90d.
    pub(crate) remember: Span,
}

impl Default for Mfa {
    fn default() -> Self {
        let MfaPolicy { require, enrol_at_sign_in, .. } = MfaPolicy::USUAL;
        Self { require, enrol_at_sign_in, remember: Span::seconds(0) }
    }
}

impl Mfa {
    /// The same as the authority takes it.
    pub(crate) fn policy(&self) -> MfaPolicy {
        let Self { require, enrol_at_sign_in, remember } = *self;
        MfaPolicy { require, enrol_at_sign_in, remember: remember.duration() }
    }

    /// What is wrong with it.
    pub(super) fn check(&self, found: &mut Vec<Finding>) {
        if self.remember > LONGEST {
            found.push(("authority.mfa.remember".to_owned(), "must be at most 90d".to_owned()));
        }
    }
}
