//! Connections in HTTP/1.1 that rest: nothing is lost and nothing is read twice when they go on.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::backend::Backend;
use crate::support::served::Served;

const PATIENCE: Duration = Duration::from_secs(10);
/// Longer than it takes until a connection gives its buffers back.
const REST: Duration = Duration::from_millis(2500);
const IDLE: Duration = Duration::from_secs(5);
const SWITCH: &str = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

fn served(backend: &Backend) -> Served {
    let members = "connections = { idle_timeout = \"5s\" }\nthreads = 1";
    let more = format!(
        "[gateway.upstreams.public]\nservers = [\"http://{}\"]\n\
         [[gateway.route]]\npath = \"/public/{{rest...}}\"\npublic = true\nupstream = \"public\"\n\
         [[gateway.route]]\npath = \"/echo\"\npublic = true\nupstream = \"public\"\n",
        backend.address
    );
    Served::start_with(members, &more)
}

fn connect(served: &Served) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, served.gateway_port())).expect("connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
    stream
}

fn get(path: &str) -> String {
    format!("GET /public/{path} HTTP/1.1\r\nHost: api.example\r\n\r\n")
}

/// One answer with a length, whole.
#[track_caller]
fn answer(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("head");
        read.push(byte[0]);
    }
    let head = String::from_utf8(read).expect("text").to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.expect("length").parse().expect("number")];
    stream.read_exact(&mut body).expect("body");
    head + &String::from_utf8(body).expect("text")
}

#[test]
fn requests_go_on_after_a_rest() {
    let backend = Backend::start("fine");
    let served = served(&backend);
    let mut stream = connect(&served);
    for round in 0..3 {
        stream.write_all(get("a").as_bytes()).expect("write");
        assert!(answer(&mut stream).starts_with("http/1.1 200"), "{round}");
        std::thread::sleep(if round == 1 { REST } else { Duration::from_millis(300) });
    }
    assert_eq!(backend.count("/public/a"), 3);
}

#[test]
fn a_head_that_comes_in_pieces_over_a_rest_is_one_head() {
    let backend = Backend::start("fine");
    let served = served(&backend);
    // With the request before, after it, and after the rest.
    for (early, late) in [(true, false), (false, false), (false, true)] {
        let mut stream = connect(&served);
        let (first, second) = (get("first"), get("second"));
        let (begin, end) = second.split_at(20);
        let before = if early { format!("{first}{begin}") } else { first };
        stream.write_all(before.as_bytes()).expect("write");
        assert!(answer(&mut stream).starts_with("http/1.1 200"));
        if late {
            std::thread::sleep(REST);
        }
        if !early {
            stream.write_all(begin.as_bytes()).expect("write");
        }
        std::thread::sleep(REST);
        stream.write_all(end.as_bytes()).expect("write");
        assert!(answer(&mut stream).starts_with("http/1.1 200"), "{early} {late}");
    }
    assert_eq!((backend.count("/public/first"), backend.count("/public/second")), (3, 3));
}

#[test]
fn a_body_that_pauses_is_no_request() {
    let backend = Backend::start("fine");
    let served = served(&backend);
    let mut stream = connect(&served);
    // Answered at once, for want of a token, while the body is still to come.
    let smuggled = get("smuggled");
    let head = format!(
        "POST /nothing HTTP/1.1\r\nHost: api.example\r\nContent-Length: {}\r\n\r\n",
        smuggled.len() + 4
    );
    stream.write_all(format!("{head}body").as_bytes()).expect("write");
    assert!(answer(&mut stream).starts_with("http/1.1 401"));
    std::thread::sleep(REST);
    let _ = stream.write_all(smuggled.as_bytes());
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    assert_eq!(backend.count("/public/smuggled"), 0);
}

#[test]
fn a_connection_switches_after_a_rest_and_is_not_cut_by_one() {
    let backend = Backend::start("fine");
    let served = served(&backend);
    let mut stream = connect(&served);
    stream.write_all(get("a").as_bytes()).expect("write");
    answer(&mut stream);
    std::thread::sleep(REST);
    let ask = format!("GET /echo HTTP/1.1\r\nHost: api.example\r\n{SWITCH}\r\n");
    stream.write_all(ask.as_bytes()).expect("write");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("head");
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    for pause in [Duration::ZERO, IDLE + REST] {
        std::thread::sleep(pause);
        stream.write_all(b"hello").expect("write");
        let mut echo = [0; 5];
        stream.read_exact(&mut echo).expect("echo");
        assert_eq!(&echo, b"hello");
    }
}

#[test]
fn a_rest_ends_with_the_patience_for_it_or_with_the_server() {
    let backend = Backend::start("fine");
    let served = served(&backend);
    let mut resting = connect(&served);
    resting.write_all(get("a").as_bytes()).expect("write");
    answer(&mut resting);
    let began = Instant::now();
    let ended = |stream: &mut TcpStream| {
        assert_eq!(stream.read(&mut [0; 16]).expect("a close without a reset"), 0);
    };
    ended(&mut resting);
    assert!(began.elapsed() + Duration::from_millis(200) >= IDLE, "{:?}", began.elapsed());
    let mut stream = connect(&served);
    stream.write_all(get("a").as_bytes()).expect("write");
    answer(&mut stream);
    std::thread::sleep(REST);
    served.signal("TERM");
    let began = Instant::now();
    ended(&mut stream);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
