//! Findings that a person is asked about, carried to the authority, which writes the letter.

use authority::Authority;
use authority::doubt::{Concern, Doubt};
use notify::filter::Filter;
use notify::outlet::{NotTaken, Outlet, Way};
use notify::person::{self, Asks, Person};
use serde_json::Value;
use store::StoreError;
use token::finding::Severity;
use token::time::Timestamp;

use crate::config::notify::PEOPLE;

/// Findings of an incident that are looked through for an earlier letter.
const MOST: usize = 200;

/// Asks people by the authority's letters.
pub(super) struct Asking(pub(super) Authority);

/// The outlet that leads to people.
pub(super) fn outlet(asked: &Person) -> Outlet {
    let detectors = Doubt::DETECTORS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let filter = Filter { severity: Severity::Low, detectors };
    Outlet { name: PEOPLE.to_owned(), filter, way: Way::Person(asked.clone()) }
}

// === impl Asking ===

impl Asks for Asking {
    fn ask<'f>(&'f self, finding: &'f Value) -> person::Asking<'f> {
        Box::pin(async move {
            let asked = self.ask_once(finding).await;
            // The store may be written again in a moment.
            asked.map_err(|error| NotTaken::ForNow { cause: error.to_string(), wait: None })
        })
    }
}

impl Asking {
    /// One letter for an incident: whoever is attacked for hours gets one, not hundreds.
    async fn ask_once(&self, finding: &Value) -> Result<(), StoreError> {
        let text = |member: &str| finding.get(member).and_then(Value::as_str);
        let (Some(id), Some(incident), Some(subject)) =
            (text("id"), text("incident"), text("subject"))
        else {
            return Ok(());
        };
        let Some(doubt) = text("detector").and_then(Doubt::of) else { return Ok(()) };
        let related = self.0.store().findings_of(incident, MOST).await?;
        let mut asked = related.iter().filter(|one| Doubt::of(&one.detector).is_some());
        if asked.next().is_none_or(|first| first.id.as_str() != id) {
            return Ok(());
        }
        let now = self.0.now();
        let at = text("ts").and_then(|ts| Timestamp::parse(ts).ok()).unwrap_or(now);
        let ip = text("ip").and_then(|ip| ip.parse().ok());
        let concern = Concern { subject: subject.into(), doubt, ip, at };
        self.0.ask_whether_it_was_them(&concern, now).await.map(drop)
    }
}
