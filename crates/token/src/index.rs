//! The live part of the restriction log in memory: exact, read on every request, never waited for.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use ipnet::IpNet;

use crate::restriction::{Effect, LogEntry, Restriction, Selector, TokenFacts};
use crate::scope::ScopeSet;
use crate::time::Timestamp;

type Rows = Arc<[Arc<Restriction>]>;
type Listener = Box<dyn Fn(&Restriction) + Send + Sync>;

/// Every restriction that may still fit something, by what it is about.
#[derive(Default)]
pub struct RestrictionIndex {
    clients: ByText,
    grants: ByText,
    keys: ByText,
    sessions: ByText,
    subjects: ByText,
    tokens: ByText,
    issuer: ByText,
    networks: RwLock<Networks>,
    network_rows: AtomicUsize,
    partial_rows: AtomicUsize,
    by_seq: papaya::HashMap<u64, Arc<Restriction>>,
    last_seq: AtomicU64,
    ahead: AtomicU64,
    listeners: RwLock<Vec<Listener>>,
}

/// A restriction that is in force while it is being written to the log; until this is dropped.
pub struct Ahead {
    index: Arc<RestrictionIndex>,
    row: Arc<Restriction>,
}

/// Rows that have no position yet have one from here on, which no log reaches.
const AHEAD: u64 = 1 << 63;

/// Rows of one kind of selector. The count spares the look-up while there are none.
#[derive(Default)]
struct ByText {
    rows: papaya::HashMap<Box<str>, Rows>,
    keys: AtomicUsize,
}

#[derive(Default)]
struct Networks {
    rows: HashMap<IpNet, Vec<Arc<Restriction>>>,
    prefixes: BTreeSet<u8>,
}

// === impl RestrictionIndex ===

impl RestrictionIndex {
    /// Takes one entry of the log. Entries come in order of `seq`; one seen before changes nothing.
    pub fn apply(&self, entry: &LogEntry) {
        match entry {
            LogEntry::Restrict(restriction) => self.insert(Arc::new(restriction.clone())),
            LogEntry::Lift { seq, lifts } => {
                self.remove(*lifts);
                self.last_seq.fetch_max(*seq, Ordering::AcqRel);
            }
        }
    }

    /// Puts a restriction into force that is being written: whoever uses a stolen token is faster than a disk. It is no
    /// entry of the log, has no position ([`is_ahead`]) and is told to no listener. What is taken of a limit meanwhile is
    /// not counted in the log's own.
    #[must_use]
    pub fn hold_ahead(self: &Arc<Self>, restriction: Restriction) -> Ahead {
        let seq = AHEAD + self.ahead.fetch_add(1, Ordering::AcqRel);
        let row = Arc::new(Restriction { seq, ..restriction });
        if row.effect.is_partial() {
            self.partial_rows.fetch_add(1, Ordering::AcqRel);
        }
        self.add(&row);
        Ahead { index: Arc::clone(self), row }
    }

    /// The position of the newest entry applied.
    pub fn last_seq(&self) -> u64 {
        self.last_seq.load(Ordering::Acquire)
    }

    /// How many restrictions are held.
    pub fn len(&self) -> usize {
        self.by_seq.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The restriction by which this token is refused now; a revocation before a suspension.
    pub fn on_token(&self, facts: &TokenFacts, now: Timestamp) -> Option<Arc<Restriction>> {
        let mut found: Option<Arc<Restriction>> = None;
        self.visit(facts, |row| {
            if !row.effect.is_partial() && row.in_force(now) && row.covers(facts) {
                found = Some(stronger(found.take(), row));
            }
        });
        found
    }

    /// The restrictions in force with which this token is good for less. Costs one read while there is
    /// none at all.
    pub fn partial_on(&self, facts: &TokenFacts, now: Timestamp) -> Vec<Arc<Restriction>> {
        let mut found = Vec::new();
        if self.partial_rows.load(Ordering::Acquire) > 0 {
            self.visit(facts, |row| {
                if row.effect.is_partial() && row.in_force(now) && row.covers(facts) {
                    found.push(Arc::clone(row));
                }
            });
        }
        found
    }

    /// The scopes that count no more on this token.
    pub fn dropped_scopes(&self, facts: &TokenFacts, now: Timestamp) -> ScopeSet {
        let rows = self.partial_on(facts, now);
        let dropped = rows.iter().filter_map(|row| match &row.effect {
            Effect::DropScopes(scopes) => Some(scopes),
            _ => None,
        });
        dropped.fold(ScopeSet::default(), |all, scopes| all.union(scopes))
    }

    fn visit(&self, facts: &TokenFacts, mut seen: impl FnMut(&Arc<Restriction>)) {
        let kinds: [(&ByText, Option<&str>); 7] = [
            (&self.tokens, Some(facts.token.as_str())),
            (&self.grants, facts.grant.as_ref().map(|id| id.as_str())),
            (&self.sessions, facts.session.as_ref().map(|id| id.as_str())),
            (&self.subjects, Some(facts.subject.as_str())),
            (&self.clients, Some(facts.client.as_str())),
            (&self.keys, Some(facts.key.as_str())),
            (&self.issuer, facts.foreign.is_none().then_some("")),
        ];
        for (map, key) in kinds {
            if let Some(key) = key {
                map.visit(key, &mut seen);
            }
        }
    }

    /// The restriction in force on traffic from this address.
    pub fn on_network(&self, ip: IpAddr, now: Timestamp) -> Option<Arc<Restriction>> {
        if self.network_rows.load(Ordering::Acquire) == 0 {
            return None;
        }
        let ip = ip.to_canonical();
        let networks = self.networks.read().unwrap_or_else(PoisonError::into_inner);
        networks.prefixes.iter().rev().find_map(|prefix| {
            let net = IpNet::new(ip, *prefix).ok()?.trunc();
            let refuses = |row: &&Arc<Restriction>| !row.effect.is_partial() && row.in_force(now);
            networks.rows.get(&net)?.iter().find(refuses).cloned()
        })
    }

    /// The restriction in force on exactly this selector, whatever tokens it fits.
    pub fn on_selector(&self, selector: &Selector, now: Timestamp) -> Option<Arc<Restriction>> {
        let mut found = None;
        match self.texts(selector) {
            Some((map, key)) => map.visit(key, |row| {
                if row.in_force(now) {
                    found = Some(stronger(found.take(), row));
                }
            }),
            None => {
                let Selector::Network(net) = selector else { return None };
                let networks = self.networks.read().unwrap_or_else(PoisonError::into_inner);
                let rows = networks.rows.get(&net.trunc())?;
                found = rows.iter().find(|row| row.in_force(now)).cloned();
            }
        }
        found
    }

    /// The suspension in force on exactly this selector, even where a revocation of older tokens
    /// stands beside it: as long as there is one, nothing new may be issued.
    pub fn suspension_on(&self, selector: &Selector, now: Timestamp) -> Option<Arc<Restriction>> {
        let (map, key) = self.texts(selector)?;
        let mut found = None;
        map.visit(key, |row| {
            if row.effect == Effect::Suspend && row.in_force(now) {
                found = Some(Arc::clone(row));
            }
        });
        found
    }

    /// The restriction at this position, if it is still held.
    pub fn at(&self, seq: u64) -> Option<Arc<Restriction>> {
        self.by_seq.pin().get(&seq).cloned()
    }

    /// Calls `listener` with every restriction after it has been applied, on the thread that
    /// applies it: it must return quickly.
    pub fn on_restriction(&self, listener: impl Fn(&Restriction) + Send + Sync + 'static) {
        let mut listeners = self.listeners.write().unwrap_or_else(PoisonError::into_inner);
        listeners.push(Box::new(listener));
    }

    /// Forgets what has ended by `now`; returns how many rows that were.
    pub fn forget_ended(&self, now: Timestamp) -> usize {
        let ended: Vec<u64> = {
            let rows = self.by_seq.pin();
            rows.iter().filter(|(_, row)| !row.in_force(now)).map(|(seq, _)| *seq).collect()
        };
        for seq in &ended {
            self.remove(*seq);
        }
        ended.len()
    }

    /// Forgets the row at this position: whoever keeps the log knows that it can fit nothing that
    /// is alive.
    pub fn forget(&self, seq: u64) {
        self.remove(seq);
    }

    fn insert(&self, row: Arc<Restriction>) {
        if self.by_seq.pin().insert(row.seq, Arc::clone(&row)).is_some() {
            return;
        }
        if row.effect.is_partial() {
            self.partial_rows.fetch_add(1, Ordering::AcqRel);
        }
        self.add(&row);
        self.last_seq.fetch_max(row.seq, Ordering::AcqRel);
        for listener in self.listeners.read().unwrap_or_else(PoisonError::into_inner).iter() {
            listener(&row);
        }
    }

    fn remove(&self, seq: u64) {
        let Some(row) = self.by_seq.pin().remove(&seq).cloned() else { return };
        if row.effect.is_partial() {
            self.partial_rows.fetch_sub(1, Ordering::AcqRel);
        }
        self.drop_row(&row);
    }

    fn add(&self, row: &Arc<Restriction>) {
        match self.texts(&row.selector) {
            Some((map, key)) => map.add(key, row),
            None => self.add_network(row),
        }
    }

    fn drop_row(&self, row: &Restriction) {
        match self.texts(&row.selector) {
            Some((map, key)) => map.drop_row(key, row.seq),
            None => self.drop_network(row),
        }
    }

    fn texts<'a>(&'a self, selector: &'a Selector) -> Option<(&'a ByText, &'a str)> {
        match selector {
            Selector::Client(id) => Some((&self.clients, id.as_str())),
            Selector::Grant(id) => Some((&self.grants, id.as_str())),
            Selector::Issuer => Some((&self.issuer, "")),
            Selector::Key(id) => Some((&self.keys, id.as_str())),
            Selector::Network(_) => None,
            Selector::Session(id) => Some((&self.sessions, id.as_str())),
            Selector::Subject(id) => Some((&self.subjects, id.as_str())),
            Selector::Token(id) => Some((&self.tokens, id.as_str())),
        }
    }

    fn add_network(&self, row: &Arc<Restriction>) {
        let Selector::Network(net) = &row.selector else { return };
        let mut networks = self.networks.write().unwrap_or_else(PoisonError::into_inner);
        networks.prefixes.insert(net.prefix_len());
        networks.rows.entry(net.trunc()).or_default().push(Arc::clone(row));
        self.network_rows.fetch_add(1, Ordering::AcqRel);
    }

    fn drop_network(&self, row: &Restriction) {
        let Selector::Network(net) = &row.selector else { return };
        let mut networks = self.networks.write().unwrap_or_else(PoisonError::into_inner);
        let net = net.trunc();
        let Some(rows) = networks.rows.get_mut(&net) else { return };
        rows.retain(|other| other.seq != row.seq);
        if rows.is_empty() {
            networks.rows.remove(&net);
            networks.prefixes = networks.rows.keys().map(IpNet::prefix_len).collect();
        }
        self.network_rows.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Whether a restriction with this position is being written, so that nobody finds it in the log yet.
pub const fn is_ahead(seq: u64) -> bool {
    seq >= AHEAD
}

// === impl Ahead ===

impl Drop for Ahead {
    fn drop(&mut self) {
        if self.row.effect.is_partial() {
            self.index.partial_rows.fetch_sub(1, Ordering::AcqRel);
        }
        self.index.drop_row(&self.row);
    }
}

// === impl ByText ===

impl ByText {
    fn visit(&self, key: &str, mut seen: impl FnMut(&Arc<Restriction>)) {
        if self.keys.load(Ordering::Acquire) == 0 {
            return;
        }
        let rows = self.rows.pin();
        if let Some(rows) = rows.get(key) {
            rows.iter().for_each(&mut seen);
        }
    }

    fn add(&self, key: &str, row: &Arc<Restriction>) {
        // Counted first: a reader that sees the row must not skip the look-up.
        self.keys.fetch_add(1, Ordering::AcqRel);
        let rows = self.rows.pin();
        rows.update_or_insert_with(
            key.into(),
            |before| before.iter().cloned().chain([Arc::clone(row)]).collect(),
            || Rows::from([Arc::clone(row)]),
        );
    }

    fn drop_row(&self, key: &str, seq: u64) {
        let rows = self.rows.pin();
        let key: Box<str> = key.into();
        rows.compute(key, |entry| match entry {
            Some((_, before)) => {
                let left: Rows = before.iter().filter(|row| row.seq != seq).cloned().collect();
                if left.is_empty() {
                    papaya::Operation::Remove
                } else {
                    papaya::Operation::Insert(left)
                }
            }
            None => papaya::Operation::Abort(()),
        });
        self.keys.fetch_sub(1, Ordering::AcqRel);
    }
}

fn stronger(held: Option<Arc<Restriction>>, new: &Arc<Restriction>) -> Arc<Restriction> {
    match held {
        Some(held) if held.effect == Effect::Revoke => held,
        _ => Arc::clone(new),
    }
}

#[cfg(test)]
mod tests;
