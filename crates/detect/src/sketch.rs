//! Bounded state: nothing here grows with the number of attackers.

pub(crate) mod recent;
pub(crate) mod tally;
pub(crate) mod told;
