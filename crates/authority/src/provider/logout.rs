//! The end of a session at a provider, obeyed here (OpenID Connect Back-Channel Logout 1.0 §2.6, §2.7).

use store::{IdentityRemoval, StoreError};
use token::id::SubjectId;
use token::kind::upstream_logout::UpstreamLogoutToken;
use token::time::Timestamp;
use token::verify::{self, Policy, Refusal};

use super::exchange::ProviderFailed;
use super::{Protocol, Provider};
use crate::foreign::{self, KeySource, LEEWAY};
use crate::logout;
use crate::state::Authority;

/// A logout token is for now (§4 recommends at most two minutes).
const OLDEST: std::time::Duration = std::time::Duration::from_mins(10);

/// Why a logout token is not obeyed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogoutRefused {
    /// The provider has no ID tokens, so no logout tokens either.
    #[error("this provider has no logout tokens: it does not speak OpenID Connect")]
    NotOpenId,
    /// Its keys cannot be found.
    #[error("the provider's keys cannot be had: {0}")]
    Provider(#[from] ProviderFailed),
    /// It was used before (§2.6 step 7).
    #[error("the logout token was used before")]
    Replayed,
    /// State could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not good.
    #[error("the logout token is refused: {0}")]
    Token(#[from] Refusal),
}

/// Ends every session that stands on what the token names, their grants and tokens, and tells their
/// applications; how many there were.
///
/// # Errors
/// [`LogoutRefused`] with the first rule broken; nothing has ended then.
pub(crate) async fn obey(
    authority: &Authority,
    provider: &Provider,
    text: &str,
    now: Timestamp,
) -> Result<usize, LogoutRefused> {
    let Protocol::OpenId { issuer } = &provider.protocol else {
        return Err(LogoutRefused::NotOpenId);
    };
    let fetcher = authority.fetcher().ok_or(ProviderFailed::NoFetcher)?;
    let places = authority.provider_places().of(provider, fetcher, now).await?;
    let source = KeySource { issuer: issuer.clone(), jwks_uri: places.jwks.clone(), keys: None };
    let keys = foreign::keys(authority, &source, text).await;
    let policy =
        Policy::new(issuer.as_str(), provider.client_id.as_str()).leeway(LEEWAY).max_age(OLDEST);
    let verified = verify::verify::<UpstreamLogoutToken>(text, &keys, &policy, now)?;
    let token = &verified.claims().0;
    let until = Timestamp::from_secs(token.exp).plus(LEEWAY);
    if !authority.use_assertion([&provider.name, &token.jti], until, now) {
        return Err(LogoutRefused::Replayed);
    }
    let (subject, session) = (token.sub.as_deref(), token.sid.as_deref());
    let sessions =
        authority.store().sessions_by_provider(&provider.name, subject, session, now).await?;
    let actor = format!("provider:{}", provider.name);
    for session in &sessions {
        logout::end(authority, session, &actor, now).await?;
    }
    Ok(sessions.len())
}

// === impl Authority ===

impl Authority {
    /// Takes an account elsewhere from a person, as an administrator does, and ends the sessions that stand on
    /// it; `false` when they have none of this id.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn remove_identity(
        &self,
        subject: &SubjectId,
        id: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self.store().remove_identity(subject, id, false).await? {
            IdentityRemoval::Removed(identity) => {
                logout::end_by_identity(self, &identity, None, actor, now).await?;
                Ok(true)
            }
            IdentityRemoval::OnlyWay | IdentityRemoval::Unknown => Ok(false),
        }
    }
}
