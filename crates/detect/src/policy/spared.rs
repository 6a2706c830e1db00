//! Who is never hit by a response that no person has decided.

use std::collections::HashSet;

use ipnet::IpNet;
use token::finding::{Target, Whom};
use token::id::{ClientId, SubjectId};

use super::row::Principal;
use crate::detector;

/// The names and networks that are never hit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spared {
    /// Neither their tokens nor they.
    pub subjects: HashSet<SubjectId>,
    /// Neither the client nor its own tokens; people who use it are not spared by that.
    pub clients: HashSet<ClientId>,
    /// Networks that are not blocked, nor any network that they are in or that is in them.
    pub networks: Vec<IpNet>,
}

// === impl Spared ===

impl Spared {
    /// Whether a response on this target would hit one of them.
    pub(super) fn would_be_hit(&self, whom: &Whom, target: Target) -> bool {
        let client = whom.client.as_ref().is_some_and(|client| self.clients.contains(client));
        match target {
            Target::Client => client,
            Target::Ip => whom.ip.is_some_and(|ip| {
                let net = detector::network_of(ip);
                let overlap = |other: &IpNet| other.contains(&net) || net.contains(other);
                self.networks.iter().any(overlap)
            }),
            Target::Grant | Target::Session | Target::Subject | Target::Token => {
                let subject = whom.subject.as_ref();
                subject.is_some_and(|subject| self.subjects.contains(subject))
                    || (client && Principal::of(whom) == Principal::Service)
            }
        }
    }
}
