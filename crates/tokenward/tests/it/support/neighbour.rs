//! A proxy of another maker by the recipe in `deploy/`, before a recording API, with Tokenward to ask.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use super::port::free_port;
use super::recording::Recording;
use super::root;
use super::served::Served;

/// The ports that the recipes have for the proxy, for Tokenward and for the API.
const SHIPPED: [&str; 3] = ["8000", "8083", "9000"];

/// All three, ended when dropped.
pub(crate) struct Neighbour {
    proxy: Child,
    port: u16,
    pub(crate) api: Recording,
    pub(crate) tokenward: Served,
    client: (String, String),
    _folder: TempDir,
}

/// An answer as it came.
pub(crate) struct Raw {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

// === impl Neighbour ===

impl Neighbour {
    /// Starts the proxy by the recipe in this folder, with the ports of this machine in it; the command is
    /// run in a copy of the folder.
    pub(crate) fn start(recipe: &str, command: impl FnOnce(&Path) -> Command) -> Self {
        let (api, ports) = (Recording::start(), [free_port(), free_port()]);
        let tokenward = Served::start(&configuration(ports[1]));
        let folder = tempfile::tempdir().expect("folder");
        copy(recipe, folder.path(), [ports[0], ports[1], api.port()]);
        let mut command = command(folder.path());
        command.current_dir(folder.path()).stdout(Stdio::null());
        let proxy = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let client = tokenward.client(json!({ "client_name": "caller", "scope": "health" }));
        Self { proxy, port: ports[0], api, tokenward, client, _folder: folder }.listening()
    }

    fn listening(mut self) -> Self {
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < until, "the proxy does not listen");
            assert!(self.proxy.try_wait().expect("status").is_none(), "the proxy ended");
            std::thread::sleep(Duration::from_millis(25));
        }
        // It listens before its routes are there, and before it has found Tokenward.
        while self.ask("GET /public/ready", "").status != 200 {
            assert!(Instant::now() < until, "the proxy does not forward");
            std::thread::sleep(Duration::from_millis(25));
        }
        self.api.arrived();
        self
    }

    /// A good token with the scope `health`.
    pub(crate) fn token(&self) -> String {
        let (id, secret) = &self.client;
        let parameters = [("grant_type", "client_credentials")];
        let url = self.tokenward.issuer("/token");
        let answer = self.tokenward.http.post_form(&url, Some((id, secret)), &parameters);
        answer.expect(200)["access_token"].as_str().expect("access token").to_owned()
    }

    pub(crate) fn revoke(&self, token: &str) {
        let (id, secret) = &self.client;
        let url = self.tokenward.issuer("/revoke");
        self.tokenward.http.post_form(&url, Some((id, secret)), &[("token", token)]).expect(200);
    }

    /// A request to the proxy, by its first line and more fields.
    pub(crate) fn ask(&self, line: &str, fields: &str) -> Raw {
        ask(Ipv4Addr::LOCALHOST, self.port, line, fields)
    }

    /// The same from another address.
    pub(crate) fn ask_from(&self, from: Ipv4Addr, line: &str, fields: &str) -> Raw {
        ask(from, self.port, line, fields)
    }

    /// The same to the gateway's own door.
    pub(crate) fn ask_gateway(&self, line: &str, fields: &str) -> Raw {
        let url = self.tokenward.gateway("");
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("port");
        ask(Ipv4Addr::LOCALHOST, port, line, fields)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        // By TERM first: workers may outlive a killed master.
        let _ = Command::new("kill").arg(self.proxy.id().to_string()).status();
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until && matches!(self.proxy.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

// === impl Raw ===

impl Raw {
    /// The values of a field, in order.
    pub(crate) fn fields(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let named = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim()).collect()
    }
}

fn configuration(port: u16) -> String {
    format!(
        r#"
        [gateway.auth]
        listen = "127.0.0.1:{port}"
        [[gateway.route]]
        path = "/api/{{rest...}}"
        methods = ["GET"]
        scopes = ["health"]
        upstream = "api"
        [[gateway.route]]
        path = "/write/{{rest...}}"
        scopes = ["write"]
        upstream = "api"
        [[gateway.route]]
        path = "/public/{{rest...}}"
        public = true
        upstream = "api"
        [[scope]]
        name = "write"
        description = "Change things"
        "#
    )
}

/// Copies a recipe; each shipped port becomes one of these.
fn copy(recipe: &str, to: &Path, ports: [u16; 3]) {
    for entry in std::fs::read_dir(root().join("deploy").join(recipe)).expect("recipe") {
        let path = entry.expect("entry").path();
        let mut text = std::fs::read_to_string(&path).expect("text");
        for (at, shipped) in SHIPPED.iter().enumerate() {
            text = text.replace(shipped, &format!("<{at}>"));
        }
        for (at, port) in ports.iter().enumerate() {
            text = text.replace(&format!("<{at}>"), &port.to_string());
        }
        std::fs::write(to.join(path.file_name().expect("name")), text).expect("copy");
    }
}

fn ask(from: Ipv4Addr, port: u16, line: &str, fields: &str) -> Raw {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
    socket.bind(&SocketAddr::from((from, 0)).into()).expect("bind");
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).expect("connect");
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
    let request =
        format!("{line} HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).expect("request");
    let mut answer = Vec::new();
    // A connection that is reset after its answer has answered all the same.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Raw { status: status.unwrap_or(0), head: head.to_owned(), body: body.to_owned() }
}
