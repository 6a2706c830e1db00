//! The threads that work on passwords, a bounded number at a time.

use std::fmt;
use std::hash::RandomState;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::queue::{Bounds, FairQueue, Place, Ticket};
use super::{Load, PasswordError};

/// How many wait for each that runs. At some 25 ms a hash, who waits longest waits a second.
pub(super) const WAITING_PER_THREAD: usize = 40;
/// As many of them in one line; others find the rest free, whatever comes from there.
pub(super) const WAITING_IN_LINE_PER_THREAD: usize = 20;

/// By how much its threads stand behind others (nice(2)): a tenth of a processor that is full.
#[cfg(target_os = "linux")]
const BEHIND: i32 = 10;

/// Work that waits; it is told whether its turn has come.
type Job = Box<dyn FnOnce(Turn) + Send>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Come,
    Shed,
}

/// The pool. A thread lives as long as something waits for it: at rest there is none, and no memory is held.
pub(super) struct Pool {
    threads: usize,
    /// For the names of accounts.
    pub(super) hasher: RandomState,
    state: Mutex<State>,
}

struct State {
    waiting: FairQueue<Job>,
    running: usize,
    shed: u64,
}

/// What takes a place in the queue until it is let go.
struct Held<'a> {
    pool: &'a Pool,
    place: Place,
    ticket: Ticket,
}

// === impl Pool ===

impl Pool {
    pub(super) fn new(threads: usize) -> Self {
        let threads = threads.max(1);
        let bounds = Bounds {
            in_all: threads.saturating_mul(WAITING_PER_THREAD),
            in_line: threads.saturating_mul(WAITING_IN_LINE_PER_THREAD),
        };
        let state = State { waiting: FairQueue::new(bounds), running: 0, shed: 0 };
        Self { threads, hasher: RandomState::new(), state: Mutex::new(state) }
    }

    pub(super) fn load(&self) -> Load {
        let state = self.state();
        Load { running: state.running, waiting: state.waiting.len(), shed: state.shed }
    }

    /// Does work when its turn has come. Who stops waiting takes it out, unless it runs already.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        place: Place,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let (answer, done) = oneshot::channel();
        let job: Job = Box::new(move |turn| {
            let result = match turn {
                Turn::Come => Ok(work()),
                Turn::Shed => Err(PasswordError::Busy),
            };
            // Nobody waits for it any more: then nobody is told.
            let _ = answer.send(result);
        });
        let _held = self.enter(place, job)?;
        done.await.unwrap_or_else(|_| Err(PasswordError::Hashing("its thread ended".to_owned())))
    }

    fn enter(self: &Arc<Self>, place: Place, job: Job) -> Result<Held<'_>, PasswordError> {
        let (ticket, shed, starts) = {
            let mut state = self.state();
            let (ticket, shed) = state.waiting.push(place, job);
            state.shed += u64::from(shed.is_some());
            let starts = state.running < self.threads;
            state.running += usize::from(starts);
            (ticket, shed, starts)
        };
        let held = Held { pool: self, place, ticket };
        if let Some(shed) = shed {
            shed(Turn::Shed);
        }
        if starts {
            self.start()?;
        }
        Ok(held)
    }

    fn start(self: &Arc<Self>) -> Result<(), PasswordError> {
        let pool = Arc::clone(self);
        let work = move || {
            give_way();
            while let Some(job) = pool.next() {
                // Whoever waits for what panics is told so by its end; the others still have their turn.
                let _ = catch_unwind(AssertUnwindSafe(|| job(Turn::Come)));
            }
        };
        let started = thread::Builder::new().name("password".to_owned()).spawn(work);
        started.map(drop).map_err(|error| {
            let mut state = self.state();
            state.running -= 1;
            if state.running == 0 {
                // Nobody is there to come to them: they are told at once.
                while state.waiting.pop().is_some() {}
            }
            PasswordError::Hashing(error.to_string())
        })
    }

    /// Whose turn it is next; when there is nobody the thread counts as ended, in the same step.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        let next = state.waiting.pop();
        state.running -= usize::from(next.is_none());
        next
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load().fmt(f)
    }
}

/// Lets every other thread go first: a flood of sign-ins must not slow the check of a token. Elsewhere than on Linux
/// this would be about the whole process.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(BEHIND) {
        tracing::debug!(%error, "threads for passwords run at the usual priority");
    }
}

// === impl Held ===

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let left = self.pool.state().waiting.remove(self.place, self.ticket);
        drop(left);
    }
}
