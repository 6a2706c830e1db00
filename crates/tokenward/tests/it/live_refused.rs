//! A configuration that is wrong, or that needs a restart, is refused whole, with its place; the old one serves.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};

use crate::support::backend::{Backend, Connection};
use crate::support::served::Served;
use crate::support::{Product, text};

const ROUTE: &str = "[[gateway.route]]\npath = \"/own\"\nupstream = \"own\"\npublic = true\n";

fn own(backend: &Backend) -> String {
    format!("[gateway.upstreams.own]\nservers = [\"{}\"]\n{ROUTE}", backend.url())
}

/// The problem that a reload is answered with, and what the command line says of it.
fn refused(served: &Served) -> (Value, Output) {
    let url = served.admin("/api/v1/config/reload");
    let answer = served.http.json("POST", &url, Some(served.token()), None);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    (answer.expect(422), served.command(&["config", "reload"]))
}

/// The line of a text in the configuration file.
fn line_of(served: &Served, what: &str) -> usize {
    let content = std::fs::read_to_string(served.file()).expect("file");
    content.lines().position(|line| line.contains(what)).expect(what) + 1
}

fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < until, "{what} did not come true");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_is_wrong_is_named_and_the_old_one_serves() {
    let backend = Backend::start("one");
    let good = own(&backend);
    let served = Served::start(&good);
    let mut client = Connection::open(served.gateway_port());
    let limit = "[[gateway.limit]]\nname = \"twice\"\nrate = \"1/s\"\n";
    for (more, found, key, reason) in [
        ("[gateway.cors\n".to_owned(), "[gateway.cors", Value::Null, "unclosed table"),
        (
            ROUTE.replace("public", "publik").replace("/own", "/a"),
            "publik",
            json!("gateway.route[2].publik"),
            "unknown field `publik`",
        ),
        (
            "[[gateway.route]]\npath = \"/a\"\nupstream = \"nobody\"\n".to_owned(),
            "nobody",
            json!("gateway.route[2].upstream"),
            "no upstream is named `nobody` (known: api, own)",
        ),
        (limit.repeat(2), "twice", json!("gateway.limit[1].name"), "limit `twice` is there twice"),
        (ROUTE.to_owned(), "/own", json!("gateway.route[2].path"), "has a rule already"),
        ("[log]\nlevel = \"warn\"\n".to_owned(), "warn", json!("log.level"), "needs a restart"),
    ] {
        served.configure(&format!("{good}{more}"));
        let (problem, said) = refused(&served);
        let mistakes = problem["mistakes"].as_array().expect("mistakes");
        let [mistake] = mistakes.as_slice() else { panic!("{problem}") };
        assert_eq!(mistake["file"], served.file().display().to_string());
        assert_eq!(mistake["key"], key, "{more}");
        let words = mistake["reason"].as_str().expect("reason");
        assert!(words.contains(reason), "{words}");
        let line = mistake["line"].as_u64().expect("line");
        // The later one of two.
        let first = line_of(&served, found) as u64;
        assert!(line >= first, "{problem}");
        assert!(mistake["column"].as_u64().is_some_and(|column| column > 0), "{problem}");
        assert_eq!(said.status.code(), Some(1));
        let said = text(&said.stderr);
        let place = format!("tokenward.toml:{line}: ");
        assert!(said.contains(&place) && said.contains(reason), "{said}");
        assert_eq!(client.get("/own"), (200, "one".to_owned()), "on the same connection");
        assert_eq!(served.http.get(&served.gateway("/a"), None).status, 401);
    }
    let shown = served.admin_call("GET", "/config", None);
    assert_eq!(
        (&shown["version"], &shown["refused"]["mistakes"][0]["key"]),
        (&json!(1), &json!("log.level"))
    );
    let audit = served.admin_call("GET", "/audit", None);
    assert_eq!(audit["items"][0]["action"], "config.refuse");
    let page = served.http.get(&served.admin("/metrics"), None).body;
    assert!(page.contains("tokenward_config_reloads_total{result=\"refused\"} "), "{page}");
    assert!(page.contains("tokenward_config_refused 1"), "{page}");
}

#[test]
fn several_options_that_need_a_restart_are_all_named_and_nothing_else_is_applied() {
    let backend = Backend::start("one");
    let good = own(&backend);
    let served = Served::start(&good);
    let new = ROUTE.replace("/own", "/new");
    served.configure_with(
        "threads = 3\ncache_entries = 5",
        &format!("{good}{new}[detect]\nqueue = 7\n"),
    );
    let (problem, _) = refused(&served);
    let mistakes = problem["mistakes"].as_array().expect("mistakes");
    let keys: Vec<&str> = mistakes.iter().filter_map(|one| one["key"].as_str()).collect();
    assert_eq!(keys, ["detect.queue", "gateway.cache_entries", "gateway.threads"]);
    assert_eq!(served.http.get(&served.gateway("/new"), None).status, 401);
    served.configure(&format!("{good}{new}"));
    assert_eq!(
        served.admin_call("POST", "/config/reload", None)["changed"],
        json!(["gateway.route"])
    );
    assert_eq!(served.http.get(&served.gateway("/new"), None).status, 200);
}

#[test]
fn a_file_that_is_half_written_is_refused_and_the_whole_one_taken() {
    let backend = Backend::start("one");
    let good = own(&backend);
    let served = Served::start(&good);
    served.configure(&format!("{good}{}", ROUTE.replace("/own", "/new")));
    let whole = std::fs::read(served.file()).expect("file");
    std::fs::write(served.file(), &whole[..whole.len() - 20]).expect("file");
    let shown = || served.admin_call("GET", "/config", None);
    soon("the refusal", || !shown()["refused"].is_null());
    assert_eq!(served.http.get(&served.gateway("/own"), None).status, 200);
    let audit = served.admin_call("GET", "/audit", None);
    assert_eq!(audit["items"][0]["actor"], "system:files");
    std::fs::write(served.file(), &whole).expect("file");
    soon("the whole file", || served.http.get(&served.gateway("/new"), None).status == 200);
    assert!(shown()["refused"].is_null());
}

#[test]
fn without_a_file_there_is_nothing_to_read_again() {
    let product = Product::start();
    assert_eq!(product.admin_call("POST", "/config/reload", None).status, 409);
    let shown = product.admin_call("GET", "/config", None).expect(200);
    assert_eq!((&shown["file"], &shown["version"]), (&Value::Null, &json!(1)));
}

/// Writes a new pair; its certificate.
fn pair(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("certificate");
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).expect("certificate");
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("key");
    made.cert.der().clone()
}

/// Whether the next handshake is with this certificate.
fn shows(port: u16, expected: &CertificateDer<'static>) -> bool {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(expected.clone()).expect("root");
    let config =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("name");
    let mut connection = rustls::ClientConnection::new(Arc::new(config), name).expect("connection");
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("connect");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("timeout");
    while connection.is_handshaking() {
        if connection.complete_io(&mut stream).is_err() {
            return false;
        }
    }
    true
}

#[test]
fn certificates_of_a_listener_are_renewed_and_a_pair_that_does_not_fit_is_not() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let backend = Backend::start("one");
    let (folder, elsewhere) =
        (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
    let first = pair(folder.path());
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let tls = format!(
        "tls = {{ certificate = \"{}\", key = \"{}\" }}",
        certificate.display(),
        key.display()
    );
    let served = Served::start_with(&tls, &own(&backend));
    let port = served.gateway_port();
    assert!(shows(port, &first));
    // A key that belongs to another certificate.
    pair(elsewhere.path());
    std::fs::copy(elsewhere.path().join("key.pem"), &key).expect("key");
    let (problem, _) = refused(&served);
    let mistake = &problem["mistakes"][0];
    assert_eq!(mistake["key"], "gateway.tls.key");
    assert_eq!(mistake["line"], line_of(&served, "tls = "));
    assert!(
        mistake["reason"].as_str().expect("reason").contains("do not fit together"),
        "{mistake}"
    );
    assert!(!problem.to_string().contains("PRIVATE"), "no key is printed");
    assert!(shows(port, &first));

    let second = pair(folder.path());
    soon("the new certificate", || shows(port, &second));
    // Nor does it wait until somebody mends a rule.
    served.configure_with(&format!("{tls}\nlisten = 5"), &own(&backend));
    refused(&served);
    let third = pair(folder.path());
    soon("the newest certificate", || shows(port, &third));
}
