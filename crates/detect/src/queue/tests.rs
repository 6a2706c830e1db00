//! What is sent arrives in order, the end included, and nobody who sends waits.

use token::event::{Event, EventKind, EventSink as _, Origin, Who};
use token::time::Timestamp;

use super::{Received, may_be_proof, queue};

fn event(ts: i64) -> Event {
    Event {
        ts: Timestamp::from_millis(ts),
        ip: None,
        who: Who::default(),
        ua: None,
        origin: Origin::default(),
        kind: EventKind::Other,
    }
}

#[test]
fn a_full_queue_loses_and_counts_and_never_waits() {
    let (sender, mut receiver) = queue(2);
    for ts in 0..5 {
        sender.emit(event(ts));
    }
    assert_eq!(sender.lost(), 3);
    assert!(matches!(receiver.next(true), Received::Event(event) if event.ts.as_millis() == 0));
    assert!(matches!(receiver.next(true), Received::Event(event) if event.ts.as_millis() == 1));
    assert!(matches!(receiver.next(true), Received::Idle));
}

#[test]
fn what_may_be_proof_wakes_the_reader_and_the_rest_does_not() {
    let kind = |text: &str| -> EventKind { serde_json::from_str(text).expect("a kind") };
    for text in [
        r#"{"kind":"request","refused":"honeytoken"}"#,
        r#"{"kind":"request","refused":"forged:kid"}"#,
        r#"{"kind":"request","refused":"dpop:replayed"}"#,
        r#"{"kind":"grant","cause":"refresh_reused"}"#,
        r#"{"kind":"leak_report"}"#,
    ] {
        assert!(may_be_proof(&kind(text)), "{text}");
    }
    for text in [
        r#"{"kind":"request"}"#,
        r#"{"kind":"request","refused":"throttled"}"#,
        r#"{"kind":"grant","result":"ok"}"#,
        r#"{"kind":"login","result":"bad_password"}"#,
    ] {
        assert!(!may_be_proof(&kind(text)), "{text}");
    }
}

#[test]
fn closing_lets_what_waits_through() {
    let (sender, mut receiver) = queue(4);
    sender.emit(event(1));
    sender.close();
    assert!(matches!(receiver.next(false), Received::Event(_)));
    assert!(matches!(receiver.next(false), Received::Closed));
}

#[test]
fn a_closed_queue_takes_nothing_more_and_counts_it() {
    let (sender, mut receiver) = queue(4);
    sender.close();
    sender.emit(event(1));
    assert_eq!(sender.lost(), 1);
    assert!(matches!(receiver.next(true), Received::Closed));
}

#[test]
fn a_reader_that_sleeps_gets_all_that_many_send_and_the_end() {
    const SENDERS: i64 = 4;
    const EACH: i64 = 5_000;
    let (sender, mut receiver) = queue(1 << 16);
    let reader = std::thread::spawn(move || {
        let mut last = vec![-1; SENDERS as usize];
        let mut seen = 0;
        let mut busy = false;
        loop {
            match receiver.next(busy) {
                Received::Event(event) => {
                    let (who, at) = (event.ts.as_millis() / EACH, event.ts.as_millis() % EACH);
                    assert!(last[who as usize] < at, "in the order in which one thread sent them");
                    last[who as usize] = at;
                    seen += 1;
                    busy = true;
                }
                Received::Idle => busy = false,
                Received::Closed => return seen,
            }
        }
    });
    std::thread::scope(|scope| {
        for who in 0..SENDERS {
            let sender = &sender;
            scope.spawn(move || {
                for at in 0..EACH {
                    sender.emit(event(who * EACH + at));
                    if at % 1_000 == 0 {
                        std::thread::sleep(std::time::Duration::from_millis(2));
                    }
                }
            });
        }
    });
    drop(sender);
    assert_eq!(reader.join().expect("the reader ends"), SENDERS * EACH);
}
