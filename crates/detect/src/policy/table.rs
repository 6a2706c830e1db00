//! The table of responses: the first row that fits a finding decides.

use std::collections::VecDeque;
use std::time::Duration;

use token::finding::{Target, Whom};
use token::time::Timestamp;

use super::builtin;
use super::judgement::Judgement;
use super::row::{Act, BadRow, Principal, Row};
use crate::sketch::recent::Recent;

/// Rows that were checked, in the order in which they are asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Table(Vec<Row>);

/// How much of what is built in is asked after a configuration's own rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BuiltIn {
    /// All of it is carried out.
    All,
    /// All of it is asked; what rests on a judgement is only told.
    #[default]
    Certain,
    /// Nothing.
    None,
}

/// A row that cannot be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}")]
pub struct BadTable {
    /// Which one, from 0.
    pub row: usize,
    /// Which member of it.
    pub member: &'static str,
    /// What is wrong with it.
    #[source]
    pub wrong: BadRow,
}

/// What the table is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matter<'a> {
    pub(super) detector: &'static str,
    pub(super) judgement: Judgement,
    pub(super) whom: &'a Whom,
    /// Whose repetition counts.
    pub(super) about: &'a str,
}

/// The row that decides, and what it restricts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen<'t> {
    pub(super) number: usize,
    pub(super) row: &'t Row,
    pub(super) target: Option<Target>,
}

/// How often rows were fitted by findings about somebody: the least recent are forgotten first.
pub(super) struct Repetition(Recent<(usize, String), VecDeque<Timestamp>>);

const REMEMBERED: usize = 50_000;

// === impl Table ===

impl Table {
    /// These rows, and after them what is built in.
    ///
    /// # Errors
    /// [`BadTable`] names the first row that cannot be carried out.
    pub fn new(own: Vec<Row>, built_in: BuiltIn) -> Result<Self, BadTable> {
        for (row, one) in own.iter().enumerate() {
            one.check().map_err(|(member, wrong)| BadTable { row, member, wrong })?;
        }
        let mut rows = own;
        match built_in {
            BuiltIn::All => rows.extend(builtin::rows(true)),
            BuiltIn::Certain => rows.extend(builtin::rows(false)),
            BuiltIn::None => {}
        }
        Ok(Self(rows))
    }

    /// The rows, in the order in which they are asked.
    pub fn rows(&self) -> &[Row] {
        &self.0
    }

    /// The first row that fits. Every row that would fit counts, for repetition.
    pub(super) fn choose<'t>(
        &'t self,
        matter: &Matter<'_>,
        repetition: &mut Repetition,
        now: Timestamp,
    ) -> Option<Chosen<'t>> {
        let mut chosen = None;
        for (number, row) in self.0.iter().enumerate() {
            let Some(target) = row.fits(matter) else { continue };
            let often = row.repeated <= 1 || repetition.reached(number, row, matter.about, now);
            if often && chosen.is_none() {
                chosen = Some(Chosen { number, row, target });
            }
        }
        chosen
    }
}

impl Default for Table {
    /// What is built in.
    fn default() -> Self {
        Self(builtin::rows(false))
    }
}

// === impl Row ===

impl Row {
    /// Whether it is for this, but for repetition; and what it restricts.
    fn fits(&self, matter: &Matter<'_>) -> Option<Option<Target>> {
        let Judgement { class, severity, confidence } = matter.judgement;
        let by_detector = self.detectors.is_empty()
            || self.detectors.iter().any(|detectors| detectors.include(matter.detector));
        let fits = by_detector
            && self.class.is_none_or(|wanted| wanted == class)
            && severity >= self.severity
            && confidence >= self.confidence
            && self.principal.is_none_or(|wanted| wanted == Principal::of(matter.whom));
        if !fits {
            return None;
        }
        match &self.act {
            Act::None | Act::Tag => Some(None),
            Act::Restrict { on, .. } => {
                on.iter().copied().find(|target| is_named(matter.whom, *target)).map(Some)
            }
        }
    }
}

/// Nothing can be done to somebody of whom no name is known.
const fn is_named(whom: &Whom, target: Target) -> bool {
    match target {
        Target::Client => whom.client.is_some(),
        Target::Grant => whom.grant.is_some(),
        Target::Ip => whom.ip.is_some(),
        Target::Session => whom.session.is_some(),
        Target::Subject => whom.subject.is_some(),
        Target::Token => whom.token.is_some(),
    }
}

// === impl Repetition ===

impl Repetition {
    pub(super) fn new() -> Self {
        Self(Recent::new(REMEMBERED))
    }

    /// Counts this one; whether there are as many as the row wants, within its time.
    fn reached(&mut self, number: usize, row: &Row, about: &str, now: Timestamp) -> bool {
        let wanted = usize::try_from(row.repeated).unwrap_or(usize::MAX);
        let times = self.0.touch(&(number, about.to_owned()));
        forget(times, now, row.within);
        times.push_back(now);
        if times.len() > wanted {
            times.pop_front();
        }
        times.len() >= wanted
    }
}

/// Forgets what is older than that.
pub(super) fn forget(times: &mut VecDeque<Timestamp>, now: Timestamp, within: Duration) {
    let start = now.minus(within);
    while times.front().is_some_and(|at| *at <= start) {
        times.pop_front();
    }
}
