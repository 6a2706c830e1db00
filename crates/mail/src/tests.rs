//! Letters against servers that take them, refuse them, or are not there.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use token::time::Timestamp;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::courier::Courier;
use crate::outbox::Tally;
use crate::smtp::{BadSmtp, Carrier};
use crate::{Address, Letter, NotAnAddress, Outbox, Security, Smtp};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_123);
const SOON: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(20)];

fn letter(subject: &str) -> Letter {
    Letter {
        to: Address::parse("alice@example.com").expect("address"),
        subject: subject.to_owned(),
        text: "Hello\n.\nthere".to_owned(),
        html: "<p>Hello</p>".to_owned(),
    }
}

fn settings(port: u16) -> Smtp {
    Smtp {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::Plain,
        login: None,
        authority: None,
        from: "Tokenward <id@example.com>".to_owned(),
    }
}

/// Answers the RCPT command of each connection in turn with these; gives the messages that it took.
async fn server(answers: &'static [&'static str]) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let (sender, taken) = mpsc::channel(16);
    tokio::spawn(async move {
        for answer in answers {
            let (socket, _) = listener.accept().await.expect("connection");
            if let Some(message) = talk(socket, answer).await {
                sender.send(message).await.expect("receiver");
            }
        }
    });
    (port, taken)
}

async fn talk(mut socket: TcpStream, answer: &str) -> Option<String> {
    let (reader, mut writer) = socket.split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 here\r\n").await.ok()?;
    while let Ok(Some(line)) = lines.next_line().await {
        let reply = match line.get(..4).unwrap_or_default() {
            "RCPT" => answer,
            "DATA" => {
                writer.write_all(b"354 go on\r\n").await.ok()?;
                let mut message = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        writer.write_all(b"250 taken\r\n").await.ok()?;
                        return Some(message);
                    }
                    message.push_str(&line);
                    message.push('\n');
                }
                return None;
            }
            _ => "250 ok",
        };
        writer.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
    }
    None
}

/// A courier with short pauses on its way, and what becomes of its letters.
struct Round {
    tally: Arc<Tally>,
    /// While it is there the courier waits for more.
    _queue: mpsc::Sender<Letter>,
}

async fn carried(port: u16, letters: Vec<Letter>) -> Round {
    let (queue, receiver) = mpsc::channel(16);
    let tally = Arc::new(Tally::default());
    let carrier = Carrier::new(&settings(port)).expect("settings");
    for letter in letters {
        queue.try_send(letter).expect("room");
    }
    tokio::spawn(Courier::new(carrier, receiver, Arc::clone(&tally), &SOON).run(pending()));
    Round { tally, _queue: queue }
}

impl Round {
    async fn until(&self, sent: u64, lost: u64) {
        for _ in 0..500 {
            let counts = self.tally.counts();
            if (counts.sent, counts.lost) == (sent, lost) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{:?}", self.tally.counts());
    }
}

#[test]
fn an_address_is_one_line_with_one_address() {
    for text in ["a@example.com", "Alice.B+c@Sub.Example.COM", "\"odd local\"@example.com"] {
        assert_eq!(Address::parse(text).is_ok(), !text.contains(' '), "{text}");
    }
    for text in [
        "",
        "alice",
        "@example.com",
        "alice@",
        "alice@example.com, bob@example.com",
        "alice@example.com\r\nBcc: bob@example.com",
        "Alice <alice@example.com>",
        &format!("{}@example.com", "x".repeat(250)),
    ] {
        assert_eq!(Address::parse(text), Err(NotAnAddress), "{text}");
    }
    assert_eq!(Address::parse("a@EXAMPLE.com").expect("address").domain(), "example.com");
}

#[tokio::test]
async fn a_letter_has_both_forms_and_no_line_of_a_stranger() {
    let (port, mut taken) = server(&["250 ok"]).await;
    let round = carried(port, vec![letter("Hi\r\nBcc: bob@example.com")]).await;
    let message = taken.recv().await.expect("message");
    round.until(1, 0).await;
    assert!(
        message.contains("From: \"Tokenward\" <id@example.com>\n")
            || message.contains("From: Tokenward <id@example.com>\n"),
        "{message}"
    );
    assert!(message.contains("To: alice@example.com\n"), "{message}");
    assert!(message.contains("Subject: Hi  Bcc: bob@example.com\n"), "{message}");
    assert!(!message.contains("\nBcc:"), "{message}");
    assert!(message.contains("Auto-Submitted: auto-generated\n"), "{message}");
    assert!(message.contains("text/plain") && message.contains("text/html"), "{message}");
    assert!(message.contains("@example.com>\n") && message.contains("Date: "), "{message}");
    // The lone dot of the text did not end the message.
    assert!(message.contains("there"), "{message}");
}

#[tokio::test]
async fn what_is_refused_for_now_is_tried_again() {
    let (port, mut taken) = server(&["451 later", "451 later", "250 ok"]).await;
    let round = carried(port, vec![letter("Again")]).await;
    assert!(taken.recv().await.expect("message").contains("Subject: Again"));
    round.until(1, 0).await;
}

#[tokio::test]
async fn what_is_refused_for_good_or_too_often_is_lost() {
    let (port, _taken) = server(&["550 nobody"]).await;
    carried(port, vec![letter("Lost")]).await.until(0, 1).await;
    let (port, _taken) = server(&["451 x", "451 x", "451 x"]).await;
    carried(port, vec![letter("Lost")]).await.until(0, 1).await;
    // Nobody listens there.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    drop(listener);
    carried(port, vec![letter("Lost"), letter("Too")]).await.until(0, 2).await;
}

#[tokio::test]
async fn a_full_queue_is_counted_and_nobody_waits() {
    let (outbox, courier) = Outbox::smtp(&settings(9)).expect("settings");
    for _ in 0..600 {
        outbox.post(letter("Many"), NOW);
    }
    assert_eq!(outbox.counts().lost, 100);
    drop(courier);
}

#[tokio::test]
async fn what_waits_is_tried_once_more_at_the_end() {
    let (port, mut taken) = server(&["250 ok"]).await;
    let (outbox, courier) = Outbox::smtp(&settings(port)).expect("settings");
    outbox.post(letter("Last"), NOW);
    courier.run(std::future::ready(())).await;
    assert!(taken.recv().await.expect("message").contains("Subject: Last"));
    assert_eq!((outbox.counts().sent, outbox.counts().lost), (1, 0));
}

#[test]
fn the_mailbox_keeps_the_newest() {
    let outbox = Outbox::mailbox();
    for number in 1..=250 {
        outbox.post(letter(&format!("No. {number}")), NOW);
    }
    let kept = outbox.kept().expect("mailbox");
    let newest = kept.newest(None, 2);
    assert_eq!(newest.iter().map(|kept| kept.id).collect::<Vec<_>>(), [250, 249]);
    assert_eq!(kept.newest(Some(52), 10).len(), 1);
    assert_eq!(kept.find(50), None);
    assert_eq!(kept.find(51).expect("kept").letter.subject, "No. 51");
    assert!(outbox.is_open() && !Outbox::none().is_open());
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let refused = |settings: Smtp| Carrier::new(&settings).err();
    let wrong = Smtp { from: "nobody".to_owned(), ..settings(25) };
    assert_eq!(refused(wrong), Some(BadSmtp::From("nobody".to_owned())));
    let wrong = Smtp { security: Security::Tls, authority: Some(b"x".to_vec()), ..settings(25) };
    assert!(matches!(refused(wrong), Some(BadSmtp::Authority(_))));
}
