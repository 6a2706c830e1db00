//! Who waits for a password to be worked on, and whose turn it is.
//!
//! First the lines take turns, then the accounts within a line: one sender, however fast, is one in the round.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use crate::login::throttle::site;

/// Where somebody queues: with everybody else of their network of the same standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Line {
    network: Option<IpAddr>,
    is_known: bool,
}

/// A place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: Line,
    /// A keyed hash of the account's name: names of strangers are not kept here.
    pub(super) account: u64,
}

/// Says which of those at a place is meant; counts upwards.
pub(super) type Ticket = u64;

/// How many may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) in_all: usize,
    pub(super) in_line: usize,
}

/// What waits, in lines. Nothing here takes longer than to look once at all that wait.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    bounds: Bounds,
    lines: HashMap<Line, Accounts<T>>,
    /// The lines in which somebody waits, each once; the first is next.
    turns: VecDeque<Line>,
    waiting: usize,
    next: Ticket,
}

/// What waits in one line.
#[derive(Debug)]
struct Accounts<T> {
    of: HashMap<u64, VecDeque<(Ticket, T)>>,
    /// The accounts for which something waits, each once; the first is next.
    turns: VecDeque<u64>,
    waiting: usize,
}

// === impl Line ===

impl Line {
    /// The line for an address: its /24, or its /56 of IPv6. What a site or a household is given is one
    /// network, so that whoever has one has one turn.
    pub(super) fn of(ip: Option<IpAddr>, is_known: bool) -> Self {
        Self { network: site(ip), is_known }
    }
}

// === impl FairQueue ===

impl<T> FairQueue<T> {
    /// Nobody waits.
    pub(super) fn new(bounds: Bounds) -> Self {
        let (lines, turns) = (HashMap::new(), VecDeque::new());
        Self { bounds, lines, turns, waiting: 0, next: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    /// Lets somebody in at the end; what has to leave for that.
    pub(super) fn push(&mut self, place: Place, what: T) -> (Ticket, Option<T>) {
        let ticket = self.next;
        self.next += 1;
        let line = self.lines.entry(place.line).or_insert_with(|| {
            self.turns.push_back(place.line);
            Accounts::new()
        });
        line.push(place.account, ticket, what);
        self.waiting += 1;
        let too_many = if line.waiting > self.bounds.in_line {
            line.longest().map(|(ticket, account)| (ticket, Place { line: place.line, account }))
        } else if self.waiting > self.bounds.in_all {
            self.longest()
        } else {
            None
        };
        (ticket, too_many.and_then(|(ticket, place)| self.remove(place, ticket)))
    }

    /// Whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        let line = self.turns.pop_front()?;
        let accounts = self.lines.get_mut(&line)?;
        let what = accounts.pop();
        self.waiting -= usize::from(what.is_some());
        if accounts.waiting == 0 {
            self.lines.remove(&line);
        } else {
            self.turns.push_back(line);
        }
        what
    }

    /// Takes out who does not wait any longer; `None` when it was their turn before.
    pub(super) fn remove(&mut self, place: Place, ticket: Ticket) -> Option<T> {
        let accounts = self.lines.get_mut(&place.line)?;
        let what = accounts.remove(place.account, ticket)?;
        self.waiting -= 1;
        if accounts.waiting == 0 {
            self.lines.remove(&place.line);
            self.turns.retain(|line| *line != place.line);
        }
        Some(what)
    }

    /// Who waits longest in the fullest line.
    fn longest(&self) -> Option<(Ticket, Place)> {
        let fullest = self.lines.values().map(|line| line.waiting).max()?;
        let full = self.lines.iter().filter(|(_, accounts)| accounts.waiting == fullest);
        let longest = full.filter_map(|(line, accounts)| {
            let (ticket, account) = accounts.longest()?;
            Some((ticket, Place { line: *line, account }))
        });
        longest.min_by_key(|(ticket, _)| *ticket)
    }
}

// === impl Accounts ===

impl<T> Accounts<T> {
    fn new() -> Self {
        Self { of: HashMap::new(), turns: VecDeque::new(), waiting: 0 }
    }

    fn push(&mut self, account: u64, ticket: Ticket, what: T) {
        let line = self.of.entry(account).or_insert_with(|| {
            self.turns.push_back(account);
            VecDeque::new()
        });
        line.push_back((ticket, what));
        self.waiting += 1;
    }

    fn pop(&mut self) -> Option<T> {
        let account = self.turns.pop_front()?;
        let line = self.of.get_mut(&account)?;
        let (_, what) = line.pop_front()?;
        self.waiting -= 1;
        if line.is_empty() {
            self.of.remove(&account);
        } else {
            self.turns.push_back(account);
        }
        Some(what)
    }

    fn remove(&mut self, account: u64, ticket: Ticket) -> Option<T> {
        let line = self.of.get_mut(&account)?;
        let at = line.iter().position(|(held, _)| *held == ticket)?;
        let (_, what) = line.remove(at)?;
        self.waiting -= 1;
        if line.is_empty() {
            self.of.remove(&account);
            self.turns.retain(|held| *held != account);
        }
        Some(what)
    }

    /// Who waits longest for the account for which most wait.
    fn longest(&self) -> Option<(Ticket, u64)> {
        let fullest = self.of.values().map(VecDeque::len).max()?;
        let full = self.of.iter().filter(|(_, line)| line.len() == fullest);
        full.filter_map(|(account, line)| Some((line.front()?.0, *account))).min()
    }
}

#[cfg(test)]
mod tests;
