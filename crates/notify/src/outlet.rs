//! Whom findings are told, which ones and how.

use std::time::Duration;

use store::{Delivery, NewDelivery, StoredFinding};
use token::id::DeliveryId;
use token::random::Random;
use token::time::Timestamp;

use crate::filter::Filter;
use crate::letters::Letters;
use crate::notice::Notice;
use crate::person::Person;
use crate::signals::{Receiver, Tries};
use crate::syslog::Syslog;
use crate::webhook::Webhook;

/// Somebody who is told findings.
#[derive(Clone)]
pub struct Outlet {
    /// Its name.
    pub name: String,
    /// Which findings it is told.
    pub filter: Filter,
    /// How.
    pub way: Way,
}

/// How findings are told.
#[derive(Clone)]
pub enum Way {
    /// Not findings, but security events, which their receiver fetches.
    Fetched(Tries),
    /// Not findings, but letters.
    Letters(Letters),
    /// To the person whom the finding concerns.
    Person(Person),
    /// Not findings, but security events.
    Signals(Box<Receiver>),
    /// By syslog.
    Syslog(Syslog),
    /// By a request to a URL.
    Webhook(Box<Webhook>),
}

/// Why something was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It will never be.
    #[error("{0}")]
    ForGood(String),
    /// It may be later.
    #[error("{cause}")]
    ForNow {
        /// Why not now.
        cause: String,
        /// How long the other side asks to wait.
        wait: Option<Duration>,
    },
}

// === impl Outlet ===

impl Outlet {
    /// `letters`, `person`, `signals`, `syslog` or `webhook`.
    pub fn kind(&self) -> &'static str {
        match self.way {
            Way::Letters(_) => "letters",
            Way::Person(_) => "person",
            Way::Fetched(_) | Way::Signals(_) => "signals",
            Way::Syslog(_) => "syslog",
            Way::Webhook(_) => "webhook",
        }
    }

    /// Where it leads, without what is secret in it.
    pub fn place(&self) -> String {
        match &self.way {
            Way::Fetched(_) => "fetched by its receiver".to_owned(),
            Way::Letters(letters) => letters.place(),
            Way::Person(_) => "the address of each".to_owned(),
            Way::Signals(receiver) => receiver.place(),
            Way::Syslog(syslog) => syslog.place(),
            Way::Webhook(webhook) => webhook.place(),
        }
    }

    /// What is told of a finding, if it is.
    pub(crate) fn told(
        &self,
        finding: &StoredFinding,
        now: Timestamp,
        random: &dyn Random,
    ) -> Option<NewDelivery> {
        self.filter.fits(finding).then(|| self.delivery(&Notice::of(finding), now, random))?
    }

    /// A notice in the form of this outlet; `None` where it is told none.
    pub(crate) fn delivery(
        &self,
        notice: &Notice,
        now: Timestamp,
        random: &dyn Random,
    ) -> Option<NewDelivery> {
        let body = match &self.way {
            Way::Person(_) => notice.finding.to_string(),
            Way::Fetched(_) | Way::Letters(_) | Way::Signals(_) => return None,
            Way::Syslog(syslog) => syslog.line(notice, now),
            Way::Webhook(_) => Webhook::body(notice, now),
        };
        Some(NewDelivery {
            id: DeliveryId::generate(random),
            outlet: self.name.clone(),
            about: notice.about.clone(),
            body,
            until: None,
        })
    }

    /// How long what fails here waits.
    pub(crate) fn pauses(&self, usual: &'static [Duration]) -> &'static [Duration] {
        match &self.way {
            Way::Letters(letters) => letters.pauses(),
            Way::Fetched(_)
            | Way::Person(_)
            | Way::Signals(_)
            | Way::Syslog(_)
            | Way::Webhook(_) => usual,
        }
    }

    /// Tells it, once.
    ///
    /// # Errors
    /// [`NotTaken`] says why, and whether it is worth another try.
    pub(crate) async fn send(
        &self,
        id: &DeliveryId,
        body: &str,
        now: Timestamp,
    ) -> Result<(), NotTaken> {
        match &self.way {
            Way::Fetched(_) => Err(NotTaken::for_now("it waits for its receiver")),
            Way::Letters(letters) => letters.send(body).await,
            Way::Person(person) => person.send(body).await,
            Way::Signals(receiver) => receiver.send(body).await,
            Way::Syslog(syslog) => syslog.send(body).await,
            Way::Webhook(webhook) => webhook.send(id, body, now).await,
        }
    }
}

impl NotTaken {
    pub(crate) fn for_now(cause: impl Into<String>) -> Self {
        Self::ForNow { cause: cause.into(), wait: None }
    }
}

/// How long a delivery waits after each failure; after the last one it is given up, a day after it was
/// made. Receivers are seldom down for longer, and news of yesterday stops nobody.
pub(crate) const PAUSES: [Duration; 10] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
    Duration::from_secs(1800),
    Duration::from_secs(3600),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(4 * 3600),
    Duration::from_secs(6 * 3600),
    Duration::from_secs(8 * 3600),
];
/// Nobody can ask us to wait longer.
const LONGEST: Duration = Duration::from_secs(8 * 3600);

/// When a delivery that failed is tried again; `None`: never. What has an end is tried until then.
pub(crate) fn next_try(
    delivery: &Delivery,
    pauses: &[Duration],
    failure: &NotTaken,
    now: Timestamp,
    random: &dyn Random,
) -> Option<Timestamp> {
    let NotTaken::ForNow { wait, .. } = failure else { return None };
    let tries = usize::try_from(delivery.tries).unwrap_or(usize::MAX);
    let pause = pauses.get(tries).or(delivery.until.and(pauses.last()))?;
    let mut byte = [0];
    random.fill(&mut byte);
    // Up to a fifth more or less, so that what failed together does not come back together.
    let parts = 205 + u32::from(byte[0]) * 102 / 255;
    let pause = *pause * parts / 256;
    let next = now.plus(wait.unwrap_or_default().min(LONGEST).max(pause));
    delivery.until.is_none_or(|until| next < until).then_some(next)
}
