//! What is fetched from other hosts: safely, bounded in size and time, and kept while they are down.
//!
//! [`Fetcher`] makes one request and never reaches an address that its [`Reach`] does not allow.
//! [`keys::RemoteKeys`] keeps the key set of an issuer; [`issuer::discover`] finds where it is;
//! [`followed::FollowedKeys`] does both in the background. [`introspection::Introspector`] asks what a
//! token is.

mod address;
pub mod fetch;
pub mod followed;
pub mod introspection;
pub mod issuer;
pub mod keys;
pub mod tls;

pub use crate::address::Reach;
pub use crate::fetch::{FetchError, Fetched, Fetcher, Limits};

#[cfg(test)]
mod tests;
