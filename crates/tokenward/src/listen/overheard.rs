//! A stream whose first bytes are kept: what a TLS client offers is told apart by them (JA4).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use token::ja4::Ja4;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A ClientHello of a usual client has 300 to 2,000 bytes.
const MOST: usize = 8 * 1024;

/// Keeps what is read, until it is taken.
pub(super) struct Overheard<S> {
    stream: S,
    first: Option<Vec<u8>>,
}

// === impl Overheard ===

impl<S> Overheard<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, first: Some(Vec::new()) }
    }

    /// The fingerprint of whoever wrote the first bytes; nothing is kept from here on.
    pub(super) fn take(&mut self) -> Option<Ja4> {
        self.first.take().and_then(|first| Ja4::of_records(&first))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Overheard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Some(first) = &mut self.first {
            let new = buffer.filled().get(before..).unwrap_or_default();
            let room = MOST.saturating_sub(first.len()).min(new.len());
            first.extend_from_slice(new.get(..room).unwrap_or_default());
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Overheard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
