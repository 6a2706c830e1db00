//! Bytes that are almost requests: they are the same requests however they come, and nothing panics.

#![allow(clippy::expect_used, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use wire::server::{Patience, Service, serve};
use wire::{BadHead, Incoming};

const SEEDS: [&str; 7] = [
    "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\nGET /c HTTP/1.1\r\n\r\n",
    "POST /a HTTP/1.1\r\nContent-Length: 11\r\n\r\nhello worldGET /b HTTP/1.1\r\n\r\n",
    "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
    "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nc: d\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
    "PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi",
    "\r\n\nGET / HTTP/1.1\r\n\r\n",
    "\r\n\r\nOPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\nHEAD / HTTP/1.1\r\n\r\n",
];
/// What is put into them, in place of some of their bytes or between them.
const PARTS: [&str; 14] = [
    "\r",
    "\n",
    "\r\n",
    "\0",
    " ",
    "\t",
    ":",
    "0",
    "f",
    "\r\n\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "chunked",
    "\u{e9}",
];

/// What arrives: a head, or what is wrong, and the body if it is whole.
type Arrived = Vec<(String, Option<Bytes>)>;

/// Notes it.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Arrived>>);

impl Service for Notes {
    type Body = Full<Bytes>;

    fn answer(&self, request: Request<Incoming>) -> BoxFuture<'static, Response<Full<Bytes>>> {
        let notes = Arc::clone(&self.0);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.ok().map(|body| body.to_bytes());
            notes.lock().expect("notes").push((format!("{head:?}"), body));
            Response::new(Full::default())
        })
    }

    fn refuse(&self, bad: BadHead, _: Option<Request<()>>) -> Response<Full<Bytes>> {
        self.0.lock().expect("notes").push((format!("{bad:?}"), None));
        Response::new(Full::default())
    }
}

/// What arrives of these bytes when they come in parts of so many.
async fn arrives(bytes: &[u8], part: usize) -> Arrived {
    let (near, mut far) = duplex(part);
    let notes = Notes::default();
    let minute = Duration::from_secs(60);
    let patience = Patience { head: minute, idle: minute };
    let never = || Box::pin(std::future::pending()) as BoxFuture<'_, ()>;
    let (mut reader, mut writer) = tokio::io::split(&mut far);
    let mut answers = Vec::new();
    let client = async {
        let (_, _) = tokio::join!(
            async {
                let _ = writer.write_all(bytes).await;
                let _ = writer.shutdown().await;
            },
            reader.read_to_end(&mut answers),
        );
    };
    let _ = tokio::join!(serve(near, Bytes::new(), patience, &never, &notes), client);
    notes.0.lock().expect("notes").clone()
}

/// Numbers that look like chance and are always the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

#[tokio::test]
async fn requests_are_the_same_however_they_come() {
    let mut numbers = Numbers(7);
    let mut whole = 0;
    for round in 0..6000 {
        let mut bytes = SEEDS[round % SEEDS.len()].as_bytes().to_vec();
        for _ in 0..numbers.below(4) {
            let at = numbers.below(bytes.len());
            let end = (at + numbers.below(3)).min(bytes.len());
            bytes.splice(at..end, PARTS[numbers.below(PARTS.len())].bytes());
        }
        let together = arrives(&bytes, 1 << 16).await;
        for part in [1, 7] {
            assert_eq!(
                arrives(&bytes, part).await,
                together,
                "{:?}",
                bytes.escape_ascii().to_string()
            );
        }
        whole += together.iter().filter(|(_, body)| body.is_some()).count();
    }
    assert!(whole > 3000, "most are still requests: {whole}");
}
