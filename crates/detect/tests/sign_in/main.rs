//! Labelled streams for the detectors over sign-in, grants, and where tokens are used.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: helpers too"
)]

mod asked;
mod campaigns;
mod certain;
mod claimed;
mod client_keys;
mod countries;
mod credentials;
mod dead_tokens;
mod devices;
mod disguise;
mod exits;
mod first_days;
mod flows;
mod forged;
mod guesses;
mod introspection;
mod issued;
mod keys;
mod population;
mod renewals;
mod runs;
mod secrets_abroad;
mod support;
mod takeovers;
mod tokens;
mod travel;
mod visits;
