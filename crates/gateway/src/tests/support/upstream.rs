//! An API behind the gateway that remembers, byte for byte, what arrives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the upstream does with a request.
pub(crate) enum Reply {
    /// Sends these bytes and waits for the next request.
    Send(String),
    /// Sends these bytes and closes.
    SendAndClose(String),
    /// Sends these bytes and then all that comes in the channel, and closes at its end.
    Feed(String, mpsc::Receiver<Vec<u8>>),
    /// Sends these bytes and then whatever it receives.
    Echo(String),
    /// Says nothing.
    Hang,
}

type Script = Arc<dyn Fn(usize, &str) -> Reply + Send + Sync>;

/// The recording upstream.
pub(crate) struct Recording {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    closed: Arc<Mutex<usize>>,
}

// === impl Recording ===

impl Recording {
    /// Answers every request with 200 and `{}`.
    pub(crate) async fn new() -> Self {
        Self::scripted(|_, _| Reply::Send(ok("{}"))).await
    }

    /// Answers as the script says: it gets the number of the request and its text.
    pub(crate) async fn scripted(
        script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let closed = Arc::new(Mutex::new(0));
        let script: Script = Arc::new(script);
        let (seen, ended) = (Arc::clone(&requests), Arc::clone(&closed));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, ended, script) = (seen.clone(), ended.clone(), script.clone());
                tokio::spawn(async move {
                    converse(stream, &seen, &script).await;
                    *ended.lock().expect("count") += 1;
                });
            }
        });
        Self { address, requests, closed }
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("requests").clone()
    }

    /// The only request.
    #[track_caller]
    pub(crate) fn only(&self) -> String {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.into_iter().next().expect("one")
    }

    /// How many connections have ended.
    pub(crate) fn closed_count(&self) -> usize {
        *self.closed.lock().expect("count")
    }

    /// Waits until a connection has ended.
    pub(crate) async fn wait_closed(&self) {
        for _ in 0..2000 {
            if *self.closed.lock().expect("count") > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no connection was closed");
    }
}

/// A 200 with this body.
pub(crate) fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn converse(mut stream: TcpStream, seen: &Mutex<Vec<String>>, script: &Script) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer, seen).await {
        let number = seen.lock().expect("requests").len();
        match script(number, &request) {
            Reply::Send(bytes) => {
                if stream.write_all(bytes.as_bytes()).await.is_err() {
                    return;
                }
            }
            Reply::SendAndClose(bytes) => {
                let _ = stream.write_all(bytes.as_bytes()).await;
                return;
            }
            Reply::Feed(head, parts) => return feed(stream, &head, parts).await,
            Reply::Echo(head) => {
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&buffer).await;
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
                return;
            }
            Reply::Hang => {
                let _ = stream.read(&mut [0; 64]).await;
                return;
            }
        }
    }
}

async fn feed(mut stream: TcpStream, head: &str, mut parts: mpsc::Receiver<Vec<u8>>) {
    let _ = stream.write_all(head.as_bytes()).await;
    let mut ignored = [0; 64];
    loop {
        tokio::select! {
            part = parts.recv() => match part {
                Some(part) if stream.write_all(&part).await.is_ok() => {}
                _ => return,
            },
            read = stream.read(&mut ignored) => if !matches!(read, Ok(1..)) { return },
        }
    }
}

/// Reads one request; records it as soon as its head is there and again when its body is.
async fn read_request(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    seen: &Mutex<Vec<String>>,
) -> Option<String> {
    let head = loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            break end + 4;
        }
        more(stream, buffer).await?;
    };
    let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
    let at = {
        let mut seen = seen.lock().expect("requests");
        seen.push(String::from_utf8_lossy(buffer).into_owned());
        seen.len() - 1
    };
    let end = match super::field(&text, "content-length") {
        Some(length) => head + length.parse::<usize>().expect("length"),
        None if super::field(&text, "transfer-encoding").is_some() => loop {
            if let Some(end) = find(&buffer[head - 2..], b"\r\n0\r\n\r\n") {
                break head - 2 + end + 7;
            }
            more(stream, buffer).await?;
            note(seen, at, buffer);
        },
        None => head,
    };
    while buffer.len() < end {
        more(stream, buffer).await?;
        note(seen, at, buffer);
    }
    let whole = String::from_utf8_lossy(&buffer[..end]).into_owned();
    seen.lock().expect("requests")[at] = whole.clone();
    buffer.drain(..end);
    Some(whole)
}

fn note(seen: &Mutex<Vec<String>>, at: usize, buffer: &[u8]) {
    seen.lock().expect("requests")[at] = String::from_utf8_lossy(buffer).into_owned();
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    match stream.read_buf(buffer).await {
        Ok(1..) => Some(()),
        _ => None,
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
