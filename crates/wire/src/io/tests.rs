//! Bytes go out in their order, however few the other side takes.

use std::future::poll_fn;

use tokio::io::{AsyncReadExt as _, duplex};

use super::{GATHER, Io, give_back, paper};

#[tokio::test]
async fn what_does_not_go_now_goes_first_later() {
    let (near, mut far) = duplex(7);
    let mut io = Io::new(near);
    let parts: Vec<String> = (0..40).map(|number| format!("part {number}, ")).collect();
    let reading = tokio::spawn(async move {
        let mut all = String::new();
        far.read_to_string(&mut all).await.map(|_| all)
    });
    for part in &parts {
        poll_fn(|cx| std::task::Poll::Ready(io.send(cx, [part.as_bytes(), b"-", b""])))
            .await
            .expect("sent");
    }
    poll_fn(|cx| io.poll_sent(cx)).await.expect("sent");
    assert_eq!(io.unsent.capacity(), 0);
    poll_fn(|cx| io.poll_close(cx)).await.expect("closed");
    let all: String = parts.iter().map(|part| format!("{part}-")).collect();
    assert_eq!(reading.await.expect("task").expect("text"), all);
}

#[tokio::test]
async fn who_has_gone_is_told_from_who_speaks() {
    let (near, mut far) = duplex(64);
    let mut io = Io::new(near);
    assert!(!poll_fn(|cx| std::task::Poll::Ready(io.is_gone(cx))).await);
    tokio::io::AsyncWriteExt::write_all(&mut far, b"GET").await.expect("write");
    assert!(!poll_fn(|cx| std::task::Poll::Ready(io.is_gone(cx))).await);
    assert_eq!(io.unread, "GET");
    drop(far);
    assert!(
        !poll_fn(|cx| std::task::Poll::Ready(io.is_gone(cx))).await,
        "that is to be read first"
    );
    io.unread.clear();
    assert!(poll_fn(|cx| std::task::Poll::Ready(io.is_gone(cx))).await);
}

#[test]
fn paper_is_used_again_unless_it_has_become_large() {
    let mut one = paper();
    one.extend_from_slice(&[0; 100]);
    let place = one.as_ptr();
    give_back(one);
    let mut again = paper();
    assert_eq!((again.as_ptr(), again.len()), (place, 0));
    again.reserve(8 * GATHER);
    give_back(again);
    assert_eq!(paper().capacity(), 0);
}
