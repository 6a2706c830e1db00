//! Runs from many networks name who takes part, and clients that try what they may have.

use serde_json::{Value, json};

use crate::support::{event, found, outcomes};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

fn named(findings: &[Value]) -> Vec<&str> {
    findings.iter().filter_map(|finding| finding["ip"].as_str()).collect()
}

fn user_code(seconds: f64, ip: &str, step: &str) -> Value {
    event(seconds, "device", ip, &json!({ "step": step }))
}

#[test]
fn user_codes_from_many_networks_name_those_that_typed_two() {
    let from = |networks: u32| {
        let tries = (0..100).map(|n| {
            user_code(f64::from(n) * 20.0, &format!("10.{}.3.4", n % networks), "bad_user_code")
        });
        tries.collect::<Vec<Value>>()
    };
    let mut events = from(25);
    // A clumsy person in between, who succeeds.
    events.push(user_code(1300.0, "198.51.100.9", "bad_user_code"));
    events.push(user_code(1310.0, "198.51.100.9", "approved"));
    let findings = found(&events);
    assert_eq!(named(&findings).len(), 25);
    assert!(!named(&findings).contains(&"198.51.100.9"));
    assert!(findings.iter().all(|finding| finding["incident"] == findings[0]["incident"]));
    // Nobody typed two: the run is told, and without a name.
    let strangers = found(&from(100));
    assert_eq!((strangers.len(), named(&strangers).len()), (1, 0));
    assert_eq!(found(&from(100)[..59]), Vec::<Value>::new());
}

/// So many wrong user codes, some minutes apart, by so many programs from so many networks; and what is decided.
fn by_program(
    count: u32,
    minutes: f64,
    networks: u32,
    programs: u32,
    decided: &[&str],
) -> Vec<Value> {
    let by = |mut event: Value, program: u32| {
        event["ua"] = json!(["curl/8", "python-requests/2", "Other/1"][program as usize]);
        event
    };
    let mut events: Vec<Value> = (0..count)
        .map(|n| {
            let ip = format!("10.{}.3.4", n % networks);
            by(user_code(f64::from(n) * minutes * 60.0, &ip, "bad_user_code"), n % programs)
        })
        .collect();
    events.extend(decided.iter().map(|ip| by(user_code(1.0, ip, "approved"), 0)));
    found(&events)
}

#[test]
fn twelve_wrong_user_codes_by_one_program_from_six_networks_are_a_run() {
    let findings = by_program(12, 4.0, 6, 1, &[]);
    assert_eq!(outcomes(&findings), [["device_code_guessing", "high", "tag"]]);
    assert_eq!(named(&findings), ["10.5.3.4"]);
    assert_eq!(named(&by_program(24, 2.0, 6, 1, &[])).len(), 6, "each of them once");
    for none in [
        by_program(11, 4.0, 6, 1, &[]),
        by_program(12, 6.0, 6, 1, &[]),
        by_program(12, 4.0, 5, 1, &[]),
        by_program(12, 4.0, 6, 2, &[]),
        // Codes are decided there, or by the program.
        by_program(12, 4.0, 6, 1, &["10.5.3.4"]),
        by_program(12, 4.0, 6, 1, &["198.51.100.1", "198.51.100.2", "198.51.100.3"]),
    ] {
        assert_eq!(none, Vec::<Value>::new());
    }
}

fn login(seconds: f64, ip: &str, name: &str, result: &str) -> Value {
    let mut members = json!({ "username": name, "result": result, "factor": "password" });
    members["complete"] = json!(result == "ok");
    event(seconds, "login", ip, &members)
}

#[test]
fn a_run_that_has_nothing_in_common_names_its_networks_too() {
    let mut events: Vec<Value> = Vec::new();
    for n in 0..60 {
        let ip = format!("{}.{n}.3.4", 11 + n % 40);
        events.push(login(f64::from(n) * 10.0, &ip, &format!("n{n}"), "unknown_user"));
        events.push(login(f64::from(n) * 10.0 + 4.0, &ip, &format!("m{n}"), "unknown_user"));
    }
    let findings = found(&events);
    assert!(findings.iter().all(|finding| finding["ip"].is_string()), "{findings:?}");
    // Where each tries one name only, thirty more are waited for.
    assert_eq!(single(55, 9.0, &[]), Vec::<Value>::new());
    let nameless = single(80, 9.0, &[]);
    assert_eq!((nameless.len(), named(&nameless).len()), (1, 0));
}

/// So many networks that try one name each, one after the other, and what else happens.
fn single(count: i32, pause: f64, more: &[Value]) -> Vec<Value> {
    let tries = (0..count).map(|n| {
        let ip = format!("{}.{n}.3.4", 11 + n % 40);
        login(f64::from(n) * pause, &ip, &format!("n{n}"), "unknown_user")
    });
    found(&tries.chain(more.iter().cloned()).collect::<Vec<Value>>())
}

#[test]
fn a_run_of_single_tries_names_one_that_failed_and_did_not_try_again() {
    assert_eq!(named(&single(80, 30.0, &[])), ["11.0.3.4"]);
    let got_in = login(20.0, "11.0.3.4", "n0", "ok");
    assert_eq!(named(&single(80, 30.0, &[got_in])), ["12.1.3.4"], "its owner had mistyped");
    let again = login(1700.0, "11.0.3.4", "n0", "bad_password");
    assert_eq!(named(&single(80, 30.0, &[again])), ["12.1.3.4"], "may be about to get in");
}

fn register(seconds: f64, ip: &str, host: &str) -> Value {
    event(seconds, "register", ip, &json!({ "result": "ok", "redirect_hosts": [host] }))
}

#[test]
fn registrations_from_many_networks_for_other_hosts_are_a_surge_after_an_hour() {
    let surge = |start: f64, elsewhere: bool| -> Vec<Value> {
        let mut events = vec![user_code(0.0, "198.51.100.9", "approved")];
        events.extend((0..60).map(|n| {
            let host = if elsewhere { format!("h{n}.example") } else { "localhost".to_owned() };
            register(start + f64::from(n) * 20.0, &format!("10.{}.3.4", n % 12), &host)
        }));
        found(&events)
    };
    let findings = surge(4.0 * HOUR, true);
    assert_eq!(named(&findings).len(), 12);
    assert!(findings.iter().all(|finding| finding["incident"] == findings[0]["incident"]));
    assert_eq!(surge(4.0 * HOUR, false), Vec::<Value>::new(), "copies of a native application");
    assert_eq!(surge(HOUR / 2.0, true), Vec::<Value>::new(), "nothing is known of what is usual");
}

#[test]
fn a_surge_does_not_hide_the_next() {
    let surge = |start: f64, from: u32| {
        (0..24).map(move |n| {
            let ip = format!("10.{}.3.4", from + n % 12);
            register(start + f64::from(n) * 20.0, &ip, &format!("h{from}-{n}.example"))
        })
    };
    let mut events = vec![user_code(0.0, "198.51.100.9", "approved")];
    events.extend(surge(4.0 * HOUR, 0).chain(surge(8.0 * HOUR, 200)));
    let findings = found(&events);
    let second = named(&findings).into_iter().filter(|ip| ip.starts_with("10.20"));
    assert!(second.count() >= 3, "{findings:?}");
}

fn asked(seconds: f64, scopes: &[&str], result: &str) -> Value {
    let members = json!({
        "client": "c1", "grant_type": "client_credentials", "result": result, "scopes": scopes,
    });
    event(seconds, "grant", "198.51.100.9", &members)
}

#[test]
fn a_nightly_export_that_asks_for_a_role_is_told() {
    let nights = |count: u32, last: &[&str]| {
        let mut events: Vec<Value> =
            (0..count).map(|n| asked(f64::from(n) * DAY, &["orders:read"], "ok")).collect();
        events.push(asked(f64::from(count) * DAY, last, "ok"));
        found(&events)
    };
    let expected = [["scope_creep", "low", "tag"]];
    assert_eq!(outcomes(&nights(5, &["orders:read", "users:admin"])), expected);
    assert_eq!(nights(2, &["orders:read", "users:admin"]), Vec::<Value>::new());
    assert_eq!(nights(5, &["orders:read", "labels:read"]), Vec::<Value>::new());
}

#[test]
fn a_client_that_tries_scopes_and_is_refused_is_told_on_its_first_day() {
    let tries = |start: f64, refused: &str| {
        let mut events = vec![asked(0.0, &["orders:read"], "ok")];
        for (n, scope) in ["a:read", "b:read", "c:read"].iter().enumerate() {
            let result = if n == 1 { refused } else { "ok" };
            events.push(asked(start + n as f64 * 60.0, &["orders:read", scope], result));
        }
        found(&events)
    };
    assert_eq!(outcomes(&tries(2.0 * HOUR, "invalid_scope")), [["scope_creep", "low", "tag"]]);
    assert_eq!(tries(2.0 * HOUR, "ok"), Vec::<Value>::new(), "a service that has several jobs");
    assert_eq!(tries(600.0, "invalid_scope"), Vec::<Value>::new(), "it is being set up");
}

/// A new client that speaks for itself, or for people, and asks for these, some minutes apart.
fn climbs(grant_type: &str, sets: &[&[&str]]) -> Vec<Value> {
    let asks = sets.iter().enumerate().map(|(n, scopes)| {
        let mut event = asked(n as f64 * 300.0, scopes, "ok");
        event["grant_type"] = json!(grant_type);
        event
    });
    found(&asks.collect::<Vec<Value>>())
}

#[test]
fn a_client_of_its_own_that_climbs_to_ever_more_in_its_first_hour_is_told() {
    let own = "client_credentials";
    let all = ["orders:read", "stock:read", "mail:read", "labels:read", "users:admin"];
    let steps = [&all[..1], &all[..2], &all[..3], &all[..4], &all];
    assert_eq!(outcomes(&climbs(own, &steps)), [["scope_creep", "low", "tag"]]);
    let four = [&all[..2], &all[..3], &all[..4], &all];
    assert_eq!(climbs(own, &four), Vec::<Value>::new());
    assert_eq!(climbs("refresh_token", &steps), Vec::<Value>::new(), "people's, in its first hour");
    let modest = ["a:read", "b:read", "c:read", "d:read", "e:read", "f:read"];
    let harmless: Vec<&[&str]> = (1..=6).map(|n| &modest[..n]).collect();
    assert_eq!(climbs(own, &harmless), Vec::<Value>::new(), "nothing sensitive");
    let jobs = [&all[..1], &all[..2], &all[..3], &all[3..4], &all[3..]];
    assert_eq!(climbs(own, &jobs), Vec::<Value>::new(), "two jobs");
}

fn nobodys(seconds: f64) -> Value {
    let members = json!({
        "token_kind": "pat", "method": "GET", "path": "/orders", "status": 401,
        "refused": "unknown_token",
    });
    event(seconds, "request", "203.0.113.66", &members)
}

#[test]
fn a_token_a_minute_is_guessing_and_one_each_half_hour_is_forgotten() {
    let every = |gap: f64, count: u32| -> Vec<Value> {
        found(&(0..count).map(|n| nobodys(f64::from(n) * gap)).collect::<Vec<Value>>())
    };
    assert_eq!(every(130.0, 60).len(), 1);
    assert_eq!(every(1800.0, 150), Vec::<Value>::new());
}

/// So many networks that try so often each, in turn, some minutes apart.
fn guessed(start: f64, networks: u32, each: u32, minutes: f64, uas: &[&str]) -> Vec<Value> {
    let guess = |n: u32| {
        let mut made = nobodys(start + f64::from(n) * minutes * 60.0);
        made["ip"] = json!(format!("1{}.9.0.7", 10 + n % networks));
        made["ua"] = json!(uas[n as usize % uas.len()]);
        made
    };
    (0..networks * each).map(guess).collect()
}

fn campaign(parts: &[&[Value]]) -> usize {
    let findings = found(&parts.concat());
    for finding in &findings {
        assert_eq!(outcomes(std::slice::from_ref(finding)), [["token_guessing", "medium", "tag"]]);
        assert_eq!(finding["evidence"]["window_seconds"], 86_400);
    }
    findings.len()
}

/// Midnight after the stream has begun.
const MIDNIGHT: f64 = 35_200.0;

#[test]
fn a_program_that_takes_a_day_for_forty_tokens_from_many_networks_is_told() {
    let day = guessed(MIDNIGHT + 60.0, 14, 3, 25.0, &["tool/1"]);
    let times = |count: usize| campaign(&[&day[..count]]);
    assert_eq!([39, 40, 42].map(times), [0, 1, 3]);
    let browser = guessed(MIDNIGHT + 60.0, 14, 3, 25.0, &["Mozilla/5.0 tool/1"]);
    assert_eq!(campaign(&[&browser]), 0, "browsers of everybody");
    let two = guessed(MIDNIGHT + 60.0, 14, 3, 25.0, &["tool/1", "tool/2"]);
    assert_eq!(campaign(&[&two]), 0, "two programs");
    let slow = guessed(MIDNIGHT + 60.0, 14, 3, 40.0, &["tool/1"]);
    assert_eq!(campaign(&[&slow]), 0, "within more than a day");
    let often = guessed(MIDNIGHT + 60.0, 13, 4, 20.0, &["tool/1"]);
    assert_eq!(campaign(&[&often]), 0, "of each network three count");
}

#[test]
fn what_takes_a_day_is_a_run_from_twelve_networks_and_if_the_day_before_brought_no_quarter_of_it() {
    // Before midnight each network tries once, and then as often as a part of a run may.
    let networks = |count: u32| {
        let before = guessed(MIDNIGHT - 3600.0 * 4.0, 10, 1, 20.0, &["tool/1"]);
        let day = guessed(MIDNIGHT + 60.0, count, 3, 20.0, &["tool/1"]);
        campaign(&[&before, &day])
    };
    assert_eq!([12, 11].map(|count| networks(count) > 0), [true, false]);
    // Others, on a day before.
    let after = |tries: u32| {
        let mut before = guessed(60.0, tries, 1, 20.0, &["tool/1"]);
        for (n, event) in before.iter_mut().enumerate() {
            event["ip"] = json!(format!("40.{n}.0.7"));
        }
        campaign(&[&before, &guessed(MIDNIGHT + DAY + 60.0, 14, 3, 25.0, &["tool/1"])])
    };
    assert_eq!([10, 11].map(after), [3, 0]);
}

/// A client that asks for these sets in turn and is refused each time, some minutes apart.
fn refusals(grant_type: &str, sets: &[&str], count: usize, minutes: f64) -> usize {
    let ask = |n: usize| {
        let scope = sets[n % sets.len()];
        let mut made = asked(60.0 + n as f64 * minutes * 60.0, &[scope], "invalid_scope");
        made["grant_type"] = json!(grant_type);
        made
    };
    let first = asked(0.0, &["orders:read"], "ok");
    let findings = found(&std::iter::once(first).chain((0..count).map(ask)).collect::<Vec<_>>());
    assert!(findings.iter().all(|it| it["detector"] == "scope_creep" && it["client"] == "c1"));
    findings.len()
}

#[test]
fn eight_refusals_of_three_sets_in_a_clients_first_hour_are_no_mistake() {
    let sets = ["users:read", "mail:read", "users:admin"];
    for grant_type in ["client_credentials", "refresh_token"] {
        let refused = |sets, count| refusals(grant_type, sets, count, 5.0);
        assert_eq!([8, 7].map(|count| refused(&sets, count)), [1, 0], "{grant_type}");
        assert_eq!([1, 2].map(|many| refused(&sets[..many], 11)), [0, 0], "{grant_type}");
    }
}
