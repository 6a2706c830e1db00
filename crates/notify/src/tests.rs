//! Outlets and receivers of every kind on loopback.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests: helpers too")]

mod delivering;
mod letters;
mod messages;
mod signals;
mod support;
mod syslogs;
mod webhooks;
