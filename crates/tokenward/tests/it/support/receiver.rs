//! A receiver of requests of the program.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A request as it came.
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn field(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.expect(name).1
    }
}

/// Answers every request with 204 and says what it was; ends with the test.
pub(crate) fn receive(listener: TcpListener) -> Receiver<Request> {
    let (told, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(20) {
            let Ok(stream) = stream else { return };
            if let Some(request) = read(stream)
                && told.send(request).is_err()
            {
                return;
            }
        }
    });
    requests
}

fn read(stream: TcpStream) -> Option<Request> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("timeout");
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let request = Request { head, body: String::new() };
    let mut body = vec![0; request.field("content-length").parse().expect("length")];
    reader.read_exact(&mut body).ok()?;
    let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    reader.get_mut().write_all(answer).ok()?;
    Some(Request { body: String::from_utf8(body).expect("text"), ..request })
}
