//! Inspection for injections: the parts of one request in, the first finding out.
//!
//! Every value of a request is taken out of its wrapping ([`Inspector`] knows query strings, forms, JSON,
//! GraphQL, multipart and XML), decoded as a careless reader would decode it, and shown to one recogniser
//! for each class. A recogniser looks for the *break-out*: the point where a value stops being a value.
//! How sure it must be depends on the field: long text may speak of `UNION SELECT`, an identifier may
//! not.
//!
//! It needs no I/O and no clock, keeps no state between requests, and its work is bounded by [`Limits`].

#![forbid(unsafe_code)]

mod class;
mod decode;
mod disguise;
mod expect;
mod finding;
mod inspector;
mod judge;
mod limits;
mod lure;
mod lure_word;
mod mark;
mod role;
mod shape;
mod walk;

pub use expect::{Anything, Expect, Expectations};
pub use finding::{Class, Finding, Place, Stop};
pub use inspector::{Body, Inspector};
pub use limits::{Excess, Limits};
