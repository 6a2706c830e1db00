//! Taking back: one append-only log whose rows restrict one token or a million.

use std::fmt;
use std::sync::Arc;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::id::{ClientId, GrantId, KeyId, SessionId, SubjectId, TokenId};
use crate::time::Timestamp;

/// Which tokens, or which traffic, a restriction is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Selector {
    /// Tokens of one client.
    Client(ClientId),
    /// Tokens of one grant, the "token family".
    Grant(GrantId),
    /// Every token of this issuer, our own.
    Issuer,
    /// Tokens signed with one key.
    Key(KeyId),
    /// Requests that come from a network.
    Network(IpNet),
    /// Tokens of one sign-in session.
    Session(SessionId),
    /// Tokens that speak for one subject.
    Subject(SubjectId),
    /// One token.
    Token(TokenId),
}

/// What a restriction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Final: never lifted.
    Revoke,
    /// Refused until it ends or is lifted.
    Suspend,
}

/// One row of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restriction {
    /// Position in the log: grows by one a row, without holes.
    pub seq: u64,
    /// What it is about.
    pub selector: Selector,
    /// What it does.
    pub effect: Effect,
    /// Fits tokens issued at or before this time (a token and a network: whatever their time).
    pub from: Timestamp,
    /// When it ends by itself; `None` for never.
    pub until: Option<Timestamp>,
    /// Why, in words for people.
    pub reason: String,
    /// Who: `admin:<subject>`, `client:<id>`, `detector:<name>` or `authority`.
    pub actor: String,
    /// When it was written.
    pub at: Timestamp,
}

/// What is written to the log: a restriction, or the end of an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEntry {
    /// From now on this holds.
    Restrict(Restriction),
    /// The restriction at `lifts` holds no longer.
    Lift {
        /// Position of this row.
        seq: u64,
        /// Position of the row that it ends.
        lifts: u64,
    },
}

/// What a restriction can fit on: who and what a verified token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// The token itself.
    pub token: TokenId,
    /// The grant it came from.
    pub grant: Option<GrantId>,
    /// The sign-in session behind it.
    pub session: Option<SessionId>,
    /// Whom it speaks for.
    pub subject: SubjectId,
    /// Which client it was issued to.
    pub client: ClientId,
    /// Which key signed it.
    pub key: KeyId,
    /// When it was issued, in milliseconds where the token knows them.
    pub issued_at: Timestamp,
    /// The other issuer that it is of; `None` for our own. The names of such a token begin with it
    /// ([`crate::foreign::name`]).
    pub foreign: Option<Arc<str>>,
}

// === impl Selector ===

impl Selector {
    /// The kind's name, as on the wire.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Client(_) => "client",
            Self::Grant(_) => "grant",
            Self::Issuer => "issuer",
            Self::Key(_) => "key",
            Self::Network(_) => "network",
            Self::Session(_) => "session",
            Self::Subject(_) => "subject",
            Self::Token(_) => "token",
        }
    }
}

/// `grant:abc`, `network:192.0.2.0/24`, `issuer`.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Self::Client(id) => write!(f, ":{id}"),
            Self::Grant(id) => write!(f, ":{id}"),
            Self::Issuer => Ok(()),
            Self::Key(id) => write!(f, ":{id}"),
            Self::Network(net) => write!(f, ":{net}"),
            Self::Session(id) => write!(f, ":{id}"),
            Self::Subject(id) => write!(f, ":{id}"),
            Self::Token(id) => write!(f, ":{id}"),
        }
    }
}

// === impl LogEntry ===

impl LogEntry {
    /// Its position in the log.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Lift { seq, .. } => *seq,
            Self::Restrict(restriction) => restriction.seq,
        }
    }
}

// === impl Effect ===

impl Effect {
    /// The effect's name, as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Suspend => "suspend",
        }
    }

    /// Whether a person can undo it.
    pub const fn can_be_lifted(self) -> bool {
        match self {
            Self::Revoke => false,
            Self::Suspend => true,
        }
    }
}

// === impl Restriction ===

impl Restriction {
    /// Whether it holds at `now`.
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether it fits this token. A network fits requests, never a token.
    pub fn covers(&self, facts: &TokenFacts) -> bool {
        let fits = match &self.selector {
            Selector::Token(id) => return *id == facts.token,
            Selector::Network(_) => return false,
            Selector::Client(id) => *id == facts.client,
            Selector::Grant(id) => facts.grant.as_ref() == Some(id),
            Selector::Issuer => facts.foreign.is_none(),
            Selector::Key(id) => *id == facts.key,
            Selector::Session(id) => facts.session.as_ref() == Some(id),
            Selector::Subject(id) => *id == facts.subject,
        };
        fits && facts.issued_at <= self.from
    }
}
