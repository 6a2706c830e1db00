//! A personal token as its owner and administrators see it.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;
use store::{Store, StoreError, StoredPersonal};
use token::id::{KeyId, TokenId};
use token::place::PlaceTest;
use token::reason::Reason;
use token::restriction::Effect;
use token::scope::ScopeSet;
use token::time::Timestamp;
use utoipa::ToSchema;

/// A personal token or one of a service; the token itself is shown once, when it is made.
#[derive(Serialize, ToSchema)]
pub struct PersonalView {
    /// Its name.
    #[schema(value_type = String)]
    pub jti: TokenId,
    /// Whose it is: `person` or `service`.
    pub owner_kind: &'static str,
    /// The person's or the client's id.
    pub owner: String,
    /// What it is for.
    pub name: String,
    /// Whether it can be used.
    pub state: State,
    /// What it allows, separated by spaces.
    #[schema(value_type = String)]
    pub scope: ScopeSet,
    /// What was demanded of it so far: what it can be narrowed to.
    #[schema(value_type = String)]
    pub used_scope: ScopeSet,
    /// Which resources it is for.
    pub resources: Vec<String>,
    /// The networks that it may be used from; empty for all.
    #[schema(value_type = Vec<String>)]
    pub networks: Vec<IpNet>,
    /// The places that it may be used from, such as `countries:NO,SE`: all of them hold; empty for all.
    #[schema(value_type = Vec<String>)]
    pub places: Vec<PlaceTest>,
    /// The thumbprint of the key that has to be shown beside it.
    #[schema(value_type = Option<String>)]
    pub dpop_jkt: Option<KeyId>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// It ends earlier when it is not used for so many seconds.
    pub idle: Option<u64>,
    /// When it was used last, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// From where.
    #[schema(value_type = Option<String>)]
    pub last_used_ip: Option<IpAddr>,
    /// On which route.
    pub last_used_route: Option<String>,
    /// The token that it took over from.
    #[schema(value_type = Option<String>)]
    pub rotated_from: Option<TokenId>,
    /// The token that has taken over from it.
    #[schema(value_type = Option<String>)]
    pub rotated_to: Option<TokenId>,
    /// The token, in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Whether a token can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is good.
    Active,
    /// Its owner is disabled.
    Disabled,
    /// Its time has passed.
    Expired,
    /// It was not used for too long.
    Idle,
    /// It was taken back.
    Revoked,
    /// It is refused until the restriction ends or is lifted.
    Suspended,
}

// === impl PersonalView ===

impl PersonalView {
    /// How a token looks now.
    ///
    /// # Errors
    /// [`StoreError`] when its owner cannot be read.
    pub fn of(store: &Store, stored: StoredPersonal, now: Timestamp) -> Result<Self, StoreError> {
        let state = State::of(store, &stored, now)?;
        let StoredPersonal { terms, last_use, .. } = stored;
        let (last_used_at, last) = (last_use.as_ref().map(|last| last.at), last_use);
        let (last_used_ip, last_used_route) =
            last.map_or((None, None), |last| (last.ip, last.route));
        Ok(Self {
            jti: terms.token,
            owner_kind: terms.owner.kind(),
            owner: terms.owner.name().to_owned(),
            name: stored.name,
            state,
            scope: terms.scopes,
            used_scope: stored.used_scopes,
            resources: terms.audiences,
            networks: terms.networks,
            places: terms.places,
            dpop_jkt: terms.jkt,
            created_by: stored.created_by,
            created_at: terms.created_at,
            expires_at: terms.expires_at,
            idle: terms.idle.map(|idle| idle.as_secs()),
            last_used_at,
            last_used_ip,
            last_used_route,
            rotated_from: stored.rotated_from,
            rotated_to: stored.rotated_to,
            token: None,
        })
    }
}

// === impl State ===

impl State {
    fn of(store: &Store, stored: &StoredPersonal, now: Timestamp) -> Result<Self, StoreError> {
        let standing = store.standing_of(stored.clone())?;
        let row = store.index().on_token(&standing.terms.facts(), now);
        Ok(match (standing.ended, row.map(|row| row.effect.clone())) {
            (Some(Reason::Disabled), _) => Self::Disabled,
            (Some(_), _) | (None, Some(Effect::Revoke)) => Self::Revoked,
            (None, Some(_)) => Self::Suspended,
            (None, None) if now >= standing.terms.expires_at => Self::Expired,
            (None, None) if standing.is_over(now) => Self::Idle,
            (None, None) => Self::Active,
        })
    }
}
