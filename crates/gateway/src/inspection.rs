//! The step after admit: whether head or body carry an injection, where the route wants to know.
//!
//! A body that is inspected is read to its end first, up to a limit, and then sent on as it came. What
//! cannot be read here (pictures, gRPC, an upgrade) is streamed as ever.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http_body::Body as _;
use hyper::body::Incoming;
use inspect::{Anything, Body as Kind, Inspector, Stop};

use crate::admit::Admitted;
use crate::body::{RequestBody, Upload};
use crate::core::Core;
use crate::framing::Framing;
use crate::observe::Observation;
use crate::pace::Pace;
use crate::refusal::{Fault, Refusal};
use crate::settings::Inspect;
use crate::step::Step;
use crate::streams::{Watch, Whose};
use crate::tunnel;
use crate::worker::Worker;

/// A longer body is judged on a thread of its own, so that others on this one do not wait.
const LONGEST_IN_PLACE: usize = 32 * 1024;

/// A request that was inspected as its route has it, with its body: what is sent on.
pub(crate) struct Inspected {
    pub(crate) admitted: Admitted,
    pub(crate) body: RequestBody,
    pub(crate) upload: Option<Arc<Upload>>,
}

/// What is to be done about a request that is not clean.
#[derive(Clone, Copy)]
struct Rule {
    enforce: bool,
    limit: usize,
}

/// Inspects what was admitted.
///
/// # Errors
/// [`Refusal`] where the route enforces: for an injection, for a body that is too large or cannot be read,
/// and in any case when the body breaks off.
pub(crate) async fn inspect(
    worker: &Worker,
    admitted: Admitted,
    head: &Parts,
    body: Incoming,
    seen: &mut Observation,
) -> Result<Inspected, Refusal> {
    seen.at(Step::Inspect);
    let (mut body, upload) = outgoing_body(worker, &admitted, &head.headers, body);
    if let Some(upload) = &upload {
        seen.upload(upload);
    }
    let enforce = match admitted.rule().inspect {
        Inspect::Off => return Ok(Inspected { admitted, body, upload }),
        Inspect::Observe => false,
        Inspect::Enforce => true,
    };
    let rule = Rule { enforce, limit: worker.core.inspector.limits().body_bytes };
    settle(rule, judge_head(&worker.core.inspector, &admitted, head), &admitted, seen)?;
    if let Some(upload) = &upload
        && !tunnel::wanted(head, admitted.framing())
        && is_read(rule, &admitted, &head.headers)?
    {
        let whole = read(&mut body, rule.limit).await;
        let whole = whole.map_err(|()| broken(upload, &admitted))?;
        let result = match whole {
            Read::Whole(bytes) => judge_body(worker, &head.headers, bytes).await?,
            Read::TooLong => Err(Fault::InspectionExcess(inspect::Excess::Bytes)),
        };
        settle(rule, result, &admitted, seen)?;
    }
    Ok(Inspected { admitted, body, upload })
}

/// The same of a request that somebody else sends on, of which only the head is known here.
///
/// # Errors
/// [`Refusal`] where the route enforces, for an injection.
pub(crate) fn inspect_head(
    core: &Core,
    admitted: &Admitted,
    head: &Parts,
    seen: &mut Observation,
) -> Result<(), Refusal> {
    let enforce = match admitted.rule().inspect {
        Inspect::Off => return Ok(()),
        Inspect::Observe => false,
        Inspect::Enforce => true,
    };
    let rule = Rule { enforce, limit: 0 };
    settle(rule, judge_head(&core.inspector, admitted, head), admitted, seen)
}

/// A finding ends the request or is noted, as the route has it.
fn settle(
    rule: Rule,
    result: Result<(), Fault>,
    admitted: &Admitted,
    seen: &mut Observation,
) -> Result<(), Refusal> {
    let Err(fault) = result else { return Ok(()) };
    if rule.enforce {
        return Err(refusal(fault, admitted));
    }
    seen.noticed(&fault);
    Ok(())
}

fn refusal(fault: Fault, admitted: &Admitted) -> Refusal {
    match admitted.known() {
        Some(known) => Refusal::of_verified(fault, Arc::clone(known)),
        None => fault.into(),
    }
}

fn judge_head(inspector: &Inspector, admitted: &Admitted, head: &Parts) -> Result<(), Fault> {
    let target = admitted.target();
    inspector.path(target.path(), &Anything)?;
    if let Some(query) = target.path_and_query().query() {
        inspector.query(query, &Anything)?;
    }
    for (name, value) in &head.headers {
        inspector.header(name.as_str(), value.as_bytes(), &Anything)?;
    }
    Ok(())
}

/// Whether the body is one that is read. One that is too long or compressed is refused before it is,
/// or goes on unread.
fn is_read(rule: Rule, admitted: &Admitted, headers: &HeaderMap) -> Result<bool, Refusal> {
    if Kind::of(content_type(headers)) == Kind::Opaque {
        return Ok(false);
    }
    let plain = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    let fault = if !headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        Fault::ContentEncoding
    } else {
        let promised = match admitted.framing() {
            Framing::Length(length) => length,
            Framing::Chunked | Framing::None => 0,
        };
        if promised <= rule.limit as u64 {
            return Ok(true);
        }
        Fault::InspectionExcess(inspect::Excess::Bytes)
    };
    if rule.enforce { Err(refusal(fault, admitted)) } else { Ok(false) }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok())
}

async fn judge_body(
    worker: &Worker,
    headers: &HeaderMap,
    bytes: Bytes,
) -> Result<Result<(), Fault>, Refusal> {
    let kind = content_type(headers);
    if bytes.len() <= LONGEST_IN_PLACE {
        return Ok(worker.core.inspector.body(kind, &bytes, &Anything).map_err(Fault::from));
    }
    let (core, kind) = (Arc::clone(&worker.core), kind.map(str::to_owned));
    let judged = tokio::task::spawn_blocking(move || {
        core.inspector.body(kind.as_deref(), &bytes, &Anything).map_err(Fault::from)
    });
    judged.await.map_err(|_| Fault::Unavailable.into())
}

/// What became of reading a body.
enum Read {
    /// It is here, and `RequestBody` has it again.
    Whole(Bytes),
    /// It is longer than the limit; what was read is given back.
    TooLong,
}

/// Reads a body to its end and puts it back, or as much of it as the limit allows.
async fn read(body: &mut RequestBody, limit: usize) -> Result<Read, ()> {
    let mut whole = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        let frame = frame.map_err(|_| ())?;
        let Some(data) = frame.data_ref() else { continue };
        whole.extend_from_slice(data);
        if whole.len() > limit {
            body.put_back(whole.freeze());
            return Ok(Read::TooLong);
        }
    }
    let whole = whole.freeze();
    body.put_back(whole.clone());
    Ok(Read::Whole(whole))
}

fn broken(upload: &Upload, admitted: &Admitted) -> Refusal {
    let fault = upload.fault().map_or(Fault::RequestBody, Fault::from);
    match admitted.known() {
        None if fault.is_restriction() => Fault::Network.into(),
        _ => refusal(fault, admitted),
    }
}

fn outgoing_body(
    worker: &Worker,
    admitted: &Admitted,
    headers: &HeaderMap,
    body: Incoming,
) -> (RequestBody, Option<Arc<Upload>>) {
    match admitted.framing() {
        Framing::None => (RequestBody::none(), None),
        Framing::Length(_) | Framing::Chunked => {
            let upload = Arc::new(Upload::default());
            let whose = Whose { known: admitted.known().cloned(), ip: admitted.ip() };
            let watch = Watch::new(&worker.streams, whose, admitted.seen());
            // A stream of gRPC may rest for as long as it likes.
            let resting =
                content_type(headers).is_some_and(|kind| kind.starts_with("application/grpc"));
            let pace = (!resting).then(|| Pace::new(worker.core.request_limits.body_wait));
            let most = admitted.rule().body_bytes;
            (RequestBody::stream(body, watch, Arc::clone(&upload), most, pace), Some(upload))
        }
    }
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Excess(excess) => Self::InspectionExcess(excess),
            Stop::Found(finding) => Self::Injection(finding),
        }
    }
}
