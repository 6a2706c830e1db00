//! Libraries that say they are browsers, and browsers that nobody looks at.

use serde_json::{Value, json};

use crate::support::{event, found};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;
const LIBRARY: &str = "t13d301000_01455d0db58d_5ac7197df9d2";
const CHROME: &str = "t13d1516h2_8daaf6152771_02713d6af862";
const PYTHON: &str = "python-requests/2.32";
const BROWSER: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36";
const HEADLESS: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/130.0 Safari/537.36";
const AWAY: &str = "203.0.113.66";

fn used(seconds: f64, ip: &str, subject: &str, ua: &str, ja4: &str) -> Value {
    let members = json!({
        "subject": subject, "client": "app", "token": format!("t-{subject}"), "token_kind": "jwt",
        "session": format!("s-{subject}"), "method": "GET", "path": "/", "status": 200,
        "ua": ua, "ja4": ja4,
    });
    event(seconds, "request", ip, &members)
}

/// An hour in which a library came from so many networks, and so many people with their browsers.
fn hour(libraries: u32, people: u32) -> Vec<Value> {
    let mut events: Vec<Value> = (0..libraries)
        .map(|n| used(f64::from(n), &format!("20.{n}.0.7"), "jobs", PYTHON, LIBRARY))
        .collect();
    events.iter_mut().for_each(|it| it["client"] = json!("jobs"));
    events.extend((0..people).map(|n| {
        let ip = format!("198.51.{n}.9");
        used(60.0 + f64::from(n) * 60.0, &ip, &format!("u{n}"), BROWSER, CHROME)
    }));
    events
}

/// Who else came by the library in a browser: so many at home, and so many where the last run is.
fn wrapped(at_home: u32, away: u32) -> Vec<Value> {
    let at = |n: u32| HOUR + f64::from(n);
    let home = |n| used(at(n), &format!("198.51.{n}.9"), &format!("u{n}"), BROWSER, LIBRARY);
    let there = |n| used(at(n), AWAY, &format!("u{n}"), BROWSER, LIBRARY);
    (10..10 + at_home).map(home).chain((20..20 + away).map(there)).collect()
}

/// Person 3 comes so often, some seconds apart, with these members.
fn run(start: f64, times: u32, pause: f64, more: &Value) -> Vec<Value> {
    let time = |n| {
        let at = start + f64::from(n) * pause;
        let mut made = used(at, AWAY, "u3", BROWSER, LIBRARY);
        for (name, value) in more.as_object().expect("members") {
            made[name] = value.clone();
        }
        made
    };
    (0..times).map(time).collect()
}

fn told(parts: &[Vec<Value>]) -> usize {
    let mut findings = found(&parts.concat());
    findings.retain(|it| it["evidence"]["times"].is_number());
    for finding in &findings {
        let named = ["detector", "response", "ip"].map(|it| finding[it].as_str());
        assert_eq!(named, [Some("automation"), Some("tag"), Some(AWAY)]);
    }
    findings.len()
}

#[test]
fn a_browser_with_a_librarys_fingerprint_is_told_at_the_fifth_time_within_an_hour() {
    let runs = |times, pause| told(&[hour(3, 45), run(2.0 * HOUR, times, pause, &json!({}))]);
    assert_eq!([5, 4].map(|times| runs(times, 60.0)), [1, 0]);
    assert_eq!([900.0, 920.0].map(|pause| runs(5, pause)), [1, 0]);
    assert_eq!(runs(40, 60.0), 1, "once");
    let own = run(2.0 * HOUR, 5, 60.0, &json!({ "ja4": CHROME }));
    assert_eq!(told(&[hour(3, 45), own]), 0, "a browser's");
    let honest = run(2.0 * HOUR, 5, 60.0, &json!({ "ua": PYTHON }));
    assert_eq!(told(&[hour(3, 45), honest]), 0, "it says what it is");
    let unknown = run(2.0 * HOUR, 5, 60.0, &json!({ "ja4": null }));
    assert_eq!(told(&[hour(3, 45), unknown]), 0);
}

#[test]
fn what_a_library_is_takes_three_networks_and_thirty_people() {
    let after =
        |libraries, people| told(&[hour(libraries, people), run(2.0 * HOUR, 5, 60.0, &json!({}))]);
    assert_eq!([3, 2].map(|libraries| after(libraries, 45)), [1, 0]);
    // They are counted with an error of some per cent.
    assert_eq!([32, 27].map(|people| after(3, people)), [1, 0]);
}

#[test]
fn an_application_that_wraps_a_library_and_a_proxy_are_no_disguise() {
    let among = |at_home, away| {
        told(&[hour(3, 45), wrapped(at_home, away), run(2.0 * HOUR, 5, 60.0, &json!({}))])
    };
    // With the person who is told of.
    assert_eq!([3, 5].map(|others| among(others, 0)), [1, 0], "a tenth of all, counted so");
    assert_eq!([1, 2].map(|others| among(0, others)), [1, 0], "of one network");
}

#[test]
fn sign_ins_count_and_neither_refusals_nor_what_is_made_for_programs() {
    let with = |more: &Value| told(&[hour(3, 45), run(2.0 * HOUR, 9, 60.0, more)]);
    let signed_in = json!({
        "kind": "login", "username": "three", "result": "ok", "factor": "password",
        "complete": true,
    });
    assert_eq!(with(&signed_in), 1);
    for none in [
        json!({ "refused": "expired", "status": 401 }),
        json!({ "token_kind": "pat" }),
        json!({ "token_kind": "api_key" }),
        json!({ "subject": "app" }),
        json!({ "subject": null, "session": null }),
    ] {
        assert_eq!(with(&none), 0, "{none}");
    }
}

#[test]
fn a_browser_without_a_window_is_told_of_whoever_was_an_hour_with_another_program() {
    let with = |from: f64, start: f64, ua: &str| {
        let mut before = used(from, "198.51.3.9", "u3", ua, CHROME);
        before["net"] = json!("residential");
        let headless = json!({ "ua": HEADLESS, "ja4": CHROME });
        told(&[vec![before], run(start, 5, 60.0, &headless)])
    };
    assert_eq!(with(0.0, 2.0 * HOUR, BROWSER), 1, "nobody else is known");
    assert_eq!([3500.0, 3610.0].map(|start| with(0.0, start, BROWSER)), [0, 1]);
    assert_eq!(with(0.0, 2.0 * HOUR, HEADLESS), 0, "a test that was made with it");
    let hosted = |start| {
        let mut login = used(0.0, "198.51.3.9", "u3", BROWSER, CHROME);
        for (name, value) in [("kind", "login"), ("result", "ok"), ("factor", "password")] {
            login[name] = json!(value);
        }
        login["username"] = json!("three");
        let headless = json!({ "ua": HEADLESS, "ja4": CHROME, "net": "hosting" });
        told(&[vec![login], run(start, 5, 60.0, &headless)])
    };
    assert_eq!([1800.0, 3610.0].map(hosted), [0, 1]);
    let windowed = run(2.0 * HOUR, 5, 60.0, &json!({ "ja4": CHROME }));
    assert_eq!(told(&[vec![used(0.0, AWAY, "u3", "App/7", CHROME)], windowed]), 0);
    let program = json!({ "ua": HEADLESS, "ja4": CHROME, "token_kind": "pat" });
    let before = vec![used(0.0, AWAY, "u3", BROWSER, CHROME)];
    assert_eq!(told(&[before, run(2.0 * HOUR, 9, 60.0, &program)]), 0);
}

/// So many names fail from so many networks in turn, some seconds apart, by this; who is named.
fn failed(names: u32, networks: u32, pause: f64, more: &Value) -> Vec<Value> {
    let mut events = hour(3, 45);
    for n in 0..names {
        let result = ["bad_password", "unknown_user"][n as usize % 2];
        let members = json!({
            "username": format!("name-{n}"), "result": result, "factor": "password",
            "complete": false, "ua": BROWSER, "ja4": LIBRARY,
        });
        let ip = format!("4{}.7.0.9", n % networks);
        let mut made = event(2.0 * HOUR + f64::from(n) * pause, "login", &ip, &members);
        for (name, value) in more.as_object().expect("members") {
            made[name] = value.clone();
        }
        events.push(made);
    }
    let mut findings = found(&events);
    let campaign = format!("campaign:{LIBRARY}");
    findings.retain(|it| it["incident"].as_str().is_some_and(|it| it.starts_with(&campaign)));
    for finding in &findings {
        assert_eq!(finding["detector"], "credential_stuffing");
        assert!(finding.get("subject").is_none());
    }
    findings.iter().map(|it| it["ip"].clone()).collect()
}

#[test]
fn eight_names_that_fail_from_three_networks_by_a_disguise_are_a_campaign() {
    let minutes = |names, networks| failed(names, networks, 600.0, &json!({})).len();
    assert_eq!([8, 7].map(|names| minutes(names, 3)), [1, 0]);
    assert_eq!([3, 2].map(|networks| minutes(12, networks)), [3, 0]);
    let named = failed(24, 4, 600.0, &json!({}));
    assert_eq!(named, ["43.7.0.9", "40.7.0.9", "41.7.0.9", "42.7.0.9"], "each once");
    assert_eq!(failed(12, 3, DAY / 4.0, &json!({})), [""; 0], "within more than a day");
    for none in [
        json!({ "ja4": CHROME }),
        json!({ "ua": PYTHON }),
        json!({ "username": "one" }),
        json!({ "factor": "totp" }),
    ] {
        assert_eq!(failed(24, 4, 600.0, &none), [""; 0], "{none}");
    }
}

#[test]
fn people_behind_a_proxy_who_are_seen_by_their_sign_ins_only_are_known_as_well() {
    let signed_in = json!({
        "kind": "login", "username": "name", "result": "ok", "factor": "password",
        "complete": true, "token": null, "session": null,
    });
    let among = |away, more: &Value| {
        let mut others = wrapped(0, away);
        for event in &mut others {
            for (name, value) in signed_in.as_object().expect("members") {
                event[name] = value.clone();
            }
            for (name, value) in more.as_object().expect("members") {
                event[name] = value.clone();
            }
        }
        told(&[hour(3, 45), others, run(2.0 * HOUR, 5, 60.0, &json!({}))])
    };
    assert_eq!([1, 2].map(|others| among(others, &json!({}))), [1, 0]);
    assert_eq!(among(2, &json!({ "ip": "203.0.113.67" })), 1, "elsewhere");
    assert_eq!(among(2, &json!({ "subject": "u20" })), 1, "one person, twice");
}
