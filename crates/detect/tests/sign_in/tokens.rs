//! Where tokens are used: sharing, travel and new places.

use serde_json::{Value, json};

use crate::support::{event, found, outcomes};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

/// A network and a program: address, system, country, kind, software.
#[derive(Clone, Copy)]
struct From<'a>(&'a str, u32, &'a str, &'a str, &'a str);

const HOME: From<'_> = From("198.51.100.9", 64500, "NO", "residential", "Browser/120");
const MOBILE: From<'_> = From("100.64.3.4", 64501, "NO", "mobile", "Browser/120");
const THIEF: From<'_> = From("203.0.113.66", 64666, "BR", "hosting", "python-requests/2");

fn used(seconds: f64, from: From<'_>) -> Value {
    let members = json!({
        "subject": "u1", "client": "app", "token": "t1", "session": "s1", "asn": from.1,
        "country": from.2, "net": from.3, "ua": from.4, "method": "GET", "path": "/", "status": 200,
    });
    event(seconds, "request", from.0, &members)
}

/// Three days at home.
fn at_home() -> Vec<Value> {
    (0..72).map(|hour| used(f64::from(hour) * HOUR, HOME)).collect()
}

fn in_turn(start: f64, gap: f64, times: i32, one: From<'_>, two: From<'_>) -> Vec<Value> {
    (0..times)
        .map(|n| used(start + f64::from(n) * gap, if n % 2 == 0 { one } else { two }))
        .collect()
}

/// The same without what only a database of networks knows.
fn bare(mut events: Vec<Value>) -> Vec<Value> {
    for event in &mut events {
        let members = event.as_object_mut().expect("object");
        for name in ["asn", "country", "net", "lat", "lon"] {
            members.remove(name);
        }
    }
    events
}

#[test]
fn a_token_in_two_hands_is_shared_with_and_without_a_database() {
    let mut events = at_home();
    events.extend(in_turn(3.0 * DAY, 60.0, 40, HOME, THIEF));
    for events in [events.clone(), bare(events)] {
        let findings = found(&events);
        assert_eq!(outcomes(&findings), [["token_sharing", "high", "tag"]]);
        assert_eq!((&findings[0]["ip"], &findings[0]["subject"]), (&json!(THIEF.0), &json!("u1")));
    }
}

#[test]
fn a_thief_with_the_owners_software_abroad_is_found() {
    let careful = From("203.0.113.66", 64666, "BR", "residential", "Browser/120");
    let mut events = at_home();
    events.extend(in_turn(3.0 * DAY, 60.0, 20, HOME, careful));
    assert!(outcomes(&found(&events)).contains(&["token_sharing", "high", "tag"]));
}

#[test]
fn a_token_that_was_published_is_found() {
    let mut events = at_home();
    for n in 0..6u32 {
        let (ip, ua) =
            (format!("19{n}.{n}.0.1"), format!("tool-{}", ["a", "b", "c"][n as usize % 3]));
        events.push(used(
            3.0 * DAY + f64::from(n) * 30.0,
            From(&ip, 65000 + n, "US", "business", &ua),
        ));
    }
    assert_eq!(outcomes(&found(&events)), [["token_sharing", "high", "tag"]]);
}

#[test]
fn hand_overs_and_two_protocols_are_no_sharing() {
    let six = From("2001:db8:1::1", 64500, "NO", "residential", "Browser/120");
    let mut events = at_home();
    events.extend(in_turn(3.0 * DAY, 5.0, 200, HOME, MOBILE));
    events.extend(in_turn(4.0 * DAY, 5.0, 200, HOME, six));
    assert_eq!(found(&events), Vec::<Value>::new());
    assert_eq!(found(&bare(events)), Vec::<Value>::new());
}

#[test]
fn an_application_beside_a_browser_behind_a_relay_becomes_known() {
    let relay = From("192.0.2.80", 64777, "NO", "vpn", "Browser/120");
    let native = From("198.51.100.9", 64500, "NO", "residential", "App/7");
    let mut events: Vec<Value> = Vec::new();
    // Before, they are used hours apart.
    for day in 0..3 {
        events.push(used(f64::from(day) * DAY, relay));
        events.push(used(f64::from(day) * DAY + 5.0 * HOUR, native));
    }
    events.extend(in_turn(3.5 * DAY, 20.0, 100, relay, native));
    assert_eq!(found(&events), Vec::<Value>::new());
}

#[test]
fn a_fleet_with_one_token_is_no_sharing() {
    let mut events = Vec::new();
    for n in 0..400u32 {
        let (ip, ua) = (format!("{}.{}.0.1", 20 + n % 9, n % 5), format!("service-{}", n % 6));
        let mut made = used(f64::from(n) * 700.0, From(&ip, 65000 + n % 9, "US", "hosting", &ua));
        made["subject"] = json!("batch");
        made["client"] = json!("batch");
        made.as_object_mut().expect("object").remove("session");
        events.push(made.clone());
    }
    assert_eq!(found(&events), Vec::<Value>::new());
}

#[test]
fn jobs_that_share_a_personal_token_in_several_clouds_are_no_sharing() {
    let one = From("192.0.2.80", 64777, "DE", "hosting", "curl/8");
    let two = From("203.0.113.80", 64888, "IE", "hosting", "curl/8");
    let mut jobs = in_turn(0.0, 40.0, 60, one, two);
    jobs.extend(in_turn(4.0 * DAY, 40.0, 60, one, two));
    assert_eq!(found(&jobs), Vec::<Value>::new());
    // Where nothing is known of the networks, the kind of token says it.
    for job in &mut jobs {
        job["token_kind"] = json!("pat");
        job.as_object_mut().expect("object").remove("net");
    }
    assert_eq!(found(&jobs), Vec::<Value>::new());
    // Somebody at home and their job, on the first day.
    let mut with_job = in_turn(0.0, 60.0, 40, HOME, THIEF);
    with_job.iter_mut().for_each(|event| event["token_kind"] = json!("pat"));
    assert_eq!(found(&with_job), Vec::<Value>::new());
    // A thief of it has other software.
    let mut stolen = at_home();
    stolen.extend(in_turn(3.0 * DAY, 60.0, 40, HOME, THIEF));
    stolen.iter_mut().for_each(|event| event["token_kind"] = json!("pat"));
    assert_eq!(outcomes(&found(&stolen)), [["token_sharing", "high", "tag"]]);
}

fn placed(mut event: Value, lat: f64, lon: f64) -> Value {
    event["lat"] = json!(lat);
    event["lon"] = json!(lon);
    event
}

const OSLO: (f64, f64) = (59.9, 10.7);
const TOKYO: (f64, f64) = (35.7, 139.7);

#[test]
fn nobody_is_in_oslo_and_half_an_hour_later_in_tokyo() {
    let abroad = From("203.0.113.66", 64666, "JP", "residential", "Browser/120");
    let mut events: Vec<Value> =
        at_home().into_iter().map(|event| placed(event, OSLO.0, OSLO.1)).collect();
    for n in 0..5 {
        let at = 3.0 * DAY - HOUR / 2.0 + f64::from(n) * 60.0;
        events.push(placed(used(at, abroad), TOKYO.0, TOKYO.1));
    }
    let findings = found(&events);
    assert_eq!(outcomes(&findings), [["impossible_travel", "medium", "tag"]]);
    assert_eq!(findings[0]["evidence"]["kilometres"], 8407.0);
    assert_eq!(found(&bare(events)), Vec::<Value>::new());
}

#[test]
fn sign_ins_are_compared_with_sign_ins() {
    let login = |seconds: f64, ip: &str, place: (f64, f64), ua: &str| {
        let members = json!({
            "subject": "u1", "username": "n1", "result": "ok", "complete": true, "ua": ua,
            "factor": "password",
        });
        placed(event(seconds, "login", ip, &members), place.0, place.1)
    };
    let mut events = [
        login(0.0, "198.51.100.9", OSLO, "Browser/120"),
        login(HOUR, "203.0.113.66", TOKYO, "Other/1"),
    ];
    (events[0]["country"], events[1]["country"]) = (json!("NO"), json!("JP"));
    assert_eq!(outcomes(&found(&events)), [["impossible_travel", "medium", "tag"]]);
}

#[test]
fn flights_vpns_carriers_and_computers_left_on_are_possible() {
    let hotel = From("203.0.113.7", 64700, "JP", "business", "Browser/120");
    let mut events: Vec<Value> =
        at_home().into_iter().map(|event| placed(event, OSLO.0, OSLO.1)).collect();
    // 8,400 km in 13 hours.
    events.push(placed(used(3.0 * DAY + 12.0 * HOUR, hotel), TOKYO.0, TOKYO.1));
    for kind in ["vpn", "hosting", "mobile", "tor"] {
        let exit = From("203.0.113.8", 64701, "US", kind, "Browser/120");
        events.push(placed(used(3.0 * DAY + 12.5 * HOUR, exit), 37.0, -122.0));
    }
    // The computer at home synchronises all the while.
    for n in 0..40 {
        let desktop = From("198.51.100.9", 64500, "NO", "residential", "Sync/3");
        let at = 2.0 * DAY + f64::from(n) * HOUR;
        let mut made = placed(used(at + 60.0, desktop), OSLO.0, OSLO.1);
        made["session"] = json!("s2");
        events.push(made);
    }
    // A database that is wrong by 400 km.
    events.push(placed(used(3.0 * DAY + 13.0 * HOUR, hotel), 34.7, 135.5));
    assert_eq!(found(&events), Vec::<Value>::new());
}

fn scoped(mut event: Value, scope: &str) -> Value {
    event["scopes"] = json!([scope]);
    event
}

#[test]
fn an_administrative_scope_from_a_new_place_with_new_software_is_told_once() {
    let mut events: Vec<Value> =
        at_home().into_iter().map(|event| scoped(event, "admin:users")).collect();
    // Harmless requests first do not make the place known.
    for n in 0..30 {
        let mut made = scoped(used(3.0 * DAY + f64::from(n) * 60.0, THIEF), "profile");
        made["token"] = json!("t2");
        made["session"] = json!("s2");
        events.push(made.clone());
        let mut made = scoped(made, "admin:users");
        made["ts"] = used(3.0 * DAY + HOUR + f64::from(n), THIEF)["ts"].clone();
        events.push(made);
    }
    for events in [events.clone(), bare(events)] {
        let findings = found(&events);
        assert_eq!(outcomes(&findings), [["new_place", "medium", "tag"]]);
        assert_eq!(findings[0]["evidence"]["sensitive"], "admin:users");
    }
}

#[test]
fn journeys_new_telephones_and_new_versions_are_not_told() {
    let mut events: Vec<Value> =
        at_home().into_iter().map(|event| scoped(event, "admin:users")).collect();
    let hotel = From("203.0.113.7", 64700, "JP", "business", "Browser/121");
    let telephone = From("198.51.100.9", 64500, "NO", "residential", "Telephone/1");
    let reader = From("203.0.113.7", 64700, "JP", "business", "Reader/1");
    events.push(scoped(used(3.5 * DAY, hotel), "admin:users"));
    events.push(scoped(used(5.0 * DAY, telephone), "admin:users"));
    events.push(scoped(used(6.0 * DAY, reader), "profile"));
    assert_eq!(found(&events), Vec::<Value>::new());
}

#[test]
fn a_session_that_went_on_a_journey_is_no_new_place_and_one_that_began_there_is() {
    let hotel = From("203.0.113.7", 64700, "JP", "residential", "");
    let without_software = |mut event: Value| {
        event.as_object_mut().expect("object").remove("ua");
        event
    };
    let told = |last: Vec<Value>| {
        let mut events: Vec<Value> = at_home();
        events.extend(last);
        let events: Vec<Value> = events.into_iter().map(without_software).collect();
        found(&events).iter().filter(|it| it["detector"] == "new_place").count()
    };
    let paid = scoped(used(4.0 * DAY, hotel), "payments:write");
    assert_eq!(told(vec![paid.clone()]), 0);
    let mut refreshed = paid.clone();
    for (name, value) in [("kind", "grant"), ("grant_type", "refresh_token"), ("result", "ok")] {
        refreshed[name] = json!(value);
    }
    assert_eq!(told(vec![refreshed.clone()]), 0);
    refreshed["grant_type"] = json!("authorization_code");
    assert_eq!(told(vec![refreshed]), 1);
    let mut other = paid;
    (other["token"], other["session"]) = (json!("t2"), json!("s2"));
    assert_eq!(told(vec![other]), 1);
}

/// A person, some hours at home, who signs in elsewhere then, where so many others did; whether that is told.
fn signs_in(hours: usize, from: From<'_>, others: u32, complete: bool) -> usize {
    let login = |seconds: f64, person: u32| {
        let mut login = used(seconds, from);
        let members = json!({
            "kind": "login", "username": format!("n{person}"), "subject": format!("u{person}"),
            "result": "ok", "complete": complete, "factor": "password",
        });
        for (name, value) in members.as_object().expect("members") {
            login[name] = value.clone();
        }
        login
    };
    let at = hours as f64 * HOUR;
    let mut events = at_home();
    events.truncate(hours);
    events.extend((0..others).map(|n| login(at - 60.0 * f64::from(n + 1), 2 + n)));
    events.push(login(at, 1));
    found(&events).iter().filter(|it| it["detector"] == "new_place").count()
}

#[test]
fn a_sign_in_from_a_data_centre_by_new_software_is_told_after_a_day() {
    let from = |net, ua| From("203.0.113.66", 64666, "NO", net, ua);
    for net in ["hosting", "tor"] {
        assert_eq!(signs_in(26, from(net, "Other/1"), 0, true), 1, "{net}");
    }
    let hosted = from("hosting", "Other/1");
    assert_eq!(signs_in(26, hosted, 0, false), 0, "a second factor is missing");
    assert_eq!(signs_in(5, hosted, 0, true), 0, "of whom little is known");
    assert_eq!(signs_in(26, from("hosting", "Browser/121"), 0, true), 0, "the same software");
    assert_eq!(signs_in(26, From("198.51.7.7", 64500, "NO", "hosting", "Other/1"), 0, true), 0);
    assert_eq!((signs_in(26, hosted, 1, true), signs_in(26, hosted, 2, true)), (1, 0), "a gateway");
}

#[test]
fn a_sign_in_that_is_new_in_all_is_told_of_somebody_who_is_known_for_two_days() {
    let from = |asn, country, net, ua| From("203.0.113.66", asn, country, net, ua);
    let thief = from(64666, "BR", "residential", "Other/1");
    assert_eq!((signs_in(48, thief, 0, true), signs_in(40, thief, 0, true)), (1, 0));
    assert_eq!(signs_in(72, thief, 0, false), 0, "a second factor is missing");
    for harmless in [
        from(64666, "NO", "residential", "Other/1"),
        from(64666, "BR", "residential", "Browser/121"),
        from(64500, "BR", "residential", "Other/1"),
        from(64666, "BR", "mobile", "Other/1"),
        from(64666, "BR", "vpn", "Other/1"),
    ] {
        let From(_, asn, country, net, ua) = harmless;
        assert_eq!(signs_in(72, harmless, 0, true), 0, "{asn} {country} {net} {ua}");
    }
}
