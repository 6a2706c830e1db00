//! Upstreams by TLS: only with a certificate that is trusted.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::support::upstream::ok;
use super::support::{House, settings, status};

/// A TLS upstream for `localhost`, and a client configuration that trusts it.
async fn upstream() -> (String, ClientConfig) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("certificate");
    let certificate = signed.cert.der().clone();
    let key = signed.signing_key.serialize_der().try_into().expect("key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("server");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("root");
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let acceptor = TlsAcceptor::from(Arc::new(server));
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
    (format!("https://localhost:{port}"), client)
}

#[tokio::test]
async fn a_trusted_certificate_is_needed() {
    let (url, trusting) = upstream().await;
    let house = House::build(settings(&url), |gateway| gateway.trusting(trusting)).await;
    let answer = house.ask_as(&house.token("orders:read"), "GET /orders", "").await;
    assert_eq!(status(&answer), 200, "{answer}");

    let none = crate::upstream::pool::shared_tls(false).expect("config");
    let house = House::build(settings(&url), |gateway| gateway.trusting(none)).await;
    let answer = house.ask_as(&house.token("orders:read"), "GET /orders", "").await;
    assert_eq!(status(&answer), 502);
}
