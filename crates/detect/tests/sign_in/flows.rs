//! Abuse of OAuth flows: redirects, PKCE, consent, registration, scopes.

use serde_json::{Value, json};

use crate::support::{event, found, outcomes};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

fn redirect(seconds: f64, ip: &str, client: &str, host: &str) -> Value {
    let members = json!({ "client": client, "result": "bad_redirect_uri", "redirect_host": host });
    event(seconds, "authorize", ip, &members)
}

#[test]
fn redirects_tried_for_many_clients_or_hosts_are_found_slowly_too() {
    let clients: Vec<Value> = (0..30)
        .map(|n| redirect(f64::from(n), "192.0.2.66", &format!("c{n}"), "evil.example"))
        .collect();
    let hosts: Vec<Value> = (0..8)
        .map(|n| {
            redirect(f64::from(n) * 2.0 * HOUR, "192.0.2.66", "c1", &format!("c1.evil{n}.example"))
        })
        .collect();
    for events in [clients, hosts] {
        let findings = found(&events);
        assert_eq!(outcomes(&findings), [["redirect_probing", "medium", "tag"]]);
        assert!(findings[0].get("client").is_none(), "the clients are the victims");
    }
}

fn sent_back(seconds: f64, ip: &str, host: &str) -> Value {
    let mut event = redirect(seconds, ip, "c1", host);
    event["result"] = json!("ok");
    event
}

#[test]
fn names_that_look_like_the_clients_own_count_twice() {
    let run = |hosts: [&str; 2], gap: f64| {
        let mut events = vec![sent_back(0.0, "198.51.100.1", "app.example.com")];
        for (n, host) in hosts.iter().enumerate() {
            events.push(redirect(gap * (n as f64 + 1.0), "192.0.2.66", "c1", host));
        }
        found(&events).len()
    };
    let imitated = ["app.example.com.evil.net", "evil-app.example.com"];
    assert_eq!(run(imitated, 20.0 * HOUR), 1);
    assert_eq!(run(imitated, 80.0 * HOUR), 0, "not within three days");
    assert_eq!(run(["new.app.example.com", "localhost"], HOUR), 0, "what a developer tries");
}

#[test]
fn redirects_tried_from_many_networks_are_one_run() {
    let run = |host: &dyn Fn(usize) -> String| {
        let mut events = vec![sent_back(0.0, "198.51.100.1", "app.example.com")];
        for n in 0..24usize {
            let ip = format!("192.0.{}.66", n % 8);
            events.push(redirect(60.0 + n as f64 * 20.0, &ip, "c1", &host(n)));
        }
        found(&events)
    };
    let findings = run(&|n| format!("app.example.com.evil{}.net", n / 4));
    assert!(!findings.is_empty());
    assert!(
        findings.iter().all(|it| it["detector"] == "redirect_probing" && it["client"].is_null())
    );
    assert_eq!(run(&|n| format!("tenant{n}.example.com")), Vec::<Value>::new(), "one domain");
}

#[test]
fn wrong_set_ups_and_a_change_of_domain_are_no_probing() {
    let mut events: Vec<Value> =
        (0..500).map(|n| redirect(f64::from(n), "198.51.100.1", "c1", "app.example")).collect();
    for n in 0..12 {
        // Twelve clients with the old domain, met by an office and others.
        for (offset, ip) in
            ["203.0.113.1", "203.0.113.2", "203.0.113.3", "198.51.100.7"].iter().enumerate()
        {
            let at = 1000.0 + f64::from(n) * 60.0 + offset as f64;
            events.push(redirect(at, ip, &format!("old{n}"), "old.example"));
        }
    }
    assert_eq!(found(&events), Vec::<Value>::new());
}

fn code(seconds: f64, ip: &str, client: &str, good: bool) -> Value {
    let mut members =
        json!({ "client": client, "grant_type": "authorization_code", "result": "ok" });
    if !good {
        members["result"] = json!("invalid_grant");
        members["cause"] = json!("pkce_failed");
    }
    event(seconds, "grant", ip, &members)
}

#[test]
fn verifiers_that_do_not_fit_again_and_again_are_found() {
    let mut events: Vec<Value> = (0..50)
        .map(|n| code(f64::from(n) * 100.0, &format!("198.51.100.{n}"), "c1", true))
        .collect();
    events.extend((0..9).map(|n| code(2000.0 + f64::from(n) * 60.0, "192.0.2.66", "c1", false)));
    let expected = [["pkce_failures", "medium", "tag"]];
    assert_eq!(outcomes(&found(&events)), expected);
    let many: Vec<Value> =
        (0..6).map(|n| code(f64::from(n), "192.0.2.66", &format!("c{n}"), false)).collect();
    assert_eq!(outcomes(&found(&many)), expected);
}

#[test]
fn verifiers_that_one_library_tries_from_many_networks_are_found() {
    let told = |ua: &str, networks: i32, success: bool| {
        let mut events: Vec<Value> = (0..10)
            .map(|n| {
                let ip = format!("192.{}.2.66", n % networks);
                code(f64::from(n) * 1.5 * HOUR, &ip, &format!("c{}", n % 3), false)
            })
            .collect();
        if success {
            events.insert(5, code(7.2 * HOUR, "198.51.100.1", "c1", true));
        }
        events.iter_mut().for_each(|event| event["ua"] = json!(ua));
        found(&events).len()
    };
    assert_eq!(told("Python/3.11 aiohttp/3.9.1", 10, false), 3, "from the eighth on, each network");
    assert_eq!(told("Python/3.11 aiohttp/3.9.1", 5, false), 0, "few networks");
    assert_eq!(told("Python/3.11 aiohttp/3.9.1", 10, true), 3, "it works elsewhere");
    assert_eq!(told("Shop/3.1 (Android 14)", 10, false), 0, "an application with a mistake in it");
}

#[test]
fn a_library_is_one_by_its_user_agent_whatever_the_event_calls_it() {
    let named = |software: &str, ua: &str| {
        let events: Vec<Value> = (0..30)
            .map(|n| {
                let ip = format!("192.{}.2.66", n % 10);
                let mut failed = code(f64::from(n) * 2400.0, &ip, &format!("c{}", n % 3), false);
                (failed["software"], failed["ua"]) = (json!(software), json!(ua));
                failed
            })
            .collect();
        let mut ips: Vec<Value> = found(&events).iter().map(|it| it["ip"].clone()).collect();
        let told = ips.len();
        ips.sort_by_key(Value::to_string);
        ips.dedup();
        (told, ips.len())
    };
    assert_eq!(named("go", "Go-http-client/2.0"), (10, 10), "each network once");
    assert_eq!(named("curl", "Sync/3.1"), (10, 10), "the event says so");
    assert_eq!(named("go", "Sync/3.1"), (0, 0));
}

#[test]
fn verifiers_are_found_slowly_and_from_neighbours_while_the_client_works() {
    let run = |more: &dyn Fn(i32) -> Value, net: &str, broken: i32| {
        let mut events: Vec<Value> = vec![event(
            0.0,
            "grant",
            "198.51.100.1",
            &json!({ "client": "c1", "grant_type": "refresh_token", "result": "ok" }),
        )];
        events.extend((0..5).map(|n| {
            let mut failed = more(n);
            failed["net"] = json!(net);
            failed
        }));
        let others = (0..broken).map(|n| code(50.0, &format!("203.0.{n}.1"), "c1", false));
        events.extend(others);
        found(&events).len()
    };
    let slow = |n: i32| code(f64::from(n) * 4.0 * HOUR + 60.0, "192.0.2.66", "c1", false);
    let near = |n: i32| code(f64::from(n) + 60.0, &format!("192.0.2.{n}"), "c1", false);
    assert_eq!(run(&slow, "residential", 0), 1);
    assert_eq!(run(&slow, "residential", 4), 0, "a client that fails for many is broken");
    assert_eq!(run(&near, "vpn", 0), 1);
    assert_eq!(run(&near, "residential", 0), 0, "strangers");
}

#[test]
fn a_broken_client_and_two_tabs_are_no_stolen_codes() {
    let mut events: Vec<Value> = (0..300)
        .map(|n| code(f64::from(n), &format!("198.51.100.{}", n % 7), "broken", false))
        .collect();
    // A carrier's NAT where one in five has two tabs open.
    events.extend((0..300).map(|n| code(f64::from(n) * 20.0, "100.64.0.1", "c2", n % 5 != 0)));
    assert_eq!(found(&events), Vec::<Value>::new());
}

fn consent(n: i32, client: &str, scopes: &[&str], age: u64, verified: Option<bool>) -> Value {
    let mut members = json!({
        "client": client, "subject": format!("u{n}"), "scopes": scopes, "result": "granted",
        "client_age_s": age,
    });
    if let Some(verified) = verified {
        members["client_verified"] = json!(verified);
    }
    event(f64::from(n) * HOUR, "consent", &format!("198.51.100.{n}"), &members)
}

#[test]
fn a_young_client_that_collects_broad_consent_is_found_once() {
    for (verified, people) in [(Some(false), 5), (None, 10)] {
        let run = |count: i32| -> Vec<Value> {
            let scopes = ["openid", "mail.read", "offline_access"];
            found(
                &(0..count).map(|n| consent(n, "c1", &scopes, 9000, verified)).collect::<Vec<_>>(),
            )
        };
        let findings = run(30);
        assert_eq!(outcomes(&findings), [["consent_phishing", "high", "tag"]]);
        assert_eq!(findings[0]["client"], "c1");
        assert_eq!(findings[0]["evidence"]["people"].as_array().map(Vec::len), Some(people));
        let before = i32::try_from(people).expect("small") - 1;
        assert_eq!(run(before), Vec::<Value>::new());
    }
}

#[test]
fn few_people_are_enough_where_a_young_client_wants_much() {
    let much = ["orders:read", "files:read", "homes:read"];
    for (verified, people) in [(Some(false), 3), (None, 6)] {
        let run = |count: i32, scopes: &[&str]| {
            found(&(0..count).map(|n| consent(n, "c1", scopes, 9000, verified)).collect::<Vec<_>>())
        };
        assert_eq!(outcomes(&run(people, &much)), [["consent_phishing", "high", "tag"]]);
        assert_eq!(run(people - 1, &much), Vec::<Value>::new());
        let one = ["orders:read", "profile:read", "email"];
        assert_eq!(run(people, &one), Vec::<Value>::new(), "one thing, and who somebody is");
    }
}

#[test]
fn old_verified_and_modest_clients_are_no_phishing() {
    let broad = ["mail.read", "offline_access"];
    let mut events = Vec::new();
    for n in 0..40 {
        events.push(consent(n, "old", &broad, 90 * 24 * 3600, Some(false)));
        events.push(consent(n, "verified", &broad, 9000, Some(true)));
        events.push(consent(n, "modest", &["openid", "profile", "email"], 9000, Some(false)));
        // One person who tries an application again and again.
        let mut same = consent(n, "new", &broad, 9000, Some(false));
        same["subject"] = json!("u1");
        events.push(same);
    }
    assert_eq!(found(&events), Vec::<Value>::new());
}

fn register(seconds: f64, ip: &str, host: &str) -> Value {
    event(seconds, "register", ip, &json!({ "result": "ok", "redirect_hosts": [host] }))
}

#[test]
fn registrations_by_one_network_for_one_host_and_in_all_are_a_surge() {
    let expected = [["registration_surge", "medium", "tag"]];
    for gap in [5.0, 1000.0] {
        let one: Vec<Value> =
            (0..80).map(|n| register(f64::from(n) * gap, "192.0.2.66", "localhost")).collect();
        assert_eq!(outcomes(&found(&one)), expected, "{gap}");
    }
    let host: Vec<Value> = (0..40)
        .map(|n| register(f64::from(n) * 60.0, &format!("192.0.{n}.1"), "evil.example"))
        .collect();
    assert_eq!(outcomes(&found(&host)), expected);
    let mut all: Vec<Value> = (0..200)
        .map(|n| register(f64::from(n) * 900.0, &format!("198.51.{n}.1"), "localhost"))
        .collect();
    assert_eq!(found(&all), Vec::<Value>::new());
    all.extend((0..300).map(|n| {
        register(3.0 * DAY + f64::from(n), &format!("192.{}.{}.1", n / 200, n % 200), "localhost")
    }));
    assert_eq!(outcomes(&found(&all)), expected);
}

#[test]
fn many_domains_of_one_network_and_new_hosts_of_many_are_a_surge() {
    let slow: Vec<Value> = (0..14)
        .map(|n| register(f64::from(n) * 4.0 * HOUR, "192.0.2.66", &format!("a.evil{n}.example")))
        .collect();
    assert_eq!(found(&slow).len(), 1);
    let mut many = vec![register(0.0, "198.51.100.1", "localhost")];
    many.extend((0..40).map(|n| {
        let ip = format!("192.0.{}.66", n % 20);
        register(2.0 * HOUR + f64::from(n) * 60.0, &ip, &format!("s{n}.sites.example"))
    }));
    let findings = found(&many);
    assert!(!findings.is_empty());
    assert!(findings.iter().all(|it| it["detector"] == "registration_surge"));
}

#[test]
fn a_network_that_never_registered_or_many_for_a_new_domain_are_a_surge() {
    let slow = |start: f64, count: i32| -> Vec<Value> {
        let first = register(0.0, "198.51.100.1", "localhost");
        let slow = (0..count).map(|n| {
            let host = format!("cb{n}.evil.example");
            register(start + f64::from(n) * 2.0 * HOUR, "192.0.2.66", &host)
        });
        found(&[first].into_iter().chain(slow).collect::<Vec<_>>())
    };
    let findings = slow(DAY, 24);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["ip"], "192.0.2.66");
    assert_eq!(slow(DAY, 19), Vec::<Value>::new(), "few");
    assert_eq!(slow(HOUR, 24), Vec::<Value>::new(), "who may have done so before");
    let domain = |networks: i32, before: f64| {
        let mut events = vec![register(0.0, "198.51.100.1", "www.sites.example")];
        events.extend((0..24).map(|n| {
            let (ip, host) = (format!("192.0.{}.66", n % networks), format!("s{n}.sites.example"));
            register(before + f64::from(n) * 600.0, &ip, &host)
        }));
        found(&events).len()
    };
    assert_eq!(domain(8, HOUR), 1);
    assert_eq!(domain(2, HOUR), 0, "a platform and its test system");
    assert_eq!(domain(8, 25.0 * HOUR), 0, "a domain that is known");
}

#[test]
fn one_program_that_registers_from_many_networks_for_a_new_domain_each_is_a_surge() {
    let told = |networks: i32, ua: &dyn Fn(i32) -> String, host: &dyn Fn(i32) -> String| {
        let registered = (0..16).map(|n| {
            let ip = format!("192.{}.7.66", n % networks);
            let mut event = register(f64::from(n) * 0.5 * HOUR, &ip, &host(n));
            event["ua"] = json!(ua(n));
            event
        });
        found(&registered.collect::<Vec<_>>()).len()
    };
    let (one, many) = (|_| "curl/8.8.0".to_owned(), |n| format!("app{}/1", "x".repeat(n as usize)));
    let domain = |n| format!("cb.site{n}.example");
    assert_eq!(told(10, &one, &domain), 1);
    assert_eq!(told(7, &one, &domain), 0, "few networks");
    assert_eq!(told(10, &many, &domain), 0, "each its own program");
    assert_eq!(told(10, &one, &|_| "cb.site.example".to_owned()), 0, "one application's");
    assert_eq!(told(10, &one, &|n| format!("cb.site{}.example", n % 11)), 0, "few are new");
    assert_eq!(told(10, &one, &|_| "localhost".to_owned()), 0, "on one's own machine");
}

#[test]
fn a_platform_that_registers_a_client_for_each_customer_is_no_surge() {
    let host = |n: i32| format!("customer{n}.platform.example");
    let burst = |ip: &str| {
        let habit = (0..6).map(|n| register(f64::from(n) * HOUR, "192.0.2.10", &host(n)));
        let burst = (0..30).map(|n| register(9.0 * HOUR + f64::from(n) * 20.0, ip, &host(n + 10)));
        found(&habit.chain(burst).collect::<Vec<_>>()).len()
    };
    assert_eq!(burst("192.0.2.10"), 0, "who did so before");
    assert_eq!(burst("192.0.2.99"), 1);
}

fn granted(seconds: f64, scopes: &[&str]) -> Value {
    let members = json!({
        "client": "c1", "grant_type": "client_credentials", "result": "ok", "scopes": scopes,
    });
    event(seconds, "grant", "198.51.100.9", &members)
}

#[test]
fn a_client_that_asks_for_more_than_ever_is_told_and_a_new_release_is_not() {
    let habit = || (0..240).map(|n| granted(f64::from(n) * HOUR, &["orders:read", "stock:read"]));
    let asked = |scopes: &[&str]| {
        let mut events: Vec<Value> = habit().collect();
        events.extend((0..50).map(|n| granted(10.0 * DAY + f64::from(n) * HOUR / 4.0, scopes)));
        found(&events)
    };
    for scopes in [&["orders:read", "users:admin"][..], &["a:read", "b:read", "c:read"]] {
        let findings = asked(scopes);
        assert_eq!(outcomes(&findings), [["scope_creep", "low", "tag"]]);
    }
    assert_eq!(asked(&["orders:read", "labels:read"]), Vec::<Value>::new());
    // A service of two days is known: nobody's role is new to it.
    let service = |scopes: &[&str]| {
        let mut events: Vec<Value> = habit().take(48).collect();
        events.push(granted(48.5 * HOUR, scopes));
        events
    };
    let admin = ["orders:read", "users:admin"];
    assert_eq!(outcomes(&found(&service(&admin))), [["scope_creep", "low", "tag"]]);
    let mut people = service(&admin);
    people.iter_mut().for_each(|event| event["grant_type"] = json!("authorization_code"));
    assert_eq!(found(&people), Vec::<Value>::new());
    // A young client is only getting started.
    let young: Vec<Value> = (0..23)
        .map(|n| granted(f64::from(n) * HOUR, &["x", "users:admin"][..1 + n as usize / 22]))
        .collect();
    assert_eq!(found(&young), Vec::<Value>::new());
}

#[test]
fn one_person_of_an_app_may_have_a_new_role_and_two_are_worth_a_question() {
    let run = |people: i32| {
        let by = |mut event: Value, subject: String| {
            (event["subject"], event["grant_type"]) = (json!(subject), json!("refresh_token"));
            event
        };
        let habit = (0..240).map(|n| granted(f64::from(n) * HOUR, &["orders:read"]));
        let asked = (0..9).map(|n| granted(10.0 * DAY + f64::from(n) * HOUR, &["users:admin"]));
        let all = habit.chain(asked).enumerate();
        found(&all.map(|(n, it)| by(it, format!("u{}", n as i32 % people))).collect::<Vec<_>>())
    };
    assert_eq!(run(1), Vec::<Value>::new());
    assert_eq!(outcomes(&run(2)), [["scope_creep", "low", "tag"]]);
}

/// What a client that people use asks for from its second hour on, each time after half an hour.
fn climb(kind: &str, sets: &[(&[&str], &str)]) -> Vec<Value> {
    let ask = |at: f64, scopes: &[&str], result: &str| {
        let members = json!({
            "client": "c1", "scopes": scopes, "result": result, "grant_type": "refresh_token",
        });
        event(at, kind, "198.51.100.9", &members)
    };
    let first = if kind == "consent" { "granted" } else { "ok" };
    let mut events = vec![ask(0.0, &["orders:read"], first)];
    events.extend(
        sets.iter()
            .enumerate()
            .map(|(n, (scopes, result))| ask(HOUR * (2.0 + n as f64 / 2.0), scopes, result)),
    );
    found(&events)
}

#[test]
fn a_client_that_asks_people_for_ever_more_is_told() {
    let all = ["orders:read", "stock:read", "mail:read", "users:admin"];
    let yes = "granted";
    let steps = [(&all[..2], yes), (&all[..3], "denied"), (&all[..4], "denied")];
    assert_eq!(outcomes(&climb("consent", &steps)), [["scope_creep", "low", "tag"]]);
    let declined = steps.map(|(scopes, _)| (scopes, "denied"));
    assert_eq!(climb("consent", &declined), Vec::<Value>::new(), "nobody agreed");
    let modest = ["orders:read", "stock:read", "mail:read", "labels:read"];
    let steps = [(&modest[..2], yes), (&modest[..3], yes), (&modest[..4], yes)];
    assert_eq!(climb("consent", &steps), Vec::<Value>::new(), "a new release, step by step");
    let roles = [(&all[..2], yes), (&all[3..], yes), (&all[..1], yes), (&all[1..3], yes)];
    assert_eq!(climb("consent", &roles), Vec::<Value>::new(), "people of different roles");
}

#[test]
fn three_people_who_agree_to_far_more_than_a_client_ever_asked_for_are_told() {
    let all = ["orders:read", "stock:read", "mail:read", "users:admin"];
    let run = |known: i32, people: i32, scopes: &[&str], verified: Option<bool>| {
        let mut events: Vec<Value> =
            (0..known).map(|n| consent(n, "c1", &all[..1], 9_000_000, verified)).collect();
        for n in 0..people {
            let mut more = consent(known, "c1", scopes, 9_000_000, verified);
            more["subject"] = json!(format!("v{n}"));
            events.push(more);
        }
        found(&events)
    };
    let no = Some(false);
    assert_eq!(outcomes(&run(12, 3, &all, no)), [["scope_creep", "low", "tag"]]);
    assert_eq!(run(12, 2, &all, no), Vec::<Value>::new(), "two people");
    assert_eq!(run(12, 3, &all[..3], no), Vec::<Value>::new(), "two scopes");
    let vouched = run(12, 3, &all, Some(true));
    assert_eq!(outcomes(&vouched), [["scope_creep", "low", "tag"]], "somebody vouches for it");
    let new = json!(["mail:read", "stock:read", "users:admin"]);
    assert_eq!(vouched[0]["evidence"]["new"], new, "whoever asked before");
    assert_eq!(run(12, 3, &all, None), Vec::<Value>::new(), "nobody says what it is");
    assert_eq!(run(5, 3, &all, no), Vec::<Value>::new(), "it has not shown what it asks for");
}

#[test]
fn three_sets_of_scopes_that_are_refused_are_told_and_one_again_and_again_is_not() {
    let all = ["orders:read", "stock:read", "mail:read", "labels:read"];
    let no = "invalid_scope";
    let findings = climb("grant", &[(&all[..2], no), (&all[..3], no), (&all[..4], no)]);
    assert_eq!(outcomes(&findings), [["scope_creep", "low", "tag"]]);
    assert_eq!(climb("grant", &[(&all[..4], no); 8]), Vec::<Value>::new());
}

#[test]
fn links_that_anybody_can_make_do_not_harm_a_client() {
    let mut events: Vec<Value> =
        (0..240).map(|n| granted(f64::from(n) * HOUR, &["orders:read"])).collect();
    for n in 0..50 {
        let members = json!({ "client": "c1", "scopes": ["users:admin"], "result": "ok" });
        events.push(event(9.0 * DAY + f64::from(n), "authorize", "192.0.2.66", &members));
    }
    assert_eq!(found(&events), Vec::<Value>::new());
}

#[test]
fn a_client_that_fails_for_many_is_looked_at_where_it_works_for_twice_as_many_on_that_day() {
    let told = |working: u32, others: u32, ago: f64| {
        let at = 20.0 * HOUR;
        let good = |n| code(at - ago * HOUR - f64::from(n), &format!("20.{n}.0.7"), "c1", true);
        let bad = |n| code(at + f64::from(n), &format!("30.{n}.0.7"), "c1", false);
        let stolen = |n| code(at + 60.0 + f64::from(n) * 60.0, "203.0.113.66", "c1", false);
        let today = code(at - 30.0, "20.0.0.7", "c1", true);
        let good = (0..working).map(good).chain([today]);
        let events = good.chain((0..others).map(bad)).chain((0..5).map(stolen));
        let findings = found(&events.collect::<Vec<_>>());
        assert!(findings.iter().all(|it| it["ip"] == "203.0.113.66"));
        findings.len()
    };
    // They are counted with an error of some per cent.
    assert_eq!([9, 6].map(|working| told(working, 3, 1.0)), [1, 0]);
    assert_eq!([22, 16].map(|working| told(working, 9, 1.0)), [1, 0]);
    assert_eq!((told(1, 2, 1.0), told(1, 3, 1.0)), (1, 0), "three fail always");
    assert_eq!([9.0, 11.0].map(|ago| told(40, 3, ago)), [1, 0], "on the day before");
}

#[test]
fn a_surge_of_registrations_names_the_client_that_was_registered_last_and_its_address() {
    let named = |count: i32, more: &dyn Fn(i32) -> (String, String, &'static str)| {
        let registered = (0..count).map(|n| {
            let (ip, host, ua) = more(n);
            let mut event = register(f64::from(n) * 600.0, &ip, &host);
            event["client"] = json!(format!("c{n}"));
            event["ua"] = json!(ua);
            event
        });
        let findings = found(&registered.collect::<Vec<_>>());
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0]["detector"], "registration_surge");
        [findings[0]["client"].clone(), findings[0]["ip"].clone()]
    };
    let by_host = |n| (format!("192.0.{n}.1"), "evil.example".to_owned(), "");
    assert_eq!(named(20, &by_host), ["c19", "192.0.19.1"]);
    let by_domain = |n| (format!("192.0.{}.66", n % 8), format!("s{n}.sites.example"), "");
    assert_eq!(named(20, &by_domain), ["c19", "192.0.3.66"]);
    let by_program = |n| (format!("192.{n}.7.66"), format!("cb.site{n}.example"), "curl/8.8.0");
    assert_eq!(named(12, &by_program), ["c11", "192.11.7.66"]);
}
