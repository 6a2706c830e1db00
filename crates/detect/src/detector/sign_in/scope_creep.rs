//! A client asks for what it never asked for before.
//!
//! One more scope is a new release. Three within a day, or one that is administrative or moves money, of a client that
//! is known for a week and for twenty requests, are worth a question, where two people ask: one may have a new role. Of
//! a client that speaks for itself, whose role is made by its owner and not by people, a day and four requests are
//! enough: a nightly export asks seldom. So is less than that for one that tries what it may have, after its first
//! hour: of a client that speaks for itself three scopes that it had not, some of them refused; of any client three
//! different sets of scopes that are refused within a day, where a mistake asks for the same again and again, or, in
//! its first hour too, three sets among eight refusals. Renewals may ask for no more than was granted: those for three
//! people within a day are told, from the first hour on, that ask for three scopes to which nobody agreed, something
//! sensitive among them, of a client that was never granted ten renewals, since a release that goes wrong was. And so
//! are three steps within a day by which a client that people use asks for ever more: each for all of the step before
//! and something new, until somebody has agreed to some and something administrative or of money is among it; and five
//! of a client that speaks for itself, in its first hour too. People of different roles ask for different scopes and
//! not for ever more. So are three people who agree within a day to three scopes, something sensitive among them, that
//! a client, whoever vouches for it, had not in its first ten requests and hour: its people are asked for one thing,
//! and what an application learns to do it asks for one by one. Only token requests and consent count: a link with a
//! client's name and any scopes can be made by anybody. What was told is known from then on. State: 5,000 clients of at
//! most 2.2 kB.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;
use token::event::{Event, EventKind, GrantCause};
use token::finding::Whom;
use token::id::{ClientId, SubjectId};
use token::scope::ScopeSet;
use token::term::GrantType;
use token::time::Timestamp;

use crate::detector::sign_in::known::Known;
use crate::detector::sign_in::source::number;
use crate::detector::sign_in::{SignIn, sensitive};
use crate::detector::{Detector, Kind, Sighting};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const CLIENTS: usize = 5_000;
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const REQUESTS: u32 = 20;
const OWN_REQUESTS: u32 = 4;
/// Its first requests show what a client needs.
const BEGINNING: Duration = Duration::from_secs(3600);
const MANY: usize = 3;
const MANY_EARLY: usize = 8;
/// Steps of a client that speaks for itself: its owner may try out what it needs.
const OWN_STEPS: usize = 5;
/// Requests after which an application has shown what it asks people for.
const SHOWN: u32 = 10;
const SCOPES: usize = 48;
/// So many show that a client renews what it has.
const GOOD_RENEWALS: u32 = 10;

/// Scopes that are new to a client.
pub(super) struct ScopeCreep {
    clients: Recent<ClientId, Client>,
}

#[derive(Default)]
struct Client {
    since: Option<Timestamp>,
    requests: u32,
    /// People use it too.
    people: bool,
    scopes: Known<SCOPES>,
    /// Scopes that it had not, and whether they were refused.
    tried: Tally<(u64, bool), 8>,
    /// Different sets of scopes that were refused, and all that were, in its first hour too.
    refused: Tally<u64, MANY>,
    all_refused: Tally<u64, MANY_EARLY>,
    told_refused: Told,
    /// Renewals that were granted, and people whose renewals asked in vain for far more than they agreed to.
    renewed: u32,
    renewals: Tally<SubjectId, MANY>,
    steps: Tally<Step, 16>,
    /// What the last step asked for.
    reached: Vec<u64>,
    told_steps: Told,
    /// What was asked for in its beginning.
    first: Vec<u64>,
    /// People who agreed to much more.
    agreed: Tally<SubjectId, MANY>,
    told_agreed: Told,
    /// People who asked for what was new, when that was worth a question.
    askers: Tally<SubjectId, 2>,
    told: Told,
}

/// One to ever more.
#[derive(PartialEq)]
struct Step {
    /// Something sensitive was new.
    is_sensitive: bool,
    is_granted: bool,
}

impl Default for ScopeCreep {
    fn default() -> Self {
        Self { clients: Recent::new(CLIENTS) }
    }
}

impl Detector for ScopeCreep {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let (scopes, answer) = asked(event)?;
        let client = event.who.client.as_ref()?;
        let held = self.clients.touch(client);
        let since = *held.since.get_or_insert(event.ts);
        let (age, mut new) = (event.ts.since(since), held.unheard(scopes));
        let speaks_for_itself = matches!(&event.kind, EventKind::Grant { grant_type, .. }
            if grant_type == GrantType::ClientCredentials.as_str());
        held.people |= !speaks_for_itself;
        held.renew(event, answer, &new);
        if answer == Answer::Refused {
            let set = number(scopes.iter().collect::<Vec<_>>());
            held.all_refused.push(event.ts, set);
            if age >= BEGINNING {
                held.refused.note(event.ts, set);
            }
        } else if answer != Answer::Refused && !new.is_empty() {
            held.climb(event.ts, scopes, &new, answer, age >= BEGINNING || !held.people);
        }
        let is_leap =
            held.leaps(event, scopes, answer, age) && held.told_agreed.is_news(event.ts, 1);
        let mut is_told = is_leap || held.climbs(event.ts) && held.told_steps.is_news(event.ts, 1);
        if answer != Answer::Declined {
            held.requests = held.requests.saturating_add(1);
            let (long, often) = if held.people { (WEEK, REQUESTS) } else { (DAY, OWN_REQUESTS) };
            let is_known = age >= long && held.requests > often;
            let strange = held.strange(event.ts, scopes, answer, &new);
            let shown = if held.people { &strange } else { &new };
            let worth = shown.len() >= MANY || shown.iter().any(|it| sensitive::is_sensitive(it));
            if age >= BEGINNING && !held.people {
                let is_refused = answer == Answer::Refused;
                new.iter().for_each(|it| held.tried.note(event.ts, (number(it), is_refused)));
            }
            let is_worth = is_known && worth && held.has_askers(event);
            is_told |= (is_worth || held.tries(event.ts)) && held.told.is_news(event.ts, 1);
            let is_refused = held.is_refused_much(event.ts) || held.widens(event.ts);
            is_told |= is_refused && held.told_refused.is_news(event.ts, 1);
            new = if strange.is_empty() { new } else { strange };
        }
        if is_leap {
            new = held.beyond_first(scopes);
        }
        is_told.then(|| sighting(event, client, &new, scopes, held))
    }
}

/// What a request for scopes came to.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Granted,
    /// By a person.
    Declined,
    /// By the rules.
    Refused,
}

fn asked(event: &Event) -> Option<(&ScopeSet, Answer)> {
    match &event.kind {
        EventKind::Grant { scopes, result, .. } if result == "ok" => {
            Some((scopes, Answer::Granted))
        }
        EventKind::Grant { scopes, result, cause, .. }
            if result == "invalid_scope" || *cause == Some(GrantCause::ScopeExceeded) =>
        {
            Some((scopes, Answer::Refused))
        }
        EventKind::Consent { scopes, result, .. } if result == "granted" => {
            Some((scopes, Answer::Granted))
        }
        EventKind::Consent { scopes, .. } => Some((scopes, Answer::Declined)),
        _ => None,
    }
}

// === impl Client ===

impl Client {
    /// Those of the scopes that it never asked for.
    fn unheard<'s>(&self, scopes: &'s ScopeSet) -> Vec<&'s str> {
        scopes.iter().filter(|scope| !self.scopes.holds(number(scope))).collect()
    }

    /// Notes the scopes; those that are strange. What people's client is refused it does not have.
    fn strange<'s>(
        &mut self,
        now: Timestamp,
        scopes: &'s ScopeSet,
        answer: Answer,
        unheard: &[&'s str],
    ) -> Vec<&'s str> {
        if self.people && answer == Answer::Refused {
            return unheard.to_vec();
        }
        scopes.iter().filter(|scope| self.scopes.note(now, number(scope))).collect()
    }

    /// Whether so many different sets of scopes were refused that it is no mistake.
    fn is_refused_much(&self, now: Timestamp) -> bool {
        let all: Vec<u64> = self.all_refused.within(now, DAY).map(|(_, set)| *set).collect();
        self.refused.within(now, DAY).count() >= MANY
            || all.len() >= MANY_EARLY && all.iter().collect::<BTreeSet<_>>().len() >= MANY
    }

    /// Takes a renewal, which may ask for no more than was granted (RFC 6749 §6).
    fn renew(&mut self, event: &Event, answer: Answer, new: &[&str]) {
        let EventKind::Grant { grant_type, .. } = &event.kind else { return };
        if grant_type != GrantType::RefreshToken.as_str() {
            return;
        }
        self.renewed = self.renewed.saturating_add(u32::from(answer == Answer::Granted));
        let is_wide = new.len() >= MANY && new.iter().any(|it| sensitive::is_sensitive(it));
        if let (Answer::Refused, true, Some(subject)) = (answer, is_wide, &event.who.subject) {
            self.renewals.note(event.ts, subject.clone());
        }
    }

    /// Whether its people's renewals ask for what nobody agreed to; a release that goes wrong is of a client of which
    /// renewals were granted.
    fn widens(&self, now: Timestamp) -> bool {
        self.renewed < GOOD_RENEWALS && self.renewals.within(now, DAY).count() >= MANY
    }

    /// Whether it goes through scopes to see which it gets.
    fn tries(&self, now: Timestamp) -> bool {
        let lately = || self.tried.within(now, DAY).map(|(_, tried)| tried);
        lately().count() >= MANY && lately().any(|(_, refused)| *refused)
    }

    /// Whether it gets ever more.
    fn climbs(&self, now: Timestamp) -> bool {
        let steps = || self.steps.within(now, DAY).map(|(_, step)| step);
        steps().count() >= if self.people { MANY } else { OWN_STEPS }
            && steps().any(|step| step.is_sensitive)
            && steps().any(|step| step.is_granted)
    }

    /// Whether more than one person asks, as far as is known.
    fn has_askers(&mut self, event: &Event) -> bool {
        let Some(subject) = event.who.subject.as_ref().filter(|_| self.people) else { return true };
        self.askers.note(event.ts, subject.clone());
        self.askers.within(event.ts, DAY).count() > 1
    }

    /// Whether people agree to far more than it asked for at first.
    fn leaps(&mut self, event: &Event, scopes: &ScopeSet, answer: Answer, age: Duration) -> bool {
        if answer != Answer::Granted {
            return false;
        }
        if age < BEGINNING || self.requests < SHOWN {
            scopes.iter().map(number).for_each(|scope| {
                if self.first.len() < SCOPES && !self.first.contains(&scope) {
                    self.first.push(scope);
                }
            });
            return false;
        }
        let EventKind::Consent { client_verified: Some(_), .. } = &event.kind else {
            return false;
        };
        let Some(subject) = event.who.subject.as_ref() else { return false };
        let more = self.beyond_first(scopes);
        if more.len() < MANY || !more.into_iter().any(sensitive::is_sensitive) {
            return false;
        }
        self.agreed.note(event.ts, subject.clone());
        self.agreed.within(event.ts, DAY).count() >= MANY
    }

    /// What was not asked for in its beginning.
    fn beyond_first<'s>(&self, scopes: &'s ScopeSet) -> Vec<&'s str> {
        scopes.iter().filter(|scope| !self.first.contains(&number(scope))).collect()
    }

    /// Takes a step, if the request asks for all of the last one and more.
    fn climb(
        &mut self,
        now: Timestamp,
        scopes: &ScopeSet,
        new: &[&str],
        answer: Answer,
        counts: bool,
    ) {
        let asked: Vec<u64> = scopes.iter().take(SCOPES).map(number).collect();
        let is_more = self.reached.iter().all(|scope| asked.contains(scope));
        if is_more && asked.len() == self.reached.len() {
            return;
        }
        if !is_more {
            self.steps.clear();
        }
        if counts {
            let is_sensitive = new.iter().any(|scope| sensitive::is_sensitive(scope));
            self.steps.push(now, Step { is_sensitive, is_granted: answer == Answer::Granted });
        }
        self.reached = asked;
    }
}

fn sighting(
    event: &Event,
    client: &ClientId,
    new: &[&str],
    scopes: &ScopeSet,
    held: &Client,
) -> Sighting {
    Sighting {
        kind: Kind::SignIn(SignIn::ScopeCreep),
        actor: format!("client:{client}"),
        whom: Whom { client: Some(client.clone()), ip: event.ip, ..Whom::default() },
        summary: format!(
            "the client {client} asked for {}, which it had not asked for before today in {} requests",
            new.join(" "),
            held.requests
        ),
        facts: BTreeMap::from([
            ("new", json!(new)),
            ("asked", json!(scopes.iter().collect::<Vec<_>>())),
            ("known_since", json!(held.since)),
            ("scopes_known", json!(held.scopes.len())),
        ]),
    }
}
