//! Requests as bytes on a connection of HTTP/1.1, and the answers that come for them.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// So many requests are sent before the first answer is read.
const AT_ONCE: usize = 16;
/// An answer takes no longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer as it came; of status 0 when the connection ended without one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

/// A connection, made anew when the other side has closed it.
pub(crate) struct Wire {
    to: SocketAddr,
    stream: Option<TcpStream>,
    held: Vec<u8>,
}

// === impl Reply ===

impl Reply {
    /// The first value of a field.
    pub(crate) fn field(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut named = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.trim()).unwrap_or_default()
    }

    fn closes(&self) -> bool {
        self.field("connection").eq_ignore_ascii_case("close")
    }
}

// === impl Wire ===

impl Wire {
    pub(crate) fn to(port: u16) -> Self {
        Self { to: ([127, 0, 0, 1], port).into(), stream: None, held: Vec::new() }
    }

    /// Sends all of them, pipelined, and reads the answer of each. Where the other side closes, the
    /// next one begins a new connection.
    pub(crate) fn ask_all(&mut self, requests: &[Vec<u8>]) -> Vec<Reply> {
        let mut replies = Vec::with_capacity(requests.len());
        while replies.len() < requests.len() {
            let rest = &requests[replies.len()..];
            let some = &rest[..rest.len().min(AT_ONCE)];
            self.some(some, &mut replies);
        }
        replies
    }

    /// Sends one and reads its answer.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Reply {
        self.ask_all(&[request.to_vec()]).remove(0)
    }

    /// Sends bytes that may be any number of requests, and reads what comes until the other side
    /// closes or is silent for so long.
    pub(crate) fn exchange(port: u16, bytes: &[u8], silence: Duration) -> Vec<Reply> {
        let mut wire = Self::to(port);
        let _ = wire.stream().write_all(bytes);
        wire.stream().set_read_timeout(Some(silence)).expect("timeout");
        let mut replies = Vec::new();
        while let Some(reply) = wire.read() {
            replies.push(reply);
        }
        replies
    }

    /// At least one answer more, if only that there was none.
    fn some(&mut self, requests: &[Vec<u8>], replies: &mut Vec<Reply>) {
        let fresh = self.stream.is_none();
        // A closed connection shows itself by what can be read.
        let _ = self.stream().write_all(&requests.concat());
        for at in 0..requests.len() {
            let Some(reply) = self.read() else {
                self.close();
                // It may have rested too long; on a connection of its own there is no excuse.
                if at == 0 && fresh {
                    replies.push(Reply::default());
                }
                return;
            };
            let closes = reply.closes();
            replies.push(reply);
            if closes {
                return self.close();
            }
        }
    }

    fn stream(&mut self) -> &mut TcpStream {
        self.stream.get_or_insert_with(|| {
            let stream = TcpStream::connect(self.to).expect("connection");
            stream.set_nodelay(true).expect("nodelay");
            stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
            stream
        })
    }

    fn close(&mut self) {
        self.stream = None;
        self.held.clear();
    }

    fn read(&mut self) -> Option<Reply> {
        let end = self.until(|held| find(held, b"\r\n\r\n"))?;
        let head = String::from_utf8_lossy(&self.held[..end]).into_owned();
        self.held.drain(..end + 4);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let mut reply = Reply { status, head, body: String::new() };
        if status < 200 {
            return Some(reply);
        }
        let body = match reply.field("content-length").parse::<usize>() {
            Ok(length) => {
                self.until(|held| (held.len() >= length).then_some(length))?;
                self.held.drain(..length).collect::<Vec<u8>>()
            }
            Err(_) => {
                let end = self.until(|held| find(held, b"0\r\n\r\n"))?;
                self.held.drain(..end + 5).collect()
            }
        };
        reply.body = String::from_utf8_lossy(&body).into_owned();
        Some(reply)
    }

    fn until(&mut self, whole: impl Fn(&[u8]) -> Option<usize>) -> Option<usize> {
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(at) = whole(&self.held) {
                return Some(at);
            }
            match self.stream().read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.held.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }
}

fn find(held: &[u8], end: &[u8]) -> Option<usize> {
    held.windows(end.len()).position(|window| window == end)
}
