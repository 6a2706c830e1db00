//! Letters against servers that take them, refuse them, or are not there.

use token::time::Timestamp;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::{Address, BadSmtp, Carrier, Letter, NotAnAddress, NotSent, Outbox, Security, Smtp};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_123);

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

async fn send(port: u16, subject: &str) -> Result<(), NotSent> {
    Carrier::new(&settings(port)).expect("settings").send(&letter(subject)).await
}

#[tokio::test]
async fn a_letter_has_both_forms_and_no_line_of_a_stranger() {
    let (port, mut taken) = server(&["250 ok"]).await;
    send(port, "Hi\r\nBcc: bob@example.com").await.expect("taken");
    let message = taken.recv().await.expect("message");
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
async fn a_refusal_says_whether_another_try_may_help() {
    let (port, _taken) = server(&["451 later", "550 bob@example.com is not here"]).await;
    let later = send(port, "Again").await.expect_err("later");
    assert!(matches!(&later, NotSent::ForNow(words) if words.ends_with("451")), "{later}");
    let never = send(port, "Lost").await.expect_err("never");
    assert!(matches!(&never, NotSent::ForGood(words) if words.ends_with("550")), "{never}");
    // Nobody listens there.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    drop(listener);
    assert!(matches!(send(port, "Lost").await, Err(NotSent::ForNow(_))));
}

#[test]
fn a_letter_waits_as_bytes() {
    let packed = letter("Hi").pack();
    assert_eq!(Letter::unpack(&packed), Some(letter("Hi")));
    assert_eq!(Letter::unpack(&packed[1..]), None);
    let elsewhere = String::from_utf8(packed).expect("JSON").replace("alice@", "alice\\n@");
    assert_eq!(Letter::unpack(elsewhere.as_bytes()), None);
}

#[test]
fn the_mailbox_keeps_the_newest() {
    let outbox = Outbox::mailbox();
    for number in 1..=250 {
        outbox.post(letter(&format!("No. {number}")), NOW, NOW);
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
