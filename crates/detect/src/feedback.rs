//! What people say of findings → whom and what detectors are believed less about.
//!
//! A verdict changes no threshold for everybody: it halves the confidence of one detector about one principal or
//! one route, at most twice, for a time. Rows of the table that want more confidence do not fit then; the finding
//! is told all the same.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;
use store::{Consequence, Store, StoreError, Tolerance};
use token::finding::Class;
use token::id::FindingId;
use token::time::Timestamp;

use crate::detector;
use crate::policy::tolerance::{Doubt, MOST_HALVINGS, Tolerances};

/// What somebody says of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it says, and it is meant to be.
    Expected,
    /// It is not as it says.
    False,
    /// It is as it says, and it is abuse.
    True,
}

/// What a doubt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Whom the finding concerns.
    Principal,
    /// The route of its request, for everybody.
    Route,
}

/// Why a finding cannot be judged so.
#[derive(Debug, thiserror::Error)]
pub enum JudgeRefused {
    /// It is about no route.
    #[error("this finding is about no known route: judge it about its principal")]
    NoRoute,
    /// State cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such finding.
    #[error("there is no such finding")]
    Unknown,
}

/// A mistake passes; what somebody does on purpose goes on for longer.
const AFTER_FALSE: Duration = Duration::from_secs(30 * 24 * 3600);
const AFTER_EXPECTED: Duration = Duration::from_secs(90 * 24 * 3600);

/// Keeps what `actor` says of a finding. What is certain is not doubted: there only the verdict is kept.
///
/// # Errors
/// [`JudgeRefused`] says why that cannot be.
pub async fn judge(
    store: &Store,
    id: &FindingId,
    (verdict, about): (Verdict, About),
    actor: &str,
    now: Timestamp,
) -> Result<(), JudgeRefused> {
    let held = store.finding(id).await?.ok_or(JudgeRefused::Unknown)?;
    let finding = &held.finding;
    let route = text(finding, "route").map(|route| format!("route:{route}"));
    let doubted = match about {
        About::Principal => principal(finding),
        About::Route => Some(route.clone().ok_or(JudgeRefused::NoRoute)?),
    };
    let judged = finding.get("class") != serde_json::to_value(Class::Certain).ok().as_ref();
    let until = |lasts| now.plus(lasts);
    let doubt = |lasts| match doubted {
        Some(about) if judged => {
            Consequence::Doubt { about, until: until(lasts), most: MOST_HALVINGS }
        }
        _ => Consequence::None,
    };
    let consequence = match verdict {
        Verdict::Expected => doubt(AFTER_EXPECTED),
        Verdict::False => doubt(AFTER_FALSE),
        Verdict::True => Consequence::Trust(principal(finding).into_iter().chain(route).collect()),
    };
    let said = store::Verdict { word: verdict.word().to_owned(), at: now, by: actor.to_owned() };
    let known = store.judge_finding(id, said, consequence).await?;
    if known { Ok(()) } else { Err(JudgeRefused::Unknown) }
}

/// What the store keeps, as the policy goes by it.
pub fn tolerances(kept: &[Tolerance]) -> Tolerances {
    let mut all = Tolerances::default();
    for one in kept {
        let (halvings, from, until) = (one.halvings, one.created_at, one.expires_at);
        all.add(&one.detector, &one.about, Doubt { halvings, from, until });
    }
    all
}

/// Whom it concerns, by the name under which the policy looks.
fn principal(finding: &Value) -> Option<String> {
    let subject = text(finding, "subject").map(|subject| format!("subject:{subject}"));
    let client = || text(finding, "client").map(|client| format!("client:{client}"));
    let network = || {
        let ip: IpAddr = text(finding, "ip")?.parse().ok()?;
        Some(detector::actor_of(ip))
    };
    subject.or_else(client).or_else(network)
}

fn text<'f>(finding: &'f Value, member: &str) -> Option<&'f str> {
    finding.get(member).and_then(Value::as_str)
}

// === impl Verdict ===

impl Verdict {
    /// As it is kept.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::False => "false",
            Self::True => "true",
        }
    }
}
