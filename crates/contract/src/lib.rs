//! OpenAPI documents: the operations of an API, who may call them, and what their requests look like.
//!
//! [`Contract::read`] takes OpenAPI 3.0, 3.1 and 3.2, in JSON or YAML, in one file or in several below one folder.
//! It gives [`Operation`]s, each with its path as the gateway's routes have it and its [`Access`]; from one,
//! [`Contract::check`] compiles the [`RequestCheck`] that holds its requests against parameters, media types and
//! schemas. Nothing is fetched, patterns run in linear time, and what is said of a bad request names the place
//! and the rule, never the value.

#![forbid(unsafe_code)]

mod body;
mod check;
mod contract;
mod document;
mod form;
mod json;
mod mistake;
mod multipart;
mod operation;
mod parameter;
mod role;
mod schema;
mod security;
mod shape;
mod violation;

pub use check::{RequestCheck, UnknownQuery};
pub use contract::Contract;
pub use mistake::Mistake;
pub use operation::Operation;
pub use security::{Access, Demand};
pub use violation::{Broken, Violation};
