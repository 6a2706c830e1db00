//! Streams of others: the same events with something missing, at other times, or among others.

use std::net::IpAddr;

use token::event::{Event, EventKind, Request, TokenKind};
use token::scope::ScopeSet;
use token::time::Timestamp;

use scenario::actor::{Actor, DAY, HOUR, START, get, get_one, post};
use scenario::random::Random;

/// One way in which events may differ.
pub(crate) struct Change {
    pub(crate) name: &'static str,
    pub(crate) apply: fn(&mut Vec<Event>, &mut Random),
}

const fn change(name: &'static str, apply: fn(&mut Vec<Event>, &mut Random)) -> Change {
    Change { name, apply }
}

pub(crate) const CHANGES: &[Change] = &[
    change("as it was made", |_, _| {}),
    change("no routes", |events, _| requests(events, |request| request.route = None)),
    change("no routes, no objects", |events, _| {
        requests(events, |request| (request.route, request.object) = (None, None));
    }),
    change("no objects", |events, _| requests(events, |request| request.object = None)),
    change("no scopes", |events, _| {
        requests(events, |request| request.scopes = ScopeSet::default())
    }),
    change("no sizes", |events, _| {
        requests(events, |request| {
            (request.bytes_in, request.bytes_out, request.records_out) = (0, 0, None);
        });
    }),
    change("no User-Agent", |events, _| events.iter_mut().for_each(|event| event.ua = None)),
    change("no tokens, no sessions", |events, _| {
        for event in events {
            (event.who.token, event.who.session) = (None, None);
        }
    }),
    change("no clients", |events, _| events.iter_mut().for_each(|event| event.who.client = None)),
    change("begins a day before the attacks", |events, _| {
        let begin = millis(6.0 * DAY);
        events.retain(|event| event.ts.as_millis() >= begin);
    }),
    change("midnight is seven hours off", |events, _| shift(events, 7.3 * HOUR)),
    change("clocks are up to four seconds off", |events, random| {
        for event in events {
            let off = (random.unit() * 8000.0) as i64 - 4000;
            event.ts = Timestamp::from_millis(event.ts.as_millis() + off);
        }
    }),
    change("everybody behind one address", |events, _| one_address(events)),
    change("one request in ten is sent twice", resend),
    change("2,000 sign-ups in an afternoon", sign_ups),
    change("one partner is most of the traffic", partner),
    change("a bad deployment for a quarter of an hour", |events, _| deployment(events)),
    change("a nightly load test", load_test),
    change("a job every minute", cron),
    change("everybody changes passwords", rotation),
];

fn millis(at: f64) -> i64 {
    START + (at * 1000.0) as i64
}

fn requests(events: &mut [Event], change: impl Fn(&mut Request)) {
    for event in events {
        if let EventKind::Request(request) = &mut event.kind {
            change(request);
        }
    }
}

fn shift(events: &mut [Event], seconds: f64) {
    // The labels stay: everything is moved but the attacks' own addresses tell them apart.
    let day = (DAY * 1000.0) as i64;
    let by = (seconds * 1000.0) as i64;
    for event in events.iter_mut().filter(|event| !is_attack(event)) {
        let at = event.ts.as_millis() + by;
        event.ts = Timestamp::from_millis(if at >= START + 9 * day { at - 9 * day } else { at });
    }
}

/// Attackers have addresses of their own.
fn is_attack(event: &Event) -> bool {
    matches!(event.ip, Some(IpAddr::V4(ip)) if ip.octets()[0] == 203)
}

fn one_address(events: &mut [Event]) {
    for event in events.iter_mut().filter(|event| !is_attack(event)) {
        event.ip = Some([100, 64, 0, 1].into());
    }
}

fn resend(events: &mut Vec<Event>, random: &mut Random) {
    let again: Vec<Event> = events
        .iter()
        .filter(|_| random.is(0.1))
        .map(|event| Event {
            ts: Timestamp::from_millis(event.ts.as_millis() + 900),
            ..event.clone()
        })
        .collect();
    events.extend(again);
}

fn actor(subject: &str, client: &str, ip: [u8; 4]) -> Actor {
    Actor {
        subject: Some(subject.to_owned()),
        client: Some(client.to_owned()),
        token: format!("token-{subject}"),
        kind: TokenKind::Jwt,
        scopes: "orders:read orders:write profile",
        ip: ip.into(),
        ua: "Shop/4.2 (Android 16)".to_owned(),
    }
}

fn sign_ups(events: &mut Vec<Event>, random: &mut Random) {
    for n in 0..2000u32 {
        let [_, _, high, low] = n.to_be_bytes();
        let new = actor(&format!("new-{n}"), "app", [84, 9, high, low]);
        let mut at = 7.0 * DAY + 13.0 * HOUR + random.unit() * 5.0 * HOUR;
        events.push(new.login(at, &format!("new-{n}"), "ok"));
        for _ in 0..random.between(5, 40) {
            at += 2.0 + random.wait(9.0);
            let item = random.below(4000);
            let call = match random.below(5) {
                0 => post("/cart"),
                1 => get("/me"),
                _ => get_one("/items/{id}", item).bytes(12_000),
            };
            events.push(new.call(at, call));
        }
    }
}

fn partner(events: &mut Vec<Event>, random: &mut Random) {
    for n in 0..8u8 {
        let big = actor(&format!("big-{n}"), "big-partner", [198, 51, 77, n]);
        let mut at = random.unit() * 60.0;
        while at < 9.0 * DAY {
            let hour = (at / HOUR) as u64 % 24;
            at += random.wait(if (7..21).contains(&hour) { 5.0 } else { 15.0 });
            let order = 100_000 + random.below(40_000);
            let call = match random.below(12) {
                0 => post("/stock"),
                1 => get_one("/orders/{id}", order).status(404),
                2..=4 => get("/orders").bytes(20_000),
                _ => get_one("/orders/{id}", order),
            };
            events.push(big.call(at, call));
        }
    }
}

fn deployment(events: &mut [Event]) {
    let (from, until) = (millis(7.0 * DAY + 18.0 * HOUR), millis(7.0 * DAY + 18.25 * HOUR));
    let during =
        |event: &&mut Event| (from..until).contains(&event.ts.as_millis()) && !is_attack(event);
    for (n, event) in events.iter_mut().filter(during).enumerate() {
        if let EventKind::Request(request) = &mut event.kind {
            request.status = [404, 500, 403][n % 3];
        }
    }
}

fn load_test(events: &mut Vec<Event>, random: &mut Random) {
    let tester = actor("load-test", "load-test", [198, 51, 100, 99]);
    for night in 0..9 {
        for n in 0..8000 {
            let at = f64::from(night) * DAY + 4.0 * HOUR + f64::from(n) * 0.1;
            let item = random.below(4000);
            events.push(tester.call(at, get_one("/items/{id}", item).bytes(12_000)));
        }
    }
}

fn cron(events: &mut Vec<Event>, random: &mut Random) {
    for n in 0..6u8 {
        let job = actor(&format!("job-{n}"), "jobs", [198, 51, 100, 120 + n]);
        for minute in 0..9 * 1440 {
            let at = f64::from(minute) * 60.0 + random.unit() * 0.2 + f64::from(n);
            events.push(job.call(at, get_one("/orders/{id}", 50_000 + minute)));
        }
    }
}

/// A leak elsewhere: a manager of passwords signs people in again, with a slip each.
fn rotation(events: &mut Vec<Event>, random: &mut Random) {
    for n in 0..300u32 {
        let home = [81, 2, (n / 200) as u8, (n % 200) as u8];
        let person = actor(&format!("person-{n}"), "app", home);
        let at = 7.0 * DAY + 9.0 * HOUR + random.unit() * 8.0 * HOUR;
        let name = format!("person-{n}");
        for slip in 0..random.below(4) {
            events.push(person.login(at + slip as f64 * 3.0, &name, "bad_password"));
        }
        events.push(person.login(at + 20.0, &name, "ok"));
    }
}
