//! Connections in HTTP/2: one for each server, shared by all requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use http::{Request, Response};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::upstream::connect::{ClientError, Connector};
use crate::upstream::lent::Lent;
use crate::upstream::received::Received;
use crate::upstream::server::Server;

/// How often a connection in use is asked whether it lives. All requests of a thread share it, so that a
/// server that is gone without a word would hold them all.
const PING_EVERY: Duration = Duration::from_secs(10);
/// How long it may take to say so.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// The connections to the servers of one upstream.
pub(crate) struct Http2(Arc<Home>);

struct Home {
    connector: Connector,
    /// How long a connection is kept on which no request begins.
    idle: Duration,
    /// By the servers' numbers.
    servers: Box<[Mutex<Link>]>,
}

/// The connection to one server.
enum Link {
    None,
    /// All who wait share it; it ends when nobody waits any more.
    Opening(WeakShared<Opening>),
    Open(Open),
}

type Opening = BoxFuture<'static, Result<Open, ClientError>>;

#[derive(Clone)]
struct Open {
    requests: SendRequest<Lent>,
    /// Tells it from those before.
    serial: Arc<()>,
    /// Whether a request has begun since the last look.
    used: bool,
}

// === impl Http2 ===

impl Http2 {
    /// For so many servers. A connection is closed on which no request begins for `idle`.
    pub(crate) fn new(connector: Connector, servers: usize, idle: Duration) -> Self {
        let servers = (0..servers).map(|_| Mutex::new(Link::None)).collect();
        Self(Arc::new(Home { connector, idle, servers }))
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// [`ClientError`]; a request of which nothing was written is sent on another connection first.
    pub(crate) async fn request(
        &self,
        server: &Server,
        request: Request<Lent>,
    ) -> Result<Response<Received>, ClientError> {
        let mut request = request;
        if let Some(mut open) = self.0.open(server.number()) {
            let mut error = match open.requests.try_send_request(request).await {
                Ok(response) => return Ok(response.map(|body| Received::new(body, None))),
                Err(error) => error,
            };
            let Some(unsent) = error.take_message() else { return Err(error.into_error().into()) };
            self.0.forget(server.number(), &open.serial);
            request = unsent;
        }
        let mut open = self.0.opening(server).await?;
        match open.requests.try_send_request(request).await {
            Ok(response) => Ok(response.map(|body| Received::new(body, None))),
            Err(error) => Err(error.into_error().into()),
        }
    }
}

// === impl Home ===

impl Home {
    fn lock(&self, number: usize) -> MutexGuard<'_, Link> {
        self.servers[number].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, if it is there and takes requests.
    fn open(&self, number: usize) -> Option<Open> {
        match &mut *self.lock(number) {
            Link::Open(open) if !open.requests.is_closed() => {
                open.used = true;
                Some(open.clone())
            }
            _ => None,
        }
    }

    /// A new connection: the one that others wait for, if there is one.
    fn opening(self: &Arc<Self>, server: &Server) -> Shared<Opening> {
        let mut link = self.lock(server.number());
        match &*link {
            Link::Opening(opening) if let Some(opening) = opening.upgrade() => return opening,
            // Somebody else has opened it meanwhile.
            Link::Open(open) if !open.requests.is_closed() => {
                let open = open.clone();
                return async { Ok(open) }.boxed().shared();
            }
            _ => {}
        }
        let opening = connect(Arc::clone(self), server.number(), server.address.origin().clone());
        let opening = opening.boxed().shared();
        *link = opening.downgrade().map_or(Link::None, Link::Opening);
        opening
    }

    /// Takes no more requests on that connection; those under way go on.
    fn forget(&self, number: usize, serial: &Arc<()>) {
        let mut link = self.lock(number);
        if matches!(&*link, Link::Open(open) if Arc::ptr_eq(&open.serial, serial)) {
            *link = Link::None;
        }
    }

    /// Forgets that connection if no request has begun on it since the last time. Returns whether it has none
    /// to come.
    fn retire(&self, number: usize, serial: &Arc<()>) -> bool {
        match &mut *self.lock(number) {
            Link::Open(open) if Arc::ptr_eq(&open.serial, serial) && open.used => {
                open.used = false;
                return false;
            }
            _ => {}
        }
        self.forget(number, serial);
        true
    }
}

async fn connect(home: Arc<Home>, number: usize, origin: http::Uri) -> Result<Open, ClientError> {
    let stream = home.connector.connect(&origin).await?;
    let mut builder = Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new());
    builder.keep_alive_interval(PING_EVERY).keep_alive_timeout(PING_TIMEOUT);
    let (requests, connection) = builder.handshake(stream).await?;
    let open = Open { requests, serial: Arc::default(), used: true };
    tokio::spawn(drive(connection, Arc::downgrade(&home), number, Arc::clone(&open.serial)));
    *home.lock(number) = Link::Open(open.clone());
    Ok(open)
}

/// Reads and writes until the connection ends, which it does when it is forgotten and its last request is over.
async fn drive(
    connection: impl Future<Output = hyper::Result<()>>,
    home: Weak<Home>,
    number: usize,
    serial: Arc<()>,
) {
    let mut connection = std::pin::pin!(connection);
    let idle = home.upgrade().map_or(Duration::ZERO, |home| home.idle);
    let result = loop {
        if let Ok(result) = tokio::time::timeout(idle, &mut connection).await {
            break result;
        }
        if home.upgrade().is_none_or(|home| home.retire(number, &serial)) {
            break connection.await;
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection in HTTP/2 broke");
    }
}

#[cfg(test)]
mod tests;
