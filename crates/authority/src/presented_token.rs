//! A token that somebody shows us: what it is, whether it is good, and taking it back
//! (RFC 7009 §2.1, RFC 7662 §2.1). The token says itself of which kind it is; hints are not needed.

use std::sync::Arc;
use std::time::Duration;

use store::{NewRestriction, RefreshState, StoreError};
use token::event::Who;
use token::opaque::{Family, OpaqueHash};
use token::personal::{is_personal, judge};
use token::reason::Reason;
use token::reference;
use token::restriction::{Effect, Selector};
use token::scope::ScopeSet;
use token::time::Timestamp;
use token::validate::{AccessTokenPolicy, TokenRefused, VerifiedAccessToken, verify_access_token};

use crate::approve;
use crate::client_auth::{self, AuthenticatedClient};
use crate::issue;
use crate::register;
use crate::restrained;
use crate::state::Authority;

/// The reason that goes into the restriction log.
pub(crate) const REVOKED_BY_CLIENT: &str = "revoked by its client";

/// How long after its expiry a checker may still take a token, for clocks that differ.
pub(crate) const LEEWAY: Duration = Duration::from_secs(60);

/// What a revocation request had an effect on.
#[derive(Debug, Default)]
pub(crate) struct TakenBack {
    pub(crate) selector: Option<Selector>,
    pub(crate) who: Option<Who>,
}

/// A token that is good right now.
#[derive(Debug)]
pub(crate) enum GoodToken {
    Access(Arc<VerifiedAccessToken>),
    Refresh(Box<RefreshState>),
}

/// Why a presented access token is not believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotVerified {
    /// It breaks a rule.
    #[error(transparent)]
    Refused(TokenRefused),
    /// What it stands for could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes a token back when it belongs to this client; otherwise nothing happens.
///
/// # Errors
/// [`StoreError`] when the restriction could not be written.
pub(crate) async fn take_back(
    authority: &Authority,
    client: &AuthenticatedClient,
    text: &str,
    now: Timestamp,
) -> Result<TakenBack, StoreError> {
    let store = authority.store();
    let actor = format!("client:{}", client.id());
    if Family::of(text) == Ok(Family::Refresh) {
        let state = store.refresh(&authority.refresh_mint().read(text)).await?;
        let Some(state) = state.filter(|state| state.grant.client == *client.id()) else {
            return Ok(TakenBack::default());
        };
        let grant = state.grant;
        store.end_grant(&grant.id, REVOKED_BY_CLIENT, &actor, now).await?;
        let who = Who {
            subject: Some(grant.subject),
            client: Some(grant.client),
            grant: Some(grant.id.clone()),
            session: grant.session,
            ..Who::default()
        };
        return Ok(TakenBack { selector: Some(Selector::Grant(grant.id)), who: Some(who) });
    }
    let Some(token) = ours(authority, text, now)? else { return Ok(TakenBack::default()) };
    if token.personal().is_some() {
        return take_back_personal(authority, client, &token, now).await;
    }
    if token.facts().client != *client.id() {
        return Ok(TakenBack::default());
    }
    // Whatever became of its record: whoever looks at its place in a status list has to see this.
    if let Some(record) = issue::listed_again(authority, &token) {
        store.record_token(record);
    }
    let selector = Selector::Token(token.facts().token.clone());
    let restriction = NewRestriction {
        selector: selector.clone(),
        effect: Effect::Revoke,
        from: now,
        until: Some(token.expires_at().plus(LEEWAY)),
        reason: REVOKED_BY_CLIENT.to_owned(),
        actor,
    };
    store.restrict_once(restriction, now).await?;
    Ok(TakenBack { selector: Some(selector), who: Some(Who::verified(token.facts())) })
}

/// Whoever holds a personal token can end it: it was issued to nobody but its owner, and who shows it could
/// do more harm with it than this (RFC 7009 §2.1 asks whose it is so that nobody ends another's by its name).
async fn take_back_personal(
    authority: &Authority,
    client: &AuthenticatedClient,
    token: &VerifiedAccessToken,
    now: Timestamp,
) -> Result<TakenBack, StoreError> {
    if register::is_anybody(client.client()) {
        return Ok(TakenBack::default());
    }
    let (facts, actor) = (token.facts(), format!("client:{}", client.id()));
    authority.store().revoke_personal(&facts.token, REVOKED_BY_CLIENT, &actor, now).await?;
    let selector = Some(Selector::Token(facts.token.clone()));
    Ok(TakenBack { selector, who: Some(Who::verified(facts)) })
}

/// The token, if it can be used right now: not expired, revoked, suspended or bait, and neither
/// its client nor its person disabled. A refresh token is shown to its own client only, and whoever
/// registered with nothing to show is shown no other client's token at all (RFC 7662 §4).
///
/// # Errors
/// [`StoreError`] when state cannot be read.
pub(crate) async fn good(
    authority: &Authority,
    asking: &AuthenticatedClient,
    text: &str,
    now: Timestamp,
) -> Result<Option<GoodToken>, StoreError> {
    if Family::of(text) == Ok(Family::Refresh) {
        let state = authority.store().refresh(&authority.refresh_mint().read(text)).await?;
        let Some(state) = state.filter(|state| state.grant.client == *asking.id()) else {
            return Ok(None);
        };
        let live = is_live(authority, &state, now).await?;
        return Ok(live.then(|| GoodToken::Refresh(Box::new(state))));
    }
    let Some(token) = ours(authority, text, now)? else { return Ok(None) };
    if register::is_anybody(asking.client()) && token.facts().client != *asking.id() {
        return Ok(None);
    }
    match objection(authority, &token, now).await? {
        None => Ok(Some(GoodToken::Access(token))),
        Some(_) => Ok(None),
    }
}

/// An access token of ours, whichever resource it is for; `None` for any other text.
///
/// # Errors
/// [`StoreError`] when state cannot be read.
pub(crate) fn ours(
    authority: &Authority,
    text: &str,
    now: Timestamp,
) -> Result<Option<Arc<VerifiedAccessToken>>, StoreError> {
    match verify(authority, text, authority.settings().audiences(), now) {
        Ok(token) => Ok(Some(token)),
        Err(NotVerified::Refused(_)) => Ok(None),
        Err(NotVerified::Store(error)) => Err(error),
    }
}

/// Checks an access token of ours for one of these audiences, or remembers that it was checked: the
/// text itself, or the JWT that an opaque one stands for.
///
/// # Errors
/// [`NotVerified`] with the first rule that it breaks.
pub(crate) fn verify(
    authority: &Authority,
    text: &str,
    audiences: Vec<String>,
    now: Timestamp,
) -> Result<Arc<VerifiedAccessToken>, NotVerified> {
    if is_personal(text).map_err(NotVerified::Refused)? {
        return verify_personal(authority, text, audiences, now);
    }
    let (keyring, verified) = (authority.keys().keyring(), authority.verified());
    let hash = OpaqueHash::of(text);
    // Read before the keys: what is stored under an older version is only asked again.
    let version = keyring.version();
    if let Some(token) = verified.find(&hash, version, &audiences, now) {
        return Ok(token);
    }
    let kept = if reference::is_reference(text).map_err(NotVerified::Refused)? {
        let kept = authority.store().reference(text)?;
        Some(kept.ok_or_else(|| NotVerified::Refused(reference::unknown(text)))?)
    } else {
        None
    };
    let text = kept.as_ref().map_or(text, |jwt| jwt.expose());
    let issuer = authority.settings().issuer.clone();
    // No leeway: our own tokens by our own clock.
    let policy = AccessTokenPolicy { issuer, audiences, leeway: Duration::ZERO };
    let token = verify_access_token(text, &keyring.current(), &policy, now);
    let token = Arc::new(token.map_err(NotVerified::Refused)?);
    verified.remember(hash, version, &token);
    Ok(token)
}

/// Nothing of a personal token is remembered here: its record is read every time.
fn verify_personal(
    authority: &Authority,
    text: &str,
    audiences: Vec<String>,
    now: Timestamp,
) -> Result<Arc<VerifiedAccessToken>, NotVerified> {
    let (store, settings) = (authority.store(), authority.settings());
    let stored = store.personal_by_hash(&OpaqueHash::of(text))?;
    let stored = stored.ok_or_else(|| NotVerified::Refused(reference::unknown(text)))?;
    let personal = Arc::new(store.standing_of(stored)?);
    let issuer = settings.issuer.clone();
    let policy = AccessTokenPolicy { issuer, audiences, leeway: Duration::ZERO };
    let token = judge(&personal, &policy, &settings.ladder, now).map_err(NotVerified::Refused)?;
    Ok(Arc::new(token))
}

/// Why a token that verifies cannot be used all the same: bait, taken back, not what a restriction demands, or its
/// client or person disabled.
///
/// # Errors
/// [`StoreError`] when state cannot be read.
pub(crate) async fn objection(
    authority: &Authority,
    token: &VerifiedAccessToken,
    now: Timestamp,
) -> Result<Option<Reason>, StoreError> {
    let (store, facts) = (authority.store(), token.facts());
    if store.honeytokens().contains(&facts.token) {
        return Ok(Some(Reason::Honeytoken));
    }
    if let Some(restriction) = store.index().on_token(facts, now) {
        return Ok(Some(match restriction.effect {
            Effect::Revoke => Reason::Revoked,
            _ => Reason::Blocked,
        }));
    }
    if let Some(reason) = restrained::demanded(authority, token, now) {
        return Ok(Some(reason));
    }
    // A token without a grant speaks for its client, or was made by an administrator.
    if facts.grant.is_some() && approve::active_person(store, &facts.subject, now).await?.is_none()
    {
        return Ok(Some(Reason::Disabled));
    }
    let client = store.client(&facts.client).await?;
    let disabled = client.is_some_and(|client| client.disabled);
    let disabled = disabled || client_auth::is_suspended(store, &facts.client, now);
    Ok(disabled.then_some(Reason::Disabled))
}

/// The scopes of a token that count still: a part of them may have been taken back.
pub(crate) fn scopes_left(
    authority: &Authority,
    token: &VerifiedAccessToken,
    now: Timestamp,
) -> ScopeSet {
    let dropped = authority.store().index().dropped_scopes(token.facts(), now);
    token.scopes().difference(&dropped)
}

async fn is_live(
    authority: &Authority,
    state: &RefreshState,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (store, grant) = (authority.store(), &state.grant);
    let over = state.ended
        || state.rotated_at.is_some()
        || now >= state.expires_at
        || now >= grant.expires_at
        || approve::is_taken_back(store, grant, now);
    Ok(!over && approve::active_person(store, &grant.subject, now).await?.is_some())
}
