//! The step that sends: what was admitted goes upstream, exactly so, and the answer comes back.

use std::error::Error;
use std::sync::Arc;
use std::task::Context;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use http_body::Body as _;
use wire::{Interim, OnUpgrade};

use crate::admit::Admitted;
use crate::body::{RequestBody, ResponseBody, Upload};
use crate::core::Core;
use crate::headers::{Forwarded, ask_upgrade, clean_request, clean_response, describe};
use crate::identity::identify;
use crate::inspection::Inspected;
use crate::limit::Held;
use crate::meters::Outcome;
use crate::observe::Observation;
use crate::problem::{Kind, Problem};
use crate::refusal::{Fault, Refusal};
use crate::step::Step;
use crate::streams::{Watch, Whose};
use crate::tunnel;
use crate::upstream::connect::ClientError;
use crate::upstream::exchange::{Exchange, NoAnswer};
use crate::upstream::received::Received;
use crate::upstream::server::Place;
use crate::worker::Worker;

/// Why there is no answer from the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// No connection, or it broke before an answer.
    Broken,
    /// No connection in time.
    ConnectTimeout,
    /// Another protocol than the one asked for.
    Protocol,
    /// Every server has as many requests as it may.
    Full,
    /// No answer in time.
    Timeout,
}

/// What came of sending the request.
enum Sent {
    Answered(Response<Received>, Place),
    /// With the server and what went wrong there, for operators.
    Failed(Failure, String),
    Refused(Refusal),
}

/// Sends what was admitted and inspected, and passes the answer on; what comes before it goes by `interim`.
pub(crate) async fn forward(
    worker: &Worker,
    inspected: Inspected,
    mut head: Parts,
    https: bool,
    interim: Option<Interim>,
    mut seen: Box<Observation>,
) -> Response<ResponseBody> {
    let Inspected { mut admitted, body, upload } = inspected;
    seen.at(Step::Forward);
    seen.admitted(admitted.known());
    let Held { places, told } = admitted.take_held();
    seen.hold(places);
    let upgrade = tunnel::wanted(&head, admitted.framing());
    let on_client = if upgrade { head.extensions.remove::<OnUpgrade>() } else { None };
    let upstream = &admitted.rule().upstream;
    let key = upstream.key(admitted.known().map(Arc::as_ref), admitted.ip());
    let Some(place) = upstream.enter(key) else { return failed(Failure::Full, None, seen) };
    let server = &place.server().address;
    seen.sent_to(server.host());
    let target = admitted.rule().rewrite.apply(admitted.target().path_and_query());
    let Some(uri) = server.uri(&target) else { return failed(Failure::Broken, None, seen) };
    let upgrading = on_client.is_some();
    let mut request =
        outgoing(&worker.core, &admitted, server.host(), head, body, https, upgrading);
    let (fields, now) = (request.headers_mut(), worker.core.clock.now());
    if let Err(fault) = identify(fields, &worker.core, &admitted, now) {
        return refused(&worker.core, &fault.into(), seen);
    }
    worker.core.answers.write_name(request.headers_mut(), seen.id());
    *request.uri_mut() = uri;
    let pass = interim.map(|interim| {
        let (core, cors) = (&worker.core, admitted.rule().cors.as_ref());
        move |mut head: Response<()>, cx: &mut Context<'_>| {
            clean_response(head.headers_mut());
            core.answers.clean(head.headers_mut(), cors);
            interim.send(head, cx);
        }
    });
    let exchange = Exchange {
        client: worker.client(upstream),
        upstream,
        target: &target,
        upload: upload.as_deref(),
        key,
        on_interim: pass.as_ref().map(|pass| pass as _),
    };
    let response = match send(&exchange, place, request, &admitted).await {
        Sent::Answered(response, place) => {
            if let Some(upload) = &upload {
                upload.answered();
            }
            seen.hold_server(place);
            response
        }
        Sent::Failed(failure, why) => return failed(failure, Some(&why), seen),
        Sent::Refused(refusal) => return refused(&worker.core, &refusal, seen),
    };
    let watch = Watch::new(&worker.streams, whose(&admitted), admitted.seen());
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return match on_client.filter(|_| tunnel::accepted(&response)) {
            Some(on_client) => switched(response, on_client, watch, seen),
            None => failed(Failure::Protocol, None, seen),
        };
    }
    seen.answered(response.status(), Outcome::Forwarded);
    let (mut head, body) = response.into_parts();
    clean_response(&mut head.headers);
    worker.core.answers.clean(&mut head.headers, admitted.rule().cors.as_ref());
    told.write(&mut head.headers);
    state_length(&mut head.headers, &body);
    head.version = Version::HTTP_11;
    Response::from_parts(head, ResponseBody::stream(body, watch, seen))
}

/// The answer of the gateway itself to a request that it refuses.
pub(crate) fn refused(
    core: &Core,
    refusal: &Refusal,
    mut seen: Box<Observation>,
) -> Response<ResponseBody> {
    seen.refused(refusal);
    let response = refusal.answer(&core.resource, seen.id());
    seen.answered(response.status(), Outcome::Answered);
    seen.form().answer(response).map(|text| ResponseBody::ready(Bytes::from(text), seen))
}

/// The request as the upstream gets it, but for its address.
fn outgoing(
    core: &Core,
    admitted: &Admitted,
    host: &HeaderValue,
    head: Parts,
    body: RequestBody,
    https: bool,
    upgrade: bool,
) -> Request<RequestBody> {
    let mut request = Request::new(body);
    *request.method_mut() = head.method;
    let mut headers = head.headers;
    clean_request(&mut headers, head.version, core);
    core.apps.strip(&mut headers);
    let forwarded =
        Forwarded { client: admitted.ip(), host: admitted.target().host(), https, upstream: host };
    describe(&mut headers, &forwarded);
    admitted.framing().write(&mut headers);
    if upgrade {
        ask_upgrade(&mut headers);
    }
    *request.headers_mut() = headers;
    request
}

/// Waits for the head of the answer.
async fn send(
    exchange: &Exchange<'_>,
    place: Place,
    request: Request<RequestBody>,
    admitted: &Admitted,
) -> Sent {
    let (place, answer) = exchange.run(place, request).await;
    let host = || String::from_utf8_lossy(place.server().address.host().as_bytes()).into_owned();
    let error = match answer {
        Ok(response) => return Sent::Answered(response, place),
        Err(NoAnswer::Timeout) => return Sent::Failed(Failure::Timeout, host()),
        Err(NoAnswer::Error(error)) => error,
    };
    let fault = match exchange.upload.and_then(Upload::fault) {
        None => return failure(&error, &host()),
        Some(fault) => Fault::from(fault),
    };
    Sent::Refused(match admitted.known() {
        Some(known) => Refusal::of_verified(fault, Arc::clone(known)),
        None if fault.is_restriction() => Fault::Network.into(),
        None => fault.into(),
    })
}

fn failure(error: &ClientError, server: &str) -> Sent {
    let why = format!("{server}: {}", DisplayChain(error));
    if error.is_connect_timeout() {
        return Sent::Failed(Failure::ConnectTimeout, why);
    }
    tracing::warn!(error = %DisplayChain(error), upstream = server, "an upstream failed");
    Sent::Failed(Failure::Broken, why)
}

/// `why` is for operators alone: a client is told of no server.
fn failed(
    failure: Failure,
    why: Option<&str>,
    mut seen: Box<Observation>,
) -> Response<ResponseBody> {
    let problem = failure.problem();
    let beside = why.map(|why| format!(" ({why})")).unwrap_or_default();
    seen.upstream_failed(&format!("{}{beside}", problem.detail));
    seen.answered(problem.status, Outcome::UpstreamFailed);
    let mut response = problem.answer(seen.id());
    if failure == Failure::Full {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    seen.form().answer(response).map(|text| ResponseBody::ready(Bytes::from(text), seen))
}

/// With `chunked` beside a length, it is `chunked` that counts (RFC 9112 §6.3); the length must
/// not be told on.
fn state_length(headers: &mut HeaderMap, body: &Received) {
    let mut told = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = told.next() else { return };
    let length = body.size_hint().exact();
    let read = || first.to_str().ok()?.parse().ok();
    if body.is_end_stream() || (told.next().is_none() && length.is_some() && length == read()) {
        return;
    }
    match length {
        Some(length) => headers.insert(CONTENT_LENGTH, HeaderValue::from(length)),
        None => headers.remove(CONTENT_LENGTH),
    };
}

fn switched(
    response: Response<Received>,
    on_client: OnUpgrade,
    watch: Watch,
    mut seen: Box<Observation>,
) -> Response<ResponseBody> {
    seen.answered(response.status(), Outcome::Forwarded);
    let (mut head, body) = response.into_parts();
    if let Some(upstream) = body.into_upgraded() {
        tokio::spawn(tunnel::run(on_client, upstream, watch, seen));
    }
    clean_response(&mut head.headers);
    head.headers.remove(CONTENT_LENGTH);
    ask_upgrade(&mut head.headers);
    Response::from_parts(head, ResponseBody::empty())
}

fn whose(admitted: &Admitted) -> Whose {
    Whose { known: admitted.known().cloned(), ip: admitted.ip() }
}

// === impl Failure ===

impl Failure {
    fn problem(self) -> Problem<'static> {
        let (status, error, kind) = match self {
            Self::Broken | Self::Protocol => {
                (StatusCode::BAD_GATEWAY, "bad_gateway", Kind::BadGateway)
            }
            Self::ConnectTimeout | Self::Timeout => {
                (StatusCode::GATEWAY_TIMEOUT, "gateway_timeout", Kind::GatewayTimeout)
            }
            Self::Full => {
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", Kind::Overloaded)
            }
        };
        Problem { status, error, kind, detail: self.words() }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Broken => "the API behind the gateway failed",
            Self::ConnectTimeout | Self::Timeout => {
                "the API behind the gateway did not answer in time"
            }
            Self::Full => {
                "the API behind the gateway has as many requests as it takes; try again shortly"
            }
            Self::Protocol => {
                "the API behind the gateway switched to a protocol that nobody asked for"
            }
        }
    }
}

/// An error with its causes, for operators.
struct DisplayChain<'e>(&'e dyn Error);

impl std::fmt::Display for DisplayChain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
