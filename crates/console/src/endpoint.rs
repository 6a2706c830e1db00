//! The operations: parse, one call, render.

pub(crate) mod audit;
pub(crate) mod clients;
pub(crate) mod configuration;
pub(crate) mod deliveries;
pub(crate) mod factors;
pub(crate) mod findings;
pub(crate) mod health;
pub(crate) mod honeytokens;
pub(crate) mod identities;
pub(crate) mod incidents;
pub(crate) mod invitations;
pub(crate) mod keys;
pub(crate) mod mailbox;
pub(crate) mod outlets;
pub(crate) mod personal_tokens;
pub(crate) mod requests;
pub(crate) mod restrictions;
pub(crate) mod tokens;
pub(crate) mod tolerances;
pub(crate) mod users;
