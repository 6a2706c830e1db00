//! Health, readiness, metrics, logs, and an orderly end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{PROGRAM, Product, dev, output_of, program, text};

#[test]
fn health_readiness_and_metrics_are_on_the_admin_listener() {
    let product = Product::start();
    product.http.get(&product.admin("/healthz"), None).expect(200);
    product.http.get(&product.admin("/readyz"), None).expect(200);
    let token = product.access_token();
    product.api("/orders", &token).expect(200);
    product.http.get(&product.gateway("/orders"), None).expect(401);
    let answer = product.http.get(&product.admin("/metrics"), None);
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/plain"));
    for name in [
        "tokenward_gateway_requests_total",
        "tokenward_restrictions",
        "tokenward_events_lost_total",
        "tokenward_passwords{state=\"waiting\"} 0",
        "tokenward_passwords_shed_total 0",
        "tokenward_letters_total{result=\"lost\"} 0",
        "# TYPE tokenward_gateway_request_duration_seconds histogram",
        "tokenward_gateway_request_duration_seconds_bucket{le=\"+Inf\"} 2",
        "tokenward_gateway_request_duration_seconds_count 2",
    ] {
        assert!(answer.body.contains(name), "no {name} in\n{}", answer.body);
    }
    for path in ["/healthz", "/metrics", "/api/v1/health"] {
        assert_ne!(product.http.get(&product.issuer(path), None).status, 200);
        assert_ne!(product.http.get(&product.gateway(path), None).status, 200);
    }
}

/// A start that fails says why and nothing else.
#[test]
fn a_start_that_fails_is_no_panic() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("tokenward.toml");
    let store = folder.path().join("tokenward.db");
    let content = format!(
        "[store]\npath = {store:?}\n[authority]\nlisten = \"127.0.0.1:0\"\nclient_ca = \"/nowhere/ca.pem\"\n"
    );
    std::fs::write(&file, content).expect("file");
    for _ in 0..3 {
        let output = program().args(["serve", "-c"]).arg(&file).output().expect("run");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("error: authority.client_ca"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn no_secret_is_in_metrics_or_logs() {
    let folder = tempfile::tempdir().expect("folder");
    let mut product = Product::of(
        dev(&["--json", "--data-dir"])
            .arg(folder.path())
            .env("TOKENWARD_LOG__LEVEL", "debug")
            .stderr(Stdio::piped()),
    );
    let (id, secret) = product.client();
    let token = product.access_token();
    product.api("/orders", &token).expect(200);
    let wrong = [("grant_type", "client_credentials")];
    let url = product.issuer("/token");
    product.http.post_form(&url, Some((&id, "a-wrong-secret")), &wrong).expect(401);
    let metrics = product.http.get(&product.admin("/metrics"), None).body;
    product.signal("TERM");
    let log = product.log();
    let signature = token.rsplit('.').next().expect("signature").to_owned();
    let (password, admin) = (product.said("password"), product.said("admin_token"));
    for hidden in [&secret, &token, &signature, password, admin, "a-wrong-secret"] {
        assert!(!log.contains(hidden), "a secret is in the log");
        assert!(!metrics.contains(hidden), "a secret is in the metrics");
    }
}

#[test]
fn a_request_in_flight_is_finished_before_the_end() {
    let upstream = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let url = format!("http://{}", upstream.local_addr().expect("address"));
    let (arrived, seen) = std::sync::mpsc::channel();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = upstream.accept().expect("connection");
        let mut head = [0u8; 4096];
        let _ = stream.read(&mut head).expect("head");
        arrived.send(()).expect("told");
        std::thread::sleep(Duration::from_millis(600));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate").expect("answer");
    });
    let mut product = Product::start_with(&["--upstream", &url]);
    let token = product.access_token();
    let address = product.said("gateway").trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).expect("gateway");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
    write!(stream, "GET /slow HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n").expect("request");
    seen.recv_timeout(Duration::from_secs(10)).expect("the request reached the upstream");
    product.signal("TERM");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("late"), "{answer}");
    assert_eq!(product.wait(), Some(0));
    serving.join().expect("upstream");
}

/// A client that was just answered may have sent its next request before it could hear of the end.
#[test]
fn an_end_under_load_fails_no_request() {
    let mut product = Product::start();
    let token = product.access_token();
    let address = product.said("gateway").trim_start_matches("http://").to_owned();
    let (told, answers) = std::sync::mpsc::channel();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (token, address, told) = (token.clone(), address.clone(), told.clone());
            std::thread::spawn(move || {
                let mut stream = TcpStream::connect(&address).expect("gateway");
                stream.set_read_timeout(Some(Duration::from_secs(20))).expect("timeout");
                loop {
                    // So that some connections rest when the end comes.
                    std::thread::sleep(Duration::from_millis(5));
                    write!(stream, "GET /orders HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n").expect("request");
                    let head = one_answer(&mut stream);
                    told.send(head.lines().next().unwrap_or_default().to_owned()).expect("told");
                    if head.to_ascii_lowercase().contains("connection: close") {
                        return;
                    }
                }
            })
        })
        .collect();
    drop(told);
    for _ in 0..40 {
        answers.recv_timeout(Duration::from_secs(20)).expect("load");
    }
    product.signal("TERM");
    // Each is told with an answer that it was the last.
    for status in answers {
        assert_eq!(status, "HTTP/1.1 200 OK");
    }
    assert!(clients.into_iter().all(|client| client.join().is_ok()));
    assert_eq!(product.wait(), Some(0));
}

/// The head of an answer whose body is read too.
fn one_answer(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0u8];
        stream.read_exact(&mut byte).expect("an answer");
        head.extend(byte);
    }
    let head = text(&head);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.parse().ok()).expect("length");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("a body");
    head
}

#[test]
fn recorded_events_replay_to_the_findings_that_were_made() {
    let folder = tempfile::tempdir().expect("folder");
    let record = folder.path().join("events.jsonl");
    let data = folder.path().join("data");
    // `dev` takes options of the configuration from the environment like `serve`.
    let mut product = Product::of(
        dev(&["--json", "--data-dir"]).arg(&data).env("TOKENWARD_DETECT__RECORD", &record),
    );
    let forger = crate::support::http::Http::from([127, 0, 0, 44].into());
    for _ in 0..3 {
        forger.get(&product.gateway("/orders"), Some("eyJhbGciOiJub25lIn0.e30."));
    }
    product.signal("TERM");
    product.wait();
    let replay = || {
        let output = Command::new(PROGRAM)
            .args(["detect", "replay", "--summary"])
            .arg(&record)
            .output()
            .expect("run");
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let found = replay();
    assert!(
        found.contains("\"detector\":\"forged_token\"") && found.contains("127.0.0.44"),
        "{found}"
    );
    assert_eq!(found, replay());
}

#[test]
fn made_traffic_has_the_attacks_that_its_labels_name() {
    let folder = tempfile::tempdir().expect("folder");
    let [labels, file] = ["labels", "events"].map(|name| folder.path().join(name));
    let generate = |name: &str| {
        let mut command = Command::new(PROGRAM);
        command.args(["detect", "generate", "--seed", "5", "--scenario", name, "--labels"]);
        command.arg(&labels).output().expect("run")
    };
    let made = generate("forged_token");
    assert!(made.status.success(), "{}", text(&made.stderr));
    let label = std::fs::read_to_string(&labels).expect("labels");
    let label: serde_json::Value = serde_json::from_str(label.trim()).expect("one attack");
    assert_eq!(label["scenario"], "forged_token");
    let ip = format!("\"ip\":{}", label["ip"]);
    let made = text(&made.stdout);
    assert!(made.lines().count() > 10_000, "ordinary traffic is in it too");
    let theirs: Vec<&str> = made.lines().filter(|line| line.contains(&ip)).collect();
    std::fs::write(&file, theirs.join("\n")).expect("file");
    let replay = Command::new(PROGRAM).args(["detect", "replay"]).arg(&file).output().expect("run");
    let found = text(&replay.stdout);
    assert!(found.contains("\"detector\":\"forged_token\"") && found.contains(&ip), "{found}");

    let wrong = generate("forged");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("`forged_token`"), "{}", text(&wrong.stderr));
}

#[test]
fn replay_names_the_line_that_is_no_event() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("e.jsonl");
    std::fs::write(&file, "{\"ts\":\"2026-01-01T00:00:00.000Z\",\"kind\":\"device\"}\n{broken\n")
        .expect("file");
    let output = Command::new(PROGRAM).args(["detect", "replay"]).arg(&file).output().expect("run");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("line 2"), "{}", text(&output.stderr));
}

#[test]
fn lines_that_are_no_events_are_left_out_told_and_counted_where_that_is_wanted() {
    let folder = tempfile::tempdir().expect("folder");
    let [file, policy] = ["events", "policy.toml"].map(|name| folder.path().join(name));
    let bait = |second: u32| {
        format!(
            r#"{{"ts":"2026-01-01T00:00:{second:02}.000Z","kind":"request","ip":"192.0.2.{second}","refused":"honeytoken"}}"#
        )
    };
    let long = "x".repeat(3 << 20);
    let broken = "{broken\n".repeat(24);
    std::fs::write(&file, format!("{}\n{long}\n{}\n{broken}{}\n", bait(1), bait(2), bait(3)))
        .expect("file");
    std::fs::write(&policy, "").expect("file");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.arg("detect").args(arguments).arg(&file).output().expect("run")
    };
    let ended = run(&["replay"]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(text(&ended.stderr).contains("line 2: not an event: it is longer than 1 MiB"));
    let policy = policy.to_str().expect("path");
    for whole in [
        run(&["replay", "--summary", "--keep-going"]),
        run(&["simulate", "--json", "--keep-going", "--policy", policy]),
    ] {
        assert_eq!(whole.status.code(), Some(3));
        let (out, said) = (text(&whole.stdout), text(&whole.stderr));
        assert!(out.contains(r#""events":3,"findings":3"#), "{out}");
        assert_eq!(said.matches("warning: ").count(), 20, "{said}");
        assert!(said.contains("events: line 4: not an event: "), "{said}");
        assert!(said.contains("events: line 22: not an event: "), "{said}");
        assert!(said.ends_with("events: 25 lines that are no events were left out\n"), "{said}");
    }
    std::fs::write(&file, bait(1)).expect("file");
    let good = run(&["replay", "--keep-going"]);
    assert_eq!((good.status.code(), text(&good.stderr)), (Some(0), String::new()));
}

#[test]
fn replay_reads_what_is_packed_and_what_is_being_written() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("events");
    let line = r#"{"ts":"2026-01-01T00:00:00.000Z","kind":"request","ip":"192.0.2.9","refused":"honeytoken"}"#;
    let half = &line[..30];
    std::fs::write(&file, format!("{line}\n{half}")).expect("file");
    output_of(Command::new("gzip").arg("-k").arg(&file));
    let packed = folder.path().join("packed");
    std::fs::rename(folder.path().join("events.gz"), &packed).expect("renamed");
    let replay = |input: Option<&Path>, file: &str| {
        let mut command = Command::new(PROGRAM);
        command.args(["detect", "replay", "--summary", file]);
        if let Some(input) = input {
            command.stdin(std::fs::File::open(input).expect("input"));
        }
        output_of(&mut command)
    };
    let plain = replay(None, file.to_str().expect("path"));
    assert!(plain.contains(r#"{"events":1,"findings":1,"#), "{plain}");
    assert_eq!(plain, replay(None, packed.to_str().expect("path")));
    assert_eq!(plain, replay(Some(&packed), "-"));
}
