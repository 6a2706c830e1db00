//! One commit: each act in a savepoint of its own, all of them on disk together or not at all.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::background::Record;
use crate::error::StoreError;
use crate::shared::Shared;
use crate::writer::act::{Act, AfterCommit};

/// An act that waits, whatever it answers.
pub(super) trait Job: Send {
    /// Runs the act and keeps its outcome; `false` when its changes must be undone.
    fn run(&mut self, act: &mut Act<'_>) -> bool;

    /// Gives the outcome to the caller, or why nothing of the commit holds.
    fn answer(self: Box<Self>, failed: Option<&str>);
}

/// An act with its caller.
pub(super) struct Pending<T, F> {
    act: Option<F>,
    outcome: Result<T, StoreError>,
    caller: oneshot::Sender<Result<T, StoreError>>,
}

// === impl Pending ===

impl<T, F> Pending<T, F> {
    pub(super) fn new(act: F, caller: oneshot::Sender<Result<T, StoreError>>) -> Self {
        // What a panic leaves behind.
        Self { act: Some(act), outcome: Err(StoreError::ActPanicked), caller }
    }
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: FnOnce(&mut Act<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, act: &mut Act<'_>) -> bool {
        let Some(run) = self.act.take() else { return false };
        self.outcome = run(act);
        self.outcome.is_ok()
    }

    fn answer(self: Box<Self>, failed: Option<&str>) {
        let outcome = match failed {
            // What an act found may rest on another act of the same, failed commit.
            Some(cause) => {
                self.outcome.and_then(|_| Err(StoreError::NotCommitted(cause.to_owned())))
            }
            None => self.outcome,
        };
        // The caller may have gone away.
        drop(self.caller.send(outcome));
    }
}

/// Runs the jobs, writes the records that wait, commits, lets memory follow, answers.
pub(super) fn settle(db: &Connection, shared: &Shared, mut jobs: Vec<Box<dyn Job>>) {
    let records = shared.background.drain();
    if jobs.is_empty() && records.is_empty() {
        return;
    }
    match transact(db, shared, &mut jobs, &records) {
        Ok(changes) => {
            for change in changes {
                // Listeners of the index are not ours; one that panics must not end all writing.
                if catch_unwind(AssertUnwindSafe(|| change.apply(shared))).is_err() {
                    tracing::error!("a listener of the restriction index panicked");
                }
            }
            shared.note_born_restricted(&records);
            shared.gauges.committed(Ok(()));
            jobs.into_iter().for_each(|job| job.answer(None));
        }
        Err(error) => {
            if !db.is_autocommit()
                && let Err(error) = db.execute_batch("ROLLBACK")
            {
                tracing::error!(%error, "a failed transaction could not be rolled back");
            }
            let cause = error.to_string();
            tracing::error!(%cause, "a commit failed");
            shared.gauges.committed(Err(&cause));
            shared.gauges.lose(records.len());
            jobs.into_iter().for_each(|job| job.answer(Some(&cause)));
        }
    }
}

fn transact(
    db: &Connection,
    shared: &Shared,
    jobs: &mut [Box<dyn Job>],
    records: &[Record],
) -> Result<Vec<AfterCommit>, StoreError> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    // Records first: a revocation must know the tokens that were issued before it.
    if !records.is_empty() {
        let kept = in_savepoint(db, shared, |act| {
            match records.iter().try_for_each(|record| record.insert(act)) {
                Ok(()) => true,
                Err(error) => {
                    tracing::error!(%error, "records could not be written");
                    false
                }
            }
        })?;
        if kept.is_none() {
            shared.gauges.lose(records.len());
        }
    }
    let mut changes = Vec::new();
    for job in jobs {
        changes.extend(in_savepoint(db, shared, |act| job.run(act))?.into_iter().flatten());
    }
    db.prepare_cached("COMMIT")?.execute([])?;
    Ok(changes)
}

/// Runs one act; its changes of memory when it is to be kept, `None` when it was undone.
///
/// # Errors
/// When the transaction as a whole is lost: SQLite rolls everything back on its own when the disk
/// is full or fails.
fn in_savepoint(
    db: &Connection,
    shared: &Shared,
    run: impl FnOnce(&mut Act<'_>) -> bool,
) -> Result<Option<Vec<AfterCommit>>, StoreError> {
    db.prepare_cached("SAVEPOINT act")?.execute([])?;
    let mut act = Act::new(db, shared);
    let kept = catch_unwind(AssertUnwindSafe(|| run(&mut act))).unwrap_or_else(|_| {
        tracing::error!("an act of the store panicked");
        false
    });
    if !kept {
        db.prepare_cached("ROLLBACK TO act")?.execute([])?;
    }
    db.prepare_cached("RELEASE act")?.execute([])?;
    Ok(kept.then(|| act.into_changes()))
}
