//! Certificates of clients on real connections: at the authority, at the gateway, and behind a proxy.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::{Value, json};

use crate::support::port::free_port;
use crate::support::{PROGRAM, text};

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A certificate with its key.
struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

/// An authority, and a client of it.
fn issue(name: &str) -> (String, Identity) {
    let (ca_key, key) = (KeyPair::generate().expect("key"), KeyPair::generate().expect("key"));
    let mut ca = CertificateParams::new(Vec::new()).expect("params");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_certificate = ca.self_signed(&ca_key).expect("authority");
    let issuer = Issuer::new(ca, ca_key);
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("params");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let made = params.signed_by(&key, &issuer).expect("certificate");
    let identity = Identity { certificate: made.der().clone(), pem: made.pem(), key };
    (ca_certificate.pem(), identity)
}

/// An API that answers everything with 200, and says which fields it got; for so many requests.
fn api(requests: usize) -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("socket");
    let port = socket.local_addr().expect("address").port();
    std::thread::spawn(move || {
        for stream in socket.incoming().take(requests) {
            let Ok(mut stream) = stream else { return };
            let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => head.extend_from_slice(&buffer[..count]),
                }
            }
            let spoofed = String::from_utf8_lossy(&head).to_lowercase().contains("client-cert");
            let body = if spoofed { "spoofed" } else { "fine" };
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    port
}

/// One request over TLS, with a certificate or without; status and body.
fn exchange(
    port: u16,
    root: &CertificateDer<'static>,
    who: Option<&Identity>,
    request: &str,
) -> (u16, String) {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root.clone()).expect("root");
    let builder = rustls::ClientConfig::builder().with_root_certificates(roots);
    let config = match who {
        Some(who) => {
            let key = PrivateKeyDer::try_from(who.key.serialize_der()).expect("key");
            builder.with_client_auth_cert(vec![who.certificate.clone()], key).expect("identity")
        }
        None => builder.with_no_client_auth(),
    };
    let name = ServerName::try_from("localhost").expect("name");
    let mut connection = rustls::ClientConnection::new(Arc::new(config), name).expect("connection");
    let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("connect");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
    let mut stream = rustls::Stream::new(&mut connection, &mut socket);
    stream.write_all(request.as_bytes()).expect("send");
    read(&mut stream)
}

fn plain(port: u16, request: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("connect");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
    socket.write_all(request.as_bytes()).expect("send");
    read(&mut socket)
}

fn read(stream: &mut impl std::io::Read) -> (u16, String) {
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..count]);
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

fn post(path: &str, body: &str, field: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{field}\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn get(path: &str, token: &str, field: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{field}\
         authorization: Bearer {token}\r\n\r\n"
    )
}

fn member(body: &str, name: &str) -> String {
    let json: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {body}"));
    json[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {body}")).to_owned()
}

/// Starts `serve` with this configuration, makes a client by its certificate, and gives its id.
fn start(folder: &Path, config: &str, admin: u16) -> (Served, String) {
    let file = folder.join("tokenward.toml");
    std::fs::write(&file, config).expect("file");
    let served =
        Served(Command::new(PROGRAM).args(["serve", "-c"]).arg(&file).spawn().expect("start"));
    let until = Instant::now() + Duration::from_secs(20);
    let ready = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let is_up = || TcpStream::connect(("127.0.0.1", admin)).is_ok();
    while !is_up() || plain(admin, ready).0 != 200 {
        assert!(Instant::now() < until, "the admin API does not come up");
        std::thread::sleep(Duration::from_millis(50));
    }
    let made = Command::new(PROGRAM).args(["admin-token", "-c"]).arg(&file).output().expect("run");
    assert!(made.status.success(), "{}", text(&made.stderr));
    let token = text(&made.stdout).trim().to_owned();
    let body = json!({
        "client_name": "Service", "scope": "orders:read",
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_san_dns": "svc.example",
        "tls_client_certificate_bound_access_tokens": true,
    })
    .to_string();
    let request = format!(
        "POST /api/v1/clients HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         authorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, body) = plain(admin, &request);
    assert_eq!(status, 201, "{body}");
    (served, member(&body, "client_id"))
}

fn common(folder: &Path, admin: u16, upstream: u16) -> String {
    format!(
        "[store]\npath = \"{}\"\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n\
         [gateway.upstreams]\norders = \"http://127.0.0.1:{upstream}\"\n\
         [[gateway.route]]\npath = \"/orders\"\nupstream = \"orders\"\nscopes = [\"orders:read\"]\n\
         [[scope]]\nname = \"orders:read\"\ndescription = \"Read your orders\"\n",
        folder.join("db/tokenward.db").display()
    )
}

#[test]
fn a_client_and_its_tokens_are_bound_to_its_certificate() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("folder");
    let (ca, own) = issue("svc.example");
    let (_, stranger) = issue("svc.example");
    let server = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("server");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("file");
        path.display().to_string()
    };
    let ca = file("ca.pem", &ca);
    let tls = format!(
        "tls = {{ certificate = \"{}\", key = \"{}\", client_certificates = true }}\n",
        file("cert.pem", &server.cert.pem()),
        file("key.pem", &server.signing_key.serialize_pem()),
    );
    let (authority, gateway, admin) = (free_port(), free_port(), free_port());
    let config = format!(
        "{}[authority]\nlisten = \"127.0.0.1:{authority}\"\nissuer = \"https://localhost:{authority}\"\n\
         client_ca = \"{ca}\"\n{tls}[gateway]\nlisten = \"127.0.0.1:{gateway}\"\n\
         resource = \"https://localhost:{gateway}\"\n{tls}",
        common(folder.path(), admin, api(1)),
    );
    let (_served, client) = start(folder.path(), &config, admin);
    let root = server.cert.der().clone();
    let ask = post("/token", &format!("grant_type=client_credentials&client_id={client}"), "");
    let (status, body) = exchange(authority, &root, Some(&own), &ask);
    assert_eq!(status, 200, "{body}");
    let token = member(&body, "access_token");
    // The same name from an authority that nobody trusts, and none at all.
    for who in [Some(&stranger), None] {
        let (status, body) = exchange(authority, &root, who, &ask);
        assert_eq!((status, member(&body, "error").as_str()), (401, "invalid_client"));
    }
    let call = get("/orders", &token, "");
    assert_eq!(exchange(gateway, &root, Some(&own), &call), (200, "fine".to_owned()));
    for who in [Some(&stranger), None] {
        let (status, body) = exchange(gateway, &root, who, &call);
        assert_eq!(status, 401, "a stolen token: {body}");
    }
}

#[test]
fn a_trusted_proxy_passes_the_certificate_on_and_nobody_else() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("folder");
    let (ca, own) = issue("svc.example");
    let (_, stranger) = issue("svc.example");
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, ca).expect("file");
    let (authority, gateway, admin) = (free_port(), free_port(), free_port());
    for (trusted, expected) in [("127.0.0.0/8", 200), ("192.0.2.0/24", 401)] {
        let folder = tempfile::tempdir().expect("folder");
        let field = format!(
            "client_certificate_field = \"Client-Cert\"\ntrusted_proxies = [\"{trusted}\"]\n"
        );
        let config = format!(
            "{}[authority]\nlisten = \"127.0.0.1:{authority}\"\nclient_ca = \"{}\"\n{field}\
             [gateway]\nlisten = \"127.0.0.1:{gateway}\"\n{field}",
            common(folder.path(), admin, api(1)),
            ca_file.display(),
        );
        let (served, client) = start(folder.path(), &config, admin);
        // RFC 9440 §2.2.
        let rfc =
            |who: &Identity| format!("client-cert: :{}:\r\n", STANDARD.encode(&who.certificate));
        let form = format!("grant_type=client_credentials&client_id={client}");
        let (status, body) = plain(authority, &post("/token", &form, &rfc(&own)));
        assert_eq!(status, expected, "{body}");
        if expected == 200 {
            let token = member(&body, "access_token");
            let call = |field: &str| plain(gateway, &get("/orders", &token, field));
            // As nginx writes it.
            let escaped = own.pem.replace('\n', "%0A").replace(' ', "%20").replace('+', "%2B");
            let nginx = format!("client-cert: {escaped}\r\n");
            assert_eq!(call(&nginx), (200, "fine".to_owned()), "the field ends at the gateway");
            for field in [rfc(&stranger), String::new(), format!("{}{}", rfc(&own), rfc(&own))] {
                assert_eq!(call(&field).0, 401, "{field}");
            }
            let form = post("/token", &form, &rfc(&stranger));
            assert_eq!(plain(authority, &form).0, 401);
        }
        drop(served);
    }
}
