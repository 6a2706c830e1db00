//! API traffic with labels: attacks that must be found, and what looks like them and must not.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: all of it helps"
)]

mod awake;
mod beats;
mod clocks;
mod files;
mod first_days;
mod guesses;
mod injections;
mod lists;
mod missing;
mod objects;
mod order;
mod private;
mod programs;
mod resources;
mod scans;
mod scopes;
mod scripts;
mod stream;
mod volumes;
mod walks;
