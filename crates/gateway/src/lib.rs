//! The enforcement point: every API request is checked here, and forwarded only with proof.
//!
//! A request goes through the steps of [`check`], each a file: [`target`], [`present`],
//! [`verify`], [`bind`], [`in_force`], [`permit`], [`admit`], `inspection`. Each step takes the proof type of
//! the step before by value; `forward` takes what was inspected and nothing else; that is
//! made of an [`admit::Admitted`], which only [`admit`] can make. One event is emitted for each request, refused or not, when the last
//! byte of its answer is sent.

pub mod admit;
pub mod answers;
mod ask;
mod bait;
pub mod bind;
mod body;
mod browser_app;
mod cache;
mod check;
pub mod checker;
mod core;
pub mod cors;
pub mod described;
pub mod durations;
pub mod explain;
mod foreign;
mod form_token;
mod forward;
pub mod forward_auth;
mod framing;
mod gateway;
pub mod guard;
mod headers;
mod identity;
pub mod in_force;
pub mod inside;
mod inspection;
pub mod limit;
mod meters;
mod observe;
mod open;
mod pace;
pub mod permit;
pub mod policy;
pub mod present;
pub mod problem;
mod recent;
mod refusal;
pub mod request_id;
mod resource;
mod restrained;
pub mod route;
mod security;
mod settings;
mod shed;
mod step;
mod streams;
pub mod target;
mod tunnel;
pub mod turn;
mod upstream;
mod usage;
pub mod verify;
mod worker;

pub use crate::body::{RequestBody, ResponseBody, StreamError};
pub use crate::browser_app::{Answering, AppServer, BrowserApp};
pub use crate::foreign::{
    ForeignIssuer, Introspection, IssuerServer, Prospect, accepted_audiences,
};
pub use crate::gateway::{Gateway, Parts};
pub use crate::present::{Basic, Credentials};
pub use crate::settings::{
    Access, BadClaimRule, Binding, ClaimRule, Described, Further, Inspect, RequestLimits,
    RouteRule, Settings, SettingsError,
};
pub use crate::upstream::received::Received;
pub use crate::upstream::rule::{Balance, HashBy, HealthRule, UpstreamRule, UpstreamTls};
pub use crate::worker::{Peer, Worker};

#[cfg(test)]
mod tests;
