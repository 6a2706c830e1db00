//! A request and its answer: at the chosen server, and where that is safe at another one.

use http::header::{CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, Response};
use http_body::Body as _;
use wire::OnInterim;

use crate::body::{RequestBody, Upload};
use crate::upstream::Upstream;
use crate::upstream::balance::Members;
use crate::upstream::connect::ClientError;
use crate::upstream::lent::{Home, Lent};
use crate::upstream::pool::UpstreamClient;
use crate::upstream::received::Received;
use crate::upstream::server::{Place, Server};

/// What stays the same whichever server is tried.
pub(crate) struct Exchange<'e> {
    pub(crate) client: &'e UpstreamClient,
    pub(crate) upstream: &'e Upstream,
    /// What was authorised.
    pub(crate) target: &'e PathAndQuery,
    /// The progress of the body, where there is one.
    pub(crate) upload: Option<&'e Upload>,
    /// Whose request it is, for the balance.
    pub(crate) key: u64,
    /// Hears what the server says before its answer.
    pub(crate) on_interim: OnInterim<'e>,
}

/// Why there is no answer.
pub(crate) enum NoAnswer {
    /// No connection, or it broke.
    Error(ClientError),
    /// Not in time.
    Timeout,
}

type Answer = Result<Response<Received>, NoAnswer>;

// === impl Exchange ===

impl Exchange<'_> {
    /// Sends the request, which is made out to the server of `place`, and waits for the head of the
    /// answer. Returns also the place where that came from.
    pub(crate) async fn run(
        &self,
        place: Place,
        mut request: Request<RequestBody>,
    ) -> (Place, Answer) {
        let upstream = self.upstream;
        if upstream.is_http2() {
            without_connection(request.headers_mut());
        }
        upstream.budget.save();
        let left = upstream.retries();
        if left > 0 {
            // Boxed, so that upstreams of one server do not pay for it.
            return Box::pin(self.run_up_to(left, place, request)).await;
        }
        let answer = self.once(place.server(), request.map(|body| Lent::new(body, None))).await;
        self.judge(&place, &answer);
        (place, answer)
    }

    /// The same, with so many other servers after a failure.
    async fn run_up_to(
        &self,
        most: u32,
        mut place: Place,
        request: Request<RequestBody>,
    ) -> (Place, Answer) {
        let upstream = self.upstream;
        let (mut head, mut body) = request.into_parts();
        let mut tried = Members::default();
        let mut left = most;
        loop {
            // A copy costs: only where it can be of use.
            let spare = (left > 0).then(|| head.clone());
            let home = (left > 0 && !body.is_end_stream()).then(Home::default);
            let sent = Request::from_parts(head, Lent::new(body, home.clone()));
            let answer = self.once(place.server(), sent).await;
            let failed = self.judge(&place, &answer);
            let Some(next) = spare.filter(|head| failed && is_safe(&head.method, &answer)) else {
                return (place, answer);
            };
            tried = tried.with(place.server().number());
            let whole = match home {
                Some(home) => home.take(),
                None => Some(RequestBody::none()),
            };
            let Some(whole) = whole else { return (place, answer) };
            let Some(other) = upstream.another(self.key, tried) else { return (place, answer) };
            (head, body, place) = (next, whole, other);
            left -= 1;
            if !self.make_out(&mut head, place.server()) {
                return (place, answer);
            }
        }
    }

    /// The time counts from the end of the request: a slow upload is no slow upstream.
    async fn once(&self, server: &Server, request: Request<Lent>) -> Answer {
        let mut answer = self.client.request(server, request, self.on_interim);
        loop {
            match tokio::time::timeout(self.upstream.timeout(), &mut answer).await {
                Ok(result) => return result.map_err(NoAnswer::Error),
                Err(_) if self.upload.is_some_and(|upload| !upload.has_ended()) => {}
                Err(_) => return Err(NoAnswer::Timeout),
            }
        }
    }

    /// Notes how it went at the server; returns whether that failed.
    fn judge(&self, place: &Place, answer: &Answer) -> bool {
        let failed = match answer {
            Ok(response) => matches!(response.status().as_u16(), 502..=504),
            // The client broke off, or its token has ended.
            Err(_) if self.upload.is_some_and(|upload| upload.fault().is_some()) => return false,
            Err(_) => true,
        };
        self.upstream.judge(place, failed);
        failed
    }

    /// Makes a request out to a server; `false` never happens for a normal path.
    fn make_out(&self, head: &mut Parts, server: &Server) -> bool {
        let Some(uri) = server.address.uri(self.target) else { return false };
        head.uri = uri;
        if !self.upstream.is_http2() {
            head.headers.insert(HOST, server.address.host().clone());
        }
        true
    }
}

/// Takes out what HTTP/2 has no words for (RFC 9113 §8.2.2), or other ones: the host is in the target.
fn without_connection(headers: &mut HeaderMap) {
    for name in [CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
}

/// Whether a request that failed may be sent again: nothing happens twice where there was no
/// connection, or where the method means the same twice (RFC 9110 §9.2.2).
fn is_safe(method: &Method, answer: &Answer) -> bool {
    method.is_idempotent() || matches!(answer, Err(NoAnswer::Error(error)) if error.is_connect())
}
