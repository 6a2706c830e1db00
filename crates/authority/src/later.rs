//! Work that is begun after the answer, so that the answer takes as long whatever the work finds.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// So much of it goes on at the same time.
const MOST: usize = 32;

/// Where it is handed in.
pub(crate) struct Later(Arc<Semaphore>);

// === impl Later ===

impl Later {
    /// Begins work, unless too much goes on: whoever asked can ask again.
    pub(crate) fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() else {
            tracing::warn!("a request for a letter was dropped: too many at the same time");
            return;
        };
        tokio::spawn(async move {
            work.await;
            drop(permit);
        });
    }
}

impl Default for Later {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}
