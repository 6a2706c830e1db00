//! The vocabulary of Tokenward: token formats, claims, scopes, restrictions and events.
//!
//! Bytes, keys and the time are arguments here. This crate knows no I/O, no clock,
//! no async runtime and no HTTP framework, so every rule in it can be tested with plain values.
//!
//! # From bytes to proof
//!
//! What comes from outside is one type, what has been verified is another, and one function leads
//! from the first to the second:
//!
//! | you hold | you want | call |
//! |---|---|---|
//! | the text of a published key set | keys that check | [`key::KeySet::from_jwks`] |
//! | an access token (RFC 9068) | [`validate::VerifiedAccessToken`] | [`validate::verify_access_token`] |
//! | an access token of another issuer | the same, under names of its own | [`foreign::verify_foreign`] |
//! | an ID token, a logout token, an assertion … | [`verify::Verified`] of a [`kind`] | [`verify::verify`] |
//! | a DPoP proof and its request | [`dpop::VerifiedProof`] | [`dpop::verify_proof`] |
//! | an encrypted text and a private key | [`jwe::Decrypted`] | [`jwe::Jwe::decrypt`] |
//! | a `status` claim and its list | [`status_list::Status`] | [`status_list::StatusList::status`] |
//! | proofs that may come once | the same, never twice | [`dpop::ProofDesk::take`] |
//! | an opaque value | which kind it is, and its hash | [`opaque::Family::of`], [`opaque::OpaqueHash`] |
//! | an opaque access token | the JWT that it stands for | [`reference::References`] |
//! | a personal token | [`validate::VerifiedAccessToken`] | [`personal::verify_personal`] |
//!
//! `examples/verify.rs` verifies a token in ten lines.
//!
//! # Keys
//!
//! A key has one algorithm and keeps it, so that no header can choose another (RFC 8725 §3.1). Which
//! key can do what is a matter of types: [`key::PublicKey`] checks, [`key::PrivateKey`] signs,
//! [`key::MacKey`] does both and is never part of a set; [`encryption_key::EncryptionKey`] encrypts,
//! [`encryption_key::DecryptionKey`] decrypts.
//!
//! # Refusals
//!
//! Every refusal is a value that names what was broken and repeats nothing of the token, so that it
//! is safe to log: [`validate::TokenRefused`], [`verify::Refusal`], [`jwe::NotDecrypted`],
//! [`jwk::BadKey`]. Their words on the wire and in events are [`reason::Reason`] and
//! [`reason::Forgery`].

pub mod act;
mod algorithm;
pub mod allowance;
pub mod authorization_details;
pub mod base62;
pub mod base64url;
pub mod claim_pattern;
pub mod claims;
pub mod client_address;
pub mod client_certificate;
pub mod cnf;
pub mod dpop;
pub mod encryption_key;
pub mod event;
pub mod explanation;
pub mod finding;
pub mod foreign;
pub mod honeytoken;
pub mod id;
pub mod index;
pub mod ja4;
pub mod json;
pub mod jwe;
pub mod jwk;
pub mod jws;
pub mod key;
pub mod keyring;
pub mod kind;
pub mod ladder;
pub mod may_act;
mod members;
pub mod numeric_date;
pub mod opaque;
pub mod personal;
pub mod place;
mod private_jwk;
pub mod random;
pub mod reason;
pub mod reference;
pub mod refresh;
pub mod replay;
pub mod restriction;
mod rsa_der;
pub mod scope;
pub mod secret;
pub mod signature;
pub mod status_list;
pub mod term;
pub mod time;
pub mod user_agent;
pub mod validate;
pub mod verify;
