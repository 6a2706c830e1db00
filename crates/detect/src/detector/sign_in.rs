//! Abuse of sign-in, of grants, and of where tokens are used: one file for each detector.

use crate::detector::Detector;

mod assertion_replay;
mod code_replay;
mod disabled_account_token;
mod dpop_replay;
mod leak_report;
mod revoked_token_hammering;
mod source;

/// The kinds of sighting that the policy tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// A client's own assertions come twice, again and again.
    AssertionRepeated,
    /// A client's assertion came a second time from elsewhere.
    AssertionReplay,
    /// A code came a second time.
    CodeReplay,
    /// A token of a disabled person or client is in use.
    DisabledAccountToken,
    /// A bound token without its key, from elsewhere.
    DpopReplay,
    /// A bound token without its key, perhaps by its owner.
    DpopTrouble,
    /// A client's secret is public.
    LeakedClient,
    /// A refresh token is public.
    LeakedGrant,
    /// A token is public.
    LeakedToken,
    /// A dead token is sent again and again.
    RevokedTokenHammering,
}

// === impl SignIn ===

impl SignIn {
    /// The detector's name in findings.
    pub const fn detector(self) -> &'static str {
        match self {
            Self::AssertionRepeated | Self::AssertionReplay => "assertion_replay",
            Self::CodeReplay => "code_replay",
            Self::DisabledAccountToken => "disabled_account_token",
            Self::DpopReplay | Self::DpopTrouble => "dpop_replay",
            Self::LeakedClient | Self::LeakedGrant | Self::LeakedToken => "leak_report",
            Self::RevokedTokenHammering => "revoked_token_hammering",
        }
    }
}

/// Every detector of this part, in the order in which they look.
pub(super) fn all() -> Vec<Box<dyn Detector>> {
    vec![
        Box::new(code_replay::CodeReplay),
        Box::new(dpop_replay::DpopReplay::default()),
        Box::new(assertion_replay::AssertionReplay::default()),
        Box::new(revoked_token_hammering::RevokedTokenHammering::default()),
        Box::new(disabled_account_token::DisabledAccountToken::default()),
        Box::new(leak_report::LeakReport),
    ]
}
