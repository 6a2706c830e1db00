//! An API that answers everything with 200 and keeps the heads of what arrived.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The API; it serves until the test process ends.
pub(crate) struct Recording {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

// === impl Recording ===

impl Recording {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let port = listener.local_addr().expect("address").port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), kept) = (stream, Arc::clone(&kept)) else { return };
                std::thread::spawn(move || answer(stream, &kept));
            }
        });
        Self { port, heads }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The heads since this was asked last.
    pub(crate) fn arrived(&self) -> Vec<String> {
        std::mem::take(&mut self.heads.lock().expect("heads"))
    }
}

/// One request, and the end of the connection.
fn answer(mut stream: TcpStream, kept: &Mutex<Vec<String>>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            // A proxy that connects and says nothing has sent no request.
            Ok(0) | Err(_) => return,
            Ok(count) => head.extend_from_slice(&buffer[..count]),
        }
    }
    kept.lock().expect("heads").push(String::from_utf8_lossy(&head).into_owned());
    let _ =
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfine");
}
