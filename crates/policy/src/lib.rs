//! Decisions by Cedar policies: who may do what, as it is written in files.
//!
//! The gateway asks for each request ([`gateway::policy::Policies`]), and services ask for what they decide
//! themselves, by the Authorization API of AuthZEN ([`authzen`]). Both ask the same [`Engine`]: nothing is
//! allowed unless a policy permits it and none forbids it, and what cannot be evaluated is refused.
//!
//! Texts in, rulings out: it reads no file and opens no socket. Cedar, which is heavy, is here and nowhere else.

pub mod authzen;
mod engine;
mod entity;
mod load;
mod names;
mod request;
mod value;

pub use crate::engine::Engine;
pub use crate::load::{Mistake, Source};

#[cfg(test)]
mod tests;
