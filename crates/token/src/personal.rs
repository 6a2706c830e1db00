//! Personal tokens and tokens of services: opaque values (`twp_…`) that stand for terms which are kept.
//!
//! They live long, so that no signature vouches for them: whoever has the record says what they are, as
//! often as it changes.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;

use crate::claims::{AccessTokenClaims, Audience};
use crate::cnf::Confirmation;
use crate::id::{ClientId, KeyId, SubjectId, TokenId};
use crate::ladder::Ladder;
use crate::opaque::{Family, NotOpaque};
use crate::place::{Place, PlaceTest};
use crate::reason::Reason;
use crate::reference::{self, Unavailable};
use crate::restriction::TokenFacts;
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use crate::validate::{AccessTokenPolicy, Claimed, Missed, TokenRefused, VerifiedAccessToken};

/// What stands in place of a signing key's name: no thumbprint is so short.
pub const KEY: &str = "personal";

/// A use is worth writing down again after this time.
const NOTED_EVERY: Duration = Duration::from_secs(60);

/// Whose a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A person's: it speaks for them.
    Person(SubjectId),
    /// A service's, which is a client: it speaks for that client.
    Service(ClientId),
}

/// What a token was made with, and was changed to since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Its name.
    pub token: TokenId,
    /// Whose it is.
    pub owner: Owner,
    /// What it allows.
    pub scopes: ScopeSet,
    /// Which resources it is for.
    pub audiences: Vec<String>,
    /// The networks that it may be used from; empty for all.
    pub networks: Vec<IpNet>,
    /// The places that it may be used from: all of these hold; empty for all.
    pub places: Vec<PlaceTest>,
    /// The key that has to be shown beside it (RFC 9449).
    pub jkt: Option<KeyId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// It ends earlier when it is not used for this long.
    pub idle: Option<Duration>,
}

/// A token of this kind as it stands now.
#[derive(Debug)]
pub struct Personal {
    /// Its terms.
    pub terms: Terms,
    /// What its owner may do at most; `None` where the owner has no bound of their own.
    pub bound: Option<ScopeSet>,
    /// Why it is not good any more, whatever its times.
    pub ended: Option<Reason>,
    /// How it is used, shared by all who hold the token.
    pub uses: Arc<Uses>,
}

/// When a token was used last, and for what.
#[derive(Debug)]
pub struct Uses {
    last: AtomicI64,
    noted: AtomicI64,
    scopes: Mutex<ScopeSet>,
}

/// One use, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Which token.
    pub token: TokenId,
    /// When.
    pub at: Timestamp,
    /// From where.
    pub ip: Option<IpAddr>,
    /// On which route.
    pub route: Option<String>,
    /// The scopes that were demanded of it so far.
    pub scopes: ScopeSet,
}

/// Where the terms behind a personal token are found, and its uses kept.
pub trait PersonalTokens: Send + Sync {
    /// What stands behind this well-formed value; `None` when there is nothing, or nothing any more.
    ///
    /// # Errors
    /// [`Unavailable`] when it cannot be said.
    fn find(&self, text: &str) -> Result<Option<Arc<Personal>>, Unavailable>;

    /// Grows whenever what [`PersonalTokens::find`] says of any token may have changed.
    fn version(&self) -> u64;

    /// Keeps a use; never waits.
    fn keep_use(&self, used: Use);
}

/// Whether a presented text is a personal token; `false` for one of any other form.
///
/// # Errors
/// [`TokenRefused`] for one that is incomplete or altered: it need not be looked up.
pub fn is_personal(text: &str) -> Result<bool, TokenRefused> {
    if !text.starts_with(Family::Personal.prefix()) {
        return Ok(false);
    }
    let detail = match Family::of(text) {
        Ok(_) => return Ok(true),
        Err(NotOpaque::Checksum) => "part of the token is missing or altered",
        Err(NotOpaque::Form | NotOpaque::Prefix) => {
            "the token does not have the form of a personal token"
        }
    };
    let (refused, claimed) = (Reason::Malformed.into(), Claimed::default());
    Err(TokenRefused { refused, detail, claimed, missed: None })
}

/// Looks a personal token up and checks it: in order, for one of the policy's audiences, in time. It has
/// no more scopes than its owner has by `ladder`. No leeway: its times are of the clock that asks.
///
/// # Errors
/// [`NotPersonal`] with the first rule broken.
pub fn verify_personal(
    text: &str,
    tokens: &dyn PersonalTokens,
    policy: &AccessTokenPolicy,
    ladder: &Ladder,
    now: Timestamp,
) -> Result<VerifiedAccessToken, NotPersonal> {
    let personal = tokens.find(text)?.ok_or_else(|| reference::unknown(text))?;
    Ok(judge(&personal, policy, ladder, now)?)
}

/// The same for a token that was looked up.
///
/// # Errors
/// [`TokenRefused`] with the first rule broken.
pub fn judge(
    personal: &Arc<Personal>,
    policy: &AccessTokenPolicy,
    ladder: &Ladder,
    now: Timestamp,
) -> Result<VerifiedAccessToken, TokenRefused> {
    let refuse = |reason: Reason, detail| TokenRefused {
        refused: reason.into(),
        detail,
        claimed: personal.claimed(),
        missed: None,
    };
    match personal.ended {
        None => {}
        Some(Reason::Disabled) => {
            return Err(refuse(Reason::Disabled, "the token's owner is disabled"));
        }
        Some(reason) => return Err(refuse(reason, "the token was revoked")),
    }
    if !policy.audiences.iter().any(|audience| personal.terms.audiences.contains(audience)) {
        let held = personal.terms.audiences.iter().map(String::as_str);
        let missed = Missed::audience(&policy.audiences, held);
        return Err(TokenRefused::missing(missed, personal.claimed()));
    }
    if personal.is_over(now) {
        let missed = Missed::End { at: personal.ends_at(), leeway: Duration::ZERO };
        return Err(TokenRefused::missing(missed, personal.claimed()));
    }
    Ok(VerifiedAccessToken::of_personal(personal, &policy.issuer, ladder))
}

/// Why a personal token is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotPersonal {
    /// It breaks a rule.
    #[error(transparent)]
    Refused(#[from] TokenRefused),
    /// It cannot be looked up.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

// === impl Owner ===

impl Owner {
    /// `person` or `service`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Service(_) => "service",
        }
    }

    /// The owner's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Person(id) => id.as_str(),
            Self::Service(id) => id.as_str(),
        }
    }

    /// The owner of this kind and name; `None` when there is no such kind.
    pub fn of(kind: &str, name: &str) -> Option<Self> {
        match kind {
            "person" => Some(Self::Person(SubjectId::from(name))),
            "service" => Some(Self::Service(ClientId::from(name))),
            _ => None,
        }
    }
}

/// `person:u1`.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.name())
    }
}

// === impl Terms ===

impl Terms {
    /// What restrictions can fit on. A person's token is a client of its own: it is held by one script, and
    /// what is done about that script is not to be done about the others of its owner.
    pub fn facts(&self) -> TokenFacts {
        let (subject, client) = match &self.owner {
            Owner::Person(id) => (id.clone(), ClientId::from(self.token.as_str())),
            Owner::Service(id) => (SubjectId::from(id.as_str()), id.clone()),
        };
        TokenFacts {
            token: self.token.clone(),
            grant: None,
            session: None,
            subject,
            client,
            key: KeyId::from(KEY),
            issued_at: self.token.issued_at().unwrap_or(self.created_at),
            foreign: None,
        }
    }
}

// === impl Personal ===

impl Personal {
    /// Whether its time has passed, or it has lain unused for too long.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.ends_at()
    }

    /// When its time has passed, or it has lain unused for too long, if it is not used before.
    pub(crate) fn ends_at(&self) -> Timestamp {
        let idle = self.terms.idle.map(|idle| self.uses.last().plus(idle));
        idle.map_or(self.terms.expires_at, |idle| idle.min(self.terms.expires_at))
    }

    /// Whether it may be used from here.
    pub fn may_come_from(&self, ip: Option<IpAddr>) -> bool {
        let networks = &self.terms.networks;
        let inside = |ip: IpAddr| networks.iter().any(|net| net.contains(&ip.to_canonical()));
        networks.is_empty() || ip.is_some_and(inside)
    }

    /// Whether it may be used from a place like this. Where nothing is known of places, all are unknown.
    pub fn may_be_at(&self, place: &Place) -> bool {
        self.terms.places.iter().all(|test| test.admits(place))
    }

    /// Notes that it was used; the use itself when it is worth keeping: the first one in a minute, or
    /// one that demanded a scope for the first time.
    pub fn used(
        &self,
        at: Timestamp,
        ip: Option<IpAddr>,
        route: Option<&str>,
        demanded: &ScopeSet,
    ) -> Option<Use> {
        let scopes = self.uses.note(at, demanded)?;
        let (token, route) = (self.terms.token.clone(), route.map(str::to_owned));
        Some(Use { token, at, ip, route, scopes })
    }

    fn claimed(&self) -> Claimed {
        let facts = self.terms.facts();
        Claimed {
            subject: Some(facts.subject.to_string()),
            client: Some(facts.client.to_string()),
            token: Some(facts.token.to_string()),
        }
    }
}

// === impl Uses ===

impl Uses {
    /// As it was when it was last written down; of a token that was never used, when it was made.
    pub fn new(last: Timestamp, scopes: ScopeSet) -> Self {
        Self {
            last: AtomicI64::new(last.as_millis()),
            noted: AtomicI64::new(i64::MIN),
            scopes: Mutex::new(scopes),
        }
    }

    /// When it was used last.
    pub fn last(&self) -> Timestamp {
        Timestamp::from_millis(self.last.load(Ordering::Acquire))
    }

    fn note(&self, at: Timestamp, demanded: &ScopeSet) -> Option<ScopeSet> {
        self.last.fetch_max(at.as_millis(), Ordering::AcqRel);
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        let due =
            Timestamp::from_millis(self.noted.load(Ordering::Acquire)).plus(NOTED_EVERY) <= at;
        if !due && scopes.contains_all(demanded) {
            return None;
        }
        self.noted.store(at.as_millis(), Ordering::Release);
        *scopes = scopes.union(demanded);
        Some(scopes.clone())
    }
}

// === impl VerifiedAccessToken ===

impl VerifiedAccessToken {
    fn of_personal(personal: &Arc<Personal>, issuer: &str, ladder: &Ladder) -> Self {
        let (terms, facts) = (&personal.terms, personal.terms.facts());
        let held = |bound: &ScopeSet, scope: &str| {
            ladder.holders(scope).any(|holder| bound.contains(holder))
        };
        let scope = match &personal.bound {
            Some(bound) => terms.scopes.only(|scope| held(bound, scope)),
            None => terms.scopes.clone(),
        };
        let claims = AccessTokenClaims {
            iss: issuer.to_owned(),
            sub: facts.subject.clone(),
            aud: Audience::from(terms.audiences.clone()),
            exp: terms.expires_at.as_secs(),
            iat: facts.issued_at.as_secs(),
            nbf: None,
            jti: terms.token.clone(),
            client_id: facts.client.clone(),
            scope,
            auth_time: None,
            acr: None,
            sid: None,
            cnf: terms.jkt.clone().map(|jkt| Box::new(Confirmation::jkt(jkt))),
            act: None,
            may_act: None,
            authorization_details: Vec::new(),
            status: None,
            grant_id: None,
        };
        // What rules ask about is what a JWT of these terms would say.
        let payload = serde_json::to_vec(&claims).unwrap_or_default();
        Self::assertion(claims, facts, Duration::ZERO, &payload).standing_for(Arc::clone(personal))
    }
}

#[cfg(test)]
mod tests;
