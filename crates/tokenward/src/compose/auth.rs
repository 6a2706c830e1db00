//! The listener at which proxies of other makers ask for the gateway's check.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use extauthz::ExtAuthz;
use futures_util::future::BoxFuture;
use gateway::Gateway;
use gateway::forward_auth::ForwardAuth;
use gateway::problem::{Kind, Problem, malformed};
use gateway::request_id::RequestId;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full, Limited};
use ipnet::IpNet;
use policy::{Engine, authzen};
use token::time::Clock as _;
use tokio_util::sync::CancellationToken;
use wire::{BadHead, Incoming};

use super::CertificateField;
use super::live::Live;
use crate::clock::SystemClock;
use crate::config;
use crate::listen::tls::Acceptor;
use crate::listen::{self, Bound, Connection, Handler, Terms};

/// The socket; shared by the gateway's threads.
pub(super) struct AuthListener {
    bound: Bound,
    tls: Option<Arc<Acceptor>>,
}

/// Who may ask there, and what is done with a request.
pub(super) struct AuthTerms {
    callers: Arc<[IpNet]>,
    field: CertificateField,
    http: ForwardAuth,
    grpc: ExtAuthz,
    decisions: Option<Decisions>,
}

/// Who answers services that ask what the policies say (AuthZEN), and the URL by which they reach it.
struct Decisions {
    engine: Arc<Engine>,
    base: String,
}

#[derive(Clone)]
struct AuthDoor(Arc<Live>);

// === impl AuthListener ===

impl AuthListener {
    /// On this socket.
    pub(super) fn new(bound: Bound, tls: Option<Arc<Acceptor>>) -> Self {
        Self { bound, tls }
    }

    /// The same for another thread.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn share(&self) -> io::Result<Self> {
        Ok(Self { bound: self.bound.share()?, tls: self.tls.clone() })
    }

    /// Serves until `stop`.
    ///
    /// # Errors
    /// The system's error when the socket cannot be used.
    pub(super) async fn serve(
        self,
        live: Arc<Live>,
        stop: CancellationToken,
        drain: Duration,
    ) -> io::Result<()> {
        let Self { bound, tls } = self;
        let door = AuthDoor(live);
        listen::serve(bound, Terms { tls, ..Terms::default() }, door, stop, drain).await
    }
}

// === impl AuthTerms ===

impl AuthTerms {
    /// As configured; `None` when it is not. `own` is the listener's URL.
    pub(super) fn new(
        part: &config::Gateway,
        gateway: &Gateway,
        policies: Option<&Arc<Engine>>,
        own: Option<&str>,
    ) -> Option<Self> {
        let auth = part.auth.as_ref()?;
        let named = part.policy.as_ref().and_then(|policy| policy.decision_point.as_deref());
        let base = named.or(own).unwrap_or_default();
        let decisions =
            policies.map(|engine| Decisions { engine: Arc::clone(engine), base: base.to_owned() });
        let callers = auth.trusted_callers.as_slice();
        Some(Self {
            callers: callers.into(),
            field: CertificateField::new(&auth.client_certificate_field, callers),
            http: ForwardAuth::new(gateway.checker()),
            grpc: ExtAuthz::new(gateway.checker()),
            decisions,
        })
    }
}

// === impl AuthDoor ===

impl Handler for AuthDoor {
    type Body = Either<Full<Bytes>, extauthz::Body>;

    fn handle(
        &self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> BoxFuture<'static, Response<Self::Body>> {
        Box::pin(self.clone().answer(request, connection))
    }

    fn refuse(&self, bad: BadHead, _: Option<Request<()>>, _: &Connection) -> Response<Self::Body> {
        let problem = malformed(bad, &RequestId::new(SystemClock.now()));
        problem.map(|text| Either::Left(Full::new(Bytes::from(text))))
    }
}

impl AuthDoor {
    async fn answer(
        self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> Response<<Self as Handler>::Body> {
        let peer = connection.address.ip().to_canonical();
        let terms =
            self.0.auth().filter(|terms| terms.callers.iter().any(|net| net.contains(&peer)));
        let Some(terms) = terms else { return untrusted().map(Either::Left) };
        if ExtAuthz::answers(request.uri().path()) {
            return terms.grpc.answer(request).await.map(Either::Right);
        }
        if let Some(decisions) = &terms.decisions
            && authzen::answers(request.uri().path())
        {
            return decisions.answer(request).await.map(|bytes| Either::Left(Full::new(bytes)));
        }
        let mut request = request;
        // The connection's own certificate is the proxy's, not its client's.
        terms.field.note(&mut request, &Connection { certificate: None, ja4: None, ..connection });
        let (head, _) = request.into_parts();
        terms.http.answer(head).await.map(|bytes| Either::Left(Full::new(bytes)))
    }
}

// === impl Decisions ===

impl Decisions {
    async fn answer(&self, request: Request<Incoming>) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, authzen::LONGEST_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => {
                let words = "the body broke off, or is longer than 256 KiB";
                return authzen::refused(StatusCode::BAD_REQUEST, words);
            }
        };
        self.engine.answer(&self.base, &head.method, head.uri.path(), &head.headers, &body)
    }
}

fn untrusted() -> Response<Full<Bytes>> {
    let words = "only proxies in the networks of `gateway.auth.trusted_callers` may ask here";
    let (status, kind) = (StatusCode::FORBIDDEN, Kind::Network);
    let problem = Problem { status, error: "access_denied", kind, detail: words };
    let id = RequestId::new(SystemClock.now());
    problem.answer(&id).map(|body| Full::new(Bytes::from(body)))
}
