//! The last so many of something, written by all threads without waiting for one another.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// A ring of places. Whoever writes takes the next place and locks that alone.
pub(crate) struct Recent<T> {
    next: AtomicUsize,
    places: Box<[Mutex<Option<Box<T>>>]>,
}

impl<T> Recent<T> {
    /// With room for so many; with none it remembers nothing.
    pub(crate) fn new(count: usize) -> Self {
        Self { next: AtomicUsize::new(0), places: (0..count).map(|_| Mutex::default()).collect() }
    }

    /// Whether it remembers anything at all.
    pub(crate) fn is_on(&self) -> bool {
        !self.places.is_empty()
    }

    /// Puts one in place of the oldest.
    pub(crate) fn put(&self, item: T) {
        let mut item = item;
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(place) = turn.checked_rem(self.places.len()).and_then(|at| self.places.get(at))
        else {
            return;
        };
        let mut kept = place.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_deref_mut() {
            // Its memory is used again; what was in it is dropped outside of the lock.
            Some(oldest) => std::mem::swap(oldest, &mut item),
            None => {
                *kept = Some(Box::new(item));
                return;
            }
        }
        drop(kept);
    }

    /// The first answer that `look` gives, from the newest to the oldest.
    pub(crate) fn find<R>(&self, look: impl Fn(&T) -> Option<R>) -> Option<R> {
        let count = self.places.len();
        let newest = self.next.load(Ordering::Relaxed);
        (1..=count).find_map(|back| {
            let at = newest.wrapping_sub(back).checked_rem(count)?;
            let place = self.places.get(at)?.lock().unwrap_or_else(PoisonError::into_inner);
            place.as_deref().and_then(&look)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    fn has(recent: &Recent<u32>, item: u32) -> bool {
        recent.find(|one| (*one == item).then_some(())).is_some()
    }

    #[test]
    fn the_last_ones_are_found_and_older_ones_are_gone() {
        let recent = Recent::new(3);
        assert!(!has(&recent, 0));
        for item in 0..5 {
            recent.put(item);
        }
        let found: Vec<u32> = (0..5).filter(|item| has(&recent, *item)).collect();
        assert_eq!(found, [2, 3, 4]);
        assert_eq!(recent.find(|item| Some(*item)), Some(4), "the newest first");
    }

    #[test]
    fn without_room_nothing_is_remembered() {
        let recent = Recent::new(0);
        recent.put(1);
        assert!(!recent.is_on() && !has(&recent, 1));
    }

    #[test]
    fn threads_lose_nothing_that_fits() {
        let recent = Recent::new(4000);
        std::thread::scope(|scope| {
            for thread in 0..4u32 {
                let recent = &recent;
                scope.spawn(move || (0..1000).for_each(|n| recent.put(thread * 1000 + n)));
            }
        });
        assert!((0..4000).step_by(97).all(|item| has(&recent, item)));
    }
}
