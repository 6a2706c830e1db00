//! Letters through a real mail server, with TLS and without, and through none at all.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::interop::variable;
use crate::support::port::free_port;
use crate::support::served::Served;
use crate::support::{PROGRAM, Product, output_of, root, text};

const USER: &str = "id@example.com";
const PASSWORD: &str = "the mail server's password";

/// A mail server of another maker; ended when dropped.
struct MailServer {
    child: Child,
    port: u16,
    lines: Receiver<String>,
    folder: tempfile::TempDir,
}

impl MailServer {
    /// One with this protection, which wants a password unless it has none.
    fn start(security: &str) -> Self {
        Self::start_at(security, free_port())
    }

    /// The same at this port.
    fn start_at(security: &str, port: u16) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("pair");
        std::fs::write(at("key.pem"), made.signing_key.serialize_pem()).expect("key");
        std::fs::write(at("cert.pem"), made.cert.pem()).expect("certificate");
        std::fs::write(at("password"), format!("{PASSWORD}\n")).expect("password");
        let mut command = Command::new(variable("TOKENWARD_INTEROP_PYTHON"));
        command
            .arg(root().join("interop/python/smtp_server.py"))
            .env("SMTP_PORT", port.to_string())
            .env("SMTP_SECURITY", security)
            .env("SMTP_CERTIFICATE", at("cert.pem"))
            .env("SMTP_KEY", at("key.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if security != "plain" {
            command.env("SMTP_USER", USER).env("SMTP_PASSWORD", PASSWORD);
        }
        let mut child = command.spawn().expect("the mail server starts");
        let lines = lines(child.stdout.take().expect("stdout"));
        let server = Self { child, port, lines, folder };
        assert_eq!(server.line().as_deref(), Some("ready"));
        server
    }

    /// The next line that it writes, within ten seconds.
    fn line(&self) -> Option<String> {
        self.lines.recv_timeout(Duration::from_secs(10)).ok()
    }

    fn letter(&self) -> Value {
        serde_json::from_str(&self.line().expect("a letter")).expect("JSON")
    }

    /// The configuration that sends by it.
    fn options(&self, security: &str) -> String {
        let folder = self.folder.path().display();
        let login = match security {
            "plain" => String::new(),
            _ => format!("username = \"{USER}\"\npassword_file = \"{folder}/password\""),
        };
        format!("{login}\nca = \"{folder}/cert.pem\"\n{}", options(security, self.port))
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(output: ChildStdout) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Members of `[mail]`, and invitations.
fn options(security: &str, port: u16) -> String {
    format!(
        "mode = \"smtp\"\nfrom = \"Tokenward <id@example.com>\"\nhost = \"localhost\"\n\
         port = {port}\nsecurity = \"{security}\"\n[authority.sign_up]\nmode = \"invitation\""
    )
}

fn invite(served: &Served) {
    served.admin_call("POST", "/invitations", Some(json!({ "email": "bob@example.com" })));
}

fn serve(members: &str) -> Served {
    Served::start(&format!("[mail]\n{members}\n[log]\nlevel = \"warn\"\n"))
}

fn logged(served: &Served, words: &str) -> bool {
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        if served.log().contains(words) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

#[test]
fn a_letter_reaches_a_mail_server_however_it_is_protected() {
    for security in ["plain", "starttls", "tls"] {
        let server = MailServer::start(security);
        let served = serve(&server.options(security));
        invite(&served);
        let letter = server.letter();
        assert_eq!(letter["tls"], security != "plain", "{letter}");
        assert_eq!(letter["user"], if security == "plain" { "" } else { USER });
        assert_eq!((&letter["from"], &letter["to"]), (&json!(USER), &json!(["bob@example.com"])));
        assert!(letter["headers"].as_array().expect("headers").contains(&json!("Auto-Submitted")));
        let words = letter["text"].as_str().expect("text");
        let link =
            words.split_whitespace().find(|word| word.contains("/link?code=")).expect("link");
        assert!(link.starts_with(&served.issuer("/link?")), "{link}");
        let page = served.http.get(link, None);
        assert_eq!(page.status, 200);
        assert!(page.body.contains("bob@example.com"), "{}", page.body);
    }
}

#[test]
fn nothing_is_sent_where_tls_is_not_what_it_has_to_be() {
    // One that offers no STARTTLS, and one whose certificate nobody vouches for.
    let plain = MailServer::start("plain");
    let served = serve(&plain.options("starttls"));
    invite(&served);
    assert!(logged(&served, "a letter"), "{}", served.log());
    assert_eq!(plain.lines.recv_timeout(Duration::from_secs(1)).ok(), None);
    let stranger = MailServer::start("tls");
    let served = serve(&options("tls", stranger.port));
    invite(&served);
    assert!(logged(&served, "a letter"), "{}", served.log());
    assert!(!served.log().contains("bob@example.com"), "{}", served.log());
    assert_eq!(stranger.lines.recv_timeout(Duration::from_secs(1)).ok(), None);
}

#[test]
fn a_mail_server_that_is_not_there_slows_nobody() {
    // It takes connections and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = mute.local_addr().expect("address").port();
    let served = serve(&options("starttls", port));
    let begun = Instant::now();
    for _ in 0..20 {
        invite(&served);
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_letter_outlives_the_process_and_a_mail_server_that_is_down() {
    let port = free_port();
    let served = serve(&options("plain", port));
    invite(&served);
    // The answer was there, so the letter is, whatever happens now.
    let served = served.again();
    assert!(logged(&served, "a letter waits"), "{}", served.log());
    let database = std::fs::read(served.database()).expect("database");
    let waiting = served.command(&["notify", "waiting"]);
    let waiting = text(&waiting.stdout);
    assert!(waiting.contains("letters") && waiting.contains("a letter"), "{waiting}");
    for bytes in [database.as_slice(), waiting.as_bytes()] {
        assert!(!String::from_utf8_lossy(bytes).contains("/link?code="));
    }
    let served = served.again();
    let server = MailServer::start_at("plain", port);
    // Sooner than it would be by itself; it may be on its way by now.
    if let Some(id) = waiting_id(&served) {
        served.command(&["notify", "retry", &id]);
    }
    let letter = server.letter();
    assert_eq!(letter["to"], json!(["bob@example.com"]));
    assert!(letter["text"].as_str().is_some_and(|words| words.contains("/link?code=")));
    // Once.
    assert_eq!(server.lines.recv_timeout(Duration::from_secs(1)).ok(), None);
    let list = served.command(&["notify", "list"]);
    assert!(text(&list.stdout).contains(&format!("localhost:{port}")), "{}", text(&list.stdout));
}

fn waiting_id(served: &Served) -> Option<String> {
    let waiting = text(&served.command(&["notify", "waiting", "--json"]).stdout);
    let waiting: Value = serde_json::from_str(&waiting).expect("JSON");
    let first = waiting.pointer("/items/0").or_else(|| waiting.pointer("/0"))?;
    first["id"].as_str().map(str::to_owned)
}

#[test]
fn in_dev_letters_are_read_by_command() {
    let product = Product::start();
    let said = product.command(&["user", "invite", "bob@example.com", "--username", "bob"]);
    assert!(said.status.success(), "{}", text(&said.stderr));
    let list = text(&product.command(&["mail", "list"]).stdout);
    assert!(list.contains("bob@example.com  You are invited to"), "{list}");
    let letter = text(&product.command(&["mail", "show", "1"]).stdout);
    assert!(letter.contains("/link?code="), "{letter}");
    let invitations = text(&product.command(&["user", "invitations", "--json"]).stdout);
    let invitations: Value = serde_json::from_str(&invitations).expect("JSON");
    let id = invitations[0]["id"].as_str().expect("id");
    assert!(product.command(&["user", "uninvite", id]).status.success());
}

#[test]
fn what_cannot_be_sent_is_said_before_the_start() {
    let folder = tempfile::tempdir().expect("folder");
    let check = |members: &str| {
        let file = folder.path().join("tokenward.toml");
        std::fs::write(&file, members).expect("file");
        refused(&file)
    };
    for (members, words) in [
        ("[mail]\nmode = \"smtp\"", "mail.from: is needed"),
        ("[mail]\nmode = \"smtp\"\nfrom = \"x\"", "mail.from: must be"),
        (
            "[mail]\nmode = \"smtp\"\nfrom = \"a@b.example\"\nhost = \"mx.example\"\nsecurity = \"plain\"",
            "on this machine alone",
        ),
        ("[mail]\nusername = \"x\"", "give both or none"),
        ("[mail]\ntoken_ends = [\"0s\"]", "mail.token_ends"),
        ("[authority.sign_up]\nmode = \"open\"", "set `mail.mode`"),
        ("[authority.passwords]\nmin_length = 8", "must be from 15 to 64"),
    ] {
        let said = check(members);
        assert!(said.contains(words), "{members}: {said}");
    }
    let good = "[authority.mfa]\nrequire = \"always\"\n[authority.passwords]\nmin_length = 8\n";
    let file = folder.path().join("good.toml");
    std::fs::write(&file, good).expect("file");
    let path = file.to_str().expect("path");
    output_of(Command::new(PROGRAM).args(["config", "check", "-c", path]));
}

fn refused(file: &Path) -> String {
    let output = Command::new(PROGRAM).args(["config", "check", "-c"]).arg(file).output();
    let output = output.expect("the command runs");
    assert!(!output.status.success());
    text(&output.stderr)
}
