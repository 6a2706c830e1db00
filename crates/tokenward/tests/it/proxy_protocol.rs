//! The PROXY protocol: HAProxy passes on TCP, plain and TLS, and the gateway knows whose request it is.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::interop::variable;
use crate::support::port::free_port;
use crate::support::recording::Recording;
use crate::support::served::Served;

const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 77);
const REQUEST: &str = "GET /public/1 HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\
                       X-Forwarded-For: 6.6.6.6\r\n\r\n";

/// HAProxy between a port of its own and the gateway.
struct Haproxy(Child);

impl Haproxy {
    fn start(folder: &Path, listen: u16, gateway: u16) -> Self {
        let file = folder.join("haproxy.cfg");
        let config = format!(
            "defaults\n mode tcp\n timeout connect 2s\n timeout client 10s\n timeout server 10s\n\
             listen tcp\n bind 127.0.0.1:{listen}\n \
             server gateway 127.0.0.1:{gateway} send-proxy-v2 check check-send-proxy inter 200\n"
        );
        std::fs::write(&file, config).expect("file");
        let mut command = Command::new(variable("TOKENWARD_HAPROXY"));
        let child = command.arg("-db").arg("-f").arg(file).stdout(Stdio::null()).spawn();
        let haproxy = Self(child.expect("HAProxy starts"));
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", listen)).is_err() {
            assert!(Instant::now() < until, "HAProxy does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        haproxy
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn connect(from: Ipv4Addr, port: u16) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
    socket.bind(&SocketAddr::from((from, 0)).into()).expect("bind");
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).expect("connect");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
    stream
}

fn ask(mut stream: TcpStream, bytes: &[u8]) -> String {
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// A gateway with `/public/…` before the recording API, which demands the protocol of 127.0.0.1.
fn served(members: &str, api: &Recording, record: &Path) -> Served {
    let members =
        format!("proxy_protocol = true\ntrusted_proxies = [\"127.0.0.1/32\"]\n{members}\n");
    let more = format!(
        "[gateway.upstreams.public]\nservers = [\"http://127.0.0.1:{}\"]\n[[gateway.route]]\npath = \"/public/{{rest...}}\"\npublic = true\nupstream = \"public\"\n\
         [detect]\nrecord = \"{}\"\n",
        api.port(),
        record.display()
    );
    Served::start_with(&members, &more)
}

/// The first event of this path, once it is written.
fn event(record: &Path, path: &str) -> Value {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let text = std::fs::read_to_string(record).unwrap_or_default();
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        if let Some(event) = events.into_iter().find(|event| event.to_string().contains(path)) {
            return event;
        }
        assert!(Instant::now() < until, "no event of {path}: {text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn haproxy_says_whose_connection_it_passes_on() {
    let folder = tempfile::tempdir().expect("folder");
    let (api, record) = (Recording::start(), folder.path().join("events"));
    let served = served("", &api, &record);
    let port = free_port();
    let _haproxy = Haproxy::start(folder.path(), port, served.gateway_port());
    let answer = ask(connect(CLIENT, port), REQUEST.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // Whoever is behind the proxy is no proxy: its own field says nothing.
    let arrived = api.arrived().pop().expect("one").to_lowercase();
    assert!(arrived.contains("x-forwarded-for: 127.0.0.77\r\n"), "{arrived}");
    assert!(!arrived.contains("6.6.6.6"), "{arrived}");
    assert_eq!(event(&record, "/public/")["ip"], json!("127.0.0.77"));

    let body = json!({
        "selector": { "kind": "network", "value": "127.0.0.77/32" }, "effect": "suspend",
        "reason": "test",
    });
    served.admin_call("POST", "/restrictions", Some(body));
    assert!(ask(connect(CLIENT, port), REQUEST.as_bytes()).starts_with("HTTP/1.1 403"));
    let other = ask(connect(Ipv4Addr::LOCALHOST, port), REQUEST.as_bytes());
    assert!(other.starts_with("HTTP/1.1 200"), "{other}");
}

#[test]
fn who_says_nothing_or_may_not_say_it_is_not_served() {
    let folder = tempfile::tempdir().expect("folder");
    let (api, record) = (Recording::start(), folder.path().join("events"));
    let served = served("", &api, &record);
    let to = served.gateway_port();
    let header = [
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".as_slice(),
        &[203, 0, 113, 9, 127, 0, 0, 1, 0, 80, 0, 80],
    ]
    .concat();
    let whole = [&header, REQUEST.as_bytes()].concat();
    let answer = ask(connect(Ipv4Addr::LOCALHOST, to), &whole);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(api.arrived().pop().expect("one").contains("203.0.113.9"));
    assert_eq!(ask(connect(Ipv4Addr::LOCALHOST, to), REQUEST.as_bytes()), "");
    assert_eq!(ask(connect(CLIENT, to), &whole), "", "only proxies may connect");
    // A slow header is cut.
    let began = Instant::now();
    assert_eq!(ask(connect(Ipv4Addr::LOCALHOST, to), &header[..20]), "");
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    assert!(api.arrived().is_empty());
}

#[test]
fn the_header_comes_before_the_handshake() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("folder");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("pair");
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).expect("file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("file");
    let (api, record) = (Recording::start(), folder.path().join("events"));
    let tls = format!(
        "tls = {{ certificate = \"{}\", key = \"{}\" }}",
        certificate.display(),
        key.display()
    );
    let served = served(&tls, &api, &record);
    let port = free_port();
    let _haproxy = Haproxy::start(folder.path(), port, served.gateway_port());
    let answer = ask_by_tls(connect(CLIENT, port), made.cert.der());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let arrived = api.arrived().pop().expect("one").to_lowercase();
    assert!(arrived.contains("x-forwarded-for: 127.0.0.77\r\n"), "{arrived}");
    assert!(arrived.contains("x-forwarded-proto: https\r\n"), "{arrived}");
}

fn ask_by_tls(stream: TcpStream, trusted: &CertificateDer<'static>) -> String {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).expect("root");
    let config =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("name");
    let connection = rustls::ClientConnection::new(Arc::new(config), name).expect("connection");
    let mut stream = rustls::StreamOwned::new(connection, stream);
    stream.write_all(REQUEST.as_bytes()).expect("request");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
