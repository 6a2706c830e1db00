//! Ordinary traffic of a week and two days: people, services, devices, partners, jobs, CI, support.
//!
//! With what looks like attacks and is none: carriers and offices behind one address, phones that
//! change between IPv4 and IPv6, apps left open that poll by the second, dead links, an old app
//! that asks for a route that is gone, a client without a scope that it needs, an author who
//! writes about SQL, retries in an outage, a day of sales, nightly jobs that walk over all orders.

use std::net::IpAddr;

use token::event::{Event, TokenKind};

use crate::actor::{Actor, DAY, HOUR, get, get_one, post, stranger};
use crate::random::Random;

/// How long it goes on.
pub const DAYS: usize = 9;
/// Attacks begin after a week.
pub const ATTACKS_FROM: f64 = 7.0 * DAY;
/// People in it.
pub const PEOPLE: usize = 300;
const OUTAGE: f64 = 3.0 * DAY + 11.0 * HOUR;
const SALES_DAY: usize = 5;

/// One run's ordinary side.
pub struct World {
    /// All events, in any order until they are sorted.
    pub events: Vec<Event>,
    /// Where chance comes from.
    pub random: Random,
    /// People, with their tokens.
    pub people: Vec<Actor>,
    /// Services that read and write stock.
    pub services: Vec<Actor>,
    /// Orders of each person.
    pub orders: Vec<Vec<u64>>,
}

const BROWSERS: [&str; 4] = [
    "Shop/4.2 (iPhone; iOS 19.1)",
    "Shop/4.2 (Android 16)",
    "Mozilla/5.0 (Windows NT 10.0) Firefox/148.0",
    "Mozilla/5.0 (Macintosh) Safari/19",
];

/// The number of a person's order: neighbours belong to others.
pub fn order(person: usize, number: u64) -> u64 {
    10_000 + number * PEOPLE as u64 + (person as u64 * 7) % PEOPLE as u64
}

// === impl World ===

impl World {
    /// A world without attacks.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let people = (0..PEOPLE).map(|n| person(n, &mut random)).collect();
        let orders = (0..PEOPLE)
            .map(|n| {
                let first = random.below(6);
                (first..first + random.between(3, 14)).map(|number| order(n, number)).collect()
            })
            .collect();
        let services =
            (0..12).map(|n| service("svc-stock", n, "orders:read stock:write")).collect();
        let mut world = Self { events: Vec::new(), random, people, services, orders };
        for day in 0..DAYS {
            (0..PEOPLE).for_each(|n| world.person_day(n, day));
            world.services_day(day);
            world.devices_day(day);
            world.partners_day(day);
            world.jobs_day(day);
            world.ci_day(day);
            world.support_day(day);
            world.odd_day(day);
        }
        world
    }

    /// Adds an event.
    pub fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    fn person_day(&mut self, n: usize, day: usize) {
        let weekend = day % 7 >= 5;
        let sales = day == SALES_DAY;
        let mean = if weekend { 1.2 } else { 1.8 } * if sales { 2.0 } else { 1.0 };
        let sessions = self.random.wait(mean).min(6.0) as usize;
        for session in 0..sessions {
            let evening = self.random.is(0.6);
            let hour = if evening { 17.0 } else { 8.0 } + self.random.unit() * 5.0;
            let mut at = day as f64 * DAY + hour * HOUR;
            let mut actor = self.people[n].clone();
            actor.token = format!("{}-{day}-{session}", actor.token);
            actor.ip = address(n, &mut self.random);
            if self.random.is(0.06) {
                self.left_open(&actor, at);
            }
            self.sign_in(&actor, at);
            self.push(actor.call(at, get("/me")));
            let steps = self.random.between(3, 22);
            for _ in 0..steps {
                at += 2.0 + self.random.wait(14.0);
                // A phone leaves the house: the next request comes by the carrier's IPv6.
                if n.is_multiple_of(3) && self.random.is(0.05) {
                    actor.ip = phone_v6(n, day);
                }
                self.person_step(n, &actor, at);
            }
            if self.random.is(0.3) {
                for call in [post("/cart"), get("/cart"), post("/checkout")] {
                    at += 5.0 + self.random.wait(20.0);
                    self.push(actor.call(at, call));
                }
            }
        }
    }

    /// By password every third time, with a slip now and then; the device remembers the others.
    fn sign_in(&mut self, actor: &Actor, at: f64) {
        let name = actor.subject.clone().unwrap_or_default();
        if !self.random.is(0.35) {
            return;
        }
        if self.random.is(0.12) {
            self.push(actor.login(at - 9.0, &name, "bad_password"));
        }
        if self.random.is(0.02) {
            self.push(actor.login(at - 14.0, &format!("{name}-typo"), "unknown_user"));
        }
        self.push(actor.login(at - 2.0, &name, "ok"));
    }

    fn person_step(&mut self, n: usize, actor: &Actor, at: f64) {
        let orders = &self.orders[n];
        let own = orders[self.random.below(orders.len() as u64) as usize];
        let item = (self.random.unit().powi(3) * 4000.0) as u64;
        let call = match self.random.below(20) {
            0..=2 => get("/orders").bytes(4000),
            3..=7 => get_one("/orders/{id}", own),
            8 => get_one("/orders/{id}/invoice", own).bytes(60_000),
            9 => get("/messages"),
            // An article that is sold out.
            10 if self.random.is(0.3) => get_one("/items/{id}", 9000 + item % 40).status(404),
            _ => get_one("/items/{id}", item).bytes(12_000),
        };
        if (OUTAGE..OUTAGE + 1200.0).contains(&at) {
            for retry in 0..8 {
                self.push(actor.call(at + f64::from(retry), call.clone().status(503)));
            }
            return;
        }
        self.push(actor.call(at, call));
    }

    /// An app on a table, polling by the clock.
    fn left_open(&mut self, actor: &Actor, at: f64) {
        for n in 0..self.random.between(60, 400) {
            let jitter = self.random.unit() * 0.4;
            self.push(actor.call(at + n as f64 * 30.0 + jitter, get("/messages")));
        }
    }

    fn services_day(&mut self, day: usize) {
        for actor in self.services.clone() {
            for hour in 0..24 {
                let busy = if (8..20).contains(&hour) { 30 } else { 8 };
                for _ in 0..busy {
                    let at = day as f64 * DAY + (f64::from(hour) + self.random.unit()) * HOUR;
                    let number = self.random.below(6);
                    let person = self.random.below(PEOPLE as u64) as usize;
                    let call = match self.random.below(3) {
                        0 => get_one("/orders/{id}", order(person, number)),
                        1 => get("/stock").bytes(3000),
                        _ => post("/stock"),
                    };
                    self.push(actor.call(at, call));
                }
            }
        }
    }

    fn devices_day(&mut self, day: usize) {
        for n in 0..40u64 {
            let mut actor = service("meter", n as usize, "telemetry:write");
            actor.subject = Some(format!("device-{n}"));
            for tick in 0..96 {
                let at = day as f64 * DAY + f64::from(tick) * 900.0 + n as f64 * 7.0;
                let call = post("/devices/{id}/readings");
                self.push(
                    actor.call(at, crate::actor::Call { object: Some(n.to_string()), ..call }),
                );
            }
        }
    }

    fn partners_day(&mut self, day: usize) {
        for n in 0..4 {
            let mut actor = service(&format!("partner-{n}"), 0, "orders:read");
            actor.subject = Some(format!("partner-{n}"));
            for hour in 0..24 {
                let at = day as f64 * DAY + f64::from(hour) * HOUR + 120.0;
                for page in 0..5 {
                    let call = get("/orders").bytes(40_000);
                    self.push(actor.call(at + f64::from(page), call));
                }
            }
            // The nightly export: forty times a common hour.
            let night = day as f64 * DAY + 2.5 * HOUR;
            for page in 0..100 {
                let wait = f64::from(page) * 2.0 + self.random.unit();
                let call = get("/export").bytes(150_000 + self.random.below(60_000));
                let call = crate::actor::Call { records: Some(500), ..call };
                self.push(actor.call(night + wait, call));
            }
        }
    }

    /// A job that walks over all orders by night.
    fn jobs_day(&mut self, day: usize) {
        let actor = service("billing-job", 0, "orders:read");
        let night = day as f64 * DAY + 3.0 * HOUR;
        for n in 0..900u64 {
            let call = get_one("/orders/{id}", 10_000 + n);
            let call = if n % 50 == 7 { call.status(404) } else { call };
            self.push(actor.call(night + n as f64 * 0.8, call));
        }
    }

    /// Runners in many networks, a token each, in bursts by day.
    fn ci_day(&mut self, day: usize) {
        if day % 7 >= 5 {
            return;
        }
        for run in 0..30 {
            let mut actor = service("ci", 0, "artifacts:write artifacts:read");
            actor.token = format!("ci-{day}-{run}");
            actor.ip =
                IpAddr::from([198, 51, self.random.below(200) as u8, self.random.below(250) as u8]);
            let mut at = day as f64 * DAY + (8.0 + self.random.unit() * 10.0) * HOUR;
            for step in 0..20 {
                at += self.random.wait(2.0);
                let name = format!("build-{day}-{run}-{step}");
                let call = get_one("/artifacts/{id}", name).bytes(20_000);
                let is_missing = self.random.is(0.2);
                self.push(actor.call(at, if is_missing { call.status(404) } else { call }));
            }
        }
    }

    /// Support reads everybody's orders: that is its work.
    fn support_day(&mut self, day: usize) {
        for n in 0..12 {
            let mut actor = service("support-console", n, "orders:read people:read");
            actor.subject = Some(format!("agent-{n}"));
            actor.ip = IpAddr::from([192, 0, 2, 10]);
            for _ in 0..40 {
                let at = day as f64 * DAY + (8.0 + self.random.unit() * 9.0) * HOUR;
                let person = self.random.below(PEOPLE as u64) as usize;
                let number = self.random.below(8);
                self.push(actor.call(at, get_one("/orders/{id}", order(person, number))));
            }
        }
    }

    fn odd_day(&mut self, day: usize) {
        let noon = day as f64 * DAY + 12.0 * HOUR;
        let monitor = stranger(IpAddr::from([192, 0, 2, 200]), "Uptime/3");
        for minute in 0..720 {
            self.push(monitor.call(day as f64 * DAY + f64::from(minute) * 120.0, get("/health")));
        }
        for n in 0..PEOPLE {
            // Browsers look for icons, and an old app for a route that is gone.
            if self.random.is(0.2) {
                let actor = self.people[n].clone();
                let call = get("/favicon.ico").refused(404, "unknown_route");
                self.push(actor.call(noon + n as f64, call));
            }
            if n % 25 == 0 {
                let actor = self.people[n].clone();
                for order in self.orders[n].clone() {
                    let call =
                        get_one("/v1/orders/{id}/status", order).refused(404, "unknown_route");
                    let at = noon + self.random.unit() * HOUR;
                    self.push(actor.call(at, call));
                }
            }
            // A menu shows two entries for which this client has no scope.
            if self.random.is(0.1) {
                let actor = self.people[n].clone();
                for route in ["/offers", "/loyalty"] {
                    let call = get(route).refused(403, "insufficient_scope");
                    self.push(actor.call(noon + n as f64 * 3.0, call));
                }
            }
        }
        // An author writes about SQL and tries to save the text again.
        let author = self.people[day].clone();
        for retry in 0..9 {
            let call = post("/posts").refused(403, "injection:sqli");
            self.push(author.call(noon + f64::from(retry) * 20.0, call));
        }
    }
}

fn person(n: usize, random: &mut Random) -> Actor {
    Actor {
        subject: Some(format!("person-{n}")),
        client: Some("app".to_owned()),
        token: format!("p{n}"),
        kind: TokenKind::Jwt,
        scopes: "orders:read orders:write profile",
        ip: address(n, random),
        ua: BROWSERS[n % BROWSERS.len()].to_owned(),
    }
}

fn service(client: &str, n: usize, scopes: &'static str) -> Actor {
    Actor {
        subject: Some(format!("{client}-{n}")),
        client: Some(client.to_owned()),
        token: format!("{client}-{n}"),
        kind: TokenKind::Jwt,
        scopes,
        ip: IpAddr::from([198, 51, 100, 1 + n as u8]),
        ua: "okhttp/5".to_owned(),
    }
}

/// Half of the people are behind four addresses of a carrier, a tenth in one office.
fn address(n: usize, random: &mut Random) -> IpAddr {
    match n % 10 {
        0..=4 => IpAddr::from([100, 64, 0, 1 + random.below(4) as u8]),
        5 => IpAddr::from([192, 0, 2, 77]),
        _ => IpAddr::from([81, 2, (n / 200) as u8, (n % 200) as u8]),
    }
}

fn phone_v6(n: usize, day: usize) -> IpAddr {
    IpAddr::from([0x2001, 0x0db8, day as u16, n as u16, 0, 0, 0, 1])
}
