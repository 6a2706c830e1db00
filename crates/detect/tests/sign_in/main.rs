//! Labelled streams for the detectors over sign-in, grants, and where tokens are used.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: helpers too"
)]

mod campaigns;
mod certain;
mod credentials;
mod devices;
mod first_days;
mod flows;
mod guesses;
mod issued;
mod population;
mod support;
mod tokens;
mod travel;
