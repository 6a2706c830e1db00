//! One connection for all, at a server that says over which a request came.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use super::Http2;
use crate::body::RequestBody;
use crate::upstream::connect::{ClientError, Connector};
use crate::upstream::lent::Lent;
use crate::upstream::server::Server;

const PATIENCE: Duration = Duration::from_secs(20);
const MINUTE: Duration = Duration::from_secs(60);

/// How a server ends a connection.
#[derive(Clone, Copy, Debug)]
enum End {
    GoAway,
    Abruptly,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    open: AtomicUsize,
    most: AtomicUsize,
    now: AtomicUsize,
}

struct Stage {
    client: Http2,
    server: Server,
    counts: Arc<Counts>,
    end: broadcast::Sender<End>,
}

// === impl Stage ===

impl Stage {
    /// A server that takes so long to answer, and so many requests at a time.
    async fn new(idle: Duration, takes: Duration, streams: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        let (counts, end) = (Arc::<Counts>::default(), broadcast::channel(4).0);
        tokio::spawn(serve(listener, Arc::clone(&counts), end.clone(), takes, streams));
        let client = Http2::new(Connector::plain(), idle);
        Self { client, server: Server::only(address, true), counts, end }
    }

    /// The number of the connection over which it came.
    async fn get(&self) -> Result<usize, ClientError> {
        let mut request = Request::new(Lent::new(RequestBody::none(), None));
        let target = "/".parse().expect("path");
        *request.uri_mut() = self.server.address.uri(&target).expect("address");
        let answer = tokio::time::timeout(PATIENCE, self.client.request(&self.server, request));
        let body = answer.await.expect("in time")?.into_body();
        let bytes =
            body.collect().await.map_err(|error| ClientError::Exchange(error.into()))?.to_bytes();
        Ok(String::from_utf8_lossy(&bytes).parse().expect("a number"))
    }

    fn open(&self) -> usize {
        self.counts.open.load(Ordering::SeqCst)
    }

    async fn until_none_is_open(&self) {
        let began = Instant::now();
        while self.open() > 0 {
            assert!(began.elapsed() < PATIENCE, "it stays open");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn serve(
    listener: TcpListener,
    counts: Arc<Counts>,
    end: broadcast::Sender<End>,
    takes: Duration,
    streams: u32,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let number = counts.connections.fetch_add(1, Ordering::SeqCst) + 1;
        counts.open.fetch_add(1, Ordering::SeqCst);
        let (counts, mut end) = (Arc::clone(&counts), end.subscribe());
        let seen = Arc::clone(&counts);
        let service = service_fn(move |_| {
            let seen = Arc::clone(&seen);
            async move {
                let now = seen.now.fetch_add(1, Ordering::SeqCst) + 1;
                seen.most.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(takes).await;
                seen.now.fetch_sub(1, Ordering::SeqCst);
                let body = Full::new(Bytes::from(number.to_string()));
                Ok::<_, Infallible>(Response::new(body))
            }
        });
        tokio::spawn(async move {
            let mut builder = Builder::new(TokioExecutor::new());
            builder.max_concurrent_streams(streams);
            let mut serving =
                std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
            tokio::select! {
                _ = &mut serving => {}
                end = end.recv() => if let Ok(End::GoAway) = end {
                    serving.as_mut().graceful_shutdown();
                    let _ = serving.await;
                },
            }
            counts.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

#[tokio::test]
async fn a_cold_start_makes_one_connection() {
    let stage = Stage::new(MINUTE, Duration::from_millis(50), 100).await;
    for _ in 0..2 {
        let answers = join_all((0..20).map(|_| stage.get())).await;
        assert!(answers.iter().all(|answer| matches!(answer, Ok(1))), "{answers:?}");
    }
    assert_eq!(stage.counts.connections.load(Ordering::SeqCst), 1);
    assert!(stage.counts.most.load(Ordering::SeqCst) > 1, "all at a time");
}

#[tokio::test]
async fn who_waits_is_not_hurt_by_who_leaves() {
    let stage = Stage::new(MINUTE, Duration::ZERO, 100).await;
    let mut first = Box::pin(stage.get());
    assert!((&mut first).now_or_never().is_none());
    let mut second = Box::pin(stage.get());
    assert!((&mut second).now_or_never().is_none());
    drop(first);
    assert_eq!(second.await.expect("an answer"), 1);
    let alone = Stage::new(MINUTE, Duration::ZERO, 100).await;
    let mut first = Box::pin(alone.get());
    assert!((&mut first).now_or_never().is_none());
    drop(first);
    alone.get().await.expect("nobody goes on with what was left");
}

#[tokio::test]
async fn all_hear_that_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    drop(listener);
    let stage = Stage::new(MINUTE, Duration::ZERO, 100).await;
    let stage = Stage { server: Server::only(address, true), ..stage };
    for answer in join_all((0..5).map(|_| stage.get())).await {
        assert!(answer.as_ref().is_err_and(ClientError::is_connect), "{answer:?}");
    }
}

#[tokio::test]
async fn as_many_at_a_time_as_the_server_takes() {
    let stage = Stage::new(MINUTE, Duration::from_millis(10), 2).await;
    stage.get().await.expect("its settings are known");
    let answers = join_all((0..10).map(|_| stage.get())).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(1))), "{answers:?}");
    assert_eq!(stage.counts.most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_connection_that_has_ended_is_followed_by_another() {
    for end in [End::GoAway, End::Abruptly] {
        let stage = Stage::new(MINUTE, Duration::ZERO, 100).await;
        for number in 1..5 {
            assert_eq!(stage.get().await.expect("an answer"), number, "{end:?}");
            assert_eq!(stage.get().await.expect("an answer"), number, "{end:?}");
            stage.end.send(end).expect("a connection");
            stage.until_none_is_open().await;
            // Until the end has come here too.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn a_request_under_way_outlives_a_goaway() {
    let stage = Stage::new(MINUTE, Duration::from_millis(300), 100).await;
    let ending = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stage.end.send(End::GoAway).expect("a connection");
        tokio::time::sleep(Duration::from_millis(100)).await;
        stage.get().await
    };
    let (before, after) = tokio::join!(stage.get(), ending);
    assert_eq!((before.expect("an answer"), after.expect("an answer")), (1, 2));
}

#[tokio::test]
async fn a_connection_without_requests_is_closed() {
    let stage = Stage::new(Duration::from_millis(100), Duration::from_millis(500), 100).await;
    for number in 1..3 {
        assert_eq!(stage.get().await.expect("longer than that"), number);
        stage.until_none_is_open().await;
    }
}
