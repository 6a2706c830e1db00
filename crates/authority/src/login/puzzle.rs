//! Work that a browser does before its password is looked at: numbers are looked for whose SHA-256 begins with
//! zero bits. A guess then costs its maker something, and a person about as long as typing takes.
//!
//! Nothing is kept of a puzzle that nobody has solved: it says itself what it is about, under an HMAC. It is good
//! for one name, in one browser, for a while, and, since its use is remembered, once. Where no script runs there
//! is no answer, and time stands in for it.

use std::time::Duration;

use aws_lc_rs::digest;
use token::base62;
use token::random::Random;
use token::time::Timestamp;

use super::browser::Browser;
use super::csrf::{Proofs, Purpose};
use super::name_key;

/// A puzzle has so many equal parts: the work is nearly the same each time, where one part would be luck.
pub(crate) const PARTS: u32 = 16;
/// How long one is good: enough to type a password, and far more than the longest wait.
pub(crate) const LIFE: Duration = Duration::from_mins(15);

/// 131 bits: nobody begins before the puzzle is made.
const SALT_CHARS: usize = 22;
/// Sixteen numbers of 32 bits.
const MAX_ANSWER_BYTES: usize = 16 * 11;

/// Zero bits that the hash of each part begins with; one more is twice the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Difficulty(u32);

/// A puzzle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Puzzle {
    difficulty: Difficulty,
    made: Timestamp,
    salt: String,
}

// === impl Difficulty ===

impl Difficulty {
    /// 16,384 hashes, which nobody notices.
    pub(crate) const EASIEST: Self = Self(10);
    /// 262,144 hashes: a few seconds on a slow and busy machine, about as long as typing takes.
    pub(crate) const HARDEST: Self = Self(14);
    /// The wait that stands for the easiest one; it doubles as the work does, to two minutes.
    const FIRST_WAIT: Duration = Duration::from_secs(7);

    /// The one for a part of what there can be.
    pub(crate) fn of(part: u32, whole: u32) -> Self {
        let steps = Self::HARDEST.0 - Self::EASIEST.0;
        let step = part.saturating_mul(steps).checked_div(whole).unwrap_or(steps);
        Self(Self::EASIEST.0 + step.min(steps))
    }

    /// Zero bits of each part.
    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// How long to wait where no script does the work.
    pub(crate) fn wait(self) -> Duration {
        Self::FIRST_WAIT * (1 << (self.0 - Self::EASIEST.0))
    }

    fn parse(text: &str) -> Option<Self> {
        let bits = Self(text.parse().ok()?);
        (Self::EASIEST..=Self::HARDEST).contains(&bits).then_some(bits)
    }
}

// === impl Puzzle ===

impl Puzzle {
    /// A new one.
    pub(crate) fn new(difficulty: Difficulty, random: &dyn Random, now: Timestamp) -> Self {
        Self { difficulty, made: now, salt: base62::random(SALT_CHARS, random) }
    }

    /// How hard it is.
    pub(crate) fn difficulty(&self) -> Difficulty {
        self.difficulty
    }

    /// What its form brings back, for a name in a browser.
    pub(crate) fn seal(&self, username: &str, browser: &Browser, proofs: &Proofs) -> String {
        let text = self.text();
        let tag = proofs.make(Purpose::Puzzle, browser.name(), &about(&text, username));
        format!("{text}.{tag}")
    }

    /// Reads that; `None` for what was made for another name or browser, is over, or was not made here.
    pub(crate) fn open(
        sealed: &str,
        username: &str,
        browser: &Browser,
        proofs: &Proofs,
        now: Timestamp,
    ) -> Option<Self> {
        let (text, tag) = sealed.rsplit_once('.')?;
        if !proofs.check(Purpose::Puzzle, browser.name(), &about(text, username), tag) {
            return None;
        }
        let mut parts = text.splitn(3, '.');
        let made = Timestamp::from_millis(parts.next()?.parse().ok()?);
        let difficulty = Difficulty::parse(parts.next()?)?;
        let puzzle = Self { difficulty, made, salt: parts.next()?.to_owned() };
        (made <= now && now < puzzle.until()).then_some(puzzle)
    }

    /// Its name, under which its use is remembered.
    pub(crate) fn id(&self) -> &str {
        &self.salt
    }

    /// When it is over.
    pub(crate) fn until(&self) -> Timestamp {
        self.made.plus(LIFE)
    }

    /// What every part's hash begins with.
    pub(crate) fn seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        let hash = digest::digest(&digest::SHA256, self.salt.as_bytes());
        seed.copy_from_slice(hash.as_ref());
        seed
    }

    /// Whether these are its numbers, in order, with points between them.
    pub(crate) fn is_solved(&self, answer: &str) -> bool {
        if answer.len() > MAX_ANSWER_BYTES || answer.split('.').count() != PARTS as usize {
            return false;
        }
        let seed = self.seed();
        (0..PARTS).zip(answer.split('.')).all(|(part, number)| {
            number.parse().is_ok_and(|number| zeros(&seed, part, number) >= self.difficulty.0)
        })
    }

    /// How much longer to wait where no script did the work.
    pub(crate) fn wait(&self, now: Timestamp) -> Duration {
        self.difficulty.wait().saturating_sub(now.since(self.made))
    }

    fn text(&self) -> String {
        format!("{}.{}.{}", self.made.as_millis(), self.difficulty.0, self.salt)
    }
}

/// What the HMAC is over; names are compared as the throttle does.
fn about(text: &str, username: &str) -> String {
    format!("{text}.{}", name_key(username))
}

/// Zero bits that the hash of one number begins with, the first 32 at most.
fn zeros(seed: &[u8; 32], part: u32, number: u32) -> u32 {
    let mut message = [0; 40];
    message[..32].copy_from_slice(seed);
    message[32..36].copy_from_slice(&part.to_be_bytes());
    message[36..].copy_from_slice(&number.to_be_bytes());
    let hash = digest::digest(&digest::SHA256, &message);
    let first = hash.as_ref().first_chunk().copied().unwrap_or([0xff; 4]);
    u32::from_be_bytes(first).leading_zeros()
}

#[cfg(test)]
pub(crate) mod tests;
