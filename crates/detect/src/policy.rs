//! Sighting → finding: the table of what is done about what, and the brakes on automation.

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::{Brake, Class, Evidence, Finding, HeldBack, Response, Whom};
use token::time::Timestamp;

use crate::detector::Sighting;
use crate::incidents::Place;

mod brakes;
mod builtin;
pub mod family;
pub mod judgement;
pub mod row;
pub mod spared;
pub mod table;
pub mod tolerance;

use brakes::{Brakes, Planned};
use judgement::Judgement;
use row::Act;
use spared::Spared;
use table::{Chosen, Matter, Repetition, Table};
use tolerance::Tolerances;

/// What responses go by; replaced as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// What is done about what.
    pub table: Table,
    /// How many responses a minute are carried out.
    pub responses_per_minute: u32,
    /// Whether any is carried out at all.
    pub switched_on: bool,
    /// Who is never hit.
    pub spared: Spared,
}

/// The terms in force, shared by whoever replaces them and by the policy that goes by them.
#[derive(Debug, Default)]
pub struct Standing(RwLock<Arc<Terms>>);

/// Applies the table; the time is the events'.
pub struct Policy {
    standing: Arc<Standing>,
    terms: Arc<Terms>,
    repetition: Repetition,
    brakes: Brakes,
    tolerances: Tolerances,
}

// === impl Terms ===

impl Default for Terms {
    fn default() -> Self {
        Self {
            table: Table::default(),
            responses_per_minute: 60,
            switched_on: true,
            spared: Spared::default(),
        }
    }
}

// === impl Standing ===

impl Standing {
    /// With these.
    pub fn new(terms: Terms) -> Self {
        Self(RwLock::new(Arc::new(terms)))
    }

    /// The next finding goes by these.
    pub fn replace(&self, terms: Terms) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(terms);
    }

    fn current(&self) -> Arc<Terms> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

// === impl Policy ===

impl Policy {
    /// By the terms that stand there.
    pub fn new(standing: Arc<Standing>) -> Self {
        let terms = standing.current();
        let (repetition, brakes) = (Repetition::new(), Brakes::new());
        Self { standing, terms, repetition, brakes, tolerances: Tolerances::default() }
    }

    /// From now on these hold, and no others.
    pub fn tolerate(&mut self, tolerances: Tolerances) {
        self.tolerances = tolerances;
    }

    /// The finding.
    pub fn decide(&mut self, sighting: Sighting, event: &Event, place: Place) -> Finding {
        self.follow();
        let terms = Arc::clone(&self.terms);
        let detector = sighting.kind.detector();
        let (about, route) = (about(&sighting.whom), route(event));
        let about = about.unwrap_or_else(|| sighting.actor.clone());
        let mut judgement = judgement::of(sighting.kind);
        let mut facts = sighting.facts;
        let halvings = self.halvings(&judgement, detector, &about, route.as_deref(), event.ts);
        if halvings > 0 {
            facts.insert("confidence_before_feedback", json!(judgement.confidence));
            judgement.confidence /= f64::from(1 << halvings);
        }
        let matter = Matter { detector, judgement, whom: &sighting.whom, about: &about };
        let chosen = terms.table.choose(&matter, &mut self.repetition, event.ts);
        let decided = self.answer(chosen, &sighting.whom, event);
        let mut summary = sighting.summary;
        // What only observes does so every time: that is told by its member alone.
        if let Some(held) = decided.held_back.as_ref().filter(|held| held.by != Brake::Observe) {
            summary = format!("{summary}; {}", held.words());
        }
        Finding {
            ts: event.ts,
            detector,
            class: judgement.class,
            severity: judgement.severity,
            confidence: judgement.confidence,
            whom: sighting.whom,
            incident: place.incident,
            joins: place.joins,
            campaign: place.campaign,
            route,
            evidence: Evidence { summary, facts },
            response: decided.response,
            until: decided.until,
            held_back: decided.held_back,
        }
    }

    /// New terms count afresh: their rows are others.
    fn follow(&mut self) {
        let current = self.standing.current();
        if !Arc::ptr_eq(&current, &self.terms) {
            self.terms = current;
            self.repetition = Repetition::new();
            self.brakes = Brakes::new();
        }
    }

    /// Proof is no matter of habit: only what rests on a judgement can be doubted.
    fn halvings(
        &self,
        judgement: &Judgement,
        detector: &str,
        about: &str,
        route: Option<&str>,
        now: Timestamp,
    ) -> u32 {
        if judgement.class == Class::Certain {
            return 0;
        }
        let route = route.map(|route| format!("route:{route}")).unwrap_or_default();
        self.tolerances.halvings(detector, &[about, &route], now)
    }

    fn answer(&mut self, chosen: Option<Chosen<'_>>, whom: &Whom, event: &Event) -> Decided {
        let Some(chosen) = chosen else { return Decided::plain(Response::Tag) };
        let (Act::Restrict { effect, lasts, .. }, Some(target)) = (&chosen.row.act, chosen.target)
        else {
            let nothing = chosen.row.act == Act::None;
            return Decided::plain(if nothing { Response::None } else { Response::Tag });
        };
        let response = Response::Restrict(target, effect.clone());
        let until = lasts.map(|lasts| event.ts.plus(lasts));
        let per_minute = usize::try_from(self.terms.responses_per_minute).unwrap_or(usize::MAX);
        let planned = Planned { chosen, response: &response, until, whom, event, per_minute };
        let admitted = if !chosen.row.enforced {
            Err(Brake::Observe)
        } else if !self.terms.switched_on {
            Err(Brake::SwitchedOff)
        } else if self.terms.spared.would_be_hit(whom, target) {
            Err(Brake::Spared)
        } else {
            self.brakes.admit(&planned)
        };
        match admitted {
            Ok(()) => Decided { response, until, held_back: None },
            Err(by) => {
                let held_back = Some(HeldBack { response, until, by });
                Decided { response: Response::Tag, until: None, held_back }
            }
        }
    }
}

/// What came of the table and the brakes.
struct Decided {
    response: Response,
    until: Option<Timestamp>,
    held_back: Option<HeldBack>,
}

impl Decided {
    fn plain(response: Response) -> Self {
        Self { response, until: None, held_back: None }
    }
}

/// Whose repetition counts: a new token, or another address, is no new start for somebody who is known.
fn about(whom: &Whom) -> Option<String> {
    let subject = whom.subject.as_ref().map(|subject| format!("subject:{subject}"));
    let client = || whom.client.as_ref().map(|client| format!("client:{client}"));
    let network = || whom.ip.map(crate::detector::actor_of);
    subject.or_else(client).or_else(network)
}

/// Method and route, where the event is a request on a known one.
fn route(event: &Event) -> Option<String> {
    let EventKind::Request(request) = &event.kind else { return None };
    request.route.as_ref().map(|route| format!("{} {route}", request.method))
}

#[cfg(test)]
mod tests;
