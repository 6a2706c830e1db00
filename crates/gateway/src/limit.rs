//! Step 6, within limits: rates, quotas and how many requests at a time, by token, client, person,
//! network, route and their combinations.
//!
//! What a refused request had taken is given back. Answers say what is left by the fields of
//! draft-ietf-httpapi-ratelimit-headers-10.

mod count;
pub mod counters;
mod fields;
mod in_flight;

use std::hash::{BuildHasher as _, DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use token::allowance::Allowance;
use token::scope::ScopeSet;
use token::time::Timestamp;

pub(crate) use crate::limit::count::Count;
use crate::limit::counters::{Key, Measure, Taken};
pub(crate) use crate::limit::fields::{Told, seconds};
pub(crate) use crate::limit::in_flight::InFlight;
use crate::permit::Permitted;
use crate::refusal::{Fault, Refusal};
use crate::route::Rule;
use crate::settings::SettingsError;
use crate::verify::Known;

/// A limit, as it is configured.
#[derive(Clone, Debug)]
pub struct LimitRule {
    /// Its name, as answers have it: letters, digits, `-`, `_`, `.` and spaces.
    pub name: String,
    /// What is counted apart; nothing for all requests together.
    pub by: Vec<Dimension>,
    /// How much.
    pub amount: Amount,
    /// Other amounts for tokens with a scope: the first that a token has counts.
    pub classes: Vec<(String, Amount)>,
    /// Templates of the routes that it is for, as they are written there; empty for all.
    pub routes: Vec<String>,
}

/// What requests are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// The client that the token was issued to.
    Client,
    /// The client's address; of IPv6 its /64.
    Network,
    /// The route.
    Route,
    /// Whom the token speaks for.
    Subject,
    /// The token.
    Token,
}

/// How much a limit allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many requests at a time.
    Concurrent(u32),
    /// So much in any window of that length.
    Quota(Allowance),
    /// Evenly at this pace.
    Rate {
        /// The pace.
        pace: Allowance,
        /// How much at once; as much as the pace has in its window where it is not said.
        burst: Option<u32>,
    },
}

/// Every limit, and where is counted.
pub(crate) struct Limits {
    count: Count,
    doubtful: Option<Measured>,
}

/// A token that nobody knows yet is looked at, at its network's expense until it turns out good.
pub(crate) struct Doubt<'l>(Option<(&'l Limits, Key, Measure)>);

/// One limit, ready to be asked.
pub(crate) struct Limit {
    /// What counts together: it stays the same while name, parties and kinds of amounts do.
    identity: u64,
    by: Box<[Dimension]>,
    usual: Measured,
    classes: Box<[(Box<str>, Measured)]>,
}

/// An amount, with what answers say of it.
struct Measured {
    amount: Counted,
    /// An item of `RateLimit-Policy`.
    policy: Arc<str>,
    /// The name as a string of structured fields (RFC 9651 §3.3.3).
    quoted: Arc<str>,
}

enum Counted {
    Concurrent(u32),
    Taken(Measure),
}

/// Proof that a request is within every limit of its route. What it takes up meanwhile is given back
/// when the part of it that is kept until the answer ends is dropped.
pub struct Within {
    permitted: Permitted,
    held: Held,
}

/// What a request takes up until its answer has ended, and what the answer says of its limits.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) places: Vec<InFlight>,
    pub(crate) told: Told,
}

/// Why a request has to wait.
pub(crate) struct Exceeded {
    /// What it has reached, in words for whoever may know.
    pub(crate) what: Arc<str>,
    pub(crate) retry_in: Duration,
    pub(crate) told: Told,
}

// === impl Limits ===

impl Limits {
    pub(crate) fn new(count: Count, doubtful: Option<Allowance>) -> Result<Self, SettingsError> {
        let amount = doubtful.map(|pace| Amount::Rate { pace, burst: None });
        let doubtful = amount.map(|amount| Measured::new("doubtful tokens", amount)).transpose()?;
        Ok(Self { count, doubtful })
    }

    /// For limits that come after these: they begin with what was taken of these.
    pub(crate) fn count(&self) -> &Count {
        &self.count
    }

    /// Takes one of what a restriction leaves of its tokens, all of them together.
    ///
    /// # Errors
    /// [`Fault::Limit`] when nothing is left for now.
    pub(crate) fn restricted(
        &self,
        seq: u64,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let Allowance { amount, window } = allowance;
        let measure = Measure::Rate { each: window / amount.max(1), burst: amount };
        let key = Key(self.count.hasher.hash_one(("restriction", seq)));
        match self.count.counters.take(key, 1, &measure, now) {
            Taken::Yes { .. } => Ok(()),
            Taken::No { retry_in, .. } => {
                let what = "what a restriction leaves".into();
                Err(Fault::Limit(Box::new(Exceeded { what, retry_in, told: Told::default() })))
            }
        }
    }

    /// Asks whether a network may have one more token verified that nobody knows yet.
    ///
    /// # Errors
    /// [`Fault::Limit`] when too many from there turned out not to be good.
    pub(crate) fn doubt(&self, ip: Option<IpAddr>, now: Timestamp) -> Result<Doubt<'_>, Fault> {
        let (Some(ip), Some(measured)) = (ip, &self.doubtful) else { return Ok(Doubt(None)) };
        let Counted::Taken(measure) = measured.amount else { return Ok(Doubt(None)) };
        let key = Key(self.count.hasher.hash_one(("doubtful", network(ip))));
        match self.count.counters.take(key, 1, &measure, now) {
            Taken::Yes { .. } => Ok(Doubt(Some((self, key, measure)))),
            Taken::No { retry_in, .. } => {
                let what = "tokens of one network that turned out not to be good".into();
                Err(Fault::Limit(Box::new(Exceeded { what, retry_in, told: Told::default() })))
            }
        }
    }

    /// Asks every limit of the route.
    ///
    /// # Errors
    /// [`Refusal`] when one of them is reached; nothing is taken then.
    pub(crate) fn within(
        &self,
        permitted: Permitted,
        ip: IpAddr,
        now: Timestamp,
    ) -> Result<Within, Refusal> {
        let rule = permitted.rule();
        if rule.limits.is_empty() {
            return Ok(Within { permitted, held: Held::default() });
        }
        match self.take_all(rule, permitted.known(), ip, now) {
            Ok(held) => Ok(Within { permitted, held }),
            Err(exceeded) => {
                let fault = Fault::Limit(Box::new(exceeded));
                Err(match permitted.into_parts().1 {
                    Some(known) => Refusal::of_verified(fault, known),
                    None => fault.into(),
                })
            }
        }
    }

    fn take_all(
        &self,
        rule: &Rule,
        known: Option<&Arc<Known>>,
        ip: IpAddr,
        now: Timestamp,
    ) -> Result<Held, Exceeded> {
        let mut held = Held::default();
        let mut taken: Vec<(Key, &Measure)> = Vec::new();
        for limit in &rule.limits {
            let Some(key) = self.key(limit, rule, known, ip) else { continue };
            let measured = limit.measured(known.map(|known| known.token.scopes()));
            let exceeded = match &measured.amount {
                Counted::Concurrent(most) => match self.count.places.enter(key, *most) {
                    Some(place) => {
                        held.places.push(place);
                        continue;
                    }
                    // Nobody knows when; soon, if others go on as they do.
                    None => Duration::from_secs(1),
                },
                Counted::Taken(measure) => {
                    match self.count.counters.take(key, rule.cost, measure, now) {
                        Taken::Yes { left, whole_in } => {
                            taken.push((key, measure));
                            held.told.add(&measured.quoted, &measured.policy, left, whole_in);
                            continue;
                        }
                        Taken::No { left, retry_in } => {
                            held.told.add(&measured.quoted, &measured.policy, left, retry_in);
                            retry_in
                        }
                    }
                }
            };
            for (key, measure) in taken {
                self.count.counters.give_back(key, rule.cost, measure);
            }
            let what = Arc::clone(&measured.quoted);
            return Err(Exceeded { what, retry_in: exceeded, told: held.told });
        }
        Ok(held)
    }

    /// Who is counted; `None` where the limit counts by a token and there is none.
    fn key(
        &self,
        limit: &Limit,
        rule: &Rule,
        known: Option<&Arc<Known>>,
        ip: IpAddr,
    ) -> Option<Key> {
        let mut hasher = self.count.hasher.build_hasher();
        limit.identity.hash(&mut hasher);
        let facts = known.map(|known| known.token.facts());
        for dimension in &limit.by {
            match dimension {
                Dimension::Client => facts?.client.as_str().hash(&mut hasher),
                Dimension::Network => network(ip).hash(&mut hasher),
                Dimension::Route => rule.template.hash(&mut hasher),
                Dimension::Subject => facts?.subject.as_str().hash(&mut hasher),
                Dimension::Token => facts?.token.as_str().hash(&mut hasher),
            }
        }
        Some(Key(hasher.finish()))
    }
}

/// Whoever has an IPv6 address mostly has 2^64 of them.
pub(crate) fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
    }
}

// === impl Doubt ===

impl Doubt<'_> {
    /// It was no garbage, and costs its network nothing.
    pub(crate) fn settle(self) {
        if let Some((limits, key, measure)) = self.0 {
            limits.count.counters.give_back(key, 1, &measure);
        }
    }
}

// === impl Limit ===

impl Limit {
    /// # Errors
    /// [`SettingsError`] names the limit and what is wrong with it.
    pub(crate) fn new(rule: &LimitRule) -> Result<Self, SettingsError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_. ".contains(&byte);
        if rule.name.is_empty() || !rule.name.bytes().all(plain) {
            return Err(SettingsError::BadLimitName(rule.name.clone()));
        }
        let classes = rule.classes.iter();
        let classes = classes.map(|(scope, amount)| {
            Ok((scope.as_str().into(), Measured::new(&rule.name, *amount)?))
        });
        Ok(Self {
            identity: identity(rule),
            by: rule.by.as_slice().into(),
            usual: Measured::new(&rule.name, rule.amount)?,
            classes: classes.collect::<Result<_, SettingsError>>()?,
        })
    }

    fn measured(&self, scopes: Option<&ScopeSet>) -> &Measured {
        let has = |scope: &str| scopes.is_some_and(|scopes| scopes.contains(scope));
        let class = self.classes.iter().find(|(scope, _)| has(scope));
        class.map_or(&self.usual, |(_, measured)| measured)
    }

    /// The most that one request can cost and ever be let through; `None` where cost does not count.
    pub(crate) fn most(&self) -> Option<u32> {
        let amounts = self.classes.iter().map(|(_, measured)| measured).chain([&self.usual]);
        let most = amounts.filter_map(|measured| match measured.amount {
            Counted::Concurrent(_) => None,
            Counted::Taken(Measure::Rate { burst, .. }) => Some(burst),
            Counted::Taken(Measure::Quota { amount, .. }) => Some(amount),
        });
        most.min()
    }
}

/// A limit that allows another amount goes on with what was taken; one that counts in another way does not.
fn identity(rule: &LimitRule) -> u64 {
    let kind = |amount: &Amount| match amount {
        Amount::Concurrent(_) => (0_u8, Duration::ZERO),
        Amount::Quota(quota) => (1, quota.window),
        Amount::Rate { .. } => (2, Duration::ZERO),
    };
    let mut hasher = DefaultHasher::new();
    (&rule.name, &rule.by, kind(&rule.amount)).hash(&mut hasher);
    for (scope, amount) in &rule.classes {
        (scope, kind(amount)).hash(&mut hasher);
    }
    hasher.finish()
}

// === impl Measured ===

impl Measured {
    fn new(name: &str, amount: Amount) -> Result<Self, SettingsError> {
        let zero = || SettingsError::ZeroLimit(name.to_owned());
        let quoted: Arc<str> = format!("\"{name}\"").into();
        let (counted, policy) = match amount {
            Amount::Concurrent(0) => return Err(zero()),
            // Of what comes back with each answer the fields have no word.
            Amount::Concurrent(most) => (Counted::Concurrent(most), String::new()),
            Amount::Quota(Allowance { amount: 0, .. }) => return Err(zero()),
            Amount::Quota(allowance) => {
                let Allowance { amount, window } = allowance;
                let policy = format!("{quoted};q={amount};w={}", allowance.window_secs());
                (Counted::Taken(Measure::Quota { amount, window }), policy)
            }
            Amount::Rate { pace, burst } => {
                let burst = burst.unwrap_or(pace.amount);
                if burst == 0 || pace.amount == 0 {
                    return Err(zero());
                }
                let each = pace.window / pace.amount;
                let whole = each.saturating_mul(burst).as_secs_f64().ceil();
                let policy = format!("{quoted};q={burst};w={}", whole.max(1.0));
                (Counted::Taken(Measure::Rate { each, burst }), policy)
            }
        };
        Ok(Self { amount: counted, policy: policy.into(), quoted })
    }
}

// === impl Within ===

impl Within {
    pub(crate) fn permitted(&self) -> &Permitted {
        &self.permitted
    }

    pub(crate) fn into_parts(self) -> (Permitted, Held) {
        (self.permitted, self.held)
    }
}
