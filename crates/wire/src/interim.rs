//! What comes before an answer (RFC 9110 §15.2), on its way to a client in HTTP/1.1.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::Context;

use http::Response;

use crate::encode;
use crate::io::{give_back, paper};
use crate::server::reading::{Source, lock};

/// Hears of each head that a server sends before its answer, but for 100 and 101.
pub type OnInterim<'h> = Option<&'h (dyn Fn(Response<()>, &mut Context<'_>) + Send + Sync)>;

/// Says to a client what comes before the answer to its request.
pub struct Interim {
    source: Arc<Mutex<dyn Source + Send>>,
    /// The number of the request on its connection.
    number: u64,
}

// === impl Interim ===

impl Interim {
    pub(crate) fn new(source: Arc<Mutex<dyn Source + Send>>, number: u64) -> Self {
        Self { source, number }
    }

    /// Sends such a head, unless the answer has begun. A client that does not read misses it: it can do without,
    /// and nothing is kept for it.
    pub fn send(&self, head: Response<()>, cx: &mut Context<'_>) {
        let (head, ()) = head.into_parts();
        let mut out = paper();
        encode::interim(&mut out, &head);
        lock(&self.source).interim(self.number, &out, cx);
        give_back(out);
    }
}

impl fmt::Debug for Interim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interim").field("number", &self.number).finish_non_exhaustive()
    }
}
