//! What connections cost that rest: resident memory with thousands of them, plain and by TLS.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::served::Served;

const NAME: &str = "localhost";
/// Longer than connections keep what they need for requests.
const REST: Duration = Duration::from_secs(5);

/// So many connections, each of which has had one answer, once of each kind; prints what the process holds.
pub(crate) fn measure(upstream: &str, connections: usize) {
    println!("\nConnections that rest after one request, {connections} of each kind");
    let served = Served::patient(upstream, None);
    let before = served.resident();
    let kept: Vec<TcpStream> = (0..connections).map(|_| plain(&served.gateway)).collect();
    report("HTTP/1.1", connections, before, &served);
    drop((kept, served));

    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("certificate");
    let pem = (made.cert.pem(), made.signing_key.serialize_pem());
    let served = Served::patient(upstream, Some(pem));
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("root");
    let mut tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(tls));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("runtime").block_on(async {
        let before = served.resident();
        let mut kept = Vec::with_capacity(connections);
        for _ in 0..connections {
            kept.push(by_tls(&connector, &served.gateway).await);
        }
        report("HTTP/2 by TLS", connections, before, &served);
    });
}

/// At once, and when what connections need for requests alone has been given back.
fn report(kind: &str, connections: usize, before: usize, served: &Served) {
    let busy = served.resident();
    std::thread::sleep(REST);
    let after = served.resident();
    println!(
        "{kind:<14} {:>5} MiB resident, {} MiB before: {:.1} KiB a connection; {} MiB when the last one had its answer",
        after / 1024,
        before / 1024,
        after.saturating_sub(before) as f64 / connections as f64,
        busy / 1024
    );
}

fn plain(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connection");
    let request = format!("GET /plain HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("request");
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while !answer.ends_with(b"xxxx") {
        let count = stream.read(&mut buffer).expect("answer");
        assert!(count > 0, "the server closed the connection");
        answer.extend_from_slice(&buffer[..count]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    stream
}

async fn by_tls(connector: &TlsConnector, address: &str) -> SendRequest<Empty<bytes::Bytes>> {
    let stream = tokio::net::TcpStream::connect(address).await.expect("connection");
    let name = ServerName::try_from(NAME).expect("name");
    let stream = connector.connect(name, stream).await.expect("handshake");
    let made = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = made.expect("HTTP/2");
    tokio::spawn(connection);
    let request = Request::get(format!("https://{NAME}/plain")).body(Empty::new());
    let answer = sender.send_request(request.expect("request")).await.expect("answer");
    assert_eq!(answer.status(), 200);
    answer.into_body().collect().await.expect("body");
    sender
}
