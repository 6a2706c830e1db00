//! A body on its way out: its parts are gathered into as much as is worth a write.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;

use crate::BoxError;
use crate::error::Error;
use crate::framing::Going;
use crate::io::GATHER;

/// A body, and how it goes.
pub(crate) struct Sending<B> {
    body: B,
    going: Going,
    over: bool,
    /// Where the other side reads trailers.
    trailers: Option<HeaderMap>,
}

/// What follows what was gathered: a part too long to be copied, and what comes after it.
pub(crate) type Long = (Bytes, &'static [u8]);

/// What comes next of a body.
#[derive(Debug)]
pub(crate) enum Next {
    /// More, when this is written.
    More,
    /// More, but not now.
    Later,
    /// Nothing: with this it is whole.
    Over,
    /// It will never be whole.
    Broken(Error),
}

// === impl Sending ===

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin> Sending<B> {
    /// Trailers are kept where they are read at the other side (RFC 9110 §6.5.1).
    pub(crate) fn new(body: B, going: Going, trailers: bool) -> Self {
        let trailers = trailers.then(HeaderMap::new);
        Self { body, going, over: going == Going::Nothing, trailers }
    }

    /// Adds what comes of the body; returns what is to be written after it, and what comes then.
    pub(crate) fn gather(
        &mut self,
        out: &mut Vec<u8>,
        cx: &mut Context<'_>,
    ) -> (Option<Long>, Next) {
        while !self.over && out.len() < GATHER {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => match self.going.part(out, data) {
                        Ok(None) => {}
                        Ok(long) => return (long, Next::More),
                        Err(_) => return (None, wrong()),
                    },
                    Err(frame) => {
                        if let Some(trailers) = &mut self.trailers {
                            *trailers = frame.into_trailers().unwrap_or_default();
                        }
                    }
                },
                Poll::Ready(Some(Err(error))) => {
                    return (None, Next::Broken(Error::Unsent(error.into())));
                }
                Poll::Ready(None) => {
                    if self.going.end(out, self.trailers.as_ref()).is_err() {
                        return (None, wrong());
                    }
                    self.over = true;
                }
                Poll::Pending => return (None, Next::Later),
            }
        }
        (None, if self.over { Next::Over } else { Next::More })
    }
}

fn wrong() -> Next {
    Next::Broken(Error::Unsent("its length is not the one that was promised".into()))
}
