//! Streams that are written to at the ends of turns.

use std::io::{ErrorKind, Read as _};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::yield_now;

use super::{Gathered, MOST, begin};

/// A stream, and its other side.
async fn pair() -> (Gathered, std::net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
    let far = far.expect("accept").0.into_std().expect("far");
    (Gathered::new(near.expect("connect")), far)
}

/// What is there now.
fn there(far: &mut std::net::TcpStream) -> Vec<u8> {
    far.set_nonblocking(true).expect("option");
    let (mut all, mut some) = (Vec::new(), [0; 4096]);
    loop {
        match far.read(&mut some) {
            Ok(0) => return all,
            Ok(count) => all.extend_from_slice(&some[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return all,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn begun() {
    begin();
    yield_now().await;
}

#[tokio::test]
async fn what_is_written_waits_for_the_end_of_the_turn() {
    begun().await;
    let ((mut one, mut far), (mut other, mut far_other)) = (pair().await, pair().await);
    one.write_all(b"first ").await.expect("write");
    one.write_all(b"second").await.expect("write");
    other.write_all(b"third").await.expect("write");
    one.flush().await.expect("flush");
    assert_eq!((there(&mut far), there(&mut far_other)), (Vec::new(), Vec::new()));
    yield_now().await;
    assert_eq!(there(&mut far), b"first second");
    assert_eq!(there(&mut far_other), b"third");

    one.write_all(b"next turn").await.expect("write");
    yield_now().await;
    assert_eq!(there(&mut far), b"next turn");
}

#[tokio::test]
async fn where_no_turns_have_begun_it_is_written_at_once() {
    let (mut near, mut far) = pair().await;
    near.write_all(b"at once").await.expect("write");
    assert_eq!(there(&mut far), b"at once");
}

#[test]
fn turns_end_with_their_runtime() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime().expect("runtime").block_on(begun());
    runtime().expect("runtime").block_on(async {
        let (mut near, mut far) = pair().await;
        near.write_all(b"at once").await.expect("write");
        assert_eq!(there(&mut far), b"at once");
    });
}

#[tokio::test]
async fn much_is_written_at_once_and_after_what_was_kept() {
    begun().await;
    let (mut near, mut far) = pair().await;
    near.write_all(b"head").await.expect("write");
    let much = vec![b'm'; MOST + 1];
    near.write_all(&much).await.expect("write");
    assert_eq!(there(&mut far), [b"head".as_slice(), &much].concat());
}

#[tokio::test]
async fn who_reads_slowly_gets_all_of_it_in_order() {
    begun().await;
    let (mut near, mut far) = pair().await;
    let sent: Vec<u8> = (0..6_000_000_u32).map(|number| (number % 251) as u8).collect();
    let expected = sent.clone();
    let writing = tokio::spawn(async move {
        let (mut rest, mut sizes) =
            (sent.as_slice(), [1, 700, 9_000, 16_000, 40_000].iter().cycle());
        while !rest.is_empty() {
            let size = rest.len().min(*sizes.next().expect("endless"));
            let (piece, left) = rest.split_at(size);
            near.write_all(piece).await.expect("write");
            near.flush().await.expect("flush");
            if size == 700 {
                yield_now().await;
            }
            rest = left;
        }
        near.shutdown().await.expect("shutdown");
    });
    let reading = tokio::task::spawn_blocking(move || {
        far.set_nonblocking(false).expect("option");
        std::thread::sleep(Duration::from_millis(100));
        let mut all = Vec::new();
        far.read_to_end(&mut all).map(|_| all)
    });
    let (written, read) = tokio::join!(writing, reading);
    written.expect("written");
    assert!(read.expect("thread").expect("read") == expected);
}

#[tokio::test]
async fn the_owner_goes_on_where_the_end_of_the_turn_could_not() {
    begun().await;
    let (mut near, mut far) = pair().await;
    let piece = [b'p'; MOST];
    let mut written = 0;
    // Until the system takes no more, and the next piece waits for the owner.
    loop {
        near.write_all(&piece).await.expect("write");
        written += piece.len();
        yield_now().await;
        if super::lock(&near.0).slow {
            break;
        }
        assert!(written < 100_000_000, "the system takes all that is written");
    }
    let flushing = tokio::spawn(async move { near.flush().await.map(|()| near) });
    yield_now().await;
    assert!(!flushing.is_finished(), "flushed, though nobody has read");
    let read = tokio::task::spawn_blocking(move || {
        far.set_nonblocking(false).expect("option");
        let mut all = vec![0; written];
        far.read_exact(&mut all).map(|()| far)
    });
    let _far = read.await.expect("thread").expect("read");
    flushing.await.expect("task").expect("flushed");
}

#[tokio::test]
async fn the_owner_is_woken_where_the_end_of_the_turn_could_not_write() {
    begun().await;
    let (mut near, _far) = pair().await;
    // Until the system takes no more; whoever waits for that is not the owner here.
    let (mut nobody, much) = (Context::from_waker(Waker::noop()), vec![b'm'; 2 * MOST]);
    while Pin::new(&mut near).poll_write(&mut nobody, &much).is_ready() {}
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut owner = Context::from_waker(&waker);
    assert!(Pin::new(&mut near).poll_write(&mut owner, b"rest").is_ready());
    assert!(Pin::new(&mut near).poll_flush(&mut owner).is_ready());
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    yield_now().await;
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert!(Pin::new(&mut near).poll_flush(&mut owner).is_pending());
}

/// How often it was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn what_went_wrong_is_told_to_the_owner() {
    begun().await;
    let (mut near, far) = pair().await;
    far.shutdown(Shutdown::Both).expect("shutdown");
    drop(far);
    let mut told = None;
    for _ in 0..100 {
        told = near.write_all(b"anybody?").await.and(near.flush().await).err();
        if told.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let kind = told.expect("an error").kind();
    assert!(matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{kind}");
}

#[tokio::test]
async fn what_was_kept_is_sent_before_the_stream_ends() {
    begun().await;
    let (mut shut, mut far) = pair().await;
    shut.write_all(b"goodbye").await.expect("write");
    shut.shutdown().await.expect("shutdown");
    assert_eq!(there(&mut far), b"goodbye");

    let (mut dropped, mut far) = pair().await;
    dropped.write_all(b"goodbye").await.expect("write");
    drop(dropped);
    yield_now().await;
    let mut all = Vec::new();
    far.set_nonblocking(false).expect("option");
    far.read_to_end(&mut all).expect("read");
    assert_eq!(all, b"goodbye");
}

#[tokio::test]
async fn it_is_read_as_ever() {
    begun().await;
    let (mut near, far) = pair().await;
    let mut far = TcpStream::from_std(far).expect("far");
    far.write_all(b"hello").await.expect("write");
    let mut read = [0; 5];
    near.read_exact(&mut read).await.expect("read");
    assert_eq!(&read, b"hello");
}
