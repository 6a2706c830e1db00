//! Libraries with people's tokens, by a clock, where people use an app.

use serde_json::{Value, json};

use crate::stream::{DAY, HOUR, Stream};

const LIBRARY: &str = "python-requests/2.32";

/// Pauses of so many seconds.
fn even(count: u32, pause: f64) -> Vec<f64> {
    vec![pause; count as usize]
}

/// So many people who sign in and use an app, of whom so many used the library besides.
fn people(count: u32, users: u32) -> Stream {
    let mut stream = Stream::default();
    for person in 0..count {
        let who = format!("q{person}");
        let at = f64::from(person) * 60.0;
        let more = json!({ "session": format!("s-{who}"), "ua": "App/7.1" });
        stream.add(at, &who, "GET /news", more);
        if person < users {
            stream.add(at + 9.0, &who, "GET /news", json!({ "ua": LIBRARY }));
        }
    }
    stream
}

/// One of these people, or somebody else, asks for one thing at these pauses, with these members.
fn asks(mut stream: Stream, pauses: &[f64], more: &Value) -> usize {
    let mut members = more.clone();
    if members.get("ua").is_none() {
        members["ua"] = json!(LIBRARY);
    }
    let who = members["subject"].as_str().unwrap_or("q40").to_owned();
    let mut at = DAY + HOUR;
    stream.add(at, &who, "GET /messages", members.clone());
    for pause in pauses {
        at += pause;
        stream.add(at, &who, "GET /messages", members.clone());
    }
    let mut findings = stream.by("automation");
    findings.retain(|it| it["evidence"]["pauses_threshold"] == 60);
    assert!(findings.iter().all(|it| it["subject"] == who.as_str()));
    findings.len()
}

#[test]
fn sixty_pauses_by_a_library_that_hardly_anybody_uses_are_a_programs() {
    let told = |pauses: &[f64]| asks(people(45, 0), pauses, &json!({}));
    assert_eq!([60, 59].map(|count| told(&even(count, 30.0))), [1, 0]);
    assert_eq!(told(&even(300, 30.0)), 1, "once");
    assert_eq!([599.0, 601.0].map(|pause| told(&even(60, pause))), [1, 0]);
    let uneven = |part: f64| {
        let pause = |n| 30.0 * (1.0 + if n % 2 == 0 { part } else { -part });
        told(&(0..64).map(pause).collect::<Vec<f64>>())
    };
    assert_eq!([0.11, 0.13].map(uneven), [1, 0]);
    let after = |pause: f64| told(&[even(30, 550.0), vec![pause], even(30, 550.0)].concat());
    assert_eq!(after(1801.0), 0, "a run begins anew");
}

#[test]
fn a_client_needs_thirty_people_of_whom_two_use_the_library_at_most() {
    let told = |count, users| asks(people(count, users), &even(70, 30.0), &json!({}));
    assert_eq!([31, 26].map(|count| told(count, 0)), [1, 0]);
    assert_eq!([1, 2].map(|users| told(45, users)), [1, 0], "and the one");
    let versions = |ua: &str| asks(people(45, 2), &even(70, 30.0), &json!({ "ua": ua }));
    assert_eq!(versions("python-requests/2.9"), 0, "of any version");
    assert_eq!(versions("curl/8.5"), 1, "another");
    let mut elsewhere = people(45, 0);
    for person in 0..9 {
        let more = json!({ "client": "other", "ua": LIBRARY });
        elsewhere.add(HOUR, &format!("q{person}"), "GET /news", more);
    }
    assert_eq!(asks(elsewhere, &even(70, 30.0), &json!({})), 1, "of another client");
}

#[test]
fn no_app_no_browser_no_token_of_a_program_and_no_client_is_a_library_of_a_person() {
    let told = |more: &Value| asks(people(45, 0), &even(70, 30.0), more);
    for one in [
        json!({}),
        json!({ "token_kind": "opaque" }),
        json!({ "ua": "node" }),
        json!({ "session": "s1" }),
    ] {
        assert_eq!(told(&one), 1, "{one}");
    }
    for none in [
        json!({ "ua": "App/7.1" }),
        json!({ "ua": "okhttp/4.12" }),
        json!({ "ua": "Dart/3.4 (dart:io)" }),
        json!({ "ua": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0" }),
        json!({ "ua": null }),
        json!({ "token_kind": "pat" }),
        json!({ "token_kind": "api_key" }),
        json!({ "subject": "app" }),
        json!({ "subject": "app-3" }),
        json!({ "client": "other" }),
    ] {
        assert_eq!(told(&none), 0, "{none}");
    }
}

#[test]
fn two_libraries_of_one_person_have_a_clock_each() {
    let mut stream = people(45, 0);
    for n in 0..40 {
        let at = DAY + f64::from(n) * 30.0;
        stream.add(at, "q40", "GET /messages", json!({ "ua": "curl/8.5" }));
        stream.add(at + 11.0, "q40", "GET /messages", json!({ "ua": LIBRARY }));
    }
    assert_eq!(stream.by("automation"), Vec::<Value>::new());
}
