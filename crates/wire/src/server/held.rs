//! What a connection holds while it is served: its stream, and the body of the request under way.

use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::chunked::Piece;
use crate::error::Error;
use crate::framing::Decoder;
use crate::io::Io;
use crate::server::reading::{Source, lock};
use crate::upgraded::Duplex;

/// Shared by who serves the connection and who reads the request's body.
pub(super) struct Held<S> {
    pub(super) io: Io<S>,
    decoder: Decoder,
    /// The number of the request.
    number: u64,
    /// Its answer has begun.
    answered: bool,
    /// The client waits for a word before it sends the body.
    expects: bool,
    /// Whether somebody reads the body, or may.
    read: bool,
    /// What came is no body, or was not read to its end.
    broken: bool,
    /// Who serves, and waits for the end of the body.
    server: Option<Waker>,
}

// === impl Held ===

impl<S: AsyncRead + AsyncWrite + Unpin> Held<S> {
    pub(super) fn new(stream: S, first: BytesMut) -> Self {
        let mut io = Io::new(stream);
        io.unread = first;
        Self {
            io,
            decoder: Decoder::OVER,
            number: 0,
            answered: false,
            expects: false,
            read: false,
            broken: false,
            server: None,
        }
    }

    /// The request with this number has this body.
    pub(super) fn begin(&mut self, number: u64, decoder: Decoder, expects: bool) {
        self.read = !decoder.is_over();
        (self.number, self.decoder, self.expects) = (number, decoder, expects);
        self.answered = false;
    }

    /// Whether there can be a request after this one: a client that was not told to send the body may, and may not;
    /// and of one that nobody wants not more than so many bytes are read.
    pub(super) fn can_go_on(&self, unwanted: usize) -> bool {
        let left = self.decoder.size_hint().lower();
        !self.expects && !self.broken && (self.read || left <= unwanted as u64)
    }

    /// The answer begins: it is too late to ask for the body, and for what comes before an answer.
    pub(super) fn answers(&mut self) {
        self.answered = true;
        self.expects = false;
    }

    /// Whether somebody reads the body.
    pub(super) fn is_read(&self) -> bool {
        self.read
    }

    /// Whether the client has gone. As long as there is a body, that is for its reader to find.
    pub(super) fn is_gone(&mut self, cx: &mut Context<'_>) -> bool {
        if self.decoder.is_over() || !self.read {
            return self.decoder.is_over() && self.io.is_gone(cx);
        }
        self.wait(cx);
        false
    }

    /// Looks for the end of the body: 0 when it is there. If nobody reads it, takes a part of it and returns its
    /// length.
    ///
    /// # Errors
    /// [`Error`]: there will be no end.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        if self.broken {
            return Poll::Ready(Err(Error::Closed));
        }
        if self.decoder.is_over() {
            return Poll::Ready(Ok(0));
        }
        if self.read {
            self.wait(cx);
            return Poll::Pending;
        }
        match ready!(self.decoder.poll_piece(&mut self.io, cx))? {
            Piece::Data(data) => Poll::Ready(Ok(data.len())),
            Piece::Over(_) | Piece::Unread => Poll::Ready(Ok(0)),
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) {
        if !self.server.as_ref().is_some_and(|server| server.will_wake(cx.waker())) {
            self.server = Some(cx.waker().clone());
        }
    }

    /// Wakes who serves.
    fn tell(&mut self) {
        if let Some(server) = self.server.take() {
            server.wake();
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Source for Held<S> {
    fn poll_piece(
        &mut self,
        number: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Piece, bool), Error>> {
        if self.number != number {
            return Poll::Ready(Err(Error::Closed));
        }
        if std::mem::take(&mut self.expects) {
            self.io.send(cx, [b"HTTP/1.1 100 Continue\r\n\r\n", b"", b""])?;
            // What does not go now goes with the answer.
            let _ = self.io.poll_sent(cx)?;
        }
        let polled = ready!(self.decoder.poll_piece(&mut self.io, cx));
        self.broken |= polled.is_err();
        let last = self.decoder.is_over();
        if last || self.broken {
            self.read = false;
            self.tell();
        }
        Poll::Ready(polled.map(|piece| (piece, last)))
    }

    fn leave(&mut self, number: u64) {
        if self.number == number {
            self.read = false;
            self.tell();
        }
    }

    fn interim(&mut self, number: u64, head: &[u8], cx: &mut Context<'_>) {
        let in_time = self.number == number && !self.answered;
        if in_time && matches!(self.io.poll_sent(cx), Poll::Ready(Ok(()))) {
            // A connection that has broken is found when the answer is written.
            let _ = self.io.send(cx, [head, b"", b""]);
            let _ = self.io.poll_sent(cx);
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Duplex for Arc<Mutex<Held<S>>> {
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        lock(self).io.poll_read(cx, buffer)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        lock(self).io.poll_write(cx, bytes)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(self).io.poll_sent(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(self).io.poll_close(cx)
    }
}
