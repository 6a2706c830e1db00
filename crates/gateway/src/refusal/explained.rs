//! A refusal for whoever runs the gateway: what was demanded, and what was there instead.

use std::fmt::Display;

use token::reason::{Reason, Refused};
use token::restriction::Proof;
use token::time::Timestamp;
use token::validate::Missed;

use super::{Fault, Refusal, Whose};
use crate::limit::seconds;
use crate::route::{Demand, Rule};
use crate::settings::Binding;
use crate::verify::Known;

// === impl Refusal ===

impl Refusal {
    /// In words, to a request of this time; `rule` is the route's, where one was found. The credential itself is
    /// not repeated.
    pub(crate) fn explained(&self, rule: Option<&Rule>, now: Timestamp) -> String {
        let words = match (self.known(), &self.fault) {
            (_, Fault::Token(refused)) => {
                refused.missed.as_ref().map(|missed| told(&refused.refused, missed, now))
            }
            (Some(known), Fault::Expired) => {
                Some(told(&Reason::Expired.into(), &known.token.end(), now))
            }
            (Some(known), _) => self.demanded(known, rule),
            (None, _) => None,
        };
        let words = words.unwrap_or_else(|| self.fault.for_operators(rule));
        match self.restriction() {
            Some(restriction) => format!("{words}; {restriction}"),
            None => words,
        }
    }

    fn known(&self) -> Option<&Known> {
        match &self.whose {
            Whose::Nobody => None,
            Whose::Claimed(known) | Whose::Verified(known) => Some(known),
        }
    }

    fn demanded(&self, known: &Known, rule: Option<&Rule>) -> Option<String> {
        let token = &known.token;
        let demand = rule.map(|rule| &rule.demand);
        Some(match (&self.fault, demand) {
            (Fault::Scope(_), Some(demand)) => {
                let scopes = demand.scopes_in_words().unwrap_or_default();
                format!("demands {scopes}; the token has `{}`", known.token.scopes())
            }
            (Fault::Claims, Some(Demand::Token { further: Some(beside), .. })) => {
                let unmet = beside.unmet_claim(token.members())?;
                format!(
                    "demands that {}",
                    unmet.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
                )
            }
            (Fault::Bearer(Binding::Certificate), _) => {
                "demands a token that is bound to a certificate".to_owned()
            }
            (Fault::Bearer(_), _) => {
                "demands a token that is bound to a key or a certificate".to_owned()
            }
            (Fault::Audience, Some(Demand::Token { audiences, .. })) => {
                let held: Vec<&str> = token.audience().iter().collect();
                format!("demands {}; the token is for {}", listed(audiences), listed(&held))
            }
            (Fault::OtherClient, Some(Demand::Token { further: Some(beside), .. })) => {
                format!(
                    "demands {}; the token is {}'s",
                    listed(&beside.clients),
                    token.facts().client
                )
            }
            (Fault::StepUp { acr, max_age }, _) => {
                let acr = acr.as_deref().unwrap_or("any");
                let age = max_age.map_or("any".to_owned(), |age| format!("{age} s"));
                let held = token.acr().unwrap_or("none");
                let at = token.auth_time().map_or("unknown".to_owned(), |at| at.to_string());
                format!(
                    "demands acr `{acr}` and a sign-in of {age}; the token has acr `{held}` and \
                     auth_time {at}"
                )
            }
            _ => return None,
        })
    }
}

// === impl Fault ===

impl Fault {
    pub(crate) fn for_operators(&self, rule: Option<&Rule>) -> String {
        match self {
            Self::Honeytoken => "the token is bait".to_owned(),
            Self::Demanded(Proof::Dpop) => "demands a token that is bound to a key".to_owned(),
            Self::Injection(finding) => {
                let class = finding.class.as_str();
                format!("{class} by the rule `{}` in {}", finding.rule, finding.place)
            }
            Self::Limit(exceeded) => {
                format!("{} is reached; more in {} s", exceeded.what, seconds(exceeded.retry_in))
            }
            Self::RouteNetwork => {
                let networks = rule.map(|rule| listed(&rule.networks)).unwrap_or_default();
                format!("the route is for {networks}")
            }
            Self::Away(place) => format!("the client is at {place}"),
            Self::RoutePlace(place) => {
                let places = rule.map(|rule| listed(&rule.places)).unwrap_or_default();
                format!("the route is for {places}; the client is at {place}")
            }
            Self::Token(refused) => format!("{}: {}", refused.refused, refused.detail),
            _ => self.description(),
        }
    }
}

/// What a token missed, behind the word that events have for it.
fn told(refused: &Refused, missed: &Missed, now: Timestamp) -> String {
    format!("{refused}: {}", missed.at(now))
}

fn listed<T: Display>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(", ")
}
