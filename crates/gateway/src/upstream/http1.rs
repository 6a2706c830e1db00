//! Connections in HTTP/1.1, each with one request at a time.
//!
//! A connection has no task of its own: whoever waits for the answer drives it, and after that the body of
//! the answer ([`Received`]) does. So a request wakes no other task, and none has to be woken for its answer.
//! It is given to a task where there is work beside the answer: a request's body that is still under way, and
//! a WebSocket. Kept without work it is not driven; hyper looks for a close or for stray bytes before it
//! writes the next request.
//!
//! [`Received`]: crate::upstream::received::Received

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::client::conn::http1::{self, SendRequest};
use tokio::runtime::Handle;

use crate::upstream::address::Origin;
use crate::upstream::alarm::Alarm;
use crate::upstream::connect::{ClientError, Connector, Stream};
use crate::upstream::lent::Lent;
use crate::upstream::received::Received;
use crate::upstream::server::Server;

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
    requests: SendRequest<Lent>,
    driver: Driver,
}

/// Reads and writes for a connection.
struct Driver {
    /// Ends with the connection.
    io: Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>,
    alarm: Arc<Alarm>,
    /// That of the alarm.
    waker: Waker,
}

/// A connection with an answer under way. Dropped after the end of the answer, it goes back; before, it is closed.
pub(crate) struct Busy {
    connection: Option<Box<Connection>>,
    home: Arc<Home>,
}

/// What came of a request on a connection.
enum Asked {
    Answered(Response<Received>),
    /// Nothing of it was written.
    Unsent(Request<Lent>, hyper::Error),
    Failed(hyper::Error),
}

// === impl Http1 ===

impl Http1 {
    /// A connection without work is closed `idle` after its last, or a sixth before.
    pub(crate) fn new(connector: Connector, idle: Duration) -> Self {
        let kept = Mutex::new(Kept { servers: Vec::new(), sweeps: 0, swept: false });
        Self(Arc::new(Home { connector, pause: idle / SWEEPS, kept }))
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// [`ClientError`]; a request of which nothing was written is sent on another connection first.
    pub(crate) async fn request(
        &self,
        server: &Server,
        mut request: Request<Lent>,
    ) -> Result<Response<Received>, ClientError> {
        let origin = server.address.origin();
        while let Some(connection) = self.0.take(origin) {
            request = match self.ask(connection, request).await {
                Asked::Answered(response) => return Ok(response),
                Asked::Unsent(unsent, _) => unsent,
                Asked::Failed(error) => return Err(error.into()),
            };
        }
        // Boxed, since most requests find a connection, and this would be most of their memory.
        let connection = Box::pin(self.0.connect(origin)).await?;
        match self.ask(connection, request).await {
            Asked::Answered(response) => Ok(response),
            Asked::Unsent(_, error) | Asked::Failed(error) => Err(error.into()),
        }
    }

    fn ask(
        &self,
        mut connection: Box<Connection>,
        mut request: Request<Lent>,
    ) -> impl Future<Output = Asked> {
        let upload = request.body_mut().watch();
        let answer = connection.requests.try_send_request(request);
        let mut connection = Some(connection);
        async move {
            let mut answer = pin!(answer);
            let answer = poll_fn(|cx| {
                if connection.as_mut().is_some_and(|one| one.driver.has_ended()) {
                    connection = None;
                }
                match &mut connection {
                    Some(one) => one.driver.wait(cx, |cx| answer.as_mut().poll(cx)),
                    None => answer.as_mut().poll(cx),
                }
            });
            let response = match answer.await {
                Ok(response) => response,
                Err(mut error) => {
                    return match error.take_message() {
                        Some(unsent) => Asked::Unsent(unsent, error.into_error()),
                        None => Asked::Failed(error.into_error()),
                    };
                }
            };
            // Who reads an answer slowly, or not at all, must not stop what goes the other way.
            let uploading = upload.is_some_and(|upload| upload.strong_count() > 0);
            let driven = uploading || response.status() == StatusCode::SWITCHING_PROTOCOLS;
            let home = &self.0;
            let busy = connection.map(|one| Busy::new(one, Arc::clone(home)));
            let busy = if driven { busy.and_then(Busy::detach) } else { busy };
            Asked::Answered(response.map(|incoming| Received::new(incoming, busy)))
        }
    }
}

// === impl Home ===

impl Home {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self, origin: &Origin) -> Result<Box<Connection>, ClientError> {
        let stream = self.connector.connect(origin).await?;
        Connection::new(origin.clone(), stream).await
    }

    fn take(&self, origin: &Origin) -> Option<Box<Connection>> {
        self.lock().of(origin)?.pop().map(|idle| idle.connection)
    }

    fn keep(self: &Arc<Self>, connection: Box<Connection>) {
        connection.driver.alarm.forget();
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
                now.wrapping_sub(idle.since) < SWEEPS && !idle.connection.driver.has_ended()
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
    async fn new(origin: Origin, stream: Stream) -> Result<Box<Self>, ClientError> {
        let (requests, connection) = http1::handshake(stream).await?;
        let (io, alarm) = (Box::pin(connection.with_upgrades()), Arc::<Alarm>::default());
        let waker = Waker::from(Arc::clone(&alarm));
        Ok(Box::new(Self { origin, requests, driver: Driver { io, alarm, waker } }))
    }
}

// === impl Driver ===

impl Driver {
    /// Goes on as far as that is possible now, and wakes nobody later.
    fn has_ended(&mut self) -> bool {
        self.alarm.quiet();
        self.io.as_mut().poll(&mut Context::from_waker(&self.waker)).is_ready()
    }

    /// Looks for what it has brought; if that is nothing yet, the task is woken when it can go on.
    fn wait<T>(
        &mut self,
        cx: &Context<'_>,
        look: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let looked = look(&mut Context::from_waker(&self.waker));
        if looked.is_pending() {
            self.alarm.wait(cx.waker());
        }
        looked
    }
}

// === impl Busy ===

impl Busy {
    fn new(connection: Box<Connection>, home: Arc<Home>) -> Self {
        Self { connection: Some(connection), home }
    }

    /// Looks for what comes of the answer; drives the connection if that is nothing yet.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut look: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let Some(connection) = &mut self.connection else { return look(cx) };
        let driver = &mut connection.driver;
        // To take something out tells the connection that there is room again.
        driver.alarm.quiet();
        let looked = look(&mut Context::from_waker(&driver.waker));
        if looked.is_ready() {
            return looked;
        }
        if driver.has_ended() {
            self.connection = None;
            return look(cx);
        }
        driver.wait(cx, look)
    }

    /// Lets a task do the rest; without a runtime the connection is closed. Returns nothing.
    fn detach(mut self) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        let mut connection = self.connection.take()?;
        let home = Arc::clone(&self.home);
        runtime.spawn(async move {
            let ended = poll_fn(|cx| {
                let ended = connection.driver.has_ended();
                if ended || connection.requests.is_ready() {
                    return Poll::Ready(ended);
                }
                connection.driver.wait(cx, |_| Poll::Pending)
            });
            if !ended.await {
                home.keep(connection);
            }
        });
        None
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        // It is ready when both sides of the exchange have ended. If not, hyper notices here that nobody reads
        // the answer any more, and closes.
        if !connection.requests.is_ready() && connection.driver.has_ended() {
            return;
        }
        if connection.requests.is_ready() {
            self.home.keep(connection);
        } else {
            // The end of the request is not written yet.
            Self::new(connection, Arc::clone(&self.home)).detach();
        }
    }
}

#[cfg(test)]
mod tests;
