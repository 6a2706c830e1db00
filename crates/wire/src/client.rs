//! A connection to a server, with one request at a time.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, Response, StatusCode, request};
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::BoxError;
use crate::chunked::Piece;
use crate::encode;
use crate::error::{BadBody, Error};
use crate::framing::{Decoder, Going, keeps, length};
use crate::head::{self, Lines, Scan};
use crate::interim::OnInterim;
use crate::io::{Io, give_back, paper};
use crate::sending::{Next, Sending};
use crate::upgraded::Upgraded;

/// An open connection. Its answers are read by who has it.
pub struct Connection<S> {
    io: Io<S>,
    /// The answer's body.
    decoder: Decoder,
    /// Whether there may be a request after this one.
    keeps: bool,
}

/// The head of an answer.
pub struct Answered<B> {
    /// What the server says.
    pub head: Response<()>,
    /// The rest of the request's body, if the answer came before its end: to be sent while the answer is read.
    pub upload: Option<Upload<B>>,
}

/// Why there is no answer.
pub enum Failed<B> {
    /// The connection had ended before: nothing was written.
    Unsent(Request<B>),
    /// It broke, or what came is no answer.
    Broken(Error),
}

/// A request's body under way.
pub struct Upload<B>(Sending<B>);

// === impl Connection ===

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Over a stream that nothing was written to.
    pub fn new(stream: S) -> Self {
        Self { io: Io::new(stream), decoder: Decoder::OVER, keeps: true }
    }

    /// Whether another request can be sent: the answer was read to its end, and the server has neither closed the
    /// connection nor said anything that nobody asked for.
    pub fn is_reusable(&mut self, cx: &mut Context<'_>) -> bool {
        self.keeps
            && self.decoder.is_over()
            && self.io.unread.is_empty()
            && self.io.poll_fill(cx).is_pending()
    }

    /// Sends a request and reads the head of its answer; `on_interim` hears of those that come before it.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn send<B>(
        &mut self,
        request: Request<B>,
        on_interim: OnInterim<'_>,
    ) -> Result<Answered<B>, Failed<B>>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
    {
        let mut request = Some(request);
        let mut method = Method::GET;
        let mut upload = None;
        let mut scan = Scan::default();
        let mut unwritten = None;
        let head = poll_fn(|cx| {
            if let Some(request) = request.take() {
                if !self.is_reusable(cx) {
                    return Poll::Ready(Err(Failed::Unsent(request)));
                }
                let (head, body) = request.into_parts();
                let going = going(&head, &body);
                let mut out = paper();
                encode::request(&mut out, &head, going);
                let mut body = Upload(Sending::new(body, going, false));
                method = head.method;
                let begun = body.poll_with(out, &mut self.io, cx);
                upload = Some(body);
                note(begun, &mut upload, &mut unwritten).map_err(Failed::Broken)?;
            } else if let Some(body) = &mut upload {
                let goes_on = body.poll(&mut self.io, cx);
                note(goes_on, &mut upload, &mut unwritten).map_err(Failed::Broken)?;
            }
            self.poll_head(&mut scan, &method, on_interim, cx).map_err(|error| {
                // A server that does not read may have said why; if not, this is why.
                Failed::Broken(unwritten.take().map_or(error, Error::Io))
            })
        });
        let head = head.await?;
        self.keeps &= unwritten.is_none();
        Ok(Answered { head, upload })
    }

    /// The head of the answer, after those that only say that it will come (RFC 9110 §15.2).
    fn poll_head(
        &mut self,
        scan: &mut Scan,
        method: &Method,
        on_interim: OnInterim<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<()>, Error>> {
        loop {
            let Some(length) = scan.end(&self.io.unread, Lines::Lenient)? else {
                if ready!(self.io.poll_fill(cx))? == 0 {
                    return Poll::Ready(Err(Error::Closed));
                }
                continue;
            };
            *scan = Scan::default();
            let head = head::response(&head::take(&mut self.io.unread, length))?;
            let status = head.status();
            if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
                // Whether a body is to be sent is between the two sides of this connection.
                if let Some(hear) = on_interim.filter(|_| status != StatusCode::CONTINUE) {
                    hear(head, cx);
                }
                continue;
            }
            let (version, fields) = (head.version(), head.headers());
            self.decoder = Decoder::of_response(method, status, version, fields)?;
            self.keeps = keeps(version, fields)
                && self.decoder != Decoder::ToEnd
                && status != StatusCode::SWITCHING_PROTOCOLS
                && !(fields.contains_key(TRANSFER_ENCODING) && fields.contains_key(CONTENT_LENGTH));
            return Poll::Ready(Ok(head));
        }
    }

    /// The next part of the answer's body.
    ///
    /// # Errors
    /// [`Error`]: the connection is of no use any more.
    pub fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = self.decoder.poll_piece(&mut self.io, cx);
        self.keeps &= !matches!(polled, Poll::Ready(Err(_)));
        polled.map(|piece| match piece {
            Ok(Piece::Data(data)) => Some(Ok(Frame::data(data))),
            Ok(Piece::Over(trailers)) => trailers.map(|fields| Ok(Frame::trailers(fields))),
            Ok(Piece::Unread) => None,
            Err(error) => Some(Err(error)),
        })
    }

    /// Whether all of the answer was read.
    pub fn is_over(&self) -> bool {
        self.decoder.is_over()
    }

    /// All of the answer's body, if it came together with the head.
    ///
    /// # Errors
    /// [`BadBody`].
    pub fn whole(&mut self) -> Result<Option<Bytes>, BadBody> {
        match &mut self.decoder {
            Decoder::Length(left) if *left <= self.io.unread.len() as u64 && *left > 0 => {
                match self.decoder.piece(&mut self.io.unread)? {
                    Piece::Data(data) => Ok(Some(data)),
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// What is known of the length of what is left of the answer.
    pub fn size_hint(&self) -> SizeHint {
        self.decoder.size_hint()
    }

    /// Sends on the rest of a request's body.
    ///
    /// # Errors
    /// [`Error`]: the connection is of no use any more.
    pub fn poll_upload<B>(
        &mut self,
        upload: &mut Upload<B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
    {
        let polled = upload.poll(&mut self.io, cx);
        self.keeps &= !matches!(polled, Poll::Ready(Err(_)));
        polled
    }

    /// The connection after an answer of 101.
    pub fn into_upgraded(self) -> Upgraded
    where
        S: Send + 'static,
    {
        Upgraded::new(self.io)
    }
}

/// Notes how far sending has come. That nothing can be written is no end: the answer may be there.
fn note<B>(
    sent: Poll<Result<(), Error>>,
    upload: &mut Option<Upload<B>>,
    unwritten: &mut Option<io::Error>,
) -> Result<(), Error> {
    match sent {
        Poll::Pending => return Ok(()),
        Poll::Ready(Ok(())) => {}
        Poll::Ready(Err(Error::Io(error))) => *unwritten = Some(error),
        Poll::Ready(Err(error)) => return Err(error),
    }
    *upload = None;
    Ok(())
}

/// How a request's body goes, as its fields say.
fn going<B: Body>(head: &request::Parts, body: &B) -> Going {
    let fields: &HeaderMap = &head.headers;
    let told = fields.get(CONTENT_LENGTH).and_then(length);
    match (told, body.size_hint().exact()) {
        _ if body.is_end_stream() && told.unwrap_or_default() == 0 => Going::Nothing,
        (Some(length), _) => Going::Length(length),
        (None, Some(exact)) if !fields.contains_key(TRANSFER_ENCODING) => Going::Length(exact),
        _ => Going::Chunked,
    }
}

// === impl Upload ===

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin> Upload<B> {
    /// Whether all of it is written.
    fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut Io<S>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.poll_with(paper(), io, cx)
    }

    /// The same, after what is on this paper.
    fn poll_with<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        mut out: Vec<u8>,
        io: &mut Io<S>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        let polled = self.poll_written(&mut out, io, cx);
        give_back(out);
        polled
    }

    fn poll_written<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        out: &mut Vec<u8>,
        io: &mut Io<S>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        loop {
            ready!(io.poll_sent(cx))?;
            let (long, next) = self.0.gather(out, cx);
            let (data, after) = long.unwrap_or_default();
            io.send(cx, [out, &data, after])?;
            out.clear();
            let sent = io.poll_sent(cx)?;
            match next {
                Next::More => {}
                Next::Later => return Poll::Pending,
                Next::Over => return sent.map(Ok),
                Next::Broken(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
