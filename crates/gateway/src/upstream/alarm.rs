//! The waker of a connection that is driven by whoever needs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

/// Nobody waits.
const QUIET: u8 = 0;
/// Nobody waits, and it has rung.
const MISSED: u8 = 1;
/// Somebody waits.
const WAITED_FOR: u8 = 2;

/// Rings for the task that waits for the connection. While that drives it, the parts of the connection ring
/// for one another; to wake the task by that would have it run once more for nothing.
#[derive(Default)]
pub(crate) struct Alarm {
    state: AtomicU8,
    task: AtomicWaker,
}

// === impl Alarm ===

impl Alarm {
    /// Nobody waits from now on: to be called before the connection is driven, and when it is left alone.
    pub(crate) fn quiet(&self) {
        self.state.store(QUIET, Ordering::Release);
    }

    /// Wakes no task of before.
    pub(crate) fn forget(&self) {
        self.quiet();
        self.task.take();
    }

    /// This task waits: it is woken for everything since the last [`Alarm::quiet`].
    pub(crate) fn wait(&self, task: &Waker) {
        self.task.register(task);
        if self.state.swap(WAITED_FOR, Ordering::AcqRel) == MISSED {
            self.task.wake();
        }
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let order = Ordering::AcqRel;
        let quiet = self.state.compare_exchange(QUIET, MISSED, order, Ordering::Acquire);
        if quiet == Err(WAITED_FOR) {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use super::Alarm;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn it_rings_for_who_waits_and_nothing_is_lost() {
        let (alarm, count) = (Arc::new(Alarm::default()), Arc::new(Count::default()));
        let (part, task) = (Waker::from(Arc::clone(&alarm)), Waker::from(Arc::clone(&count)));
        let woken = |times| assert_eq!(count.0.swap(0, Ordering::SeqCst), times);
        part.wake_by_ref();
        woken(0);
        alarm.wait(&task);
        woken(1);
        alarm.quiet();
        alarm.wait(&task);
        woken(0);
        part.wake_by_ref();
        woken(1);
        alarm.quiet();
        part.wake_by_ref();
        woken(0);
        alarm.quiet();
        alarm.wait(&task);
        woken(0);
        alarm.forget();
        part.wake_by_ref();
        woken(0);
    }
}
