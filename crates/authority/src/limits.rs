//! How much of one kind is borne from one place: guesses, and what anybody may have kept.
//!
//! Whoever shows the right credential is let through however many wrong ones came before, from there or
//! elsewhere: a limit must not be a way to keep somebody out.

use std::net::IpAddr;
use std::time::Duration;

use token::id::{ClientId, SubjectId};
use token::time::Timestamp;

use crate::login::throttle::{Allowance, Throttle, Throttled, network};

/// Wrong credentials of one client from one network.
const PER_CLIENT: Allowance = Allowance { burst: 20, every: Duration::from_secs(6) };
/// Wrong credentials of all clients from one network.
const PER_NETWORK: Allowance = Allowance { burst: 200, every: Duration::from_secs(1) };
/// Requests that are kept for a client which has nothing to show.
const KEPT: Allowance = Allowance { burst: 60, every: Duration::from_secs(1) };
/// Questions to one person, of all clients together.
const ASKED: Allowance = Allowance { burst: 10, every: Duration::from_mins(1) };
/// Registrations.
const REGISTERED: Allowance = Allowance { burst: 100, every: Duration::from_secs(10) };
/// Letters that one network has sent by pages that anybody can use.
const LETTERS_OF_NETWORK: Allowance = Allowance { burst: 20, every: Duration::from_mins(1) };
/// Such letters to one address. Links live for three times as long as the next has to wait: whoever has an
/// address filled up by a stranger finds a good link there.
const LETTERS_TO_ADDRESS: Allowance = Allowance { burst: 4, every: Duration::from_mins(10) };

/// The counts.
#[derive(Default)]
pub(crate) struct Limits(Throttle);

// === impl Limits ===

impl Limits {
    /// A client's credential, code or token that was wrong.
    ///
    /// # Errors
    /// [`Throttled`] when too many were.
    pub(crate) fn wrong(
        &self,
        client: &ClientId,
        ip: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), Throttled> {
        let network = network(ip);
        self.0.charge(("wrong", client, network), PER_CLIENT, now)?;
        self.0.charge(("wrong", network), PER_NETWORK, now)
    }

    /// A request that is kept until its person comes, of a client that anybody can name.
    ///
    /// # Errors
    /// [`Throttled`] when too many are.
    pub(crate) fn kept(&self, ip: Option<IpAddr>, now: Timestamp) -> Result<(), Throttled> {
        self.0.charge(("kept", network(ip)), KEPT, now)
    }

    /// A question to a person, who must not be worn down.
    ///
    /// # Errors
    /// [`Throttled`] when they were asked too often.
    pub(crate) fn asked(&self, subject: &SubjectId, now: Timestamp) -> Result<(), Throttled> {
        self.0.charge(("asked", subject), ASKED, now)
    }

    /// A client that registers itself.
    ///
    /// # Errors
    /// [`Throttled`] when too many do.
    pub(crate) fn registered(&self, ip: Option<IpAddr>, now: Timestamp) -> Result<(), Throttled> {
        self.0.charge(("registered", network(ip)), REGISTERED, now)
    }

    /// A letter that somebody has sent who is not signed in.
    ///
    /// # Errors
    /// [`Throttled`] when too many come from there. It says nothing about whoever would get them.
    pub(crate) fn letter_from(&self, ip: Option<IpAddr>, now: Timestamp) -> Result<(), Throttled> {
        self.0.charge(("letter from", network(ip)), LETTERS_OF_NETWORK, now)
    }

    /// A letter to an address, which must not be flooded.
    ///
    /// # Errors
    /// [`Throttled`] when it got too many.
    pub(crate) fn letter_to(&self, address: &str, now: Timestamp) -> Result<(), Throttled> {
        self.0.charge(("letter to", address.to_lowercase()), LETTERS_TO_ADDRESS, now)
    }
}
