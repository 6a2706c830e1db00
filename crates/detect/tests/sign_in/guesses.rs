//! Guesses that take their time, tokens that are guessed, and secrets in two hands.

use serde_json::{Value, json};

use crate::support::{event, found, outcomes};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

fn login(seconds: f64, ip: &str, result: &str) -> Value {
    let mut members = json!({ "username": "boss", "result": result, "factor": "password" });
    members["complete"] = json!(result == "ok");
    event(seconds, "login", ip, &members)
}

#[test]
fn one_place_that_guesses_every_ten_minutes_is_found_within_a_day() {
    let guesses = |count: i32| -> Vec<Value> {
        let mut events = vec![login(0.0, "198.51.100.9", "ok")];
        events.extend(
            (0..count).map(|n| login(900.0 + f64::from(n) * 600.0, "203.0.113.66", "bad_password")),
        );
        events
    };
    assert_eq!(outcomes(&found(&guesses(60))), [["password_guessing", "medium", "tag"]]);
    assert_eq!(found(&guesses(24)), Vec::<Value>::new());
    // The name that never signed in: a telephone with an old password, where it always was.
    assert_eq!(found(&guesses(60)[1..]), Vec::<Value>::new());
    // Nobody guesses by the clock; a program that has an old password does.
    let hasty = |uneven: f64, pause: f64| -> Vec<Value> {
        let at = |n: i32| f64::from(n) * pause + f64::from(n % 3) * uneven;
        (0..12).map(|n| login(at(n), "203.0.113.66", "bad_password")).collect()
    };
    assert_eq!(found(&hasty(20.0, 290.0)).len(), 1, "no program tries so irregularly");
    assert_eq!(found(&hasty(0.0, 300.0)), Vec::<Value>::new());
    assert_eq!(found(&hasty(0.0, 20.0)).len(), 1, "no program tries so often");
    let mut together = hasty(0.0, 300.0);
    together.insert(1, login(30.0, "192.0.2.200", "bad_password"));
    assert_eq!(found(&together).len(), 1, "somebody else tries as well");
    let mut known = hasty(0.0, 300.0);
    known.insert(0, login(-900.0, "198.51.100.9", "ok"));
    assert_eq!(found(&known).len(), 1, "its owner signs in elsewhere");
}

#[test]
fn a_program_with_an_old_password_keeps_its_pauses_of_four_minutes_and_more_to_a_fiftieth() {
    let told = |first: f64, pauses: &[f64], from: &[&str]| {
        let mut at = 0.0;
        let mut events = vec![login(at, from[0], "bad_password")];
        for (n, pause) in [first].iter().chain(pauses).enumerate() {
            at += pause;
            events.push(login(at, from[(n + 1) % from.len()], "bad_password"));
        }
        found(&events).len()
    };
    let one = ["203.0.113.66"];
    assert_eq!([240.0, 239.0].map(|pause| told(pause, &[pause; 11], &one)), [0, 1]);
    assert_eq!([300.0, 306.0].map(|first| told(first, &[300.0; 11], &one)), [0, 0]);
    assert_eq!([306.001, 293.999].map(|first| told(first, &[300.0; 11], &one)), [1, 1]);
    assert_eq!(told(7200.0, &[300.0; 11], &one), 1, "a try two hours before");
    let uneven: Vec<f64> = (0..40).map(|n| 600.0 + f64::from(n % 3) * 40.0).collect();
    assert_eq!(told(600.0, &uneven, &one), 0, "a telephone that tries now and then");
    assert_eq!(told(150.0, &[150.0; 23], &["203.0.113.66", "192.0.2.200"]), 2, "each is named");
}

#[test]
fn whoever_tried_once_among_guesses_is_not_named_and_each_of_the_others_is() {
    let mut events = vec![login(0.0, "198.51.100.9", "ok")];
    for n in 0..24 {
        let ip = format!("1{}.20.30.40", 10 + n % 8);
        events.push(login(9000.0 + f64::from(n) * 100.0, &ip, "bad_password"));
    }
    // The owner, from a telephone that never signed in, is the tenth and the last.
    events.push(login(9000.0 + 850.0, "100.64.1.1", "bad_password"));
    let findings = found(&events);
    let mut named: Vec<&str> =
        findings.iter().filter_map(|finding| finding["ip"].as_str()).collect();
    named.sort_unstable();
    let guessers: Vec<String> = (0..8).map(|n| format!("1{}.20.30.40", 10 + n)).collect();
    assert_eq!(named, guessers);
    assert!(findings.iter().all(|finding| finding["incident"] == findings[0]["incident"]));
}

/// The addresses that are named of wrong passwords from these networks in turn, the last of which is of this kind.
fn named_of(networks: &[u32], net: &str) -> Vec<Value> {
    let mut events: Vec<Value> = networks
        .iter()
        .enumerate()
        .map(|(n, network)| {
            login(9000.0 + n as f64 * 100.0, &format!("1{network}.20.30.40"), "bad_password")
        })
        .collect();
    events.last_mut().expect("a try")["net"] = json!(net);
    found(&events).iter().map(|finding| finding["ip"].clone()).collect()
}

#[test]
fn of_single_tries_the_network_that_tried_most_or_first_is_named_and_each_in_a_data_centre() {
    let once = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
    assert_eq!(named_of(&once[..9], "residential"), [""; 0]);
    assert_eq!(named_of(&once, "residential"), ["110.20.30.40"], "the first, and once");
    let twice = [10, 11, 12, 13, 12, 15, 16, 17, 18, 19];
    assert_eq!(named_of(&twice, "residential"), ["112.20.30.40"], "who tried most");
    for nobodys in ["hosting", "tor"] {
        assert_eq!(named_of(&once, nobodys), ["110.20.30.40", "120.20.30.40"]);
    }
}

/// The owner at home, then twelve guesses from six systems, then the right password.
fn taken(owner: &str, guesser: &str, then: (&str, u32, Option<&str>)) -> bool {
    taken_after(0, owner, guesser, then)
}

/// The same after so many wrong ones from where the right one comes.
fn taken_after(mistakes: u32, owner: &str, guesser: &str, then: (&str, u32, Option<&str>)) -> bool {
    let from = |mut event: Value, asn: u32, ua: Option<&str>| {
        event["asn"] = json!(asn);
        if let Some(ua) = ua {
            event["ua"] = json!(ua);
        }
        event
    };
    let mut events = vec![from(login(0.0, "198.51.100.9", "ok"), 64500, Some(owner))];
    for n in 0..12u32 {
        let tried =
            login(9000.0 + f64::from(n) * 100.0, &format!("1{}.2.3.4", 10 + n % 6), "bad_password");
        events.push(from(tried, 65000 + n % 6, Some(guesser)));
    }
    for n in 0..mistakes {
        let wrong = login(10_900.0 + f64::from(n), then.0, "bad_password");
        events.push(from(wrong, then.1, then.2));
    }
    events.push(from(login(11_000.0, then.0, "ok"), then.1, then.2));
    let findings = found(&events);
    assert!(!findings.is_empty(), "the guesses");
    findings.iter().any(|finding| finding["severity"] == "critical")
}

#[test]
fn an_account_is_taken_from_where_and_by_what_it_never_signed_in() {
    let (phone, tool) = ("App/7 (Telephone)", "python-requests/2");
    let stranger = ("203.0.113.66", 64666, Some(tool));
    assert!(taken(phone, tool, stranger));
    // Another address of the system that is home.
    assert!(!taken(phone, tool, ("198.51.77.1", 64500, Some(tool))));
    // The owner's telephone in a system that is new to it.
    assert!(!taken(phone, tool, ("203.0.113.66", 64666, Some(phone))));
    // It may mistype once; others may not, not even at home.
    assert!(!taken_after(1, phone, tool, ("203.0.113.66", 64666, Some(phone))));
    assert!(taken_after(2, phone, tool, ("203.0.113.66", 64666, Some(phone))));
    assert!(taken_after(1, phone, tool, ("198.51.77.1", 64500, Some(tool))));
    // That it says so proves nothing where the guesses say the same, nor where one of them came from.
    assert!(taken(phone, phone, ("203.0.113.66", 64666, Some(phone))));
    assert!(taken(phone, tool, ("110.2.3.4", 65000, Some(phone))));
    assert!(taken(phone, tool, ("203.0.113.66", 64666, None)));
    assert!(taken(phone, tool, ("203.0.113.66", 64666, Some("App/8 (Telephone)"))));
}

fn client(seconds: f64, ip: &str, ua: &str, result: &str) -> Value {
    let members =
        json!({ "client": "c1", "method": "client_secret_basic", "result": result, "ua": ua });
    event(seconds, "client_auth", ip, &members)
}

#[test]
fn a_secret_is_guessed_slowly_by_other_software_and_a_new_server_with_an_old_one_is_no_guess() {
    let tried = |ua: &str| -> Vec<Value> {
        let mut events = vec![client(0.0, "198.51.100.9", "Partner/3.1", "ok")];
        events.extend(
            (0..40).map(|n| client(60.0 + f64::from(n) * 900.0, "203.0.113.66", ua, "bad_secret")),
        );
        events
    };
    // Its network at first, and later what was tried.
    let findings = found(&tried("curl/8.5"));
    assert_eq!(outcomes(&findings), [["client_secret_guessing", "medium", "tag"]; 2]);
    assert!(findings.iter().all(|it| it.get("client").is_none() && it["ip"] == "203.0.113.66"));
    assert_eq!(found(&tried("Partner/3.2")[..8]), Vec::<Value>::new());
}

/// A client at home; then so many wrong secrets, so many minutes apart, from elsewhere.
fn wrong(count: i32, minutes: f64, ip: &str, ua: &str, name: &str) -> Vec<Value> {
    let mut events = vec![client(0.0, "198.51.100.9", "Partner/3.1", "ok")];
    events.extend((0..count).map(|n| {
        let mut event = client(3600.0 + f64::from(n) * minutes * 60.0, ip, ua, "bad_secret");
        event["client"] = json!(name);
        event
    }));
    events
}

#[test]
fn wrong_secrets_in_six_parts_of_a_day_are_told_unless_they_may_be_the_clients_own() {
    let told = |count, minutes, ip: &str, ua: &str| {
        let findings = found(&wrong(count, minutes, ip, ua, "c1"));
        assert!(findings.iter().all(|it| it.get("client").is_none() && it["ip"] == ip));
        findings.len()
    };
    let (away, near) = ("203.0.113.66", "198.51.7.7");
    assert_eq!((told(6, 20.0, away, "curl/8.5"), told(5, 20.0, away, "curl/8.5")), (1, 0));
    assert_eq!(told(12, 0.5, away, "curl/8.5"), 0, "all at once");
    assert_eq!(told(6, 300.0, away, "curl/8.5"), 0, "within more than a day");
    assert_eq!((told(8, 20.0, away, "Partner/3.2"), told(7, 20.0, away, "Partner/3.2")), (1, 0));
    assert_eq!((told(8, 20.0, near, "curl/8.5"), told(7, 20.0, near, "curl/8.5")), (1, 0));
    assert_eq!(told(60, 20.0, near, "Partner/3.2"), 0, "its own program where it lives");
    assert_eq!(found(&wrong(6, 20.0, away, "curl/8.5", "c9")).len(), 1, "a client that never was");
    let mut neighbour = wrong(12, 20.0, away, "curl/8.5", "c1");
    let mut good = client(60.0, away, "Other/1", "ok");
    good["client"] = json!("c2");
    neighbour.push(good);
    assert_eq!(found(&neighbour), Vec::<Value>::new(), "another client lives there");
}

#[test]
fn a_program_that_fails_from_four_parts_of_the_net_is_told_whichever_clients_it_names() {
    let run = |count: i32, places: i32, pause: f64, programs: i32| {
        let tries = (0..count).map(|n| {
            let (ip, ua) = (
                format!("1{}.9.0.7", n % places),
                format!("tool-{}", ["a", "b", "c"][(n % programs) as usize]),
            );
            let result = ["bad_secret", "unknown_client"][n as usize % 2];
            let mut event = client(f64::from(n) * pause, &ip, &ua, result);
            event["client"] = json!(format!("c{}", n % 7));
            event
        });
        found(&tries.collect::<Vec<_>>())
    };
    let findings = run(15, 4, 60.0, 1);
    assert_eq!(outcomes(&findings), [["client_secret_guessing", "medium", "tag"]]);
    assert!(findings[0]["ip"].is_string() && findings[0].get("client").is_none());
    assert_eq!(run(30, 4, 60.0, 1).len(), 4, "each of them once");
    assert_eq!(run(14, 4, 60.0, 1), Vec::<Value>::new());
    assert_eq!(run(15, 3, 60.0, 1), Vec::<Value>::new(), "from three");
    assert_eq!(run(15, 4, 300.0, 1), Vec::<Value>::new(), "within more than an hour");
    assert_eq!(run(15, 4, 60.0, 3), Vec::<Value>::new(), "by several programs");
}

#[test]
fn each_network_that_guesses_enough_is_named_though_another_was_before() {
    let mut events = vec![client(0.0, "198.51.100.9", "Partner/3.1", "ok")];
    for (from, ip, tries) in
        [(60.0, "203.0.113.66", 30), (7200.0, "203.0.113.99", 30), (9000.0, "203.0.113.5", 10)]
    {
        events
            .extend((0..tries).map(|n| client(from + f64::from(n), ip, "curl/8.5", "bad_secret")));
    }
    let findings = found(&events);
    let named: Vec<&str> = findings.iter().filter_map(|it| it["ip"].as_str()).collect();
    assert_eq!(named, ["203.0.113.66", "203.0.113.99"]);
    assert_eq!(findings[0]["incident"], findings[1]["incident"]);
}

/// Five days of a client that authenticates each hour, until `moves`.
fn at_home(moves: f64) -> Vec<Value> {
    let hours = (0..120).map(f64::from).filter(|hour| hour * HOUR < moves);
    hours.map(|hour| client(hour * HOUR, "198.51.100.9", "Partner/3.1", "ok")).collect()
}

#[test]
fn a_secret_in_two_hands_is_found() {
    let mut events = at_home(5.0 * DAY);
    events.extend(
        (0..4).map(|n| {
            client(4.0 * DAY + 60.0 + f64::from(n) * HOUR, "203.0.113.66", "curl/8", "ok")
        }),
    );
    let findings = found(&events);
    assert_eq!(outcomes(&findings), [["client_secret_sharing", "high", "tag"]]);
    let named = ["client", "ip"].map(|it| findings[0][it].clone());
    assert_eq!(named, [json!("c1"), json!("203.0.113.66")]);
}

#[test]
fn removals_updates_fleets_and_a_try_by_hand_are_no_second_hand() {
    let hourly = |from: f64, ip: &'static str, ua: &'static str| {
        (0..24).map(move |n| client(from + f64::from(n) * HOUR, ip, ua, "ok"))
    };
    // It moves to another place with other software, and does not come back.
    let mut moved = at_home(4.0 * DAY);
    moved.extend(hourly(4.0 * DAY, "203.0.113.7", "Partner-ng/1"));
    // Both run for a while, with the same software in another version.
    let mut beside = at_home(5.0 * DAY);
    beside.extend(hourly(3.8 * DAY + 60.0, "203.0.113.7", "Partner/4.0"));
    // Somebody tries it at a desk, several times within one hour.
    let mut by_hand = at_home(5.0 * DAY);
    by_hand
        .extend((0..9).map(|n| {
            client(4.0 * DAY + 60.0 + f64::from(n) * 90.0, "203.0.113.7", "curl/8", "ok")
        }));
    // A fleet: ever other places and programs.
    let fleet: Vec<Value> = (0..400)
        .map(|n| {
            let (ip, ua) =
                (format!("{}.7.0.1", 20 + n % 30), format!("job-{}", ["a", "b", "c"][n % 3]));
            client(n as f64 * 1200.0, &ip, &ua, "ok")
        })
        .collect();
    for events in [moved, beside, by_hand, fleet] {
        assert_eq!(found(&events), Vec::<Value>::new());
    }
}

fn unknown(seconds: f64, ip: &str) -> Value {
    let members = json!({
        "token_kind": "pat", "method": "GET", "path": "/builds/1", "status": 401,
        "refused": "unknown_token",
    });
    event(seconds, "request", ip, &members)
}

fn good(seconds: f64, ip: &str) -> Value {
    let members = json!({
        "token_kind": "pat", "subject": "u1", "client": "ci", "token": "p1", "method": "GET",
        "path": "/builds/1", "status": 200,
    });
    event(seconds, "request", ip, &members)
}

#[test]
fn guessed_tokens_are_found_fast_slowly_and_from_many_networks() {
    for gap in [1.0, 60.0] {
        let events: Vec<Value> =
            (0..240).map(|n| unknown(f64::from(n) * gap, "203.0.113.66")).collect();
        let findings = found(&events);
        assert_eq!(outcomes(&findings), [["token_guessing", "medium", "tag"]], "{gap}");
        assert_eq!(findings[0]["ip"], "203.0.113.66");
    }
    let spread: Vec<Value> =
        (0..400).map(|n| unknown(f64::from(n) * 4.0, &format!("1{}.9.0.7", 10 + n % 50))).collect();
    let findings = found(&spread);
    assert_eq!(findings.len(), 50, "each network once");
    assert!(findings.iter().all(|finding| finding["incident"] == findings[0]["incident"]));
}

#[test]
fn keys_are_guessed_slowly_on_several_routes_or_at_irregular_times_and_a_job_goes_by_the_clock() {
    let tried = |count: u32, gap: &dyn Fn(u32) -> f64, routes: u32, kind: &str| {
        let event = |n: u32| {
            let mut event = unknown(gap(n), "203.0.113.66");
            event["path"] = json!(["/me", "/builds", "/keys"][(n % routes) as usize]);
            event["token_kind"] = json!(kind);
            event
        };
        found(&(0..count).map(event).collect::<Vec<_>>()).len()
    };
    let slowly = |n: u32| f64::from(n) * 1500.0;
    assert_eq!((tried(20, &slowly, 2, "pat"), tried(10, &slowly, 2, "pat")), (1, 0));
    assert_eq!((tried(50, &slowly, 1, "api_key"), tried(20, &slowly, 2, "jwt")), (0, 0));
    let irregularly = |n: u32| f64::from(n) * 600.0 + f64::from(n * n % 13) * 45.0;
    assert_eq!(tried(50, &irregularly, 1, "api_key"), 1);
}

#[test]
fn a_few_tries_of_many_networks_in_a_quiet_hour_are_a_run_and_each_is_named() {
    let run = |networks: u32| {
        let events: Vec<Value> = (0..networks)
            .map(|n| {
                let mut event = unknown(f64::from(n) * 60.0, &format!("1{}.9.0.7", 10 + n));
                event["token_kind"] = json!("jwt");
                event
            })
            .collect();
        found(&events).len()
    };
    assert_eq!((run(20), run(40)), (0, 17));
}

#[test]
fn a_dead_token_in_a_job_and_among_good_ones_is_no_guess() {
    // One that comes each half hour for two days, and those of a whole office that works.
    let mut events: Vec<Value> =
        (0..96).map(|n| unknown(f64::from(n) * 1800.0, "203.0.113.9")).collect();
    for n in 0..2000 {
        events.push(good(f64::from(n) * 5.0, "192.0.2.1"));
        if n % 30 == 0 {
            events.push(unknown(f64::from(n) * 5.0 + 1.0, "192.0.2.1"));
        }
    }
    // Many networks with a token or two of another installation, next to good ones.
    for n in 0..120 {
        let ip = format!("1{}.{}.0.7", 10 + n % 50, n);
        events.push(unknown(f64::from(n) * 9.0, &ip));
        events.push(good(f64::from(n) * 9.0 + 2.0, &ip));
    }
    let findings = found(&events);
    let guesses: Vec<&Value> =
        findings.iter().filter(|finding| finding["detector"] == "token_guessing").collect();
    assert_eq!(guesses, Vec::<&Value>::new());
}

/// A client of some hours whose secret is changed after three, and which goes on every ten minutes for the rest of six.
fn rotated() -> Vec<Value> {
    let own = |n: i32| client(f64::from(n) * 600.0, "198.51.100.9", "Partner/3.1", "ok");
    let mut events: Vec<Value> = (0..36).map(own).collect();
    let change = json!({ "actor": "ops", "action": "client.secret", "target": "c1" });
    events.push(event(3.0 * HOUR - 60.0, "admin", "192.0.2.44", &change));
    events
}

#[test]
fn a_secret_that_was_changed_is_soon_seen_in_two_hands() {
    let with = |ip: &str, ua: &str, pause: f64, times: i32| {
        let mut events = rotated();
        events.extend(
            (0..times).map(|n| client(3.5 * HOUR + 30.0 + f64::from(n) * pause, ip, ua, "ok")),
        );
        let findings = found(&events);
        assert!(findings.iter().all(|it| it["client"] == "c1" && it["ip"] == ip));
        findings.iter().map(|it| it["class"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(with("203.0.113.66", "curl/8", 700.0, 4), ["statistical", "certain"]);
    assert_eq!(with("203.0.113.66", "curl/8", 700.0, 2), ["statistical"]);
    assert_eq!(with("203.0.113.66", "curl/8", 60.0, 3), [""; 0], "a try by hand");
    assert_eq!(with("203.0.113.66", "Partner/3.1", 700.0, 6), ["statistical"]);
    assert_eq!(with("203.0.113.66", "Partner/3.2", 300.0, 4), [""; 0], "servers are replaced");
    // Where the client lives, by a program that it never used: anybody can rent there.
    assert_eq!(with("198.51.7.7", "curl/8", 700.0, 4), ["statistical"]);
    assert_eq!(with("198.51.7.7", "Partner/3.1", 700.0, 6), [""; 0]);
    // Whoever changed it tries it.
    assert_eq!(with("192.0.2.44", "curl/8", 700.0, 6), [""; 0]);
    assert_eq!(with("192.0.2.144", "curl/8", 700.0, 6), [""; 0], "by another address there");
    assert_eq!(with("192.0.3.44", "curl/8", 700.0, 6).len(), 2, "who only has the same provider");
}

#[test]
fn places_from_before_a_change_and_those_that_learn_of_it_later_are_no_second_hand() {
    let mut events = rotated();
    for n in 0..30 {
        // Another region, since the hour before, whose servers have the old secret for a while.
        let result = if (6..12).contains(&n) { "bad_secret" } else { "ok" };
        let at = 2.0 * HOUR + 45.0 + f64::from(n) * 400.0;
        events.push(client(at, "203.0.113.66", "Partner/3.1", result));
    }
    assert_eq!(found(&events), Vec::<Value>::new());
}

#[test]
fn a_stranger_who_got_in_and_is_refused_then_is_the_same() {
    let mut events = rotated();
    events.push(client(3.5 * HOUR + 30.0, "203.0.113.66", "curl/8", "ok"));
    assert_eq!(found(&events), Vec::<Value>::new());
    events.push(client(3.5 * HOUR + 700.0, "203.0.113.66", "curl/8", "bad_secret"));
    assert_eq!(outcomes(&found(&events)), [["client_secret_sharing", "high", "tag"]]);
}

#[test]
fn an_old_secret_that_is_tried_elsewhere_is_found() {
    let tried = |ip: &str, ua: &str, times: i32| {
        let mut events = rotated();
        events.extend(
            (0..times).map(|n| client(4.0 * HOUR + f64::from(n) * 1500.0, ip, ua, "bad_secret")),
        );
        outcomes(&found(&events)).iter().map(|it| it[0].to_owned()).collect::<Vec<_>>()
    };
    let both = ["client_secret_guessing", "client_secret_sharing"];
    assert_eq!(tried("203.0.113.66", "curl/8", 3), both);
    assert_eq!(tried("203.0.113.66", "curl/8", 2), [""; 0]);
    assert_eq!(tried("203.0.113.66", "Partner/3.0", 7), [""; 0], "a server that was forgotten");
    assert_eq!(tried("192.0.2.44", "curl/8", 9), [""; 0], "whoever changed it");
}

#[test]
fn who_comes_back_with_an_old_secret_while_the_client_uses_the_new_one_is_named_alone() {
    let tried = |before: &[Value], ip: &str, ua: &str, pause: f64, times: i32| {
        let mut events = before.to_vec();
        events.extend(
            (0..times)
                .map(|n| client(4.0 * HOUR + 30.0 + f64::from(n) * pause, ip, ua, "bad_secret")),
        );
        let mut findings = found(&events);
        findings.retain(|it| it["detector"] == "client_secret_sharing");
        assert!(findings.iter().all(|it| it["ip"] == ip && it.get("client").is_none()));
        findings.len()
    };
    let changed = rotated();
    let stranger = |pause, times| tried(&changed, "203.0.113.66", "curl/8", pause, times);
    assert_eq!((stranger(700.0, 3), stranger(700.0, 2)), (1, 0));
    assert_eq!(stranger(60.0, 6), 0, "the client did nothing meanwhile");
    assert_eq!(tried(&changed, "203.0.113.66", "Partner/3.0", 700.0, 6), 0, "a forgotten server");
    assert_eq!(tried(&changed, "198.51.7.7", "curl/8", 700.0, 6), 0, "where the client lives");
    assert_eq!(tried(&changed, "192.0.2.44", "curl/8", 700.0, 6), 0, "whoever changed it");
    assert_eq!(tried(&changed[..36], "203.0.113.66", "curl/8", 700.0, 6), 0, "it never changed");
}

/// A client that authenticated for so many hours, from so many places, and so many requests with a token of it.
fn visited(hours: f64, places: u32, requests: u32, pause: f64, ip: &str, ua: &str) -> usize {
    let mut events = at_home(hours * HOUR);
    events.extend(
        (1..places)
            .map(|n| client(60.0 * f64::from(n), &format!("20.{n}.0.1"), "Partner/3.1", "ok")),
    );
    for n in 0..requests {
        let members = json!({
            "client": "c1", "token": "t1", "token_kind": "jwt", "ua": ua, "method": "GET",
            "path": "/orders", "status": 200,
        });
        events.push(event(hours * HOUR + f64::from(n) * pause, "request", ip, &members));
    }
    let mut findings = found(&events);
    findings.retain(|it| it["detector"] == "client_secret_sharing");
    assert!(findings.iter().all(|it| it["ip"] == ip && it["client"] == "c1"));
    findings.len()
}

#[test]
fn forty_requests_of_a_client_from_where_and_by_what_it_never_was_are_another_hand() {
    let stranger = |hours, places, requests, pause| {
        visited(hours, places, requests, pause, "203.0.113.66", "curl/8")
    };
    assert_eq!((stranger(2.0, 1, 40, 20.0), stranger(2.0, 1, 39, 20.0)), (1, 0));
    assert_eq!((stranger(2.0, 3, 40, 20.0), stranger(2.0, 4, 40, 20.0)), (1, 0), "it roams");
    assert_eq!(stranger(2.0, 1, 60, 100.0), 0, "less than forty an hour");
    assert_eq!(stranger(0.5, 1, 40, 20.0), 0, "of which nothing is known");
    assert_eq!(visited(2.0, 1, 60, 20.0, "203.0.113.66", "Partner/4.0"), 0, "its software");
    assert_eq!(visited(2.0, 1, 60, 20.0, "198.51.7.7", "curl/8"), 0, "its part of the net");
}

/// After an hour that is full of a run of one program: tries by that one or by another, so many from each of so many
/// networks, and how many of these are named.
fn second_run(ua: &str, networks: u32, each: u32) -> usize {
    let by = |mut event: Value, ua: &str| {
        event["ua"] = json!(ua);
        event
    };
    let mut events: Vec<Value> = (0..60)
        .map(|n| by(unknown(f64::from(n) * 20.0, &format!("20.{n}.0.7")), "Mozilla/5.0 first/1"))
        .collect();
    events.extend((0..networks * each).map(|n| {
        let ip = format!("30.{}.0.7", n % networks);
        by(unknown(2.0 * HOUR + f64::from(n) * 20.0, &ip), ua)
    }));
    let findings = found(&events);
    let named = findings.iter().filter_map(|it| it["ip"].as_str());
    named.filter(|ip| ip.starts_with("30.")).count()
}

#[test]
fn a_run_hides_neither_that_of_another_program_nor_its_own_from_fifteen_networks() {
    assert_eq!(second_run("Mozilla/5.0 second/1", 12, 3), 12);
    assert_eq!(second_run("Mozilla/5.0 second/1", 7, 5), 0, "from seven networks");
    assert_eq!(second_run("Mozilla/5.0 second/1", 11, 2), 0, "twenty-two tries");
    assert_eq!(second_run("Mozilla/5.0 first/1", 16, 3), 16, "it lasts");
    assert_eq!(second_run("Mozilla/5.0 first/1", 14, 3), 0, "from fourteen");
}

#[test]
fn fifteen_different_tokens_of_nobody_within_a_day_are_guesses_and_one_again_and_again_is_not() {
    let tried = |count: u32, names: u32, pause: f64, is_good: bool| {
        let mut events: Vec<Value> = (0..count)
            .map(|n| {
                let mut event = unknown(60.0 + f64::from(n) * pause, "203.0.113.66");
                event["token_kind"] = json!("jwt");
                event["claimed_token"] = json!(format!("claimed-{}", n % names));
                event
            })
            .collect();
        events.extend(is_good.then(|| good(90.0, "203.0.113.66")));
        outcomes(&found(&events)).len()
    };
    // They are counted with an error of some per cent.
    assert_eq!((tried(15, 15, 1500.0, false), tried(12, 12, 1500.0, false)), (1, 0));
    assert_eq!(tried(20, 1, 1500.0, false), 0, "a token that was forgotten in a job");
    assert_eq!(tried(15, 15, 1500.0, true), 0, "among good ones");
    assert_eq!(tried(15, 15, 6000.0, false), 0, "within more than a day");
}
