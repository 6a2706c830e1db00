//! The body of a request in HTTP/1.1, read from the connection by whoever wants it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::chunked::Piece;
use crate::error::Error;

/// Reads the body of one request.
pub(crate) struct Reading {
    /// Gone when nothing is left.
    source: Option<Arc<Mutex<dyn Source + Send>>>,
    /// The number of the request on its connection.
    number: u64,
    left: SizeHint,
}

/// A connection that has such a body.
pub(crate) trait Source {
    /// The next piece of the body of the request with this number, and whether that is the last.
    fn poll_piece(
        &mut self,
        number: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Piece, bool), Error>>;

    /// Nobody wants the rest.
    fn leave(&mut self, number: u64);

    /// Writes the head of what comes before the answer, if the client reads and the answer has not begun.
    fn interim(&mut self, number: u64, head: &[u8], cx: &mut Context<'_>);
}

// === impl Reading ===

impl Reading {
    /// Nothing.
    pub(crate) fn over() -> Self {
        Self { source: None, number: 0, left: SizeHint::with_exact(0) }
    }

    pub(crate) fn new(source: Arc<Mutex<dyn Source + Send>>, number: u64, left: SizeHint) -> Self {
        Self { source: Some(source), number, left }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.source.is_none()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        if self.is_over() { SizeHint::with_exact(0) } else { self.left }
    }

    /// The next part; trailers are dropped, since no head that was checked has them (RFC 9112 §7.1.2).
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(source) = &self.source else { return Poll::Ready(None) };
        let polled = lock(source).poll_piece(self.number, cx);
        let (piece, last) = match polled {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(next)) => next,
            Poll::Ready(Err(error)) => {
                self.leave();
                return Poll::Ready(Some(Err(error)));
            }
        };
        if last {
            self.source = None;
        }
        match piece {
            Piece::Data(data) => {
                if let Some(exact) = self.left.exact() {
                    self.left.set_exact(exact.saturating_sub(data.len() as u64));
                }
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Piece::Over(_) | Piece::Unread => Poll::Ready(None),
        }
    }

    fn leave(&mut self) {
        if let Some(source) = self.source.take() {
            lock(&source).leave(self.number);
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.leave();
    }
}

/// What was left by a thread that panicked is as good as before.
pub(crate) fn lock<T: ?Sized>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
