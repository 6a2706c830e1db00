//! What a detector says: who, what, how sure, on what evidence, and what is done about it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::id::{ClientId, GrantId, SessionId, SubjectId, TokenId};
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
    /// Groups findings of one actor or campaign; the same input gives the same id.
    pub incident: String,
    /// What it stands on.
    pub evidence: Evidence,
    /// What the policy does.
    pub response: Response,
    /// When the response ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
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

/// What the policy does about a finding; the member of [`Whom`] of that name is the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// Refuse until it ends or is undone.
    Block(Target),
    /// Nothing.
    None,
    /// End for good.
    Revoke(Target),
    /// Only remember.
    Tag,
}

/// Which member of [`Whom`] a response is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// `none`, `tag`, `revoke:grant`, `block:ip`.
impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(target) => write!(f, "block:{target}"),
            Self::None => f.write_str("none"),
            Self::Revoke(target) => write!(f, "revoke:{target}"),
            Self::Tag => f.write_str("tag"),
        }
    }
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
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
