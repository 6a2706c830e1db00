//! The one thread that writes: takes what waits, commits it together, then answers.
//!
//! A single act costs one sync to disk; a thousand that wait at the same time cost one as well.
//! The writer sleeps when nothing waits, and starts at once when an act does, unless acts come from
//! several callers at the same time ([`pace`]). Records alone, which nobody waits for, are given a
//! moment to become more.

mod act;
mod batch;
mod pace;

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use crate::background::{Record, Taken};
use crate::error::StoreError;
use crate::shared::Shared;

pub(crate) use act::{Act, AfterCommit};
use batch::{Job, Pending};
use pace::Pace;

/// Acts that may wait; one more is turned away.
pub(crate) const QUEUE: usize = 4096;

/// Acts of one commit.
const BATCH_MAX: usize = 1024;

/// How long records wait for an act, or for more of them: a sync to disk for every single one would
/// cost as much as making the token.
const LINGER: Duration = Duration::from_millis(5);

/// The callers' end of the queue.
pub(crate) struct Writer {
    /// `None` once closed: the thread ends when the last sender is gone and nothing waits.
    sender: RwLock<Option<SyncSender<Message>>>,
    ended: watch::Receiver<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
    shared: Arc<Shared>,
}

enum Message {
    Act(Box<dyn Job>),
    /// Records wait in the background.
    Wake,
}

/// Says that the thread has ended, however it ends.
struct Alive {
    shared: Arc<Shared>,
    ended: watch::Sender<bool>,
}

// === impl Writer ===

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(
        connection: Connection,
        shared: Arc<Shared>,
        queue: usize,
    ) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(queue);
        let (ending, ended) = watch::channel(false);
        shared.gauges.alive.store(true, Ordering::Release);
        let alive = Alive { shared: Arc::clone(&shared), ended: ending };
        let run = move || {
            let alive = alive;
            serve(connection, &receiver, &alive.shared);
        };
        let thread = thread::Builder::new().name("store".to_owned()).spawn(run)?;
        let (sender, thread) = (RwLock::new(Some(sender)), Mutex::new(Some(thread)));
        Ok(Self { sender, ended, thread, shared })
    }

    /// Runs an act and waits until it is on disk. The act runs even when its caller goes away.
    pub(crate) async fn act<T, F>(&self, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Act<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.begin(act).await
    }

    /// Hands an act over at once; the future waits until it is on disk.
    pub(crate) fn begin<T, F>(
        &self,
        act: F,
    ) -> impl Future<Output = Result<T, StoreError>> + Send + 'static
    where
        T: Send + 'static,
        F: FnOnce(&mut Act<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let sent = self.send(Message::Act(Box::new(Pending::new(act, caller))));
        async move {
            sent?;
            answer.await.map_err(|_| StoreError::Closed)?
        }
    }

    /// Leaves a record to be written; never waits.
    pub(crate) fn record(&self, record: Record) {
        if !self.is_open() {
            return self.shared.gauges.lose(1);
        }
        match self.shared.background.push(record) {
            // A full queue means that the writer is awake and will come by.
            Taken::First => drop(self.send(Message::Wake)),
            Taken::Lost => self.shared.gauges.lose(1),
            Taken::Waits => {}
        }
    }

    /// Whether acts are still taken.
    pub(crate) fn is_open(&self) -> bool {
        self.sender.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Takes no more acts, and returns when those that wait are written.
    pub(crate) async fn close(&self) {
        drop(self.sender.write().unwrap_or_else(PoisonError::into_inner).take());
        let mut ended = self.ended.clone();
        // An error means that the thread is gone, which is what is waited for.
        drop(ended.wait_for(|ended| *ended).await);
    }

    fn send(&self, message: Message) -> Result<(), StoreError> {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = &*sender else { return Err(StoreError::Closed) };
        let gauge = &self.shared.gauges.queued;
        gauge.fetch_add(1, Ordering::AcqRel);
        sender.try_send(message).map_err(|error| {
            gauge.fetch_sub(1, Ordering::AcqRel);
            match error {
                TrySendError::Full(_) => StoreError::Overloaded,
                TrySendError::Disconnected(_) => StoreError::Closed,
            }
        })
    }
}

impl Drop for Writer {
    /// Whoever opens the file next finds nobody in it.
    fn drop(&mut self) {
        drop(self.sender.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread.filter(|held| held.thread().id() != thread::current().id()) {
            drop(thread.join());
        }
    }
}

// === impl Alive ===

impl Drop for Alive {
    fn drop(&mut self) {
        self.shared.gauges.alive.store(false, Ordering::Release);
        self.ended.send_replace(true);
    }
}

fn serve(connection: Connection, queue: &Receiver<Message>, shared: &Shared) {
    let mut pace = Pace::default();
    while let Some(jobs) = next_batch(queue, shared, &mut pace) {
        batch::settle(&connection, shared, jobs);
    }
    // So that a copy of the one file is a copy of all; without it the next start does the same.
    if let Err(error) = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);") {
        tracing::warn!(%error, "the write-ahead log was not folded in");
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database was not closed cleanly");
    }
}

/// Waits for something to do and takes what waits; `None` when nothing more can come.
fn next_batch(
    queue: &Receiver<Message>,
    shared: &Shared,
    pace: &mut Pace,
) -> Option<Vec<Box<dyn Job>>> {
    let act = |message| {
        shared.gauges.queued.fetch_sub(1, Ordering::AcqRel);
        match message {
            Message::Act(job) => Some(job),
            Message::Wake => None,
        }
    };
    let waiting = || queue.try_iter().take(BATCH_MAX).filter_map(act);
    let mut jobs: Vec<_> = waiting().collect();
    let others = jobs.len();
    if jobs.is_empty() {
        if !shared.background.is_waiting() {
            jobs.extend(act(queue.recv().ok()?));
        }
        if jobs.is_empty() {
            jobs.extend(queue.recv_timeout(LINGER).ok().and_then(act));
        }
        jobs.extend(waiting());
    }
    if !jobs.is_empty() {
        pace.gather(others, &mut jobs, |jobs| jobs.extend(waiting()));
    }
    Some(jobs)
}
