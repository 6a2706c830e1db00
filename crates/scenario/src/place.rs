//! Attacks from far away, with people who travel, and others whose addresses only look as if they did.

use token::event::{Event, EventKind, NetworkKind, Origin};

use crate::actor::{Actor, Call, DAY, HOUR, get, get_one, post, rare_ip};
use crate::attack::{Principal, Scenario, scenario};
use crate::flow::{authenticates, client, granted, taken};
use crate::population::{DAYS, World};

/// Attacks from far away.
pub const SCENARIOS: &[Scenario] = &[
    scenario("impossible_travel", "a password on another continent", password_abroad),
    scenario("impossible_travel", "a copied session on another continent", session_abroad),
    scenario("new_place", "an administrator's token abroad", administration_abroad),
    scenario("new_place", "payments from a stranger's telephone", payments),
    scenario(
        "client_secret_sharing",
        "a secret that was replaced, in a second place",
        replaced_secret,
    ),
];

/// A city, as databases of addresses know it, with a network there.
#[derive(Clone, Copy)]
struct City {
    lat: f64,
    lon: f64,
    country: &'static str,
    asn: u32,
}

const fn city(lat: f64, lon: f64, country: &'static str, asn: u32) -> City {
    City { lat, lon, country, asn }
}

const BERLIN: City = city(52.5, 13.4, "DE", 3320);
const HAMBURG: City = city(53.6, 10.0, "DE", 6805);
const FRANKFURT: City = city(50.1, 8.7, "DE", 3209);
const LISBON: City = city(38.7, -9.1, "PT", 3243);
const NEW_YORK: City = city(40.7, -74.0, "US", 701);
/// Where thieves are.
const FAR: [City; 3] = [
    city(-23.5, -46.6, "BR", 27_699),
    city(-6.2, 106.8, "ID", 7713),
    city(43.1, 131.9, "RU", 12_389),
];

/// How somebody moves, or seems to.
#[derive(Clone, Copy)]
enum Habit {
    /// Works in another city, an hour and three quarters by train.
    Commutes,
    /// To Lisbon on Thursday, back on Saturday.
    Flies,
    /// Leaves the house with a telephone, whose carrier is in another city.
    Phones,
    /// Stays at home.
    Stays,
    /// Watches films by a network that ends in New York.
    Tunnels,
}

const HABITS: [Habit; 5] =
    [Habit::Commutes, Habit::Flies, Habit::Phones, Habit::Stays, Habit::Tunnels];

/// Somebody who lives in Berlin.
struct Resident {
    actor: Actor,
    habit: Habit,
}

// === impl City ===

impl City {
    /// The event as it comes from here.
    fn from(self, net: NetworkKind, event: Event) -> Event {
        let origin = Origin {
            country: Some(self.country.to_owned()),
            asn: Some(self.asn),
            net: Some(net),
            lat: Some(self.lat),
            lon: Some(self.lon),
            ..Origin::default()
        };
        Event { origin, ..event }
    }
}

// === impl Resident ===

impl Resident {
    fn new(world: &mut World, habit: Habit, scopes: &'static str) -> Self {
        let number = world.random.below(1_000_000);
        let [_, high, middle, low] = (number as u32).to_be_bytes();
        let actor = Actor {
            subject: Some(format!("resident-{number}")),
            client: Some("bank-app".to_owned()),
            token: format!("r{number}"),
            kind: token::event::TokenKind::Jwt,
            scopes,
            ip: [77, high, middle, low].into(),
            ua: "Bank/7.1 (iPhone; iOS 19.1)".to_owned(),
        };
        let resident = Self { actor, habit };
        (0..DAYS).for_each(|day| resident.day(world, day));
        resident
    }

    fn day(&self, world: &mut World, day: usize) {
        let at = |hour: f64| day as f64 * DAY + hour * HOUR;
        let late = world.random.unit();
        let (home, wire) = (BERLIN, NetworkKind::Residential);
        let is_away = matches!(self.habit, Habit::Flies) && (3..5).contains(&(day % 7));
        if is_away {
            self.visit(world, LISBON, wire, at(15.0 + late));
            return self.visit(world, LISBON, wire, at(20.0 + late));
        }
        self.visit(world, home, wire, at(6.5 + late / 2.0));
        match self.habit {
            Habit::Commutes if day % 7 < 5 => {
                self.visit(world, HAMBURG, NetworkKind::Business, at(9.5 + late));
            }
            Habit::Phones => self.visit(world, FRANKFURT, NetworkKind::Mobile, at(8.0 + late)),
            Habit::Tunnels => self.visit(world, NEW_YORK, NetworkKind::Vpn, at(19.0 + late / 4.0)),
            _ => {}
        }
        self.visit(world, home, wire, at(20.0 + late));
    }

    /// Signs in and looks around.
    fn visit(&self, world: &mut World, city: City, net: NetworkKind, start: f64) {
        let mut actor = self.actor.clone();
        actor.token = format!("{}-{start:.0}", actor.token);
        let name = actor.subject.clone().unwrap_or_default();
        world.push(city.from(net, actor.login(start, &name, "ok")));
        let mut at = start;
        for _ in 0..world.random.between(3, 12) {
            at += 3.0 + world.random.wait(20.0);
            let call = match world.random.below(4) {
                0 => get("/accounts"),
                1 => post("/payments"),
                _ => get_one("/accounts/{id}", &name).bytes(9000),
            };
            world.push(city.from(net, actor.call(at, call)));
        }
    }

    /// Who has something of this person's, far away.
    fn thief(&self, world: &mut World, ua: &str) -> (Actor, City, Principal) {
        let ip = rare_ip(&mut world.random);
        let city = FAR[world.random.below(FAR.len() as u64) as usize];
        let actor = Actor { ua: ua.to_owned(), ..self.actor.at(ip) };
        let subject = actor.subject.clone().unwrap_or_default();
        (actor, city, Principal::Subject(subject, ip))
    }
}

/// One of each habit, and which of them is the victim.
fn residents(world: &mut World, scopes: &'static str) -> Resident {
    let victim = world.random.below(HABITS.len() as u64) as usize;
    let mut all: Vec<_> =
        HABITS.into_iter().map(|habit| Resident::new(world, habit, scopes)).collect();
    all.swap_remove(victim)
}

const USUAL: &str = "accounts:read payments:write";

/// Somebody uses the account for a day, as its owner does.
fn password_abroad(world: &mut World, start: f64) -> Principal {
    let (thief, city, who) =
        residents(world, USUAL).thief(world, "Mozilla/5.0 (Windows NT 10.0) Chrome/140");
    let name = thief.subject.clone().unwrap_or_default();
    let mut at = start;
    for n in 0..8 {
        let actor = Actor { token: format!("{}-far-{n}", thief.token), ..thief.clone() };
        world.push(city.from(NetworkKind::Residential, actor.login(at, &name, "ok")));
        calls(world, &actor, city, at, &[get("/accounts"), get("/accounts")]);
        at += HOUR * (2.0 + world.random.unit() * 2.0);
    }
    who
}

/// The token was copied with all that the app sends.
fn session_abroad(world: &mut World, start: f64) -> Principal {
    let owner = residents(world, USUAL);
    let ua = owner.actor.ua.clone();
    let (thief, city, who) = owner.thief(world, &ua);
    let mut at = start;
    for _ in 0..12 {
        calls(world, &thief, city, at, &[get("/accounts"), post("/payments")]);
        at += HOUR * (1.0 + world.random.unit() * 2.0);
    }
    who
}

fn administration_abroad(world: &mut World, start: f64) -> Principal {
    let (thief, city, who) =
        residents(world, "accounts:read people:admin").thief(world, "python-requests/2");
    calls(world, &thief, city, start, &[get("/people"), post("/people"), post("/people")]);
    who
}

/// In the same country, where the owner has nothing to do.
fn payments(world: &mut World, start: f64) -> Principal {
    let owner = residents(world, USUAL);
    let (thief, _, who) = owner.thief(world, "Bank/7.1 (Android 16)");
    let near = city(48.1, 11.6, "DE", 8881);
    calls(world, &thief, near, start, &[get("/accounts"), post("/payments"), post("/payments")]);
    who
}

fn calls(world: &mut World, actor: &Actor, city: City, start: f64, calls: &[Call]) {
    let mut at = start;
    for call in calls {
        at += 5.0 + world.random.wait(20.0);
        world.push(city.from(NetworkKind::Residential, actor.call(at, call.clone())));
    }
}

/// The hole through which the old one went is still open. The client itself has the new one minutes later.
fn replaced_secret(world: &mut World, start: f64) -> Principal {
    let (home, who, name) = client(world);
    let change = EventKind::Admin {
        actor: "admin:operator".to_owned(),
        action: "client.secret".to_owned(),
        target: name.clone(),
    };
    let replaced = start - HOUR * (0.2 + world.random.unit());
    let mut operator = home.does(replaced, change);
    operator.who.client = None;
    world.push(operator);
    for n in 0..4 {
        world.push(authenticates(&home, replaced + 60.0 + f64::from(n) * 45.0, "bad_secret"));
    }
    let actor = taken(&name, &who);
    let mut at = start;
    while at < start + DAY {
        world.push(authenticates(&actor, at, "ok"));
        world.push(granted(&actor, at + 0.3, "orders:read"));
        at += HOUR * (1.0 + world.random.unit() * 2.0);
    }
    who
}
