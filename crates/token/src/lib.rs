//! The vocabulary of Tokenward: token formats, claims, scopes, restrictions and events.
//!
//! Bytes, keys and the time are arguments here. This crate knows no I/O, no clock,
//! no async runtime and no HTTP framework, so every rule in it can be tested with plain values.

mod algorithm;
pub mod base62;
pub mod base64url;
pub mod claims;
pub mod client_address;
pub mod dpop;
pub mod encryption_key;
pub mod event;
pub mod finding;
pub mod honeytoken;
pub mod id;
pub mod index;
pub mod json;
pub mod jwe;
pub mod jwk;
pub mod jws;
pub mod key;
pub mod keyring;
pub mod kind;
mod members;
pub mod opaque;
mod private_jwk;
pub mod random;
pub mod reason;
pub mod restriction;
mod rsa_der;
pub mod scope;
pub mod secret;
pub mod signature;
pub mod term;
pub mod time;
pub mod validate;
pub mod verify;
