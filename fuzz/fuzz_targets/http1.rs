//! Bytes on a connection in HTTP/1.1: they are the same requests however they come.
#![no_main]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use wire::server::{Patience, Service, serve};
use wire::{BadHead, Incoming};

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<(String, Option<Bytes>)>>>);

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

async fn arrives(bytes: &[u8], part: usize) -> Vec<(String, Option<Bytes>)> {
    let (near, mut far) = duplex(part);
    let notes = Notes::default();
    let minute = Duration::from_secs(60);
    let patience = Patience { head: minute, idle: minute };
    let never = || Box::pin(std::future::pending()) as BoxFuture<'_, ()>;
    let (mut reader, mut writer) = tokio::io::split(&mut far);
    let writing = async {
        let _ = writer.write_all(bytes).await;
        let _ = writer.shutdown().await;
    };
    let mut answers = Vec::new();
    let serving = serve(near, Bytes::new(), patience, &never, &notes);
    let _ = tokio::join!(serving, writing, reader.read_to_end(&mut answers));
    notes.0.lock().expect("notes").clone()
}

fuzz_target!(|data: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("runtime");
    let together = runtime.block_on(arrives(data, 1 << 17));
    assert_eq!(runtime.block_on(arrives(data, 3)), together);
});
