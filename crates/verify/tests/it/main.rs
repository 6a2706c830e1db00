//! The layer over real HTTP: an issuer, a service behind the layer, and a client.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may stop at once"
)]

mod dpop;
mod grpc;
mod keys;
mod rules;
mod support;
mod taken_back;
mod tokens;
