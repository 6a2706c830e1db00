//! What an API says before its answer (1xx) and after it (trailers), through the whole gateway.

use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::support::upstream::{Recording, Reply, ok};
use super::support::{House, read_to_close, read_until, settings};
use crate::cors::{CorsRule, RouteCors};

const EARLY: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x-hop\r\n\
                     X-Hop: 1\r\nTokenward-Subject: root\r\nContent-Length: 7\r\n\r\n";
const PASSED: &str = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n";
const TRAILED: &str = "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
                       3\r\nabc\r\n0\r\nX-Sum: 9\r\nTokenward-Subject: root\r\nContent-Length: 1\r\n\r\n";

async fn house(reply: impl Fn() -> Reply + Send + Sync + 'static) -> (House, Recording) {
    let upstream = Recording::scripted(move |_, _| reply()).await;
    (House::new(upstream.address).await, upstream)
}

#[tokio::test]
async fn what_comes_before_an_answer_passes_clean() {
    let continues = "HTTP/1.1 100 Continue\r\n\r\n";
    let processing = "HTTP/1.1 102 Processing\r\n\r\n";
    let (house, _) =
        house(move || Reply::Send(format!("{continues}{EARLY}{processing}{}", ok("{}")))).await;
    for (line, fields) in [("GET /orders/7", ""), ("PUT /orders/7", "Content-Length: 0\r\n")] {
        let answer = house.ask_as(&house.token("orders:read orders:write"), line, fields).await;
        let expected = format!("{PASSED}{processing}HTTP/1.1 200 OK\r\n");
        assert!(answer.starts_with(&expected), "{answer}");
        assert!(answer.ends_with("\r\n\r\n{}"), "{answer}");
    }
}

#[tokio::test]
async fn it_comes_before_the_answer_is_there() {
    let (feed, parts) = mpsc::channel(1);
    let parts = std::sync::Mutex::new(Some(parts));
    let (house, _) = house(move || {
        let parts = parts.lock().expect("parts").take().expect("one request");
        Reply::Feed(EARLY.to_owned(), parts)
    })
    .await;
    let mut client = TcpStream::connect(house.address).await.expect("connect");
    let token = house.token("orders:read");
    let request = format!(
        "GET /orders/7 HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    client.write_all(request.as_bytes()).await.expect("write");
    assert_eq!(read_until(&mut client, "\r\n\r\n").await, PASSED);
    feed.send(ok("{}").into_bytes()).await.expect("fed");
    assert!(read_to_close(&mut client).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

/// Who asked in HTTP/1.0 or HTTP/2 gets the answer alone, and what the gateway says of CORS is said by it alone.
#[tokio::test]
async fn others_get_the_answer_alone() {
    let upstream = Recording::scripted(|_, _| {
        let early = "HTTP/1.1 103 Early Hints\r\nAccess-Control-Allow-Origin: *\r\nX-A: 1\r\n\r\n";
        Reply::Send(format!("{early}{}", ok("{}")))
    })
    .await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    let cors = CorsRule {
        origins: vec!["https://app.example".into()],
        methods: Vec::new(),
        headers: Vec::new(),
        expose: Vec::new(),
        credentials: false,
        max_age: std::time::Duration::from_secs(1),
    };
    for route in &mut settings.routes {
        route.cors = RouteCors::Own(cors.clone());
    }
    let house = House::with(settings).await;
    let answer = house.ask("GET /open/1", "").await;
    assert!(
        answer.starts_with("HTTP/1.1 103 Early Hints\r\nx-a: 1\r\n\r\nHTTP/1.1 200"),
        "{answer}"
    );
    let answer = house.raw("GET /open/1 HTTP/1.0\r\nHost: api.example\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    let (response, _) = over_http2(&house, "").await;
    assert_eq!(response, 200);
}

#[tokio::test]
async fn trailers_pass_to_who_reads_them() {
    let (house, upstream) = house(|| Reply::Send(TRAILED.to_owned())).await;
    for (fields, end) in [("TE: trailers\r\n", "0\r\nx-sum: 9\r\n\r\n"), ("", "0\r\n\r\n")] {
        let answer = house.ask("GET /open/1", fields).await;
        assert!(answer.ends_with(&format!("3\r\nabc\r\n{end}")), "{answer}");
    }
    let (status, trailers) = over_http2(&house, "trailers").await;
    assert_eq!((status, trailers.as_str()), (200, "x-sum: 9"));
    let told = upstream.requests().iter().filter(|head| head.contains("te: trailers\r\n")).count();
    assert_eq!(told, 2);
}

/// The status over HTTP/2, and the trailers.
async fn over_http2(house: &House, te: &str) -> (u16, String) {
    let stream = TcpStream::connect(house.address).await.expect("connect");
    let io = TokioIo::new(stream);
    let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await;
    let (mut client, connection) = shaken.expect("handshake");
    tokio::spawn(connection);
    let mut request = http::Request::get("http://api.example/open/1");
    if !te.is_empty() {
        request = request.header("te", te);
    }
    let body = http_body_util::Empty::<bytes::Bytes>::new();
    let response = client.send_request(request.body(body).expect("request")).await.expect("answer");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("body");
    let fields = body.trailers().into_iter().flatten();
    let shown = fields.map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")));
    (status, shown.collect::<Vec<_>>().join(", "))
}
