//! What the tasks of a thread write in one turn goes out together at its end.
//!
//! A write wakes whoever waits at the other end of the connection, and where that is another process of the same
//! machine, waking a processor that has gone to sleep costs more than the write itself. Tasks that write one
//! after the other, each some microseconds of work after the last, wake it again and again; one that finds ten
//! requests at once stays awake for all. So a [`Gathered`] stream keeps what is written to it, and a task that
//! comes after all that are ready now ([`begin`]) writes for all of them. With one request at a time nothing
//! waits for anything.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, BytesMut};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// So many bytes of one stream are kept, and more are written at once: copying them would cost more than it saves.
const MOST: usize = 16 * 1024;

thread_local! {
    static TURN: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

/// The streams of this thread that have something to write.
struct Turn {
    /// That of the task which writes.
    writer: Waker,
    streams: Vec<Arc<Mutex<Line>>>,
    /// Kept for its room.
    spare: Vec<Arc<Mutex<Line>>>,
}

/// A TCP stream. Where its thread has begun turns it is written to at their ends, and elsewhere at once.
pub struct Gathered(Arc<Mutex<Line>>);

/// One stream.
struct Line {
    stream: TcpStream,
    /// What is to be written.
    kept: BytesMut,
    /// Whether the end of the turn will look at it.
    listed: bool,
    /// The other side does not read as fast: whoever owns the stream goes on writing, and waits.
    slow: bool,
    failed: Option<io::Error>,
    /// That of the owner.
    owner: Option<Waker>,
}

/// The task that writes at the ends of turns; they end with it.
struct Writer;

/// From now on what is written on this thread waits for the end of the turn. For the one thread of a runtime
/// whose tasks are run in the order in which they are woken, and that never leave it.
pub fn begin() {
    tokio::spawn(Writer);
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

// === impl Writer ===

impl Future for Writer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut streams = TURN.with_borrow_mut(|turn| {
            let new =
                || Turn { writer: cx.waker().clone(), streams: Vec::new(), spare: Vec::new() };
            let turn = turn.get_or_insert_with(new);
            let spare = std::mem::take(&mut turn.spare);
            std::mem::replace(&mut turn.streams, spare)
        });
        for line in streams.drain(..) {
            lock(&line).at_end();
        }
        TURN.with_borrow_mut(|turn| {
            if let Some(turn) = turn {
                turn.spare = streams;
            }
        });
        Poll::Pending
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = TURN.try_with(RefCell::take);
    }
}

// === impl Turn ===

impl Turn {
    /// Has a stream written to at the end; false where no turns have begun.
    fn list(line: &Arc<Mutex<Line>>) -> bool {
        TURN.with_borrow_mut(|turn| {
            let Some(turn) = turn else { return false };
            if turn.streams.is_empty() {
                turn.writer.wake_by_ref();
            }
            turn.streams.push(Arc::clone(line));
            true
        })
    }
}

// === impl Line ===

impl Line {
    /// Writes what goes; the rest is for the owner.
    fn at_end(&mut self) {
        self.listed = false;
        while !self.kept.is_empty() {
            match self.stream.try_write(&self.kept) {
                // Streams that rest are many, and keep no room.
                Ok(written) if written == self.kept.len() => self.kept = BytesMut::new(),
                Ok(written) => self.kept.advance(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.slow = error.kind() == io::ErrorKind::WouldBlock;
                    if !self.slow {
                        self.kept.clear();
                        self.failed = Some(error);
                    }
                    if let Some(owner) = self.owner.take() {
                        owner.wake();
                    }
                    return;
                }
            }
        }
    }

    /// Writes all that is kept, and waits where it has to.
    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Err(error));
        }
        while !self.kept.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.kept))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.kept.advance(written);
        }
        self.slow = false;
        Poll::Ready(Ok(()))
    }
}

// === impl Gathered ===

impl Gathered {
    /// As a stream that is written to at the ends of turns.
    pub fn new(stream: TcpStream) -> Self {
        let (kept, owner, failed) = (BytesMut::new(), None, None);
        Self(Arc::new(Mutex::new(Line { stream, kept, listed: false, slow: false, failed, owner })))
    }
}

impl AsyncRead for Gathered {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut lock(&self.0).stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Gathered {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut line = lock(&self.0);
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if line.slow || line.failed.is_some() || line.kept.len() + length > MOST {
            ready!(line.drain(cx))?;
        }
        if length > MOST || !(line.listed || Turn::list(&self.0)) {
            return Pin::new(&mut line.stream).poll_write_vectored(cx, parts);
        }
        line.listed = true;
        for part in parts {
            line.kept.extend_from_slice(part);
        }
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut line = lock(&self.0);
        if line.slow || line.failed.is_some() {
            return line.drain(cx);
        }
        if line.listed && !line.owner.as_ref().is_some_and(|owner| owner.will_wake(cx.waker())) {
            line.owner = Some(cx.waker().clone());
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut line = lock(&self.0);
        ready!(line.drain(cx))?;
        Pin::new(&mut line.stream).poll_shutdown(cx)
    }
}

impl Connection for Gathered {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

#[cfg(test)]
mod tests;
