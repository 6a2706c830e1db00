//! The detectors, one file each: what it sees, what it holds, and why.

use std::collections::BTreeMap;

use serde_json::Value;
use token::event::Event;
use token::finding::Whom;

mod forged_token;
mod honeytoken;
mod machines;
mod network;
mod refresh_reuse;
mod sign_in;
mod token_guessing;
mod traffic;

pub use forged_token::ForgedToken;
pub use honeytoken::Honeytoken;
pub use machines::Machines;
pub use refresh_reuse::RefreshReuse;
pub use sign_in::{Record, Records, SignIn};
pub use token_guessing::TokenGuessing;
pub use traffic::{Names, Traffic};

use sign_in::{is_browser, is_library, whom};

pub(crate) use network::{actor as actor_of, of as network_of};

/// A state machine over events.
pub trait Detector: Send {
    /// Looks at one event; what it sees in it, if anything. Never reads a clock.
    fn observe(&mut self, event: &Event) -> Option<Sighting>;
}

/// A detector that keeps what it knows in the records of sessions and persons.
pub trait RecordDetector: Send {
    /// Looks at one event, whose names as numbers are known, and at the records that it is about; what it sees in it,
    /// if anything. Never reads a clock.
    fn observe(
        &mut self,
        event: &Event,
        names: &Names,
        record: &mut Record<'_>,
    ) -> Option<Sighting>;
}

/// Any detector.
pub enum Look {
    /// One that looks at the event alone.
    Event(Box<dyn Detector>),
    /// One that has its names and the records as well.
    Record(Box<dyn RecordDetector>),
}

/// What a detector saw; the policy makes a finding of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// Which row of the policy decides.
    pub kind: Kind,
    /// Who did it, as `ip:…` or `grant:…`: findings of one actor are one incident.
    pub actor: String,
    /// Whom it concerns; verified names only.
    pub whom: Whom,
    /// In plain words.
    pub summary: String,
    /// The numbers, with what they were compared with.
    pub facts: BTreeMap<&'static str, Value>,
}

/// The kinds of sighting that the policy tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Forged tokens that can have no honest cause, from one network.
    ForgedToken,
    /// One forged token that can have no honest cause.
    ForgedTokenOnce,
    /// Forged tokens in one client's name from several networks.
    ForgedTokenCampaign,
    /// One token of a key that is unknown here, again and again: it may be a relic.
    ForgedTokenRelic,
    /// Bait was taken.
    Honeytoken,
    /// A refresh token in two hands.
    RefreshReuse,
    /// A principal's hour that is unlike all others.
    Anomaly,
    /// A program where a person is expected.
    Automation,
    /// Use of objects that others own.
    BolaOwnership,
    /// Far more different objects than is habit.
    Enumeration,
    /// Far more data than is habit.
    Exfiltration,
    /// Functions outside of the principal's role.
    FunctionProbing,
    /// Different injections, again and again.
    InjectionProbing,
    /// Scopes that are never used: an offer, no accusation.
    LeastPrivilege,
    /// A search for what is not there.
    Scanning,
    /// A step without the steps that belong before it.
    Sequence,
    /// Another token whenever one is throttled.
    ThrottleEvasion,
    /// Tokens that are nobody's, again and again.
    TokenGuessing,
    /// Far more requests than is habit.
    Volume,
    /// Abuse of sign-in, of grants, and of where tokens are used.
    SignIn(SignIn),
}

// === impl Kind ===

impl Kind {
    /// The detector's name in findings.
    pub const fn detector(self) -> &'static str {
        match self {
            Self::ForgedToken
            | Self::ForgedTokenCampaign
            | Self::ForgedTokenOnce
            | Self::ForgedTokenRelic => "forged_token",
            Self::Honeytoken => "honeytoken",
            Self::RefreshReuse => "refresh_reuse",
            Self::Anomaly => "anomaly",
            Self::Automation => "automation",
            Self::BolaOwnership => "bola_ownership",
            Self::Enumeration => "enumeration",
            Self::Exfiltration => "exfiltration",
            Self::FunctionProbing => "function_probing",
            Self::InjectionProbing => "injection_probing",
            Self::LeastPrivilege => "least_privilege",
            Self::Scanning => "scanning",
            Self::Sequence => "sequence",
            Self::ThrottleEvasion => "throttle_evasion",
            Self::TokenGuessing => "token_guessing",
            Self::Volume => "volume",
            Self::SignIn(kind) => kind.detector(),
        }
    }
}

// === impl Look ===

impl Look {
    fn at(detector: impl Detector + 'static) -> Self {
        Self::Event(Box::new(detector))
    }

    fn with_record(detector: impl RecordDetector + 'static) -> Self {
        Self::Record(Box::new(detector))
    }

    /// See [`RecordDetector::observe`].
    pub fn observe(
        &mut self,
        event: &Event,
        names: &Names,
        record: &mut Record<'_>,
    ) -> Option<Sighting> {
        match self {
            Self::Event(detector) => detector.observe(event),
            Self::Record(detector) => detector.observe(event, names, record),
        }
    }
}

/// Every detector, in the order in which they look.
pub fn all() -> Vec<Look> {
    let mut all = vec![
        Look::at(RefreshReuse::default()),
        Look::at(Honeytoken::default()),
        Look::with_record(ForgedToken::default()),
        Look::at(TokenGuessing::default()),
    ];
    all.extend(sign_in::all());
    all
}
