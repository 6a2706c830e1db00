//! A future that hardly ever happens beside one that goes on all the time: it is looked at only when it says so.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::future::BoxFuture;
use futures_util::task::AtomicWaker;

/// Polls its future once, and then only after that has woken it, however often the task is woken for other things.
pub(crate) struct Aside<'f, T> {
    future: BoxFuture<'f, T>,
    bell: Arc<Bell>,
    /// That of the bell.
    waker: Waker,
}

struct Bell {
    rung: AtomicBool,
    task: AtomicWaker,
}

// === impl Aside ===

impl<'f, T> Aside<'f, T> {
    pub(crate) fn new(future: impl Future<Output = T> + Send + 'f) -> Self {
        let bell = Arc::new(Bell { rung: AtomicBool::new(true), task: AtomicWaker::new() });
        Self { future: Box::pin(future), waker: Waker::from(Arc::clone(&bell)), bell }
    }
}

impl<T> Future for Aside<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let aside = &mut *self;
        // The order of the two: what rings in between wakes this task.
        aside.bell.task.register(cx.waker());
        if !aside.bell.rung.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        aside.future.as_mut().poll(&mut Context::from_waker(&aside.waker))
    }
}

// === impl Bell ===

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.task.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Poll;
    use std::time::Duration;

    use tokio::sync::Notify;
    use tokio::time::sleep;

    use super::Aside;

    #[tokio::test]
    async fn it_is_looked_at_once_and_when_it_says_so() {
        let (event, looks) = (Notify::new(), AtomicU32::new(0));
        let mut notified = Box::pin(event.notified());
        let rare = poll_fn(|cx| {
            looks.fetch_add(1, Ordering::Relaxed);
            notified.as_mut().poll(cx)
        });
        let mut aside = pin!(Aside::new(rare));
        let polls = Cell::new(0);
        let ended = poll_fn(|cx| {
            polls.set(polls.get() + 1);
            if polls.get() == 5 {
                event.notify_one();
            }
            let polled = aside.as_mut().poll(cx);
            if polled.is_pending() {
                cx.waker().wake_by_ref();
            }
            polled.map(|()| polls.get())
        });
        assert_eq!((ended.await, looks.load(Ordering::Relaxed)), (5, 2));
    }

    #[tokio::test]
    async fn it_wakes_the_task_that_waits_last() {
        let mut aside = Box::pin(Aside::new(async {
            sleep(Duration::from_millis(20)).await;
            "over"
        }));
        let first = poll_fn(|cx| Poll::Ready(aside.as_mut().poll(cx)));
        assert_eq!(first.await, Poll::Pending);
        let over = tokio::spawn(aside_to_end());
        assert_eq!((aside.await, over.await.expect("task")), ("over", "over"));
    }

    async fn aside_to_end() -> &'static str {
        Aside::new(async {
            tokio::task::yield_now().await;
            "over"
        })
        .await
    }
}
