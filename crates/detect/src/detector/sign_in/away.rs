//! A strange place where a key is used, and how often it came back there after it was used at home.

/// One strange place at a time; none where the place is zero.
#[derive(Clone, Copy, Default)]
pub(super) struct Away {
    pub(super) place: u64,
    /// In seconds since 1970.
    since: u32,
    pub(super) uses: u16,
    pub(super) returns: u8,
    is_answered: bool,
}

// === impl Away ===

impl Away {
    /// Whether the key was in such a place within so many seconds.
    pub(super) const fn is_on(&self, now: u32, window: u32) -> bool {
        self.place != 0 && now.saturating_sub(self.since) <= window
    }

    /// It is used there; in another place, or after so many seconds, for the first time.
    pub(super) fn come(&mut self, place: u64, now: u32, window: u32) {
        if self.place != place || !self.is_on(now, window) {
            *self = Self { place, since: now, ..Self::default() };
        }
        self.uses = self.uses.saturating_add(1);
        if self.is_answered {
            (self.returns, self.is_answered) = (self.returns.saturating_add(1), false);
        }
    }

    /// It is used at home.
    pub(super) const fn answer(&mut self) {
        self.is_answered = self.place != 0;
    }
}
