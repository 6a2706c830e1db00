//! Personal tokens and tokens of services: who may have which, and for how long.

mod view;

use std::net::IpAddr;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use store::{Rotated, StoreError, StoredPersonal, Succession};
use token::base64url;
use token::id::{KeyId, TokenId};
use token::opaque::Family;
use token::personal::{Owner, Terms};
use token::place::PlaceTest;
use token::scope::ScopeSet;
use token::secret::Secret;
use token::term::GrantType;
use token::time::Timestamp;

use crate::register;
use crate::state::Authority;

pub use view::{PersonalView, State};

pub(crate) const MAX_NAME_CHARS: usize = 100;
pub(crate) const MAX_NETWORKS: usize = 32;
/// As many as there are ways to say it.
const MAX_PLACES: usize = 4;
const SHORTEST_LIFE: Duration = Duration::from_secs(60);
/// Uses are written down once a minute: with less than some of these a token could end while it is used.
const SHORTEST_IDLE: Duration = Duration::from_secs(600);
/// SHA-256.
const THUMBPRINT_BYTES: usize = 32;
/// So many that are in force one owner may have.
pub(crate) const MOST: usize = 500;

/// What such tokens may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether new ones are made; those that are there stay good.
    pub enabled: bool,
    /// The longest life.
    pub max_life: Duration,
    /// Where nobody says otherwise, one that is not used for this long ends; `None` for never.
    pub idle: Option<Duration>,
    /// The scopes that they may have; `None` for all that are configured. Built-in ones never.
    pub scopes: Option<ScopeSet>,
    /// Where nobody says otherwise, the old value is good for so long after a rotation.
    pub overlap: Duration,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whose it is to be.
    pub owner: Owner,
    /// What it is for.
    pub name: String,
    /// What it is to allow.
    pub scopes: ScopeSet,
    /// Which resources it is to be for; empty for the usual one.
    pub resources: Vec<String>,
    /// How long it is to live.
    pub life: Duration,
    /// It ends earlier when it is not used for this long; as the policy says when it is `None`.
    pub idle: Option<Duration>,
    /// Networks that it may be used from; empty for all.
    pub networks: Vec<IpNet>,
    /// Places that it may be used from, all of which hold; empty for all.
    pub places: Vec<PlaceTest>,
    /// The thumbprint of the key that has to be shown beside it.
    pub jkt: Option<KeyId>,
    /// Who makes it.
    pub by: String,
}

/// A token to be replaced by a new one.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// How long the new one is to live; as long as the old one was to, when it is `None`.
    pub life: Option<Duration>,
    /// How long the old one stays good; as the policy says when it is `None`.
    pub overlap: Option<Duration>,
    /// Who does it.
    pub by: String,
}

/// A token that was made; its text is shown once.
#[derive(Debug)]
pub struct Made {
    /// The token.
    pub token: Secret,
    /// What is kept of it.
    pub stored: StoredPersonal,
}

/// Why a token is not made, or not changed so.
#[derive(Debug, thiserror::Error)]
pub enum OrderRefused {
    /// None are made.
    #[error("personal tokens are switched off here (`authority.personal_tokens.enabled`)")]
    Closed,
    /// It is over, or was rotated before.
    #[error("the token has ended, was taken back or was rotated before; make a new one")]
    Ended,
    /// It would end before its use is noted.
    #[error("the idle time must be at least 10 minutes")]
    Idle,
    /// It would live too long, or not at all.
    #[error("the life must be at least a minute and at most {} days", .0.as_secs() / 86400)]
    Life(Duration),
    /// There are very many already.
    #[error("the owner has {MOST} tokens; revoke one before another is made")]
    Many,
    /// The name cannot be read.
    #[error("the name must be 1 to {MAX_NAME_CHARS} characters that can be seen")]
    Name,
    /// More networks than are asked for every request.
    #[error("at most {MAX_NETWORKS} networks can be named")]
    Networks,
    /// More places than are asked for every request.
    #[error("at most {MAX_PLACES} lists of places can be named")]
    Places,
    /// It would allow nothing.
    #[error("at least one scope is needed")]
    NoScope,
    /// It is not there, or turned away.
    #[error("there is no such owner, or they are disabled")]
    Owner,
    /// A client without credentials of its own is no service.
    #[error("the client is no service: it needs the grant type `client_credentials`")]
    NoService,
    /// The successor would be free of it.
    #[error(
        "the token is restricted: lift the restriction, or revoke the token and make a new one"
    )]
    Restrained,
    /// Nothing is known under this identifier.
    #[error("`{0}` is no resource here")]
    Resource(String),
    /// Not for such tokens.
    #[error("a personal token cannot have the scope `{0}`")]
    Scope(String),
    /// More than the owner, or the token, has.
    #[error("the scope `{0}` is more than there is to give")]
    ScopeExceeded(String),
    /// The scope would say nothing at any of the resources.
    #[error("the scope `{0}` does not belong to any of the token's resources")]
    ScopeElsewhere(String),
    /// State cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not the hash of a key.
    #[error("the thumbprint must be a SHA-256 in base64url (RFC 7638)")]
    Thumbprint,
    /// Nothing of this name.
    #[error("there is no such token")]
    Unknown,
    /// There is nothing to narrow it to.
    #[error("the token was not used for any scope yet; name the scopes that it is to keep")]
    Unused,
}

impl Authority {
    /// Makes a token. It is on disk when this returns.
    ///
    /// # Errors
    /// [`OrderRefused`] with the first rule broken.
    pub async fn make_personal(&self, order: Order, now: Timestamp) -> Result<Made, OrderRefused> {
        let policy = &self.settings().personal_tokens;
        if !policy.enabled {
            return Err(OrderRefused::Closed);
        }
        check_form(&order, policy)?;
        self.check_scopes(&order.scopes)?;
        self.check_owner(&order.owner, &order.scopes).await?;
        let audiences = self.audiences_for(&order)?;
        let held = self.store().personal_tokens(Some(&order.owner), None, 1000).await?;
        let counts = |one: &&StoredPersonal| one.revoked_at.is_none() && one.terms.expires_at > now;
        if held.iter().filter(counts).count() >= MOST {
            return Err(OrderRefused::Many);
        }
        let stored = StoredPersonal {
            terms: Terms {
                token: TokenId::generate(now, self.random()),
                owner: order.owner,
                scopes: order.scopes,
                audiences,
                networks: order.networks.iter().map(IpNet::trunc).collect(),
                places: order.places,
                jkt: order.jkt,
                created_at: now,
                expires_at: now.plus(order.life),
                idle: order.idle.or(policy.idle),
            },
            name: order.name,
            created_by: order.by,
            last_use: None,
            used_scopes: ScopeSet::default(),
            rotated_from: None,
            rotated_to: None,
            revoked_at: None,
        };
        let token = Family::Personal.generate(self.random());
        self.store().create_personal(&token, &stored).await?;
        Ok(Made { token, stored })
    }

    /// Replaces a token by one with the same terms; both are good for a while.
    ///
    /// # Errors
    /// [`OrderRefused`] with the first rule broken.
    pub async fn rotate_personal(
        &self,
        old: &StoredPersonal,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Made, OrderRefused> {
        let policy = &self.settings().personal_tokens;
        if !policy.enabled {
            return Err(OrderRefused::Closed);
        }
        let usual = old.terms.expires_at.since(old.terms.created_at).min(policy.max_life);
        let life = rotation.life.unwrap_or(usual);
        check_life(life, policy)?;
        // What the owner has lost since, no successor gets.
        self.check_owner(&old.terms.owner, &old.terms.scopes).await?;
        let token = Family::Personal.generate(self.random());
        let succession = Succession {
            token: TokenId::generate(now, self.random()),
            expires_at: now.plus(life),
            old_until: now.plus(rotation.overlap.unwrap_or(policy.overlap)),
            created_by: rotation.by,
        };
        let name = &old.terms.token;
        match self.store().rotate_personal(name, &token, succession, now).await? {
            Rotated::By(stored) => Ok(Made { token, stored: *stored }),
            Rotated::NotInForce => Err(OrderRefused::Ended),
            Rotated::Restrained => Err(OrderRefused::Restrained),
            Rotated::Unknown => Err(OrderRefused::Unknown),
        }
    }

    /// Takes scopes from a token: it keeps `wanted`, or what was demanded of it so far.
    ///
    /// # Errors
    /// [`OrderRefused`] when there is nothing to keep, or when that would be more than it has.
    pub async fn narrow_personal(
        &self,
        old: StoredPersonal,
        wanted: Option<ScopeSet>,
    ) -> Result<StoredPersonal, OrderRefused> {
        let held = self.settings().ladder.reach(&old.terms.scopes);
        let scopes = match wanted {
            Some(wanted) if wanted.is_empty() => return Err(OrderRefused::NoScope),
            Some(wanted) => wanted,
            None => old.used_scopes.intersection(&held),
        };
        if scopes.is_empty() {
            return Err(OrderRefused::Unused);
        }
        if let Some(more) = scopes.difference(&held).iter().next() {
            return Err(OrderRefused::ScopeExceeded(more.to_owned()));
        }
        if !self.store().narrow_personal(&old.terms.token, &scopes).await? {
            return Err(OrderRefused::Unknown);
        }
        Ok(StoredPersonal { terms: Terms { scopes, ..old.terms }, ..old })
    }

    /// The scopes that such a token may have.
    pub fn personal_scopes(&self) -> ScopeSet {
        let settings = self.settings();
        let names: Vec<&str> = settings.scopes.iter().map(|scope| scope.name.as_str()).collect();
        let all = ScopeSet::parse(&names.join(" ")).unwrap_or_default();
        match &settings.personal_tokens.scopes {
            Some(allowed) => all.intersection(&settings.ladder.reach(allowed)),
            None => all,
        }
    }

    fn check_scopes(&self, scopes: &ScopeSet) -> Result<(), OrderRefused> {
        match scopes.difference(&self.personal_scopes()).iter().next() {
            Some(scope) => Err(OrderRefused::Scope(scope.to_owned())),
            None => Ok(()),
        }
    }

    async fn check_owner(&self, owner: &Owner, scopes: &ScopeSet) -> Result<(), OrderRefused> {
        match owner {
            Owner::Person(id) => {
                let person = self.store().user(id).await?;
                let active = person.is_some_and(|person| !person.disabled);
                if active { Ok(()) } else { Err(OrderRefused::Owner) }
            }
            Owner::Service(id) => {
                let client = self.store().client(id).await?.filter(|client| !client.disabled);
                let client = client.ok_or(OrderRefused::Owner)?;
                if !client.grant_types.contains(&GrantType::ClientCredentials) {
                    return Err(OrderRefused::NoService);
                }
                let held = self.settings().ladder.reach(&client.scopes);
                match scopes.difference(&held).iter().next() {
                    Some(more) => Err(OrderRefused::ScopeExceeded(more.to_owned())),
                    None => Ok(()),
                }
            }
        }
    }

    fn audiences_for(&self, order: &Order) -> Result<Vec<String>, OrderRefused> {
        let settings = self.settings();
        let known = settings.resource_identifiers();
        let mut audiences = order.resources.clone();
        if audiences.is_empty() {
            audiences.extend(known.first().cloned());
        }
        if let Some(unknown) = audiences.iter().find(|one| !known.contains(one)) {
            return Err(OrderRefused::Resource(unknown.clone()));
        }
        let elsewhere = |scope: &&str| {
            let own = settings.resources_of(scope);
            !own.is_empty() && !own.iter().any(|resource| audiences.contains(resource))
        };
        match order.scopes.iter().find(elsewhere) {
            Some(scope) => Err(OrderRefused::ScopeElsewhere(scope.to_owned())),
            None => Ok(audiences),
        }
    }
}

/// A network as somebody writes it, or an address as a network of its own. What is written as IPv4 within IPv6 is
/// IPv4, as which addresses are compared.
pub fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let network = text.parse().ok().or_else(address)?;
    let IpNet::V6(wide) = network else { return Some(network) };
    let Some(address) = wide.network().to_ipv4_mapped() else { return Some(network) };
    let bits = wide.prefix_len().checked_sub(96)?;
    Ipv4Net::new(address, bits).ok().map(IpNet::V4)
}

fn check_form(order: &Order, policy: &Policy) -> Result<(), OrderRefused> {
    check_life(order.life, policy)?;
    let length = order.name.chars().count();
    let visible = !order.name.trim().is_empty() && register::is_visible(&order.name);
    if length > MAX_NAME_CHARS || !visible {
        return Err(OrderRefused::Name);
    }
    if order.scopes.is_empty() {
        return Err(OrderRefused::NoScope);
    }
    if order.networks.len() > MAX_NETWORKS {
        return Err(OrderRefused::Networks);
    }
    if order.places.len() > MAX_PLACES {
        return Err(OrderRefused::Places);
    }
    if order.idle.is_some_and(|idle| idle < SHORTEST_IDLE) {
        return Err(OrderRefused::Idle);
    }
    let hash = |jkt: &KeyId| base64url::decode(jkt.as_str()).map(|bytes| bytes.len());
    match &order.jkt {
        Some(jkt) if hash(jkt) != Some(THUMBPRINT_BYTES) => Err(OrderRefused::Thumbprint),
        _ => Ok(()),
    }
}

fn check_life(life: Duration, policy: &Policy) -> Result<(), OrderRefused> {
    let good = (SHORTEST_LIFE..=policy.max_life).contains(&life);
    if good { Ok(()) } else { Err(OrderRefused::Life(policy.max_life)) }
}

// === impl Policy ===

impl Policy {
    /// The shortest idle time that can be kept.
    pub const SHORTEST_IDLE: Duration = SHORTEST_IDLE;
}

impl Default for Policy {
    fn default() -> Self {
        let day = Duration::from_secs(24 * 3600);
        Self { enabled: true, max_life: 365 * day, idle: None, scopes: None, overlap: day }
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn networks_are_read_as_people_write_them() {
        for (text, expected) in [
            ("192.0.2.7", Some("192.0.2.7/32")),
            ("192.0.2.0/24", Some("192.0.2.0/24")),
            ("2001:db8::/32", Some("2001:db8::/32")),
            ("::1", Some("::1/128")),
            ("::ffff:192.0.2.7", Some("192.0.2.7/32")),
            ("::ffff:192.0.2.0/120", Some("192.0.2.0/24")),
            ("::/0", Some("::/0")),
            ("", None),
            ("192.0.2", None),
            ("192.0.2.0/33", None),
            ("host.example", None),
        ] {
            let read = network(text).map(|network| network.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }
}
