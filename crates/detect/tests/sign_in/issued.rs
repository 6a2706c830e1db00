//! Tokens that are used elsewhere than they were issued.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{event, found, outcomes};

/// Address, system, country, software.
#[derive(Clone, Copy)]
struct From<'a>(&'a str, u32, &'a str, &'a str);

const THIEF: From<'_> = From("203.0.113.66", 64666, "BR", "python-requests/2");

fn of(kind: &str, seconds: f64, person: u32, from: From<'_>) -> Value {
    let members = json!({
        "subject": format!("u{person}"), "client": "app", "token": format!("t{person}"),
        "session": format!("s{person}"), "asn": from.1, "country": from.2, "ua": from.3,
        "grant_type": "authorization_code", "result": "ok", "path": "/", "status": 200,
    });
    event(seconds, kind, from.0, &members)
}

/// Thirty people sign in and use the application for an hour, each from home.
fn people() -> Vec<Value> {
    crowd(30)
}

/// The same of so many.
fn crowd(people: u32) -> Vec<Value> {
    let mut events = Vec::new();
    for person in 0..people {
        let address = format!("198.51.{person}.9");
        let home = From(&address, 64500 + person % 5, "NO", "Browser/120");
        let start = f64::from(person) * 60.0;
        events.push(of("grant", start, person, home));
        events.extend((1..20).map(|n| of("request", start + f64::from(n) * 150.0, person, home)));
    }
    events
}

/// The same without what only a database of networks knows.
fn bare(mut events: Vec<Value>) -> Vec<Value> {
    for event in &mut events {
        let members = event.as_object_mut().expect("object");
        ["asn", "country"].iter().for_each(|name| drop(members.remove(*name)));
    }
    events
}

#[test]
fn a_thief_alone_is_found_at_the_first_request_with_and_without_a_database() {
    let mut events = people();
    events.extend((0..25).map(|n| of("request", 4000.0 + f64::from(n) * 20.0, 7, THIEF)));
    for events in [events.clone(), bare(events)] {
        let findings = found(&events);
        assert_eq!(outcomes(&findings), [["token_sharing", "high", "tag"]]);
        let named = ["subject", "token", "session", "ip"].map(|it| findings[0][it].clone());
        assert_eq!(named, [json!("u7"), json!("t7"), json!("s7"), json!(THIEF.0)]);
        assert_eq!(findings[0]["ts"], of("request", 4000.0, 7, THIEF)["ts"]);
    }
}

/// The same with a TLS fingerprint.
fn with_ja4(mut event: Value, ja4: &str) -> Value {
    event["ja4"] = json!(ja4);
    event
}

#[test]
fn an_application_that_is_updated_on_a_journey_is_no_theft_and_a_copied_name_is() {
    let people: Vec<Value> =
        people().into_iter().map(|event| with_ja4(event, "t13d1516h2_a_b")).collect();
    let elsewhere = |ua, n: u32| {
        let from = From("203.0.113.7", 64700, "NO", ua);
        with_ja4(of("request", 4000.0 + f64::from(n) * 20.0, 7, from), "t13d1516h2_c_d")
    };
    let mut updated = people.clone();
    updated.extend((0..20).map(|n| elsewhere("Browser/121", n)));
    assert_eq!(found(&updated), Vec::<Value>::new());
    // Nobody goes back to an older one.
    let mut older = people.clone();
    older.extend((0..20).map(|n| elsewhere("Browser/119", n)));
    assert_eq!(outcomes(&found(&older)), [["token_sharing", "high", "tag"]]);
    let mut copied = people;
    copied.extend((0..20).map(|n| elsewhere("Browser/120", n)));
    assert_eq!(outcomes(&found(&copied)), [["token_sharing", "high", "tag"]]);
}

#[test]
fn a_program_that_connects_in_another_way_is_no_theft() {
    let browser = "t13d1516h2_8daaf6152771_02713d6af862";
    let people: Vec<Value> = people().into_iter().map(|event| with_ja4(event, browser)).collect();
    let told = |ja4: &str, others: u32| {
        let mut events = people.clone();
        for person in 10..10 + others {
            let address = format!("198.51.{person}.9");
            let home = From(&address, 64500 + person % 5, "NO", "Browser/120");
            events.push(with_ja4(of("grant", 3990.0, person, home), ja4));
        }
        let from = From("203.0.113.7", 64700, "BR", "Browser/120");
        events.push(with_ja4(of("request", 4000.0, 7, from), ja4));
        outcomes(&found(&events)).len()
    };
    assert_eq!(told("t13d1517h2_8daaf6152771_b0da82dd1658", 0), 0, "resumed");
    assert_eq!(told("q13d0312h3_55b375c5d22e_06cda9e17597", 0), 0, "QUIC");
    let other = "t13d301000_01455d0db58d_5ac7197df9d2";
    assert_eq!(told(other, 0), 1, "another library under the same name");
    assert_eq!(told(other, 3), 0, "what others of the name have as well");
}

/// An application on telephones of many makers, some of which show pages by the system's browser.
fn on_telephones(with_pages: u32) -> Vec<Value> {
    let mut events = Vec::new();
    for person in 0..40u32 {
        let (app, pages) = telephone(person);
        let address = format!("198.51.{person}.9");
        let home = |ua| From(&address, 64500 + person % 5, "NO", ua);
        let start = f64::from(person) * 60.0;
        events.push(of("grant", start, person, home(&app)));
        for n in 1..20 {
            let ua = if person < with_pages && n % 5 == 0 { &pages } else { &app };
            events.push(of("request", start + f64::from(n) * 150.0, person, home(ua)));
        }
    }
    events
}

/// The User-Agents of a telephone's application and of the pages in it.
fn telephone(person: u32) -> (String, String) {
    let model = char::from(b'A' + u8::try_from(person % 26).unwrap_or(0));
    let app = format!("Shop/6.1 (Android {}; Model-{model}) okhttp/4.12", 11 + person % 5);
    let pages =
        "Mozilla/5.0 (Linux; Android 15; wv) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36";
    (app, pages.to_owned())
}

#[test]
fn an_application_and_the_pages_in_it_leave_the_house_together() {
    let told = |with_pages: u32, ua: &str| {
        let mut events = on_telephones(with_pages);
        let carrier = From("203.0.113.7", 64700, "NO", ua);
        events.extend((0..5).map(|n| of("request", 7000.0 + f64::from(n) * 20.0, 30, carrier)));
        outcomes(&found(&events)).len()
    };
    let (_, pages) = telephone(0);
    assert_eq!(told(10, &pages), 0);
    assert_eq!(told(0, &pages), 1, "nobody else does that");
    let desktop =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36";
    assert_eq!(told(10, desktop), 1, "a browser that is not in the telephone");
    assert_eq!(told(10, &telephone(5).0), 1, "another telephone");
}

#[test]
fn journeys_other_programs_at_home_and_servers_that_fetch_tokens_are_no_theft() {
    let mut events = people();
    let abroad = From("203.0.113.7", 64700, "JP", "Browser/121");
    let program = From("198.51.8.9", 64503, "NO", "curl/8");
    for n in 0..20 {
        events.push(of("request", 4000.0 + f64::from(n) * 20.0, 7, abroad));
        events.push(of("request", 4000.0 + f64::from(n) * 20.0, 8, program));
    }
    // Tokens that a server fetches, for people who use them at home.
    for person in 100..140 {
        let server = From("192.0.2.80", 64800, "DE", "node");
        let address = format!("198.52.{person}.9");
        let home = From(&address, 64500, "NO", "Browser/120");
        let start = f64::from(person) * 60.0;
        for (kind, at, from) in [("grant", 0.0, server), ("request", 1.0, home)] {
            let mut event = of(kind, start + at, person, from);
            event["client"] = json!("site");
            events.push(event);
        }
    }
    assert_eq!(found(&events), Vec::<Value>::new());
}

/// A thief uses so many tokens of each of these persons, one person after the other: who is told.
fn thefts(pause: f64, count: u32, tokens: u32) -> usize {
    thefts_among(30, pause, count, tokens)
}

/// The same among so many people.
fn thefts_among(people: u32, pause: f64, count: u32, tokens: u32) -> usize {
    let mut events = crowd(people);
    for person in 0..count {
        let at = 9000.0 + f64::from(person) * pause;
        let address = format!("198.51.{person}.9");
        let home = From(&address, 64500 + person % 5, "NO", "Browser/120");
        for token in 0..tokens {
            let at = at + f64::from(token) * 300.0;
            for (kind, at, from) in [("grant", at, home), ("request", at + 60.0, THIEF)] {
                let mut event = of(kind, at, person, from);
                event["token"] = json!(format!("t{person}-{token}"));
                event["session"] = json!(format!("s{person}-{token}"));
                events.push(event);
            }
        }
    }
    let findings = found(&events);
    let told: BTreeSet<&str> =
        findings.iter().filter_map(|finding| finding["subject"].as_str()).collect();
    told.len()
}

#[test]
fn few_thefts_in_weeks_do_not_hide_the_next_and_many_in_a_day_are_how_a_client_works() {
    const DAY: f64 = 24.0 * 3600.0;
    assert_eq!(thefts(3.0 * DAY, 9, 1), 9);
    assert_eq!(thefts(3.0 * DAY, 9, 3), 9);
    assert_eq!(thefts(3600.0, 9, 3), 4, "a tenth of thirty people did it again, and one more once");
    assert_eq!(thefts(3600.0, 9, 1), 6, "a fifth did it once");
    assert_eq!(thefts_among(120, 3600.0, 12, 3), 5, "one in thirty, and one more once");
    assert_eq!(thefts_among(120, 3600.0, 12, 1), 8, "one in fifteen did it once");
    // What began in the three days before counts as well.
    assert_eq!(thefts(0.8 * DAY, 6, 3), 4);
}

#[test]
fn without_a_name_software_that_others_were_issued_tokens_to_is_an_update() {
    let nameless = |kind: &str, seconds: f64, person: u32, asn: u32, ja4: &str| {
        let address = format!("198.51.{person}.9");
        let mut event = of(kind, seconds, person, From(&address, asn, "NO", ""));
        event.as_object_mut().expect("object").remove("ua");
        with_ja4(event, ja4)
    };
    let moved_by = |updated: u32| {
        let mut events: Vec<Value> = (0..30)
            .map(|person| nameless("grant", f64::from(person) * 60.0, person, 64500, "t13d_a_b"))
            .collect();
        let updates =
            (10..10 + updated).map(|person| nameless("grant", 3000.0, person, 64500, "t13d_c_d"));
        events.extend(updates);
        events.push(nameless("request", 4000.0, 7, 64700, "t13d_c_d"));
        outcomes(&found(&events)).iter().map(|outcome| outcome[0].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(moved_by(3), Vec::<String>::new());
    assert_eq!(moved_by(2), ["token_sharing"]);
}

/// Forty people whose tokens a server fetches and a browser uses; where `beside`, the server uses them first.
fn site(beside: bool) -> Vec<Value> {
    let server = From("192.0.2.80", 64800, "DE", "node");
    let mut events = Vec::new();
    for person in 0..40 {
        let address = format!("198.52.{person}.9");
        let home = From(&address, 64500 + person % 5, "NO", "Browser/120");
        let start = f64::from(person) * 60.0;
        events.push(of("grant", start, person, server));
        if beside {
            events.push(of("request", start + 1.0, person, server));
        }
        for n in 1..10 {
            let at = start + f64::from(n) * 200.0;
            events.push(of("request", at, person, home));
        }
    }
    events
}

#[test]
fn a_thief_alone_is_found_though_a_server_fetched_the_token() {
    let mut events = site(false);
    events.extend((0..10).map(|n| of("request", 9000.0 + f64::from(n) * 20.0, 7, THIEF)));
    let findings = found(&events);
    assert_eq!(outcomes(&findings), [["token_sharing", "high", "tag"]]);
    let named = ["subject", "session", "ip"].map(|it| findings[0][it].clone());
    assert_eq!(named, [json!("u7"), json!("s7"), json!(THIEF.0)]);
    assert_eq!(findings[0]["ts"], of("request", 9000.0, 7, THIEF)["ts"]);
}

#[test]
fn a_thief_alone_is_found_whose_token_was_issued_before_the_stream_began() {
    let mut events = people();
    events.retain(|event| event["kind"] == "request");
    assert_eq!(found(&events), Vec::<Value>::new());
    events.push(of("request", 9000.0, 7, THIEF));
    assert_eq!(outcomes(&found(&events)), [["token_sharing", "high", "tag"]]);
}

#[test]
fn another_system_by_the_same_library_is_another_hand() {
    let by =
        |from: From<'_>, n: u32| with_ja4(of("request", f64::from(n), 7, from), "t13d1516h2_a_b");
    let mut events = site(false);
    events.retain(|event| event["session"] != "s7");
    let (one, two) = ("Browser/120 (Telephone)", "Browser/120 (Desk)");
    events.push(by(From("198.52.7.9", 64502, "NO", one), 3000));
    events.push(by(From("203.0.113.66", 64666, "BR", one), 9000));
    assert_eq!(found(&events), Vec::<Value>::new());
    events.push(by(From("198.52.7.9", 64502, "NO", two), 16_000));
    assert_eq!(outcomes(&found(&events)), [["token_sharing", "high", "tag"]]);
}

#[test]
fn journeys_updates_and_servers_beside_browsers_are_no_other_hands() {
    assert_eq!(found(&site(true)), Vec::<Value>::new());
    for from in [
        From("203.0.113.7", 64700, "JP", "Browser/120"),
        From("203.0.113.7", 64700, "JP", "Browser/121"),
        From("198.52.7.9", 64502, "NO", "curl/8"),
    ] {
        let mut events = site(false);
        events.extend((0..10).map(|n| of("request", 9000.0 + f64::from(n) * 20.0, 7, from)));
        assert_eq!(found(&events), Vec::<Value>::new(), "{} {}", from.0, from.3);
    }
}

#[test]
fn a_token_that_has_expired_says_nothing_of_a_thief() {
    let sent = |refused: &str| {
        let mut events = people();
        let mut last = of("request", 9000.0, 7, THIEF);
        (last["refused"], last["status"]) = (json!(refused), json!(401));
        events.push(last);
        found(&events).len()
    };
    assert_eq!((sent("expired"), sent("insufficient_scope")), (0, 1));
}

/// So many people see pages in their application at home; then one sees some for the first time on a journey, where the
/// application was just before or not: how many are told.
fn pages(at_home: u32, after_the_application: bool) -> usize {
    const PAGES: &str = "Mozilla/5.0 (Telephone) Web";
    let mut events = people();
    for person in 10..10 + at_home {
        let address = format!("198.51.{person}.9");
        let home = From(&address, 64500 + person % 5, "NO", PAGES);
        events.push(of("request", 3900.0, person, home));
    }
    let abroad = |software| From("203.0.113.7", 64700, "JP", software);
    if after_the_application {
        events.push(of("request", 8990.0, 7, abroad("Browser/120")));
    }
    events.push(of("request", 9000.0, 7, abroad(PAGES)));
    found(&events).len()
}

#[test]
fn programs_that_work_together_travel_together() {
    assert_eq!([pages(5, false), pages(2, false)], [0, 1]);
    assert_eq!(pages(0, true), 0, "the application was there");
}

/// A key of one person that is used from so many homes and countries by so many programs, over some hours.
fn key(
    token_kind: &str,
    homes: u32,
    countries: u32,
    programs: u32,
    net: impl Into<Option<&'static str>>,
) -> usize {
    let net = net.into();
    let events: Vec<Value> = (0..24)
        .map(|n| {
            let country = ["NO", "BR", "JP", "IN"][(n % homes % countries) as usize];
            let software = ["curl/8", "python-requests/2", "Browser/120", "Go-http-client/2"];
            let ua = software[(n % homes % programs) as usize];
            let address = format!("198.{}.1.9", 51 + n % homes);
            let from = From(&address, 64500 + n % homes, country, ua);
            let mut event = of("request", f64::from(n) * 900.0, 1, from);
            (event["token_kind"], event["net"]) = (json!(token_kind), json!(net));
            event
        })
        .collect();
    found(&events).iter().filter(|finding| finding["detector"] == "token_sharing").count()
}

#[test]
fn a_key_in_many_homes_is_shared_and_a_job_and_a_journey_are_not() {
    assert_eq!(key("pat", 4, 1, 3, "residential"), 1);
    assert_eq!(key("api_key", 3, 3, 2, "business"), 1);
    assert_eq!(key("pat", 4, 4, 3, "hosting"), 0, "jobs");
    assert_eq!(key("pat", 4, 4, 3, None), 0, "what may be a data centre");
    assert_eq!(key("pat", 3, 2, 3, "residential"), 0, "home, office, a journey");
    assert_eq!(key("pat", 4, 1, 2, "residential"), 0, "one laptop with two programs");
}

#[test]
fn a_token_that_a_server_fetched_is_its_owners_where_they_signed_in() {
    let server = From("192.0.2.80", 64599, "DE", "server/1");
    let desk = From("203.0.113.9", 64701, "GB", "Browser/120");
    let told = |signs_in: bool| {
        let mut events = people();
        if signs_in {
            let mut login = of("login", 8000.0, 7, desk);
            (login["username"], login["factor"]) = (json!("n7"), json!("password"));
            events.push(login);
        }
        let mut fetched = of("grant", 8010.0, 7, server);
        fetched["token"] = json!("t7b");
        events.push(fetched);
        let mut used = of("request", 8020.0, 7, desk);
        used["token"] = json!("t7b");
        events.push(used);
        found(&events).iter().filter(|finding| finding["detector"] == "token_sharing").count()
    };
    assert_eq!((told(true), told(false)), (0, 1));
}

/// Forty people whose tokens a server fetches, twelve times each; then one token more is fetched by the first and used
/// by the second: how many are told.
fn fetched_and_used(by: [(From<'_>, &str); 2]) -> usize {
    let server = (From("192.0.2.80", 64800, "DE", "node"), "hosting");
    let on = |kind, at: f64, person, (from, net): (From<'_>, &str), token: &str| {
        let mut event = of(kind, at, person, from);
        (event["net"], event["token"]) = (json!(net), json!(token));
        event
    };
    let mut events = Vec::new();
    for n in 0..480_u32 {
        let (at, token) = (f64::from(n) * 60.0, format!("t{n}"));
        events.push(on("grant", at, n % 40, server, &token));
        events.push(on("request", at + 1.0, n % 40, server, &token));
    }
    events.push(on("grant", 29_000.0, 7, by[0], "last"));
    events.push(on("request", 29_060.0, 7, by[1], "last"));
    found(&events).iter().filter(|it| it["detector"] == "token_sharing").count()
}

#[test]
fn a_page_and_its_server_give_each_other_tokens_and_no_other_machine_gets_any() {
    let server = (From("192.0.2.80", 64800, "DE", "node"), "hosting");
    let beside = (From("192.0.77.5", 64800, "DE", "node"), "hosting");
    let other = (From("192.0.77.5", 64801, "DE", "node"), "hosting");
    let page = (From("198.52.7.9", 64502, "NO", "Browser/120"), "residential");
    assert_eq!(fetched_and_used([server, page]), 0, "to its page");
    assert_eq!(fetched_and_used([page, server]), 0, "from its page");
    assert_eq!(fetched_and_used([page, beside]), 0, "another machine of it");
    assert_eq!(fetched_and_used([page, other]), 1, "a machine of somebody else");
    let thief = (THIEF, "hosting");
    assert_eq!(fetched_and_used([server, thief]), 1, "from its server");
}

#[test]
fn a_thief_who_renews_a_stolen_session_is_found_with_and_without_its_name() {
    let renewed = |mut event: Value, token: &str, with_session: bool| {
        event["token"] = json!(token);
        (event["grant"], event["grant_type"]) = (json!("g7"), json!("refresh_token"));
        if !with_session {
            event.as_object_mut().expect("object").remove("session");
        }
        event
    };
    for with_session in [true, false] {
        let home = From("198.51.7.9", 64502, "NO", "Browser/120");
        let mut events = people();
        for (at, token) in [(4000.0, "a"), (4600.0, "b")] {
            events.push(renewed(of("grant", at, 7, home), token, with_session));
            events.push(renewed(of("request", at + 5.0, 7, home), token, with_session));
        }
        assert_eq!(found(&events), Vec::<Value>::new());
        events.push(renewed(of("grant", 5000.0, 7, THIEF), "c", with_session));
        events.push(renewed(of("request", 5005.0, 7, THIEF), "c", with_session));
        assert_eq!(outcomes(&found(&events)), [["token_sharing", "high", "tag"]], "{with_session}");
    }
}
