//! APIs of four makers that say what they have understood of every request.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tempfile::TempDir;

use super::port::free_port;
use crate::interop::{node_script, python_script, variable};

/// In it NGINX says which path it would look for, in brackets, since that may end with a space.
const NGINX_URI: &str = "nginx-uri";

/// A request as an API has understood it. Bytes beyond ASCII are Latin-1.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    /// The path as programs for this API look at it.
    pub(crate) resolved: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Whether the body came to its end.
    pub(crate) whole: bool,
}

/// What was seen and not yet asked for.
type Kept = Arc<Mutex<Vec<Seen>>>;

/// An API; ended when dropped.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    port: u16,
    seen: Kept,
    syncs: AtomicUsize,
    child: Option<Child>,
    /// What is behind it.
    _behind: Option<Box<Peer>>,
    _folder: Option<TempDir>,
}

// === impl Seen ===

impl Seen {
    /// The values of a field, in order.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let named = self.fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// Its path and its query as they came.
    pub(crate) fn parts(&self) -> (&str, Option<&str>) {
        match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&self.target, None),
        }
    }
}

// === impl Peer ===

impl Peer {
    /// One of each.
    pub(crate) fn all() -> [Self; 4] {
        [Self::hyper(), Self::nginx(), Self::node(), Self::python()]
    }

    /// hyper, in this process; it serves until the process ends.
    pub(crate) fn hyper() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let port = listener.local_addr().expect("address").port();
        listener.set_nonblocking(true).expect("listener");
        let seen = Kept::default();
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("runtime").block_on(serve(listener, kept));
        });
        Self::new("hyper", port, seen, None)
    }

    /// Node's `http`.
    pub(crate) fn node() -> Self {
        Self::script("node", node_script("echo.mjs"))
    }

    /// The same on this port, where one was before.
    pub(crate) fn node_at(port: u16) -> Self {
        let mut command = node_script("echo.mjs");
        command.env("PORT", port.to_string());
        Self::script("node", command)
    }

    /// Python's `http.server`.
    pub(crate) fn python() -> Self {
        Self::script("python", python_script("echo.py"))
    }

    /// NGINX, which tells hyper what it has understood.
    pub(crate) fn nginx() -> Self {
        let (behind, port) = (Self::hyper(), free_port());
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, nginx_configuration(port, behind.port)).expect("configuration");
        let mut command = Command::new(variable("TOKENWARD_NGINX"));
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file).args(["-e", "stderr"]);
        let child = command.current_dir(folder.path()).spawn().expect("NGINX starts");
        let seen = Arc::clone(&behind.seen);
        let mut peer = Self::new("nginx", port, seen, Some(child));
        peer._behind = Some(Box::new(behind));
        peer._folder = Some(folder);
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "NGINX does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        peer
    }

    fn script(name: &'static str, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the script starts");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let first = lines.next().expect("a line").expect("text");
        let first: serde_json::Value = serde_json::from_str(&first).expect("JSON");
        let port = first["port"].as_u64().and_then(|port| port.try_into().ok()).expect("port");
        let seen = Kept::default();
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let one = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
                kept.lock().expect("seen").push(one);
            }
        });
        Self::new(name, port, seen, Some(child))
    }

    fn new(name: &'static str, port: u16, seen: Kept, child: Option<Child>) -> Self {
        let syncs = AtomicUsize::new(0);
        Self { name, port, seen, syncs, child, _behind: None, _folder: None }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sends a signal to its process, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.as_ref().expect("a process of its own").id().to_string();
        let sent = Command::new("kill").arg(format!("-{name}")).arg(pid).status();
        assert!(sent.expect("kill").success());
    }

    /// What it has seen since this was asked last; what has reached it by now is among that.
    pub(crate) fn arrived(&self) -> Vec<Seen> {
        let mark = format!("/sync/{}", self.syncs.fetch_add(1, Ordering::Relaxed));
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connection");
        let request = format!("GET {mark} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("request");
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let mut seen = self.seen.lock().expect("seen");
            if let Some(at) = seen.iter().position(|one| one.target == mark) {
                let mut all: Vec<Seen> = seen.drain(..=at).collect();
                all.pop();
                return all;
            }
            drop(seen);
            assert!(Instant::now() < until, "{} does not answer", self.name);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

async fn serve(listener: TcpListener, kept: Kept) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("listener");
    while let Ok((stream, _)) = listener.accept().await {
        let kept = Arc::clone(&kept);
        let service = hyper::service::service_fn(move |request| answer(request, Arc::clone(&kept)));
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.preserve_header_case(true);
        tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    kept: Kept,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let collected = body.collect().await;
    let whole = collected.is_ok();
    let (body, trailers) = match collected {
        Ok(body) => {
            let trailers = body.trailers().map(pairs).unwrap_or_default();
            (latin1(&body.to_bytes()), trailers)
        }
        Err(_) => (String::new(), Vec::new()),
    };
    let by_nginx = head.headers.get(NGINX_URI).map(|uri| uri.as_bytes());
    let by_nginx = by_nginx.and_then(|uri| uri.strip_prefix(b"[")?.strip_suffix(b"]"));
    let by_nginx = by_nginx.map(<[u8]>::to_vec);
    let resolved = by_nginx.unwrap_or_else(|| percent_decoded(head.uri.path().as_bytes()));
    kept.lock().expect("seen").push(Seen {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        resolved: String::from_utf8_lossy(&resolved).into_owned(),
        fields: pairs(&head.headers),
        trailers,
        body,
        whole,
    });
    Ok(Response::new(Full::from("fine")))
}

fn pairs(fields: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), latin1(value.as_bytes()))
    };
    fields.iter().map(pair).collect()
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// One round of it, of what is well formed; the rest stays.
pub(crate) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    let (mut decoded, mut at) = (Vec::with_capacity(text.len()), 0);
    while at < text.len() {
        match (text[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).expect("two digits"));
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

/// It takes all fields that there are, so that what comes through was let through by the gateway.
fn nginx_configuration(port: u16, behind: u16) -> String {
    format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nworker_rlimit_nofile 1024;\n\
         events {{ worker_connections 512; }}\n\
         http {{\n access_log off;\n client_body_temp_path body;\n proxy_temp_path proxy;\n\
         fastcgi_temp_path fastcgi;\n uwsgi_temp_path uwsgi;\n scgi_temp_path scgi;\n\
         underscores_in_headers on;\n ignore_invalid_headers off;\n keepalive_requests 100000;\n\
         large_client_header_buffers 8 64k;\n\
         upstream behind {{ server 127.0.0.1:{behind}; keepalive 8; }}\n\
         server {{\n listen 127.0.0.1:{port};\n location / {{\n proxy_pass http://behind;\n\
         proxy_http_version 1.1;\n proxy_set_header Connection \"\";\n proxy_set_header Host $http_host;\n\
         proxy_set_header Nginx-Uri [$uri];\n proxy_read_timeout 10s;\n }} }} }}\n"
    )
}
