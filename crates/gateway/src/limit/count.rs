//! What was taken of limits, whatever they are called and allow just now.

use std::collections::hash_map::RandomState;
use std::sync::Arc;

use crate::limit::counters::Counters;
use crate::limit::in_flight::Places;

/// What was taken up to now. All clones are the same one.
#[derive(Clone)]
pub(crate) struct Count {
    pub(super) counters: Arc<dyn Counters>,
    pub(super) places: Places,
    pub(super) hasher: RandomState,
}

// === impl Count ===

impl Count {
    /// Nothing was taken yet.
    pub(crate) fn new(counters: Arc<dyn Counters>) -> Self {
        Self { counters, places: Places::default(), hasher: RandomState::new() }
    }
}
