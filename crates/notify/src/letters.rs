//! Letters to people: they wait like everything that is told, sealed since they hold links, and are carried by SMTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mail::{Carrier, Counts, Letter, NotSent, Queue};
use store::{NewDelivery, Store, StoreError};
use token::base64url;
use token::id::DeliveryId;
use token::time::Timestamp;

use crate::filter::Filter;
use crate::notifier::Notifier;
use crate::outlet::{NotTaken, Outlet, Way};

/// The name of the outlet.
pub const OUTLET: &str = "letters";
/// For whoever looks at the list: neither whom a letter is for nor what it says.
const ABOUT: &str = "a letter";
const SEAL: &str = "letter";
/// How long a letter waits after each failure, the last one again and again until it is worth nothing. The
/// first five are within the half hour that a link for a new password is good.
const PAUSES: [Duration; 10] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(400),
    Duration::from_secs(900),
    Duration::from_secs(1800),
    Duration::from_secs(3600),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(4 * 3600),
    Duration::from_secs(8 * 3600),
];

/// Letters on their way to a mail server. A clone is the same one.
#[derive(Clone)]
pub struct Letters(Arc<Parts>);

struct Parts {
    carrier: Carrier,
    store: Store,
    pauses: &'static [Duration],
    sent: AtomicU64,
    lost: AtomicU64,
}

/// Where they are handed over.
struct HandedOver {
    letters: Letters,
    notifier: Notifier,
}

// === impl Letters ===

impl Letters {
    /// Letters that this carrier takes out of this store.
    pub fn new(carrier: Carrier, store: Store) -> Self {
        Self::with_pauses(carrier, store, &PAUSES)
    }

    pub(crate) fn with_pauses(carrier: Carrier, store: Store, pauses: &'static [Duration]) -> Self {
        let (sent, lost) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Parts { carrier, store, pauses, sent, lost }))
    }

    /// The outlet through which they leave; the notifier that has it takes them there.
    pub fn outlet(&self) -> Outlet {
        let (name, filter) = (OUTLET.to_owned(), Filter::default());
        Outlet { name, filter, way: Way::Letters(self.clone()) }
    }

    /// Where they are handed over.
    pub fn queue(&self, notifier: Notifier) -> Arc<dyn Queue> {
        Arc::new(HandedOver { letters: self.clone(), notifier })
    }

    pub(crate) fn place(&self) -> String {
        self.0.carrier.place().to_owned()
    }

    pub(crate) fn pauses(&self) -> &'static [Duration] {
        self.0.pauses
    }

    pub(crate) async fn send(&self, body: &str) -> Result<(), NotTaken> {
        let odd = || NotTaken::ForGood("it cannot be opened: it is no letter of ours".to_owned());
        let sealed = base64url::decode(body).ok_or_else(odd)?;
        let packed = self.0.store.sealer().open(SEAL, &sealed).map_err(|_| odd())?;
        let letter = Letter::unpack(&packed).ok_or_else(odd)?;
        match self.0.carrier.send(&letter).await {
            Ok(()) => {
                self.0.sent.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(NotSent::ForGood(cause)) => Err(NotTaken::ForGood(cause)),
            Err(NotSent::ForNow(cause)) => Err(NotTaken::for_now(cause)),
        }
    }

    /// Says what became of a letter that was not taken; `None`: it is not tried again.
    pub(crate) fn not_taken(&self, id: &DeliveryId, cause: &str, next: Option<Timestamp>) {
        match next {
            Some(next) => {
                tracing::warn!(%id, cause, %next, "a letter waits: it could not be sent now");
            }
            None => {
                tracing::error!(%id, cause, "a letter is lost: it could not be sent");
                self.0.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn sealed(&self, letter: &Letter) -> Result<String, StoreError> {
        Ok(base64url::encode(&self.0.store.sealer().seal(SEAL, &letter.pack())?))
    }
}

// === impl HandedOver ===

impl HandedOver {
    fn lose(&self, cause: &dyn std::fmt::Display) {
        tracing::error!(%cause, "a letter is lost: it could not be kept");
        self.letters.0.lost.fetch_add(1, Ordering::Relaxed);
    }
}

impl Queue for HandedOver {
    fn keep(&self, letter: Letter, until: Timestamp, now: Timestamp) {
        let body = match self.letters.sealed(&letter) {
            Ok(body) => body,
            Err(error) => return self.lose(&error),
        };
        let id = self.notifier.new_id();
        let (outlet, about) = (OUTLET.to_owned(), ABOUT.to_owned());
        let new = NewDelivery { id, outlet, about, body, until: Some(until) };
        let kept = self.letters.0.store.begin_delivery(new, now);
        let told = Self { letters: self.letters.clone(), notifier: self.notifier.clone() };
        tokio::spawn(async move {
            match kept.await {
                Ok(true) => told.notifier.wake(),
                Ok(false) => told.lose(&"too many wait for the mail server"),
                Err(error) => told.lose(&error),
            }
        });
    }

    fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts { sent: read(&self.letters.0.sent), lost: read(&self.letters.0.lost) }
    }
}
