//! Clocks: of changes by one route, of rounds over a few objects, and hours without rest.

use serde_json::{Value, json};

use crate::stream::{DAY, HOUR, Stream};

/// Pauses of so many seconds.
fn even(count: u32, pause: f64) -> Vec<f64> {
    (0..count).map(|_| pause).collect()
}

/// So many people who book, of whom so many go on for so many pauses of half a minute; then one who
/// books at these pauses, with these members. How often that one is told.
fn books([people, others, some]: [u32; 3], pauses: &[f64], more: &Value) -> usize {
    let mut stream = Stream::default();
    for person in 0..people {
        let count = if person < others { some } else { 0 };
        for n in 0..=count {
            let at = f64::from(person) * 7.0 + f64::from(n) * 30.0;
            stream.add(at, &format!("q{person}"), "POST /slots", json!({}));
        }
    }
    let mut members = more.clone();
    let turns = members["turns"].take();
    let (first, second) = ("POST /slots", turns.as_str().unwrap_or("POST /slots"));
    let mut at = HOUR;
    stream.add(at, "bot", first, members.clone());
    for (n, pause) in pauses.iter().enumerate() {
        at += pause;
        stream.add(at, "bot", [second, first][n % 2], members.clone());
    }
    let is_other = |it: &Value| it["subject"].as_str().unwrap().starts_with('q');
    let mut findings = stream.by("automation");
    findings.retain(|it| !is_other(it) && it["evidence"]["pauses_threshold"] == 45);
    findings.len()
}

#[test]
fn forty_five_pauses_between_changes_by_the_clock_are_a_programs() {
    let told = |pauses: &[f64]| books([12, 0, 0], pauses, &json!({}));
    assert_eq!([45, 44].map(|count| told(&even(count, 30.0))), [1, 0]);
    assert_eq!(told(&even(200, 30.0)), 1, "once");
    assert_eq!([10.0, 9.9].map(|pause| told(&even(60, pause))), [1, 0]);
    assert_eq!([600.0, 600.1].map(|pause| told(&even(60, pause))), [1, 0]);
    let uneven = |part: f64| {
        let pause = |n| 30.0 * (1.0 + if n % 2 == 0 { part } else { -part });
        told(&(0..60).map(pause).collect::<Vec<f64>>())
    };
    assert_eq!([0.11, 0.13].map(uneven), [1, 0]);
    let after = |pause: f64| told(&[even(30, 500.0), vec![pause], even(30, 500.0)].concat());
    assert_eq!([599.0, 601.0].map(after), [1, 0], "a run begins anew");
}

#[test]
fn eight_people_change_it_and_one_in_five_of_them_by_the_clock() {
    let told = |people| books(people, &even(60, 30.0), &json!({}));
    assert_eq!([7, 6].map(|people| told([people, 0, 0])), [1, 0], "and the one");
    assert_eq!([9, 8].map(|people| told([people, 1, 20])), [1, 0]);
    assert_eq!([11, 12].map(|some| told([8, 1, some])), [1, 0]);
}

#[test]
fn changes_of_programs_machines_and_of_several_kinds_are_no_clock_of_people() {
    let with = |more: &Value| books([12, 0, 0], &even(60, 30.0), more);
    assert_eq!(with(&json!({ "token_kind": "opaque" })), 1);
    for none in [
        json!({ "turns": "PUT /slots" }),
        json!({ "method": "GET" }),
        json!({ "refused": "policy", "status": 403 }),
        json!({ "token_kind": "pat" }),
        json!({ "token_kind": "api_key" }),
        json!({ "subject": "app" }),
        json!({ "subject": "app-3" }),
        json!({ "client": "other" }),
    ] {
        assert_eq!(with(&none), 0, "{none}");
    }
}

/// Twelve people who signed in; then one of them asks for so many lists, and at these pauses, each of
/// which may come late, for these objects, with these members. How often that one is told.
fn asks(lists: u32, pauses: &[(f64, f64)], object: impl Fn(u32) -> u32, more: &Value) -> usize {
    let mut stream = Stream::people();
    let mut ask = |at: (f64, f64), person: u32, route: &str, more: Value| {
        let mut members = json!({ "session": format!("s{person}") });
        for (name, value) in more.as_object().expect("members") {
            members[name] = value.clone();
        }
        stream.add_late(at, &format!("p{person}"), route, members);
    };
    for person in 0..12 {
        ask((2.0 * DAY, 0.0), person, "GET /orders/{id}", json!({ "object": "1" }));
    }
    for n in 0..lists {
        ask((2.0 * DAY + 100.0 + f64::from(n * n) * 20.0, 0.0), 3, "GET /orders", json!({}));
    }
    let mut at = 2.0 * DAY + 3.0 * HOUR;
    for (n, (pause, late)) in [(0.0, 0.0)].iter().chain(pauses).enumerate() {
        at += pause;
        let mut members = more.clone();
        members["object"] = json!(format!("item{}", object(n as u32)));
        ask((at, *late), 3, "GET /orders/{id}", members);
    }
    let findings = stream.by("automation");
    assert!(findings.iter().all(|it| it["subject"] == "p3" && it["evidence"]["pauses"].is_u64()));
    findings.len()
}

fn in_time(count: u32, pause: f64) -> Vec<(f64, f64)> {
    even(count, pause).into_iter().map(|pause| (pause, 0.0)).collect()
}

#[test]
fn sixty_pauses_between_many_objects_are_a_programs() {
    let told = |count, pause, of| asks(0, &in_time(count, pause), |n| n % of, &json!({}));
    assert_eq!([60, 59].map(|count| told(count, 7.0, 90)), [1, 0]);
    assert_eq!([29, 28].map(|of| told(70, 7.0, of)), [1, 0]);
    assert_eq!([599.9, 600.0, 900.0].map(|pause| told(100, pause, 90)), [1, 0, 0], "a monitor");
}

#[test]
fn a_hundred_and_fifty_pauses_in_a_round_are_a_programs_and_no_page_on_a_wall() {
    let round = |lists, count, of, net: &str| {
        asks(lists, &in_time(count, 7.0), |n| n % of, &json!({ "net": net }))
    };
    assert_eq!([150, 149].map(|count| round(3, count, 3, "residential")), [1, 0]);
    assert_eq!([3, 2].map(|of| round(3, 190, of, "residential")), [1, 0]);
    assert_eq!([3, 2].map(|lists| round(lists, 300, 7, "residential")), [1, 0]);
    assert_eq!(["hosting", "business", "vpn"].map(|net| round(0, 150, 7, net)), [1, 0, 0]);
}

#[test]
fn whoever_asks_for_the_same_object_again_goes_no_round() {
    // The last object stays for as many pauses.
    let repeats = |first: u32, count: u32, among: u32| {
        let at = move |n: u32| n.saturating_sub(n.saturating_sub(first).min(among)) % 7;
        asks(3, &in_time(count, 7.0), at, &json!({}))
    };
    assert_eq!([15, 16].map(|among| repeats(20, 150, among)), [1, 0], "one in ten");
    assert_eq!(repeats(20, 160, 16), 1, "of more");
    assert_eq!(asks(3, &in_time(3000, 3.0), |n| n / 2 % 7, &json!({})), 0, "every second");
}

#[test]
fn requests_that_come_late_break_no_clock() {
    let objects = |late: f64| {
        let mut pauses = in_time(80, 7.0);
        pauses[40].1 = late;
        asks(0, &pauses, |n| n, &json!({}))
    };
    assert_eq!([6.0, 20.0, 64.0, 72.0].map(objects), [1, 1, 1, 0], "a minute");
    let changes = |late: f64| {
        let mut stream = Stream::default();
        for person in 0..12 {
            stream.add(f64::from(person), &format!("q{person}"), "POST /slots", json!({}));
        }
        for n in 0..60u32 {
            let late = if n == 8 { late } else { 0.0 };
            stream.add_late((HOUR + f64::from(n) * 30.0, late), "bot", "POST /slots", json!({}));
        }
        stream.by("automation").len()
    };
    assert_eq!([0.0, 61.0, 91.0].map(changes), [1, 1, 1]);
}

/// In each of so many hours somebody looks so often, at no even pauses, each time at one new object
/// of so many or at all of them; the last look of an hour comes so late. How often that is told.
fn restless(hours: u32, looks: u32, objects: u32, is_all: bool, late: f64) -> usize {
    let mut stream = Stream::people();
    for n in 0..hours * looks {
        let (hour, look) = (n / looks, n % looks);
        let off = f64::from(n * n % 97) * 2.0;
        let at = 2.0 * DAY + f64::from(hour) * HOUR + f64::from(look * (12 / looks)) * 300.0 + off;
        let late = if look + 1 == looks { late } else { 0.0 };
        for n in if is_all { 0..objects } else { look % objects..look % objects + 1 } {
            let more = json!({ "object": format!("thing{n}") });
            stream.add_late((at + f64::from(n) * 0.1, late), "p3", "GET /items/{id}", more);
        }
    }
    let findings = stream.by("automation");
    assert!(findings.iter().all(|it| it["evidence"]["busy_hours"] == 20), "{findings:?}");
    findings.len()
}

#[test]
fn twenty_hours_without_rest_are_a_programs_and_a_monitors_quarters_are_not() {
    assert_eq!([20, 19].map(|hours| restless(hours, 12, 9, false, 0.0)), [1, 0]);
    assert_eq!([6, 5, 4].map(|looks| restless(26, looks, 9, true, 0.0)), [1, 0, 0], "each quarter");
    assert_eq!([5, 4].map(|objects| restless(26, 12, objects, true, 0.0)), [1, 0]);
    assert_eq!(restless(26, 12, 9, false, 500.0), 1, "in the hour that has begun");
}

#[test]
fn changes_by_the_clock_of_devices_are_no_bots() {
    let by = |ua: Value| books([12, 0, 0], &even(60, 30.0), &json!({ "ua": ua }));
    for device in ["Scale/2.1", "ESP32 HTTP Client/1.0", "Thermostat-7", "Shop-TV/3.1"] {
        assert_eq!(by(json!(device)), 0, "{device}");
    }
    for person in [
        "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
        "Mozilla/5.0 (compatible; Examplebot/2.1)",
        "Shop/6.11.0 (iPhone; iOS 16.7; Scale/3.00)",
        "Shop/6.11.0 (Android 15)",
        "Shop/6.11.0 (Windows NT 10.0)",
        "Shop/6 CFNetwork/1496.0.7 Darwin/23.5.0",
        "Shop/6.11.0 okhttp/4.12.0",
        "python-requests/2.32",
        "curl/8.5.0",
        "okhttp/4.9",
        "Go-http-client/2.0",
    ] {
        assert_eq!(by(json!(person)), 1, "{person}");
    }
    assert_eq!(by(Value::Null), 1, "what says nothing");
}
