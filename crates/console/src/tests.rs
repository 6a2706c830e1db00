//! The admin API as a whole: every operation, every credential, every refusal.

mod access;
mod clients;
mod configuration;
mod document;
mod findings;
mod hostile;
mod identities;
mod keys;
mod letters;
mod outlets;
mod personal_tokens;
mod requests;
mod restrictions;
mod sought;
pub(crate) mod support;
mod users;
