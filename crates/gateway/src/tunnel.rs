//! WebSockets: bytes both ways after the upstream's 101, until the token ends.
//!
//! Only `websocket` is let through. Any other protocol, `h2c` first of all, would be a way past
//! the gateway: requests in it are seen by nobody here (RFC 9110 §7.8).

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::UPGRADE;
use http::request::Parts;
use http::{HeaderMap, Method, Response, Version};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};
use wire::{OnUpgrade, Upgraded};

use crate::framing::Framing;
use crate::headers::connection_has;
use crate::observe::Observation;
use crate::streams::Watch;

/// Whether a request asks for a WebSocket (RFC 6455 §4.1). Other upgrades are not asked for
/// upstream: the request goes on as an ordinary one, as RFC 9110 §7.8 has it.
pub(crate) fn wanted(head: &Parts, framing: Framing) -> bool {
    head.version == Version::HTTP_11
        && head.method == Method::GET
        && framing == Framing::None
        && connection_has(&head.headers, "upgrade")
        && is_websocket(&head.headers)
}

/// Whether a 101 is the one that was asked for.
pub(crate) fn accepted<B>(response: &Response<B>) -> bool {
    is_websocket(response.headers())
}

/// Copies both ways until one side ends it or the token does.
pub(crate) async fn run(
    on_client: OnUpgrade,
    upstream: Upgraded,
    mut watch: Watch,
    mut seen: Box<Observation>,
) {
    let client = match on_client.connection().await {
        Ok(client) => client,
        Err(error) => return tracing::debug!(%error, "a WebSocket did not come about"),
    };
    let (mut client, mut upstream) = (Counted::new(client), Counted::new(upstream));
    tokio::select! {
        result = copy_bidirectional(&mut client, &mut upstream) => {
            if let Err(error) = result {
                tracing::debug!(%error, "a WebSocket broke off");
            }
        }
        cut = poll_fn(|cx| watch.poll_cut(cx)) => {
            tracing::debug!(?cut, "a WebSocket is closed with its token");
        }
    }
    seen.tunnelled(client.read, upstream.read);
}

fn is_websocket(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(UPGRADE).iter();
    let first = values.next().map(|value| value.as_bytes());
    first.is_some_and(|value| value.eq_ignore_ascii_case(b"websocket")) && values.next().is_none()
}

/// One side of a tunnel, and how much was read from it.
struct Counted {
    io: Upgraded,
    read: u64,
}

// === impl Counted ===

impl Counted {
    fn new(upgraded: Upgraded) -> Self {
        Self { io: upgraded, read: 0 }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        self.read += (buffer.filled().len() - before) as u64;
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
