//! User stories against the real program over real HTTP on loopback: one module a story.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: helpers too"
)]

mod admin;
mod attack;
mod auth_listener;
mod bait;
mod browser_app;
mod configuration;
mod contract;
mod crash;
mod documents;
mod embedding;
mod encrypted;
mod faults;
mod flood;
mod geo;
mod hostile;
mod internal_token;
mod interop;
mod issuers;
mod issuers_that_misbehave;
mod jose;
mod jwe;
mod jws;
mod letters;
mod live;
mod live_refused;
mod live_trust;
mod mcp;
mod mutual_tls;
mod neighbours;
mod notify;
mod odd;
mod opaque;
mod openidconnect;
mod operations;
mod personal;
mod policy;
mod proxy_protocol;
mod requests;
mod responses;
mod resting;
mod scopes;
mod signals;
mod single_sign_on;
mod slow_clients;
mod smuggling;
mod start;
mod status_list;
mod support;
mod take_back;
mod tls;
mod token;
mod upstreams;
mod vouched;
