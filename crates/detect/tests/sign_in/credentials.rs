//! Guessing of passwords, second factors, secrets and codes; and a day of honest people.

use serde_json::{Value, json};

use crate::support::{event, found, outcomes};

const HOUR: f64 = 3600.0;

fn login(seconds: f64, ip: &str, name: &str, result: &str) -> Value {
    let mut members = json!({
        "username": name, "result": result, "factor": "password", "complete": result == "ok",
        "ua": "Browser/1",
    });
    if result == "ok" {
        members["subject"] = json!(format!("subject-{name}"));
        members["session"] = json!(format!("session-{name}-{seconds}"));
    }
    event(seconds, "login", ip, &members)
}

/// Three days of 400 people: at home, in an office and behind a carrier's NAT. One in ten types a
/// wrong password first, one in fifty gives up for that day.
fn honest() -> Vec<Value> {
    let mut events = Vec::new();
    for day in 0..3 {
        for person in 0..400 {
            let n = day * 400 + person;
            let at = f64::from(day) * 24.0 * HOUR + f64::from(person * 83 % 400) * 90.0;
            let name = format!("p{person}");
            let ip = match person % 4 {
                0 => "198.51.100.1".to_owned(),
                1 => format!("100.64.{}.1", person % 3),
                _ => format!("203.0.{}.{}", person / 200, person % 200),
            };
            if n % 50 == 17 {
                events.extend((0..3).map(|k| login(at + f64::from(k), &ip, &name, "bad_password")));
                continue;
            }
            if n % 10 == 3 {
                events.push(login(at - 9.0, &ip, &name, "bad_password"));
            }
            if n % 70 == 5 {
                events.push(login(at - 20.0, &ip, &format!("{name}typo"), "unknown_user"));
            }
            events.push(login(at, &ip, &name, "ok"));
        }
    }
    events
}

fn about<'f>(findings: &'f [Value], detector: &str) -> Vec<&'f Value> {
    findings.iter().filter(|finding| finding["detector"] == detector).collect()
}

#[test]
fn honest_people_are_left_alone() {
    assert_eq!(found(&honest()), Vec::<Value>::new());
}

#[test]
fn one_network_with_many_names_is_found_and_who_was_taken() {
    let mut events = honest();
    for n in 0..200 {
        let at = 30.0 * HOUR + f64::from(n) * 2.0;
        let result = if n % 2 == 0 { "unknown_user" } else { "bad_password" };
        events.push(login(at, "192.0.2.66", &format!("leaked{n}"), result));
    }
    events.push(login(30.0 * HOUR + 300.5, "192.0.2.66", "p7", "ok"));
    let findings = found(&events);
    let expected =
        [["credential_stuffing", "high", "tag"], ["credential_stuffing", "critical", "tag"]];
    assert_eq!(outcomes(&findings)[..2], expected);
    assert_eq!(findings[0]["ip"], "192.0.2.66");
    assert_eq!(findings[1]["subject"], "subject-p7");
    assert!(findings.iter().all(|finding| finding["incident"] == findings[0]["incident"]));
    // Grown tenfold is told once more, and no more than that.
    assert!(findings.len() <= 3, "{findings:?}");
}

#[test]
fn slow_spraying_is_found_and_called_by_its_name() {
    let mut events = honest();
    for n in 0..60 {
        let at = f64::from(n) * 0.9 * HOUR;
        events.push(login(at, "192.0.2.66", &format!("p{}", n * 6), "bad_password"));
    }
    let findings = found(&events);
    assert_eq!(outcomes(&findings), [["password_spraying", "high", "tag"]]);
}

#[test]
fn an_attacker_behind_the_offices_address_does_not_harm_the_office() {
    let mut events = honest();
    for n in 0..60 {
        let at = 49.0 * HOUR + f64::from(n) * 5.0;
        events.push(login(at, "198.51.100.1", &format!("leaked{n}"), "unknown_user"));
    }
    // The office signs in where it always does.
    for n in 0..20 {
        let name = format!("p{}", n * 4);
        events.push(login(49.1 * HOUR + f64::from(n), "198.51.100.1", &name, "ok"));
    }
    let findings = found(&events);
    assert_eq!(outcomes(&findings), [["credential_stuffing", "high", "tag"]]);
}

#[test]
fn a_distributed_run_is_one_incident_that_names_its_networks() {
    let mut events = honest();
    for n in 0..300 {
        // A hundred networks in a hundred systems, three names each.
        let at = 40.0 * HOUR + f64::from(n) * 11.0;
        let ip = format!("192.{}.2.1", n % 100);
        events.push(login(at, &ip, &format!("leaked{n}"), "unknown_user"));
    }
    events.push(login(40.95 * HOUR, "192.99.2.1", "p7", "ok"));
    let findings =
        about(&found(&events), "credential_stuffing").into_iter().cloned().collect::<Vec<Value>>();
    assert!(findings.iter().all(|finding| finding["incident"] == findings[0]["incident"]));
    assert!(findings[0]["evidence"]["networks"].as_u64() >= Some(5));
    let networks = findings.iter().filter(|finding| finding.get("ip").is_some()).count();
    assert!(networks >= 95, "{networks}");
    let taken: Vec<&Value> =
        findings.iter().filter(|finding| finding["severity"] == "critical").collect();
    assert_eq!((taken.len(), &taken[0]["subject"]), (1, &json!("subject-p7")));
}

#[test]
fn a_lasting_attack_does_not_become_the_habit() {
    let mut events = honest();
    for n in 0..4000 {
        let ip = format!("192.{}.2.1", n % 200);
        let at = f64::from(n) * 60.0;
        events.push(login(at, &ip, &format!("first{n}"), "unknown_user"));
    }
    for n in 0..50 {
        let at = 70.0 * HOUR + f64::from(n);
        events.push(login(at, "203.0.113.200", &format!("second{n}"), "unknown_user"));
    }
    let findings = found(&events);
    assert!(findings.iter().any(|finding| finding["ip"] == "203.0.113.200"));
}

#[test]
fn when_all_passwords_were_reset_people_who_fail_at_home_are_no_attack() {
    let mut events = honest();
    for person in 0..400 {
        let ip = match person % 4 {
            0 => "198.51.100.1".to_owned(),
            1 => format!("100.64.{}.1", person % 3),
            _ => format!("203.0.{}.{}", person / 200, person % 200),
        };
        for n in 0..4 {
            let at = 73.0 * HOUR + f64::from(person) * 20.0 + f64::from(n) * 3.0;
            events.push(login(at, &ip, &format!("p{person}"), "bad_password"));
        }
    }
    assert_eq!(found(&events), Vec::<Value>::new());
}

#[test]
fn one_account_guessed_from_many_places_is_found_and_its_taking_too() {
    let mut events: Vec<Value> = (0..5)
        .map(|day| login(f64::from(day) * 24.0 * HOUR, "198.51.100.9", "boss", "ok"))
        .collect();
    for n in 0..30 {
        let ip = format!("10{}.20.30.40", n % 10);
        events.push(login(100.0 * HOUR + f64::from(n) * 1000.0, &ip, "boss", "bad_password"));
    }
    events.push(login(109.0 * HOUR, "109.20.30.40", "boss", "ok"));
    let findings = found(&events);
    let (taken, guesses) = findings.split_last().expect("findings");
    assert_eq!(outcomes(guesses)[0], ["password_guessing", "medium", "tag"]);
    assert_eq!(outcomes(&findings)[guesses.len()], ["password_guessing", "critical", "tag"]);
    assert!(guesses.iter().all(|finding| finding.get("subject").is_none()));
    assert!(guesses.iter().all(|finding| finding["incident"] == taken["incident"]));
    assert_eq!(taken["subject"], "subject-boss");
}

#[test]
fn one_place_that_guesses_is_found_fast_and_slowly_and_a_guest_who_mistypes_is_not() {
    let home = || vec![login(0.0, "198.51.100.9", "boss", "ok")];
    for gap in [2.0, 290.0] {
        let mut events = home();
        events
            .extend((0..30).map(|n| {
                login(900.0 + f64::from(n) * gap, "203.0.113.66", "boss", "bad_password")
            }));
        assert_eq!(outcomes(&found(&events)), [["password_guessing", "medium", "tag"]], "{gap}");
    }
    let mut guest = home();
    guest.extend(
        (0..8).map(|n| login(900.0 + f64::from(n) * 11.0, "203.0.113.9", "boss", "bad_password")),
    );
    guest.push(login(1100.0, "203.0.113.9", "boss", "ok"));
    assert_eq!(found(&guest), Vec::<Value>::new());
}

#[test]
fn forgetful_people_and_old_passwords_are_no_guessing() {
    let mut events = vec![login(0.0, "198.51.100.9", "boss", "ok")];
    // A program with an old password, for a day.
    for n in 0..500 {
        events.push(login(60.0 + f64::from(n) * 120.0, "198.51.100.9", "boss", "bad_password"));
    }
    // A telephone that changes its address within one carrier, and its owner who cannot remember.
    for n in 0..20 {
        let ip = format!("100.64.{n}.7");
        events.push(login(f64::from(n) * 300.0, &ip, "walker", "bad_password"));
    }
    events.push(login(7000.0, "100.64.44.7", "walker", "ok"));
    assert_eq!(found(&events), Vec::<Value>::new());
}

fn factor(seconds: f64, ip: &str, result: &str, complete: bool) -> Value {
    let members = json!({
        "username": "boss", "result": result, "complete": complete, "subject": "u1",
        "factor": if complete || result == "mfa_failed" { "totp" } else { "password" },
    });
    event(seconds, "login", ip, &members)
}

#[test]
fn second_factors_that_fail_again_and_again_are_found_and_the_tired_thumb_too() {
    let mut events = vec![factor(0.0, "198.51.100.9", "ok", true)];
    for n in 0..6 {
        events.push(factor(HOUR + f64::from(n) * 60.0, "192.0.2.66", "ok", false));
        events.push(factor(HOUR + f64::from(n) * 60.0 + 20.0, "192.0.2.66", "mfa_failed", false));
    }
    events.push(factor(HOUR + 500.0, "192.0.2.66", "ok", true));
    let findings = found(&events);
    assert_eq!(
        outcomes(&findings),
        [["mfa_fatigue", "high", "tag"], ["mfa_fatigue", "critical", "tag"]]
    );
    assert!(findings[0].get("subject").is_none() && findings[1]["subject"] == "u1");
    // Pushes that nobody answers.
    let pushes: Vec<Value> =
        (0..8).map(|n| factor(f64::from(n) * 100.0, "192.0.2.66", "ok", false)).collect();
    assert_eq!(outcomes(&found(&pushes)), [["mfa_fatigue", "high", "tag"]]);
}

#[test]
fn a_clock_that_is_wrong_at_home_and_a_few_wrong_codes_are_no_fatigue() {
    let mut events = vec![factor(0.0, "198.51.100.9", "ok", true)];
    events
        .extend((0..20).map(|n| factor(60.0 + f64::from(n), "198.51.100.9", "mfa_failed", false)));
    for n in 0..4 {
        events.push(factor(HOUR + f64::from(n), "100.64.0.1", "mfa_failed", false));
    }
    events.push(factor(HOUR + 30.0, "100.64.0.1", "ok", true));
    assert_eq!(found(&events), Vec::<Value>::new());
}

#[test]
fn codes_that_fail_over_days_are_fatigue_where_the_account_never_was() {
    let run = |ip: &str, gap: f64| {
        let mut events = vec![factor(0.0, "198.51.100.9", "ok", true)];
        events.extend((0..6).map(|n| factor(HOUR + f64::from(n) * gap, ip, "mfa_failed", false)));
        found(&events).len()
    };
    assert_eq!(run("192.0.2.66", 12.0 * HOUR), 1);
    assert_eq!(run("192.0.2.66", 16.0 * HOUR), 0, "not within three days");
    assert_eq!(run("198.51.7.9", 12.0 * HOUR), 0, "its carrier, by another address");
}

fn client(seconds: f64, ip: &str, client: &str, result: &str) -> Value {
    let members = json!({ "client": client, "method": "client_secret_basic", "result": result });
    event(seconds, "client_auth", ip, &members)
}

#[test]
fn guessed_secrets_are_found_by_network_by_client_and_by_their_success() {
    let many: Vec<Value> = (0..20)
        .map(|n| client(f64::from(n), "192.0.2.66", &format!("c{n}"), "unknown_client"))
        .collect();
    assert_eq!(outcomes(&found(&many)), [["client_secret_guessing", "medium", "tag"]]);
    let mut one = vec![client(0.0, "198.51.100.9", "c1", "ok")];
    one.extend((0..40).map(|n| client(60.0 + f64::from(n), "192.0.2.66", "c1", "bad_secret")));
    one.push(client(110.0, "192.0.2.66", "c1", "ok"));
    let findings = found(&one);
    let expected = [
        ["client_secret_guessing", "medium", "tag"],
        ["client_secret_guessing", "critical", "tag"],
    ];
    assert_eq!(outcomes(&findings), expected);
    assert!(findings[0].get("client").is_none() && findings[1]["client"] == "c1");
    let spread: Vec<Value> = (0..20)
        .map(|n| client(f64::from(n) * HOUR, &format!("19{}.0.2.66", n % 5), "c1", "bad_secret"))
        .collect();
    assert_eq!(outcomes(&found(&spread)), [["client_secret_guessing", "medium", "tag"]]);
}

#[test]
fn a_clients_own_server_that_erred_once_among_guesses_was_not_guessed() {
    let told = |ip: &str, ua: &str| {
        let mut events = vec![client(0.0, "198.51.100.9", "c1", "ok")];
        events.extend((0..20).map(|n| {
            client(60.0 + f64::from(n), &format!("{}.0.2.66", 190 + n % 5), "c1", "bad_secret")
        }));
        for event in &mut events {
            event["ua"] = json!("Jobs/1.0");
        }
        for (at, result) in [(120.0, "bad_secret"), (180.0, "ok")] {
            let mut event = client(at, ip, "c1", result);
            event["ua"] = json!(ua);
            events.push(event);
        }
        found(&events).iter().filter(|it| it["severity"] == "critical").count()
    };
    assert_eq!(told("198.51.7.1", "Jobs/1.1"), 0);
    assert_eq!(told("198.51.7.1", "curl/8"), 1, "by a program that is none of its own");
    assert_eq!(told("203.0.113.7", "Jobs/1.1"), 1, "where it never was");
}

#[test]
fn a_secret_that_was_rotated_is_no_guessing() {
    let mut events = vec![client(0.0, "198.51.100.9", "c1", "ok")];
    events
        .extend((0..600).map(|n| client(60.0 + f64::from(n), "198.51.100.9", "c1", "bad_secret")));
    // CI in ever new networks: it worked yesterday, today the secret is another.
    for n in 0..40 {
        let ip = format!("{}.30.2.{n}", 20 + n % 7);
        events.push(client(f64::from(n) * 900.0, &ip, "ci", "ok"));
    }
    for n in 0..40 {
        let ip = format!("{}.40.2.{n}", 20 + n % 7);
        events.push(client(11.0 * HOUR + f64::from(n) * 600.0, &ip, "ci", "bad_secret"));
    }
    assert_eq!(found(&events), Vec::<Value>::new());
}

#[test]
fn guessed_user_codes_are_found_and_clumsy_people_are_not() {
    let step =
        |seconds: f64, ip: &str, step: &str| event(seconds, "device", ip, &json!({ "step": step }));
    let expected = [["device_code_guessing", "high", "tag"]];
    for gap in [5.0, 4.5 * HOUR] {
        let guesses: Vec<Value> =
            (0..25).map(|n| step(f64::from(n) * gap, "192.0.2.66", "bad_user_code")).collect();
        assert_eq!(outcomes(&found(&guesses)), expected, "{gap}");
    }
    let spread: Vec<Value> = (0..100)
        .map(|n| step(f64::from(n) * 20.0, &format!("192.0.{n}.1"), "bad_user_code"))
        .collect();
    assert_eq!(outcomes(&found(&spread)), expected);
    let mut office = Vec::new();
    for n in 0..100 {
        office.push(step(f64::from(n) * 30.0, "198.51.100.1", "bad_user_code"));
        office.push(step(f64::from(n) * 30.0 + 9.0, "198.51.100.1", "approved"));
    }
    office.extend((0..5).map(|n| step(f64::from(n) * 10.0, "203.0.113.9", "bad_user_code")));
    assert_eq!(found(&office), Vec::<Value>::new());
}

fn passkey(seconds: f64, ip: &str, result: &str) -> Value {
    let members = json!({
        "username": "boss", "result": result, "complete": result == "ok", "subject": "u1", "factor": "passkey",
    });
    event(seconds, "login", ip, &members)
}

#[test]
fn a_passkey_whose_counter_goes_back_is_told_once_and_again_when_it_goes_on() {
    let (home, other) = ("198.51.100.9", "192.0.2.66");
    let mut events = vec![passkey(0.0, home, "ok"), passkey(10.0, home, "bad_passkey")];
    events.push(passkey(HOUR, other, "copied_passkey"));
    let once = found(&events);
    assert_eq!(outcomes(&once), [["copied_passkey", "high", "tag"]]);
    assert_eq!(once[0]["class"], "statistical");
    assert_eq!((&once[0]["subject"], &once[0]["ip"]), (&json!("u1"), &json!(other)));
    let evidence = &once[0]["evidence"];
    assert_eq!(
        (&evidence["times_in_a_day"], &evidence["known_network"]),
        (&json!(1), &json!(false))
    );
    assert!(evidence["summary"].as_str().expect("words").contains("a new network (192.0.2.66)"));
    // The owner's own, which the copy has overtaken: told as being at home, and not once for each try.
    events.extend((1..12).map(|n| passkey(HOUR + f64::from(n) * 60.0, home, "copied_passkey")));
    let more = found(&events);
    assert_eq!(more.len(), 2, "{more:?}");
    assert_eq!(more[1]["evidence"]["times_in_a_day"], 10);
    assert_eq!(more[1]["evidence"]["known_network"], true);
    assert_eq!(more[1]["incident"], more[0]["incident"]);
    // Nothing of it blocks the network where the owner may sit, in whatever order the table is read.
    assert!(
        more.iter()
            .all(|finding| finding["response"] == "tag" && finding.get("held_back").is_none())
    );
}

#[test]
fn a_copied_passkey_of_nobody_is_told_by_its_network() {
    let nameless = json!({ "result": "copied_passkey", "factor": "passkey", "complete": false });
    let findings = found(&[event(0.0, "login", "192.0.2.66", &nameless)]);
    assert_eq!(outcomes(&findings), [["copied_passkey", "high", "tag"]]);
    assert!(findings[0].get("subject").is_none());
}
