//! Who is like whom: people of one client who may do the same.
//!
//! One app may serve customers, a support desk and administrators, and what is ordinary for some is none for others.
//! What an authorization server knows of that are scopes: whoever holds one that fewer than one in ten of a client's
//! people hold is of another role, and is compared with those only who hold it as well. Fewer scopes than others have
//! are no role. Said only of clients that thirty people use. What is known fades: when 200 people were counted, all
//! is halved, so that a scope that everybody gets is soon an ordinary one. State: some 300 bytes for each of 4,096
//! clients, 40 for each of 16,384 sets of scopes.

use smallvec::SmallVec;
use token::scope::ScopeSet;

use crate::detector::Names;
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::table::Table;

const PEOPLE: u32 = 30;
/// One of so many holds an unusual scope at most.
const UNUSUAL: u32 = 10;
/// People after which all counts are halved.
const MANY: u32 = 200;
/// Scopes of one client that are counted; further ones are usual.
const SCOPES: usize = 32;

/// Scopes of a client's people.
#[derive(Default)]
struct Client {
    people: Distinct<4>,
    counted: u32,
    holders: SmallVec<[(u64, u16); 8]>,
    /// How often it changed.
    version: u32,
}

/// What a set of scopes says.
#[derive(Default)]
struct Set {
    version: u32,
    group: u64,
}

/// Roles by client.
pub(super) struct Roles {
    clients: Table<Client>,
    sets: Table<Set>,
}

impl Default for Roles {
    fn default() -> Self {
        Self { clients: Table::new(4096), sets: Table::new(16_384) }
    }
}

// === impl Roles ===

impl Roles {
    /// Those with whom a principal is compared: all of the client, or its role.
    pub(super) fn group(&mut self, names: &Names, scopes: &ScopeSet, now: u32) -> u64 {
        let Some(principal) = names.principal.filter(|_| !scopes.is_empty()) else {
            return names.client;
        };
        let client = self.clients.touch(names.client, now);
        client.observe(principal, scopes);
        let set = self.sets.touch(hash::both(names.client, hash::text(scopes.as_str())), now);
        if set.version != client.version {
            *set = Set { version: client.version, group: client.group(names.client, scopes) };
        }
        set.group
    }
}

// === impl Client ===

impl Client {
    fn observe(&mut self, principal: u64, scopes: &ScopeSet) {
        if !self.people.add(principal) {
            return;
        }
        self.counted += 1;
        self.version = self.version.wrapping_add(1).max(1);
        for scope in scopes.iter().map(hash::text) {
            if let Some((_, holders)) = self.holders.iter_mut().find(|(held, _)| *held == scope) {
                *holders += 1;
            } else if self.holders.len() < SCOPES {
                self.holders.push((scope, 1));
            }
        }
        if self.counted >= MANY {
            self.people.clear();
            self.counted /= 2;
            self.holders.iter_mut().for_each(|(_, holders)| *holders /= 2);
            self.holders.retain(|(_, holders)| *holders > 0);
        }
    }

    fn group(&self, client: u64, scopes: &ScopeSet) -> u64 {
        if self.counted < PEOPLE {
            return client;
        }
        let is_unusual = |scope: &u64| {
            let held = self.holders.iter().find(|(held, _)| held == scope);
            let holders = held.map_or(0, |(_, holders)| u32::from(*holders));
            holders * UNUSUAL < self.counted && (held.is_some() || self.holders.len() < SCOPES)
        };
        let unusual = scopes.iter().map(hash::text).filter(is_unusual);
        unusual.fold(client, hash::both)
    }
}
