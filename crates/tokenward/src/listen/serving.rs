//! From the first byte of a connection to its last, in HTTP/1.1 or HTTP/2.
//!
//! A connection in HTTP/1.1 that has had nothing to do for a moment is taken from the HTTP library, whose buffers
//! would be nine tenths of its memory, and waits for its next byte without them.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::UPGRADE;
use http::{Request, Response, Version};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::aside::Aside;
use super::life::{Life, UnderWay};
use super::opening::{Opening, next, opening};
use super::patient::Patient;
use super::rewound::Rewound;
use super::{Connection, Handler, Patience};
use crate::memory::give_back_soon;

/// A client that has been told that its resting connection ends gets this long to agree.
const FAREWELL: Duration = Duration::from_secs(1);
/// The longest head of a request that is read, in bytes.
const HEAD_BYTES: usize = 64 * 1024;
/// After so long without a request a connection gives its buffers back. Clients that ask again and again do so
/// sooner, and those that pause are served as fast: it costs them some microseconds.
const REST: Duration = Duration::from_secs(1);

/// How one connection is served.
pub(super) struct Serving<'s, H> {
    pub(super) peer: Connection,
    pub(super) handler: H,
    pub(super) patience: Patience,
    pub(super) stop: &'s CancellationToken,
}

/// An answer's body; until it has been sent, its request is under way.
struct Sent<B> {
    body: B,
    _under_way: UnderWay,
}

/// A request under way.
type Answering<H> = BoxFuture<'static, Result<Response<Sent<<H as Handler>::Body>>, Infallible>>;

/// What happens beside requests.
enum Rare {
    /// The listener stops.
    Stop,
    /// A request waits to switch to another protocol.
    Switch,
    /// It is time to look whether the connection rests.
    Look,
}

/// What came of serving a connection for a while.
enum Served<S> {
    Ended,
    /// Nothing is under way; these bytes of the next request have been read already.
    Rests(Patient<S>, Bytes),
}

// === impl Sent ===

impl<B: Body + Unpin> Body for Sent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

// === impl Serving ===

impl<H: Handler> Serving<'_, H> {
    /// Serves until either side has had enough.
    pub(super) async fn serve<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let life = Life::new();
        let mut stream = Patient::new(stream, self.patience.write, Arc::clone(&life));
        let opened = tokio::select! {
            opened = timeout(self.patience.head, opening(&mut stream)) => opened,
            () = self.stop.cancelled() => return close(stream).await,
        };
        match opened {
            // In a place of their own, which a connection that waits does not need.
            Ok(Ok(Opening::Http1(first))) => self.http1(stream, first, &life).await,
            Ok(Ok(Opening::Http2(first))) => Box::pin(self.http2(stream, first, &life)).await,
            Ok(Ok(Opening::End)) => close(stream).await,
            Ok(Err(error)) => self.broken(&error),
            Err(_) => {
                tracing::debug!(address = %self.peer.address, "closed: nothing came");
                close(stream).await;
            }
        }
    }

    async fn http1<S>(&self, mut stream: Patient<S>, mut first: Bytes, life: &Arc<Life>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        loop {
            let began = Box::pin(self.http1_until_rest(stream, first, life));
            (stream, first) = match began.await {
                Served::Ended => return,
                Served::Rests(stream, first) => (stream, first),
            };
            if !first.is_empty() {
                continue;
            }
            // Nothing is left in the library's buffer, which lives for as long as this does.
            drop(first);
            give_back_soon();
            let idle = self.patience.idle.saturating_sub(life.rests().unwrap_or_default());
            first = tokio::select! {
                read = timeout(idle, next(&mut stream)) => match read {
                    Ok(Ok(first)) => first,
                    Ok(Err(error)) => return self.broken(&error),
                    Err(_) => return close(stream).await,
                },
                () = self.stop.cancelled() => return close(stream).await,
            };
            if first.is_empty() {
                return close(stream).await;
            }
        }
    }

    async fn http1_until_rest<S>(
        &self,
        stream: Patient<S>,
        first: Bytes,
        life: &Arc<Life>,
    ) -> Served<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        life.hears();
        let mut builder = http1::Builder::new();
        // How long a head may take is looked after below: a timer for each request would cost more than its head.
        builder.max_buf_size(HEAD_BYTES).header_read_timeout(None);
        let io = TokioIo::new(Rewound::new(first, stream));
        let mut serving = Box::pin(builder.serve_connection(io, self.service(life)));
        let (answered, mut read) = (life.answered(), life.read());
        let rest = REST.min(self.patience.head / 2);
        let mut pause = rest;
        let mut ending = false;
        loop {
            let rare = async {
                tokio::select! {
                    () = self.stop.cancelled(), if !ending => Rare::Stop,
                    () = life.asked_to_switch() => Rare::Switch,
                    () = sleep(pause) => Rare::Look,
                }
            };
            let rare = tokio::select! {
                // What it knows of the client must be as new as can be when it is taken apart.
                biased;
                ended = serving.as_mut() => return self.ended(ended),
                rare = Aside::new(rare) => rare,
            };
            match rare {
                Rare::Switch => break,
                Rare::Stop => {
                    ending = true;
                    serving.as_mut().graceful_shutdown();
                }
                Rare::Look => {
                    let Some(rests) = rests(life, &mut read, self.patience.head) else {
                        return self.slow();
                    };
                    let left = rest.saturating_sub(rests);
                    let may = !ending && life.answered() != answered && life.is_between_requests();
                    if !may || !left.is_zero() {
                        pause = if left.is_zero() { rest } else { left };
                        continue;
                    }
                    ending = true;
                    // Between requests this ends it at once, without a word to the client.
                    serving.as_mut().graceful_shutdown();
                    let ended = poll_fn(|cx| Poll::Ready(serving.poll_without_shutdown(cx))).await;
                    if let Poll::Ready(Ok(())) = ended {
                        let parts = (*Pin::into_inner(serving)).into_parts();
                        let (unread, stream) = parts.io.into_inner().into_parts();
                        debug_assert!(unread.is_empty(), "the library reads all that there is");
                        return Served::Rests(stream, parts.read_buf);
                    }
                }
            }
        }
        let mut serving = pin!((*Pin::into_inner(serving)).with_upgrades());
        life.let_switch();
        loop {
            tokio::select! {
                biased;
                ended = serving.as_mut() => return self.ended(ended),
                () = self.stop.cancelled(), if !ending => {
                    ending = true;
                    serving.as_mut().graceful_shutdown();
                }
                () = sleep(rest) => {
                    if rests(life, &mut read, self.patience.head).is_none() {
                        return self.slow();
                    }
                }
            }
        }
    }

    async fn http2<S>(&self, stream: Patient<S>, first: Bytes, life: &Arc<Life>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        // What clients flood with beside requests (CONTINUATION, resets of streams that nobody has looked at yet)
        // ends the connection by the limits that h2 has of its own.
        let builder = builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.patience.streams)
            .max_header_list_size(HEAD_BYTES as u32)
            .keep_alive_interval(Duration::from_secs(30));
        let io = TokioIo::new(Rewound::new(first, stream));
        let mut serving = pin!(builder.serve_connection(io, self.service(life)));
        let mut looks = pin!(sleep(self.patience.idle));
        let mut ending = false;
        loop {
            tokio::select! {
                ended = serving.as_mut() => {
                    let _: Served<S> = self.ended(ended);
                    return;
                }
                () = self.stop.cancelled(), if !ending => {
                    ending = true;
                    serving.as_mut().graceful_shutdown();
                }
                () = looks.as_mut() => {
                    let rests = life.rests().unwrap_or_default();
                    if rests < self.patience.idle {
                        looks.as_mut().reset(Instant::now() + (self.patience.idle - rests));
                    } else if ending {
                        // It was told, and answers nothing.
                        return;
                    } else {
                        ending = true;
                        serving.as_mut().graceful_shutdown();
                        looks.as_mut().reset(Instant::now() + FAREWELL);
                    }
                }
                () = life.abused() => return self.abused(),
            }
        }
    }

    fn service(
        &self,
        life: &Arc<Life>,
    ) -> impl Service<
        Request<Incoming>,
        Response = Response<Sent<H::Body>>,
        Error = Infallible,
        Future = Answering<H>,
    > + Unpin
    + 'static {
        let (handler, peer, life) = (self.handler.clone(), self.peer.clone(), Arc::clone(life));
        service_fn(move |request: Request<Incoming>| {
            let mut under_way = life.request(!request.body().is_end_stream());
            let switches =
                request.version() == Version::HTTP_11 && request.headers().contains_key(UPGRADE);
            let life = switches.then(|| Arc::clone(&life));
            let (handler, peer) = (handler.clone(), peer.clone());
            // In a place of its own: hyper moves what it is given, and this takes up kilobytes.
            Box::pin(async move {
                if let Some(life) = life {
                    life.switch().await;
                }
                let response = handler.handle(request, peer).await;
                under_way.answered();
                Ok(response.map(|body| Sent { body, _under_way: under_way }))
            }) as Answering<H>
        })
    }

    fn ended<S>(&self, ended: hyper::Result<()>) -> Served<S> {
        if let Err(error) = ended {
            tracing::debug!(error = %error, address = %self.peer.address, "connection ended early");
        }
        Served::Ended
    }

    fn slow<S>(&self) -> Served<S> {
        tracing::debug!(address = %self.peer.address, "closed: a head took too long");
        Served::Ended
    }

    fn abused(&self) {
        metrics::counter!("tokenward_connections_cut_total").increment(1);
        tracing::debug!(address = %self.peer.address, "closed: request after request was taken back");
    }

    fn broken(&self, error: &std::io::Error) {
        tracing::debug!(%error, address = %self.peer.address, "connection broke");
    }
}

/// Says goodbye; who does not hear it is left.
async fn close(mut stream: impl AsyncWrite + Unpin) {
    let _ = timeout(FAREWELL, stream.shutdown()).await;
}

/// How long a connection in HTTP/1.1 has had no request under way; `None` when that is the head of one that takes
/// longer than `head`. `read` is what had been read when it last was clear that this is no head.
fn rests(life: &Life, read: &mut usize, head: Duration) -> Option<Duration> {
    // More than a head can have is a body, of a request that was answered before its end.
    if life.read().wrapping_sub(*read) > HEAD_BYTES {
        *read = life.read();
        life.hears();
    }
    let rests = life.rests().unwrap_or_default();
    (rests < head + REST.min(head / 2)).then_some(rests)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{HEAD_BYTES, rests};
    use crate::listen::life::Life;

    #[tokio::test]
    async fn a_head_that_takes_too_long_is_told_from_a_body_and_from_a_request_under_way() {
        let (life, head, mut read) = (Life::new(), Duration::from_secs(1), 0);
        assert!(rests(&life, &mut read, head).is_some());
        tokio::time::sleep(Duration::from_millis(1600)).await;
        life.reads(HEAD_BYTES);
        assert_eq!(rests(&life, &mut read, head), None, "as long as a head can be");
        let under_way = life.request(true);
        assert_eq!(rests(&life, &mut read, head), Some(Duration::ZERO));
        drop(under_way);
        tokio::time::sleep(Duration::from_millis(1600)).await;
        life.reads(1);
        assert!(rests(&life, &mut read, head).is_some(), "longer than any head");
        tokio::time::sleep(Duration::from_millis(1600)).await;
        assert_eq!(rests(&life, &mut read, head), None, "and then nothing more");
    }
}
