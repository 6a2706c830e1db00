//! The body of an upstream's answer, read from the connection itself where that is possible.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use wire::{BoxError, Upgraded};

use crate::upstream::http1::{Busy, Relayed};

/// What the upstream sends.
pub struct Received(Kind);

enum Kind {
    /// All of it has come with the head.
    Whole(Option<Bytes>),
    Http1(Busy),
    Relayed(Relayed),
    Http2(Incoming),
    /// It is no HTTP any more.
    Switched(Upgraded),
}

// === impl Received ===

impl Received {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self(Kind::Whole(Some(bytes)))
    }

    pub(crate) fn busy(busy: Busy) -> Self {
        Self(if busy.is_over() { Kind::Whole(None) } else { Kind::Http1(busy) })
    }

    pub(crate) fn relayed(relayed: Relayed) -> Self {
        Self(Kind::Relayed(relayed))
    }

    pub(crate) fn http2(incoming: Incoming) -> Self {
        Self(Kind::Http2(incoming))
    }

    pub(crate) fn switched(upgraded: Upgraded) -> Self {
        Self(Kind::Switched(upgraded))
    }

    /// The connection, where the server has switched to another protocol.
    pub(crate) fn into_upgraded(self) -> Option<Upgraded> {
        match self.0 {
            Kind::Switched(upgraded) => Some(upgraded),
            _ => None,
        }
    }
}

type Next<E> = Poll<Option<Result<Frame<Bytes>, E>>>;

fn boxed<E: Into<BoxError>>(polled: Next<E>) -> Next<BoxError> {
    polled.map(|next| next.map(|next| next.map_err(Into::into)))
}

impl Body for Received {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let kind = &mut self.get_mut().0;
        match kind {
            Kind::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Switched(_) => Poll::Ready(None),
            Kind::Http1(busy) => {
                let polled = busy.poll(cx);
                let goes_on = matches!(polled, Poll::Pending | Poll::Ready(Some(Ok(_))));
                if !goes_on || busy.is_over() {
                    // The connection goes back as soon as it can.
                    *kind = Kind::Whole(None);
                }
                boxed(polled)
            }
            Kind::Relayed(relayed) => boxed(relayed.poll(cx)),
            Kind::Http2(incoming) => boxed(Pin::new(incoming).poll_frame(cx)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(bytes) => bytes.is_none(),
            Kind::Switched(_) => true,
            Kind::Http1(busy) => busy.is_over(),
            Kind::Relayed(_) => false,
            Kind::Http2(incoming) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Kind::Switched(_) => SizeHint::with_exact(0),
            Kind::Http1(busy) => busy.size_hint(),
            Kind::Relayed(relayed) => relayed.size_hint(),
            Kind::Http2(incoming) => incoming.size_hint(),
        }
    }
}
