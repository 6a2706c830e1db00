//! One table of requests, put to every door of the gateway: the same answer, the same reason, one event.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: helpers too"
)]

mod allowed;
mod description;
mod door;
mod house;
mod table;
