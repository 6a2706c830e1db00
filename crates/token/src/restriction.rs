//! Taking back: one append-only log whose rows restrict one token or a million.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::allowance::{Allowance, NotAllowance};
use crate::id::{ClientId, GrantId, KeyId, SessionId, SubjectId, TokenId};
use crate::place::{NotPlaceTest, PlaceTest};
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use crate::validate::VerifiedAccessToken;

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

/// What a restriction does. Its text is the same on the wire, in the log and on the command line:
/// `revoke`, `suspend`, `drop_scopes:orders:write`, `require:step_up`, `limit:10/m`,
/// `networks:192.0.2.0/24`, `countries:NO,SE`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// These scopes count no more.
    DropScopes(ScopeSet),
    /// No more than this.
    Limit(Allowance),
    /// From these networks alone.
    Networks(Box<[IpNet]>),
    /// From such places alone.
    Place(PlaceTest),
    /// Only with this proof.
    Require(Proof),
    /// Final: never lifted.
    Revoke,
    /// Refused until it ends or is lifted.
    Suspend,
}

/// What a restriction demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// A token that is bound to a key of its client (RFC 9449).
    Dpop,
    /// A token that is bound to a certificate of its client (RFC 8705).
    Mtls,
    /// The person has signed in since (RFC 9470).
    StepUp,
}

/// A text that names no effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotEffect {
    /// None of the words.
    #[error(
        "`{0}` is not an effect: `revoke`, `suspend`, `drop_scopes:SCOPES`, `require:step_up`, \
         `require:dpop`, `require:mtls`, `limit:RATE`, `networks:NETWORKS`, `countries:COUNTRIES`, \
         `not_countries:COUNTRIES`, `asns:NUMBERS` or `not_asns:NUMBERS`"
    )]
    Word(String),
    /// After `drop_scopes:`.
    #[error("`drop_scopes:` wants scopes separated by single spaces")]
    Scopes,
    /// After `limit:`.
    #[error(transparent)]
    Limit(#[from] NotAllowance),
    /// After `networks:`.
    #[error(
        "`networks:` wants 1 to 32 networks separated by commas, such as 192.0.2.0/24,2001:db8::/32"
    )]
    Networks,
    /// After `countries:`, `asns:` and their opposites.
    #[error(transparent)]
    Place(#[from] NotPlaceTest),
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
    /// Fits tokens issued at or before this time (a token, a network and what is partial: whatever their
    /// time).
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
    pub foreign: Option<Arc<String>>,
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

// === impl Proof ===

impl Proof {
    /// Whether a token is, or was made of, what a restriction demands since `from`.
    pub fn is_shown_by(self, token: &VerifiedAccessToken, from: Timestamp) -> bool {
        let bound = token.confirmation();
        match self {
            Self::Dpop => bound.is_some_and(|cnf| cnf.jkt.is_some()),
            Self::Mtls => bound.is_some_and(|cnf| cnf.x5t_s256.is_some()),
            // In whole seconds: a sign-in of the same second may have been before.
            Self::StepUp => token.auth_time().is_some_and(|at| at > from.as_secs()),
        }
    }
}

// === impl Effect ===

impl Effect {
    const MOST_NETWORKS: usize = 32;

    /// Whether a person can undo it.
    pub fn can_be_lifted(&self) -> bool {
        *self != Self::Revoke
    }

    /// Whether a token that it fits is good for something still. Such an effect fits the tokens that come
    /// later as well: to be refreshed must not be the way out.
    pub fn is_partial(&self) -> bool {
        !matches!(self, Self::Revoke | Self::Suspend)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DropScopes(scopes) => write!(f, "drop_scopes:{scopes}"),
            Self::Limit(allowance) => write!(f, "limit:{allowance}"),
            Self::Networks(networks) => {
                f.write_str("networks:")?;
                for (number, network) in networks.iter().enumerate() {
                    let comma = if number > 0 { "," } else { "" };
                    write!(f, "{comma}{network}")?;
                }
                Ok(())
            }
            Self::Place(test) => write!(f, "{test}"),
            Self::Require(Proof::Dpop) => f.write_str("require:dpop"),
            Self::Require(Proof::Mtls) => f.write_str("require:mtls"),
            Self::Require(Proof::StepUp) => f.write_str("require:step_up"),
            Self::Revoke => f.write_str("revoke"),
            Self::Suspend => f.write_str("suspend"),
        }
    }
}

impl FromStr for Effect {
    type Err = NotEffect;

    fn from_str(text: &str) -> Result<Self, NotEffect> {
        let wrong = || NotEffect::Word(text.chars().take(64).collect());
        let Some((word, rest)) = text.split_once(':') else {
            return match text {
                "revoke" => Ok(Self::Revoke),
                "suspend" => Ok(Self::Suspend),
                _ => Err(wrong()),
            };
        };
        match (word, rest) {
            ("drop_scopes", scopes) => match ScopeSet::parse(scopes) {
                Ok(scopes) if !scopes.is_empty() => Ok(Self::DropScopes(scopes)),
                _ => Err(NotEffect::Scopes),
            },
            ("limit", allowance) => Ok(Self::Limit(allowance.parse()?)),
            ("networks", list) => networks(list).map(Self::Networks).ok_or(NotEffect::Networks),
            ("require", "dpop") => Ok(Self::Require(Proof::Dpop)),
            ("require", "mtls") => Ok(Self::Require(Proof::Mtls)),
            ("require", "step_up") => Ok(Self::Require(Proof::StepUp)),
            _ => match PlaceTest::parse(word, rest) {
                Some(test) => Ok(Self::Place(test?)),
                None => Err(wrong()),
            },
        }
    }
}

/// Networks, or addresses as networks of their own.
fn networks(list: &str) -> Option<Box<[IpNet]>> {
    let network = |text: &str| {
        let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
        text.parse::<IpNet>().ok().or_else(address).map(|net| net.trunc())
    };
    let networks: Box<[IpNet]> = list.split(',').map(network).collect::<Option<_>>()?;
    (networks.len() <= Effect::MOST_NETWORKS).then_some(networks)
}

impl Serialize for Effect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Effect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
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
        fits && (facts.issued_at <= self.from || self.effect.is_partial())
    }
}

#[cfg(test)]
mod tests {
    use super::Effect;

    #[test]
    fn an_effect_is_one_text_everywhere() {
        for text in [
            "revoke",
            "suspend",
            "drop_scopes:orders:admin orders:write",
            "limit:10/m",
            "networks:192.0.2.0/24,2001:db8::/32,203.0.113.9/32",
            "countries:NO,SE",
            "not_countries:ZZ",
            "asns:64496,64511",
            "not_asns:0",
            "require:dpop",
            "require:mtls",
            "require:step_up",
        ] {
            let effect: Effect = text.parse().expect(text);
            assert_eq!(effect.to_string(), text);
            let json = serde_json::to_string(&effect).expect("json");
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Effect>(&json).expect("effect"), effect);
            assert_eq!(effect.is_partial(), text.contains(':'));
            assert_eq!(effect.can_be_lifted(), text != "revoke");
        }
        let single: Effect = "networks:192.0.2.7".parse().expect("an address");
        assert_eq!(single.to_string(), "networks:192.0.2.7/32");
    }

    #[test]
    fn what_is_no_effect_is_named() {
        for (text, words) in [
            ("", "`` is not an effect"),
            ("Revoke", "`Revoke` is not an effect"),
            ("require:face", "`require:face` is not an effect"),
            ("drop_scopes:", "`drop_scopes:` wants scopes"),
            ("drop_scopes:a  b", "`drop_scopes:` wants scopes"),
            ("limit:fast", "`fast` is not a number of requests"),
            ("networks:", "`networks:` wants"),
            ("networks:here", "`networks:` wants"),
            ("countries:NOR", "`countries:` and `not_countries:` want"),
            ("not_asns:", "`asns:` and `not_asns:` want"),
        ] {
            let refused = text.parse::<Effect>().expect_err(text).to_string();
            assert!(refused.starts_with(words), "{refused}");
        }
        let many = vec!["192.0.2.1"; 33].join(",");
        assert!(format!("networks:{many}").parse::<Effect>().is_err());
    }
}
