//! Documents in, operations and judgements out, through the public door alone.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: helpers too"
)]

mod documents;
mod mistakes;
mod requests;
mod robust;
mod roles;
mod support;
