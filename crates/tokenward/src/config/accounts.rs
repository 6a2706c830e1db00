//! `[authority.sign_up]` and `[authority.passwords]`: how accounts come to be, and what new passwords are.

use std::path::PathBuf;

use authority::login::password::policy::Rules;
use authority::rule::mfa::Require;
use authority::sign_up::{Mode, SignUp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Finding;
use super::{Mfa, mail};

/// NIST SP 800-63B-4 §3.1.1.2 wants at least 64 to be taken.
const GREATEST_MIN: usize = 64;

/// Who may make an account without an administrator. It needs `[mail]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignUpPart {
    /// `off`, nobody; `invitation`, whoever an administrator invites (`tokenward user invite`); `open`, also
    /// whoever asks at `/sign-up` and opens the link in the letter.
    #[schemars(with = "String")]
    pub(crate) mode: Mode,
    /// Domains that addresses have to be of at `/sign-up`, such as `example.com`; empty: any. Invitations go
    /// to any address.
    pub(crate) email_domains: Vec<String>,
}

/// What new passwords have to be. There are no rules about which characters they have, they never expire, and
/// what is predictable is refused (NIST SP 800-63B-4).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Passwords {
    /// The shortest, in characters: 15 where somebody may sign in with a password alone, down to 8 where
    /// `authority.mfa.require` is `always`.
    pub(crate) min_length: usize,
    /// File with passwords that were stolen elsewhere: SHA-1 hashes in order, as Pwned Passwords gives them
    /// out (searched on disk, however large), or passwords, one a line (at most 64 MiB). Read at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) breached_list: Option<PathBuf>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { min_length: Rules::USUAL_MIN_CHARS, breached_list: None }
    }
}

impl Passwords {
    /// What is wrong with it.
    pub(super) fn check(&self, mfa: &Mfa, found: &mut Vec<Finding>) {
        let least = match mfa.require {
            Require::Always => Rules::LEAST_MIN_CHARS,
            Require::Enrolled | Require::Never => Rules::USUAL_MIN_CHARS,
        };
        if !(least..=GREATEST_MIN).contains(&self.min_length) {
            let words = format!(
                "must be from {least} to {GREATEST_MIN}; from 8 where `authority.mfa.require` is `always`"
            );
            found.push(("authority.passwords.min_length".to_owned(), words));
        }
    }
}

impl SignUpPart {
    /// The same as the authority takes it.
    pub(crate) fn settings(&self) -> SignUp {
        let email_domains = self.email_domains.iter().map(|domain| ::mail::domain(domain));
        SignUp { mode: self.mode, email_domains: email_domains.collect() }
    }

    /// What is wrong with it.
    pub(super) fn check(&self, mail: &mail::Mail, found: &mut Vec<Finding>) {
        let mut wrong = |member: &str, words: &str| {
            found.push((format!("authority.sign_up.{member}"), words.to_owned()));
        };
        if self.mode != Mode::Off && mail.mode == mail::Mode::Off {
            wrong("mode", "needs letters: set `mail.mode`");
        }
        let odd = |domain: &String| domain.is_empty() || domain.contains(['@', ' ', '*']);
        if self.email_domains.iter().any(odd) {
            wrong("email_domains", "must be domains such as `example.com`");
        }
    }
}
