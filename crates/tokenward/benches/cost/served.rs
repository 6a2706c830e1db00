//! `tokenward serve` under measurement, with one client, one person and two routes.

use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::background;
use crate::load::{Request, Rotation};
use crate::peer::on_processor;
use crate::seed::{Seed, seed};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tokenward");

pub(crate) struct Served {
    child: Running,
    pub(crate) authority: String,
    pub(crate) gateway: String,
    /// Where other proxies ask.
    pub(crate) auth: String,
    seed: Seed,
    folder: tempfile::TempDir,
}

/// A process that ends when this is dropped, also when the start fails half way.
struct Running(Child);

impl Served {
    /// Starts it in front of `upstream`, with room for so many verified tokens, on this processor
    /// alone if one is named.
    pub(crate) fn start(
        upstream: &str,
        cache_entries: usize,
        processor: Option<usize>,
        grants: usize,
    ) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        Self::start_in(folder, upstream, (cache_entries, "", ""), processor, grants)
    }

    /// One that checks every password, however many were wrong before.
    pub(crate) fn credulous(upstream: &str) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let config = (16, "puzzle_after = 0\n", "");
        Self::start_in(folder, upstream, config, None, 0)
    }

    /// One that lets as many clients as come rest for as long as they like; by TLS where there is a certificate
    /// and its key (PEM).
    pub(crate) fn patient(upstream: &str, tls: Option<(String, String)>) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let mut tables =
            "[gateway.connections]\nmost = 0\nmost_per_network = 0\nhead_timeout = \"1h\"\n\
                          idle_timeout = \"1h\"\n"
                .to_owned();
        if let Some((certificate, key)) = tls {
            let file = |name: &str, text: String| {
                let file = folder.path().join(name);
                std::fs::write(&file, text).expect("file");
                file.display().to_string()
            };
            let (certificate, key) = (file("certificate.pem", certificate), file("key.pem", key));
            tables += &format!("[gateway.tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n");
        }
        Self::start_in(folder, upstream, (100_000, "", &tables), None, 0)
    }

    fn start_in(
        folder: tempfile::TempDir,
        upstream: &str,
        (cache_entries, authority_lines, tables): (usize, &str, &str),
        processor: Option<usize>,
        grants: usize,
    ) -> Self {
        let [authority, gateway, auth, admin] = [(); 4].map(|()| free_address());
        let file = folder.path().join("tokenward.toml");
        let config = format!(
            "[store]\npath = \"{}/tokenward.db\"\n[authority]\nlisten = \"{authority}\"\naccess_token_life = \"12h\"\n\
             trusted_proxies = [\"127.0.0.0/8\"]\n{authority_lines}[detect]\nresponses_per_minute = 0\n\
             [gateway]\nlisten = \"{gateway}\"\ncache_entries = {cache_entries}\nthreads = 1\n\
             [gateway.auth]\nlisten = \"{auth}\"\n[gateway.upstreams]\nu = \"http://{upstream}\"\n\
             [[gateway.route]]\npath = \"/plain\"\nupstream = \"u\"\npublic = true\n\
             [[gateway.route]]\npath = \"/api\"\nmethods = [\"GET\"]\nupstream = \"u\"\nscopes = [\"orders:read\"]\n\
             [[gateway.limit]]\nname = \"per token\"\nby = [\"token\"]\nrate = \"1000000/s\"\nroutes = [\"/api\"]\n\
             [[scope]]\nname = \"orders:read\"\ndescription = \"Read orders\"\n\
             [admin]\nlisten = \"{admin}\"\n[log]\nlevel = \"error\"\n{tables}",
            folder.path().display()
        );
        std::fs::write(&file, config).expect("file");
        let seed = seed(folder.path(), &format!("http://{gateway}"), grants);
        let mut command = on_processor(processor, Path::new(PROGRAM));
        let child = Running(background(command.args(["serve", "-c"]).arg(&file)));
        await_ready(&admin);
        Self { child, authority, gateway, auth, seed, folder }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Resident memory in KiB.
    pub(crate) fn resident(&self) -> usize {
        self.status("VmRSS:")
    }

    /// The most that it ever was, in KiB.
    pub(crate) fn most_resident(&self) -> usize {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> usize {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("status");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of it");
        line.trim().trim_end_matches(" kB").parse().expect("number")
    }

    /// The client's credentials, for HTTP Basic.
    pub(crate) fn basic(&self) -> String {
        use base64::Engine as _;
        let (id, secret) = &self.seed.client;
        let pair = format!("{id}:{secret}");
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    }

    pub(crate) fn token_request(&self) -> Request {
        Request::post(
            &self.authority,
            "/token",
            &self.basic(),
            "grant_type=client_credentials&scope=orders%3Aread",
        )
    }

    pub(crate) fn introspection(&self, token: &str) -> Request {
        Request::post(&self.authority, "/introspect", &self.basic(), &format!("token={token}"))
    }

    /// The published key set.
    pub(crate) fn jwks(&self) -> String {
        let request = "GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        self.exchange(request)
    }

    /// A fresh access token of the client itself.
    pub(crate) fn token(&self) -> String {
        let answer = self.token_answer("grant_type=client_credentials&scope=orders%3Aread");
        answer["access_token"].as_str().expect("access token").to_owned()
    }

    /// So many of them, by one connection.
    pub(crate) fn tokens(&self, count: usize) -> Vec<String> {
        use std::io::{BufRead as _, BufReader, Read as _, Write as _};
        let request = self.token_request();
        let mut stream = BufReader::new(TcpStream::connect(&self.authority).expect("connect"));
        let mut token = || {
            stream.get_mut().write_all(request.bytes()).expect("write");
            let (mut line, mut length) = (String::new(), 0);
            while line != "\r\n" {
                line.clear();
                assert!(stream.read_line(&mut line).expect("answer") > 0, "it has closed");
                let told = line.strip_prefix("content-length: ").map(str::trim);
                length = told.and_then(|told| told.parse().ok()).unwrap_or(length);
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).expect("body");
            let answer: Value = serde_json::from_slice(&body).expect("token answer");
            answer["access_token"].as_str().expect("access token").to_owned()
        };
        (0..count).map(|_| token()).collect()
    }

    /// The first refresh of every grant: access tokens of the person, and what can be refreshed
    /// further.
    pub(crate) fn refreshed(&self) -> (Vec<String>, Rotation) {
        let member = |answer: &Value, name| answer[name].as_str().expect("member").to_owned();
        let mut access = Vec::new();
        let mut tokens = Vec::new();
        for token in &self.seed.refresh {
            let form = format!("grant_type=refresh_token&refresh_token={token}");
            let answer = self.token_answer(&form);
            access.push(member(&answer, "access_token"));
            tokens.push(member(&answer, "refresh_token").into());
        }
        let (address, authorization) = (self.authority.clone(), self.basic());
        (access, Rotation { address, authorization, tokens })
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn token_answer(&self, form: &str) -> Value {
        let request = format!(
            "POST /token HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.authority,
            self.basic(),
            form.len()
        );
        serde_json::from_str(&self.exchange(&request)).expect("token answer")
    }

    /// One request to the authority, which closes the connection behind it; the answer's body.
    fn exchange(&self, request: &str) -> String {
        use std::io::{Read as _, Write as _};
        let mut stream = TcpStream::connect(&self.authority).expect("connect");
        stream.write_all(request.as_bytes()).expect("write");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answer");
        answer.split_once("\r\n\r\n").expect("body").1.to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address that nothing listens on.
pub(crate) fn free_address() -> String {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    socket.local_addr().expect("address").to_string()
}

/// Waits until the server says that it is ready, at most 20 s.
fn await_ready(admin: &str) {
    use std::io::{Read as _, Write as _};
    let until = Instant::now() + Duration::from_secs(20);
    let ready = || {
        let mut stream = TcpStream::connect(admin)?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer.starts_with("HTTP/1.1 200"))
    };
    while !ready().unwrap_or(false) {
        assert!(Instant::now() < until, "{admin} is not ready");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until something listens there, at most 20 s.
pub(crate) fn await_port(address: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < until, "nothing listens on {address}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
