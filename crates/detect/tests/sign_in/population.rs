//! Ten days of 300 people with telephones, offices, journeys and new devices; then attackers among
//! them. How many are found, and how many findings are about nobody's attack.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{event, found_once};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;
const PEOPLE: u32 = 300;
const DAYS: u32 = 10;

/// Xorshift: the same numbers in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 16) % u64::from(most)).expect("small")
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }
}

#[derive(Clone)]
struct From {
    ip: String,
    asn: u32,
    country: &'static str,
    net: &'static str,
    place: (f64, f64),
}

fn from(ip: String, asn: u32, country: &'static str, net: &'static str, place: (f64, f64)) -> From {
    From { ip, asn, country, net, place }
}

fn with(seconds: f64, kind: &str, from: &From, ua: &str, more: &Value) -> Value {
    let mut made = event(seconds, kind, &from.ip, more);
    made["asn"] = json!(from.asn);
    made["country"] = json!(from.country);
    made["net"] = json!(from.net);
    (made["lat"], made["lon"]) = (json!(from.place.0), json!(from.place.1));
    made["ua"] = json!(ua);
    made
}

fn login(seconds: f64, from: &From, ua: &str, name: &str, result: &str) -> Value {
    let mut members = json!({
        "username": name, "result": result, "factor": "password", "complete": result == "ok",
    });
    if result == "ok" {
        members["subject"] = json!(name);
    }
    with(seconds, "login", from, ua, &members)
}

fn request(seconds: f64, from: &From, ua: &str, name: &str, session: &str) -> Value {
    let scope = if name.ends_with('0') { "admin:users" } else { "orders" };
    let members = json!({
        "subject": name, "client": "app", "token": format!("t-{session}"), "session": session,
        "scopes": [scope], "method": "GET", "path": "/orders", "status": 200,
    });
    with(seconds, "request", from, ua, &members)
}

/// Where a person is at an hour of a day.
fn whereabouts(person: u32, day: u32, hour: u32, dice: &mut Dice) -> From {
    let oslo = (59.9, 10.7);
    if person.is_multiple_of(13) && (4..7).contains(&day) {
        // A journey; one in three hours over a VPN.
        return if dice.one_in(3) {
            from(format!("192.0.2.{}", dice.below(9)), 64900, "US", "vpn", (40.7, -74.0))
        } else {
            from(
                format!("203.{}.{}.7", person / 200, person % 200),
                64800,
                "ES",
                "business",
                (40.4, -3.7),
            )
        };
    }
    if person.is_multiple_of(3) && (9..17).contains(&hour) {
        return from("198.51.100.1".to_owned(), 64500, "NO", "business", oslo);
    }
    if dice.one_in(3) {
        let ip = format!("100.{}.{}.1", 64 + dice.below(3), dice.below(40));
        return from(ip, 64510, "NO", "mobile", (60.4, 5.3));
    }
    if person.is_multiple_of(2) && dice.one_in(2) {
        return from(
            format!("2001:db8:{person:x}::1"),
            64520 + person % 4,
            "NO",
            "residential",
            oslo,
        );
    }
    from(
        format!("84.{}.{}.9", person / 200, person % 200),
        64520 + person % 4,
        "NO",
        "residential",
        oslo,
    )
}

fn honest(dice: &mut Dice) -> Vec<Value> {
    let mut events = Vec::new();
    for person in 0..PEOPLE {
        let name = format!("p{person}");
        for day in 0..DAYS {
            // A browser, a telephone, and from the sixth day on perhaps a new one.
            let telephone = if person.is_multiple_of(9) && day > 5 { "Phone/2" } else { "App/1" };
            for hour in [8, 12, 20] {
                let at =
                    f64::from(day) * DAY + f64::from(hour) * HOUR + f64::from(dice.below(3000));
                let place = whereabouts(person, day, hour, dice);
                let ua = if hour == 12 { telephone } else { "Browser/1" };
                let session = format!("{name}-{day}-{ua}");
                if dice.one_in(8) {
                    events.push(login(at - 9.0, &place, ua, &name, "bad_password"));
                }
                if dice.one_in(60) {
                    events.push(login(
                        at - 5.0,
                        &place,
                        ua,
                        &format!("{name}typo"),
                        "unknown_user",
                    ));
                }
                events.push(login(at, &place, ua, &name, "ok"));
                for n in 0..4 {
                    // A hand-over in the middle of it.
                    let place = if n == 2 && dice.one_in(4) {
                        whereabouts(person, day, 21, dice)
                    } else {
                        place.clone()
                    };
                    events.push(request(at + 30.0 * f64::from(n), &place, ua, &name, &session));
                }
            }
        }
    }
    events
}

/// Their addresses; some are fast, some take days.
fn stuffers(events: &mut Vec<Value>, dice: &mut Dice) -> BTreeSet<String> {
    let mut attackers = BTreeSet::new();
    for attacker in 0..40 {
        let place =
            from(format!("193.{attacker}.0.66"), 65000 + attacker, "BR", "hosting", (0.0, -50.0));
        let gap = [1.0, 20.0, 300.0, 3000.0][attacker as usize % 4];
        let start = DAY + f64::from(dice.below(5 * 86_400));
        for n in 0..25 + dice.below(100) {
            let known = dice.one_in(3);
            let name =
                if known { format!("p{}", dice.below(PEOPLE)) } else { format!("x{attacker}-{n}") };
            let result = if known { "bad_password" } else { "unknown_user" };
            events.push(login(start + gap * f64::from(n), &place, "Browser/1", &name, result));
        }
        attackers.insert(place.ip);
    }
    attackers
}

/// The subjects whose tokens they use, while their owners do.
fn thieves(events: &mut Vec<Value>, dice: &mut Dice) -> BTreeSet<String> {
    let mut victims = BTreeSet::new();
    for n in 0..40 {
        let person = n * 7 + 1;
        let name = format!("p{person}");
        let day = 2 + dice.below(7);
        let at = f64::from(day) * DAY + 15.0 * HOUR;
        let home = whereabouts(person, day, 12, dice);
        let thief = from(format!("194.{n}.0.66"), 65100 + n, "BR", "hosting", (0.0, -50.0));
        let session = format!("{name}-{day}-stolen");
        for k in 0..20 {
            let at = at + f64::from(k) * 60.0;
            events.push(request(at, &home, "Browser/1", &name, &session));
            if k > 5 {
                events.push(request(
                    at + f64::from(dice.below(59)),
                    &thief,
                    "curl/8",
                    &name,
                    &session,
                ));
            }
        }
        victims.insert(name);
    }
    victims
}

#[test]
fn honest_people_are_hardly_ever_told() {
    for seed in [7, 101] {
        let findings = found_once(&honest(&mut Dice(seed)));
        let incidents: BTreeSet<&str> =
            findings.iter().filter_map(|finding| finding["incident"].as_str()).collect();
        // One in 1,000 person-days.
        assert!(incidents.len() <= (PEOPLE * DAYS / 1000) as usize, "{seed}: {incidents:?}");
    }
}

#[test]
fn attackers_among_them_are_found() {
    for seed in [7, 101] {
        let mut dice = Dice(seed);
        let mut events = honest(&mut dice);
        let stuffers = stuffers(&mut events, &mut dice);
        let victims = thieves(&mut events, &mut dice);
        let findings = found_once(&events);
        let of = |detectors: &[&str], member: &str| -> BTreeSet<String> {
            findings
                .iter()
                .filter(|finding| detectors.contains(&finding["detector"].as_str().unwrap_or("")))
                .filter_map(|finding| finding[member].as_str().map(str::to_owned))
                .collect()
        };
        let told = of(&["credential_stuffing", "password_spraying"], "ip");
        let shared = of(&["token_sharing"], "subject");
        for (name, wanted, got) in [("networks", &stuffers, &told), ("tokens", &victims, &shared)] {
            let hit = wanted.intersection(got).count();
            assert!(hit * 100 >= wanted.len() * 95, "{seed} {name}: {hit} of {}", wanted.len());
            let strangers: Vec<&String> = got.difference(wanted).collect();
            assert!(strangers.len() <= 3, "{seed} {name}: {strangers:?}");
        }
    }
}
