//! An answer that has begun while its request is still being sent: a task does both, and passes the answer on.

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;
use wire::client::Upload;

use crate::upstream::http1::Busy;
use crate::upstream::lent::Lent;

/// The answer as it comes from the task.
pub(crate) struct Relayed {
    parts: mpsc::Receiver<Part>,
    left: SizeHint,
}

/// What the task passes on. Without an end the answer has broken off.
enum Part {
    Frame(Frame<Bytes>),
    Broken(wire::Error),
    End,
}

/// What the task has.
struct Relay {
    busy: Busy,
    /// Until all of it is written, or cannot be.
    upload: Option<Upload<Lent>>,
    /// What came of the answer with its head.
    whole: Option<Bytes>,
    /// Until the end.
    parts: Option<PollSender<Part>>,
}

// === impl Relayed ===

impl Relayed {
    /// Lets a task do both. What came of the answer with its head, if that is all, comes first.
    pub(crate) fn new(busy: Busy, upload: Upload<Lent>, whole: Option<Bytes>) -> Self {
        let left = match &whole {
            Some(whole) => SizeHint::with_exact(whole.len() as u64),
            None => busy.size_hint(),
        };
        let (sender, parts) = mpsc::channel(1);
        let parts_out = Some(PollSender::new(sender));
        let mut relay = Relay { busy, upload: Some(upload), whole, parts: parts_out };
        tokio::spawn(async move { poll_fn(|cx| relay.poll(cx)).await });
        Self { parts, left }
    }

    /// The next part of the answer.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, wire::Error>>> {
        self.parts.poll_recv(cx).map(|part| match part {
            Some(Part::Frame(frame)) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                if let Some(exact) = self.left.exact() {
                    self.left.set_exact(exact.saturating_sub(length));
                }
                Some(Ok(frame))
            }
            Some(Part::Broken(error)) => Some(Err(error)),
            Some(Part::End) => None,
            None => Some(Err(wire::Error::Closed)),
        })
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.left
    }
}

// === impl Relay ===

impl Relay {
    /// Ready when both sides have ended, or nobody wants the answer any more.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Poll::Ready(Err(error)) = self.poll_upload(cx) {
            tracing::debug!(%error, "a request broke off after its answer had begun");
            self.busy.abandon();
            return Poll::Ready(());
        }
        while let Some(parts) = &mut self.parts {
            match parts.poll_reserve(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => {
                    self.busy.abandon();
                    return Poll::Ready(());
                }
                Poll::Pending => return Poll::Pending,
            }
            let next = match self.whole.take() {
                Some(whole) => Poll::Ready(Some(Ok(Frame::data(whole)))),
                None => self.busy.poll(cx),
            };
            let (part, last) = match next {
                Poll::Ready(Some(Ok(frame))) => (Part::Frame(frame), false),
                Poll::Ready(Some(Err(error))) => (Part::Broken(error), true),
                Poll::Ready(None) => (Part::End, true),
                Poll::Pending => return Poll::Pending,
            };
            // The receiver may have gone; then the next round finds it.
            let _ = parts.send_item(part);
            if last {
                self.parts = None;
            }
        }
        if self.upload.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }

    /// A server that does not read any more may still answer; a body that breaks off ends everything.
    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), wire::Error>> {
        let Some(upload) = &mut self.upload else { return Poll::Ready(Ok(())) };
        match self.busy.poll_upload(upload, cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error @ wire::Error::Unsent(_))) => Poll::Ready(Err(error)),
            Poll::Ready(_) => {
                self.upload = None;
                Poll::Ready(Ok(()))
            }
        }
    }
}
