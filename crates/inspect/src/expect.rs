//! What a description of the API says of a field.

use crate::finding::Place;

/// What kind of value belongs in a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expect {
    /// Text for people, or code: only what breaks out for certain is a finding.
    FreeText,
    /// A name, number, date or word of a list: the slightest sign is a finding.
    Identifier,
    /// Nothing is known: judged by its shape.
    #[default]
    Unknown,
    /// An address; one of an inner network is meant where `inner` is set.
    Url {
        /// Whether private addresses are in order.
        inner: bool,
    },
}

/// Whoever knows the fields of a route. Asked only when a value looks suspicious.
pub trait Expectations {
    /// What belongs at `place`.
    fn expect(&self, place: &Place) -> Expect;
}

/// Nothing is known of any field.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anything;

impl Expectations for Anything {
    fn expect(&self, _: &Place) -> Expect {
        Expect::Unknown
    }
}
