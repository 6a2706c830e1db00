//! A request's body, lent to a connection: what was not begun comes back and can go elsewhere.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::body::{RequestBody, StreamError};

/// Where a body comes back to.
#[derive(Clone, Default)]
pub(crate) struct Home(Arc<Mutex<Option<RequestBody>>>);

/// A body that is lent.
pub(crate) struct Lent {
    body: RequestBody,
    /// Until the first part is asked for.
    home: Option<Home>,
}

// === impl Home ===

impl Home {
    /// The body, if it has come back.
    pub(crate) fn take(&self) -> Option<RequestBody> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

// === impl Lent ===

impl Lent {
    /// With a home it comes back there, if it is dropped before it was begun.
    pub(crate) fn new(body: RequestBody, home: Option<Home>) -> Self {
        Self { body, home }
    }
}

impl Body for Lent {
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        self.home = None;
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(Home(home)) = self.home.take() {
            let body = std::mem::replace(&mut self.body, RequestBody::none());
            *home.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
