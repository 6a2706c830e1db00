//! The step after admit: whether a request is as its document has it, and whether it carries an injection, where
//! the route wants to know.
//!
//! A body that is judged is read to its end first, up to a limit, and then sent on as it came. What
//! cannot be read here (pictures, gRPC, an upgrade) is streamed as ever.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use contract::RequestCheck;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body::Body;
use inspect::{Anything, Body as Kind, Expectations, Stop};
use wire::Incoming;

use crate::admit::Admitted;
use crate::bait;
use crate::body::{RequestBody, Upload};
use crate::core::Core;
use crate::form_token;
use crate::framing::Framing;
use crate::headers::{has_one_type, is_encoded};
use crate::observe::Observation;
use crate::pace::Pace;
use crate::present::has_token_parameter;
use crate::refusal::{Fault, Refusal};
use crate::settings::{Described, Inspect};
use crate::step::Step;
use crate::streams::{Streams, Watch, Whose};
use crate::tunnel;

/// A longer body is judged on a thread of its own, so that others on this one do not wait.
const LONGEST_IN_PLACE: usize = 32 * 1024;

/// A request that was inspected as its route has it, with its body: what is sent on.
pub(crate) struct Inspected<B = Incoming> {
    pub(crate) admitted: Admitted,
    pub(crate) body: RequestBody<B>,
    pub(crate) upload: Option<Arc<Upload>>,
}

/// What is judged on a route, and whether what is wrong ends the request.
#[derive(Clone, Copy)]
struct Judged<'r> {
    described: Option<&'r Described>,
    inspect: Inspect,
    core: &'r Core,
}

/// Why a request may be refused: each way of judging has its own word on whether it is.
#[derive(Clone, Copy)]
enum By {
    Inspection,
    Schema,
}

/// Judges what was admitted: first whether it is as its document has it, then whether it carries an injection.
///
/// # Errors
/// [`Refusal`] where the route enforces: for what is not as described, for an injection, for a body that is
/// too large or cannot be read, and in any case when the body breaks off.
pub(crate) async fn inspect<B>(
    core: &Arc<Core>,
    streams: &Arc<Streams>,
    admitted: Admitted,
    head: &Parts,
    body: B,
    seen: &mut Observation,
) -> Result<Inspected<B>, Refusal>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    seen.at(Step::Inspect);
    let (mut body, upload) = outgoing_body(core, streams, &admitted, &head.headers, body);
    if let Some(upload) = &upload {
        seen.upload(upload);
    }
    if admitted.framing() == Framing::Length(0)
        && let Some(upload) = &upload
    {
        // A stream of HTTP/2 that says that it is empty may still say more, and then nothing of it may be sent on
        // (RFC 9113 §8.1.1).
        let Ok(Read::Whole(_)) = Box::pin(read(&mut body, 0)).await else {
            return Err(broken(upload, &admitted));
        };
    }
    // Two types are two ways to read the body, and it is not known which is the API's.
    if upload.is_some() && !has_one_type(&head.headers) {
        return Err(refusal(Fault::TwoTypes, &admitted));
    }
    if admitted.known().is_some()
        && form_token::is_form(&head.headers)
        && let Some(upload) = &upload
    {
        Box::pin(no_other_token(core, &head.headers, &mut body, upload, &admitted)).await?;
    }
    let judged = Judged::of(core, &admitted);
    if judged.is_nothing() {
        return Ok(Inspected { admitted, body, upload });
    }
    judged.head(&admitted, head, seen)?;
    if !tunnel::wanted(head, admitted.framing())
        && judged.is_body_read(&admitted, &head.headers, seen)?
        && let Some(upload) = &upload
    {
        // Boxed, so that a request without a body does not carry this about.
        Box::pin(judged.read_body(core, &mut body, upload, &admitted, &head.headers, seen)).await?;
    }
    Ok(Inspected { admitted, body, upload })
}

/// Looks for a second token in a form. One that is longer than what is read here goes on as it is.
async fn no_other_token<B>(
    core: &Core,
    headers: &HeaderMap,
    body: &mut RequestBody<B>,
    upload: &Upload,
    admitted: &Admitted,
) -> Result<(), Refusal>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    let limit = core.inspector.limits().body_bytes;
    match read(body, limit).await.map_err(|()| broken(upload, admitted))? {
        Read::Whole(form) if has_token_parameter(&form) => {
            let two = refusal(Fault::TwoTokens, admitted);
            Err(two.with_bait(bait::in_form(core, headers, &form)))
        }
        Read::Whole(_) | Read::TooLong => Ok(()),
    }
}

/// The same of a request that somebody else sends on, of which only the head is known here.
///
/// # Errors
/// [`Refusal`] where the route enforces, for parameters that are not as described and for an injection.
pub(crate) fn inspect_head(
    core: &Core,
    admitted: &Admitted,
    head: &Parts,
    seen: &mut Observation,
) -> Result<(), Refusal> {
    let judged = Judged::of(core, admitted);
    if judged.is_nothing() { Ok(()) } else { judged.head(admitted, head, seen) }
}

// === impl Judged ===

impl<'r> Judged<'r> {
    fn of(core: &'r Core, admitted: &'r Admitted) -> Self {
        let rule = admitted.rule();
        Self { described: rule.described.as_ref(), inspect: rule.inspect, core }
    }

    fn is_nothing(self) -> bool {
        self.described.is_none() && self.inspect == Inspect::Off
    }

    fn limit(self) -> usize {
        self.core.inspector.limits().body_bytes
    }

    fn enforces(self, by: By) -> bool {
        match by {
            By::Inspection => self.inspect == Inspect::Enforce,
            By::Schema => self.described.is_some_and(|described| described.enforce),
        }
    }

    /// Reads the body to its end and judges it.
    async fn read_body<B>(
        self,
        core: &Arc<Core>,
        body: &mut RequestBody<B>,
        upload: &Upload,
        admitted: &Admitted,
        headers: &HeaderMap,
        seen: &mut Observation,
    ) -> Result<(), Refusal>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
    {
        let whole = read(body, self.limit()).await;
        match whole.map_err(|()| broken(upload, admitted))? {
            Read::Whole(bytes) => {
                for (by, result) in self.body(core, headers, bytes).await? {
                    self.settle(by, result, admitted, seen)?;
                }
                Ok(())
            }
            Read::TooLong => self.excess(admitted, seen),
        }
    }

    /// What is wrong ends the request or is noted, as the route has it.
    fn settle(
        self,
        by: By,
        result: Result<(), Fault>,
        admitted: &Admitted,
        seen: &mut Observation,
    ) -> Result<(), Refusal> {
        let Err(fault) = result else { return Ok(()) };
        if self.enforces(by) {
            return Err(refusal(fault, admitted));
        }
        seen.noticed(&fault);
        Ok(())
    }

    fn excess(self, admitted: &Admitted, seen: &mut Observation) -> Result<(), Refusal> {
        let strictest = if self.enforces(By::Schema) { By::Schema } else { By::Inspection };
        let fault = Fault::InspectionExcess(inspect::Excess::Bytes);
        self.settle(strictest, Err(fault), admitted, seen)
    }

    fn head(
        self,
        admitted: &Admitted,
        head: &Parts,
        seen: &mut Observation,
    ) -> Result<(), Refusal> {
        let (target, headers) = (admitted.target(), &head.headers);
        let limits = self.core.inspector.limits();
        let Some(described) = self.described else {
            let result = self.injected_head(admitted, head, &Anything);
            return self.settle(By::Inspection, result, admitted, seen);
        };
        let check = &described.check;
        let result = check.head(target.path(), target.query(), headers, limits);
        self.settle(By::Schema, result.map_err(Fault::from), admitted, seen)?;
        let result = self.injected_head(admitted, head, &check.expectations(headers));
        self.settle(By::Inspection, result, admitted, seen)
    }

    fn injected_head(
        self,
        admitted: &Admitted,
        head: &Parts,
        expectations: &dyn Expectations,
    ) -> Result<(), Fault> {
        if self.inspect == Inspect::Off {
            return Ok(());
        }
        let (inspector, target) = (&self.core.inspector, admitted.target());
        inspector.path(target.path(), expectations)?;
        if let Some(query) = target.path_and_query().query() {
            inspector.query(query, expectations)?;
        }
        for (name, value) in &head.headers {
            inspector.header(name.as_str(), value.as_bytes(), expectations)?;
        }
        Ok(())
    }

    /// Whether the body is one that is read. One that is too long or compressed is refused before it is,
    /// or goes on unread.
    fn is_body_read(
        self,
        admitted: &Admitted,
        headers: &HeaderMap,
        seen: &mut Observation,
    ) -> Result<bool, Refusal> {
        let promised = match admitted.framing() {
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
            Framing::None => Some(0),
        };
        let present = promised != Some(0);
        let described = self.described.map(|one| one.check.reads_body(headers, present));
        let (by_schema, result) = match described {
            Some(Ok(reads)) => (reads, Ok(())),
            Some(Err(broken)) => (false, Err(Fault::from(broken))),
            None => (false, Ok(())),
        };
        self.settle(By::Schema, result, admitted, seen)?;
        let inspected = self.inspect != Inspect::Off;
        let by_inspection = inspected && Kind::of(content_type(headers)) != Kind::Opaque;
        if !present || !(by_schema || by_inspection) {
            return Ok(false);
        }
        let fault = if is_encoded(headers) {
            Fault::ContentEncoding
        } else if promised.is_none_or(|promised| promised <= self.limit() as u64) {
            return Ok(true);
        } else {
            Fault::InspectionExcess(inspect::Excess::Bytes)
        };
        let by_schema = by_schema && (self.enforces(By::Schema) || !by_inspection);
        let by = if by_schema { By::Schema } else { By::Inspection };
        self.settle(by, Err(fault), admitted, seen)?;
        Ok(false)
    }

    /// What either way of judging says of a body. A long one is judged on a thread of its own.
    async fn body(
        self,
        core: &Arc<Core>,
        headers: &HeaderMap,
        bytes: Bytes,
    ) -> Result<Found, Refusal> {
        let check = self.described.map(|described| Arc::clone(&described.check));
        let inspected = self.inspect != Inspect::Off;
        if bytes.len() <= LONGEST_IN_PLACE {
            return Ok(judge_body(core, check.as_deref(), inspected, headers, &bytes));
        }
        let (core, headers) = (Arc::clone(core), headers.clone());
        let judged = tokio::task::spawn_blocking(move || {
            judge_body(&core, check.as_deref(), inspected, &headers, &bytes)
        });
        judged.await.map_err(|_| Fault::Unavailable.into())
    }
}

type Found = [(By, Result<(), Fault>); 2];

fn judge_body(
    core: &Core,
    check: Option<&RequestCheck>,
    inspected: bool,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Found {
    let inspector = &core.inspector;
    let limits = inspector.limits();
    let schema = check.map_or(Ok(()), |check| check.body(headers, bytes, limits));
    let injected = |expectations: &dyn Expectations| {
        inspector.body(content_type(headers), bytes, expectations).map_err(Fault::from)
    };
    let injection = match check {
        _ if !inspected => Ok(()),
        Some(check) => injected(&check.expectations(headers)),
        None => injected(&Anything),
    };
    [(By::Schema, schema.map_err(Fault::from)), (By::Inspection, injection)]
}

fn refusal(fault: Fault, admitted: &Admitted) -> Refusal {
    match admitted.known() {
        Some(known) => Refusal::of_verified(fault, Arc::clone(known)),
        None => fault.into(),
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok())
}

/// What became of reading a body.
enum Read {
    /// It is here, and `RequestBody` has it again.
    Whole(Bytes),
    /// It is longer than the limit; what was read is given back.
    TooLong,
}

/// Reads a body to its end and puts it back, or as much of it as the limit allows.
async fn read<B>(body: &mut RequestBody<B>, limit: usize) -> Result<Read, ()>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
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

/// The refusal of a request whose body broke off.
pub(crate) fn broken(upload: &Upload, admitted: &Admitted) -> Refusal {
    let fault = upload.fault().map_or(Fault::RequestBody, Fault::from);
    match admitted.known() {
        None if fault.is_restriction() => Fault::Network.into(),
        _ => refusal(fault, admitted),
    }
}

fn outgoing_body<B>(
    core: &Core,
    streams: &Arc<Streams>,
    admitted: &Admitted,
    headers: &HeaderMap,
    body: B,
) -> (RequestBody<B>, Option<Arc<Upload>>) {
    match admitted.framing() {
        Framing::None => (RequestBody::none(), None),
        Framing::Length(_) | Framing::Chunked => {
            let upload = Arc::new(Upload::default());
            let whose = Whose { known: admitted.known().cloned(), ip: admitted.ip() };
            let watch = Watch::new(streams, whose, admitted.seen());
            // A stream of gRPC may rest for as long as it likes.
            let resting =
                content_type(headers).is_some_and(|kind| kind.starts_with("application/grpc"));
            let pace = (!resting).then(|| Pace::new(core.request_limits.body_wait));
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
