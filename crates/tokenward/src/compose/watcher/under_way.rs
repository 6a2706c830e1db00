//! Responses that hold and are being written: the watcher goes on meanwhile.

use detect::respond::{Begun, CarriedOut};
use notify::notifier::Notifier;
use store::StoreError;
use token::finding::Finding;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use crate::compose::record::Recorder;

/// So many may be under way before the watcher waits for the disk; each has a finding and its evidence in memory.
pub(super) const MOST: usize = 256;

const FINDINGS: &str = "tokenward_findings_total";

/// Sees to it that what comes of each response is told, in their order.
pub(super) struct UnderWay {
    sender: Sender<Response>,
    told: JoinHandle<()>,
}

/// A finding, and the response to it that was begun.
type Response = (Finding, Result<Begun, StoreError>);

// === impl UnderWay ===

impl UnderWay {
    /// Nothing under way; called inside the runtime.
    pub(super) fn start(notifier: Notifier, recorder: Recorder) -> Self {
        metrics::describe_counter!(FINDINGS, "What the detectors found, by detector");
        let (sender, receiver) = channel(MOST);
        Self { sender, told: tokio::spawn(tell(receiver, notifier, recorder)) }
    }

    /// One more, which holds already where it was begun. Waits where there are too many; not inside the runtime.
    pub(super) fn add(&self, finding: Finding, begun: Result<Begun, StoreError>) {
        if self.sender.blocking_send((finding, begun)).is_err() {
            tracing::error!("what came of a response is told no more");
        }
    }

    /// Waits until all are on disk and told.
    pub(super) fn finish(self, runtime: &Handle) {
        drop(self.sender);
        // Where the start has failed, the runtime ends first and takes the task along.
        if runtime.block_on(self.told).is_err_and(|error| error.is_panic()) {
            tracing::error!("telling what came of responses ended in a panic");
        }
    }
}

async fn tell(mut under_way: Receiver<Response>, notifier: Notifier, recorder: Recorder) {
    while let Some((finding, begun)) = under_way.recv().await {
        let done = match begun {
            Ok(begun) => begun.written().await,
            Err(error) => Err(error),
        };
        notifier.wake();
        metrics::counter!(FINDINGS, "detector" => finding.detector).increment(1);
        match done {
            Ok(done) => tell_done(&finding, &done, &recorder),
            Err(error) => {
                tracing::error!(detector = finding.detector, %error, "a finding could not be answered");
            }
        }
    }
}

fn tell_done(finding: &Finding, done: &CarriedOut, recorder: &Recorder) {
    tracing::warn!(
        detector = finding.detector,
        response = %finding.response,
        finding = %done.finding.id,
        "{}",
        finding.evidence.summary
    );
    if let Some(event) = &done.event {
        recorder.append(event);
        recorder.flush();
    }
}
