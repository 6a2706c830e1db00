//! How many requests of a key are under way.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limit::counters::Key;

/// Requests under way, by key.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Mutex<HashMap<Key, u32>>>);

/// A place that a request takes up until this is dropped.
pub(crate) struct InFlight {
    places: Places,
    key: Key,
}

// === impl Places ===

impl Places {
    /// Takes a place, unless that many are taken.
    pub(crate) fn enter(&self, key: Key, most: u32) -> Option<InFlight> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(key).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(InFlight { places: self.clone(), key })
    }
}

// === impl InFlight ===

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = taken.entry(self.key) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Places};

    #[test]
    fn places_are_free_again_when_they_are_left() {
        let places = Places::default();
        let first = places.enter(Key(1), 2).expect("free");
        let second = places.enter(Key(1), 2).expect("free");
        assert!(places.enter(Key(1), 2).is_none());
        assert!(places.enter(Key(2), 2).is_some());
        drop(first);
        let third = places.enter(Key(1), 2).expect("free again");
        drop((second, third));
        assert!(places.0.lock().expect("lock").is_empty(), "nothing is kept of nobody");
    }
}
