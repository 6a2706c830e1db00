//! One thread's part of a gateway: a request in, an answer out, never an error.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use token::client_address::Origin;
use token::reference::Unavailable;
use token::term::AddressField;
use token::time::Timestamp;
use wire::{BadHead, Incoming};

use crate::answers::Reader;
use crate::ask::settle;
use crate::bait;
use crate::body::ResponseBody;
use crate::browser_app::App;
use crate::check::{Asked, Onward, Verdict};
use crate::core::Core;
use crate::forward::{forward, refused};
use crate::framing::BadFraming;
use crate::headers::{told_https, values};
use crate::inspection::inspect;
use crate::meters::Outcome;
use crate::observe::{Arrival, Observation};
use crate::problem::malformed;
use crate::refusal::{Fault, Refusal};
use crate::request_id::RequestId;
use crate::resource::publish;
use crate::step::{Door, Step};
use crate::streams::Streams;
use crate::target::Target;
use crate::upstream::Upstream;
use crate::upstream::pool::{Pool, UpstreamClient};

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Whether the connection is TLS.
    pub tls: bool,
}

/// A gateway for one thread: it has upstream connections and open streams of its own. Requests
/// are to be handled on one runtime.
#[derive(Clone)]
pub struct Worker {
    pub(crate) core: Arc<Core>,
    /// The connections of the upstreams, by their numbers, and how they are made.
    clients: Arc<[(Arc<Pool>, UpstreamClient)]>,
    pub(crate) streams: Arc<Streams>,
}

// === impl Worker ===

impl Worker {
    pub(crate) fn new(
        core: Arc<Core>,
        clients: Arc<[(Arc<Pool>, UpstreamClient)]>,
        streams: Arc<Streams>,
    ) -> Self {
        Self { core, clients, streams }
    }

    /// The pool of an upstream: a gateway makes one for each.
    pub(crate) fn client(&self, upstream: &Upstream) -> &UpstreamClient {
        &self.clients[upstream.number()].1
    }

    /// The connections that are made so.
    pub(crate) fn client_of(&self, pool: &Arc<Pool>) -> Option<&UpstreamClient> {
        let made = |(made, _): &&(Arc<Pool>, UpstreamClient)| Arc::ptr_eq(made, pool);
        self.clients.iter().find(made).map(|(_, client)| client)
    }

    /// Looks how long requests wait for their turn on this thread. To be polled on its runtime for as long as
    /// it serves; ends at once where nobody is to be refused for it.
    pub fn watch_queue(&self) -> impl Future<Output = ()> + Send + 'static {
        let shedder = Arc::clone(&self.core.shedder);
        async move { shedder.watch().await }
    }

    /// Checks a request, forwards it if it is admitted, and answers it in any case. The request's
    /// event is emitted when the answer's body is dropped.
    pub async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: Peer,
    ) -> Response<ResponseBody> {
        let core = &self.core;
        let (head, mut body) = request.into_parts();
        let interim = body.take_interim();
        let (mut seen, Origin { ip, https }, now) = self.arrived(&head, peer);
        let id = seen.id().clone();
        let https = https.unwrap_or_else(|| self.is_https(&head, peer));
        let reader = Reader::new(core, &head, https);
        let mut head = head;
        let mut response = match self.decide(&mut head, &body, ip, now, &mut seen).await {
            Ok(Verdict::Forward(admitted)) => {
                match inspect(core, &self.streams, admitted, &head, body, &mut seen).await {
                    Ok(inspected) => forward(&self, inspected, head, https, interim, seen).await,
                    Err(refusal) => refused(core, &refusal, seen),
                }
            }
            Ok(Verdict::Describe(document)) => self.describe(&head.method, document, seen),
            Ok(Verdict::Leave) => {
                seen.answered(StatusCode::NO_CONTENT, Outcome::Answered);
                reader.leave(ResponseBody::ready(Bytes::new(), seen))
            }
            Ok(Verdict::Resolve(..)) => refused(core, &Fault::NoSession.into(), seen),
            Ok(Verdict::Serve(app, target)) => Box::pin(serve(&app, &target, head, ip, seen)).await,
            Err(refusal) => {
                let refusal = Box::pin(bait::refused(core, refusal, &head.headers, &mut body));
                refused(core, &refusal.await, seen)
            }
        };
        core.answers.finish(&mut response, reader, &id);
        response
    }

    /// Begins to observe a request; where it comes from, and when.
    fn arrived(&self, head: &Parts, peer: Peer) -> (Box<Observation>, Origin, Timestamp) {
        let core = &self.core;
        let now = core.clock.now();
        let proxies = &core.trusted_proxies;
        let told = values(&head.headers, proxies.field().as_str());
        let origin = proxies.origin(peer.address.ip(), told);
        let named = proxies.contain(peer.address.ip());
        // A proxy's connection has the proxy's.
        let ja4 = head.extensions.get().filter(|_| !named).cloned();
        let arrival = Arrival { door: Door::Gateway, ip: Some(origin.ip), ja4, at: now, named };
        (Observation::start(core, head, arrival), origin, now)
    }

    /// Answers what is no request that is taken: what is wrong, and the head if it can be read.
    pub fn refuse(
        &self,
        bad: BadHead,
        head: Option<Request<()>>,
        peer: Peer,
    ) -> Response<ResponseBody> {
        let core = &self.core;
        let Some((head, framing)) = head.zip(BadFraming::of(bad)) else {
            let id = RequestId::new(core.clock.now());
            let mut response = malformed(bad, &id).map(ResponseBody::unobserved);
            core.answers.write_name(response.headers_mut(), &id);
            return response;
        };
        let (head, ()) = head.into_parts();
        let (mut seen, origin, _) = self.arrived(&head, peer);
        let id = seen.id().clone();
        let https = origin.https.unwrap_or_else(|| self.is_https(&head, peer));
        let reader = Reader::new(core, &head, https);
        seen.at(Step::Framing);
        let mut response = refused(core, &framing.into(), seen);
        core.answers.finish(&mut response, reader, &id);
        response
    }

    /// Decides once, and where a cookie is the credential again with the token that is kept for it.
    async fn decide(
        &self,
        head: &mut Parts,
        body: &Incoming,
        ip: IpAddr,
        now: Timestamp,
        seen: &mut Observation,
    ) -> Result<Verdict, Refusal> {
        let core = &self.core;
        let (ended, exact) = (body.is_end_stream(), body.size_hint().exact());
        let onward = Onward::Here { ended, exact, session: None };
        let verdict = settle(core, Asked { head, ip, now, onward, heard: None }, seen).await?;
        let Verdict::Resolve(app, cookie) = verdict else { return Ok(verdict) };
        let kept = Box::pin(app.server().access_token(cookie.expose())).await;
        let kept = kept.map_err(|Unavailable| Fault::Unavailable)?.ok_or(Fault::NoSession)?;
        // The token may have been made just now.
        let now = core.clock.now();
        let onward = Onward::Here { ended, exact, session: Some(&kept) };
        let asked = Asked { head, ip, now, onward, heard: None };
        let verdict = Box::pin(settle(core, asked, seen)).await?;
        if core.forward_token
            && let Ok(mut field) = HeaderValue::from_str(&format!("Bearer {}", kept.expose()))
        {
            field.set_sensitive(true);
            head.headers.insert(AUTHORIZATION, field);
        }
        Ok(verdict)
    }

    /// Whether the client came by TLS: to us, or to a trusted proxy that says so.
    fn is_https(&self, head: &Parts, peer: Peer) -> bool {
        let proxies = &self.core.trusted_proxies;
        let trusted =
            proxies.field() == AddressField::XForwardedFor && proxies.contain(peer.address.ip());
        let told = if trusted { told_https(&head.headers) } else { None };
        told.unwrap_or(peer.tls)
    }

    /// Answers with a document of its own: the protected resource metadata (RFC 9728 §3.2), or keys.
    fn describe(
        &self,
        method: &Method,
        document: Bytes,
        mut seen: Box<Observation>,
    ) -> Response<ResponseBody> {
        if method != Method::GET && method != Method::HEAD {
            let allow = HeaderValue::from_static("GET, HEAD");
            return refused(&self.core, &Fault::Method { allow }.into(), seen);
        }
        seen.answered(StatusCode::OK, Outcome::Answered);
        publish(document).map(|document| ResponseBody::ready(document, seen))
    }
}

/// Answers as the server of an application in browsers does.
async fn serve(
    app: &App,
    target: &Target,
    head: Parts,
    ip: IpAddr,
    mut seen: Box<Observation>,
) -> Response<ResponseBody> {
    let mut request = Request::new(());
    *request.method_mut() = head.method;
    *request.uri_mut() = Uri::from(target.path_and_query().clone());
    *request.headers_mut() = head.headers;
    let response = app.server().answer(&request, ip).await;
    seen.answered(response.status(), Outcome::Answered);
    response.map(|text| ResponseBody::ready(Bytes::from(text), seen))
}
