//! What it costs whoever answers a request to make its event and to hand it over.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use detect::queue::{Received, queue};
use token::event::{Event, EventKind, EventSink as _, Origin, Request, TokenKind, Who};
use token::id::{ClientId, GrantId, SessionId, SubjectId, TokenId};
use token::reason::{Reason, Refused};
use token::scope::ScopeSet;
use token::time::Timestamp;

use crate::figures::processor_time;
use scenario::actor::START;

const QUEUE: usize = 65_536;
/// Fewer than the queue takes, so that none is lost while the other side waits; enough for a clock of milliseconds.
const BATCH: u64 = 60_000;
const ROUNDS: usize = 31;

/// What a door holds of a request: names are shared, texts are the request's own.
struct Held {
    subject: SubjectId,
    client: ClientId,
    token: TokenId,
    grant: GrantId,
    session: SessionId,
    scopes: ScopeSet,
    id: &'static str,
    host: &'static str,
    path: &'static str,
    route: &'static str,
    object: &'static str,
    ua: &'static str,
}

/// Prints nanoseconds of processor time for an event.
pub(crate) fn print() {
    let held = Held {
        subject: "0190b5a0-7c3e-7d11-9a52-6f1d2c3b4a59".into(),
        client: "web-shop".into(),
        token: "0190b5a0-7c3e-7d11-9a52-6f1d2c3b4a5a".into(),
        grant: "9cKxVb2LrTq0nYw4ZpDs7M".into(),
        session: "3mJfHq8RuXe1aWk6BtGy5P".into(),
        scopes: ScopeSet::parse("orders:read orders:write").unwrap_or_default(),
        id: "0190b5a0-7c3e-7d11-9a52-6f1d2c3b4a5b",
        host: "api.example.com",
        path: "/v1/orders/1734455",
        route: "/v1/orders/{id}",
        object: "1734455",
        ua: "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
    };
    let made = spread(|| times(|at| drop(std::hint::black_box(held.event(at)))));
    println!("an event made and dropped: {made}");
    let seen = AtomicU64::new(0);
    let (sender, mut events) = queue(QUEUE);
    let (taken, lost) = std::thread::scope(|scope| {
        let seen = &seen;
        scope.spawn(move || {
            let mut busy = false;
            loop {
                match events.next(busy) {
                    Received::Event(event) => {
                        drop(event);
                        seen.fetch_add(1, Ordering::Release);
                        busy = true;
                    }
                    Received::Idle => busy = false,
                    Received::Closed => return,
                }
            }
        });
        let mut sent = 0;
        let taken = spread(|| {
            let span = times(|at| sender.emit(held.event(at)));
            sent += BATCH;
            while seen.load(Ordering::Acquire) < sent {
                std::thread::sleep(Duration::from_millis(1));
            }
            span
        });
        let lost = sender.lost();
        sender.close();
        (taken, lost)
    });
    println!("an event made and handed over: {taken}, {lost} lost");
    let (sender, _events) = queue(1);
    let full = spread(|| times(|at| sender.emit(held.event(at))));
    println!("the same while the queue is full: {full}, {} lost", sender.lost());
}

/// What one event of a batch costs.
fn times(mut each: impl FnMut(i64)) -> f64 {
    let start = processor_time();
    (0..BATCH as i64).for_each(&mut each);
    processor_time().saturating_sub(start).as_nanos() as f64 / BATCH as f64
}

/// The middle of all rounds, the least and the most.
fn spread(mut round: impl FnMut() -> f64) -> String {
    let mut all: Vec<f64> = (0..ROUNDS).map(|_| round()).collect();
    all.sort_by(f64::total_cmp);
    let at = |place: usize| all.get(place).copied().unwrap_or(f64::NAN);
    format!("{:.0} ns ({:.0} – {:.0})", at(ROUNDS / 2), at(0), at(ROUNDS - 1))
}

// === impl Held ===

impl Held {
    /// As a door makes it when the answer has ended: seven texts are copied, and the queue takes an eighth piece of memory.
    fn event(&self, at: i64) -> Event {
        let request = Request {
            request: Some(self.id.to_owned()),
            token_kind: TokenKind::Jwt,
            scopes: self.scopes.clone(),
            method: "GET".to_owned(),
            host: Some(self.host.to_owned()),
            path: self.path.to_owned(),
            route: Some(self.route.to_owned()),
            object: Some(self.object.to_owned()),
            status: 404,
            refused: Some(Refused::Plain(Reason::Policy)),
            bytes_out: 900,
            latency_us: 4000,
            ..Request::default()
        };
        let who = Who {
            subject: Some(self.subject.clone()),
            client: Some(self.client.clone()),
            token: Some(self.token.clone()),
            grant: Some(self.grant.clone()),
            session: Some(self.session.clone()),
            ..Who::default()
        };
        Event {
            ts: Timestamp::from_millis(START + at),
            ip: Some([192, 0, 2, 1].into()),
            who,
            ua: Some(self.ua.to_owned()),
            origin: Origin::default(),
            kind: EventKind::Request(request),
        }
    }
}
