//! Sees to it that findings are told: again and again, until they are taken or given up.

use std::sync::Arc;
use std::time::Duration;

use store::{Delivery, NewDelivery, Store, StoreError, StoredFinding};
use token::id::DeliveryId;
use token::random::Random;
use token::time::{Clock, Timestamp};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::notice::Notice;
use crate::outlet::{NotTaken, Outlet, PAUSES, Way, next_try};
use crate::signals;

const DELIVERIES: &str = "tokenward_deliveries_total";
/// Deliveries that are read at a time.
const BATCH: usize = 32;
/// Deliveries through one outlet at the same time.
const AT_ONCE: usize = 4;
/// An outlet looks again after this long, whatever it was told.
const LOOK: Duration = Duration::from_secs(60);
/// Between two batches, also where what came of one could not be written down.
const BREATH: Duration = Duration::from_millis(20);
/// After the store could not be read.
const RESPITE: Duration = Duration::from_secs(5);

/// Tells findings to others. A clone is the same one.
#[derive(Clone)]
pub struct Notifier(Arc<Parts>);

struct Parts {
    outlets: Vec<(Outlet, Notify)>,
    store: Store,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    pauses: &'static [Duration],
}

/// How an outlet is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutletStatus {
    /// Its name.
    pub name: String,
    /// `letters`, `person`, `signals`, `syslog` or `webhook`.
    pub kind: &'static str,
    /// Where it leads.
    pub place: String,
    /// Deliveries that wait.
    pub waiting: u64,
    /// Deliveries that were given up in the last week.
    pub dead: u64,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tested {
    /// It was not taken, because of this.
    NotTaken(String),
    /// It was taken, or is kept for a receiver that fetches.
    Taken,
    /// There is no outlet of this name.
    Unknown,
}

// === impl Notifier ===

impl Notifier {
    /// One that tells these.
    pub fn new(
        outlets: Vec<Outlet>,
        store: Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self::with_pauses(outlets, store, clock, random, &PAUSES)
    }

    pub(crate) fn with_pauses(
        outlets: Vec<Outlet>,
        store: Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        pauses: &'static [Duration],
    ) -> Self {
        metrics::describe_counter!(
            DELIVERIES,
            "Tries to tell an outlet something, by what came of it"
        );
        let outlets = outlets.into_iter().map(|outlet| (outlet, Notify::new())).collect();
        Self(Arc::new(Parts { outlets, store, clock, random, pauses }))
    }

    /// What is told of a finding: to be written in the act that keeps the finding.
    pub fn told(&self, finding: &StoredFinding, now: Timestamp) -> Vec<NewDelivery> {
        let outlets = self.0.outlets.iter();
        outlets.filter_map(|(outlet, _)| outlet.told(finding, now, &*self.0.random)).collect()
    }

    /// A name for something that is to be told.
    pub(crate) fn new_id(&self) -> DeliveryId {
        DeliveryId::generate(&*self.0.random)
    }

    /// Says that something was written.
    pub fn wake(&self) {
        for (_, woken) in &self.0.outlets {
            woken.notify_one();
        }
    }

    /// Tells what is due until `stop`. What is under way then is tried to its end, which is bounded;
    /// everything else waits for the next start.
    pub async fn run(self, stop: CancellationToken) {
        let mut running = JoinSet::new();
        for position in 0..self.0.outlets.len() {
            running.spawn(Arc::clone(&self.0).serve(position, stop.clone()));
        }
        while let Some(ended) = running.join_next().await {
            if ended.is_err() {
                tracing::error!("an outlet of findings ended in a panic");
            }
        }
    }

    /// Tells one outlet, past the queue, that somebody tries it.
    pub async fn test(&self, name: &str) -> Tested {
        let Some((outlet, _)) = self.0.outlets.iter().find(|(outlet, _)| outlet.name == name)
        else {
            return Tested::Unknown;
        };
        let now = self.0.clock.now();
        let sent = match &outlet.way {
            Way::Person(_) => {
                return Tested::NotTaken("a test concerns nobody who could be asked".to_owned());
            }
            Way::Letters(_) => {
                let words =
                    "a test has no reader; invite somebody, and see whether the letter comes";
                return Tested::NotTaken(words.to_owned());
            }
            Way::Fetched(tries) => tries.keep(name, &self.0.store, now).await,
            Way::Signals(receiver) => receiver.test(name).await,
            Way::Syslog(_) | Way::Webhook(_) => {
                let delivery = outlet.delivery(&Notice::test(now), now, &*self.0.random);
                let Some(delivery) = delivery else { return Tested::Unknown };
                outlet.send(&delivery.id, &delivery.body, now).await
            }
        };
        match sent {
            Ok(()) => Tested::Taken,
            Err(failure) => Tested::NotTaken(failure.to_string()),
        }
    }

    /// How every outlet is doing, in the order of the configuration.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn outlets(&self) -> Result<Vec<OutletStatus>, StoreError> {
        let mut list = Vec::new();
        for (outlet, _) in &self.0.outlets {
            let counts = self.0.store.delivery_counts(&outlet.name).await?;
            list.push(OutletStatus {
                name: outlet.name.clone(),
                kind: outlet.kind(),
                place: outlet.place(),
                waiting: counts.waiting,
                dead: counts.dead,
            });
        }
        Ok(list)
    }

    /// Has a delivery tried again now; `false` when there is none of this id.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn again(&self, id: &DeliveryId) -> Result<bool, StoreError> {
        let found = self.0.store.deliver_again(id, self.0.clock.now()).await?;
        self.wake();
        Ok(found)
    }
}

// === impl Parts ===

impl Parts {
    async fn serve(self: Arc<Self>, position: usize, stop: CancellationToken) {
        let Some((outlet, woken)) = self.outlets.get(position) else { return };
        while !stop.is_cancelled() {
            let pause = match self.round(position, outlet, &stop).await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!(outlet = outlet.name, %error, "what is to be told cannot be read");
                    RESPITE
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = woken.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Tells what is due, and says how long nothing will be.
    async fn round(
        self: &Arc<Self>,
        position: usize,
        outlet: &Outlet,
        stop: &CancellationToken,
    ) -> Result<Duration, StoreError> {
        let now = self.clock.now();
        if let Way::Fetched(_) = outlet.way {
            signals::give_up_unfetched(&self.store, &outlet.name, now).await?;
            return Ok(LOOK);
        }
        let mut due = self.store.due_deliveries(&outlet.name, now, BATCH).await?.into_iter();
        let mut running = JoinSet::new();
        loop {
            while running.len() < AT_ONCE && !stop.is_cancelled() {
                let Some(delivery) = due.next() else { break };
                running.spawn(Arc::clone(self).attempt(position, delivery));
            }
            let Some(ended) = running.join_next().await else { break };
            if ended.is_err() {
                tracing::error!(outlet = outlet.name, "telling a finding ended in a panic");
            }
        }
        let next = self.store.next_delivery(&outlet.name).await?;
        let next = next.map_or(LOOK, |next| next.since(self.clock.now()));
        Ok(next.clamp(BREATH, LOOK))
    }

    async fn attempt(self: Arc<Self>, position: usize, delivery: Delivery) {
        let Some((outlet, _)) = self.outlets.get(position) else { return };
        let now = self.clock.now();
        let is_over = delivery.until.is_some_and(|until| until <= now);
        let sent = match is_over {
            true => Err(NotTaken::ForGood("it came too late: its time is over".to_owned())),
            false => outlet.send(&delivery.id, &delivery.body, now).await,
        };
        let outcome = match &sent {
            Ok(()) => "taken",
            Err(NotTaken::ForNow { .. }) => "failed",
            Err(NotTaken::ForGood(_)) => "refused",
        };
        metrics::counter!(DELIVERIES, "outlet" => outlet.name.clone(), "outcome" => outcome)
            .increment(1);
        let written = match sent {
            Ok(()) => self.store.remove_delivery(&delivery.id).await.map(drop),
            Err(failure) => self.put_off(outlet, &delivery, &failure).await,
        };
        if let Err(error) = written {
            tracing::error!(outlet = outlet.name, %error, "what was told cannot be written down");
        }
    }

    async fn put_off(
        &self,
        outlet: &Outlet,
        delivery: &Delivery,
        failure: &NotTaken,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let pauses = outlet.pauses(self.pauses);
        let next = next_try(delivery, pauses, failure, now, &*self.random);
        let (id, about) = (&delivery.id, &delivery.about);
        let cause = failure.to_string();
        if let Way::Letters(letters) = &outlet.way {
            letters.not_taken(id, &cause, next);
            if next.is_none() {
                return self.store.remove_delivery(id).await.map(drop);
            }
            return self.store.delivery_failed(id, next, &cause, now).await;
        }
        match next {
            Some(next) => {
                tracing::warn!(outlet = outlet.name, %id, about, cause, %next, "something could not be told");
            }
            None => {
                tracing::error!(outlet = outlet.name, %id, about, cause, "something is not told: given up");
            }
        }
        self.store.delivery_failed(id, next, &cause, now).await
    }
}
