//! A table of the keys seen last: when it is full, the one not seen for longest is forgotten.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// At most `capacity` keys with their state. What is forgotten depends on the order of use alone,
/// so a replay forgets the same.
pub(crate) struct Recent<K, V> {
    capacity: usize,
    entries: HashMap<K, (u64, V)>,
    by_use: BTreeMap<u64, K>,
    uses: u64,
}

// === impl Recent ===

impl<K: Clone + Eq + Hash, V: Default> Recent<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, entries: HashMap::new(), by_use: BTreeMap::new(), uses: 0 }
    }

    /// The state of a key, which counts as a use; a new one when it was not held.
    pub(crate) fn touch(&mut self, key: &K) -> &mut V {
        self.uses += 1;
        if let Some((last, _)) = self.entries.get(key) {
            self.by_use.remove(last);
        } else if self.entries.len() >= self.capacity
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.entries.remove(&oldest);
        }
        self.by_use.insert(self.uses, key.clone());
        let entry = self.entries.entry(key.clone()).or_insert_with(|| (0, V::default()));
        entry.0 = self.uses;
        &mut entry.1
    }

    /// The state of a key without using it.
    pub(crate) fn peek(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn the_key_not_used_for_longest_is_forgotten() {
        let mut table: Recent<&str, u32> = Recent::new(2);
        *table.touch(&"a") += 1;
        *table.touch(&"b") += 1;
        *table.touch(&"a") += 1;
        *table.touch(&"c") += 1;
        assert_eq!(table.peek(&"a"), Some(&2));
        assert_eq!(table.peek(&"b"), None);
        assert_eq!((table.entries.len(), table.by_use.len()), (2, 2));
    }
}
