//! Open streams end with their token: when it expires, and when it or its network is taken back.
//!
//! An answer that is there at once costs nothing here. Only a stream that has to wait is entered
//! in its worker's list; a restriction is handed to every worker, which looks through its list on
//! its own thread. A restriction that arrives between the check and the entry is seen by the
//! position of the log: whoever enters compares it with the position that was checked.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use token::index::RestrictionIndex;
use token::restriction::{Restriction, Selector};
use token::time::{Clock, Timestamp};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep};

use crate::meters::StreamMeters;
use crate::restrained::ends_streams;
use crate::verify::Known;

/// Timers are set at least this far ahead, so that a clock that stands still does no harm.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);

/// Why a stream is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Its token's time has passed.
    Expired,
    /// Its token or its network was taken back.
    Restricted,
}

/// The streams of all workers of a gateway, for the listener of the restriction log.
#[derive(Default)]
pub(crate) struct Everywhere(Mutex<Vec<Weak<Streams>>>);

/// The waiting streams of one worker.
pub(crate) struct Streams {
    index: Arc<RestrictionIndex>,
    clock: Arc<dyn Clock>,
    meters: StreamMeters,
    waiting: Mutex<Waiting>,
    arrived: Mutex<Vec<Arc<Restriction>>>,
    woken: Arc<Notify>,
    swept: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    entries: HashMap<u64, Arc<Entry>>,
}

struct Entry {
    whose: Whose,
    /// The position of the log up to which it was judged before.
    seen: u64,
    cut: AtomicBool,
    waker: AtomicWaker,
}

/// Whose stream it is.
#[derive(Clone)]
pub(crate) struct Whose {
    pub(crate) known: Option<Arc<Known>>,
    pub(crate) ip: IpAddr,
}

/// The watch over one stream.
pub(crate) struct Watch {
    streams: Arc<Streams>,
    whose: Whose,
    seen: u64,
    listed: Option<Listed>,
    timer: Option<Pin<Box<Sleep>>>,
}

struct Listed {
    number: u64,
    entry: Arc<Entry>,
}

// === impl Everywhere ===

impl Everywhere {
    /// Those of one more worker.
    pub(crate) fn add(&self, streams: &Arc<Streams>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.strong_count() > 0);
        all.push(Arc::downgrade(streams));
    }

    /// Hands every restriction to every worker for as long as this lives; the work is done on their own threads.
    pub(crate) fn listen(self: &Arc<Self>, index: &RestrictionIndex) {
        let weak = Arc::downgrade(self);
        index.on_restriction(move |restriction: &Restriction| {
            let Some(everywhere) = weak.upgrade() else { return };
            let restriction = Arc::new(restriction.clone());
            let all = everywhere.0.lock().unwrap_or_else(PoisonError::into_inner);
            for streams in all.iter().filter_map(Weak::upgrade) {
                streams.restricted(&restriction);
            }
        });
    }
}

// === impl Streams ===

impl Streams {
    /// None wait yet. They outlive the rules by which they were let in.
    pub(crate) fn new(index: Arc<RestrictionIndex>, clock: Arc<dyn Clock>) -> Self {
        Self {
            index,
            clock,
            meters: StreamMeters::new(),
            waiting: Mutex::default(),
            arrived: Mutex::default(),
            woken: Arc::new(Notify::new()),
            swept: AtomicBool::new(false),
        }
    }

    /// Takes note of a restriction; the work is done later, on the worker's own thread.
    pub(crate) fn restricted(&self, restriction: &Arc<Restriction>) {
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        arrived.push(Arc::clone(restriction));
        drop(arrived);
        self.woken.notify_one();
    }

    fn enter(self: &Arc<Self>, whose: Whose, seen: u64) -> Listed {
        self.keep_sweeping();
        let (cut, waker) = (AtomicBool::new(false), AtomicWaker::new());
        let entry = Arc::new(Entry { whose, seen, cut, waker });
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let number = waiting.next;
        waiting.next += 1;
        waiting.entries.insert(number, Arc::clone(&entry));
        drop(waiting);
        self.meters.open.increment(1);
        Listed { number, entry }
    }

    fn leave(&self, number: u64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.entries.remove(&number);
        drop(waiting);
        self.meters.open.decrement(1);
    }

    /// Starts the task that looks through the list, on the runtime of the first stream.
    fn keep_sweeping(self: &Arc<Self>) {
        if self.swept.load(Ordering::Relaxed) || self.swept.swap(true, Ordering::AcqRel) {
            return;
        }
        tokio::spawn(sweep(Arc::downgrade(self), Arc::clone(&self.woken)));
    }

    fn cut_restricted(&self) {
        // The lock ends with the statement: whoever writes the log must not wait for the sweep.
        let mut arrived =
            std::mem::take(&mut *self.arrived.lock().unwrap_or_else(PoisonError::into_inner));
        // They may have waited here for long: until the first stream of the worker had to wait.
        arrived.retain(|restriction| self.index.at(restriction.seq).is_some());
        let now = self.clock.now();
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in waiting.entries.values() {
            let mut new = arrived.iter().filter(|restriction| restriction.seq > entry.seen);
            if new.any(|restriction| entry.whose.is_fitted_by(restriction, now)) {
                entry.cut.store(true, Ordering::Release);
                entry.waker.wake();
            }
        }
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.woken.notify_one();
    }
}

async fn sweep(streams: Weak<Streams>, woken: Arc<Notify>) {
    loop {
        woken.notified().await;
        let Some(streams) = streams.upgrade() else { return };
        streams.cut_restricted();
    }
}

// === impl Whose ===

impl Whose {
    fn is_fitted_by(&self, restriction: &Restriction, now: Timestamp) -> bool {
        let fits = ends_streams(restriction)
            && match &restriction.selector {
                Selector::Network(net) => net.contains(&self.ip),
                _ => {
                    self.known.as_ref().is_some_and(|known| restriction.covers(known.token.facts()))
                }
            };
        fits && restriction.in_force(now)
    }
}

// === impl Watch ===

impl Watch {
    /// Over a stream of `whose`, for which the restriction log was asked up to `seen`.
    pub(crate) fn new(streams: &Arc<Streams>, whose: Whose, seen: u64) -> Self {
        Self { streams: Arc::clone(streams), whose, seen, listed: None, timer: None }
    }

    /// Whether the stream must end now. Costs two reads while nothing happens.
    pub(crate) fn check(&mut self) -> Option<Cut> {
        let Streams { index, clock, .. } = &*self.streams;
        if self.listed.as_ref().is_some_and(|listed| listed.entry.cut.load(Ordering::Acquire)) {
            return Some(self.counted(Cut::Restricted));
        }
        let newest = index.last_seq();
        let now = clock.now();
        if newest != self.seen {
            if self.is_restricted(now) {
                return Some(self.counted(Cut::Restricted));
            }
            self.seen = newest;
        }
        let expired = self.whose.known.as_ref().is_some_and(|known| known.token.expired(now));
        expired.then(|| self.counted(Cut::Expired))
    }

    /// As [`Watch::check`], but a body's last part is let through: it was there in time.
    pub(crate) fn check_unless(&mut self, ended: bool) -> Option<Cut> {
        if ended { None } else { self.check() }
    }

    /// Waits until the stream must end.
    pub(crate) fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<Cut> {
        let enter = || self.streams.enter(self.whose.clone(), self.seen);
        let listed = self.listed.get_or_insert_with(enter);
        listed.entry.waker.register(cx.waker());
        // Only after the entry: what came before it shows in the log's position.
        if let Some(cut) = self.check() {
            return Poll::Ready(cut);
        }
        let Some(known) = &self.whose.known else { return Poll::Pending };
        let clock = &self.streams.clock;
        let wait = || {
            let left = known.token.expires_at().since(clock.now());
            Instant::now() + left.max(SHORTEST_WAIT)
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(wait())));
        while timer.as_mut().poll(cx).is_ready() {
            if known.token.expired(clock.now()) {
                return Poll::Ready(self.counted(Cut::Expired));
            }
            timer.as_mut().reset(wait());
        }
        Poll::Pending
    }

    fn is_restricted(&self, now: Timestamp) -> bool {
        let index = &self.streams.index;
        let facts = self.whose.known.as_ref().map(|known| known.token.facts());
        // What was there when the stream began has let it through.
        let new = |row: &Arc<Restriction>| row.seq > self.seen && ends_streams(row);
        facts.is_some_and(|facts| {
            index.on_token(facts, now).is_some() || index.partial_on(facts, now).iter().any(new)
        }) || index.on_network(self.whose.ip, now).is_some()
    }

    fn counted(&self, cut: Cut) -> Cut {
        let meters = &self.streams.meters;
        match cut {
            Cut::Expired => meters.expired.increment(1),
            Cut::Restricted => meters.restricted.increment(1),
        }
        cut
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(listed) = &self.listed {
            self.streams.leave(listed.number);
        }
    }
}

#[cfg(test)]
mod tests;
