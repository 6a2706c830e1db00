//! Attacks with their labels: one table of scenarios, by the detector that has to find them.

use std::net::IpAddr;

use crate::actor::{Actor, Call, DAY, HOUR, get, get_one, post, rare_ip, stranger};
use crate::population::{ATTACKS_FROM, PEOPLE, World, order};
use crate::{flow, place, sign_in};

/// One kind of attack. To add one: a function, and a line in [`SCENARIOS`].
pub struct Scenario {
    /// Which detector must find it.
    pub detector: &'static str,
    /// What is done, in words.
    pub name: &'static str,
    /// Adds its events to the world. `start` is seconds after the world's start.
    pub stage: fn(&mut World, start: f64) -> Principal,
}

/// Who attacks: what a finding has to name.
#[derive(Clone, PartialEq)]
pub enum Principal {
    /// By name, and the address that the stolen token is used from.
    Subject(String, IpAddr),
    /// By a client's name, and the address.
    Client(String, IpAddr),
    /// By an address alone.
    Ip(IpAddr),
}

/// An attack that was added to the world.
pub struct Attack {
    /// Which one.
    pub scenario: &'static Scenario,
    /// Who attacks.
    pub principal: Principal,
    /// When it begins, in seconds after the start of the world.
    pub start: f64,
}

/// Attacks on what is behind the gateway.
pub const SCENARIOS: &[Scenario] = &[
    scenario("enumeration", "random ids, most are not there", guesses),
    scenario("enumeration", "neighbouring ids", walk),
    scenario("enumeration", "300 articles in ten minutes", scrape),
    scenario("enumeration", "150 ids over a day", slow_scrape),
    scenario("bola_ownership", "15 orders of others", strangers_orders),
    scenario("bola_ownership", "one order of others every hour", slow_strangers_orders),
    scenario("function_probing", "14 administrative routes", functions),
    scenario("function_probing", "a route every hour", slow_functions),
    scenario("scanning", "a list of weak spots", weak_spots),
    scenario("scanning", "a word list, slowly", slow_words),
    scenario("scanning", "a tool by its name", tool),
    scenario("injection_probing", "with a token", injections),
    scenario("injection_probing", "without a token", nameless_injections),
    scenario("injection_probing", "one an hour", slow_injections),
    scenario("volume", "2,000 requests an hour", flood),
    scenario("volume", "a service's token, tenfold", service_flood),
    scenario("exfiltration", "100 MB in an hour", export),
    scenario("exfiltration", "40 MB in pieces over a day", slow_export),
    scenario("automation", "every five seconds", clockwork),
    scenario("automation", "random pauses, day and night", sleepless),
    scenario("sequence", "five checkouts without a cart", no_cart),
    scenario("throttle_evasion", "eight tokens in turn", turns),
    scenario("anomaly", "a service's token does other things", other_things),
];

/// A line of the table.
pub const fn scenario(
    detector: &'static str,
    name: &'static str,
    stage: fn(&mut World, f64) -> Principal,
) -> Scenario {
    Scenario { detector, name, stage }
}

/// Tables in the order in which they are staged: those before a new one stay as they were.
const TABLES: [&[&[Scenario]]; 3] =
    [&[SCENARIOS, sign_in::SCENARIOS], &[flow::SCENARIOS], &[place::SCENARIOS]];

/// Every scenario.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    TABLES.into_iter().flatten().copied().flatten()
}

/// Every scenario, so many times, each with a person of its own.
pub fn stage_all(world: &mut World, times: usize) -> Vec<Attack> {
    let mut attacks = Vec::new();
    for tables in TABLES {
        for _ in 0..times {
            attacks.extend(tables.iter().copied().flatten().map(|scenario| one(world, scenario)));
        }
    }
    world.events.sort_by_key(|event| event.ts);
    attacks
}

/// Those scenarios that are wanted, each with a person of its own.
pub fn stage(world: &mut World, is_wanted: impl Fn(&Scenario) -> bool) -> Vec<Attack> {
    all().filter(|scenario| is_wanted(scenario)).map(|scenario| one(world, scenario)).collect()
}

fn one(world: &mut World, scenario: &'static Scenario) -> Attack {
    // Slow ones need most of a day; midnight is not avoided.
    let start = ATTACKS_FROM + world.random.unit() * 0.9 * DAY;
    let principal = (scenario.stage)(world, start);
    Attack { scenario, principal, start }
}

// === impl Principal ===

impl Principal {
    /// From where they attack.
    pub const fn ip(&self) -> IpAddr {
        match self {
            Self::Client(_, ip) | Self::Ip(ip) | Self::Subject(_, ip) => *ip,
        }
    }
}

/// A person's token in other hands; no person is taken twice.
pub fn thief(world: &mut World) -> (Actor, Principal) {
    let n = loop {
        let n = world.random.below(PEOPLE as u64) as usize;
        if !world.people[n].token.ends_with("-stolen") {
            break n;
        }
    };
    world.people[n].token.push_str("-stolen");
    let ip = rare_ip(&mut world.random);
    let actor = world.people[n].at(ip);
    let subject = actor.subject.clone().unwrap_or_default();
    (actor, Principal::Subject(subject, ip))
}

/// So many calls, with pauses of about so many seconds.
pub fn paced(
    world: &mut World,
    actor: &Actor,
    start: f64,
    count: u64,
    pause: f64,
    mut call: impl FnMut(&mut World, u64) -> Call,
) {
    let mut at = start;
    for n in 0..count {
        let call = call(world, n);
        world.push(actor.call(at, call));
        at += pause * (0.5 + world.random.unit());
    }
}

fn guesses(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 80, 4.0, |world, _| {
        let call = get_one("/orders/{id}", world.random.between(10_000, 90_000));
        if world.random.is(0.85) { call.status(404) } else { call }
    });
    who
}

fn walk(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    let first = world.random.between(10_000, 12_000);
    paced(world, &actor, start, 60, 20.0, |_, n| get_one("/orders/{id}", first + n).status(403));
    who
}

fn scrape(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 300, 2.0, |_, n| get_one("/items/{id}", n * 11).bytes(3000));
    who
}

fn slow_scrape(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 170, 400.0, |world, n| {
        let number = world.random.below(20);
        get_one("/orders/{id}", order((n as usize * 13) % PEOPLE, number))
    });
    who
}

fn strangers_orders(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 15, 30.0, |world, _| one_of_others(world));
    who
}

fn slow_strangers_orders(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 20, HOUR, |world, _| one_of_others(world));
    who
}

fn one_of_others(world: &mut World) -> Call {
    let person = world.random.below(PEOPLE as u64) as usize;
    let orders = &world.orders[person];
    get_one("/orders/{id}", orders[world.random.below(orders.len() as u64) as usize])
}

const FUNCTIONS: [&str; 14] = [
    "/admin/people",
    "/admin/roles",
    "/admin/keys",
    "/admin/export",
    "/admin/settings",
    "/admin/audit",
    "/refunds",
    "/prices",
    "/coupons",
    "/reports",
    "/staff",
    "/payouts",
    "/webhooks",
    "/flags",
];

fn functions(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 14, 15.0, |_, n| {
        get(FUNCTIONS[n as usize]).refused(403, "insufficient_scope")
    });
    who
}

fn slow_functions(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 28, HOUR, |_, n| get(FUNCTIONS[n as usize % 14]).status(403));
    who
}

fn weak_spots(world: &mut World, start: f64) -> Principal {
    let ip = rare_ip(&mut world.random);
    let actor = stranger(ip, "Mozilla/5.0");
    let paths =
        ["/.env", "/.git/config", "/wp-login.php", "/phpmyadmin/", "/actuator/env", "/a.sql"];
    paced(world, &actor, start, 6, 1.0, |_, n| {
        get(paths[n as usize]).refused(404, "unknown_route")
    });
    Principal::Ip(ip)
}

const WORDS: [&str; 48] = [
    "/about",
    "/account",
    "/api",
    "/api/docs",
    "/app",
    "/archive",
    "/assets",
    "/auth",
    "/backup",
    "/beta",
    "/billing",
    "/blog",
    "/cache",
    "/config",
    "/customers",
    "/data",
    "/db",
    "/debug",
    "/demo",
    "/dev",
    "/download",
    "/dump",
    "/files",
    "/graphql",
    "/help",
    "/hidden",
    "/home",
    "/images",
    "/internal",
    "/invoice",
    "/jobs",
    "/legacy",
    "/logs",
    "/mail",
    "/metrics",
    "/old",
    "/private",
    "/public",
    "/queue",
    "/secret",
    "/staging",
    "/stats",
    "/swagger",
    "/temp",
    "/test",
    "/tools",
    "/upload",
    "/users",
];

fn slow_words(world: &mut World, start: f64) -> Principal {
    let ip = rare_ip(&mut world.random);
    let actor = stranger(ip, "Mozilla/5.0");
    paced(world, &actor, start, 48, 900.0, |_, n| {
        get(WORDS[n as usize]).refused(404, "unknown_route")
    });
    Principal::Ip(ip)
}

fn tool(world: &mut World, start: f64) -> Principal {
    let ip = rare_ip(&mut world.random);
    let actor = stranger(ip, "Mozilla/5.0 (compatible; Nuclei - Open-source project)");
    paced(world, &actor, start, 20, 2.0, |_, n| {
        get(WORDS[n as usize]).refused(404, "unknown_route")
    });
    Principal::Ip(ip)
}

fn injection(n: u64) -> Call {
    let classes = ["injection:sqli", "injection:xss", "injection:traversal"];
    let call = get_one("/items/{id}", n).refused(403, classes[n as usize % 3]);
    Call { sent: n * 3, ..call }
}

fn injections(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 15, 5.0, |_, n| injection(n));
    who
}

fn nameless_injections(world: &mut World, start: f64) -> Principal {
    let ip = rare_ip(&mut world.random);
    paced(world, &stranger(ip, "Mozilla/5.0"), start, 15, 5.0, |_, n| injection(n));
    Principal::Ip(ip)
}

fn slow_injections(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 24, HOUR, |_, n| injection(n));
    who
}

fn flood(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 2000, 1.8, |_, _| post("/cart"));
    who
}

fn service_flood(world: &mut World, start: f64) -> Principal {
    // Each service once.
    let Some(service) = world.services.pop() else { return flood(world, start) };
    let ip = rare_ip(&mut world.random);
    let actor = service.at(ip);
    paced(world, &actor, start, 600, 5.0, |_, _| get("/stock").bytes(3000));
    Principal::Subject(actor.subject.unwrap_or_default(), ip)
}

fn export(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 100, 30.0, |_, _| get("/orders").bytes(1_000_000));
    who
}

fn slow_export(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 140, 600.0, |_, _| get("/orders").bytes(290_000));
    who
}

fn clockwork(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    for n in 0..150 {
        let at = start + f64::from(n) * 5.0 + world.random.unit() * 0.3;
        world.push(actor.call(at, get_one("/items/{id}", n % 60)));
    }
    who
}

fn sleepless(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    let mut at = start;
    while at < start + 30.0 * HOUR {
        let item = world.random.below(4000);
        world.push(actor.call(at, get_one("/items/{id}", item)));
        at += 60.0 + world.random.wait(240.0);
    }
    who
}

fn no_cart(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 5, 2.0 * HOUR, |_, _| post("/checkout"));
    who
}

fn turns(world: &mut World, start: f64) -> Principal {
    let (mut actor, who) = thief(world);
    for n in 0..240 {
        let at = start + f64::from(n) * 0.8;
        actor.token = format!("turn-{}", n / 10 % 8);
        let call = get_one("/items/{id}", n % 20);
        let is_over = n % 10 == 9;
        world.push(actor.call(at, if is_over { call.refused(429, "throttled") } else { call }));
    }
    who
}

fn other_things(world: &mut World, start: f64) -> Principal {
    let Some(service) = world.services.pop() else { return flood(world, start) };
    let ip = rare_ip(&mut world.random);
    let actor = service.at(ip);
    paced(world, &actor, start, 160, 40.0, |_, n| get(FUNCTIONS[n as usize % 14]).bytes(7000));
    Principal::Subject(actor.subject.unwrap_or_default(), ip)
}
