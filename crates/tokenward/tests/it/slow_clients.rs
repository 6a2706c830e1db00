//! Clients that are slow, many, or only make work, on raw sockets.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::support::served::Served;

const PATIENCE: Duration = Duration::from_secs(10);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A gateway that is impatient, with `/public/…` before an API of the test's own.
fn served(upstream: SocketAddr) -> Served {
    let members = "connections = { head_timeout = \"1s\", idle_timeout = \"1s\", \
                   write_timeout = \"1s\", most_per_network = 3 }\nthreads = 1";
    let more = format!(
        "[gateway.upstreams.public]\nservers = [\"http://{upstream}\"]\n\
         [[gateway.route]]\npath = \"/public/{{rest...}}\"\npublic = true\nupstream = \"public\"\n"
    );
    Served::start_with(members, &more)
}

fn connect(served: &Served, from: u8) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
    let from = SocketAddr::from((Ipv4Addr::new(127, 0, 0, from), 0));
    socket.bind(&from.into()).expect("bind");
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, served.gateway_port()));
    socket.connect(&to.into()).expect("connect");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
    stream
}

/// What comes until the other side closes.
#[track_caller]
fn to_close(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => bytes,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => bytes,
        Err(error) => panic!("it stays open: {error}"),
    }
}

/// An API that takes connections and never answers.
fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = listener.local_addr().expect("address");
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            kept.push(stream);
        }
    });
    address
}

#[test]
fn a_slow_head_and_a_resting_connection_are_closed() {
    let served = served(silent());
    let mut slow = connect(&served, 50);
    slow.write_all(b"GET /public/1 HTTP/1.1\r\nHost: api").expect("write");
    let mut resting = connect(&served, 50);
    resting.write_all(b"GET /nothing HTTP/1.1\r\nHost: api.example\r\n\r\n").expect("write");
    let mut resting_h2 = connect(&served, 50);
    resting_h2.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).expect("write");
    let began = Instant::now();
    assert!(to_close(&mut slow).is_empty());
    let answer = to_close(&mut resting);
    assert_eq!(answer.windows(9).filter(|text| text == b"HTTP/1.1 ").count(), 1);
    to_close(&mut resting_h2);
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[test]
fn one_network_cannot_take_all_connections() {
    let served = served(silent());
    let mut kept: Vec<TcpStream> = (0..3).map(|_| connect(&served, 51)).collect();
    for stream in &mut kept {
        stream.write_all(b"GET /").expect("write");
    }
    // They are counted once they are accepted.
    std::thread::sleep(Duration::from_millis(200));
    let began = Instant::now();
    let mut beyond = connect(&served, 51);
    assert!(to_close(&mut beyond).is_empty());
    assert!(began.elapsed() < Duration::from_millis(900), "closed at once, not by its head");
    let mut other = connect(&served, 52);
    let request = b"GET /nothing HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n";
    other.write_all(request).expect("write");
    assert!(to_close(&mut other).starts_with(b"HTTP/1.1 401"));
}

#[test]
fn who_does_not_read_is_let_go() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let (ended, end) = mpsc::channel();
    let address = listener.local_addr().expect("address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("accept");
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = [b"10000\r\n".as_slice(), &[b'a'; 0x10000], b"\r\n"].concat();
        while stream.write_all(&chunk).is_ok() {}
        let _ = ended.send(());
    });
    let served = served(address);
    let mut stream = connect(&served, 53);
    stream.write_all(b"GET /public/1 HTTP/1.1\r\nHost: api.example\r\n\r\n").expect("write");
    end.recv_timeout(PATIENCE).expect("the API is let go");
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("length").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// GET /public/1 by indexed and literal fields (RFC 7541 §6).
fn request(stream: u32) -> Vec<u8> {
    let fields = [b"\x82\x86\x44\x09/public/1\x41\x0b".as_slice(), b"api.example"].concat();
    frame(1, 0x05, stream, &fields)
}

fn reset(stream: u32) -> Vec<u8> {
    frame(3, 0, stream, &[0, 0, 0, 8])
}

/// Writes on until the other side closes, and whether it does within this many rounds.
fn floods(stream: &mut TcpStream, rounds: u32, mut next: impl FnMut(u32) -> Vec<u8>) -> bool {
    stream.set_write_timeout(Some(PATIENCE)).expect("timeout");
    stream.set_nonblocking(false).expect("blocking");
    for round in 0..rounds {
        if stream.write_all(&next(round)).is_err() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    false
}

#[test]
fn requests_that_are_taken_back_at_once_end_the_connection() {
    let served = served(silent());
    let mut stream = connect(&served, 54);
    stream.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).expect("write");
    // Each is looked at before it is taken back, so that none of the library's limits sees it.
    let closed = floods(&mut stream, 60, |round| {
        let streams = (0..20).map(|number| round / 2 * 40 + number * 2 + 1);
        streams
            .flat_map(|stream| if round % 2 == 0 { request(stream) } else { reset(stream) })
            .collect()
    });
    assert!(closed, "hundreds were taken back");
}

#[test]
fn resets_that_nobody_has_looked_at_end_the_connection() {
    let served = served(silent());
    let mut stream = connect(&served, 54);
    stream.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).expect("write");
    let closed = floods(&mut stream, 40, |round| {
        let streams = (0..100).map(|number| round * 200 + number * 2 + 1);
        streams.flat_map(|stream| [request(stream), reset(stream)].concat()).collect()
    });
    assert!(closed);
}

#[test]
fn a_head_that_never_ends_ends_the_connection() {
    let served = served(silent());
    let mut stream = connect(&served, 55);
    stream.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).expect("write");
    stream.write_all(&frame(1, 0x01, 1, b"\x82")).expect("write");
    // One literal field without indexing after the other, in CONTINUATION frames.
    let field = [b"\x00\x01a\x7f\x00".as_slice(), &[b'v'; 127]].concat();
    let closed = floods(&mut stream, 200, |_| frame(9, 0, 1, &field.repeat(60)));
    assert!(closed);
}

#[test]
fn a_flood_of_pings_and_settings_hurts_nobody_else() {
    let served = served(silent());
    let mut stream = connect(&served, 56);
    stream.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).expect("write");
    stream.set_write_timeout(Some(Duration::from_secs(2))).expect("timeout");
    let flood = [frame(6, 0, 0, &[0; 8]), frame(4, 0, 0, &[])].concat().repeat(500);
    // Nothing is read: at some time nothing more is taken either.
    for _ in 0..40 {
        if stream.write_all(&flood).is_err() {
            break;
        }
    }
    let mut other = connect(&served, 57);
    let request = b"GET /nothing HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n";
    other.write_all(request).expect("write");
    assert!(to_close(&mut other).starts_with(b"HTTP/1.1 401"));
}
