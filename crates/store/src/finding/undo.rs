//! Undoing what was done about a finding, and nothing else.

use std::collections::HashSet;

use rusqlite::params;
use serde_json::Value;
use token::id::FindingId;
use token::restriction::{Effect, Restriction};
use token::time::Timestamp;

use super::{COLUMNS, StoredFinding, Undoing, from_columns};
use crate::error::StoreError;
use crate::restriction::{self, Lift, NewRestriction};
use crate::sql;
use crate::writer::Act;

/// How a finding's own restriction would be.
struct Wanted {
    effect: Effect,
    until: Option<Timestamp>,
    reason: String,
}

pub(super) fn undo(
    act: &mut Act<'_>,
    id: &FindingId,
    actor: &str,
    now: Timestamp,
) -> Result<Undoing, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM findings WHERE id = ?1");
    let found = sql::one(act.db, &sql, [id.as_str()], from_columns)?;
    let Some(finding) = found else { return Ok(Undoing::Unknown) };
    if finding.undone_at.is_some() {
        return Ok(Undoing::AlreadyUndone);
    }
    let Some(seq) = finding.restriction else { return Ok(Undoing::NothingDone) };
    let Some(held) = restriction::at(act.db, seq)? else { return Ok(Undoing::NothingDone) };
    if !held.restriction.effect.can_be_lifted() {
        return Ok(Undoing::Final);
    }
    // A block that an administrator had set before is not this finding's to lift.
    let ours = held.restriction.actor.starts_with("detector:");
    if !ours || held.lifted_at.is_some() || !held.restriction.in_force(now) {
        return Ok(Undoing::NothingDone);
    }
    let others = others(act, seq, id)?;
    let outcome = if others.iter().any(|other| other.restriction_created) {
        Undoing::Kept(seq)
    } else {
        let kept = stand_anew(act, &held.restriction, &others, now)?;
        // After that: there must be no moment in which neither holds.
        match restriction::lift(act, seq, actor, now)? {
            Lift::Lifted if kept => Undoing::Kept(seq),
            Lift::Lifted => Undoing::Lifted(seq),
            Lift::Final => return Ok(Undoing::Final),
            Lift::NotInForce | Lift::Unknown => return Ok(Undoing::NothingDone),
        }
    };
    let sql = "UPDATE findings SET undone_at = ?2, undone_by = ?3 WHERE id = ?1";
    sql::execute(act.db, sql, params![id.as_str(), now.as_millis(), actor])?;
    Ok(outcome)
}

/// What came of undoing many: a restriction that one of them stood on until another was undone is lifted.
pub(super) fn settled(outcomes: Vec<Undoing>) -> Vec<Undoing> {
    let lifted: HashSet<u64> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Undoing::Lifted(seq) => Some(*seq),
            _ => None,
        })
        .collect();
    let settle = |outcome| match outcome {
        Undoing::Kept(seq) if lifted.contains(&seq) => Undoing::Lifted(seq),
        other => other,
    };
    outcomes.into_iter().map(settle).collect()
}

/// Those that the same restriction answers.
fn others(act: &Act<'_>, seq: u64, id: &FindingId) -> Result<Vec<StoredFinding>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM findings WHERE restriction = ?1 AND id <> ?2 AND undone_at IS NULL \
         ORDER BY position"
    );
    sql::all(act.db, &sql, params![sql::position(seq), id.as_str()], from_columns)
}

/// Writes what each of these would have by itself; whether anything of it is in force.
fn stand_anew(
    act: &mut Act<'_>,
    held: &Restriction,
    others: &[StoredFinding],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut written: Vec<(Effect, Option<Timestamp>, u64)> = Vec::new();
    for other in others {
        let wanted = wanted(&other.finding, held)?;
        if wanted.until.is_some_and(|until| until <= now) {
            continue;
        }
        let same = written
            .iter()
            .find(|(effect, until, _)| (effect, until) == (&wanted.effect, &wanted.until));
        let (seq, created) = match same {
            Some((_, _, seq)) => (*seq, false),
            None => {
                let new = NewRestriction {
                    selector: held.selector.clone(),
                    effect: wanted.effect.clone(),
                    from: held.from,
                    until: wanted.until,
                    reason: wanted.reason,
                    actor: format!("detector:{}", other.detector),
                };
                let seq = act.restrict(new, now)?.seq;
                written.push((wanted.effect, wanted.until, seq));
                (seq, true)
            }
        };
        let sql = "UPDATE findings SET restriction = ?2, restriction_created = ?3 WHERE id = ?1";
        sql::execute(act.db, sql, params![other.id.as_str(), sql::position(seq), created])?;
    }
    Ok(!written.is_empty())
}

fn wanted(finding: &Value, held: &Restriction) -> Result<Wanted, StoreError> {
    let corrupt = |_| StoreError::Corrupt { what: "finding" };
    let effect = match finding.get("effect") {
        Some(effect) => serde_json::from_value(effect.clone()).map_err(corrupt)?,
        // Kept by an earlier version, which only knew this one that can be lifted.
        None => Effect::Suspend,
    };
    let until = match finding.get("until") {
        Some(until) => Some(serde_json::from_value(until.clone()).map_err(corrupt)?),
        None => None,
    };
    let reason = finding.pointer("/evidence/summary").and_then(Value::as_str);
    let reason = reason.unwrap_or(&held.reason).to_owned();
    Ok(Wanted { effect, until, reason })
}
