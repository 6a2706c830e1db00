//! A flood of sign-ins from one network, what others notice of it, and whether time tells who is known.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::load::{self, Request};
use crate::median;
use crate::seed::{PASSWORD, PERSON};
use crate::served::Served;

/// How long each phase lasts.
const PHASE: Duration = Duration::from_secs(15);
/// Guesses a second, several times as many as two threads can check.
const FLOOD: u32 = 400;
/// Tries of each kind whose times are compared.
const TRIES: u32 = 1000;
/// Chances of an error below which a difference counts as one.
const SIGNIFICANT: f64 = 0.01;

/// What is needed to send the sign-in form of one browser.
struct Door {
    address: String,
    cookie: String,
    hidden: String,
}

/// Somebody who sends at a pace, whether or not the answers come.
struct Sender<'a> {
    name: &'static str,
    address: &'a str,
    a_second: u32,
    /// As many can wait for an answer at the same time.
    connections: u32,
    request: &'a dyn Fn(u32) -> Request,
}

/// What came of it.
struct Answers {
    name: &'static str,
    /// From when each was due to its answer, in milliseconds.
    millis: Vec<f64>,
    statuses: BTreeMap<String, usize>,
}

/// Measures and prints all of it.
pub(crate) fn measure(upstream: &str) {
    let served = Served::start(upstream, 100_000, None, 0);
    flooded(&served);
    // Counts of failures and blocks start anew.
    drop(served);
    told_apart(&Served::credulous(upstream));
}

fn flooded(served: &Served) {
    let door = Door::of(served);
    let token = served.token();
    // Every real sign-in from another network, every guess from another address of the same.
    let real = |n: u32| door.knock(&format!("198.18.{}.7", n % 256), PERSON, PASSWORD);
    let guess =
        |n: u32| door.knock(&format!("203.0.113.{}", n % 256), &format!("guess{n}"), "wrong");
    let check = |_| Request::get(&served.gateway, "/api", Some(&token));
    let issue = |_| served.token_request();
    let sender = |name, address, a_second, connections, request| Sender {
        name,
        address,
        a_second,
        connections,
        request,
    };
    let all = [
        sender(
            "sign-in from elsewhere",
            &served.authority,
            5,
            10,
            &real as &dyn Fn(u32) -> Request,
        ),
        sender("token check at the gateway", &served.gateway, 200, 4, &check),
        sender("client credentials", &served.authority, 50, 4, &issue),
        sender("flood from one network", &served.authority, FLOOD, 256, &guess),
    ];
    println!(
        "\nSign-in flood: {FLOOD} guesses a second from one /24, {} s without and with it",
        PHASE.as_secs()
    );
    println!("{:<28} {:>9} {:>9} {:>9} {:>9}  answers", "ms", "median", "p95", "p99", "most");
    for (phase, senders) in [("without", &all[..3]), ("with", &all[..])] {
        for answers in run(senders) {
            answers.print(phase);
        }
        println!(
            "{phase} the flood: {} MiB resident, at most {} MiB until now",
            served.resident() / 1024,
            served.most_resident() / 1024
        );
    }
}

/// Whether an unknown name is answered faster or slower than a wrong password.
fn told_apart(served: &Served) {
    let door = Door::of(served);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (unknown, wrong) = runtime.expect("runtime").block_on(async {
        let mut stream = tokio::net::TcpStream::connect(&door.address).await.expect("connect");
        stream.set_nodelay(true).expect("nodelay");
        let (mut times, mut buffer) = ([Vec::new(), Vec::new()], Vec::new());
        for number in 0..2 * TRIES {
            // In pairs whose order changes, from another network each: neither drift nor throttling is measured.
            let kind = usize::from((number % 2 == 0) ^ (number / 2 % 2 == 0));
            let name = if kind == 0 { format!("b{:04}", number / 2) } else { PERSON.to_owned() };
            let request =
                door.knock(&format!("10.{}.{}.1", number / 256, number % 256), &name, "wrong");
            let sent = Instant::now();
            tokio::io::AsyncWriteExt::write_all(&mut stream, request.bytes()).await.expect("write");
            load::answer(&mut stream, &mut buffer).await;
            times[kind].push(sent.elapsed().as_secs_f64() * 1e6);
            assert!(buffer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&buffer));
        }
        let [unknown, wrong] = times;
        (unknown, wrong)
    });
    let (z, p) = mann_whitney(&unknown, &wrong);
    println!(
        "\n{TRIES} tries of unknown names and as many wrong passwords, one at a time, in pairs"
    );
    println!(
        "median: unknown name {:.0} µs, wrong password {:.0} µs",
        median(&unknown),
        median(&wrong)
    );
    let verdict = if p < SIGNIFICANT { "can be told apart" } else { "cannot be told apart" };
    println!("Mann-Whitney: z = {z:.2}, p = {p:.3}: they {verdict} by time (level {SIGNIFICANT})");
}

/// The rank-sum test with the normal approximation, which holds from some twenty of each on: `z`, and how likely
/// a difference like this is when there is none.
fn mann_whitney(one: &[f64], other: &[f64]) -> (f64, f64) {
    let mut all: Vec<(f64, bool)> = one.iter().map(|time| (*time, true)).collect();
    all.extend(other.iter().map(|time| (*time, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ranks = all.iter().enumerate().filter(|(_, (_, is_one))| *is_one);
    let sum: f64 = ranks.map(|(rank, _)| (rank + 1) as f64).sum();
    let (n, m) = (one.len() as f64, other.len() as f64);
    let u = sum - n * (n + 1.0) / 2.0;
    let z = (u - n * m / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt();
    (z, two_sided(z))
}

/// The chance of a normal value at least so far from zero (Abramowitz and Stegun, 26.2.17).
fn two_sided(z: f64) -> f64 {
    let x = z.abs();
    let t = 1.0 / (1.0 + 0.231_641_9 * x);
    let weights = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let sum = weights.iter().rev().fold(0.0, |sum, weight| (sum + weight) * t);
    2.0 * sum * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

fn run(senders: &[Sender<'_>]) -> Vec<Answers> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let all = async { futures_util::future::join_all(senders.iter().map(Sender::send)).await };
    runtime.expect("runtime").block_on(all)
}

// === impl Door ===

impl Door {
    /// Opens the sign-in page in a browser of its own.
    fn of(served: &Served) -> Self {
        let address = served.authority.clone();
        let mut stream = TcpStream::connect(&address).expect("connect");
        write!(stream, "GET /account HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
            .expect("write");
        let mut page = String::new();
        stream.read_to_string(&mut page).expect("page");
        let between = |from: &str, to: char| {
            let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from} in {page}"));
            rest.split(to).next().expect("a part").to_owned()
        };
        let value = |name: &str| between(&format!("name=\"{name}\" value=\""), '"');
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("request", &value("request")).append_pair("csrf", &value("csrf"));
        Self { address, cookie: between("set-cookie: ", ';'), hidden: form.finish() }
    }

    /// The form, sent by way of a proxy.
    fn knock(&self, ip: &str, username: &str, password: &str) -> Request {
        let Self { address, cookie, hidden } = self;
        let mut form = form_urlencoded::Serializer::new(hidden.clone());
        let form =
            form.append_pair("username", username).append_pair("password", password).finish();
        let fields = format!("Cookie: {cookie}\r\nX-Forwarded-For: {ip}\r\n");
        Request::form(address, "/login", &fields, &form)
    }
}

// === impl Sender ===

impl Sender<'_> {
    async fn send(&self) -> Answers {
        let (first, each) = (Instant::now(), Duration::from_secs(1) / self.a_second);
        let one = |connection: u32| async move {
            let mut stream = tokio::net::TcpStream::connect(self.address).await.expect("connect");
            stream.set_nodelay(true).expect("nodelay");
            let (mut buffer, mut number, mut answers) = (Vec::new(), connection, Vec::new());
            while each * number < PHASE {
                let due = first + each * number;
                sleep_until(due).await;
                let request = (self.request)(number);
                tokio::io::AsyncWriteExt::write_all(&mut stream, request.bytes())
                    .await
                    .expect("write");
                load::answer(&mut stream, &mut buffer).await;
                let status =
                    String::from_utf8_lossy(buffer.get(9..12).unwrap_or_default()).into_owned();
                answers.push((due.elapsed().as_secs_f64() * 1e3, status));
                number += self.connections;
            }
            answers
        };
        let all = futures_util::future::join_all((0..self.connections).map(one)).await;
        let mut answers =
            Answers { name: self.name, millis: Vec::new(), statuses: BTreeMap::new() };
        for (millis, status) in all.into_iter().flatten() {
            answers.millis.push(millis);
            *answers.statuses.entry(status).or_default() += 1;
        }
        answers
    }
}

// === impl Answers ===

impl Answers {
    fn print(&self, phase: &str) {
        let mut sorted = self.millis.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| sorted[((sorted.len() - 1) as f64 * part) as usize];
        let counts: Vec<String> =
            self.statuses.iter().map(|(status, count)| format!("{count} × {status}")).collect();
        println!(
            "{:<28} {:>9.1} {:>9.1} {:>9.1} {:>9.1}  {phase}: {}",
            self.name,
            at(0.5),
            at(0.95),
            at(0.99),
            at(1.0),
            counts.join(", ")
        );
    }
}
