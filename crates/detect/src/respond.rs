//! A finding's response → the restriction log, and back again.

use std::pin::Pin;

use serde_json::{Value, json};
use store::{
    Belongs, Incident, KeptFinding, NewDelivery, NewFinding, NewRestriction, Store, StoreError,
    StoredFinding, Undoing,
};
use token::event::{Event, EventKind, Origin, Who};
use token::finding::{Finding, Response, Target, Whom};
use token::id::FindingId;
use token::random::Random;
use token::restriction::{Effect, Restriction, Selector};
use token::time::Timestamp;

use crate::{detector, incidents};

/// A finding that was kept, and the event that tells of what was taken back.
#[derive(Debug)]
pub struct CarriedOut {
    /// As it is kept.
    pub finding: StoredFinding,
    /// `revoke` by `system`, when a restriction was written.
    pub event: Option<Event>,
}

/// What an undo did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undone {
    /// Position of the restriction.
    pub restriction: u64,
    /// Whether other findings are still answered by the same or by what they would have had themselves.
    pub kept: bool,
}

/// Why a finding cannot be undone.
#[derive(Debug, thiserror::Error)]
pub enum UndoRefused {
    /// It was undone before.
    #[error("it was undone before")]
    AlreadyUndone,
    /// It was a revocation.
    #[error("a revocation is final: the person signs in again, the client asks for a new token")]
    Final,
    /// Nothing was done about it, or that has ended.
    #[error("nothing that was done about it is still in force")]
    NothingDone,
    /// State cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such finding.
    #[error("there is no such finding")]
    Unknown,
}

/// A finding whose response holds already while both are being written, whether or not anybody waits for that.
pub struct Begun(Pin<Box<dyn Future<Output = Result<CarriedOut, StoreError>> + Send>>);

/// Does what the finding says and begins to keep it, with what `tell` says of it to others: the response holds when this
/// returns, and what is begun later is written later. A restriction that is already in force is not written again.
///
/// # Errors
/// [`StoreError`] when state cannot be read; then nothing is done.
pub async fn begin(
    store: &Store,
    finding: &Finding,
    now: Timestamp,
    random: &dyn Random,
    tell: &dyn Fn(&StoredFinding) -> Vec<NewDelivery>,
) -> Result<Begun, StoreError> {
    // Before anything else: whoever is stopped by it goes on until then.
    let answer = restriction(&finding.whom, &finding.response).map(|(selector, effect)| {
        let new = NewRestriction {
            selector,
            effect,
            from: now,
            until: finding.until,
            reason: finding.evidence.summary.clone(),
            actor: format!("detector:{}", finding.detector),
        };
        store.hold_ahead(new, now)
    });
    let mut value =
        serde_json::to_value(finding).map_err(|_| StoreError::Corrupt { what: "finding" })?;
    add_label(store, finding, &mut value).await?;
    let stored = StoredFinding {
        id: FindingId::generate(random),
        finding: value,
        ts: finding.ts,
        detector: finding.detector.to_owned(),
        incident: finding.incident.clone(),
        campaign: finding.campaign.clone(),
        restriction: None,
        restriction_created: false,
        undone_at: None,
        undone_by: None,
        verdict: None,
    };
    let campaign_since = incidents::since(finding.campaign.as_deref());
    let belongs = Belongs { campaign_since, joins: finding.joins.clone() };
    let told = tell(&stored);
    let kept = store.begin_finding(NewFinding { finding: stored, answer, belongs, told }, now);
    Ok(Begun(Box::pin(async move {
        let KeptFinding { finding, restriction } = kept.await?;
        let written = restriction.filter(|_| finding.restriction_created);
        Ok(CarriedOut { event: written.map(|restriction| told_of(&restriction, now)), finding })
    })))
}

/// The event that tells of what was taken back.
fn told_of(restriction: &Restriction, now: Timestamp) -> Event {
    Event {
        ts: now,
        ip: None,
        who: Who::default(),
        ua: None,
        origin: Origin::default(),
        kind: EventKind::Revoke {
            result: "ok".to_owned(),
            selector: Some(restriction.selector.to_string()),
            actor: Some("system".to_owned()),
            reason: Some(restriction.actor.clone()),
        },
    }
}

// === impl Begun ===

impl Begun {
    /// Waits until the finding and its response are on disk.
    ///
    /// # Errors
    /// [`StoreError`] when state could not be written: then the response has ended, and the finding is not kept either.
    pub async fn written(self) -> Result<CarriedOut, StoreError> {
        self.0.await
    }
}

/// Undoes what was done about a finding, exactly: what other findings stand on stays.
///
/// # Errors
/// [`UndoRefused`] says why that cannot be.
pub async fn undo(
    store: &Store,
    id: &FindingId,
    actor: &str,
    now: Timestamp,
) -> Result<Undone, UndoRefused> {
    outcome(store.undo_finding(id, actor, now).await?)
}

/// Undoes what was done about each finding of an incident or campaign by the same rules, and says what came of each
/// that was answered, the first one first.
///
/// # Errors
/// [`StoreError`] when state cannot be read or written; then some may be undone.
pub async fn undo_incident(
    store: &Store,
    incident: &Incident,
    actor: &str,
    now: Timestamp,
) -> Result<Vec<(StoredFinding, Result<Undone, UndoRefused>)>, StoreError> {
    let all = store.undo_incident(&incident.id, actor, now).await?;
    Ok(all.into_iter().map(|(finding, undoing)| (finding, outcome(undoing))).collect())
}

fn outcome(undoing: Undoing) -> Result<Undone, UndoRefused> {
    match undoing {
        Undoing::AlreadyUndone => Err(UndoRefused::AlreadyUndone),
        Undoing::Final => Err(UndoRefused::Final),
        Undoing::NothingDone => Err(UndoRefused::NothingDone),
        Undoing::Unknown => Err(UndoRefused::Unknown),
        Undoing::Kept(restriction) => Ok(Undone { restriction, kept: true }),
        Undoing::Lifted(restriction) => Ok(Undone { restriction, kept: false }),
    }
}

/// What a response restricts, and how.
pub(crate) fn restriction(whom: &Whom, response: &Response) -> Option<(Selector, Effect)> {
    let Response::Restrict(target, effect) = response else { return None };
    let selector = match *target {
        Target::Client => Selector::Client(whom.client.clone()?),
        Target::Grant => Selector::Grant(whom.grant.clone()?),
        Target::Ip => Selector::Network(detector::network_of(whom.ip?)),
        Target::Session => Selector::Session(whom.session.clone()?),
        Target::Subject => Selector::Subject(whom.subject.clone()?),
        Target::Token => Selector::Token(whom.token.clone()?),
    };
    Some((selector, effect.clone()))
}

/// Where the bait was hidden is what whoever reads the finding needs first.
async fn add_label(store: &Store, finding: &Finding, value: &mut Value) -> Result<(), StoreError> {
    let Some(token) = &finding.whom.token else { return Ok(()) };
    if let Some(bait) = store.honeytoken(token).await?
        && let Some(evidence) = value.get_mut("evidence")
    {
        // Lists and messages to others show the summary alone.
        let summary = format!("{}; the bait: {}", finding.evidence.summary, bait.label);
        evidence["summary"] = json!(summary);
        evidence["label"] = json!(bait.label);
    }
    Ok(())
}
