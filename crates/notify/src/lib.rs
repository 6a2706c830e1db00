//! Findings, security events and letters told to others: what is told waits in the store until they have taken it.
//!
//! An [`outlet::Outlet`] says what is told to whom, and how: as a [`webhook`], by [`syslog`], or
//! to the [`person`] concerned. Security events that others made leave the same way, as [`signals`], and so do
//! [`letters`]. The
//! [`notifier::Notifier`] sees to it: [`notifier::Notifier::told`] gives what is written together with a
//! finding, [`notifier::Notifier::run`] takes it to those that it is for.

pub mod filter;
pub mod letters;
mod notice;
pub mod notifier;
pub mod outlet;
pub mod person;
pub mod signals;
pub mod syslog;
pub mod webhook;

#[cfg(test)]
mod tests;
