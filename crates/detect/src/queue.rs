//! The bounded queue between those who answer requests and the watcher: nobody waits for it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use metrics::Counter;
use token::event::{Event, EventKind, EventSink};
use token::reason::{Reason, Refused};

/// To be woken for every single event would cost more, the senders as well, than to read them. So short that what is
/// done about an event is done within a millisecond. What may be proof wakes at once: it is rare, and each request that
/// gets through before the answer is one too many.
const GATHER: Duration = Duration::from_micros(600);

/// The sending end; a full queue is counted and not waited for.
pub struct EventQueue {
    shared: Arc<Shared>,
    capacity: usize,
    lost: AtomicU64,
    lost_metric: Counter,
}

/// The receiving end. What waits is taken all at once: a queue that gives one at a time has its reader and its senders
/// pull the same memory from each other with every event, which costs the senders more than the event.
pub struct Events {
    shared: Arc<Shared>,
    /// What was taken and not yet given.
    taken: VecDeque<Box<Event>>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// The thread that reads, once it has begun.
    reader: OnceLock<Thread>,
}

/// Held for as long as it takes to add a pointer, or to change one list for another.
#[derive(Default)]
struct Waiting {
    /// Boxed: room for all of them is there from the beginning, and an event is large.
    events: VecDeque<Box<Event>>,
    closed: bool,
    /// The reader sleeps until somebody wakes it.
    asleep: bool,
}

/// What the receiver got.
pub enum Received {
    /// An event.
    Event(Box<Event>),
    /// Nothing waits at the moment: a good time to write what was held back.
    Idle,
    /// The queue was closed; everything sent before was received.
    Closed,
}

/// A queue in which so many events may wait, beside those that were taken together and are being read.
pub fn queue(capacity: usize) -> (EventQueue, Events) {
    let capacity = capacity.max(1);
    metrics::describe_counter!(
        "tokenward_events_lost_total",
        "Events lost because the watcher's queue was full"
    );
    let lost_metric = metrics::counter!("tokenward_events_lost_total");
    lost_metric.absolute(0);
    let shared = Arc::<Shared>::default();
    shared.lock().events.reserve_exact(capacity);
    let events = Events { shared: Arc::clone(&shared), taken: VecDeque::with_capacity(capacity) };
    (EventQueue { shared, capacity, lost: AtomicU64::new(0), lost_metric }, events)
}

// === impl Shared ===

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        if let Some(reader) = self.reader.get() {
            reader.unpark();
        }
    }
}

// === impl EventQueue ===

impl EventQueue {
    /// How many events were lost.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Ends the receiver once it has read what was sent before.
    pub fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.wake();
    }
}

impl Drop for EventQueue {
    fn drop(&mut self) {
        self.close();
    }
}

impl EventSink for EventQueue {
    fn emit(&self, event: Event) {
        let decides = may_be_proof(&event.kind);
        let event = Box::new(event);
        let mut waiting = self.shared.lock();
        if waiting.closed || waiting.events.len() >= self.capacity {
            drop(waiting);
            self.lost.fetch_add(1, Ordering::Relaxed);
            self.lost_metric.increment(1);
            return;
        }
        waiting.events.push_back(event);
        let asleep = std::mem::take(&mut waiting.asleep);
        drop(waiting);
        if decides || asleep {
            self.shared.wake();
        }
    }
}

/// Whether one such event can be all that a detector needs to be certain.
fn may_be_proof(kind: &EventKind) -> bool {
    match kind {
        EventKind::Request(request) => matches!(
            request.refused,
            Some(Refused::Forged(_) | Refused::Plain(Reason::Honeytoken | Reason::DpopReplayed))
        ),
        EventKind::Grant { cause, .. } => cause.is_some(),
        EventKind::LeakReport { .. } => true,
        _ => false,
    }
}

// === impl Events ===

impl Events {
    /// The next event. With `busy`, says [`Received::Idle`] when none waits; without, waits for one,
    /// and first for a moment in which many may gather.
    pub fn next(&mut self, busy: bool) -> Received {
        if let Some(event) = self.taken.pop_front() {
            return Received::Event(event);
        }
        if !busy {
            self.shared.reader.get_or_init(thread::current);
            thread::park_timeout(GATHER);
        }
        loop {
            let mut waiting = self.shared.lock();
            std::mem::swap(&mut waiting.events, &mut self.taken);
            waiting.asleep = !busy && self.taken.is_empty();
            let closed = waiting.closed;
            drop(waiting);
            if let Some(event) = self.taken.pop_front() {
                return Received::Event(event);
            }
            if closed {
                return Received::Closed;
            }
            if busy {
                return Received::Idle;
            }
            thread::park();
        }
    }
}

#[cfg(test)]
mod tests;
