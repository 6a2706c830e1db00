//! What a detector says: who, what, how sure, on what evidence, and what is done about it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::id::{ClientId, GrantId, SessionId, SubjectId, TokenId};
use crate::restriction::{Effect, Proof};
use crate::time::Timestamp;

/// One finding, in the public format.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Time of the event that decided it.
    pub ts: Timestamp,
    /// The detector's name.
    pub detector: &'static str,
    /// Certain or statistical.
    pub class: Class,
    /// How bad.
    pub severity: Severity,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// Whom it concerns, as far as known.
    #[serde(flatten)]
    pub whom: Whom,
    /// Groups findings of one actor; the same input gives the same id.
    pub incident: String,
    /// Earlier incidents that turned out to be parts of this one: their findings belong to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub joins: Vec<String>,
    /// Groups findings of many networks that do the same at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// Method and route of the request that decided it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What it stands on.
    pub evidence: Evidence,
    /// What the policy does.
    #[serde(flatten)]
    pub response: Response,
    /// When the response ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What the policy would do, and why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<HeldBack>,
}

/// A response that is not carried out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeldBack {
    /// What it would be.
    #[serde(flatten)]
    pub response: Response,
    /// When it would end by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why it is not.
    pub by: Brake,
}

/// Why a response is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Brake {
    /// Its row of the table has had its share of all.
    AtMost,
    /// The network or the client that it comes by has had its share of the row.
    AtMostEach,
    /// The row observes.
    Observe,
    /// Too many responses within a minute.
    PerMinute,
    /// Responses are switched off.
    SwitchedOff,
    /// Whom it would hit is never hit.
    Spared,
}

/// Whom a finding concerns.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Whom {
    /// Verified subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectId>,
    /// Verified client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientId>,
    /// The token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// The grant family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The sign-in session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The network address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
}

/// Whether a finding is proof or a judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The event itself is proof.
    Certain,
    /// Numbers that do not fit.
    Statistical,
}

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth a look.
    Medium,
    /// Worth acting on.
    High,
    /// Harm is being done.
    Critical,
}

/// What a finding stands on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// In plain words, for whoever is on call.
    pub summary: String,
    /// The numbers, with what they were compared with.
    #[serde(flatten)]
    pub facts: BTreeMap<&'static str, Value>,
}

/// What the policy does about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Nothing.
    None,
    /// What the target names is restricted.
    Restrict(Target, Effect),
    /// Only remember.
    Tag,
}

/// Which member of [`Whom`] a response is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// `client`.
    Client,
    /// `grant`.
    Grant,
    /// `ip`.
    Ip,
    /// `session`.
    Session,
    /// `subject`.
    Subject,
    /// `token`.
    Token,
}

// === impl Response ===

/// `none`, `tag`, `revoke:grant`, `block:ip`, `throttle:session`.
impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (target, effect) = match self {
            Self::None => return f.write_str("none"),
            Self::Tag => return f.write_str("tag"),
            Self::Restrict(target, effect) => (target, effect),
        };
        let word = match effect {
            Effect::DropScopes(_) => "narrow",
            Effect::Limit(_) => "throttle",
            Effect::Networks(_) | Effect::Place(_) => "confine",
            Effect::Require(Proof::Dpop | Proof::Mtls) => "bind",
            Effect::Require(Proof::StepUp) => "step_up",
            Effect::Revoke => "revoke",
            Effect::Suspend => "block",
        };
        write!(f, "{word}:{target}")
    }
}

/// Two members: `response` in a word, and `effect` as restrictions have it.
impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("response", &self.to_string())?;
        if let Self::Restrict(_, effect) = self {
            members.serialize_entry("effect", effect)?;
        }
        members.end()
    }
}

// === impl HeldBack ===

impl HeldBack {
    /// In plain words.
    pub fn words(&self) -> String {
        let why = match self.by {
            Brake::AtMost => {
                "this response has been carried out as often as it may be in that time"
            }
            Brake::AtMostEach => {
                "the network or the client has caused as many of this response as it may in that time"
            }
            Brake::Observe => "this response only observes",
            Brake::PerMinute => "too many responses within a minute",
            Brake::SwitchedOff => "responses are switched off",
            Brake::Spared => "whom it would hit is on the list of those that are never hit",
        };
        format!("`{}` was held back: {why}", self.response)
    }
}

// === impl Target ===

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Grant => "grant",
            Self::Ip => "ip",
            Self::Session => "session",
            Self::Subject => "subject",
            Self::Token => "token",
        })
    }
}
