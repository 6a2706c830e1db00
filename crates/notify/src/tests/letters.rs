//! Letters: sealed while they wait, tried until they are taken or worth nothing, lost with a count.

use std::sync::Arc;
use std::time::Duration;

use mail::{Address, Carrier, Counts, Letter, Outbox, Security, Smtp};
use store::{DeliveryCounts, Store};
use token::time::Timestamp;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::support::{NOW, PAUSES, notifier, store, until};
use crate::letters::{Letters, OUTLET};
use crate::notifier::{Notifier, Tested};

const SECRET: &str = "https://id.example.com/link?code=secret";

/// Takes mail, with one answer to RCPT for each connection, then with 250.
async fn server(answers: &'static [&'static str]) -> (u16, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let (told, taken) = unbounded_channel();
    tokio::spawn(async move {
        let mut answers = answers.iter();
        while let Ok((socket, _)) = listener.accept().await {
            let answer = answers.next().unwrap_or(&"250 ok");
            if let Some(message) = talk(socket, answer).await {
                told.send(message).expect("reader");
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
                }
                return None;
            }
            _ => "250 ok",
        };
        writer.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
    }
    None
}

fn letter() -> Letter {
    Letter {
        to: Address::parse("alice@example.com").expect("address"),
        subject: "Hello".to_owned(),
        text: SECRET.to_owned(),
        html: SECRET.to_owned(),
    }
}

/// Letters with short pauses, on their way to this port.
struct Post {
    outbox: Outbox,
    notifier: Notifier,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

fn post(store: &Store, port: u16) -> Post {
    let carrier = Carrier::new(&Smtp {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::Plain,
        login: None,
        authority: None,
        from: "id@example.com".to_owned(),
    });
    let letters = Letters::with_pauses(carrier.expect("settings"), store.clone(), &PAUSES);
    let notifier = notifier(vec![letters.outlet()], store);
    let outbox = Outbox::queue(letters.queue(notifier.clone()));
    let stop = CancellationToken::new();
    let running = tokio::spawn(notifier.clone().run(stop.clone()));
    Post { outbox, notifier, stop, running }
}

impl Post {
    async fn until(&self, sent: u64, lost: u64) {
        let expected = Counts { sent, lost };
        until("counted", async || self.outbox.counts() == expected).await;
    }

    async fn end(self) {
        self.stop.cancel();
        self.running.await.expect("ended");
    }
}

async fn waiting(store: &Store) -> DeliveryCounts {
    store.delivery_counts(OUTLET).await.expect("counts")
}

fn hours(hours: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(hours * 3600))
}

#[tokio::test]
async fn a_letter_is_tried_until_it_is_taken_however_often_that_is() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    // More often than there are pauses: the last one goes on.
    let (port, mut taken) = server(&["451 x", "451 x", "451 x", "451 x", "451 x"]).await;
    let post = post(&store, port);
    post.outbox.post(letter(), hours(1), NOW);
    let message = timeout(Duration::from_secs(10), taken.recv()).await.expect("in time");
    assert!(message.expect("message").contains("Subject: Hello"));
    post.until(1, 0).await;
    until("nothing waits", async || waiting(&store).await == DeliveryCounts::default()).await;
    post.end().await;
}

#[tokio::test]
async fn it_waits_sealed_through_a_stop() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Arc::new(store(&folder));
    // Nobody listens there.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    drop(listener);
    let post_ = post(&store, port);
    post_.outbox.post(letter(), hours(1), NOW);
    let tried = async || {
        let due = store.due_deliveries(OUTLET, hours(2), 10).await.expect("due");
        due.first().is_some_and(|one| one.tries > 0)
    };
    until("it was tried", tried).await;
    post_.end().await;
    let kept = store.due_deliveries(OUTLET, hours(2), 10).await.expect("due").remove(0);
    assert_eq!((kept.about.as_str(), kept.until), ("a letter", Some(hours(1))));
    for file in std::fs::read_dir(folder.path()).expect("folder").flatten() {
        let bytes = std::fs::read(file.path()).expect("file");
        for secret in ["alice@example.com", SECRET] {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} in {}", file.path().display());
        }
    }
    let (port, mut taken) = server(&[]).await;
    let later = post(&store, port);
    let message = timeout(Duration::from_secs(10), taken.recv()).await.expect("in time");
    assert!(message.expect("message").contains(SECRET.split('=').next().expect("link")));
    later.until(1, 0).await;
    later.end().await;
}

#[tokio::test]
async fn what_is_worth_nothing_or_refused_for_good_is_lost_and_not_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let (port, mut taken) = server(&["550 nobody", "451 x", "451 x", "451 x", "451 x"]).await;
    let post = post(&store, port);
    post.outbox.post(letter(), hours(1), NOW);
    post.until(0, 1).await;
    // Its link ends before it could be tried once more.
    post.outbox.post(letter(), NOW.plus(Duration::from_millis(1)), NOW);
    post.until(0, 2).await;
    until("nothing is kept", async || waiting(&store).await == DeliveryCounts::default()).await;
    let tested = post.notifier.test(OUTLET).await;
    assert!(matches!(tested, Tested::NotTaken(words) if words.contains("invite somebody")));
    post.end().await;
    assert!(taken.try_recv().is_err());
}
