//! The endpoints: parse, one call, render. No rule of the protocol lives here.

pub mod answer;
pub mod assets;
pub mod authorize;
pub mod consent;
pub mod cookie;
pub mod cors;
pub mod device;
pub mod discovery;
pub mod document;
pub mod done;
pub mod form;
pub mod global_revocation;
pub mod introspect;
pub mod jwks;
pub mod login;
pub mod logout;
pub mod par;
pub mod protected;
pub mod register;
pub mod registration;
pub mod restrictions;
pub mod revoke;
pub mod token;
pub mod userinfo;
pub mod visit;
