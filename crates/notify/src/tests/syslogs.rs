//! Receivers of syslog: datagrams, connections, and connections with TLS.

use std::sync::Arc;
use std::time::Duration;

use rcgen::generate_simple_self_signed;
use remote::tls;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::support::{NOW, notifier, store};
use crate::filter::Filter;
use crate::notice::Notice;
use crate::notifier::Tested;
use crate::outlet::{Outlet, Way};
use crate::syslog::transport::Transport;
use crate::syslog::{Format, Syslog};

const PATIENCE: Duration = Duration::from_secs(10);

fn outlet(transport: Transport) -> Outlet {
    let way = Way::Syslog(Syslog::new("auth.example", Format::Cef, transport));
    Outlet { name: "siem".to_owned(), filter: Filter::default(), way }
}

async fn tested(transport: Transport) -> Tested {
    let folder = tempfile::tempdir().expect("folder");
    notifier(vec![outlet(transport)], &store(&folder)).test("siem").await
}

/// Everything that comes, without the count before it.
async fn framed(mut stream: impl AsyncRead + Unpin) -> String {
    let mut text = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("in time").expect("text");
    let (count, line) = text.split_once(' ').expect("a count");
    assert_eq!(count.parse(), Ok(line.len()));
    line.to_owned()
}

#[tokio::test]
async fn a_datagram_is_one_message() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("socket");
    let port = socket.local_addr().expect("address").port();
    assert_eq!(tested(Transport::udp("127.0.0.1", port)).await, Tested::Taken);
    let mut buffer = [0; 4096];
    let got = timeout(PATIENCE, socket.recv(&mut buffer)).await.expect("in time").expect("got");
    let line = std::str::from_utf8(&buffer[..got]).expect("text");
    assert!(line.starts_with("<85>1 ") && line.contains(" test - CEF:0|"), "{line}");
}

#[tokio::test]
async fn a_long_datagram_is_cut_between_characters() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("socket");
    let port = socket.local_addr().expect("address").port();
    let syslog = Syslog::new("h", Format::Cef, Transport::udp("127.0.0.1", port));
    let mut notice = Notice::test(NOW);
    notice.finding["evidence"]["summary"] = "ä".repeat(3000).into();
    syslog.send(&syslog.line(&notice, NOW)).await.expect("sent");
    let mut buffer = [0; 8192];
    let got = timeout(PATIENCE, socket.recv(&mut buffer)).await.expect("in time").expect("got");
    assert!((2047..=2048).contains(&got) && std::str::from_utf8(&buffer[..got]).is_ok());
}

#[tokio::test]
async fn a_connection_has_counted_messages() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listener");
    let port = listener.local_addr().expect("address").port();
    let receiver = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("connection");
        framed(stream).await
    });
    assert_eq!(tested(Transport::tcp("127.0.0.1", port)).await, Tested::Taken);
    assert!(receiver.await.expect("received").contains("CEF:0|"));
    let closed = tested(Transport::tcp("127.0.0.1", port)).await;
    assert!(matches!(&closed, Tested::NotTaken(why) if why.contains("cannot be reached")));
}

#[tokio::test]
async fn tls_is_for_the_receiver_that_is_trusted_alone() {
    let made = generate_simple_self_signed(vec!["localhost".to_owned()]).expect("certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(made.cert.der().to_vec())], key)
        .expect("certificate");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listener");
    let port = listener.local_addr().expect("address").port();
    let receiver = tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        for _ in 0..3 {
            let (stream, _) = listener.accept().await.expect("connection");
            if let Ok(stream) = acceptor.accept(stream).await {
                return framed(stream).await;
            }
        }
        panic!("nobody came");
    });
    let system = tls::trust(None).expect("system");
    let strange = tested(Transport::tls("localhost", port, system).expect("name")).await;
    assert!(matches!(strange, Tested::NotTaken(_)), "{strange:?}");
    let ours = tls::trust(Some(made.cert.pem().as_bytes())).expect("trust");
    let other = Transport::tls("127.0.0.1", port, ours.clone()).expect("name");
    assert!(matches!(tested(other).await, Tested::NotTaken(_)), "another name");
    let right = Transport::tls("localhost", port, ours).expect("name");
    assert_eq!(tested(right).await, Tested::Taken);
    assert!(receiver.await.expect("received").contains("CEF:0|"));
}

#[test]
fn what_is_no_certificate_is_not_trusted() {
    for text in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(tls::trust(Some(text.as_bytes())).is_err(), "{text}");
    }
}
