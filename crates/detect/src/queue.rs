//! The bounded queue between those who answer requests and the watcher: nobody waits for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
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
    sender: SyncSender<Message>,
    reader: Reader,
    lost: AtomicU64,
    lost_metric: Counter,
}

/// The receiving end.
pub struct Events(Receiver<Message>, Reader);

/// The thread that reads, once it has begun.
type Reader = Arc<OnceLock<Thread>>;

/// Boxed: the queue is allocated whole, and an event is large.
enum Message {
    Event(Box<Event>),
    Close,
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

/// A queue for so many events.
pub fn queue(capacity: usize) -> (EventQueue, Events) {
    let (sender, receiver) = sync_channel(capacity.max(1));
    metrics::describe_counter!(
        "tokenward_events_lost_total",
        "Events lost because the watcher's queue was full"
    );
    let lost_metric = metrics::counter!("tokenward_events_lost_total");
    lost_metric.absolute(0);
    let reader = Reader::default();
    let events = Events(receiver, Arc::clone(&reader));
    (EventQueue { sender, reader, lost: AtomicU64::new(0), lost_metric }, events)
}

// === impl EventQueue ===

impl EventQueue {
    /// How many events were lost.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Ends the receiver once it has read what was sent before. Waits for room in the queue.
    pub fn close(&self) {
        // An error only says that the receiver has ended already.
        let _ = self.sender.send(Message::Close);
    }
}

impl EventSink for EventQueue {
    fn emit(&self, event: Event) {
        let decides = may_be_proof(&event.kind);
        if self.sender.try_send(Message::Event(Box::new(event))).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            self.lost_metric.increment(1);
        } else if decides && let Some(reader) = self.reader.get() {
            reader.unpark();
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
    pub fn next(&self, busy: bool) -> Received {
        let message = if busy {
            match self.0.try_recv() {
                Ok(message) => Some(message),
                Err(std::sync::mpsc::TryRecvError::Empty) => return Received::Idle,
                Err(std::sync::mpsc::TryRecvError::Disconnected) => None,
            }
        } else {
            self.1.get_or_init(thread::current);
            thread::park_timeout(GATHER);
            self.0.recv().ok()
        };
        match message {
            Some(Message::Event(event)) => Received::Event(event),
            Some(Message::Close) | None => Received::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use token::event::{Event, EventKind, EventSink as _, Origin, Who};
    use token::time::Timestamp;

    use super::{Received, may_be_proof, queue};

    fn event(ts: i64) -> Event {
        Event {
            ts: Timestamp::from_millis(ts),
            ip: None,
            who: Who::default(),
            ua: None,
            origin: Origin::default(),
            kind: EventKind::Other,
        }
    }

    #[test]
    fn a_full_queue_loses_and_counts_and_never_waits() {
        let (sender, receiver) = queue(2);
        for ts in 0..5 {
            sender.emit(event(ts));
        }
        assert_eq!(sender.lost(), 3);
        assert!(matches!(receiver.next(true), Received::Event(event) if event.ts.as_millis() == 0));
        assert!(matches!(receiver.next(true), Received::Event(event) if event.ts.as_millis() == 1));
        assert!(matches!(receiver.next(true), Received::Idle));
    }

    #[test]
    fn what_may_be_proof_wakes_the_reader_and_the_rest_does_not() {
        let kind = |text: &str| -> EventKind { serde_json::from_str(text).expect("a kind") };
        for text in [
            r#"{"kind":"request","refused":"honeytoken"}"#,
            r#"{"kind":"request","refused":"forged:kid"}"#,
            r#"{"kind":"request","refused":"dpop:replayed"}"#,
            r#"{"kind":"grant","cause":"refresh_reused"}"#,
            r#"{"kind":"leak_report"}"#,
        ] {
            assert!(may_be_proof(&kind(text)), "{text}");
        }
        for text in [
            r#"{"kind":"request"}"#,
            r#"{"kind":"request","refused":"throttled"}"#,
            r#"{"kind":"grant","result":"ok"}"#,
            r#"{"kind":"login","result":"bad_password"}"#,
        ] {
            assert!(!may_be_proof(&kind(text)), "{text}");
        }
    }

    #[test]
    fn closing_lets_what_waits_through() {
        let (sender, receiver) = queue(4);
        sender.emit(event(1));
        sender.close();
        assert!(matches!(receiver.next(false), Received::Event(_)));
        assert!(matches!(receiver.next(false), Received::Closed));
    }
}
