//! From a listener's request to the room that answers it.

use std::sync::Arc;

use authority::peer::PeerAddress;
use axum::Router;
use axum::body::Body;
use futures_util::future::BoxFuture;
use gateway::problem::malformed;
use gateway::request_id::RequestId;
use gateway::{Peer, ResponseBody};
use http::{HeaderMap, HeaderName, Request, Response};
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
        let peer = connection.address.ip().to_canonical();
        let trusted = self.trusted.iter().any(|net| net.contains(&peer));
        let certificate = match self.name.as_ref().filter(|_| trusted) {
            Some(name) if request.headers().contains_key(name) => told(request.headers(), name),
            _ => connection.certificate.clone(),
        };
        if let Some(name) = &self.name {
            request.headers_mut().remove(name);
        }
        if let Some(certificate) = certificate {
            request.extensions_mut().insert(certificate);
        }
        if let Some(ja4) = &connection.ja4 {
            request.extensions_mut().insert(ja4.clone());
        }
    }
}

/// The certificate in a field that is there. In two of them there is none: the proxy's own must not stand for it.
fn told(headers: &HeaderMap, name: &HeaderName) -> Option<ClientCertificate> {
    let mut fields = headers.get_all(name).iter();
    let only = fields.next().filter(|_| fields.next().is_none())?;
    ClientCertificate::from_field(only.to_str().ok()?)
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

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use http::Request;
    use token::client_certificate::ClientCertificate;

    use super::CertificateField;
    use crate::listen::Connection;

    fn certificate(last: u8) -> Vec<u8> {
        [[0x30; 200].as_slice(), &[last]].concat()
    }

    /// Whose certificate a request has, that comes from a proxy with one of its own.
    fn noted(peer: &str, fields: &[String]) -> Option<ClientCertificate> {
        let field = Some("Client-Cert".to_owned());
        let door = CertificateField::new(&field, &["192.0.2.0/24".parse().expect("network")]);
        let connection = Connection {
            address: peer.parse().expect("address"),
            tls: true,
            certificate: Some(ClientCertificate::new(&certificate(1))),
            ja4: None,
        };
        let mut request = Request::new(());
        for field in fields {
            request.headers_mut().append("client-cert", field.parse().expect("value"));
        }
        door.note(&mut request, &connection);
        assert!(!request.headers().contains_key("client-cert"));
        request.extensions().get().cloned()
    }

    #[test]
    fn the_proxys_own_certificate_stands_for_none_that_it_tells_of() {
        let of = |last| Some(ClientCertificate::new(&certificate(last)));
        let told = |last| format!(":{}:", STANDARD.encode(certificate(last)));
        let (proxy, other) = ("192.0.2.7:1", "198.51.100.7:1");
        assert_eq!(noted(proxy, &[told(2)]), of(2));
        for odd in [vec![told(2), told(2)], vec![String::new()], vec!["x".to_owned()]] {
            assert_eq!(noted(proxy, &odd), None, "{odd:?}");
        }
        // Who is no proxy says nothing, and has shown its own.
        assert_eq!(noted(other, &[told(2)]), of(1));
        assert_eq!(noted(other, &[told(2), told(2)]), of(1));
        assert_eq!(noted(proxy, &[]), of(1));
    }
}
