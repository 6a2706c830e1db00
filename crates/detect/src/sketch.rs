//! Bounded state: nothing here grows with the number of attackers.

pub(crate) mod distinct;
pub(crate) mod habit;
pub(crate) mod hash;
pub(crate) mod lately;
pub(crate) mod memo;
pub(crate) mod once;
pub(crate) mod recent;
pub(crate) mod spread;
pub(crate) mod table;
pub(crate) mod tally;
pub(crate) mod told;
