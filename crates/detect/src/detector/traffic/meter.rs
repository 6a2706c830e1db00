//! How much in a window, against the principal's own habit and against others of the same client.

use serde_json::json;

use crate::detector::traffic::seen::{Facts, Seen};
use crate::sketch::habit::{self, Habit};
use crate::sketch::once::Once;
use crate::sketch::spread::Spread;

/// So many windows of others are worth comparing with.
const PEERS: u32 = 20;
/// Of fewer, many may have only begun; whoever is not known for a day is then given so many times
/// the limit.
const MANY_PEERS: u32 = 100;
/// Whoever has nobody to be compared with is not known before it has shown a week's rhythm.
const WEEK: u32 = 7 * 86_400;
const UNKNOWN: f32 = 2.0;
/// And nothing is said of its days before so many whole ones were seen: most begin in the middle of one.
const DAYS: u32 = 1;
/// So long a client that speaks for itself has shown, on its first day, what it asks for all the time.
const EARLY: u32 = 6 * 3600;
/// Of a day in that week: a Monday is no Sunday.
const UNKNOWN_DAY: f32 = 3.0;

/// What is too much.
pub(super) struct Limits {
    /// Length of a window in seconds.
    pub(super) window: u32,
    /// Less is never too much.
    pub(super) floor: f32,
    /// So many times the own peak is too much.
    pub(super) own: f32,
    /// Whether what somebody did on their first day is a habit already.
    pub(super) first_day: bool,
    /// So many times what 99 of 100 windows of others reach is too much.
    pub(super) peers: f32,
    /// Whether some take far more than most by habit, as of bytes: files differ much.
    pub(super) long_tail: bool,
    /// More than so much is too much for a person of whom nothing is known and who has nobody to be compared with.
    pub(super) alone: f32,
    /// So many times the own peak is too much for a client that speaks for itself, on its first day already.
    pub(super) early: f32,
}

// === impl Limits ===

impl Limits {
    /// Days are compared when they are over: in the morning everybody's is short.
    const fn is_short(&self) -> bool {
        self.window < 86_400
    }
}

/// One principal's amount in the running window, and its habit: 20 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter {
    window: u32,
    amount: f32,
    habit: Habit,
    once: Once,
}

/// More than the limit.
pub(super) struct Excess {
    pub(super) amount: f32,
    limit: f32,
    own: f32,
    peers: f32,
    /// Of a hundred windows of others so many stay below that.
    share: u32,
    window: u32,
}

// === impl Meter ===

impl Meter {
    /// Whether a new window began, of which nothing is known yet. What the last one held is learnt.
    pub(super) fn roll(
        &mut self,
        first: u32,
        now: u32,
        limits: &Limits,
        peers: &mut Spread,
    ) -> bool {
        let window = now / limits.window;
        if window <= self.window {
            return false;
        }
        if self.amount > 0.0 {
            // Others learn no attack, and the principal itself little of it.
            if self.once.is_open(now) {
                self.habit.learn_little(now, self.amount);
            } else {
                // The age that counts is that of the window, whenever its end is noticed.
                let then = self.window * limits.window;
                self.habit.learn(first, then, self.amount, limits.floor / limits.own);
                if !limits.is_short() {
                    peers.add(self.amount);
                }
            }
        }
        self.window = window;
        self.amount = 0.0;
        true
    }

    /// The next window goes on with what the last one held: others know it once.
    pub(super) fn carry_over(&self, now: u32, limits: &Limits, peers: &mut Spread) {
        if now / limits.window > self.window && self.amount > 0.0 && !self.once.is_open(now) {
            peers.take(self.amount);
        }
    }

    /// The running window.
    pub(super) const fn window(&self) -> u32 {
        self.window
    }

    /// The hour of the day that has ended, if something begins a new one, and it was worth noting: a quarter of the peak.
    pub(super) fn busy_hour(&self, now: u32) -> Option<u32> {
        let is_busy = self.amount > 0.0 && self.amount * 4.0 >= self.habit.peak();
        (now / 3600 > self.window && is_busy && !self.once.is_open(now)).then_some(self.window % 24)
    }

    /// So many times the own peak, where that alone is too much.
    pub(super) fn judge_alone(&mut self, now: u32, limits: &Limits, times: f32) -> Option<Excess> {
        let own = self.habit.peak();
        let limit = limits.floor.max(own * times);
        if own <= 0.0 || self.amount <= limit || !self.once.allows(now, self.amount / limit) {
            return None;
        }
        Some(self.above(limit, own, limits))
    }

    /// More than anybody's, whoever they are, and so many times the own peak.
    pub(super) fn judge_plain(&mut self, now: u32, limits: &Limits) -> Option<Excess> {
        let own = self.habit.peak();
        let limit = limits.floor.max(own * limits.own);
        if self.amount <= limit || !self.once.allows(now, self.amount / limit) {
            return None;
        }
        Some(self.above(limit, own, limits))
    }

    /// What is too much where nine in ten others hardly do it: so many times what these reach, and no less than so
    /// many times the own habit, if one is known.
    pub(super) fn judge_rare(
        &mut self,
        first: u32,
        now: u32,
        limits: &Limits,
        peers: &mut Spread,
        windows: u32,
    ) -> Option<Excess> {
        let is_counted = limits.is_short() && !self.once.is_open(now);
        if is_counted {
            peers.take(self.amount);
        }
        let peers_p90 = peers.p90(windows);
        let own = if habit::is_known(first, now) { self.habit.peak() } else { 0.0 };
        let limit = limits.floor.max(own * limits.own).max(peers_p90 * limits.peers);
        if self.amount <= limit || !self.once.allows(now, self.amount / limit) {
            if is_counted {
                peers.add(self.amount);
            }
            return None;
        }
        Some(Excess { peers: peers_p90, share: 90, ..self.above(limit, own, limits) })
    }

    /// More than the limit, which is nobody else's.
    const fn above(&self, limit: f32, own: f32, limits: &Limits) -> Excess {
        let window = limits.window;
        Excess { amount: self.amount, limit, own, peers: 0.0, share: 99, window }
    }

    /// How much it is used: the running window and the habit.
    pub(super) fn weight(&self) -> f32 {
        self.amount.max(self.habit.peak())
    }

    pub(super) fn add(&mut self, amount: f32, now: u32, limits: &Limits, peers: &mut Spread) {
        self.raise_to(self.amount + amount, now, limits, peers);
    }

    /// Others know a short window while it runs, so that they can be compared with in the first hour.
    pub(super) fn raise_to(&mut self, amount: f32, now: u32, limits: &Limits, peers: &mut Spread) {
        if amount <= self.amount {
            return;
        }
        if limits.is_short() && !self.once.is_open(now) {
            peers.grow(self.amount, amount);
        }
        self.amount = amount;
    }

    /// The same was reported by another measure: nothing more of it is said or learnt.
    pub(super) fn hush(&mut self, now: u32) {
        self.once.allows(now, 1.0);
    }

    /// What is too much and was not reported yet. With neither a day of its own nor others to
    /// compare with, nothing is; others of an unknown client may be of many clients, and do not
    /// make up for the day.
    pub(super) fn judge(
        &mut self,
        first: u32,
        seen: &Seen<'_>,
        limits: &Limits,
        peers: &mut Spread,
    ) -> Option<Excess> {
        if self.amount <= limits.floor {
            return None;
        }
        self.judge_among(first, seen, limits, peers, peers.count())
    }

    /// The same where so many windows of others are known, most of them with nothing in it.
    pub(super) fn judge_among(
        &mut self,
        first: u32,
        seen: &Seen<'_>,
        limits: &Limits,
        peers: &mut Spread,
        windows: u32,
    ) -> Option<Excess> {
        if self.amount <= limits.floor {
            return None;
        }
        let now = seen.now;
        let has_habit = limits.first_day || habit::is_known(first, now);
        let own = if has_habit { self.habit.peak() } else { 0.0 };
        let is_counted = limits.is_short() && !self.once.is_open(now);
        let count = windows.saturating_sub(u32::from(is_counted));
        let others = count >= PEERS && !seen.is_own_client();
        let are_alike = others && seen.has_client;
        let is_plain = !seen.is_own_client() && self.amount > limits.alone;
        let is_known = if others || limits.is_short() {
            habit::is_known(first, now)
        } else {
            now / limits.window > first / limits.window + DAYS
        };
        let is_early = seen.is_own_client()
            && now.saturating_sub(first) >= EARLY
            && own > 0.0
            && self.amount > own * limits.early;
        if !are_alike && !is_known && !is_plain && !is_early {
            return None;
        }
        if is_counted {
            peers.take(self.amount);
        }
        let p99 = if others { peers.p99(count) } else { 0.0 };
        let mut limit = limits.floor.max(own * limits.own).max(p99 * limits.peers);
        let is_new = if others {
            count < MANY_PEERS && !habit::is_known(first, now)
        } else {
            now.saturating_sub(first) < WEEK
        };
        if is_new {
            limit *= if others || limits.is_short() { UNKNOWN } else { UNKNOWN_DAY };
        }
        if limits.long_tail && others && self.amount > limit {
            limit = limit.max(p99 * peers.tail(count));
        }
        if self.amount <= limit {
            if is_counted {
                peers.add(self.amount);
            }
            return None;
        }
        if !self.once.allows(now, self.amount / limit) {
            return None;
        }
        Some(Excess { peers: p99, ..self.above(limit, own, limits) })
    }
}

// === impl Excess ===

impl Excess {
    pub(super) fn facts(&self) -> Facts {
        Facts::from([
            ("amount", json!(self.amount.round())),
            ("limit", json!(self.limit.round())),
            ("own_peak", json!(self.own.round())),
            (if self.share == 99 { "peers_p99" } else { "peers_p90" }, json!(self.peers.round())),
            ("window_seconds", json!(self.window)),
        ])
    }

    /// `within an hour; its own peak was 12, and 99 of 100 others of the client stay below 30`.
    pub(super) fn compared(&self) -> String {
        let span = if self.window >= 86_400 { "a day" } else { "an hour" };
        format!(
            "within {span}; its own peak was {:.0}, and {} of 100 others of the client stay below {:.0}",
            self.own, self.share, self.peers
        )
    }
}
