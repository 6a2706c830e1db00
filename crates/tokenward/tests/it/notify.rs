//! Findings told to others, through the real program: tried before they matter, told when they are made, and after
//! a crash while the receiver was down.

use std::io::Read as _;
use std::net::TcpListener;
use std::process::Output;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::port::free_port;
use crate::support::receiver::{Request, receive};
use crate::support::served::Served;
use crate::support::{Product, text};

const PATIENCE: Duration = Duration::from_secs(20);

/// As a receiver would check it (Standard Webhooks 1.0).
fn is_signed(request: &Request, key: &[u8]) -> bool {
    let (id, secs) = (request.field("webhook-id"), request.field("webhook-timestamp"));
    let signed = format!("{id}.{secs}.{}", request.body);
    let tag = request.field("webhook-signature").strip_prefix("v1,").expect("version");
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::verify(&key, signed.as_bytes(), &STANDARD.decode(tag).expect("base64")).is_ok()
}

/// A webhook and a receiver of syslog on these ports.
fn options(folder: &tempfile::TempDir, webhook: u16, syslog: u16) -> String {
    let secret = folder.path().join("secret");
    std::fs::write(&secret, format!("whsec_{}\n", STANDARD.encode([7; 32]))).expect("secret");
    format!(
        r#"
        [notify]
        reach = ["127.0.0.0/8"]
        [[notify.webhook]]
        name = "ops"
        url = "http://127.0.0.1:{webhook}/hook?key=hidden"
        secret_file = "{secret}"
        detectors = ["tokens"]
        [[notify.webhook]]
        name = "traffic"
        url = "http://127.0.0.1:{webhook}/traffic"
        secret_file = "{secret}"
        detectors = ["traffic"]
        [[notify.syslog]]
        name = "siem"
        host = "127.0.0.1"
        port = {syslog}
        transport = "tcp"
        format = "cef"
        severity = "high"
        "#,
        secret = secret.display()
    )
}

/// Makes bait, and uses it as somebody would who has found it.
fn take_bait(product: &Served) -> String {
    let made = product.admin_call("POST", "/honeytokens", Some(json!({ "label": "in the wiki" })));
    let token = made["token"].as_str().expect("token");
    assert_eq!(product.http.get(&product.gateway("/healthz"), Some(token)).status, 401);
    made["jti"].as_str().expect("jti").to_owned()
}

fn listed(product: &Served, what: &[&str]) -> Vec<Value> {
    list(&product.command(what))
}

fn list(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", text(&output.stderr));
    let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    value.as_array().or(value["items"].as_array()).cloned().expect("a list")
}

#[test]
fn a_finding_reaches_those_who_asked_for_it() {
    let folder = tempfile::tempdir().expect("folder");
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("listener"));
    let ports = [0, 1].map(|n: usize| listeners[n].local_addr().expect("address").port());
    let [webhook, syslog] = listeners;
    let product = Served::start(&options(&folder, ports[0], ports[1]));
    let requests = receive(webhook);
    let messages = std::thread::spawn(move || {
        let (mut stream, _) = syslog.accept().expect("connection");
        let mut message = String::new();
        stream.read_to_string(&mut message).expect("message");
        message
    });

    let tested = product.command(&["notify", "test", "ops"]);
    assert_eq!(text(&tested.stdout), "ops: taken\n", "{}", text(&tested.stderr));
    let test = requests.recv_timeout(PATIENCE).expect("a request");
    assert!(is_signed(&test, &[7; 32]) && test.body.contains(r#""type":"test""#));

    let bait = take_bait(&product);
    let told = requests.recv_timeout(PATIENCE).expect("a request");
    assert!(told.head.starts_with("POST /hook?key=hidden HTTP/1.1"), "{}", told.head);
    assert!(is_signed(&told, &[7; 32]) && !is_signed(&told, &[8; 32]));
    let body: Value = serde_json::from_str(&told.body).expect("JSON");
    assert_eq!(body["type"], "finding.created");
    assert_eq!(
        (&body["data"]["detector"], &body["data"]["token"]),
        (&"honeytoken".into(), &json!(bait))
    );
    assert_eq!(body["data"]["evidence"]["label"], "in the wiki");
    let message = messages.join().expect("message");
    assert!(message.contains("tokenward") && message.contains("|honeytoken|"), "{message}");
    assert!(requests.recv_timeout(Duration::from_millis(300)).is_err(), "nobody else is told");

    let outlets = listed(&product, &["notify", "list", "--json"]);
    let names: Vec<_> = outlets.iter().map(|one| one["name"].as_str().expect("name")).collect();
    assert_eq!(names, ["ops", "traffic", "siem"]);
    assert_eq!(outlets[0]["place"], format!("http://127.0.0.1:{}", ports[0]));
    let unknown = product.command(&["notify", "test", "other"]);
    assert!(text(&unknown.stderr).contains("outlet"), "{}", text(&unknown.stderr));
}

#[test]
fn what_could_not_be_told_is_told_after_a_crash() {
    let folder = tempfile::tempdir().expect("folder");
    let (webhook, syslog) = (free_port(), free_port());
    let product = Served::start(&options(&folder, webhook, syslog));
    let down = product.command(&["notify", "test", "ops"]);
    assert_eq!(down.status.code(), Some(1));
    assert!(text(&down.stderr).contains("ops: not taken"), "{}", text(&down.stderr));
    take_bait(&product);
    let mut waiting = Vec::new();
    for _ in 0..100 {
        waiting = listed(&product, &["notify", "waiting", "--json"]);
        if waiting.len() == 2 && waiting.iter().all(|one| one["tries"] != 0) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let ours = waiting.iter().find(|one| one["outlet"] == "ops").expect("the webhook's");
    let id = ours["id"].as_str().expect("id").to_owned();
    let cause = ours["cause"].as_str().expect("cause");
    assert!(cause.contains("cannot be fetched") && !cause.contains("/hook"), "{cause}");

    let product = product.again();
    let requests = receive(TcpListener::bind(("127.0.0.1", webhook)).expect("listener"));
    let told = requests.recv_timeout(PATIENCE).expect("a request");
    assert_eq!(told.field("webhook-id"), id);
    assert!(is_signed(&told, &[7; 32]));
    let left = listed(&product, &["notify", "waiting", "--json"]);
    let siem = left.iter().find(|one| one["outlet"] == "siem").expect("the other's");
    let forgotten = product.command(&["notify", "forget", siem["id"].as_str().expect("id")]);
    assert!(forgotten.status.success());
    assert!(product.command(&["notify", "dead"]).status.success());
}

#[test]
fn planted_bait_says_where_it_was_found() {
    let folder = tempfile::tempdir().expect("folder");
    // Or the first bait would have this machine blocked at the gateway.
    let product = Served::start("[detect]\nresponses = false");
    let file = folder.path().join(".env");
    std::fs::write(&file, "OTHER=1").expect("file");
    let plant = |kind: &str, name: &str| -> String {
        let path = file.to_str().expect("path");
        let planted = ["honeytoken", "plant", "--kind", kind, "--file", path, "--name", name];
        let planted = product.command(&planted);
        assert!(planted.status.success(), "{}", text(&planted.stderr));
        let lines = std::fs::read_to_string(&file).expect("file");
        assert!(lines.starts_with("OTHER=1\n"), "{lines}");
        let line = lines.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        line.expect("a line").to_owned()
    };
    let refresh = plant("refresh_token", "REFRESH");
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let answer = product.http.post_form(&product.issuer("/token"), Some(("nobody", "x")), &form);
    assert_eq!(answer.status, 401, "{answer:?}");
    let secret = plant("client_secret", "SECRET");
    let form = [("grant_type", "client_credentials")];
    let client = Some(("nobody", secret.as_str()));
    assert_eq!(product.http.post_form(&product.issuer("/token"), client, &form).status, 401);
    let personal = plant("personal_token", "PERSONAL");
    let answer = product.http.get(&product.gateway("/healthz"), Some(&personal));
    assert_eq!(answer.status, 401, "{answer:?}");
    let mut labels = Vec::new();
    for _ in 0..100 {
        let findings = product.admin_call("GET", "/findings", None);
        let items = findings["items"].as_array().cloned().unwrap_or_default();
        labels = items
            .iter()
            .filter_map(|one| one["finding"]["evidence"]["label"].as_str().map(str::to_owned))
            .collect();
        if labels.len() == 3 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let path = file.canonicalize().expect("path").display().to_string();
    for (label, start) in labels.iter().zip([
        "personal_token as PERSONAL in ",
        "client_secret as SECRET in ",
        "refresh_token as REFRESH in ",
    ]) {
        assert!(label.starts_with(start) && label.contains(&path), "{labels:?}");
    }
    assert_eq!(labels.len(), 3);
    let printed = product.command(&["honeytoken", "plant", "--env", "--name", "DEPLOY"]);
    assert!(text(&printed.stdout).starts_with("export DEPLOY=twp_"), "{}", text(&printed.stderr));
}

#[test]
fn a_person_is_asked_once_whether_it_was_them() {
    let product = Product::start();
    let tokens = product.sign_in("openid orders:read offline_access");
    let stolen = tokens["refresh_token"].as_str().expect("refresh token");
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", stolen)];
    let rotated = product.token(&refresh).expect(200);
    let next = rotated["refresh_token"].as_str().expect("refresh token");
    product.token(&[("grant_type", "refresh_token"), ("refresh_token", next)]).expect(200);
    for _ in 0..2 {
        assert_eq!(product.token(&refresh).status, 400);
    }
    product.finding("refresh_reuse");
    let mut letters = Vec::new();
    for _ in 0..100 {
        letters = listed_of(&product, &["mail", "list", "--json"]);
        if !letters.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(letters[0].to_string().contains("Was this you at "), "{letters:?}");
    let outlets = listed_of(&product, &["notify", "list", "--json"]);
    assert_eq!((&outlets[0]["name"], &outlets[0]["kind"]), (&"people".into(), &"person".into()));
    let tested = product.command(&["notify", "test", "people"]);
    assert!(text(&tested.stderr).contains("concerns nobody"), "{}", text(&tested.stderr));
}

fn listed_of(product: &Product, what: &[&str]) -> Vec<Value> {
    list(&product.command(what))
}
