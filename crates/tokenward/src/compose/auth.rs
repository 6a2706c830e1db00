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
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use ipnet::IpNet;
use token::time::Clock as _;
use tokio_util::sync::CancellationToken;

use super::{CertificateField, acceptor};
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
}

/// What is done with a request there.
#[derive(Clone)]
struct AuthDoor {
    callers: Arc<[IpNet]>,
    field: CertificateField,
    http: ForwardAuth,
    grpc: ExtAuthz,
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
        stop: &CancellationToken,
    ) -> Result<Option<Self>, Failure> {
        let (Some(bound), Some(part)) = (bound, &gateway.auth) else { return Ok(None) };
        let tls = acceptor(part.tls.as_ref(), stop)?;
        let callers = part.trusted_callers.as_slice();
        let field = CertificateField::new(&part.client_certificate_field, callers);
        Ok(Some(Self { bound, tls, callers: callers.into(), field }))
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
        let Self { bound, tls, callers, field } = self;
        let http = ForwardAuth::new(gateway.checker());
        let grpc = ExtAuthz::new(gateway.checker());
        let door = AuthDoor { callers, field, http, grpc };
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
        let mut request = request;
        // The connection's own certificate is the proxy's, not its client's.
        self.field.note(&mut request, &Connection { certificate: None, ..connection });
        let (head, _) = request.into_parts();
        self.http.answer(head).await.map(|bytes| Either::Left(Full::new(bytes)))
    }
}

fn untrusted() -> Response<Full<Bytes>> {
    let words = "only proxies in the networks of `gateway.auth.trusted_callers` may ask here";
    let (status, kind) = (StatusCode::FORBIDDEN, Kind::Network);
    let problem = Problem { status, error: "access_denied", kind, detail: words };
    let id = RequestId::new(SystemClock.now());
    problem.answer(&id).map(|body| Full::new(Bytes::from(body)))
}
