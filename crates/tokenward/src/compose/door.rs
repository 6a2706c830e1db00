//! From a listener's request to the room that answers it.

use std::sync::Arc;

use authority::peer::PeerAddress;
use axum::Router;
use axum::body::Body;
use futures_util::future::BoxFuture;
use gateway::problem::malformed;
use gateway::request_id::RequestId;
use gateway::{Peer, ResponseBody};
use http::{HeaderName, Request, Response};
use ipnet::IpNet;
use token::client_certificate::ClientCertificate;
use token::time::Clock as _;
use tower::ServiceExt as _;
use wire::{BadHead, Incoming};

use super::live::Live;
use crate::clock::SystemClock;
use crate::config;
use crate::listen::{Connection, Handler};

/// Authority and admin API.
#[derive(Clone)]
pub(crate) struct ControlDoor(Router, CertificateField);

/// The gateway, on the thread of this number.
#[derive(Clone)]
pub(super) struct GatewayDoor {
    live: Arc<Live>,
    thread: usize,
}

/// Where a trusted proxy says which certificate the client has shown (RFC 9440).
#[derive(Clone, Default)]
pub(crate) struct CertificateField {
    name: Option<HeaderName>,
    trusted: Arc<[IpNet]>,
}

// === impl CertificateField ===

impl CertificateField {
    pub(super) fn new(name: &Option<String>, trusted: &[IpNet]) -> Self {
        let name = name.as_deref().and_then(|name| name.parse().ok());
        Self { name, trusted: trusted.into() }
    }

    /// That of the gateway.
    pub(super) fn of_gateway(part: &config::Gateway) -> Self {
        Self::new(&part.client_certificate_field, &part.trusted_proxies)
    }

    /// Notes the connection's fingerprint, and its certificate or the one that a trusted proxy speaks of. The field ends
    /// here, whoever sent it.
    pub(super) fn note<B>(&self, request: &mut Request<B>, connection: &Connection) {
        let field = self.name.as_ref().and_then(|name| {
            let mut fields = request.headers().get_all(name).iter();
            let only = fields.next().filter(|_| fields.next().is_none());
            only.and_then(|field| field.to_str().ok()).map(str::to_owned)
        });
        if let Some(name) = &self.name {
            request.headers_mut().remove(name);
        }
        let peer = connection.address.ip().to_canonical();
        let trusted = self.trusted.iter().any(|net| net.contains(&peer));
        let passed_on = field.filter(|_| trusted);
        let certificate = match passed_on {
            Some(field) => ClientCertificate::from_field(&field),
            None => connection.certificate.clone(),
        };
        if let Some(certificate) = certificate {
            request.extensions_mut().insert(certificate);
        }
        if let Some(ja4) = &connection.ja4 {
            request.extensions_mut().insert(ja4.clone());
        }
    }
}

// === impl ControlDoor ===

impl ControlDoor {
    pub(crate) fn new(router: Router, field: CertificateField) -> Self {
        Self(router, field)
    }
}

impl Handler for ControlDoor {
    type Body = Body;

    fn handle(
        &self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> BoxFuture<'static, Response<Body>> {
        let mut request = request.map(Body::new);
        self.1.note(&mut request, &connection);
        request.extensions_mut().insert(PeerAddress(connection.address));
        let answering = self.0.clone().oneshot(request);
        Box::pin(async move {
            match answering.await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        })
    }

    fn refuse(&self, bad: BadHead, _: Option<Request<()>>, _: &Connection) -> Response<Body> {
        malformed(bad, &RequestId::new(SystemClock.now())).map(Body::from)
    }
}

// === impl GatewayDoor ===

impl GatewayDoor {
    pub(super) fn new(live: Arc<Live>, thread: usize) -> Self {
        Self { live, thread }
    }
}

impl Handler for GatewayDoor {
    type Body = ResponseBody;

    fn handle(
        &self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> BoxFuture<'static, Response<ResponseBody>> {
        let mut request = request;
        self.live.note(&mut request, &connection);
        // To its end, whatever comes after it meanwhile.
        let worker = self.live.worker(self.thread);
        let peer = Peer { address: connection.address, tls: connection.tls };
        Box::pin(worker.handle(request, peer))
    }

    fn refuse(
        &self,
        bad: BadHead,
        head: Option<Request<()>>,
        connection: &Connection,
    ) -> Response<ResponseBody> {
        let peer = Peer { address: connection.address, tls: connection.tls };
        self.live.worker(self.thread).refuse(bad, head, peer)
    }
}
