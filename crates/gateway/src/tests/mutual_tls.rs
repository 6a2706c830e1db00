//! Servers with a certificate authority of their own, which ask who comes.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::support::upstream::ok;
use super::support::{House, settings, status};
use crate::{UpstreamRule, UpstreamTls};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("key")).expect("authority")
}

/// A certificate for a name, and its key.
fn issue(authority: &Authority, name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate().expect("key");
    let params = CertificateParams::new([name.to_owned()]).expect("params");
    let certificate = params.signed_by(&key, authority).expect("certificate");
    (certificate.der().clone(), key.serialize_der().try_into().expect("key"))
}

fn shown(authority: &Authority, name: &str) -> Option<Arc<CertifiedKey>> {
    let (certificate, key) = issue(authority, name);
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    Some(Arc::new(CertifiedKey::from_der(vec![certificate], key, &provider).expect("pair")))
}

/// A server for `orders.internal` that takes who has a certificate of the authority.
async fn server(authority: &Authority) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).expect("root");
    let roots = Arc::new(roots);
    let asking = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
    let (certificate, key) = issue(authority, "orders.internal");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(asking.build().expect("verifier"))
        .with_single_cert(vec![certificate], key)
        .expect("server");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(ok("{}").as_bytes()).await;
            });
        }
    });
    address
}

async fn asked(address: SocketAddr, tls: UpstreamTls) -> u16 {
    let mut settings = settings("http://127.0.0.1:9");
    let rule = UpstreamRule::from(format!("https://{address}"));
    settings.upstreams.insert("api".into(), UpstreamRule { tls: Some(tls), ..rule });
    let house = House::with(settings).await;
    status(&house.ask_as(&house.token("orders:read"), "GET /orders", "").await)
}

#[tokio::test]
async fn each_side_knows_the_other_or_nothing_is_sent() {
    let (own, foreign) = (authority(), authority());
    let address = server(&own).await;
    let good = UpstreamTls {
        authorities: Some(vec![own.der().clone()]),
        certificate: shown(&own, "gateway.internal"),
        server_name: Some("orders.internal".try_into().expect("name")),
    };
    assert_eq!(asked(address, good.clone()).await, 200);
    for tls in [
        UpstreamTls { certificate: None, ..good.clone() },
        UpstreamTls { certificate: shown(&foreign, "gateway.internal"), ..good.clone() },
        UpstreamTls { authorities: Some(vec![foreign.der().clone()]), ..good.clone() },
        UpstreamTls { server_name: None, ..good.clone() },
        UpstreamTls { server_name: Some("other.internal".try_into().expect("name")), ..good },
    ] {
        let told = format!("{tls:?}");
        assert_eq!(asked(address, tls).await, 502, "{told}");
    }
}
