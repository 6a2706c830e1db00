//! What was read from a text, by its hash: to read one takes longer than to look it up.

/// So many texts; another with the same place takes it.
const PLACES: usize = 4_096;

/// Answers about texts.
#[derive(Debug)]
pub(crate) struct Memo<T>(Vec<(u64, T)>);

impl<T: Copy + Default> Default for Memo<T> {
    fn default() -> Self {
        Self(vec![(0, T::default()); PLACES])
    }
}

// === impl Memo ===

impl<T: Copy + Default> Memo<T> {
    /// The answer for the text with this hash, which `read` gives if it is not held.
    pub(crate) fn of(&mut self, hash: u64, read: impl FnOnce() -> T) -> T {
        let Some(held) = self.0.get_mut(hash as usize % PLACES) else { return read() };
        if held.0 != hash {
            *held = (hash, read());
        }
        held.1
    }
}

#[cfg(test)]
mod tests {
    use super::{Memo, PLACES};

    #[test]
    fn a_text_is_read_once_until_another_takes_its_place() {
        let mut memo = Memo::<u32>::default();
        assert_eq!((memo.of(5, || 1), memo.of(5, || 2)), (1, 1));
        let other = 5 + PLACES as u64;
        assert_eq!((memo.of(other, || 3), memo.of(5, || 4)), (3, 4));
    }
}
