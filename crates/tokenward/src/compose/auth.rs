//! The listener at which proxies of other makers ask for the gateway's check.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use extauthz::ExtAuthz;
use gateway::Gateway;
use gateway::forward_auth::ForwardAuth;
use gateway::problem::{Kind, Problem};
use gateway::request_id::RequestId;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::Incoming;
use ipnet::IpNet;
use policy::{Engine, authzen};
use token::time::Clock as _;
use tokio_util::sync::CancellationToken;

use super::{CertificateField, acceptor, url_of};
use crate::clock::SystemClock;
use crate::command::Failure;
use crate::config;
use crate::listen::tls::Acceptor;
use crate::listen::{self, Bound, Connection, Handler, Terms};

/// The socket, and who may ask there; shared by the gateway's threads.
pub(super) struct AuthListener {
    bound: Bound,
    tls: Option<Arc<Acceptor>>,
    callers: Arc<[IpNet]>,
    field: CertificateField,
    decisions: Option<Decisions>,
}

/// Who answers services that ask what the policies say (AuthZEN), and the URL by which they reach it.
#[derive(Clone)]
struct Decisions {
    engine: Arc<Engine>,
    base: Arc<str>,
}

/// What is done with a request there.
#[derive(Clone)]
struct AuthDoor {
    callers: Arc<[IpNet]>,
    field: CertificateField,
    http: ForwardAuth,
    grpc: ExtAuthz,
    decisions: Option<Decisions>,
}

// === impl AuthListener ===

impl AuthListener {
    /// As configured; `None` when it is not.
    ///
    /// # Errors
    /// [`Failure`] with the certificate that cannot be read.
    pub(super) fn new(
        bound: Option<Bound>,
        gateway: &config::Gateway,
        policies: Option<Arc<Engine>>,
        stop: &CancellationToken,
    ) -> Result<Option<Self>, Failure> {
        let (Some(bound), Some(part)) = (bound, &gateway.auth) else { return Ok(None) };
        let own = || url_of(&bound, part.tls.is_some());
        let named = gateway.policy.as_ref().and_then(|policy| policy.decision_point.clone());
        let base: Arc<str> = named.unwrap_or_else(own).into();
        let decisions = policies.map(|engine| Decisions { engine, base });
        let tls = acceptor(part.tls.as_ref(), stop)?;
        let callers = part.trusted_callers.as_slice();
        let field = CertificateField::new(&part.client_certificate_field, callers);
        Ok(Some(Self { bound, tls, callers: callers.into(), field, decisions }))
    }

    /// The same for another thread.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn share(&self) -> io::Result<Self> {
        Ok(Self {
            bound: self.bound.share()?,
            tls: self.tls.clone(),
            callers: Arc::clone(&self.callers),
            field: self.field.clone(),
            decisions: self.decisions.clone(),
        })
    }

    /// Serves until `stop`.
    ///
    /// # Errors
    /// The system's error when the socket cannot be used.
    pub(super) async fn serve(
        self,
        gateway: &Gateway,
        stop: CancellationToken,
        drain: Duration,
    ) -> io::Result<()> {
        let Self { bound, tls, callers, field, decisions } = self;
        let http = ForwardAuth::new(gateway.checker());
        let grpc = ExtAuthz::new(gateway.checker());
        let door = AuthDoor { callers, field, http, grpc, decisions };
        listen::serve(bound, Terms { tls, ..Terms::default() }, door, stop, drain).await
    }
}

// === impl AuthDoor ===

impl Handler for AuthDoor {
    type Body = Either<Full<Bytes>, extauthz::Body>;

    async fn handle(
        &self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> Response<Self::Body> {
        let peer = connection.address.ip().to_canonical();
        if !self.callers.iter().any(|net| net.contains(&peer)) {
            return untrusted().map(Either::Left);
        }
        if ExtAuthz::answers(request.uri().path()) {
            return self.grpc.answer(request).await.map(Either::Right);
        }
        if let Some(decisions) = &self.decisions
            && authzen::answers(request.uri().path())
        {
            return decisions.answer(request).await.map(|bytes| Either::Left(Full::new(bytes)));
        }
        let mut request = request;
        // The connection's own certificate is the proxy's, not its client's.
        self.field.note(&mut request, &Connection { certificate: None, ja4: None, ..connection });
        let (head, _) = request.into_parts();
        self.http.answer(head).await.map(|bytes| Either::Left(Full::new(bytes)))
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
