//! The body of an upstream's answer, which drives its connection while it is read.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::upstream::http1::Busy;

/// What the upstream sends.
pub struct Received {
    // Before the connection: that learns by its end that nobody reads any more.
    incoming: Incoming,
    /// Until the end, if nobody else drives it.
    busy: Option<Busy>,
}

// === impl Received ===

impl Received {
    pub(crate) fn new(incoming: Incoming, busy: Option<Busy>) -> Self {
        let busy = busy.filter(|_| !incoming.is_end_stream());
        Self { incoming, busy }
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Self { incoming, busy } = self.get_mut();
        let Some(driven) = busy else { return Pin::new(incoming).poll_frame(cx) };
        let polled = driven.poll(cx, |cx| Pin::new(&mut *incoming).poll_frame(cx));
        let goes_on = matches!(polled, Poll::Pending | Poll::Ready(Some(Ok(_))));
        if !goes_on || incoming.is_end_stream() {
            *busy = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
