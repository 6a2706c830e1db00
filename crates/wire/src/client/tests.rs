//! A client before a server that says what it is told to.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body::{Body, Frame};
use http_body_util::{Empty, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::mpsc;

use super::{Answered, Connection, Failed};
use crate::error::{BadBody, BadHead, Error};

type Client = Connection<DuplexStream>;

/// A body whose parts come when they are sent; a text of `!` breaks it.
struct Parts(mpsc::UnboundedReceiver<&'static str>);

impl Body for Parts {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        self.0.poll_recv(cx).map(|part| match part? {
            "!" => Some(Err("broken")),
            part => Some(Ok(Frame::data(part.into()))),
        })
    }
}

fn pair() -> (Client, DuplexStream) {
    let (near, far) = duplex(1 << 16);
    (Connection::new(near), far)
}

fn get(method: Method) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() = method;
    request
}

/// What the server gets up to this end.
async fn until(far: &mut DuplexStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let byte = tokio::time::timeout(Duration::from_secs(5), far.read_u8()).await;
        text.push(byte.expect("in time").expect("a byte") as char);
    }
    text
}

/// The answer's body and trailers.
async fn rest(client: &mut Client) -> Result<String, Error> {
    let mut text = String::new();
    while let Some(frame) = poll_fn(|cx| client.poll_frame(cx)).await {
        match frame?.into_data() {
            Ok(data) => text += std::str::from_utf8(&data).expect("text"),
            Err(frame) => text += &format!("{:?}", frame.into_trailers().expect("trailers")),
        }
    }
    Ok(text)
}

async fn reusable(client: &mut Client) -> bool {
    poll_fn(|cx| Poll::Ready(client.is_reusable(cx))).await
}

/// Sends a request to a server that says this and then perhaps closes: what comes of it, and whether there may be
/// another one.
async fn ask(method: Method, says: &str, closes: bool) -> Result<(u16, String, bool), Error> {
    let (mut client, mut far) = pair();
    let says = says.to_owned();
    let server = tokio::spawn(async move {
        until(&mut far, "\r\n\r\n").await;
        far.write_all(says.as_bytes()).await.expect("write");
        (!closes).then_some(far)
    });
    let answered = client.send(get(method), None).await;
    let head = match answered {
        Ok(Answered { head, upload }) => {
            assert!(upload.is_none());
            head
        }
        Err(Failed::Broken(error)) => return Err(error),
        Err(Failed::Unsent(_)) => panic!("it was sent"),
    };
    let body = match client.whole()? {
        Some(whole) => String::from_utf8(whole.to_vec()).expect("text"),
        None => rest(&mut client).await?,
    };
    let kept = server.await.expect("server");
    let again = reusable(&mut client).await;
    drop(kept);
    Ok((head.status().as_u16(), body, again))
}

#[tokio::test]
async fn answers_end_where_they_say() {
    let cases = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", true),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
            200,
            "hello",
            false,
        ),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false),
        (
            "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
            200,
            "hello",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            200,
            "hello",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\na: b\r\n\r\n",
            200,
            "x{\"a\": \"b\"}",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n0\r\n\r\n",
            200,
            "",
            false,
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, "", true),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 204 X\r\n\r\n",
            204,
            "",
            true,
        ),
        ("HTTP/1.1 200 OK\nContent-Length: 1\n\nx", 200, "x", true),
        // What nobody asked for is no answer to the next request.
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n",
            200,
            "hello",
            false,
        ),
        ("HTTP/1.1 204 No Content\r\n\r\nx", 204, "", false),
    ];
    for (says, status, body, again) in cases {
        let answer = ask(Method::GET, says, false).await.expect(says);
        assert_eq!(answer, (status, body.to_owned(), again), "{says:?}");
        let answer = ask(Method::GET, says, true).await.expect(says);
        assert_eq!(answer, (status, body.to_owned(), false), "closed: {says:?}");
    }
    let head = ask(Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false).await;
    assert_eq!(head.expect("head"), (200, String::new(), true));
    let to_end = ask(Method::GET, "HTTP/1.1 200 OK\r\n\r\nall of it", true).await;
    assert_eq!(to_end.expect("to end"), (200, "all of it".to_owned(), false));
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    let error = async |says: &str| ask(Method::GET, says, true).await.expect_err(says);
    for says in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
        assert!(matches!(error(says).await, Error::Closed), "{says:?}");
    }
    assert!(matches!(error("SSH-2.0-x\r\n\r\n").await, Error::Head(BadHead::Syntax(_))));
    let long = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(crate::HEAD_BYTES));
    assert!(matches!(error(&long).await, Error::Head(BadHead::TooLong)));
    for (framing, body) in
        [("Content-Length: 5", "hell"), ("Transfer-Encoding: chunked", "5\r\nhello\r\n")]
    {
        let says = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{body}");
        assert!(matches!(error(&says).await, Error::Body(BadBody::BrokenOff)), "{says:?}");
    }
    let says = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n";
    assert!(matches!(error(says).await, Error::Body(BadBody::ChunkSize)));
    let says = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello";
    assert!(matches!(error(says).await, Error::Head(BadHead::Length)));
}

#[tokio::test]
async fn a_connection_that_has_ended_gives_the_request_back() {
    for stray in [&b""[..], b"HTTP/1.1 408 Too late\r\n\r\n"] {
        let (mut client, mut far) = pair();
        far.write_all(stray).await.expect("write");
        drop(far);
        let sent = client.send(Request::new(Full::new(Bytes::from("body"))), None).await;
        assert!(
            matches!(sent, Err(Failed::Unsent(request)) if request.body().size_hint().exact() == Some(4))
        );
    }
}

#[tokio::test]
async fn bodies_go_as_their_fields_say() {
    let mut lengths = Request::new(Full::new(Bytes::from("hello")));
    let (mut client, mut far) = pair();
    let (sent, _) = tokio::join!(client.send(lengths.clone(), None), async {
        let got = until(&mut far, "hello").await;
        assert_eq!(got, "GET / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello");
        far.write_all(b"HTTP/1.1 204 X\r\n\r\n").await
    });
    assert!(sent.is_ok_and(|answered| answered.upload.is_none()));
    lengths.headers_mut().insert("transfer-encoding", http::HeaderValue::from_static("chunked"));
    let (sent, _) = tokio::join!(client.send(lengths.clone(), None), async {
        let got = until(&mut far, "0\r\n\r\n").await;
        assert_eq!(
            got,
            "GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        );
        far.write_all(b"HTTP/1.1 204 X\r\n\r\n").await
    });
    assert!(sent.is_ok());
    lengths.headers_mut().insert("content-length", http::HeaderValue::from_static("6"));
    let sent = client.send(lengths, None).await;
    assert!(matches!(sent, Err(Failed::Broken(Error::Unsent(_)))), "shorter than promised");
}

#[tokio::test]
async fn an_answer_may_come_before_the_end_of_its_request() {
    let (mut client, mut far) = pair();
    let (parts, body) = mpsc::unbounded_channel();
    parts.send("one").expect("sent");
    let (sent, _) = tokio::join!(client.send(Request::new(Parts(body)), None), async {
        until(&mut far, "one\r\n").await;
        far.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await
    });
    let Ok(Answered { upload: Some(mut upload), .. }) = sent else { panic!("it is under way") };
    assert_eq!(rest(&mut client).await.expect("body"), "hello");
    parts.send("two").expect("sent");
    drop(parts);
    poll_fn(|cx| client.poll_upload(&mut upload, cx)).await.expect("sent");
    assert_eq!(until(&mut far, "0\r\n\r\n").await, "3\r\ntwo\r\n0\r\n\r\n");
    assert!(reusable(&mut client).await);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_never_whole() {
    let (mut client, mut far) = pair();
    let (parts, body) = mpsc::unbounded_channel();
    for part in ["one", "!"] {
        parts.send(part).expect("sent");
    }
    let sent = client.send(Request::new(Parts(body)), None).await;
    assert!(matches!(sent, Err(Failed::Broken(Error::Unsent(_)))));
    drop(client);
    let mut got = String::new();
    far.read_to_string(&mut got).await.expect("text");
    assert!(!got.contains("0\r\n\r\n"), "{got:?}");
}

#[tokio::test]
async fn a_server_that_reads_no_more_may_say_why() {
    for answer in [&b"HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n"[..], b""] {
        let (near, mut far) = duplex(64);
        let mut client = Connection::new(near);
        let body = Full::new(Bytes::from(vec![b'x'; 1 << 16]));
        let (sent, ()) = tokio::join!(client.send(Request::new(body), None), async {
            let mut some = [0; 64];
            far.read_exact(&mut some).await.expect("some");
            far.write_all(answer).await.expect("write");
            drop(far);
        });
        match sent {
            Ok(answered) => assert_eq!(answered.head.status(), 413),
            Err(Failed::Broken(Error::Io(_))) => assert!(answer.is_empty()),
            Err(_) => panic!("another error"),
        }
        assert!(!reusable(&mut client).await);
    }
}

#[tokio::test]
async fn a_switched_connection_has_what_came_with_the_head() {
    let (mut client, mut far) = pair();
    let (sent, _) = tokio::join!(client.send(get(Method::GET), None), async {
        until(&mut far, "\r\n\r\n").await;
        far.write_all(b"HTTP/1.1 101 X\r\nUpgrade: y\r\n\r\nfirst").await
    });
    assert!(sent.is_ok_and(|answered| answered.head.status() == 101));
    assert!(!reusable(&mut client).await);
    let mut stream = client.into_upgraded();
    far.write_all(b" second").await.expect("write");
    let mut both = [0; 12];
    stream.read_exact(&mut both).await.expect("both");
    assert_eq!(&both, b"first second");
    stream.write_all(b"answer").await.expect("write");
    stream.shutdown().await.expect("shutdown");
    let mut got = String::new();
    far.read_to_string(&mut got).await.expect("text");
    assert_eq!(got, "answer");
}
