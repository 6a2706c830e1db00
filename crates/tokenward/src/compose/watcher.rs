//! The watcher's thread: queue → recording → detectors → responses.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use detect::detector::Names;
use detect::engine::{AHEAD, Engine};
use detect::feedback;
use detect::incidents::INCIDENT_ENDS;
use detect::origin::Origins;
use detect::policy::Standing;
use detect::queue::{EventQueue, Events, Received, queue};
use detect::respond;
use metrics::Counter;
use notify::notifier::Notifier;
use store::{Store, StoredFinding};
use token::event::{Event, EventSink};
use token::finding::Finding;
use token::place::Places;
use token::random::Random;
use token::time::Clock;
use tokio::runtime::Handle;

use super::record::Recorder;
use crate::command::Failure;
use crate::config;

mod under_way;

use under_way::UnderWay;

/// How many events a detector failed at.
const FAILURES: &str = "tokenward_detector_failures_total";

/// The running watcher.
pub(super) struct Watcher {
    queue: Arc<EventQueue>,
    thread: JoinHandle<()>,
}

/// Where findings go.
pub(super) struct Told<'a> {
    /// Where they are kept.
    pub(super) store: &'a Store,
    /// Who tells others.
    pub(super) notifier: &'a Notifier,
    /// What is done about them.
    pub(super) standing: Arc<Standing>,
}

/// What the thread works with.
struct Watch {
    events: Events,
    engine: Engine,
    /// The version of the tolerances that the engine goes by.
    tolerances: Option<u64>,
    recorder: Recorder,
    under_way: UnderWay,
    /// Events on which a detector failed.
    failed: Counter,
    origins: Origins,
    store: Store,
    notifier: Notifier,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    handle: Handle,
}

fn failures() -> Counter {
    metrics::describe_counter!(
        FAILURES,
        "Events that were not judged by all detectors because one of them failed"
    );
    let failures = metrics::counter!(FAILURES);
    failures.absolute(0);
    failures
}

/// Goes on where a detector panics: an event that it cannot bear must not be the way to stop the watch. What it holds
/// of somebody may be wrong then; everything else is as it was.
fn bear<T>(failed: &Counter, work: impl FnOnce() -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(work)).ok();
    if done.is_none() {
        failed.increment(1);
        tracing::error!("a detector failed: an event was not judged by all of them");
    }
    done
}

// === impl Watcher ===

impl Watcher {
    /// Starts the thread; called inside the runtime that the store's answers need.
    ///
    /// # Errors
    /// [`Failure`] when the recording cannot be opened or the thread not started.
    pub(super) async fn start(
        config: &config::Detect,
        told: Told<'_>,
        clock: &Arc<dyn Clock>,
        random: &Arc<dyn Random>,
        places: Option<Arc<dyn Places>>,
    ) -> Result<Self, Failure> {
        let Told { store, notifier, standing } = told;
        let recorder = match config.record.as_deref() {
            Some(file) => Recorder::open(file).map_err(|error| {
                Failure::new(format_args!("detect.record: {}: {error}", file.display()))
            })?,
            None => Recorder::default(),
        };
        let mut engine = Engine::new(standing);
        for (incident, last) in
            store.incidents_since(clock.now().minus(INCIDENT_ENDS)).await.map_err(Failure::new)?
        {
            engine.incidents().resume(&incident, last);
        }
        let (sender, events) = queue(config.queue);
        let watch = Watch {
            events,
            engine,
            tolerances: None,
            under_way: UnderWay::start(notifier.clone(), recorder.clone()),
            recorder,
            failed: failures(),
            origins: Origins::new(places),
            store: store.clone(),
            notifier: notifier.clone(),
            clock: Arc::clone(clock),
            random: Arc::clone(random),
            handle: Handle::current(),
        };
        let thread = std::thread::Builder::new()
            .name("watcher".to_owned())
            .spawn(move || watch.run())
            .map_err(Failure::new)?;
        Ok(Self { queue: Arc::new(sender), thread })
    }

    /// Where events go.
    pub(super) fn sink(&self) -> Arc<dyn EventSink> {
        Arc::clone(&self.queue) as Arc<dyn EventSink>
    }

    /// Finishes what waits in the queue, and what was decided: it is on disk when this returns.
    pub(super) async fn stop(self) {
        let joined = tokio::task::spawn_blocking(move || {
            self.queue.close();
            self.thread.join().is_ok()
        });
        if !joined.await.unwrap_or(false) {
            tracing::error!("the watcher ended in a panic");
        }
    }
}

// === impl Watch ===

impl Watch {
    fn run(mut self) {
        let mut busy = false;
        let mut gathered = Vec::with_capacity(AHEAD);
        loop {
            match self.events.next(busy) {
                Received::Event(mut event) => {
                    busy = true;
                    // Here, and not where it was made: nobody who asks for something waits for it.
                    self.origins.complete(&mut event);
                    gathered.push(event);
                    if gathered.len() >= AHEAD {
                        self.observe_all(&mut gathered);
                    }
                }
                Received::Idle => {
                    busy = false;
                    self.observe_all(&mut gathered);
                    self.recorder.flush();
                }
                Received::Closed => {
                    self.observe_all(&mut gathered);
                    self.recorder.flush();
                    return self.under_way.finish(&self.handle);
                }
            }
        }
    }

    #[expect(clippy::vec_box, reason = "they come boxed, and to move them costs more")]
    fn observe_all(&mut self, gathered: &mut Vec<Box<Event>>) {
        let failed = self.failed.clone();
        let ahead = bear(&failed, || self.engine.expect(gathered.iter().map(|event| &**event)));
        let mut ahead = ahead.unwrap_or_default().into_iter();
        for event in gathered.drain(..) {
            let names = ahead.next();
            bear(&failed, || self.observe(&event, names.as_ref()));
        }
    }

    fn observe(&mut self, event: &Event, names: Option<&Names>) {
        self.recorder.append(event);
        self.follow_feedback();
        let findings = match names {
            Some(names) => self.engine.observe_expected(event, names),
            None => self.engine.observe(event),
        };
        for finding in findings {
            self.respond(finding);
        }
    }

    /// What people said of findings holds from the next event on.
    fn follow_feedback(&mut self) {
        let version = self.store.tolerances_version();
        if self.tolerances == Some(version) {
            return;
        }
        match self.handle.block_on(self.store.all_tolerances(self.clock.now())) {
            Ok(kept) => {
                self.engine.tolerate(feedback::tolerances(&kept));
                self.tolerances = Some(version);
            }
            Err(error) => tracing::error!(%error, "what people said of findings cannot be read"),
        }
    }

    /// Waits for no disk: what is decided about the next event must hold at once as well.
    fn respond(&self, finding: Finding) {
        let now = self.clock.now();
        let tell = |kept: &StoredFinding| self.notifier.told(kept, now);
        let begun = respond::begin(&self.store, &finding, now, &*self.random, &tell);
        let begun = self.handle.block_on(begun);
        self.under_way.add(finding, begun);
    }
}

#[cfg(test)]
mod tests;
