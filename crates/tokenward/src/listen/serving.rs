//! From the first byte of a connection to its last, in HTTP/1.1 or HTTP/2.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::{Body, Frame, SizeHint};
use hyper::server::conn::http2;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use wire::{BadHead, HEAD_BYTES, Incoming};

use super::life::{Life, UnderWay};
use super::opening::{Opening, opening};
use super::patient::Patient;
use super::rewound::Rewound;
use super::{Connection, Handler, Patience};
use crate::memory::give_back_soon;

/// A client that has been told that its resting connection ends gets this long to agree.
const FAREWELL: Duration = Duration::from_secs(1);

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

impl<H: Handler> wire::server::Service for Serving<'_, H> {
    type Body = H::Body;

    fn answer(&self, request: Request<Incoming>) -> BoxFuture<'static, Response<H::Body>> {
        self.handler.handle(request, self.peer.clone())
    }

    fn refuse(&self, bad: BadHead, head: Option<Request<()>>) -> Response<H::Body> {
        tracing::debug!(%bad, address = %self.peer.address, "no request");
        self.handler.refuse(bad, head, &self.peer)
    }
}

impl<H: Handler> Serving<'_, H> {
    /// Serves until either side has had enough.
    pub(super) async fn serve<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut stream = Patient::new(stream, self.patience.write);
        let opened = tokio::select! {
            opened = timeout(self.patience.head, opening(&mut stream)) => opened,
            // Its first request may be on its way.
            () = stopped_for(self.stop, FAREWELL) => return close(stream).await,
        };
        match opened {
            // In a place of their own, which a connection that waits does not need.
            Ok(Ok(Opening::Http1(first))) => self.http1(stream, first).await,
            Ok(Ok(Opening::Http2(first))) => Box::pin(self.http2(stream, first)).await,
            Ok(Ok(Opening::End)) => close(stream).await,
            Ok(Err(error)) => self.broken(&error),
            Err(_) => {
                tracing::debug!(address = %self.peer.address, "closed: nothing came");
                close(stream).await;
            }
        }
    }

    async fn http1<S>(&self, stream: Patient<S>, first: Bytes)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Patience { head, idle, .. } = self.patience;
        let stop = || Box::pin(self.stop.cancelled()) as BoxFuture<'_, ()>;
        let patience = wire::server::Patience { head, idle };
        if let Err(error) = wire::server::serve(stream, first, patience, &stop, self).await {
            tracing::debug!(%error, address = %self.peer.address, "connection ended early");
        }
        give_back_soon();
    }

    async fn http2<S>(&self, stream: Patient<S>, first: Bytes)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let life = Life::new();
        let mut builder = http2::Builder::new(TokioExecutor::new());
        // What clients flood with beside requests (CONTINUATION, resets of streams that nobody has looked at yet)
        // ends the connection by the limits that h2 has of its own.
        let builder = builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.patience.streams)
            .max_header_list_size(HEAD_BYTES as u32)
            .keep_alive_interval(Duration::from_secs(30));
        let io = TokioIo::new(Rewound::new(first, stream));
        let mut serving = pin!(builder.serve_connection(io, self.service(&life)));
        let mut looks = pin!(sleep(self.patience.idle));
        let mut ending = false;
        loop {
            tokio::select! {
                ended = serving.as_mut() => {
                    if let Err(error) = ended {
                        let address = self.peer.address;
                        tracing::debug!(%error, %address, "connection ended early");
                    }
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
        Request<hyper::body::Incoming>,
        Response = Response<Sent<H::Body>>,
        Error = Infallible,
        Future = Answering<H>,
    > + Unpin
    + 'static {
        let (handler, peer, life) = (self.handler.clone(), self.peer.clone(), Arc::clone(life));
        service_fn(move |request: Request<hyper::body::Incoming>| {
            let mut under_way = life.request();
            let answering = handler.handle(request.map(Incoming::from), peer.clone());
            Box::pin(async move {
                let response = answering.await;
                under_way.answered();
                Ok(response.map(|body| Sent { body, _under_way: under_way }))
            }) as Answering<H>
        })
    }

    fn abused(&self) {
        metrics::counter!(super::CUT).increment(1);
        tracing::debug!(address = %self.peer.address, "closed: request after request was taken back");
    }

    fn broken(&self, error: &std::io::Error) {
        tracing::debug!(%error, address = %self.peer.address, "connection broke");
    }
}

/// So long after the listener stops.
async fn stopped_for(stop: &CancellationToken, pause: Duration) {
    stop.cancelled().await;
    sleep(pause).await;
}

/// Says goodbye; who does not hear it is left.
async fn close(mut stream: impl AsyncWrite + Unpin) {
    let _ = timeout(FAREWELL, stream.shutdown()).await;
}
