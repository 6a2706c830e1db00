//! Connections that are kept, left and closed, at a server that says what came over which.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::Http1;
use crate::body::RequestBody;
use crate::upstream::connect::Connector;
use crate::upstream::lent::Lent;
use crate::upstream::received::Received;
use crate::upstream::server::Server;

const PATIENCE: Duration = Duration::from_secs(20);
const MINUTE: Duration = Duration::from_secs(60);

/// What is sent: bytes, or a pause.
enum Part {
    Bytes(String),
    Pause(Duration),
    Close,
}

/// Gets the path, and how many requests came over this connection before.
type Script = fn(&str, usize) -> Vec<Part>;

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    open: AtomicUsize,
    requests: AtomicUsize,
}

struct Stage {
    client: Http1,
    server: Server,
    counts: Arc<Counts>,
}

// === impl Stage ===

impl Stage {
    async fn new(idle: Duration, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        let counts = Arc::<Counts>::default();
        tokio::spawn(serve(listener, Arc::clone(&counts), script));
        Self::at(address, counts, idle)
    }

    fn at(address: SocketAddr, counts: Arc<Counts>, idle: Duration) -> Self {
        let client = Http1::new(Connector::plain(), idle);
        Self { client, server: Server::only(address, false), counts }
    }

    async fn get(&self, path: &str) -> Response<Received> {
        let mut request = Request::new(Lent::new(RequestBody::none(), None));
        *request.uri_mut() = path.parse().expect("path");
        let answer =
            tokio::time::timeout(PATIENCE, self.client.request(&self.server, request, None));
        answer.await.expect("in time").expect("an answer")
    }

    /// The whole of an answer.
    async fn whole(&self, path: &str) -> Bytes {
        self.get(path).await.into_body().collect().await.expect("a body").to_bytes()
    }

    fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    fn open(&self) -> usize {
        self.counts.open.load(Ordering::SeqCst)
    }

    fn kept(&self) -> usize {
        self.client.0.lock().servers.iter().map(|(_, idle)| idle.len()).sum()
    }

    async fn until(&self, what: &str, test: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !test(self) {
            assert!(began.elapsed() < PATIENCE, "{what}: {} open", self.open());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn serve(listener: TcpListener, counts: Arc<Counts>, script: Script) {
    while let Ok((stream, _)) = listener.accept().await {
        let counts = Arc::clone(&counts);
        counts.connections.fetch_add(1, Ordering::SeqCst);
        counts.open.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            let _ = converse(stream, &counts, script).await;
            counts.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn converse(mut stream: TcpStream, counts: &Counts, script: Script) -> std::io::Result<()> {
    let mut text = String::new();
    for before in 0.. {
        let end = loop {
            if let Some(end) = text.find("\r\n\r\n") {
                break end + 4;
            }
            let mut buffer = [0; 1024];
            match stream.read(&mut buffer).await? {
                0 => return Ok(()),
                count => text.push_str(&String::from_utf8_lossy(&buffer[..count])),
            }
        };
        counts.requests.fetch_add(1, Ordering::SeqCst);
        let head: String = text.drain(..end).collect();
        let path = head.split(' ').nth(1).unwrap_or_default();
        for part in script(path, before) {
            match part {
                Part::Bytes(bytes) => stream.write_all(bytes.as_bytes()).await?,
                Part::Pause(time) => tokio::time::sleep(time).await,
                Part::Close => return Ok(()),
            }
        }
    }
    Ok(())
}

fn ok(body: &str) -> Part {
    Part::Bytes(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

#[tokio::test]
async fn one_after_the_other_needs_one_connection() {
    let stage = Stage::new(MINUTE, |path, _| vec![ok(path)]).await;
    for path in ["/a", "/b", "/c"] {
        assert_eq!(stage.whole(path).await, path);
        assert_eq!((stage.connections(), stage.kept()), (1, 1));
    }
}

#[tokio::test]
async fn many_at_a_cold_start() {
    let pause = Duration::from_millis(100);
    let script: Script = |path, _| vec![Part::Pause(Duration::from_millis(100)), ok(path)];
    let stage = Stage::new(MINUTE, script).await;
    let began = Instant::now();
    let paths: Vec<_> = (0..20).map(|number| format!("/{number}")).collect();
    let answers = join_all(paths.iter().map(|path| stage.whole(path))).await;
    assert_eq!(answers, paths);
    assert_eq!((stage.connections(), stage.kept()), (20, 20));
    assert!(began.elapsed() < 15 * pause, "none waited for another");
    assert_eq!(stage.whole("/again").await, "/again");
    assert_eq!(stage.connections(), 20);
}

#[tokio::test]
async fn a_connection_without_work_is_closed() {
    let stage = Stage::new(Duration::from_millis(300), |path, _| vec![ok(path)]).await;
    for _ in 0..2 {
        join_all(["/a", "/b"].map(|path| stage.whole(path))).await;
        assert_eq!(stage.kept(), 2);
        stage.until("no request comes", |stage| stage.kept() == 0 && stage.open() == 0).await;
    }
    assert_eq!(stage.connections(), 4);
    let busy = Stage::new(Duration::from_millis(600), |path, _| vec![ok(path)]).await;
    for _ in 0..15 {
        busy.whole("/a").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(busy.connections(), 1, "it had work");
}

#[tokio::test]
async fn nothing_is_left_of_a_client_that_is_gone() {
    let stage = Stage::new(MINUTE, |path, _| vec![ok(path)]).await;
    stage.whole("/a").await;
    let Stage { client, counts, server } = stage;
    drop(client);
    Stage { client: Http1::new(Connector::plain(), MINUTE), counts, server }
        .until("it keeps nothing open", |stage| stage.open() == 0)
        .await;
}

#[tokio::test]
async fn a_connection_that_the_server_has_closed_is_not_used() {
    let script: Script = |path, _| vec![ok(path), Part::Close];
    let stage = Stage::new(MINUTE, script).await;
    for count in 1..5 {
        assert_eq!(stage.whole("/a").await, "/a");
        stage.until("it closes", |stage| stage.open() == 0).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(stage.counts.requests.load(Ordering::SeqCst), count, "each arrived once");
    }
    let swept = Stage::new(Duration::from_millis(6000), script).await;
    swept.whole("/a").await;
    let began = Instant::now();
    swept.until("it is noticed", |stage| stage.kept() == 0).await;
    assert!(began.elapsed() < Duration::from_secs(5), "before its time is over");
}

#[tokio::test]
async fn an_answer_that_is_dropped_half_way_takes_its_connection_along() {
    let script: Script = |path, _| match path {
        "/half" => vec![
            Part::Bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello".into()),
            Part::Pause(Duration::from_millis(100)),
            Part::Bytes("wrong".into()),
        ],
        "/endless" => vec![
            Part::Bytes(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".into(),
            ),
            Part::Pause(Duration::from_millis(100)),
            Part::Bytes("5\r\nwrong\r\n0\r\n\r\n".into()),
        ],
        _ => vec![ok(path)],
    };
    let stage = Stage::new(MINUTE, script).await;
    for (number, path) in ["/half", "/endless"].into_iter().enumerate() {
        for read in [false, true] {
            let mut body = stage.get(path).await.into_body();
            if read {
                let frame = body.frame().await.expect("a frame").expect("good");
                assert_eq!(frame.into_data().expect("data"), "hello");
            }
            drop(body);
            assert_eq!(stage.kept(), 0);
            assert_eq!(stage.whole("/other").await, "/other", "{number}");
            stage.until("it is closed", |stage| stage.open() == 1).await;
            drop(stage.client.0.take(stage.server.address.origin()));
        }
    }
    assert_eq!(stage.connections(), 8);
}

#[tokio::test]
async fn what_comes_after_an_answer_is_not_the_next_one() {
    const STRAY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong";
    let script: Script = |path, before| match (path, before) {
        ("/at-once", _) => {
            let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright";
            vec![Part::Bytes(format!("{text}{STRAY}"))]
        }
        ("/no-body", _) => {
            vec![Part::Bytes(format!("HTTP/1.1 204 No Content\r\n\r\n{STRAY}"))]
        }
        ("/later", _) => {
            vec![ok("right"), Part::Pause(Duration::from_millis(50)), Part::Bytes(STRAY.into())]
        }
        _ => vec![ok(path)],
    };
    for path in ["/at-once", "/no-body", "/later"] {
        let stage = Stage::new(MINUTE, script).await;
        let first = stage.whole(path).await;
        assert!(first == "right" || path == "/no-body" && first.is_empty(), "{path}: {first:?}");
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(stage.whole("/other").await, "/other", "{path}");
        assert_eq!(stage.connections(), 2, "{path}");
    }
}

/// Whatever of an answer is read before it is dropped: no other answer has anything of it.
#[tokio::test]
async fn answers_are_never_mixed() {
    let script: Script = |path, _| {
        let number: usize = path[1..].parse().expect("a number");
        let mark = char::from(b'a' + (number % 26) as u8).to_string();
        let body = mark.repeat(number * 7919 % 60_000);
        let (field, body) = if number.is_multiple_of(3) {
            let chunks = [body.len() / 2, body.len() - body.len() / 2].map(|length| {
                let chunk = mark.repeat(length);
                if length == 0 { String::new() } else { format!("{length:x}\r\n{chunk}\r\n") }
            });
            ("Transfer-Encoding: chunked".to_owned(), format!("{}0\r\n\r\n", chunks.concat()))
        } else {
            (format!("Content-Length: {}", body.len()), body)
        };
        let text = format!("HTTP/1.1 200 OK\r\nX-Path: {path}\r\n{field}\r\n\r\n{body}");
        let (one, other) = text.split_at(text.len() * (number % 5) / 4);
        let part = |text: &str| Part::Bytes(text.to_owned());
        match number % 2 {
            0 => vec![part(&text)],
            _ => vec![part(one), Part::Pause(Duration::from_millis(1)), part(other)],
        }
    };
    let stage = Stage::new(MINUTE, script).await;
    let party = |first: usize| {
        let stage = &stage;
        async move {
            for number in (first..800).step_by(4) {
                let response = stage.get(&format!("/{number}")).await;
                assert_eq!(response.headers()["x-path"], format!("/{number}"));
                let mark = b'a' + (number % 26) as u8;
                let mut body = response.into_body();
                let mut read = 0;
                let most = if number % 7 < 3 { usize::MAX } else { number % 4 };
                while read < most
                    && let Some(frame) = body.frame().await
                {
                    let data = frame.expect("good").into_data().expect("data");
                    assert!(data.iter().all(|byte| *byte == mark), "{number}: {data:?}");
                    read += 1;
                }
            }
        }
    };
    join_all((0..4).map(party)).await;
    let connections = stage.connections();
    assert!((5..600).contains(&connections), "{connections}: some are left, some are kept");
}

/// A task has only so much work to do until it has to let others have a turn; then the parts of a connection wake
/// it by whatever waker they were given.
#[tokio::test]
async fn a_task_that_has_used_up_its_turn_is_woken() {
    let script: Script = |path, _| vec![ok(path), Part::Pause(Duration::from_millis(1))];
    let stage = Arc::new(Stage::new(MINUTE, script).await);
    let began = Instant::now();
    for used in 0..140 {
        let stage = Arc::clone(&stage);
        let task = tokio::spawn(async move {
            let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
            (0..used).for_each(|number| sender.send(number).expect("room"));
            for _ in 0..used {
                receiver.recv().await.expect("one");
            }
            stage.whole("/a").await
        });
        assert_eq!(task.await.expect("no panic"), "/a");
    }
    assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
}
