//! The authorization server and OpenID provider.
//!
//! Handlers under `endpoint` only translate; every rule of the protocol is a function over plain
//! values and the time. This crate knows neither the gateway nor detection: what they need to
//! know leaves as events and restrictions.

pub mod approve;
mod backchannel;
mod bait;
pub mod bearer;
pub mod branding;
pub mod browser_app;
pub mod caller;
pub mod client_auth;
mod client_keys;
pub mod credential;
pub mod description;
pub mod doubt;
pub mod endpoint;
pub mod events;
pub mod foreign;
pub mod grant;
mod id_token_hint;
pub mod issue;
pub mod keys;
pub mod known_places;
pub mod language;
mod later;
pub mod leak;
mod letters;
mod limits;
pub mod login;
mod logout;
mod metadata_document;
mod news;
pub mod oauth_error;
pub mod page;
pub mod parameters;
mod paths;
pub mod peer;
pub mod person;
pub mod person_claims;
pub mod personal;
mod polls;
pub mod possession;
mod presented_token;
pub mod provider;
mod pushed;
pub mod register;
mod request_object;
mod restrained;
mod resume;
pub mod router;
pub mod rule;
pub mod settings;
pub mod sign_up;
pub mod signals;
mod signed_answer;
pub mod state;
mod status_lists;
mod verified;

pub use settings::{ResourceDefinition, ScopeDefinition, Settings, SettingsError};
pub use state::{Authority, Parts};

#[cfg(test)]
mod tests;
