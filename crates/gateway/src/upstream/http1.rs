//! Connections in HTTP/1.1, each with one request at a time.
//!
//! A connection has no task of its own: whoever waits for the answer reads it. So a request wakes no other task, and
//! none has to be woken for its answer. It is given to a task only where there is work beside the answer: a
//! request's body that is still under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use hyper_util::rt::TokioIo;
use tokio::runtime::Handle;
use wire::OnInterim;
use wire::client::{Failed, Upload};

use crate::upstream::address::Origin;
use crate::upstream::connect::{ClientError, Connector, Stream};
use crate::upstream::lent::Lent;
use crate::upstream::received::Received;
use crate::upstream::server::Server;

mod relay;

pub(crate) use relay::Relayed;

/// Connections kept without work for each server and thread.
const IDLE_CONNECTIONS: usize = 256;
/// So many sweeps end a connection without work.
const SWEEPS: u32 = 6;

/// The connections to the servers of one upstream.
#[derive(Clone)]
pub(crate) struct Http1(Arc<Home>);

/// Where connections are kept.
struct Home {
    connector: Connector,
    /// The time between two sweeps.
    pause: Duration,
    kept: Mutex<Kept>,
}

struct Kept {
    /// They are few, and found sooner by looking at each than by hashing.
    servers: Vec<(Origin, Vec<Idle>)>,
    /// How many sweeps there were.
    sweeps: u32,
    /// Whether somebody sweeps.
    swept: bool,
}

/// The newest is the last of its server.
struct Idle {
    connection: Box<Connection>,
    /// The sweep before.
    since: u32,
}

/// One connection.
struct Connection {
    origin: Origin,
    wire: wire::client::Connection<TokioIo<Stream>>,
}

/// A connection with an answer under way. Dropped after the end of the answer, it goes back; before, it is closed.
pub(crate) struct Busy {
    connection: Option<Box<Connection>>,
    home: Arc<Home>,
}

// === impl Http1 ===

impl Http1 {
    /// A connection without work is closed `idle` after its last, or a sixth before.
    pub(crate) fn new(connector: Connector, idle: Duration) -> Self {
        let kept = Mutex::new(Kept { servers: Vec::new(), sweeps: 0, swept: false });
        Self(Arc::new(Home { connector, pause: idle / SWEEPS, kept }))
    }

    /// Sends a request and waits for the head of its answer; `on_interim` hears of those before it.
    ///
    /// # Errors
    /// [`ClientError`]; a request of which nothing was written is sent on another connection first.
    pub(crate) async fn request(
        &self,
        server: &Server,
        mut request: Request<Lent>,
        on_interim: OnInterim<'_>,
    ) -> Result<Response<Received>, ClientError> {
        let origin = server.address.origin();
        while let Some(connection) = self.0.take(origin) {
            request = match self.ask(connection, request, on_interim).await {
                Ok(response) => return Ok(response),
                Err(Failed::Unsent(unsent)) => unsent,
                Err(Failed::Broken(error)) => return Err(error.into()),
            };
        }
        // Boxed, since most requests find a connection, and this would be most of their memory.
        let connection = Box::pin(self.0.connect(origin)).await?;
        match self.ask(connection, request, on_interim).await {
            Ok(response) => Ok(response),
            Err(Failed::Unsent(_)) => Err(wire::Error::Closed.into()),
            Err(Failed::Broken(error)) => Err(error.into()),
        }
    }

    async fn ask(
        &self,
        mut connection: Box<Connection>,
        request: Request<Lent>,
        on_interim: OnInterim<'_>,
    ) -> Result<Response<Received>, Failed<Lent>> {
        let answered = connection.wire.send(request, on_interim).await?;
        let head = answered.head;
        if head.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(head.map(|()| Received::switched(connection.wire.into_upgraded())));
        }
        let whole = connection.wire.whole().map_err(|error| Failed::Broken(error.into()))?;
        let mut busy = Busy { connection: Some(connection), home: Arc::clone(&self.0) };
        Ok(head.map(|()| match (answered.upload, whole) {
            // Who reads an answer slowly, or not at all, must not stop what goes the other way.
            (Some(upload), whole) => Received::relayed(Relayed::new(busy, upload, whole)),
            (None, Some(whole)) => {
                busy.end();
                Received::whole(whole)
            }
            (None, None) => Received::busy(busy),
        }))
    }
}

// === impl Home ===

impl Home {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self, origin: &Origin) -> Result<Box<Connection>, ClientError> {
        let stream = TokioIo::new(self.connector.connect(origin).await?);
        let wire = wire::client::Connection::new(stream);
        Ok(Box::new(Connection { origin: origin.clone(), wire }))
    }

    fn take(&self, origin: &Origin) -> Option<Box<Connection>> {
        self.lock().of(origin)?.pop().map(|idle| idle.connection)
    }

    fn keep(self: &Arc<Self>, connection: Box<Connection>) {
        let mut kept = self.lock();
        let since = kept.sweeps;
        match kept.of(&connection.origin) {
            Some(idle) if idle.len() >= IDLE_CONNECTIONS => {}
            Some(idle) => idle.push(Idle { connection, since }),
            None => {
                let origin = connection.origin.clone();
                kept.servers.push((origin, vec![Idle { connection, since }]));
            }
        }
        if !kept.swept
            && let Ok(runtime) = Handle::try_current()
        {
            kept.swept = true;
            runtime.spawn(sweep(Arc::downgrade(self), self.pause));
        }
    }

    /// Closes what has had no work for long, and what the other side has closed. Returns whether any is left.
    fn sweep(&self) -> bool {
        let mut kept = self.lock();
        kept.sweeps = kept.sweeps.wrapping_add(1);
        let now = kept.sweeps;
        for (_, idle) in &mut kept.servers {
            idle.retain_mut(|idle| {
                now.wrapping_sub(idle.since) < SWEEPS && idle.connection.is_reusable()
            });
        }
        kept.servers.retain(|(_, idle)| !idle.is_empty());
        kept.swept = !kept.servers.is_empty();
        kept.swept
    }
}

// === impl Kept ===

impl Kept {
    fn of(&mut self, origin: &Origin) -> Option<&mut Vec<Idle>> {
        self.servers.iter_mut().find(|(other, _)| other == origin).map(|(_, idle)| idle)
    }
}

/// Sweeps for as long as there is something to sweep.
async fn sweep(home: Weak<Home>, pause: Duration) {
    loop {
        tokio::time::sleep(pause).await;
        if !home.upgrade().is_some_and(|home| home.sweep()) {
            return;
        }
    }
}

// === impl Connection ===

impl Connection {
    /// Whether there can be a request on it; nobody is woken for it.
    fn is_reusable(&mut self) -> bool {
        self.wire.is_reusable(&mut Context::from_waker(Waker::noop()))
    }
}

// === impl Busy ===

impl Busy {
    /// The next part of the answer.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, wire::Error>>> {
        let Some(connection) = &mut self.connection else { return Poll::Ready(None) };
        connection.wire.poll_frame(cx)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.connection.as_ref().is_none_or(|connection| connection.wire.is_over())
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        let over = || SizeHint::with_exact(0);
        self.connection.as_ref().map_or_else(over, |connection| connection.wire.size_hint())
    }

    /// Sends on the rest of a request's body.
    fn poll_upload(
        &mut self,
        upload: &mut Upload<Lent>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), wire::Error>> {
        let Some(connection) = &mut self.connection else { return Poll::Ready(Ok(())) };
        connection.wire.poll_upload(upload, cx)
    }

    /// Closes the connection.
    fn abandon(&mut self) {
        self.connection = None;
    }

    /// Gives the connection back, if it can be used again.
    pub(crate) fn end(&mut self) {
        if let Some(mut connection) = self.connection.take()
            && connection.is_reusable()
        {
            self.home.keep(connection);
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests;
