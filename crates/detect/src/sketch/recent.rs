//! A table of the keys seen last: when it is full, the one not seen for longest is forgotten.

use std::collections::HashMap;
use std::hash::Hash;

/// At most `capacity` keys with their state. What is forgotten depends on the order of use alone,
/// so a replay forgets the same.
pub(crate) struct Recent<K, V> {
    capacity: usize,
    /// Each key's slot.
    index: HashMap<K, usize>,
    slots: Vec<Slot<K, V>>,
    /// The slots used last and longest ago; each knows its neighbours in the order of use.
    newest: usize,
    oldest: usize,
}

struct Slot<K, V> {
    key: K,
    value: V,
    newer: usize,
    older: usize,
}

// === impl Recent ===

impl<K: Clone + Eq + Hash, V: Default> Recent<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, index: HashMap::new(), slots: Vec::new(), newest: 0, oldest: 0 }
    }

    /// The state of a key, which counts as a use; a new one when it was not held.
    pub(crate) fn touch(&mut self, key: &K) -> &mut V {
        let at = match self.index.get(key) {
            Some(at) => {
                let at = *at;
                if at != self.newest {
                    self.unlink(at);
                    self.link(at);
                }
                at
            }
            None => self.insert(key),
        };
        &mut self.slots[at].value
    }

    /// The state of a key without using it.
    pub(crate) fn peek(&self, key: &K) -> Option<&V> {
        self.index.get(key).map(|at| &self.slots[*at].value)
    }

    fn insert(&mut self, key: &K) -> usize {
        let (at, is_first) = (self.slots.len(), self.slots.is_empty());
        let at = if at >= self.capacity && !is_first {
            let oldest = self.oldest;
            self.unlink(oldest);
            self.index.remove(&self.slots[oldest].key);
            let slot = &mut self.slots[oldest];
            (slot.key, slot.value) = (key.clone(), V::default());
            oldest
        } else {
            self.slots.push(Slot { key: key.clone(), value: V::default(), newer: at, older: at });
            at
        };
        self.index.insert(key.clone(), at);
        if is_first {
            (self.newest, self.oldest) = (at, at);
        } else {
            self.link(at);
        }
        at
    }

    /// Takes a slot out of the order of use; it has to be linked again.
    fn unlink(&mut self, at: usize) {
        let (newer, older) = (self.slots[at].newer, self.slots[at].older);
        if at == self.oldest {
            self.oldest = newer;
        } else {
            self.slots[older].newer = newer;
        }
        if at == self.newest {
            self.newest = older;
        } else {
            self.slots[newer].older = older;
        }
    }

    fn link(&mut self, at: usize) {
        let newest = self.newest;
        self.slots[newest].newer = at;
        (self.slots[at].older, self.slots[at].newer) = (newest, at);
        self.newest = at;
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
        assert_eq!((table.index.len(), table.slots.len()), (2, 2));
    }

    #[test]
    fn the_order_is_that_of_use_in_every_size() {
        for capacity in 1..5usize {
            let mut table: Recent<u32, u32> = Recent::new(capacity);
            let mut order: Vec<u32> = Vec::new();
            let mut number = 1u32;
            for _ in 0..2000 {
                number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let key = (number >> 16) % 7;
                *table.touch(&key) += 1;
                order.retain(|held| *held != key);
                order.push(key);
                if order.len() > capacity {
                    order.remove(0);
                }
                let held = (0..7).filter(|key| table.peek(key).is_some()).count();
                assert!(order.iter().all(|key| table.peek(key).is_some()));
                assert_eq!(held, order.len());
            }
        }
    }
}
