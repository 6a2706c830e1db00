//! Other issuers whose tokens are taken here: whose a token is, and who can be asked about it.
//!
//! The gateway fetches nothing by itself: it reads a keyring that somebody keeps fresh, and is given
//! somebody to ask.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use token::foreign::{AcceptedAudience, ForeignRules, claimed_issuer, is_jwt};
use token::keyring::Keyring;
use token::opaque::{Family, OpaqueHash};
use token::reference::Unavailable;
use tokio::sync::watch;

use crate::ask::Heard;
use crate::browser_app::Answering;
use crate::settings::{Access, Settings};

/// Whom to ask about one issuer's keys and tokens. What is asked ends in bounded time.
pub trait IssuerServer: Send + Sync {
    /// What [`IssuerServer::look_for`] would come to: nothing is asked for a name that was not there a
    /// moment ago, nor for more names in a short time than an honest issuer has new keys.
    fn prospect(&self, kid: &str) -> Prospect;

    /// Fetches the issuer's keys because a token names one that is not among them.
    ///
    /// # Errors
    /// [`Unavailable`] when the issuer cannot be asked: it may have such a key.
    fn look_for<'a>(&'a self, kid: &'a str) -> Answering<'a, Result<(), Unavailable>>;

    /// What the issuer says of a token (RFC 7662 §2.2): the body of its answer.
    ///
    /// # Errors
    /// [`Unavailable`] when it cannot be asked.
    fn introspect<'a>(&'a self, token: &'a str) -> Answering<'a, Result<Bytes, Unavailable>>;
}

/// What a search for a key would come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prospect {
    /// The issuer has no such key, as far as is known.
    Absent,
    /// The issuer is asked.
    Asks,
    /// It is not asked now, and may have such a key.
    NotNow,
}

/// An issuer whose tokens are taken beside our own.
#[derive(Clone)]
pub struct ForeignIssuer {
    /// What its tokens have to be.
    pub rules: ForeignRules,
    /// Its keys, which somebody keeps fresh; without them it is asked about JWTs too.
    pub keyring: Option<Arc<Keyring>>,
    /// How it is asked about tokens; without this it is not.
    pub introspection: Option<Introspection>,
    /// Whom to ask.
    pub server: Arc<dyn IssuerServer>,
}

// === impl ForeignIssuer ===

impl ForeignIssuer {
    /// Whether a token that was good by the one is good by the other.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let keyrings = (self.keyring.as_ref(), other.keyring.as_ref());
        self.rules == other.rules
            && self.introspection == other.introspection
            && Arc::ptr_eq(&self.server, &other.server)
            && match keyrings {
                (Some(one), Some(other)) => Arc::ptr_eq(one, other),
                (one, other) => one.is_none() && other.is_none(),
            }
    }
}

/// Which tokens an issuer is asked about, and for how long its answer counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    /// Opaque tokens that begin so; a token is shown to nobody but its issuer.
    pub prefix: String,
    /// For how long an answer counts, at most to the token's end.
    pub keep: Duration,
}

/// One of them, and what it is being asked.
pub(crate) struct Foreign {
    /// One for the first: zero is our own.
    pub(crate) number: u32,
    pub(crate) told: ForeignIssuer,
    pub(crate) flights: Mutex<HashMap<OpaqueHash, watch::Receiver<Option<Heard>>>>,
}

/// All of them.
pub(crate) struct ForeignIssuers(Vec<Arc<Foreign>>);

/// Which audiences an issuer's tokens may have, and which they are here: what a route lists is itself,
/// anything else stands for the gateway's own resource. None listed: that resource.
pub fn accepted_audiences(settings: &Settings, audiences: &[String]) -> Vec<AcceptedAudience> {
    let listed = |audience: &String| {
        settings.routes.iter().any(|rule| match &rule.access {
            Access::Public => false,
            Access::Token { audiences, .. } => audiences.contains(audience),
        })
    };
    let accepted = |named: &String| {
        let stands_for = if listed(named) { named } else { &settings.resource };
        AcceptedAudience { named: named.clone(), stands_for: stands_for.clone() }
    };
    match audiences {
        [] => vec![accepted(&settings.resource)],
        some => some.iter().map(accepted).collect(),
    }
}

// === impl ForeignIssuers ===

impl ForeignIssuers {
    pub(crate) fn new(issuers: Vec<ForeignIssuer>) -> Self {
        let foreign =
            |(told, number)| Arc::new(Foreign { number, told, flights: Mutex::default() });
        Self(issuers.into_iter().zip(1..).map(foreign).collect())
    }

    /// Whether tokens that were good by these are good by those.
    pub(crate) fn are_like(&self, others: &[ForeignIssuer]) -> bool {
        let own = self.0.iter().map(|foreign| &foreign.told);
        self.0.len() == others.len() && own.zip(others).all(|(one, other)| one.is_like(other))
    }

    /// Whose a presented text is, as far as it says so; `None` for one of ours and for a stranger's.
    pub(crate) fn of(&self, text: &str, ours: &str) -> Option<&Arc<Foreign>> {
        if !is_jwt(text) {
            return self.asked_about(text);
        }
        if self.0.is_empty() {
            return None;
        }
        let issuer = claimed_issuer(text).filter(|issuer| issuer != ours)?;
        self.0.iter().find(|foreign| *foreign.told.rules.issuer == *issuer)
    }

    /// Who made an opaque token, by how it begins.
    pub(crate) fn asked_about(&self, text: &str) -> Option<&Arc<Foreign>> {
        // What is secret of ours is shown to nobody, whatever the configuration says.
        if self.0.is_empty() || Family::ALL.iter().any(|family| text.starts_with(family.prefix())) {
            return None;
        }
        let begins = |foreign: &&Arc<Foreign>| {
            let introspection = foreign.told.introspection.as_ref();
            introspection.is_some_and(|introspection| text.starts_with(&introspection.prefix))
        };
        self.0.iter().find(begins)
    }

    /// The version of an issuer's keyring.
    pub(crate) fn version(&self, number: u32) -> Option<u64> {
        let foreign = self.0.iter().find(|foreign| foreign.number == number)?;
        foreign.told.keyring.as_ref().map(|keyring| keyring.version())
    }
}
