//! Load over keep-alive connections, and the upstream that answers with 200 bytes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use envoy_types::ext_authz::v3::pb::CheckRequest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::check;

/// A request's bytes.
pub(crate) struct Request(Vec<u8>);

/// What to send where.
pub(crate) struct Load<'a> {
    pub(crate) address: &'a str,
    pub(crate) connections: usize,
    pub(crate) traffic: Traffic<'a>,
}

/// What is sent.
#[derive(Clone, Copy)]
pub(crate) enum Traffic<'a> {
    /// These, in turn.
    Same(&'a [Request]),
    /// These calls of gRPC, in turn, on one connection.
    Checks(&'a [CheckRequest]),
    /// Refresh requests, each with the refresh token of the answer before.
    Rotating(&'a Rotation),
}

/// Refresh tokens that are used up: each connection has its own.
pub(crate) struct Rotation {
    pub(crate) address: String,
    pub(crate) authorization: String,
    pub(crate) tokens: Vec<Mutex<String>>,
}

/// What came of it.
pub(crate) struct Done {
    pub(crate) answered: usize,
    pub(crate) failed: usize,
    /// How long each answer took, in microseconds.
    pub(crate) latencies: Vec<f64>,
}

// === impl Request ===

impl Request {
    pub(crate) fn get(address: &str, path: &str, token: Option<&str>) -> Self {
        let token =
            token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        Self::with(address, path, &token)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// A GET with these fields.
    pub(crate) fn with(address: &str, path: &str, fields: &str) -> Self {
        Self(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{fields}\r\n").into_bytes())
    }

    pub(crate) fn post(address: &str, path: &str, authorization: &str, form: &str) -> Self {
        let length = form.len();
        Self(format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {authorization}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}").into_bytes())
    }
}

// === impl Traffic ===

impl Traffic<'_> {
    fn next(&self, connection: usize, number: usize) -> Cow<'_, [u8]> {
        match self {
            Self::Same(requests) => Cow::Borrowed(&requests[number % requests.len()].0),
            Self::Checks(_) => Cow::Borrowed(&[]),
            Self::Rotating(rotation) => Cow::Owned(rotation.request(connection).0),
        }
    }

    /// Takes what the next request needs out of an answer; whether it was there.
    fn learn(&self, connection: usize, answer: &[u8]) -> bool {
        match self {
            Self::Same(_) | Self::Checks(_) => true,
            Self::Rotating(rotation) => rotation.learn(connection, answer),
        }
    }
}

// === impl Rotation ===

impl Rotation {
    fn request(&self, connection: usize) -> Request {
        let token = self.tokens[connection].lock().expect("token");
        let form = format!("grant_type=refresh_token&refresh_token={token}");
        Request::post(&self.address, "/token", &self.authorization, &form)
    }

    fn learn(&self, connection: usize, answer: &[u8]) -> bool {
        const MEMBER: &[u8] = br#""refresh_token":""#;
        let Some(at) = find(answer, MEMBER) else { return false };
        let text = &answer[at + MEMBER.len()..];
        let Some(end) = text.iter().position(|byte| *byte == b'"') else { return false };
        let mut token = self.tokens[connection].lock().expect("token");
        let new = String::from_utf8_lossy(&text[..end]).into_owned();
        new != std::mem::replace(&mut *token, new.clone())
    }
}

// === impl Load ===

impl Load<'_> {
    /// Sends request after request on every connection for `span`.
    pub(crate) fn run(&self, span: Duration) -> Done {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        if let Traffic::Checks(calls) = self.traffic {
            return runtime.block_on(check::run(self.address, self.connections, calls, span));
        }
        let (answered, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let stop = AtomicBool::new(false);
        let latencies = RefCell::new(Vec::new());
        runtime.block_on(async {
            let one = |first: usize| {
                let (answered, failed, stop) = (&answered, &failed, &stop);
                let latencies = &latencies;
                async move {
                    let mut stream =
                        tokio::net::TcpStream::connect(self.address).await.expect("connect");
                    stream.set_nodelay(true).expect("nodelay");
                    let mut buffer = Vec::with_capacity(8192);
                    let mut next = first;
                    while !stop.load(Ordering::Relaxed) {
                        let request = self.traffic.next(first, next);
                        let sent = Instant::now();
                        stream.write_all(&request).await.expect("write");
                        let good = answer(&mut stream, &mut buffer).await;
                        latencies.borrow_mut().push(sent.elapsed().as_secs_f64() * 1e6);
                        let good = good && self.traffic.learn(first, &buffer);
                        answered.fetch_add(1, Ordering::Relaxed);
                        failed.fetch_add(usize::from(!good), Ordering::Relaxed);
                        next += self.connections;
                    }
                }
            };
            let all = futures_util::future::join_all((0..self.connections).map(one));
            let end = async {
                tokio::time::sleep(span).await;
                stop.store(true, Ordering::Relaxed);
            };
            tokio::join!(all, end);
        });
        Done {
            answered: answered.into_inner(),
            failed: failed.into_inner(),
            latencies: latencies.into_inner(),
        }
    }
}

/// Reads one answer with a Content-Length or in chunks; whether it is a 200.
async fn answer(stream: &mut tokio::net::TcpStream, buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    loop {
        assert!(
            stream.read_buf(buffer).await.expect("read") > 0,
            "the server closed the connection"
        );
        let Some(end) = find(buffer, b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        loop {
            let body = &buffer[end + 4..];
            let whole = match length {
                Some(length) => body.len() >= length,
                None => body.ends_with(b"0\r\n\r\n"),
            };
            if whole {
                return head.starts_with("http/1.1 200");
            }
            assert!(
                stream.read_buf(buffer).await.expect("read") > 0,
                "the server closed the connection"
            );
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// Answers every request with 200 bytes, on threads of this process; its address.
pub(crate) fn upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = listener.local_addr().expect("address").to_string();
    let answer = Arc::new(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 200\r\n\r\n{}",
        "x".repeat(200)
    ));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || respond(stream, answer.as_bytes()));
        }
    });
    address
}

fn respond(mut stream: TcpStream, answer: &[u8]) {
    let _ = stream.set_nodelay(true);
    let mut buffer = vec![0u8; 16 * 1024];
    let mut held = 0;
    while let Ok(read) = stream.read(&mut buffer[held..]) {
        if read == 0 {
            return;
        }
        held += read;
        if buffer[..held].ends_with(b"\r\n\r\n") {
            held = 0;
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    }
}
