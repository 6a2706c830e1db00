//! The body of a request, whichever version of HTTP it comes in.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::BoxError;
use crate::interim::Interim;
use crate::server::reading::Reading;

/// What a client sends.
pub struct Incoming(Kind);

enum Kind {
    Http1(Reading, Option<Interim>),
    Http2(hyper::body::Incoming),
}

// === impl Incoming ===

impl Incoming {
    pub(crate) fn http1(reading: Reading, interim: Option<Interim>) -> Self {
        Self(Kind::Http1(reading, interim))
    }

    /// What the client can be told before the answer; `None` where that cannot be.
    pub fn take_interim(&mut self) -> Option<Interim> {
        match &mut self.0 {
            Kind::Http1(_, interim) => interim.take(),
            Kind::Http2(_) => None,
        }
    }
}

impl From<hyper::body::Incoming> for Incoming {
    fn from(body: hyper::body::Incoming) -> Self {
        Self(Kind::Http2(body))
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Kind::Http1(body, _) => {
                body.poll(cx).map(|next| next.map(|next| next.map_err(Into::into)))
            }
            Kind::Http2(body) => {
                let polled = Pin::new(body).poll_frame(cx);
                polled.map(|next| next.map(|next| next.map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Http1(body, _) => body.is_over(),
            Kind::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Http1(body, _) => body.size_hint(),
            Kind::Http2(body) => body.size_hint(),
        }
    }
}
