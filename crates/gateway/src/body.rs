//! Bodies as they pass: streamed, counted, watched; gathered only to be inspected, and put back.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::headers::clean_trailers;
use crate::observe::Observation;
use crate::pace::Pace;
use crate::streams::{Cut, Watch};
use crate::upstream::received::Received;
use wire::Incoming;

/// Why a body ends before its end. The connection is closed with it (HTTP/1.1) or the stream
/// reset (HTTP/2), so that nobody takes the part for the whole.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The token behind the stream has expired.
    #[error("the token of this stream has expired")]
    Expired,
    /// The token or the network behind the stream was taken back.
    #[error("the token of this stream was taken back")]
    Restricted,
    /// The body of the request comes too slowly.
    #[error("the request's body comes too slowly")]
    Slow,
    /// The body of the request is longer than it may be.
    #[error("the request's body is longer than it may be")]
    TooLarge,
    /// The other side broke off.
    #[error("the stream broke off: {0}")]
    Transport(#[source] Box<dyn Error + Send + Sync>),
}

/// The body of an answer. When it is dropped, the request's event is emitted.
pub struct ResponseBody<B = Received> {
    kind: Kind<B>,
    seen: Option<Box<Observation>>,
}

enum Kind<B> {
    Ready(Option<Bytes>),
    Stream { body: B, watch: Watch },
}

/// The body of a request on its way to the API. It ends early for the reasons of [`StreamError`].
pub struct RequestBody<B = Incoming>(Option<Box<Uploading<B>>>);

struct Uploading<B> {
    /// How many bytes may come.
    most: u64,
    pace: Option<Pace>,
    /// What was read already and comes first.
    first: Option<Bytes>,
    /// The rest; gone when its end was read.
    body: Option<B>,
    watch: Watch,
    upload: Arc<Upload>,
}

/// What became of a request's body, seen from outside of it.
#[derive(Default)]
pub(crate) struct Upload {
    pub(crate) bytes: AtomicU64,
    ended: AtomicBool,
    answered: AtomicBool,
    fault: AtomicU8,
}

/// Why a request's body broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UploadFault {
    /// The client sent no such body as it promised, or went away.
    Client,
    /// The watch ended it.
    Cut(Cut),
    /// The client took too long.
    Slow,
    /// It is longer than it may be.
    TooLarge,
}

const CLIENT: u8 = 1;
const EXPIRED: u8 = 2;
const RESTRICTED: u8 = 3;
const SLOW: u8 = 4;
const TOO_LARGE: u8 = 5;

// === impl ResponseBody ===

impl<B> ResponseBody<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    /// Bytes that are there already.
    pub(crate) fn ready(bytes: Bytes, seen: Box<Observation>) -> Self {
        let bytes = (!bytes.is_empty()).then_some(bytes);
        Self { kind: Kind::Ready(bytes), seen: Some(seen) }
    }

    /// A text, of which nothing is to be observed.
    pub(crate) fn unobserved(text: String) -> Self {
        Self { kind: Kind::Ready(Some(text.into())), seen: None }
    }

    /// Nothing, and nothing to observe: the observation is elsewhere.
    pub(crate) fn empty() -> Self {
        Self { kind: Kind::Ready(None), seen: None }
    }

    /// What the upstream sends.
    pub(crate) fn stream(body: B, watch: Watch, seen: Box<Observation>) -> Self {
        if body.is_end_stream() {
            return Self { kind: Kind::Ready(None), seen: Some(seen) };
        }
        Self { kind: Kind::Stream { body, watch }, seen: Some(seen) }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        let (body, watch) = match &mut self.kind {
            Kind::Ready(bytes) => return Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Kind::Stream { body, watch } => (body, watch),
        };
        match Pin::new(&mut *body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => match watch.check_unless(body.is_end_stream()) {
                Some(cut) => Poll::Ready(Some(Err(cut.into()))),
                None => Poll::Ready(Some(Ok(clean_trailers(frame)))),
            },
            Poll::Ready(Some(Err(error))) => {
                Poll::Ready(Some(Err(StreamError::Transport(error.into()))))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => watch.poll_cut(cx).map(|cut| Some(Err(cut.into()))),
        }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        let polled = self.poll(cx);
        if let Poll::Ready(Some(result)) = &polled {
            match result {
                Ok(frame) => {
                    let bytes = frame.data_ref().map_or(0, Bytes::len);
                    if let Some(seen) = &mut self.seen {
                        seen.sent(bytes);
                    }
                }
                // Whoever polls once more gets the end, and the upstream is let go at once.
                Err(_) => self.kind = Kind::Ready(None),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Ready(bytes) => bytes.is_none(),
            Kind::Stream { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Ready(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Kind::Stream { body, .. } => body.size_hint(),
        }
    }
}

// === impl RequestBody ===

impl<B> RequestBody<B> {
    /// No body.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// What the client sends, of which so many bytes may come and not slower than `pace`; its progress is told in
    /// `upload`.
    pub(crate) fn stream(
        body: B,
        watch: Watch,
        upload: Arc<Upload>,
        most: Option<u64>,
        pace: Option<Pace>,
    ) -> Self {
        let most = most.unwrap_or(u64::MAX);
        Self(Some(Box::new(Uploading { most, pace, first: None, body: Some(body), watch, upload })))
    }

    /// Puts back what was read, to be sent before the rest.
    pub(crate) fn put_back(&mut self, first: Bytes) {
        if let Some(uploading) = &mut self.0 {
            uploading.first = Some(first).filter(|first| !first.is_empty());
        }
    }
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        match &mut self.0 {
            Some(uploading) => uploading.poll(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|uploading| uploading.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Some(uploading) => uploading.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

// === impl Uploading ===

impl<B> Uploading<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint);
        let first = self.first.as_ref().map_or(0, |first| first.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(first));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(first));
        }
        hint
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        loop {
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            return match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let ended = body.is_end_stream();
                    if let Some(cut) = self.watch.check_unless(ended) {
                        return Poll::Ready(Some(Err(self.upload.cut(cut))));
                    }
                    if ended {
                        self.upload.ended.store(true, Ordering::Release);
                    }
                    let Some(data) = frame.data_ref() else {
                        // Trailers could bring fields that are removed from the head.
                        continue;
                    };
                    let length = data.len() as u64;
                    let before = self.upload.bytes.fetch_add(length, Ordering::Relaxed);
                    if before.saturating_add(length) > self.most {
                        return Poll::Ready(Some(Err(self
                            .upload
                            .fail(TOO_LARGE, StreamError::TooLarge))));
                    }
                    if let Some(pace) = &mut self.pace {
                        pace.came(length);
                    }
                    Poll::Ready(Some(Ok(frame)))
                }
                Poll::Ready(Some(Err(error))) => {
                    self.upload.fault.store(CLIENT, Ordering::Release);
                    Poll::Ready(Some(Err(StreamError::Transport(error.into()))))
                }
                Poll::Ready(None) => {
                    self.upload.ended.store(true, Ordering::Release);
                    self.body = None;
                    Poll::Ready(None)
                }
                Poll::Pending => match self.watch.poll_cut(cx) {
                    Poll::Ready(cut) => Poll::Ready(Some(Err(self.upload.cut(cut)))),
                    Poll::Pending => self.poll_slow(cx),
                },
            };
        }
    }

    /// Whether the client has been waited for in vain. Once there is an answer, both sides may take their time.
    fn poll_slow(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        let Some(pace) = self.pace.as_mut().filter(|_| !self.upload.is_answered()) else {
            return Poll::Pending;
        };
        pace.poll(cx).map(|()| Some(Err(self.upload.fail(SLOW, StreamError::Slow))))
    }
}

// === impl Upload ===

impl Upload {
    /// Whether the whole body has gone upstream.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Why it broke off, if it did.
    pub(crate) fn fault(&self) -> Option<UploadFault> {
        match self.fault.load(Ordering::Acquire) {
            CLIENT => Some(UploadFault::Client),
            EXPIRED => Some(UploadFault::Cut(Cut::Expired)),
            RESTRICTED => Some(UploadFault::Cut(Cut::Restricted)),
            SLOW => Some(UploadFault::Slow),
            TOO_LARGE => Some(UploadFault::TooLarge),
            _ => None,
        }
    }

    /// The upstream has begun its answer.
    pub(crate) fn answered(&self) {
        self.answered.store(true, Ordering::Release);
    }

    fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Acquire)
    }

    fn fail(&self, code: u8, error: StreamError) -> StreamError {
        self.fault.store(code, Ordering::Release);
        error
    }

    fn cut(&self, cut: Cut) -> StreamError {
        let fault = match cut {
            Cut::Expired => EXPIRED,
            Cut::Restricted => RESTRICTED,
        };
        self.fault.store(fault, Ordering::Release);
        cut.into()
    }
}

// === impl StreamError ===

impl From<Cut> for StreamError {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::Expired => Self::Expired,
            Cut::Restricted => Self::Restricted,
        }
    }
}
