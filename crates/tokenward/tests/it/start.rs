//! `tokenward dev`: one command, one line, everything usable.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{PROGRAM, Product, dev, output_of, text};

const MEMBERS: [&str; 11] = [
    "issuer",
    "gateway",
    "admin",
    "upstream",
    "admin_token",
    "initial_access_token",
    "client_id",
    "client_secret",
    "username",
    "password",
    "data_dir",
];

#[test]
fn json_prints_exactly_one_line_with_exactly_these_members() {
    let mut product = Product::start();
    let line = product.line.as_object().expect("object").clone();
    let mut names: Vec<&str> = line.keys().map(String::as_str).collect();
    names.sort_unstable();
    let mut expected = MEMBERS;
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert!(line.values().all(Value::is_string), "{line:?}");
    product.access_token();
    product.signal("TERM");
    assert_eq!(product.wait(), Some(0));
    assert_eq!(product.rest_of_output(), "");
}

#[test]
fn the_line_is_usable_at_every_start() {
    let folder = tempfile::tempdir().expect("folder");
    let mut first = Product::start_in(folder.path(), &[]);
    let id = first.said("client_id").to_owned();
    let old_secret = first.said("client_secret").to_owned();
    first.sign_in("openid orders:read");
    first.kill();
    let second = Product::start_in(folder.path(), &[]);
    assert_eq!(second.said("client_id"), id);
    second.sign_in("openid orders:read");
    second.access_token();
    second.admin_call("GET", "/health", None).expect(200);
    let url = second.issuer("/token");
    let stale = second.http.post_form(
        &url,
        Some((&id, &old_secret)),
        &[("grant_type", "client_credentials")],
    );
    assert_eq!(stale.status, 401);
}

#[test]
fn everything_is_reachable_with_what_the_line_says() {
    let product = Product::start();
    let token = product.access_token();
    for path in ["/orders", "/orders/1001", "/invoices", "/invoices/501", "/users", "/users/1"] {
        product.api(path, &token).expect(200);
    }
    // The gateway stands before the sample API, which itself trusts whoever reaches it.
    assert_eq!(product.http.try_get(&format!("{}/orders", product.said("upstream"))), Some(200));
    let discovery =
        product.http.get(&product.issuer("/.well-known/oauth-authorization-server"), None);
    assert_eq!(discovery.expect(200)["issuer"], product.line["issuer"]);
    let url = product.issuer("/register");
    let body =
        serde_json::json!({ "redirect_uris": ["http://127.0.0.1/cb"], "client_name": "App" });
    let made =
        product.http.json("POST", &url, Some(product.said("initial_access_token")), Some(body));
    assert!(made.expect(201)["client_id"].is_string());
}

#[test]
fn an_older_client_registers_itself_where_the_door_is_open() {
    let folder = tempfile::tempdir().expect("folder");
    let mut command = dev(&["--json", "--data-dir"]);
    command.arg(folder.path()).env("TOKENWARD_AUTHORITY__REGISTRATION__POLICY", "open");
    let product = Product::of(&mut command);
    let url = product.issuer("/.well-known/oauth-authorization-server");
    let metadata = product.http.get(&url, None).expect(200);
    let url = metadata["registration_endpoint"].as_str().expect("endpoint").to_owned();
    let body = serde_json::json!({
        "client_name": "An agent", "redirect_uris": ["http://127.0.0.1:33418/callback"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    let made = product.http.json("POST", &url, None, Some(body.clone())).expect(201);
    assert_eq!(made["token_endpoint_auth_method"], "none");
    let mut machine = body;
    machine["grant_types"] = serde_json::json!(["client_credentials"]);
    machine["token_endpoint_auth_method"] = "client_secret_basic".into();
    let refused = product.http.json("POST", &url, None, Some(machine)).expect(400);
    assert_eq!(refused["error"], "invalid_client_metadata");
}

#[test]
fn the_five_printed_commands_work_when_pasted() {
    let folder = tempfile::tempdir().expect("folder");
    let product = Product::start_in(folder.path(), &[]);
    let banner = output_of(Command::new(PROGRAM).args(["dev", "--help"]));
    assert!(banner.contains("--upstream"));
    // The same text that a person sees, for this running product.
    let script = std::fs::read_to_string(folder.path().join("try.sh")).expect("try.sh");
    let output = Command::new("sh").arg("-c").arg(&script).output().expect("sh");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    for expected in ["\"customer\"", "insufficient_scope", "401", "forged_token", "blocked"] {
        assert!(out.contains(expected), "no {expected} in\n{out}\n{err}\n{script}");
    }
    assert_eq!(product.api("/orders", &product.access_token()).status, 403);
}

#[test]
fn the_banner_names_what_runs_where() {
    let folder = tempfile::tempdir().expect("folder");
    let mut command = dev(&["--data-dir"]);
    let mut child = command.arg(folder.path()).stdout(Stdio::piped()).spawn().expect("start");
    let mut banner = String::new();
    let mut reader = std::io::BufReader::new(child.stdout.take().expect("stdout"));
    while !banner.contains("Ctrl-C") {
        let read = std::io::BufRead::read_line(&mut reader, &mut banner).expect("line");
        assert!(read > 0, "the program ended early:\n{banner}");
    }
    let _ = child.kill();
    let _ = child.wait();
    for part in ["authority", "gateway", "admin", "client_id", "password", "curl"] {
        assert!(banner.contains(part), "no {part} in\n{banner}");
    }
}

#[test]
fn one_data_folder_serves_one_process() {
    let folder = tempfile::tempdir().expect("folder");
    let _first = Product::start_in(folder.path(), &[]);
    let second = dev(&["--json", "--data-dir"]).arg(folder.path()).output().expect("run");
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("another tokenward"), "{}", text(&second.stderr));
}

#[test]
fn a_taken_port_is_named_with_the_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let address = taken.local_addr().expect("address").to_string();
    let output = Command::new(PROGRAM)
        .args(["dev", "--json", "--ephemeral", "--authority-listen", &address])
        .args(["--gateway-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
        .output()
        .expect("run");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains(&address) && said.contains("--authority-listen"), "{said}");
}

#[test]
fn ephemeral_leaves_nothing_behind() {
    let mut product = Product::of(&mut dev(&["--json", "--ephemeral"]));
    let folder = std::path::PathBuf::from(product.said("data_dir"));
    assert!(folder.is_dir());
    product.signal("TERM");
    product.wait();
    assert!(!folder.exists());
}

#[test]
fn an_own_upstream_is_put_behind_the_gateway() {
    use std::io::{Read as _, Write as _};
    let upstream = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let url = format!("http://{}", upstream.local_addr().expect("address"));
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = upstream.accept().expect("connection");
        let mut head = Vec::new();
        let mut byte = [0u8; 1];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("read") > 0 {
            head.push(byte[0]);
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nmine!")
            .expect("write");
        String::from_utf8(head).expect("text").to_ascii_lowercase()
    });
    let product = Product::start_with(&["--upstream", &url]);
    assert_eq!(product.said("upstream"), url);
    let answer = product.api("/anything/at/all?x=1", &product.access_token());
    assert_eq!((answer.status, answer.body.as_str()), (200, "mine!"));
    let head = answering.join().expect("head");
    assert!(head.starts_with("get /anything/at/all?x=1 http/1.1\r\n"), "{head}");
    assert!(head.contains("tokenward-client: demo\r\n"), "{head}");
    assert!(!head.contains("\r\nauthorization:"), "{head}");
    assert_eq!(product.http.get(&product.gateway("/anything"), None).status, 401);
}
