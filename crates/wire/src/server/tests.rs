//! A server on one connection, and clients that write bytes as they are told.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{Patience, Service, serve};
use crate::BoxError;
use crate::error::{BadHead, Error};
use crate::incoming::Incoming;
use crate::interim::Interim;
use crate::upgraded::OnUpgrade;

const PATIENCE: Duration = Duration::from_secs(10);

/// Parts of an answer; one of `!` breaks it, one of `.` waits for ever.
struct Parts(&'static [&'static str]);

impl Body for Parts {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some((part, rest)) = self.0.split_first() else { return Poll::Ready(None) };
        if *part == "." {
            return Poll::Pending;
        }
        self.0 = rest;
        match *part {
            "!" => Poll::Ready(Some(Err("broken".into()))),
            part => Poll::Ready(Some(Ok(Frame::data(part.into())))),
        }
    }
}

type Answer = Response<http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>>;

/// Answers by the path of a request.
#[derive(Clone, Default)]
struct Site(Arc<Seen>);

#[derive(Default)]
struct Seen {
    begun: AtomicUsize,
    dropped: AtomicUsize,
    go: Notify,
}

/// Tells that what it is part of has been dropped.
struct Told(Arc<Seen>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

fn text(text: impl Into<Bytes>) -> Answer {
    Response::new(
        http_body_util::Full::new(text.into()).map_err(|never| match never {}).boxed_unsync(),
    )
}

fn parts(parts: &'static [&'static str]) -> Answer {
    Response::new(Parts(parts).boxed_unsync())
}

impl Site {
    async fn at(self, request: Request<Incoming>) -> Answer {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        let path = request.uri().path().to_owned();
        match path.as_str() {
            "/echo" => match request.into_body().collect().await {
                Ok(body) => text(body.to_bytes()),
                Err(_) => status(text("no body"), 400),
            },
            "/streamed" => Response::new(request.into_body().boxed_unsync()),
            "/unread" => text("unread"),
            "/parts" => parts(&["one", "", "two"]),
            "/trailers" => {
                let fields = [("a", "b"), ("content-length", "9")].map(|(name, value)| {
                    (name.parse().expect("name"), http::HeaderValue::from_static(value))
                });
                let frames = [
                    Ok::<_, BoxError>(Frame::data("one".into())),
                    Ok(Frame::trailers(fields.into_iter().collect())),
                ];
                let frames = futures_util::stream::iter(frames);
                Response::new(http_body_util::StreamBody::new(frames).boxed_unsync())
            }
            "/early" => {
                let mut body = request.into_body();
                let interim = Arc::new(body.take_interim());
                say(&interim, "a").await;
                // What comes too late is dropped.
                let (seen, late) = (Arc::clone(&self.0), Arc::clone(&interim));
                tokio::spawn(async move {
                    seen.go.notified().await;
                    say(&late, "late").await;
                    seen.dropped.fetch_add(1, Ordering::SeqCst);
                });
                text("answer")
            }
            "/chatty" => {
                let interim = Arc::new(request.into_body().take_interim());
                for _ in 0..1000 {
                    say(&interim, &"a".repeat(1000)).await;
                }
                text("answer")
            }
            "/broken" => parts(&["one", "!"]),
            "/endless" => parts(&["one", "."]),
            "/long" => text(vec![b'x'; 300_000]),
            "/none" => status(text(""), 204),
            "/last" => {
                let mut answer = text("last");
                answer.headers_mut().insert("connection", http::HeaderValue::from_static("close"));
                answer
            }
            "/later" => {
                let _told = Told(Arc::clone(&self.0));
                self.0.go.notified().await;
                text("later")
            }
            "/held" => {
                let (seen, body) = (Arc::clone(&self.0), request.into_body());
                tokio::spawn(async move {
                    seen.go.notified().await;
                    let body = body.collect().await.map(|body| body.to_bytes().len());
                    seen.begun.fetch_add(body.unwrap_or(1000), Ordering::SeqCst);
                });
                text("held")
            }
            "/switch" => {
                let mut request = request;
                let upgrade = request.extensions_mut().remove::<OnUpgrade>().expect("upgrade");
                tokio::spawn(async move {
                    let mut stream = upgrade.connection().await?;
                    let mut five = [0; 5];
                    stream.read_exact(&mut five).await?;
                    stream.write_all(&five).await?;
                    stream.shutdown().await?;
                    Ok::<_, Error>(())
                });
                status(text(""), 101)
            }
            _ => text(path),
        }
    }
}

/// Says something before the answer, if it can be said.
async fn say(interim: &Option<Interim>, text: &str) {
    let Some(interim) = interim else { return };
    poll_fn(|cx| {
        let head = Response::builder().status(103).header("link", text).header("connection", "x");
        interim.send(head.body(()).expect("head"), cx);
        Poll::Ready(())
    })
    .await;
}

fn status(mut answer: Answer, status: u16) -> Answer {
    *answer.status_mut() = StatusCode::from_u16(status).expect("status");
    answer
}

impl Service for Site {
    type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;

    fn answer(&self, request: Request<Incoming>) -> BoxFuture<'static, Answer> {
        Box::pin(self.clone().at(request))
    }

    fn refuse(&self, bad: BadHead, head: Option<Request<()>>) -> Answer {
        status(text(format!("{bad:?} {}", head.is_some())), bad.status().as_u16())
    }
}

struct Stage {
    far: DuplexStream,
    seen: Arc<Seen>,
    stop: Arc<Notify>,
    serving: JoinHandle<Result<(), Error>>,
}

impl Stage {
    fn new() -> Self {
        Self::with(Patience { head: PATIENCE, idle: PATIENCE }, 1 << 16)
    }

    fn with(patience: Patience, room: usize) -> Self {
        let (near, far) = duplex(room);
        let (site, stop) = (Site::default(), Arc::new(Notify::new()));
        let (seen, stopped) = (Arc::clone(&site.0), Arc::clone(&stop));
        let serving = tokio::spawn(async move {
            let stop = || Box::pin(stopped.notified()) as BoxFuture<'_, ()>;
            serve(near, Bytes::new(), patience, &stop, &site).await
        });
        Self { far, seen, stop, serving }
    }

    async fn say(&mut self, text: &str) -> &mut Self {
        self.far.write_all(text.as_bytes()).await.expect("write");
        self
    }

    /// What comes up to this end.
    async fn until(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            let byte = timeout(PATIENCE, self.far.read_u8()).await.expect("in time");
            let byte = byte.unwrap_or_else(|error| panic!("{error} after {text:?}"));
            text.push(byte as char);
        }
        text
    }

    /// All that comes until the server closes.
    async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        timeout(PATIENCE, self.far.read_to_end(&mut bytes)).await.expect("in time").expect("read");
        String::from_utf8(bytes).expect("text")
    }

    async fn ended(self) -> Result<(), Error> {
        drop(self.far);
        timeout(PATIENCE, self.serving).await.expect("in time").expect("no panic")
    }
}

fn statuses(answers: &str) -> Vec<&str> {
    answers.match_indices("HTTP/1.").map(|(at, _)| &answers[at + 9..at + 12]).collect()
}

#[tokio::test]
async fn requests_are_answered_in_their_order() {
    let mut stage = Stage::new();
    stage.say("GET /a HTTP/1.1\r\n\r\n\r\nGET /b HTTP/1.1\r\n\r\nPOST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\n/c").await;
    let first = stage.until("/b").await;
    assert!(
        first.contains("\r\ncontent-length: 2\r\n") && first.contains("/aHTTP/1.1 200 OK"),
        "{first}"
    );
    stage.say("!POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nd\r\n0\r\n\r\nGET /last HTTP/1.1\r\n\r\nGET /no HTTP/1.1\r\n\r\n").await;
    let rest = stage.rest().await;
    assert_eq!(statuses(&rest), ["200", "200", "200"], "{rest}");
    assert!(
        rest.contains("/c!HTTP") && rest.ends_with("last") && rest.contains("connection: close"),
        "{rest}"
    );
    stage.ended().await.expect("a good end");
}

#[tokio::test]
async fn versions_differ_in_how_a_connection_goes_on() {
    for (head, statuses_wanted, option) in [
        ("GET /a HTTP/1.0\r\n\r\n", 1, None),
        ("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 2, Some("keep-alive")),
        ("GET /a HTTP/1.1\r\nConnection: close\r\n\r\n", 1, Some("close")),
        ("GET /a HTTP/1.1\r\n\r\n", 2, None),
    ] {
        let mut stage = Stage::new();
        stage.say(head).await.say("GET /last HTTP/1.1\r\n\r\n").await;
        let rest = stage.rest().await;
        assert_eq!(statuses(&rest).len(), statuses_wanted, "{head:?}: {rest}");
        let first = rest.split("\r\n\r\n").next().expect("a head");
        let told = first.lines().find_map(|line| line.strip_prefix("connection: "));
        assert_eq!(told, option, "{head:?}: {rest}");
        assert!(first.starts_with(&head[7..15].replace(" ", "")), "{first}");
    }
}

#[tokio::test]
async fn an_answer_has_the_body_that_its_request_lets_it_have() {
    for (line, body) in [
        (
            "GET /parts HTTP/1.1",
            "\r\ntransfer-encoding: chunked\r\n|3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
        ),
        ("GET /parts HTTP/1.0", "|onetwo"),
        ("HEAD /parts HTTP/1.1", "|"),
        ("HEAD /a HTTP/1.1", "|"),
        ("GET /none HTTP/1.1", "|"),
    ] {
        let mut stage = Stage::new();
        stage.say(&format!("{line}\r\nConnection: close\r\n\r\n")).await;
        let rest = stage.rest().await;
        let (head, got) = rest.split_once("\r\n\r\n").expect("a head");
        let (field, wanted) = body.split_once('|').expect("a bar");
        assert!(format!("{head}\r\n").contains(field), "{line}: {rest}");
        assert_eq!(got, wanted, "{line}");
        assert_eq!(head.contains("content-length"), line.starts_with("HEAD /a"), "{line}: {head}");
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_the_last() {
    for (text, wanted) in [
        ("GET /a HTTP/1.1\n\r\n", "400 BareLineFeed false"),
        ("GET /a\r\n\r\n", "400 Syntax"),
        ("POST /a HTTP/1.1\r\nContent-Length: x\r\n\r\n", "400 Length true"),
        ("POST /a HTTP/1.1\r\nTransfer-Encoding: x\r\n\r\n", "400 TransferEncoding true"),
    ] {
        let mut stage = Stage::new();
        stage
            .say("GET /a HTTP/1.1\r\n\r\n")
            .await
            .say(text)
            .await
            .say("GET /no HTTP/1.1\r\n\r\n")
            .await;
        let rest = stage.rest().await;
        assert_eq!(statuses(&rest).len(), 2, "{rest}");
        let refusal = rest.rsplit("HTTP/1.1 ").next().expect("one");
        let (head, body) = refusal.split_once("\r\n\r\n").expect("a head");
        assert!(format!("{} {body}", &head[..3]).starts_with(wanted), "{refusal}");
        assert!(head.contains("connection: close"), "{head}");
        assert_eq!(stage.seen.begun.load(Ordering::SeqCst), 1);
    }
    let mut stage = Stage::new();
    let long = format!("GET /a HTTP/1.1\r\nA: {}", "x".repeat(70_000));
    let (mut reader, mut writer) = tokio::io::split(&mut stage.far);
    let mut text = String::new();
    let (_, read) =
        tokio::join!(writer.write_all(long.as_bytes()), reader.read_to_string(&mut text));
    read.expect("read");
    assert!(text.starts_with("HTTP/1.1 431 "), "{text}");
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on() {
    let ask = "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    let mut stage = Stage::new();
    stage.say(ask).await;
    assert_eq!(stage.until("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    stage.say("hi").await;
    assert!(stage.until("hi").await.starts_with("HTTP/1.1 200"));
    // Who was not told may send the body or not: there is no telling what comes next.
    stage.say(&ask.replace("/echo", "/unread")).await;
    let answer = stage.until("unread").await;
    assert!(answer.contains("connection: close") && !answer.contains("100"), "{answer}");
    assert_eq!(stage.rest().await, "");
    let mut stage = Stage::new();
    stage.say(&ask.replace(": 2", ": 0")).await;
    assert!(
        stage.until("\r\n\r\n").await.starts_with("HTTP/1.1 200"),
        "there is nothing to ask for"
    );
}

#[tokio::test]
async fn what_is_left_of_a_body_is_no_request() {
    let inner = "GET /inner HTTP/1.1\r\n\r\n";
    let head = format!("POST /unread HTTP/1.1\r\nContent-Length: {}\r\n\r\n", inner.len());
    let mut stage = Stage::new();
    stage.say(&head).await;
    stage.until("unread").await;
    stage.say(inner).await.say("GET /next HTTP/1.1\r\n\r\n").await;
    let next = stage.until("/next").await;
    assert_eq!((statuses(&next), next.contains("inner")), (vec!["200"], false));
    // One that does not come is waited for, but not long.
    stage.say(&head).await;
    stage.until("unread").await;
    assert_eq!(stage.rest().await, "");
    // One that is too long is not waited for at all.
    let mut stage = Stage::with(Patience { head: PATIENCE, idle: PATIENCE }, 1 << 20);
    let long = "GET /inner HTTP/1.1\r\n\r\n".repeat(10_000);
    stage.say(&format!("POST /unread HTTP/1.1\r\nContent-Length: 230000\r\n\r\n{long}")).await;
    let rest = stage.rest().await;
    assert_eq!((statuses(&rest), rest.contains("inner")), (vec!["200"], false));
    assert!(rest.contains("connection: close"), "{rest}");
    assert_eq!(stage.seen.begun.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_body_is_read_by_who_has_it_after_the_answer() {
    let mut stage = Stage::new();
    stage.say("POST /held HTTP/1.1\r\nContent-Length: 40\r\n\r\n0123456789").await;
    stage.until("held").await;
    stage.say("0123456789GET /x HTTP/1.1\r\n\r\n").await;
    stage.seen.go.notify_one();
    sleep(Duration::from_millis(20)).await;
    assert_eq!(stage.seen.begun.load(Ordering::SeqCst), 1, "20 bytes are the body's");
    stage.say("GET /next HTTP/1.1\r\n\r\n").await;
    let next = stage.until("/next").await;
    assert!(next.starts_with("HTTP/1.1 200"), "{next}");
    assert_eq!(stage.seen.begun.load(Ordering::SeqCst), 42, "two requests and a body of 40");
}

#[tokio::test]
async fn a_body_that_breaks_off_or_is_none_ends_the_connection() {
    for body in ["zz\r\n", "5\r\nhelloX"] {
        let mut stage = Stage::new();
        stage.say(&format!("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}GET /x HTTP/1.1\r\n\r\n")).await;
        let rest = stage.rest().await;
        assert_eq!(statuses(&rest), ["400"], "{rest}");
        assert!(rest.contains("connection: close"), "{rest}");
    }
    let mut stage = Stage::new();
    stage.say("POST /echo HTTP/1.1\r\nContent-Length: 9\r\n\r\nhello").await;
    stage.far.shutdown().await.expect("shutdown");
    assert_eq!(statuses(&stage.rest().await), ["400"]);
}

#[tokio::test]
async fn trailers_are_for_who_reads_them() {
    for (te, end) in [
        ("TE: gzip, Trailers\r\n", "0\r\na: b\r\n\r\n"),
        ("", "0\r\n\r\n"),
        ("TE: x\r\n", "0\r\n\r\n"),
    ] {
        let mut stage = Stage::new();
        stage.say(&format!("GET /trailers HTTP/1.1\r\nConnection: close\r\n{te}\r\n")).await;
        let rest = stage.rest().await;
        assert!(rest.ends_with(&format!("3\r\none\r\n{end}")), "{rest}");
    }
}

#[tokio::test]
async fn what_comes_before_an_answer_is_written_at_once_and_never_after() {
    let mut stage = Stage::new();
    stage.say("GET /early HTTP/1.1\r\n\r\n").await;
    let answer = stage.until("answer").await;
    assert!(
        answer.starts_with("HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\n"),
        "{answer}"
    );
    stage.seen.go.notify_one();
    while stage.seen.dropped.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    stage.say("GET /last HTTP/1.1\r\n\r\n").await;
    assert_eq!(statuses(&stage.rest().await), ["200"]);
}

#[tokio::test]
async fn a_client_of_the_old_version_hears_the_answer_alone() {
    let mut stage = Stage::new();
    stage.say("GET /early HTTP/1.0\r\n\r\n").await;
    assert_eq!(statuses(&stage.rest().await), ["200"]);
}

/// A client that does not read cannot make anything be kept for it.
#[tokio::test]
async fn who_does_not_read_misses_what_comes_before_an_answer() {
    let mut stage = Stage::with(Patience { head: PATIENCE, idle: PATIENCE }, 4096);
    stage.say("GET /chatty HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    // All of it is said within one turn.
    let rest = stage.rest().await;
    let statuses = statuses(&rest);
    assert!((2..10).contains(&statuses.len()), "{}", statuses.len());
    assert!(statuses.ends_with(&["200"]) && rest.ends_with("\r\n\r\nanswer"), "{rest}");
}

#[tokio::test]
async fn a_body_may_become_the_answer() {
    let mut stage = Stage::new();
    stage.say("POST /streamed HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n").await;
    assert!(stage.until("1\r\na\r\n").await.starts_with("HTTP/1.1 200"));
    stage.say("2\r\nbc\r\n0\r\n\r\n").await;
    assert_eq!(stage.until("0\r\n\r\n").await, "2\r\nbc\r\n0\r\n\r\n");
    stage.say("GET /next HTTP/1.1\r\n\r\n").await.until("/next").await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_never_whole() {
    let mut stage = Stage::new();
    stage.say("GET /broken HTTP/1.1\r\n\r\n").await;
    let rest = stage.rest().await;
    assert!(rest.starts_with("HTTP/1.1 200") && rest.ends_with("3\r\none\r\n"), "{rest}");
    assert!(matches!(stage.ended().await, Err(Error::Unsent(_))));
}

#[tokio::test]
async fn a_long_answer_waits_for_its_reader() {
    let mut stage = Stage::with(Patience { head: PATIENCE, idle: PATIENCE }, 1000);
    stage.say("GET /long HTTP/1.1\r\n\r\nGET /last HTTP/1.1\r\n\r\n").await;
    let rest = stage.rest().await;
    assert_eq!(rest.matches('x').count(), 300_000);
    assert!(rest.ends_with("last"));
}

#[tokio::test]
async fn what_is_done_for_a_client_ends_when_it_goes() {
    for (text, pipelined) in
        [("GET /later HTTP/1.1\r\n\r\n", false), ("GET /later HTTP/1.1\r\n\r\nGET /", true)]
    {
        let mut stage = Stage::new();
        stage.say(text).await;
        sleep(Duration::from_millis(20)).await;
        let seen = Arc::clone(&stage.seen);
        assert_eq!(
            (seen.begun.load(Ordering::SeqCst), seen.dropped.load(Ordering::SeqCst)),
            (1, 0)
        );
        if pipelined {
            // Only what was read ahead hides that it has gone.
            seen.go.notify_one();
            assert!(stage.until("later").await.starts_with("HTTP/1.1 200"));
            continue;
        }
        assert!(matches!(stage.ended().await, Err(Error::Closed)));
        assert_eq!(seen.dropped.load(Ordering::SeqCst), 1);
    }
    let mut stage = Stage::new();
    stage.say("GET /endless HTTP/1.1\r\n\r\n").await.until("one\r\n").await;
    assert!(matches!(stage.ended().await, Err(Error::Closed)));
}

#[tokio::test]
async fn a_listener_that_stops_lets_requests_end() {
    let mut stage = Stage::new();
    stage.say("GET /later HTTP/1.1\r\n\r\n").await;
    sleep(Duration::from_millis(20)).await;
    stage.stop.notify_waiters();
    sleep(Duration::from_millis(20)).await;
    stage.seen.go.notify_one();
    let rest = stage.rest().await;
    assert!(rest.ends_with("later") && rest.contains("connection: close"), "{rest}");
    stage.ended().await.expect("a good end");
    let mut idle = Stage::new();
    idle.say("GET /a HTTP/1.1\r\n\r\n").await.until("/a").await;
    idle.stop.notify_waiters();
    assert_eq!(idle.rest().await, "");
}

/// Its client may have sent the next request before it could hear of the end.
#[tokio::test]
async fn a_connection_that_was_just_used_has_one_more_answer_when_the_listener_stops() {
    let mut stage = Stage::new();
    stage.say("GET /a HTTP/1.1\r\n\r\n").await.until("/a").await;
    stage.stop.notify_waiters();
    sleep(Duration::from_millis(20)).await;
    let answer = stage.say("GET /b HTTP/1.1\r\n\r\n").await.rest().await;
    assert!(answer.contains("connection: close") && answer.ends_with("/b"), "{answer}");
    stage.ended().await.expect("a good end");
}

#[tokio::test]
async fn patience_has_an_end() {
    let short = Duration::from_millis(150);
    let mut slow = Stage::with(Patience { head: short, idle: PATIENCE }, 1 << 16);
    slow.say("GET /a HTTP/1.1\r\n\r\n").await.until("/a").await;
    sleep(2 * short).await;
    slow.say("GET /b").await;
    let began = Instant::now();
    assert_eq!(slow.rest().await, "", "a head that does not go on");
    assert!(began.elapsed() >= short - Duration::from_millis(20));
    assert!(matches!(slow.ended().await, Err(Error::Slow)));
    let mut idle = Stage::with(Patience { head: PATIENCE, idle: short }, 1 << 16);
    for _ in 0..4 {
        sleep(short / 2).await;
        idle.say("GET /a HTTP/1.1\r\n\r\n").await.until("/a").await;
    }
    let began = Instant::now();
    assert_eq!(idle.rest().await, "", "no request comes");
    assert!(began.elapsed() >= short - Duration::from_millis(20), "{:?}", began.elapsed());
    idle.ended().await.expect("a good end");
}

#[tokio::test]
async fn a_switched_connection_has_what_came_with_the_head() {
    let mut stage = Stage::new();
    stage.say("GET /switch HTTP/1.1\r\nUpgrade: x\r\n\r\nhe").await;
    assert!(stage.until("\r\n\r\n").await.starts_with("HTTP/1.1 101 "));
    stage.say("llo").await;
    assert_eq!(stage.rest().await, "hello");
    stage.ended().await.expect("a good end");
}
