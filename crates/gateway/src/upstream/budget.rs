//! How many retries there may be: where everything fails, they would only add to the load.

use std::sync::atomic::{AtomicU32, Ordering};

/// What one retry costs.
const RETRY: u32 = 5;
/// The most that is saved: so many retries are possible after a quiet time.
const MOST: u32 = 10 * RETRY;

/// Every request saves a fifth of a retry: over time at most 20 % of requests are sent again, beside the
/// ten that are there at the start.
pub(crate) struct Budget(AtomicU32);

// === impl Budget ===

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(MOST))
    }
}

impl Budget {
    /// A request came.
    pub(crate) fn save(&self) {
        // Full is the usual state, and then nothing is written.
        if self.0.load(Ordering::Relaxed) < MOST {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether one may be sent again.
    pub(crate) fn spend(&self) -> bool {
        let order = Ordering::Relaxed;
        self.0.fetch_update(order, order, |saved| saved.checked_sub(RETRY)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn a_fifth_beside_what_was_saved() {
        let budget = Budget::default();
        let mut retries = 0;
        for _ in 0..1000 {
            budget.save();
            retries += u32::from(budget.spend());
        }
        assert!((200..=210).contains(&retries), "{retries}");
    }
}
