//! Serves the requests of one connection, one after the other.
//!
//! While a request is answered, its body is read by whoever answers, from the connection itself. What a client
//! sends before it was asked for stays where it is; that it has gone is noticed, and what was under way for it is
//! dropped. Between requests a connection holds no buffer.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::header::{CONTENT_LENGTH, EXPECT, TE, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};

use crate::BoxError;
use crate::aside::Aside;
use crate::encode;
use crate::error::{BadHead, Error};
use crate::framing::{Decoder, Going, keeps, length};
use crate::head::{self, Lines, Scan};
use crate::incoming::Incoming;
use crate::interim::Interim;
use crate::io::{give_back, paper};
use crate::sending::{Next, Sending};
use crate::upgraded::{OnUpgrade, Upgraded};

mod held;
pub(crate) mod reading;

use held::Held;
use reading::{Reading, lock};

/// A client that sends more than was read, or is slow to hear that the connection ends, gets so long.
const FAREWELL: Duration = Duration::from_secs(1);
/// When the listener stops: whoever was answered so short a time ago may be sending the next request, and gets an answer
/// that says that it is the last.
const LINGER: Duration = Duration::from_secs(1);
/// So much of a body that nobody wants is read, so that the connection can go on.
const UNWANTED: usize = 64 * 1024;

/// How patient a server is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a request's head, from its first byte to its last.
    pub head: Duration,
    /// For the next request.
    pub idle: Duration,
}

/// What answers requests.
pub trait Service {
    /// An answer's body.
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Unpin;

    /// Answers one.
    fn answer(&self, request: Request<Incoming>) -> BoxFuture<'static, Response<Self::Body>>;

    /// Answers what is no request that is taken: its head, if that can be read, and what is wrong with it. The
    /// connection ends with it.
    fn refuse(&self, bad: BadHead, head: Option<Request<()>>) -> Response<Self::Body>;
}

/// One connection.
struct Connection<'s, S> {
    held: Arc<Mutex<Held<S>>>,
    patience: Patience,
    /// The listener stops, or it is time to look.
    rare: Aside<'s, Rare>,
    stop: Stop<'s>,
    /// Since when there has been no request.
    since: Instant,
    /// No further request is taken.
    ending: bool,
    requests: u64,
}

/// Makes futures that are ready when the listener stops.
pub type Stop<'s> = &'s (dyn Fn() -> BoxFuture<'s, ()> + Send + Sync);

/// What happens beside requests.
enum Rare {
    Stop,
    Look,
}

/// Why there is no next request.
enum Broken {
    Head(BadHead, Option<Box<Request<()>>>),
    Connection(Error),
}

/// What of a request matters for its answer.
struct Asked {
    method: Method,
    version: Version,
    keeps: bool,
    /// Whether trailers are read.
    trailers: bool,
    /// Waits for the connection.
    switch: Option<oneshot::Sender<Upgraded>>,
}

/// Serves until either side has had enough. `first` was read from the stream already; after `stop` no
/// further request is taken.
///
/// # Errors
/// [`Error`]: why the connection ended before its time.
pub async fn serve<'s, S, V>(
    stream: S,
    first: Bytes,
    patience: Patience,
    stop: Stop<'s>,
    service: &V,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    V: Service,
{
    let mut connection = Connection::new(stream, first, patience, stop);
    loop {
        let (request, mut asked) = match connection.next().await {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(Broken::Head(bad, head)) => {
                let refusal = service.refuse(bad, head.map(|head| *head));
                connection.answer(refusal, &mut Asked::nothing()).await?;
                break;
            }
            Err(Broken::Connection(error)) => return Err(error),
        };
        let answering = service.answer(request);
        let Some(response) = connection.while_there(answering).await else {
            return Err(Error::Closed);
        };
        let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let goes_on = connection.answer(response, &mut asked).await?;
        if switches {
            if let Some(switch) = asked.switch {
                let _ = switch.send(Upgraded::new(connection.held));
            }
            return Ok(());
        }
        if !goes_on || !connection.finish().await? {
            break;
        }
    }
    connection.close().await
}

// === impl Connection ===

impl<'s, S> Connection<'s, S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    fn new(stream: S, first: Bytes, patience: Patience, stop: Stop<'s>) -> Self {
        let held = Arc::new(Mutex::new(Held::new(stream, BytesMut::from(first))));
        let rare = rare(stop, patience.idle);
        let since = Instant::now();
        Self { held, patience, rare, stop, since, ending: false, requests: 0 }
    }

    /// Reads the head of the next request; `None` when there will be none.
    async fn next(&mut self) -> Result<Option<(Request<Incoming>, Asked)>, Broken> {
        if self.ending {
            // The last answer did not say so.
            self.rare = look_after(LINGER);
        }
        let mut scan = Scan::default();
        let mut slow: Option<Pin<Box<Sleep>>> = None;
        let head = poll_fn(|cx| {
            loop {
                let held = &mut *lock(&self.held);
                if head::skip_empty_lines(&mut held.io.unread) {
                    scan = Scan::default();
                }
                if let Some(length) = scan.end(&held.io.unread, Lines::Strict)? {
                    return Poll::Ready(Ok(Some(head::take(&mut held.io.unread, length))));
                }
                match held.io.poll_fill(cx)? {
                    Poll::Ready(0) if held.io.unread.is_empty() => return Poll::Ready(Ok(None)),
                    Poll::Ready(0) => return Poll::Ready(Err(Broken::Connection(Error::Closed))),
                    Poll::Ready(_) => continue,
                    Poll::Pending => {}
                }
                ready!(held.io.poll_sent(cx))?;
                if !held.io.unread.is_empty() {
                    let slow = slow.get_or_insert_with(|| Box::pin(sleep(self.patience.head)));
                    return slow.as_mut().poll(cx).map(|()| Err(Broken::Connection(Error::Slow)));
                }
                break;
            }
            if self.look(cx) { Poll::Ready(Ok(None)) } else { Poll::Pending }
        });
        let Some(head) = head.await? else { return Ok(None) };
        self.request(&head).map(Some)
    }

    /// Looks at what happens beside requests; whether the connection has rested for long enough.
    fn look(&mut self, cx: &mut Context<'_>) -> bool {
        while let Poll::Ready(rare) = Pin::new(&mut self.rare).poll(cx) {
            let rests = self.since.elapsed();
            let left = self.patience.idle.saturating_sub(rests);
            match rare {
                Rare::Stop => {
                    self.ending = true;
                    self.rare = look_after(LINGER.saturating_sub(rests));
                }
                Rare::Look if self.ending => {
                    self.rare = Aside::new(std::future::pending());
                    return true;
                }
                Rare::Look if left.is_zero() => {
                    self.rare = self::rare(self.stop, self.patience.idle);
                    return true;
                }
                Rare::Look => self.rare = self::rare(self.stop, left),
            }
        }
        false
    }

    /// The request with this head, which reads its body from the connection.
    fn request(&mut self, head: &Bytes) -> Result<(Request<Incoming>, Asked), Broken> {
        let request = head::request(head)?;
        let (version, fields) = (request.version(), request.headers());
        let decoder = match Decoder::of_request(version, fields) {
            Ok(decoder) => decoder,
            Err(bad) => return Err(Broken::Head(bad, Some(Box::new(request)))),
        };
        let mut asked = Asked {
            method: request.method().clone(),
            version,
            keeps: keeps(version, fields),
            trailers: fields.contains_key(TE) && reads_trailers(fields),
            switch: None,
        };
        self.requests += 1;
        let over = decoder.is_over();
        let left = decoder.size_hint();
        let mut held = lock(&self.held);
        held.begin(self.requests, decoder, !over && expects(version, fields));
        drop(held);
        let switches = version == Version::HTTP_11 && fields.contains_key(UPGRADE);
        let held = || Arc::clone(&self.held) as Arc<_>;
        let reading = match over {
            true => Reading::over(),
            false => Reading::new(held(), self.requests, left),
        };
        let interim = (version == Version::HTTP_11).then(|| Interim::new(held(), self.requests));
        let mut request = request.map(|()| Incoming::http1(reading, interim));
        if switches {
            let (sender, receiver) = OnUpgrade::new();
            asked.switch = Some(sender);
            request.extensions_mut().insert(receiver);
        }
        Ok((request, asked))
    }

    /// Waits for the answer; `None` when the client has gone meanwhile.
    async fn while_there<T>(&mut self, mut answering: BoxFuture<'static, T>) -> Option<T> {
        poll_fn(|cx| {
            if let Poll::Ready(answer) = answering.as_mut().poll(cx) {
                return Poll::Ready(Some(answer));
            }
            self.look(cx);
            if lock(&self.held).is_gone(cx) { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }

    /// Writes an answer; whether the connection goes on after it.
    async fn answer<B>(&mut self, response: Response<B>, asked: &mut Asked) -> Result<bool, Error>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
    {
        let (mut head, body) = response.into_parts();
        let going = going(&head.headers, head.status, asked, &body);
        tell_length(&mut head.headers, asked, &body);
        let keep = {
            let mut held = lock(&self.held);
            let can = going != Going::ToEnd && held.can_go_on(UNWANTED);
            held.answers();
            asked.keeps && can && !self.ending && keeps(Version::HTTP_11, &head.headers)
        };
        let mut out = paper();
        encode::response(&mut out, &head, asked.version, going, keep);
        drop(head);
        let mut sending = Sending::new(body, going, asked.trailers);
        poll_fn(|cx| {
            loop {
                ready!(lock(&self.held).io.poll_sent(cx))?;
                // Not while the connection is held: the body may be that of the request.
                let (long, next) = sending.gather(&mut out, cx);
                let held = &mut *lock(&self.held);
                let (data, after) = long.unwrap_or_default();
                held.io.send(cx, [&out, &data, after])?;
                give_back(std::mem::take(&mut out));
                let sent = held.io.poll_sent(cx)?;
                match next {
                    Next::More => out = paper(),
                    Next::Later if held.is_gone(cx) => return Poll::Ready(Err(Error::Closed)),
                    Next::Later => return Poll::Pending,
                    Next::Over => return sent.map(Ok),
                    Next::Broken(error) => return Poll::Ready(Err(error)),
                }
            }
        })
        .await?;
        Ok(keep)
    }

    /// Waits for the end of the request's body; whether the connection can go on.
    async fn finish(&mut self) -> Result<bool, Error> {
        let (mut unwanted, mut farewell) = (0, None::<Pin<Box<Sleep>>>);
        let goes_on = poll_fn(|cx| {
            loop {
                let held = &mut *lock(&self.held);
                match held.poll_end(cx) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(true),
                    Poll::Ready(Ok(more)) if unwanted + more <= UNWANTED => unwanted += more,
                    Poll::Ready(_) => return Poll::Ready(false),
                    // Somebody reads it, as fast as the client sends.
                    Poll::Pending if held.is_read() => return Poll::Pending,
                    Poll::Pending => {
                        let farewell = farewell.get_or_insert_with(|| Box::pin(sleep(FAREWELL)));
                        return farewell.as_mut().poll(cx).map(|()| false);
                    }
                }
            }
        });
        let goes_on = goes_on.await;
        self.since = Instant::now();
        Ok(goes_on)
    }

    /// Says that there will be no more. What the client still sends is read for a moment: a system that gets more
    /// than was read takes back the answer too.
    async fn close(self) -> Result<(), Error> {
        let mut farewell = pin!(sleep(FAREWELL));
        let mut closed = false;
        poll_fn(|cx| {
            let held = &mut *lock(&self.held);
            while !closed {
                match held.io.poll_close(cx) {
                    Poll::Ready(Ok(())) => closed = true,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                    Poll::Pending => return farewell.as_mut().poll(cx).map(Ok),
                }
            }
            loop {
                held.io.unread = BytesMut::new();
                match held.io.poll_fill(cx) {
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Ok(())),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Pending => return farewell.as_mut().poll(cx).map(Ok),
                }
            }
        })
        .await
    }
}

// === impl Broken ===

impl From<BadHead> for Broken {
    fn from(bad: BadHead) -> Self {
        Self::Head(bad, None)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Connection(error.into())
    }
}

// === impl Asked ===

impl Asked {
    /// What was no request.
    fn nothing() -> Self {
        let (method, version) = (Method::GET, Version::HTTP_11);
        Self { method, version, keeps: false, trailers: false, switch: None }
    }
}

fn rare<'s>(stop: Stop<'s>, pause: Duration) -> Aside<'s, Rare> {
    let stop = stop();
    Aside::new(async move {
        tokio::select! {
            () = stop => Rare::Stop,
            () = sleep(pause) => Rare::Look,
        }
    })
}

fn look_after<'s>(pause: Duration) -> Aside<'s, Rare> {
    Aside::new(async move {
        sleep(pause).await;
        Rare::Look
    })
}

/// Whether the client waits for a word before it sends the body (RFC 9110 §10.1.1).
fn expects(version: Version, fields: &HeaderMap) -> bool {
    let expects = fields
        .get(EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    expects && version == Version::HTTP_11
}

/// Whether the client has said that it reads trailers (RFC 9110 §10.1.4).
fn reads_trailers(fields: &HeaderMap) -> bool {
    let codings = fields.get_all(TE).iter();
    let mut codings = codings.flat_map(|field| field.as_bytes().split(|byte| *byte == b','));
    codings.any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

/// Tells whoever asks with HEAD how long the body would be (RFC 9110 §9.3.2).
fn tell_length<B: Body>(fields: &mut HeaderMap, asked: &Asked, body: &B) {
    let length = body.size_hint().exact().filter(|length| *length > 0);
    if let (&Method::HEAD, Some(length), false) =
        (&asked.method, length, fields.contains_key(CONTENT_LENGTH))
    {
        fields.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// How an answer's body goes.
fn going<B: Body>(fields: &HeaderMap, status: StatusCode, asked: &Asked, body: &B) -> Going {
    let bodiless = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
    if bodiless || status.is_informational() {
        return Going::Nothing;
    }
    let exact = body.size_hint().exact();
    let told = fields.get(CONTENT_LENGTH).and_then(length);
    if asked.method == Method::HEAD {
        return Going::Nothing;
    }
    match exact.or(told) {
        Some(length) => Going::Length(length),
        None if asked.version == Version::HTTP_11 => Going::Chunked,
        None => Going::ToEnd,
    }
}

#[cfg(test)]
mod tests;
