//! A stream with what was read and not used, and what is to be written and could not be.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// So much is read at once.
const READ: usize = 32 * 1024;
/// So much is gathered before it is written.
pub(crate) const GATHER: usize = 16 * 1024;

thread_local! {
    /// Where bytes arrive: connections that wait have no room of their own.
    static ARRIVAL: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
    /// Where messages are written down.
    static PAPER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A stream.
pub(crate) struct Io<S> {
    stream: S,
    pub(crate) unread: BytesMut,
    unsent: BytesMut,
    flushed: bool,
}

/// A place where a message is written down, empty.
pub(crate) fn paper() -> Vec<u8> {
    PAPER.take()
}

/// Gives it back, for the next one.
pub(crate) fn give_back(mut paper: Vec<u8>) {
    if (1..=4 * GATHER).contains(&paper.capacity()) {
        paper.clear();
        PAPER.set(paper);
    }
}

// === impl Io ===

impl<S: AsyncRead + AsyncWrite + Unpin> Io<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, unread: BytesMut::new(), unsent: BytesMut::new(), flushed: true }
    }

    /// Reads more; returns how much, 0 at the end.
    ///
    /// # Errors
    /// The stream's.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Self { stream, unread, .. } = self;
        ARRIVAL.with_borrow_mut(|room| {
            let mut room = ReadBuf::new(room);
            ready!(Pin::new(stream).poll_read(cx, &mut room))?;
            unread.extend_from_slice(room.filled());
            Poll::Ready(Ok(room.filled().len()))
        })
    }

    /// Writes these one after the other; what does not go now goes before anything else.
    ///
    /// # Errors
    /// The stream's.
    pub(crate) fn send(&mut self, cx: &mut Context<'_>, parts: [&[u8]; 3]) -> io::Result<()> {
        let total: usize = parts.iter().map(|part| part.len()).sum();
        if total == 0 {
            return Ok(());
        }
        self.flushed = false;
        let mut written = 0;
        while self.unsent.is_empty() && written < total {
            let left = from(parts, written);
            let polled =
                Pin::new(&mut self.stream).poll_write_vectored(cx, &left.map(IoSlice::new));
            match polled {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => written += count,
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        for part in from(parts, written) {
            self.unsent.extend_from_slice(part);
        }
        Ok(())
    }

    /// Ready when everything is written.
    ///
    /// # Errors
    /// The stream's.
    pub(crate) fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.unsent))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.advance(count);
            if self.unsent.is_empty() {
                self.unsent = BytesMut::new();
            }
        }
        if !self.flushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what is left, and says that there will be no more.
    ///
    /// # Errors
    /// The stream's.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_sent(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    /// Whether the other side has gone. What it says instead is kept, and nothing more is read then.
    pub(crate) fn is_gone(&mut self, cx: &mut Context<'_>) -> bool {
        self.unread.is_empty() && matches!(self.poll_fill(cx), Poll::Ready(Ok(0) | Err(_)))
    }

    /// For a protocol that is not HTTP: what was read already comes first.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unread.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let length = self.unread.len().min(buffer.remaining());
        buffer.put_slice(self.unread.split_to(length).as_ref());
        if self.unread.is_empty() {
            self.unread = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }

    /// For a protocol that is not HTTP.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_sent(cx))?;
        self.flushed = false;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }
}

/// What is left of the parts when so much of them is gone.
fn from(parts: [&[u8]; 3], mut gone: usize) -> [&[u8]; 3] {
    parts.map(|part| {
        let skip = gone.min(part.len());
        gone -= skip;
        part.get(skip..).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests;
