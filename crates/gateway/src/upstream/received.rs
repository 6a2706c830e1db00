//! The body of an upstream's answer, which drives its connection while it is read.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::upstream::http1::Busy;

/// What the upstream sends.
pub(crate) struct Received {
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
        driven.quiet();
        // Nobody but the connection brings more, and that is driven here.
        let mut silent = Context::from_waker(Waker::noop());
        let mut polled = Pin::new(&mut *incoming).poll_frame(&mut silent);
        if polled.is_pending() {
            if driven.drive() {
                *busy = None;
                return Pin::new(incoming).poll_frame(cx);
            }
            polled = Pin::new(&mut *incoming).poll_frame(&mut silent);
        }
        match &polled {
            Poll::Pending => driven.wait(cx),
            Poll::Ready(Some(Ok(_))) if !incoming.is_end_stream() => {}
            Poll::Ready(_) => *busy = None,
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
