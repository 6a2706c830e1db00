//! Before a password is looked at: whether its browser has to do work first, and has.
//!
//! Never asked are a session of the account, a browser in which its person signed in before, and a passkey. So
//! whoever drives the counts up makes strangers work, or wait for two minutes at most, and keeps nobody out.

use std::net::IpAddr;
use std::time::Duration;

use token::random::Random;
use token::time::Timestamp;

use super::browser::Browser;
use super::puzzle::{Difficulty, Puzzle};
use super::session::SignedIn;
use super::throttle::{Allowance, site};
use super::{Desk, SignInRefused, name_key};

/// Tries that waited in place of work, at one name from one site: who mistypes has another.
const WAITED: u32 = 2;

/// A password may be looked at.
#[derive(Debug)]
pub struct Toll(());

/// Who asks for that, and what their form brings along.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comer<'a> {
    /// The name as it was typed.
    pub(crate) username: &'a str,
    /// The user name that it stands for.
    pub(crate) account: &'a str,
    pub(crate) browser: &'a Browser,
    pub(crate) ip: Option<IpAddr>,
    /// The puzzle as it was given out; may be empty.
    pub(crate) puzzle: &'a str,
    /// Empty where no script has solved it.
    pub(crate) answer: &'a str,
}

/// Work is asked for first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many failed tries at this name or from this network; a puzzle has to be solved first")]
pub struct Owed {
    /// Which one.
    pub(crate) puzzle: Puzzle,
    /// How much longer it takes without a script.
    pub(crate) wait: Duration,
}

// === impl Toll ===

impl Toll {
    /// Whoever is signed in does not guess at their own name, which is the one to try.
    pub(crate) fn of_session(_: &SignedIn) -> Self {
        Self(())
    }
}

// === impl Desk ===

impl Desk {
    /// How much work is asked of whoever types this name here, which stands for this account.
    pub(crate) fn demand(
        &self,
        username: &str,
        account: &str,
        browser: &Browser,
        ip: Option<IpAddr>,
        now: Timestamp,
    ) -> Option<Difficulty> {
        match browser.known_as(account, &self.proofs) {
            Some(_) => None,
            None => self.pressure.demand(username, ip, now),
        }
    }

    /// Takes what a form brings for its password to be looked at. `use_once` says whether the puzzle of this name,
    /// which is good until then, is used for the first time.
    ///
    /// # Errors
    /// [`SignInRefused::Owed`] with the puzzle to solve; whether there is somebody of the name makes no difference.
    pub(crate) fn collect(
        &self,
        comer: Comer<'_>,
        random: &dyn Random,
        now: Timestamp,
        use_once: impl FnOnce(&str, Timestamp) -> bool,
    ) -> Result<Toll, SignInRefused> {
        let Comer { username, account, browser, ip, puzzle, answer } = comer;
        let Some(difficulty) = self.demand(username, account, browser, ip, now) else {
            return Ok(Toll(()));
        };
        let owed = |puzzle: Puzzle, wait| Err(SignInRefused::Owed(Owed { puzzle, wait }));
        let another = || owed(Puzzle::new(difficulty, random, now), difficulty.wait());
        // A puzzle given out before there were more failures is good as it is: else whoever guesses could make
        // the work of everybody else worthless.
        let Some(puzzle) = Puzzle::open(puzzle, username, browser, &self.proofs, now) else {
            return another();
        };
        if answer.is_empty() {
            let left = puzzle.wait(now);
            if !left.is_zero() {
                return owed(puzzle, left);
            }
            let allowance = Allowance { burst: WAITED, every: puzzle.difficulty().wait() };
            let key = ("waited", name_key(username), site(ip));
            if let Err(throttled) = self.throttle.charge(key, allowance, now) {
                return owed(puzzle, throttled.wait);
            }
        } else if !puzzle.is_solved(answer) {
            return another();
        }
        if use_once(puzzle.id(), puzzle.until()) { Ok(Toll(())) } else { another() }
    }
}
