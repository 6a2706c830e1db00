//! HTTP/2 in and out: a gRPC call passes both ways, with its trailers.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, BodyStream, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::handshake;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::support::{House, PATIENCE, settings};
use crate::UpstreamRule;

type Body = BoxBody<Bytes, Infallible>;
type Heads = Arc<Mutex<Vec<http::request::Parts>>>;

/// A body of what comes in the channel.
fn fed(parts: mpsc::Receiver<Frame<Bytes>>) -> Body {
    let frames = futures_util::stream::unfold(parts, |mut parts| async {
        parts.recv().await.map(|frame| (Ok(frame), parts))
    });
    BodyExt::boxed(StreamBody::new(frames))
}

/// A server that gives every message back when it comes, and a status at the end.
async fn echo(request: Request<Incoming>) -> Response<Body> {
    let (sender, parts) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut frames = BodyStream::new(request.into_body());
        while let Some(Ok(frame)) = frames.next().await {
            if let Ok(data) = frame.into_data() {
                let _ = sender.send(Frame::data(data)).await;
            }
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let _ = sender.send(Frame::trailers(trailers)).await;
    });
    let mut response = Response::new(fed(parts));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}

/// A server that knows HTTP/2 only, and the heads of the requests that it gets.
async fn server() -> (SocketAddr, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    let heads = Heads::default();
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            let service = service_fn(move |request: Request<Incoming>| {
                let (head, body) = request.into_parts();
                seen.lock().expect("heads").push(head.clone());
                async move { Ok::<_, Infallible>(echo(Request::from_parts(head, body)).await) }
            });
            let serving = http2::Builder::new(TokioExecutor::new());
            tokio::spawn(serving.serve_connection(TokioIo::new(stream), service));
        }
    });
    (address, heads)
}

#[tokio::test]
async fn a_call_passes_both_ways_with_its_trailers() {
    let (address, heads) = server().await;
    let mut settings = settings("http://127.0.0.1:9");
    let rule = UpstreamRule::from(format!("http://{address}"));
    settings.upstreams.insert("api".into(), UpstreamRule { http2: true, ..rule });
    let house = House::with(settings).await;
    let stream = TcpStream::connect(house.address).await.expect("connect");
    let (mut client, connection) =
        handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("handshake");
    tokio::spawn(connection);
    let (sender, parts) = mpsc::channel(1);
    let request = Request::post("http://api.example/files/shop.Orders/Watch")
        .header("authorization", format!("Bearer {}", house.token("orders:read")))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(fed(parts))
        .expect("request");
    let answer = tokio::time::timeout(PATIENCE, client.send_request(request));
    let response = answer.await.expect("before the request has ended").expect("answer");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let mut body = response.into_body();
    for message in ["\0\0\0\0\x02hi", "\0\0\0\0\x03you"] {
        sender.send(Frame::data(message.into())).await.expect("sent");
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await.expect("in time");
        let data = frame.expect("a frame").expect("good").into_data();
        assert_eq!(data.expect("data"), message, "at once, while the request goes on");
    }
    drop(sender);
    let frame = tokio::time::timeout(PATIENCE, body.frame()).await.expect("in time");
    let trailers = frame.expect("a frame").expect("good").into_trailers().expect("trailers");
    assert_eq!(trailers["grpc-status"], "0");

    let head = heads.lock().expect("heads").pop().expect("one");
    assert_eq!(head.uri.to_string(), format!("http://{address}/files/shop.Orders/Watch"));
    assert_eq!(head.headers["te"], "trailers");
    assert_eq!(head.headers["tokenward-subject"], "u1");
    for name in ["authorization", "connection", "host", "transfer-encoding"] {
        assert!(!head.headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn requests_in_http_1_go_on_in_http_2() {
    let (address, heads) = server().await;
    let mut settings = settings("http://127.0.0.1:9");
    let rule = UpstreamRule::from(format!("http://{address}"));
    settings.upstreams.insert("api".into(), UpstreamRule { http2: true, ..rule });
    let house = House::with(settings).await;
    let token = house.token("orders:read");
    let upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\n";
    for fields in ["", upgrade] {
        let answer = house
            .raw(format!(
                "GET /orders HTTP/1.1\r\nHost: api.example\r\n{fields}\
                 Authorization: Bearer {token}\r\n\r\n\
                 GET /orders HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n"
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    for head in heads.lock().expect("heads").iter() {
        assert!(!head.headers.contains_key("upgrade"), "{head:?}");
    }
}

/// Whoever speaks gRPC reads a status of gRPC, whatever went wrong, and beside it what OAuth says.
#[tokio::test]
async fn a_call_that_is_refused_gets_a_status_of_grpc() {
    let house = House::with(settings("http://127.0.0.1:9")).await;
    let stream = TcpStream::connect(house.address).await.expect("connect");
    let (mut client, connection) =
        handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("handshake");
    tokio::spawn(connection);
    let good = house.token("orders:read");
    for (kind, path, token, expected, status) in [
        ("application/grpc", "/files/a", "", "16", 401),
        ("application/grpc+proto", "/nothing", &good, "12", 404),
        ("application/grpc;x=y", "/ledger", &good, "16", 401),
        ("application/grpc", "/open/1", "", "14", 502),
        ("application/grpc-web+proto", "/files/a", "", "", 401),
        ("application/json", "/files/a", "", "", 401),
    ] {
        let method = if path == "/ledger" { "GET" } else { "POST" };
        let mut request =
            Request::builder().method(method).uri(format!("http://api.example{path}"));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.header("content-type", kind);
        let body = fed(mpsc::channel(1).1);
        let answer = client.send_request(request.body(body).expect("request")).await;
        let response = answer.expect("answer");
        let (_, event) = house.events.next().await;
        assert_eq!(event.status, status, "{kind} {path}");
        let (head, body) = response.into_parts();
        assert_eq!(head.headers.contains_key("www-authenticate"), status == 401, "{kind} {path}");
        let bytes = body.collect().await.expect("body").to_bytes();
        if expected.is_empty() {
            assert_eq!(head.status, status);
            assert_eq!(head.headers["content-type"], "application/problem+json");
            continue;
        }
        assert_eq!(
            (head.status.as_u16(), &head.headers["grpc-status"]),
            (200, &HeaderValue::from_static(expected))
        );
        assert_eq!(head.headers["content-type"], "application/grpc");
        assert!(!head.headers["grpc-message"].is_empty() && bytes.is_empty(), "{bytes:?}");
    }
}
