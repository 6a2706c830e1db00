//! Connections in HTTP/2: one for each server, shared by all requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use http::{Request, Response};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::upstream::address::Origin;
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
#[derive(Clone)]
pub(crate) struct Http2(Arc<Home>);

struct Home {
    connector: Connector,
    /// How long a connection is kept on which no request begins.
    idle: Duration,
    /// They are few, and found sooner by looking at each than by hashing.
    servers: Mutex<Vec<(Origin, Link)>>,
}

/// The connection to one server.
enum Link {
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
    /// A connection is closed on which no request begins for `idle`.
    pub(crate) fn new(connector: Connector, idle: Duration) -> Self {
        Self(Arc::new(Home { connector, idle, servers: Mutex::default() }))
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
        let (mut request, origin) = (request, server.address.origin());
        if let Some(mut open) = self.0.open(origin) {
            let mut error = match open.requests.try_send_request(request).await {
                Ok(response) => return Ok(response.map(Received::http2)),
                Err(error) => error,
            };
            let Some(unsent) = error.take_message() else { return Err(error.into_error().into()) };
            self.0.forget(origin, &open.serial);
            request = unsent;
        }
        let mut open = self.0.opening(origin).await?;
        match open.requests.try_send_request(request).await {
            Ok(response) => Ok(response.map(Received::http2)),
            Err(error) => Err(error.into_error().into()),
        }
    }
}

// === impl Home ===

impl Home {
    fn lock(&self) -> MutexGuard<'_, Vec<(Origin, Link)>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, if it is there and takes requests.
    fn open(&self, origin: &Origin) -> Option<Open> {
        match link(&mut self.lock(), origin)? {
            Link::Open(open) if !open.requests.is_closed() => {
                open.used = true;
                Some(open.clone())
            }
            _ => None,
        }
    }

    /// A new connection: the one that others wait for, if there is one.
    fn opening(self: &Arc<Self>, origin: &Origin) -> Shared<Opening> {
        let mut servers = self.lock();
        match link(&mut servers, origin) {
            Some(Link::Opening(opening)) if let Some(opening) = opening.upgrade() => {
                return opening;
            }
            // Somebody else has opened it meanwhile.
            Some(Link::Open(open)) if !open.requests.is_closed() => {
                let open = open.clone();
                return async { Ok(open) }.boxed().shared();
            }
            _ => {}
        }
        let opening = connect(Arc::clone(self), origin.clone()).boxed().shared();
        if let Some(weak) = opening.downgrade() {
            set(&mut servers, origin, Link::Opening(weak));
        }
        opening
    }

    /// Takes no more requests on that connection; those under way go on.
    fn forget(&self, origin: &Origin, serial: &Arc<()>) {
        let that = |link: &Link| matches!(link, Link::Open(open) if open.is(serial));
        self.lock().retain(|(other, link)| other != origin || !that(link));
    }

    /// Forgets that connection if no request has begun on it since the last time. Returns whether it has none
    /// to come.
    fn retire(&self, origin: &Origin, serial: &Arc<()>) -> bool {
        match link(&mut self.lock(), origin) {
            Some(Link::Open(open)) if open.is(serial) && open.used => {
                open.used = false;
                return false;
            }
            _ => {}
        }
        self.forget(origin, serial);
        true
    }
}

fn link<'l>(servers: &'l mut [(Origin, Link)], origin: &Origin) -> Option<&'l mut Link> {
    servers.iter_mut().find(|(other, _)| other == origin).map(|(_, link)| link)
}

fn set(servers: &mut Vec<(Origin, Link)>, origin: &Origin, new: Link) {
    match link(servers, origin) {
        Some(link) => *link = new,
        None => servers.push((origin.clone(), new)),
    }
}

// === impl Open ===

impl Open {
    fn is(&self, serial: &Arc<()>) -> bool {
        Arc::ptr_eq(&self.serial, serial)
    }
}

async fn connect(home: Arc<Home>, origin: Origin) -> Result<Open, ClientError> {
    let stream = home.connector.connect(&origin).await?;
    let mut builder = Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new());
    builder.keep_alive_interval(PING_EVERY).keep_alive_timeout(PING_TIMEOUT);
    let (requests, connection) = builder.handshake(stream).await?;
    let open = Open { requests, serial: Arc::default(), used: true };
    set(&mut home.lock(), &origin, Link::Open(open.clone()));
    tokio::spawn(drive(connection, Arc::downgrade(&home), origin, Arc::clone(&open.serial)));
    Ok(open)
}

/// Reads and writes until the connection ends, which it does when it is forgotten and its last request is over.
async fn drive(
    connection: impl Future<Output = hyper::Result<()>>,
    home: Weak<Home>,
    origin: Origin,
    serial: Arc<()>,
) {
    let mut connection = std::pin::pin!(connection);
    let idle = home.upgrade().map_or(Duration::ZERO, |home| home.idle);
    let result = loop {
        if let Ok(result) = tokio::time::timeout(idle, &mut connection).await {
            break result;
        }
        if home.upgrade().is_none_or(|home| home.retire(&origin, &serial)) {
            break connection.await;
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection in HTTP/2 broke");
    }
}

#[cfg(test)]
mod tests;
