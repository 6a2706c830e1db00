//! HTTP/2 in, HTTP/1.1 out.

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;

use super::support::upstream::Recording;
use super::support::{House, body, field};

type Outgoing = BoxBody<Bytes, std::convert::Infallible>;

struct Stage {
    house: House,
    upstream: Recording,
    client: SendRequest<Outgoing>,
}

fn none() -> Outgoing {
    Full::new(Bytes::new()).boxed()
}

fn parts(parts: &[&'static str]) -> Outgoing {
    let frames: Vec<_> =
        parts.iter().map(|part| Ok(Frame::data(Bytes::from_static(part.as_bytes())))).collect();
    StreamBody::new(futures_util::stream::iter(frames)).boxed()
}

impl Stage {
    async fn new() -> Self {
        let upstream = Recording::new().await;
        let house = House::new(upstream.address).await;
        let stream = TcpStream::connect(house.address).await.expect("connect");
        let (client, connection) =
            handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("handshake");
        tokio::spawn(connection);
        Self { house, upstream, client }
    }

    async fn send(&mut self, request: Request<Outgoing>) -> Response<Incoming> {
        self.client.ready().await.expect("ready");
        self.client.send_request(request).await.expect("answer")
    }

    fn request(&self, method: Method, path: &str, body: Outgoing) -> Request<Outgoing> {
        Request::builder()
            .method(method)
            .uri(format!("http://api.example{path}"))
            .header(
                "authorization",
                format!("Bearer {}", self.house.token("orders:read orders:write")),
            )
            .body(body)
            .expect("request")
    }
}

#[tokio::test]
async fn a_request_is_checked_and_forwarded() {
    let mut stage = Stage::new().await;
    let mut request = stage.request(Method::GET, "/orders/%37?x", none());
    for cookie in ["a=1", "b=2"] {
        request.headers_mut().append("cookie", cookie.parse().expect("value"));
    }
    request.headers_mut().insert("tokenward-subject", "root".parse().expect("value"));
    let response = stage.send(request).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.into_body().collect().await.expect("body").to_bytes(), "{}");
    let arrived = stage.upstream.only();
    assert!(arrived.starts_with("GET /orders/7?x HTTP/1.1\r\n"), "{arrived}");
    assert_eq!(field(&arrived, "cookie"), Some("a=1; b=2"));
    assert_eq!(field(&arrived, "x-forwarded-host"), Some("api.example"));
    assert_eq!(field(&arrived, "tokenward-subject"), Some("u1"));
    assert_eq!(field(&arrived, "transfer-encoding"), None);
    let (_, event) = stage.house.events.next().await;
    assert_eq!(event.host.as_deref(), Some("api.example"));
}

#[tokio::test]
async fn refusals_are_the_same() {
    let mut stage = Stage::new().await;
    let cases = [
        ("/files/../x", 400, "invalid_request"),
        ("/files/%2e%2e/x", 400, "invalid_request"),
        ("/files//x", 400, "invalid_request"),
        ("/nothing", 404, "not_found"),
        ("/orders?access_token=x", 400, "invalid_request"),
    ];
    for (path, code, error) in cases {
        let request = stage.request(Method::GET, path, none());
        let response = stage.send(request).await;
        assert_eq!(response.status(), code, "{path}");
        let body = response.into_body().collect().await.expect("body").to_bytes();
        let body: Value = serde_json::from_slice(&body).expect("json");
        assert_eq!(body["error"], error);
    }
    let mut request = stage.request(Method::GET, "/orders", none());
    request.headers_mut().append("authorization", "Bearer x".parse().expect("value"));
    assert_eq!(stage.send(request).await.status(), 400);
    let mut request = stage.request(Method::GET, "/orders", none());
    request.headers_mut().insert("host", "other.example".parse().expect("value"));
    assert_eq!(stage.send(request).await.status(), 400);
    let mut request = stage.request(Method::GET, "/orders", none());
    request.headers_mut().remove("authorization");
    let response = stage.send(request).await;
    assert_eq!(response.status(), 401);
    assert!(response.headers().contains_key("www-authenticate"));
    assert!(stage.upstream.requests().is_empty());
}

/// HTTP/2 needs no length, HTTP/1.1 does: whatever the method, the body arrives as a body.
#[tokio::test]
async fn a_body_of_unknown_length_arrives_in_chunks() {
    let mut stage = Stage::new().await;
    for method in [Method::POST, Method::GET] {
        let before = stage.upstream.requests().len();
        let smuggled = "GET /admin HTTP/1.1\r\n\r\n";
        let request = stage.request(method, "/orders", parts(&["abc", smuggled]));
        assert_eq!(stage.send(request).await.status(), 200);
        let requests = stage.upstream.requests();
        assert_eq!(requests.len(), before + 1);
        let arrived = &requests[before];
        assert_eq!(field(arrived, "transfer-encoding"), Some("chunked"));
        assert!(body(arrived).starts_with("3\r\nabc\r\n") && arrived.ends_with("0\r\n\r\n"));
        assert!(arrived.contains(smuggled));
    }
}

/// A length that is not the body's must not be restated in HTTP/1.1.
#[tokio::test]
async fn a_false_length_does_not_arrive() {
    for (body, length) in [(none(), "30"), (parts(&["abc"]), "30"), (parts(&["abcdef"]), "3")] {
        let mut stage = Stage::new().await;
        let mut request = stage.request(Method::POST, "/orders", body);
        request.headers_mut().insert("content-length", length.parse().expect("value"));
        stage.client.ready().await.expect("ready");
        let answer = stage.client.send_request(request).await;
        assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 400), "{length}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        for arrived in stage.upstream.requests() {
            assert!(!arrived.contains("abcdef"), "{arrived:?}");
        }
    }
}
