//! An API that says its name, feeds event streams, and echoes after an upgrade.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Its threads end with the test's process.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    targets: Arc<Mutex<Vec<String>>>,
}

impl Backend {
    /// Answers every request with this name, but `/events` with one event after the other and `/echo` with
    /// whatever comes after the upgrade.
    pub(crate) fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let address = listener.local_addr().expect("address");
        let targets = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&targets);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || converse(stream, name, &kept));
            }
        });
        Self { address, targets }
    }

    /// How often it was asked for this.
    pub(crate) fn count(&self, target: &str) -> usize {
        self.targets.lock().expect("targets").iter().filter(|kept| *kept == target).count()
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn converse(stream: TcpStream, name: &str, kept: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    loop {
        let line = read_head(&mut reader)?;
        let target = line.split(' ').nth(1)?;
        kept.lock().ok()?.push(target.to_owned());
        match target {
            "/events" => {
                writer
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
                    .ok()?;
                for number in 0.. {
                    writer.write_all(format!("data: {number}\n\n").as_bytes()).ok()?;
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            "/echo" => {
                writer
                    .write_all(
                        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
                    )
                    .ok()?;
                let mut buffer = [0; 1024];
                loop {
                    let count = reader.read(&mut buffer).ok().filter(|count| *count > 0)?;
                    writer.write_all(buffer.get(..count)?).ok()?;
                }
            }
            _ => {
                let length = name.len();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{name}");
                writer.write_all(head.as_bytes()).ok()?;
            }
        }
    }
}

/// The first line of a head, when all of it has come; `None` at the end.
fn read_head(reader: &mut impl std::io::BufRead) -> Option<String> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|count| *count > 0)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        if line == "\r\n" {
            return Some(first);
        }
    }
}

/// One connection of a client that stays open.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    /// To this port of the machine.
    pub(crate) fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("connect");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
        Self(BufReader::new(stream))
    }

    /// Sends a GET with these further fields; the status and the fields of the answer.
    pub(crate) fn head(&mut self, path: &str, fields: &str) -> (u16, String) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{fields}\r\n");
        self.0.get_mut().write_all(request.as_bytes()).expect("the connection is open");
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let count = self.0.read_line(&mut head).expect("an answer in time");
            assert!(count > 0, "the connection was closed after {head:?}");
        }
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.expect("a status"), head.to_ascii_lowercase())
    }

    /// Sends a GET; the status and the body of the answer.
    pub(crate) fn get(&mut self, path: &str) -> (u16, String) {
        let (status, head) = self.head(path, "");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.expect("a length").parse().expect("a number");
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a body");
        (status, String::from_utf8(body).expect("text"))
    }

    /// Sends bytes after an upgrade, which have to come back.
    pub(crate) fn echo(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).expect("the tunnel is open");
        let mut back = vec![0; text.len()];
        self.0.read_exact(&mut back).expect("an echo");
        assert_eq!(back, text.as_bytes());
    }

    /// Reads on until an event has come that begins so.
    pub(crate) fn event(&mut self, begins: &str) -> String {
        for _ in 0..10_000 {
            let mut line = String::new();
            let count = self.0.read_line(&mut line).expect("an event in time");
            assert!(count > 0, "the stream was closed");
            if line.starts_with(begins) {
                return line;
            }
        }
        panic!("no event that begins with {begins}");
    }
}
