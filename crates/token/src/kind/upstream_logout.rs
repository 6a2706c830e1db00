//! A logout token of another provider, which need not say its type (OpenID Connect Back-Channel Logout 1.0 §2.4).

use serde::Deserialize;

use super::{Kind, LogoutToken};
use crate::json::Names;
use crate::term::token_type;
use crate::verify::{Common, Policy, Refusal};

/// A logout token of a provider that we are a client of. Our own always say what they are; §2.4 only recommends
/// it, and providers of before that write `JWT` or nothing. The event inside tells it from every other kind.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct UpstreamLogoutToken(pub LogoutToken);

// === impl UpstreamLogoutToken ===

impl Kind for UpstreamLogoutToken {
    const TYPES: &'static [&'static str] = &[token_type::LOGOUT_TOKEN, "JWT"];
    const UNTYPED: bool = true;
    const REQUIRED: &'static [&'static str] = LogoutToken::REQUIRED;

    fn common(&self) -> Common<'_> {
        self.0.common()
    }

    fn check(&self, policy: &Policy, names: &Names<'_>) -> Result<(), Refusal> {
        self.0.check(policy, names)
    }
}
