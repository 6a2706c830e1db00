//! The first and the last step: a network that is not blocked comes in; what has passed every
//! step goes on, and nothing else.

use std::net::IpAddr;
use std::sync::Arc;

use token::index::RestrictionIndex;
use token::time::Timestamp;

use crate::framing::Framing;
use crate::limit::{Held, Within};
use crate::refusal::{Fault, Refusal};
use crate::route::Rule;
use crate::target::Target;
use crate::verify::Known;

/// Proof that the client's network is not blocked.
pub struct Cleared {
    ip: IpAddr,
    seen: u64,
}

/// Proof that a request may go on: the only thing that is forwarded.
///
/// Nothing outside this file can make one:
///
/// ```
/// fn the_name_is_right(_: &gateway::admit::Admitted) {}
/// ```
///
/// ```compile_fail
/// fn no_default() -> gateway::admit::Admitted { Default::default() }
/// ```
///
/// ```compile_fail
/// fn nor_by_its_fields(other: gateway::admit::Admitted) -> gateway::admit::Admitted {
///     gateway::admit::Admitted { ..other }
/// }
/// ```
///
/// ```compile_fail
/// fn nor_twice(one: &gateway::admit::Admitted) -> gateway::admit::Admitted { one.clone() }
/// ```
pub struct Admitted {
    ip: IpAddr,
    target: Target,
    rule: Arc<Rule>,
    known: Option<Arc<Known>>,
    framing: Framing,
    /// The restriction log up to here has been asked.
    seen: u64,
    held: Held,
}

/// Asks whether the network is blocked; before anything else, so that a blocked network costs
/// next to nothing and learns nothing.
///
/// # Errors
/// [`Refusal`] when it is.
pub(crate) fn clear(
    ip: IpAddr,
    index: &RestrictionIndex,
    now: Timestamp,
) -> Result<Cleared, Refusal> {
    // Read first: whatever is written from now on is asked again by an open stream.
    let seen = index.last_seq();
    match index.on_network(ip, now) {
        None => Ok(Cleared { ip, seen }),
        Some(row) => Err(Refusal::from(Fault::Network).by(&row)),
    }
}

/// Puts the proofs together.
pub(crate) fn admit(
    cleared: Cleared,
    target: Target,
    framing: Framing,
    within: Within,
) -> Admitted {
    let Cleared { ip, seen } = cleared;
    let (permitted, held) = within.into_parts();
    let (rule, known) = permitted.into_parts();
    Admitted { ip, target, rule, known, framing, seen, held }
}

// === impl Admitted ===

impl Admitted {
    /// The client's address.
    pub(crate) fn ip(&self) -> IpAddr {
        self.ip
    }

    /// What was authorised, and is sent.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// The rule that let it through.
    pub(crate) fn rule(&self) -> &Rule {
        &self.rule
    }

    /// What it takes up until its answer has ended.
    pub(crate) fn take_held(&mut self) -> Held {
        std::mem::take(&mut self.held)
    }

    /// The token; none on a public route.
    pub(crate) fn known(&self) -> Option<&Arc<Known>> {
        self.known.as_ref()
    }

    /// How the body goes on.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// How far the restriction log has been asked.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }
}
