//! The restriction log: append-only, numbered without holes, in memory before a call returns.

mod page;
mod row;

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};
use token::index::{Ahead, RestrictionIndex};
use token::restriction::{Effect, LogEntry, Restriction, Selector};
use token::time::Timestamp;

use crate::error::StoreError;
use crate::open::Store;
use crate::sql;
use crate::writer::{Act, AfterCommit};

pub use page::LogPage;

/// A token that is being signed while its grant is ended carries a time somewhat later than the
/// end. What is ended for good has no successor of the same name, so its revocation may reach
/// that far ahead.
const UNDER_WAY: Duration = Duration::from_secs(10);

/// How long after its expiry a checker may still take a token, for clocks that differ.
pub(crate) const LEEWAY: Duration = Duration::from_secs(300);

/// A restriction that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRestriction {
    /// What it is about.
    pub selector: Selector,
    /// What it does.
    pub effect: Effect,
    /// Fits tokens issued at or before this time (a token and a network: whatever their time).
    pub from: Timestamp,
    /// When it ends by itself; `None` for never.
    pub until: Option<Timestamp>,
    /// Why, in words for people.
    pub reason: String,
    /// Who: `admin:<subject>`, `client:<id>`, `detector:<name>` or `authority`.
    pub actor: String,
}

/// A restriction that is in force and is still to be written; dropped, it ends.
pub struct HeldRestriction {
    new: NewRestriction,
    ahead: Ahead,
}

/// What came of lifting a restriction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lift {
    /// It is a revocation: never lifted.
    Final,
    /// It holds no longer.
    Lifted,
    /// It had ended, or was lifted before.
    NotInForce,
    /// There is no such restriction.
    Unknown,
}

/// Which part of the log, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Only what holds at this time.
    pub in_force_at: Option<Timestamp>,
    /// Only what is older than this position.
    pub before: Option<u64>,
    /// At most this many.
    pub limit: usize,
}

/// One restriction of the log, with its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestrictionRow {
    /// The restriction.
    pub restriction: Arc<Restriction>,
    /// When it was lifted.
    pub lifted_at: Option<Timestamp>,
    /// Who lifted it.
    pub lifted_by: Option<String>,
}

impl Store {
    /// Appends a restriction. It holds at every check of this process before this returns.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written; then it does not hold.
    pub async fn restrict(
        &self,
        new: NewRestriction,
        now: Timestamp,
    ) -> Result<Arc<Restriction>, StoreError> {
        self.write(move |act| act.restrict(new, now)).await
    }

    /// Appends a restriction unless one that does at least the same is in force, as long and for
    /// every token that the new one would fit; says whether it was appended.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn restrict_once(
        &self,
        new: NewRestriction,
        now: Timestamp,
    ) -> Result<(Arc<Restriction>, bool), StoreError> {
        let held = self.hold_ahead(new, now);
        self.write(move |act| act.restrict_held(held, now)).await
    }

    /// Puts a restriction into force at once, until the act that takes it is on disk or has failed.
    #[must_use]
    pub fn hold_ahead(&self, new: NewRestriction, now: Timestamp) -> HeldRestriction {
        let new = normalised(new);
        let ahead = self.index().hold_ahead(Restriction {
            seq: 0,
            selector: new.selector.clone(),
            effect: new.effect.clone(),
            from: new.from,
            until: new.until,
            reason: new.reason.clone(),
            actor: new.actor.clone(),
            at: now,
        });
        HeldRestriction { new, ahead }
    }

    /// Ends a restriction before its time; the end is a row of its own.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn lift(&self, seq: u64, actor: &str, now: Timestamp) -> Result<Lift, StoreError> {
        let actor = actor.to_owned();
        self.write(move |act| lift(act, seq, &actor, now)).await
    }

    /// The restriction at this position, with its end.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn restriction(&self, seq: u64) -> Result<Option<RestrictionRow>, StoreError> {
        self.read(|db| row::at(db, seq))
    }

    /// What holds on exactly this selector, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn restrictions_on(
        &self,
        selector: &Selector,
        now: Timestamp,
    ) -> Result<Vec<Restriction>, StoreError> {
        self.read(|db| row::on_selector(db, selector, now))
    }

    /// The log without its lifts, newest first. What can fit nothing any more leaves it a week
    /// later.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn restrictions(&self, filter: Filter) -> Result<Vec<RestrictionRow>, StoreError> {
        self.read(|db| row::list(db, &filter))
    }
}

impl Act<'_> {
    /// Appends a restriction.
    pub(crate) fn restrict(
        &mut self,
        new: NewRestriction,
        now: Timestamp,
    ) -> Result<Arc<Restriction>, StoreError> {
        let new = normalised(new);
        let forget_at = self.forget_at(&new, now)?;
        let seq = sql::next(self.db, "restrictions")?;
        let restriction = Restriction {
            seq: u64::try_from(seq).map_err(|_| StoreError::Corrupt { what: "seq" })?,
            selector: new.selector,
            effect: new.effect,
            from: new.from,
            until: new.until,
            reason: new.reason,
            actor: new.actor,
            at: now,
        };
        row::insert(self.db, &restriction, forget_at)?;
        self.after_commit(AfterCommit::Log(LogEntry::Restrict(restriction.clone())));
        Ok(Arc::new(restriction))
    }

    /// Appends a restriction that is held, unless one that does as much is in force; says whether it was appended.
    pub(crate) fn restrict_held(
        &mut self,
        held: HeldRestriction,
        now: Timestamp,
    ) -> Result<(Arc<Restriction>, bool), StoreError> {
        let HeldRestriction { new, ahead } = held;
        let before = row::on_selector(self.db, &new.selector, now)?;
        let outcome = match before.into_iter().find(|before| does_as_much(before, &new)) {
            Some(before) => (Arc::new(before), false),
            None => (self.restrict(new, now)?, true),
        };
        // After the entry of the log: there must be no moment in which neither holds.
        self.after_commit(AfterCommit::Held(ahead));
        Ok(outcome)
    }

    /// Revokes every token of something that has ended and will not come back.
    pub(crate) fn revoke_for_good(
        &mut self,
        selector: Selector,
        reason: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let new = NewRestriction {
            selector,
            effect: Effect::Revoke,
            from: now.plus(UNDER_WAY),
            until: None,
            reason: reason.to_owned(),
            actor: actor.to_owned(),
        };
        self.restrict(new, now).map(drop)
    }

    /// When the row can fit nothing any more: at its end, or when the last token that it can fit
    /// has expired. A network has no last token, as long as a suspension stands nothing new is issued
    /// either, and what is partial fits new tokens as well: these stay until they end or are lifted.
    fn forget_at(
        &self,
        new: &NewRestriction,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        if new.until.is_some() {
            return Ok(new.until);
        }
        match (&new.effect, &new.selector) {
            (Effect::Revoke, Selector::Network(_)) => Ok(None),
            (Effect::Revoke, selector) => {
                let last_issue = new.from.max(now);
                let ordinary = last_issue.plus(self.shared.longest_token_life);
                let longest = row::longest_lived(self.db, selector, last_issue)?;
                let last_end = longest.map_or(ordinary, |end| end.max(ordinary));
                Ok(Some(last_end.plus(LEEWAY)))
            }
            _ => Ok(None),
        }
    }
}

/// Brings the log into memory.
pub(crate) fn load(
    db: &Connection,
    index: &RestrictionIndex,
    now: Timestamp,
) -> Result<(), StoreError> {
    for restriction in row::live(db, now)? {
        index.apply(&LogEntry::Restrict(restriction));
    }
    let sql = "SELECT value FROM counters WHERE name = 'restrictions'";
    if let Some(seq) = sql::one(db, sql, [], |row| row.seq("value"))? {
        // The newest entry may be a lift, or forgotten: positions go on from it all the same.
        index.apply(&LogEntry::Lift { seq, lifts: 0 });
    }
    Ok(())
}

/// The restriction at this position, with its end.
pub(crate) fn at(db: &Connection, seq: u64) -> Result<Option<RestrictionRow>, StoreError> {
    row::at(db, seq)
}

/// Ends a restriction before its time.
pub(crate) fn lift(
    act: &mut Act<'_>,
    seq: u64,
    actor: &str,
    now: Timestamp,
) -> Result<Lift, StoreError> {
    let Some(held) = row::at(act.db, seq)? else { return Ok(Lift::Unknown) };
    if !held.restriction.effect.can_be_lifted() {
        return Ok(Lift::Final);
    }
    if held.lifted_at.is_some() || !held.restriction.in_force(now) {
        return Ok(Lift::NotInForce);
    }
    let own = sql::next(act.db, "restrictions")?;
    let sql = "INSERT INTO restrictions (seq, lifts, actor, written_at, forget_at) \
               VALUES (?1, ?2, ?3, ?4, ?4)";
    sql::execute(act.db, sql, params![own, sql::position(seq), actor, now.as_millis()])?;
    let sql = "UPDATE restrictions SET forget_at = ?2 WHERE seq = ?1";
    sql::execute(act.db, sql, params![sql::position(seq), now.as_millis()])?;
    let own = u64::try_from(own).map_err(|_| StoreError::Corrupt { what: "seq" })?;
    act.after_commit(AfterCommit::Log(LogEntry::Lift { seq: own, lifts: seq }));
    Ok(Lift::Lifted)
}

/// Whether `held`, which is on the same selector and in force, leaves nothing for `new` to do.
fn does_as_much(held: &Restriction, new: &NewRestriction) -> bool {
    let as_strong = match (&held.effect, &new.effect, &new.selector) {
        (Effect::Suspend, Effect::Revoke, _) => false,
        // What is partial fits later tokens too, which what is not does not.
        (held, new, _) if held.is_partial() || new.is_partial() => held == new,
        // A suspension also keeps new tokens from being issued to these; a revocation does not.
        (
            Effect::Revoke,
            Effect::Suspend,
            Selector::Client(_) | Selector::Issuer | Selector::Key(_) | Selector::Subject(_),
        ) => false,
        _ => true,
    };
    let as_many =
        matches!(new.selector, Selector::Token(_) | Selector::Network(_)) || held.from >= new.from;
    let as_long = match (held.until, new.until) {
        (None, _) => true,
        (Some(held), Some(new)) => held >= new,
        (Some(_), None) => false,
    };
    as_strong && as_many && as_long
}

/// A network in the one notation by which addresses are looked up.
fn normalised(new: NewRestriction) -> NewRestriction {
    match new.selector {
        Selector::Network(net) => {
            NewRestriction { selector: Selector::Network(row::canonical(net)), ..new }
        }
        _ => new,
    }
}
