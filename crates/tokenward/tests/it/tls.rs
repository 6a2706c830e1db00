//! `serve` with TLS: certificates are read again when they change; plain HTTP stays on loopback.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value;

use crate::support::http::Http;
use crate::support::port::free_port;
use crate::support::{PROGRAM, text};

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn certificate(folder: &Path) -> (PathBuf, PathBuf, CertificateDer<'static>) {
    let made =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("certificate");
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("key");
    std::fs::write(&certificate, made.cert.pem()).expect("certificate");
    (certificate, key, made.cert.der().clone())
}

/// A client that trusts `trusted`.
fn client(trusted: &CertificateDer<'static>) -> rustls::ClientConnection {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).expect("root");
    let config =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("name");
    rustls::ClientConnection::new(Arc::new(config), name).expect("connection")
}

/// The certificate that the server shows, when the handshake with trust in `trusted` succeeds.
fn handshake(port: u16, trusted: &CertificateDer<'static>) -> Option<CertificateDer<'static>> {
    let mut connection = client(trusted);
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("timeout");
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).ok()?;
    }
    connection.peer_certificates()?.first().map(|certificate| certificate.clone().into_owned())
}

fn within_ten_seconds(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < until, "{what} did not come true");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_changed_certificate_is_used_without_a_restart() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("folder");
    let (certificate_file, key_file, first) = certificate(folder.path());
    let port = free_port();
    let file = folder.path().join("tokenward.toml");
    let config = format!(
        "[store]\npath = \"{}\"\n[authority]\nlisten = \"127.0.0.1:{port}\"\nissuer = \"https://localhost:{port}\"\n[authority.tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        folder.path().join("db/tokenward.db").display(),
        certificate_file.display(),
        key_file.display(),
    );
    std::fs::write(&file, config).expect("file");
    let child = Command::new(PROGRAM).args(["serve", "-c"]).arg(&file).spawn().expect("start");
    let _served = Served(child);
    within_ten_seconds("TLS", || handshake(port, &first).as_ref() == Some(&first));
    // Half a pair is not used: the old one stays.
    std::fs::write(&certificate_file, "no certificate").expect("file");
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(handshake(port, &first).as_ref(), Some(&first));
    let (_, _, second) = certificate(folder.path());
    within_ten_seconds("the new certificate", || {
        handshake(port, &second).as_ref() == Some(&second)
    });
}

/// What this machine's TLS library offers does not change from one connection to the next.
#[test]
fn events_have_the_fingerprint_of_a_client_whose_tls_ends_here() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("folder");
    let (certificate, key, trusted) = certificate(folder.path());
    let (port, authority, record) = (free_port(), free_port(), folder.path().join("events"));
    let config = format!(
        "[store]\npath = {:?}\n[authority]\nlisten = \"127.0.0.1:{authority}\"\n[detect]\nrecord = {record:?}\n\
         [gateway]\nlisten = \"127.0.0.1:{port}\"\n[gateway.tls]\ncertificate = {certificate:?}\nkey = {key:?}\n",
        folder.path().join("db/tokenward.db"),
    );
    let file = folder.path().join("tokenward.toml");
    std::fs::write(&file, config).expect("file");
    let child = Command::new(PROGRAM).args(["serve", "-c"]).arg(&file).spawn().expect("start");
    let _served = Served(child);
    within_ten_seconds("a handshake", || handshake(port, &trusted).is_some());
    for _ in 0..2 {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("connection");
        let mut stream = rustls::StreamOwned::new(client(&trusted), stream);
        let request =
            format!("GET / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 401");
    }
    let mut found: Vec<String> = Vec::new();
    within_ten_seconds("two events", || {
        let events = std::fs::read_to_string(&record).unwrap_or_default();
        let read = |line: &str| serde_json::from_str::<Value>(line).ok();
        let ja4 = |event: Value| event["ja4"].as_str().map(str::to_owned);
        found = events.lines().filter_map(read).filter_map(ja4).collect();
        found.len() == 2
    });
    assert!(found[0].starts_with("t13d") && found[0].contains("00_"), "{found:?}");
    assert_eq!(found[0], found[1]);
}

#[test]
fn serve_runs_what_is_configured_and_nothing_else() {
    let folder = tempfile::tempdir().expect("folder");
    let port = free_port();
    let file = folder.path().join("tokenward.toml");
    let database = folder.path().join("db/tokenward.db");
    std::fs::write(
        &file,
        format!(
            "[store]\npath = \"{}\"\n[authority]\nlisten = \"127.0.0.1:{port}\"\n",
            database.display()
        ),
    )
    .expect("file");
    let child = Command::new(PROGRAM)
        .args(["serve", "-c"])
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("start");
    let served = Served(child);
    let http = Http::new();
    let url = format!("http://127.0.0.1:{port}/.well-known/openid-configuration");
    within_ten_seconds("the authority", || http.try_get(&url) == Some(200));
    // No demo client, no demo user, one listening socket.
    let demo = http.post_form(
        &format!("http://127.0.0.1:{port}/token"),
        Some(("demo", "x")),
        &[("grant_type", "client_credentials")],
    );
    assert_eq!(demo.expect(401)["error"], "invalid_client");
    assert_eq!(listening(served.0.id()), 1);
    // The first administrator's token comes from the machine itself.
    let made = Command::new(PROGRAM).args(["admin-token", "-c"]).arg(&file).output().expect("run");
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert_eq!(text(&made.stdout).trim().split('.').count(), 3);
}

#[test]
fn the_first_administrators_token_opens_the_admin_api() {
    let folder = tempfile::tempdir().expect("folder");
    let (authority, admin) = (free_port(), free_port());
    let file = folder.path().join("tokenward.toml");
    let database = folder.path().join("db/tokenward.db");
    std::fs::write(&file, format!("[store]\npath = \"{}\"\n[authority]\nlisten = \"127.0.0.1:{authority}\"\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n", database.display())).expect("file");
    let child = Command::new(PROGRAM).args(["serve", "-c"]).arg(&file).spawn().expect("start");
    let _served = Served(child);
    let http = Http::new();
    let ready = format!("http://127.0.0.1:{admin}/readyz");
    within_ten_seconds("the admin API", || http.try_get(&ready) == Some(200));
    let made = Command::new(PROGRAM).args(["admin-token", "-c"]).arg(&file).output().expect("run");
    let token = text(&made.stdout).trim().to_owned();
    let clients = format!("http://127.0.0.1:{admin}/api/v1/clients");
    assert_eq!(http.get(&clients, Some(&token)).expect(200)["items"], serde_json::json!([]));
}

#[test]
fn a_token_asked_for_while_the_server_makes_its_first_key_makes_no_second_one() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("tokenward.toml");
    let content = format!("[store]\npath = \"{}/tokenward.db\"\n", folder.path().display());
    std::fs::write(&file, content).expect("file");
    let ask =
        || Command::new(PROGRAM).args(["admin-token", "-c"]).arg(&file).output().expect("run");
    // What a server holds from its very start.
    let lock = std::fs::File::create(folder.path().join("tokenward.lock")).expect("lock");
    lock.try_lock().expect("lock");
    let early = ask();
    assert_eq!(early.status.code(), Some(1));
    assert!(text(&early.stderr).contains("try again"), "{}", text(&early.stderr));
    drop(lock);
    assert!(ask().status.success());
}

/// How many TCP sockets of the process are listening.
fn listening(pid: u32) -> usize {
    let sockets: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("fd")
        .filter_map(|entry| {
            std::fs::read_link(entry.ok()?.path()).ok()?.into_os_string().into_string().ok()
        })
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.trim_end_matches(']').to_owned()))
        .collect();
    ["tcp", "tcp6"]
        .iter()
        .flat_map(|table| {
            std::fs::read_to_string(format!("/proc/{pid}/net/{table}"))
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            columns.get(3) == Some(&"0A")
                && columns.get(9).is_some_and(|inode| sockets.iter().any(|own| own == inode))
        })
        .count()
}
