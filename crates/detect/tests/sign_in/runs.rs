//! Runs of many networks that take their time: keys that are guessed, forgeries in one name, and registrations.

use serde_json::{Value, json};

use crate::support::{event, found, with};

const HOUR: f64 = 3600.0;
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
/// Of the stream's start to the beginning of six hours by the clock.
const SIX_HOURS: f64 = 13_600.0;

fn ip(network: u32) -> String {
    format!("1{}.9.0.7", 10 + network)
}

/// A key that is nobody's.
fn unknown(seconds: f64, network: u32, more: &Value) -> Value {
    let members = json!({
        "token_kind": "pat", "method": "GET", "path": "/builds/1", "status": 401,
        "refused": "unknown_token", "ua": format!("tool-{}/1.0", ["a", "b", "c"][network as usize % 3]),
        "claimed_token": format!("k{seconds}"),
    });
    with(event(seconds, "request", &ip(network), &members), more)
}

fn good(seconds: f64, network: u32) -> Value {
    let good = json!({
        "subject": "u1", "client": "ci", "token": "p1", "status": 200, "refused": null,
        "claimed_token": null,
    });
    unknown(seconds, network, &good)
}

fn guesses(events: &[Value]) -> usize {
    found(events).iter().filter(|it| it["detector"] == "token_guessing").count()
}

/// So many keys from so many networks in turn, within six hours by the clock.
fn tries(count: u32, networks: u32, pause: f64, more: &Value) -> Vec<Value> {
    let at = |n: u32| SIX_HOURS + 100.0 + f64::from(n) * pause;
    (0..count).map(|n| unknown(at(n), n % networks, more)).collect()
}

#[test]
fn twenty_keys_from_ten_networks_within_six_hours_are_guesses() {
    let told = |count, networks, pause| guesses(&tries(count, networks, pause, &json!({})));
    assert_eq!([20, 19].map(|count| told(count, 10, 900.0)), [1, 0]);
    assert_eq!([10, 9].map(|networks| told(20, networks, 900.0)), [1, 0]);
    assert_eq!([1130.0, 1140.0].map(|pause| told(20, 10, pause)), [1, 0]);
    let of = |more: Value| guesses(&tries(20, 10, 900.0, &more));
    assert_eq!(of(json!({ "token_kind": "api_key" })), 1);
    assert_eq!(of(json!({ "ua": null })), 1);
    for none in [
        json!({ "token_kind": "jwt" }),
        json!({ "token_kind": "opaque" }),
        json!({ "ua": BROWSER }),
        json!({ "claimed_token": "k1" }),
        json!({ "claimed_token": null }),
        json!({ "refused": "expired" }),
    ] {
        assert_eq!(of(none.clone()), 0, "{none}");
    }
}

#[test]
fn a_network_with_a_good_key_guesses_none() {
    let after = |homes: u32| {
        let before = (0..homes)
            .flat_map(|n| [unknown(SIX_HOURS + 1.0, n, &json!({})), good(SIX_HOURS + 2.0, n)]);
        guesses(&before.chain(tries(20, 10, 900.0, &json!({}))).collect::<Vec<_>>())
    };
    assert_eq!([0, 1, 10].map(after), [1, 0, 0]);
}

#[test]
fn six_hours_bring_four_times_as_many_keys_as_any_before() {
    let after_one = |before: u32, count: u32, networks: u32| {
        let usual =
            (0..before).map(|n| unknown(f64::from(n) * 60.0, 40 + n % networks, &json!({})));
        // What came before may be honest, so that a network is named at its third.
        let run = (0..count).map(|n| {
            let at = SIX_HOURS + 6.0 * HOUR + f64::from(n) * 900.0;
            unknown(at, if n < 10 { n } else { n % 3 }, &json!({}))
        });
        guesses(&usual.chain(run).collect::<Vec<_>>())
    };
    let after = |before, count| after_one(before, count, 40);
    assert_eq!([after(5, 20), after(6, 20)], [1, 0]);
    assert_eq!(after_one(10, 20, 1), 1, "of one network three count");
    assert_eq!([after(6, 24), after(6, 23)], [1, 0]);
}

/// Forgeries in one client's name: of this token and network each, some seconds apart. The networks that are named.
fn forged(
    kind: &str,
    parts: &[(u32, u32)],
    pause: f64,
    homes: &[u32],
    more: &Value,
) -> Vec<String> {
    let mut events: Vec<Value> = homes.iter().map(|network| good(0.0, *network)).collect();
    for (n, (token, network)) in parts.iter().enumerate() {
        let members = json!({
            "method": "GET", "path": "/orders", "status": 401, "refused": format!("forged:{kind}"),
            "claimed_client": "victim", "claimed_token": format!("t{token}"),
        });
        let forged = event(60.0 + n as f64 * pause, "request", &ip(*network), &members);
        events.push(with(forged, more));
    }
    let mut findings = found(&events);
    findings.retain(|it| it["evidence"]["networks"].is_number());
    assert!(findings.iter().all(|it| it["detector"] == "forged_token" && it["response"] == "tag"));
    findings.iter().map(|it| it["ip"].as_str().expect("an address").to_owned()).collect()
}

/// So many different tokens from so many networks in turn.
fn different(tokens: u32, networks: u32) -> Vec<(u32, u32)> {
    (0..tokens).map(|n| (n, n % networks)).collect()
}

#[test]
fn tokens_of_unknown_keys_are_a_campaign_if_they_are_two_more_than_their_networks() {
    let of = |parts: &[(u32, u32)], pause| forged("unknown_key", parts, pause, &[], &json!({}));
    let counts = |networks: u32, tokens: [u32; 2]| {
        tokens.map(|tokens| of(&different(tokens, networks), 600.0).len())
    };
    assert_eq!(counts(3, [5, 4]), [1, 0]);
    assert_eq!(counts(4, [6, 5]), [1, 0]);
    assert_eq!(counts(6, [8, 7]), [1, 0]);
    assert_eq!(counts(2, [4, 4]), [0, 0], "two networks");
    assert_eq!([3599.0, 3605.0].map(|pause| of(&different(5, 3), pause).len()), [1, 0]);
    let relics: Vec<(u32, u32)> = (0..60).map(|n| (n % 12, n % 12)).collect();
    assert_eq!(of(&relics, 100.0), [""; 0], "one each, again and again");
    let mut named = of(&different(30, 6), 100.0);
    named.sort_unstable();
    assert_eq!(named, (0..6).map(ip).collect::<Vec<_>>(), "each once");
}

#[test]
fn slow_wrong_signatures_are_a_campaign_of_five_networks() {
    let of = |parts: &[(u32, u32)], pause| forged("bad_signature", parts, pause, &[], &json!({}));
    assert_eq!([5, 4].map(|count| of(&different(count, 5), 2000.0).len()), [1, 0]);
    assert_eq!([3599.0, 3605.0].map(|pause| of(&different(5, 5), pause).len()), [1, 0]);
    let same: Vec<(u32, u32)> = (0..5).map(|n| (n % 4, n)).collect();
    assert_eq!(of(&same, 2000.0), [""; 0], "four tokens");
}

#[test]
fn networks_where_somebody_is_let_in_and_other_names_are_no_part_of_a_campaign() {
    let among = |homes: &[u32], more: &Value| {
        forged("unknown_key", &different(8, 4), 600.0, homes, more).len()
    };
    assert!(among(&[], &json!({})) > 0);
    assert_eq!(among(&[0, 1], &json!({})), 0, "two networks are left");
    assert_eq!(among(&[0, 1, 2, 3], &json!({})), 0);
    for none in [
        json!({ "claimed_client": null }),
        json!({ "claimed_token": null }),
        json!({ "refused": "forged:expired" }),
        json!({ "refused": "expired" }),
    ] {
        assert_eq!(among(&[], &none), 0, "{none}");
    }
}

/// Clients that were registered by these programs in turn, from so many networks, each for another domain.
fn registered(count: u32, networks: u32, pause: f64, by: &[&str]) -> Vec<Value> {
    let register = |n: u32| {
        let members = json!({
            "result": "ok", "redirect_hosts": [format!("shop{n}.example")], "client": format!("c{n}"),
            "ua": by[n as usize % by.len()],
        });
        event(2.0 * HOUR + f64::from(n) * pause, "register", &ip(n % networks), &members)
    };
    (0..count).map(register).collect()
}

fn surges(events: &[Value]) -> usize {
    let findings = found(events);
    assert!(findings.iter().all(|it| it["detector"] == "registration_surge"));
    findings.len()
}

const LIBRARIES: [&str; 6] =
    ["python-requests/2.32", "curl/8.5", "axios/1.7", "Go-http-client/2.0", "okhttp/4.12", "node"];

#[test]
fn sixteen_new_domains_by_libraries_from_twelve_networks_within_a_day_are_a_surge() {
    let told = |count, networks, pause| surges(&registered(count, networks, pause, &LIBRARIES));
    assert_eq!([16, 15].map(|count| told(count, 12, 1800.0)), [1, 0]);
    assert_eq!([12, 11].map(|networks| told(20, networks, 1800.0)), [1, 0]);
    assert_eq!([5750.0, 5770.0].map(|pause| told(16, 12, pause)), [1, 0], "a day");
    let own: Vec<String> =
        (0..6).map(|n| format!("Shop-{}/1.0", ["a", "b", "c", "d", "e", "f"][n])).collect();
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    assert_eq!(surges(&registered(40, 20, 1800.0, &own)), 0, "programs with names");
    assert_eq!(surges(&registered(11, 11, 1800.0, &[BROWSER])), 0);
    let half = [&LIBRARIES[..], &own].concat();
    assert_eq!(
        [28, 27].map(|count| surges(&registered(count, 20, 1800.0, &half))),
        [1, 0],
        "fifteen"
    );
}

#[test]
fn domains_that_were_known_before_are_no_surge() {
    let again = |known: u32| {
        let before = registered(known, 12, 60.0, &["Portal/1.0", "Shop/2.0", "Desk/3.0"]);
        let before = before.into_iter().map(|mut it| {
            it["ip"] = json!("198.51.100.9");
            it
        });
        let later = registered(16, 12, 1800.0, &LIBRARIES).into_iter().map(|mut it| {
            it["redirect_hosts"] = json!([it["redirect_hosts"][0], "localhost"]);
            it
        });
        surges(&before.chain(later).collect::<Vec<_>>())
    };
    assert_eq!([0, 1, 8].map(again), [1, 0, 0]);
}
