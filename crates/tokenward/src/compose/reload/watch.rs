//! When the configuration is read again: on SIGHUP, and when it or a file that it names has changed.
//!
//! Files are looked at once a second. That is sure where notifications are not: on network file systems, and where
//! a symbolic link is swapped far from the file, as Kubernetes does. It is one system call for each file.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Cause, Reloader};

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Files that change are read when they have rested for so long: a burst of writes is read once.
const SETTLED: Duration = Duration::from_millis(250);
/// After so many looks at files that do not rest they are read all the same.
const MOST_LOOKS: usize = 20;

/// Asked to read again by SIGHUP, which ends a process that does not listen for it.
pub(crate) struct Hangups(Signal);

// === impl Hangups ===

impl Hangups {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system's error.
    pub(crate) fn listen() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }
}

// === impl Reloader ===

impl Reloader {
    /// Reads the configuration again whenever there is a reason, until `stop`. However many signals come
    /// meanwhile, it is read once for all of them.
    pub(crate) async fn watch(self: Arc<Self>, mut hangups: Hangups, stop: CancellationToken) {
        loop {
            let cause = tokio::select! {
                _ = hangups.0.recv() => Cause::Signal,
                () = tokio::time::sleep(LOOK_EVERY) => Cause::Files,
                () = stop.cancelled() => return,
            };
            if cause == Cause::Signal || self.has_changed().await {
                // Whoever has to know is told there.
                let _ = self.read(cause).await;
            }
        }
    }

    /// Whether a file is not as it was tried; then they have rested.
    async fn has_changed(&self) -> bool {
        let held = Arc::clone(&self.held).lock_owned().await;
        let looking = tokio::task::spawn_blocking(move || {
            let mut now = held.tried.now();
            if now == held.tried.looked {
                return false;
            }
            for _ in 0..MOST_LOOKS {
                std::thread::sleep(SETTLED);
                let next = held.tried.now();
                if next == now {
                    break;
                }
                now = next;
            }
            true
        });
        looking.await.unwrap_or(false)
    }
}
