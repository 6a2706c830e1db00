//! Keys of persons that go on at home, and are used besides where their owners never were.

use serde_json::{Value, json};

use crate::support::{event, found, with};

const HOUR: f64 = 3600.0;

/// The key, where it lives.
fn at_home(seconds: f64) -> Value {
    let members = json!({
        "subject": "u1", "client": "app", "token": "k1", "token_kind": "api_key", "ua": "Sync/3",
        "asn": 64500, "country": "DE", "net": "hosting", "method": "GET", "path": "/orders",
        "status": 200,
    });
    event(seconds, "request", "198.51.100.9", &members)
}

/// The owner, at a desk.
fn owner(seconds: f64) -> Value {
    let desk = json!({
        "ip": "192.0.2.1", "token": "t1", "token_kind": "jwt", "ua": "Browser/1", "asn": 64501,
        "country": "NO", "net": "residential",
    });
    with(at_home(seconds), &desk)
}

fn signs_in(event: Value) -> Value {
    let members = json!({
        "kind": "login", "username": "one", "result": "ok", "factor": "password", "complete": true,
        "token": null, "token_kind": null,
    });
    with(event, &members)
}

fn away(seconds: f64, more: &Value) -> Value {
    let place = json!({
        "ip": "203.0.113.66", "asn": 64666, "country": "BR", "net": "residential",
    });
    with(with(at_home(seconds), &place), more)
}

/// The owner at first, and so many uses at home within so many hours.
fn home(uses: u32, hours: f64) -> Vec<Value> {
    let pause = hours * HOUR / f64::from(uses);
    let uses = (0..uses).map(|n| at_home(f64::from(n) * pause));
    std::iter::once(owner(0.0)).chain(uses).collect()
}

/// Where the key is used away so often from the hour on, with so many uses at home in between.
fn stolen(hour: f64, times: u32, returns: u32, more: &Value) -> Vec<Value> {
    let at = |n: u32| hour * HOUR + f64::from(n) * 600.0;
    let uses = (0..times).map(|n| away(at(n), more));
    uses.chain((0..returns).map(|n| at_home(at(n) + 300.0))).collect()
}

fn told(parts: &[Vec<Value>]) -> usize {
    let mut findings = found(&parts.concat());
    findings.retain(|it| it["evidence"]["uses"].is_number());
    for finding in &findings {
        let named = ["detector", "response", "token", "ip"].map(|it| finding[it].as_str());
        assert_eq!(named[..3], [Some("token_sharing"), Some("tag"), Some("k1")]);
        assert_eq!(named[3], Some("203.0.113.66"));
    }
    findings.len()
}

#[test]
fn a_key_that_goes_on_at_home_and_comes_back_from_a_strange_country_is_in_two_hands() {
    let after = |times, returns| told(&[home(12, 12.0), stolen(12.0, times, returns, &json!({}))]);
    assert_eq!([10, 9].map(|times| after(times, 2)), [1, 0]);
    assert_eq!([20, 19].map(|times| after(times, 1)), [1, 0]);
    assert_eq!(after(40, 0), 0, "it went on a journey");
    assert_eq!(after(60, 30), 1, "once");
    let slow: Vec<Value> = (0..12u32)
        .flat_map(|n| {
            let at = 12.0 * HOUR + f64::from(n) * 9.0 * HOUR;
            [away(at, &json!({})), at_home(at + HOUR)]
        })
        .collect();
    assert_eq!(told(&[home(12, 12.0), slow]), 0, "within more than three days");
}

#[test]
fn a_place_is_a_keys_home_after_six_hours_and_eight_uses() {
    let after = |uses, hours| told(&[home(uses, hours), stolen(hours + 0.1, 12, 3, &json!({}))]);
    assert_eq!([8, 7].map(|uses| after(uses, 12.0)), [1, 0]);
    assert_eq!([6.0, 5.5].map(|hours| after(12, hours)), [1, 0]);
}

#[test]
fn people_are_not_where_a_key_is_copied_to_in_data_centres_companies_or_their_own_countries() {
    let at = |more: &Value| told(&[home(12, 12.0), stolen(12.0, 25, 3, more)]);
    for strange in [
        json!({}),
        json!({ "net": "mobile" }),
        json!({ "net": "vpn" }),
        json!({ "net": "tor" }),
        json!({ "net": "tor", "country": "DE" }),
        json!({ "token_kind": "pat" }),
    ] {
        assert_eq!(at(&strange), 1, "{strange}");
    }
    for none in [
        json!({ "net": "hosting" }),
        json!({ "net": "business" }),
        json!({ "net": null }),
        json!({ "country": null }),
        json!({ "country": "NO" }),
        json!({ "country": "DE" }),
        json!({ "net": "mobile", "country": "NO" }),
        json!({ "net": "vpn", "country": "DE" }),
        json!({ "net": "vpn", "country": "NO" }),
        json!({ "net": "vpn", "country": null }),
        json!({ "token_kind": "jwt" }),
        json!({ "refused": "expired", "status": 401 }),
    ] {
        assert_eq!(at(&none), 0, "{none}");
    }
    let mut own = [home(12, 12.0), stolen(12.0, 25, 3, &json!({ "net": "vpn" }))].concat();
    own.iter_mut().for_each(|it| it["subject"] = json!("app"));
    assert_eq!(told(&[own]), 0, "a client's own");
}

#[test]
fn through_tor_twenty_uses_need_no_return() {
    let tor = json!({ "net": "tor" });
    let after = |uses, times| told(&[home(uses, 12.0), stolen(12.0, times, 0, &tor)]);
    assert_eq!([20, 19].map(|times| after(8, times)), [1, 0]);
    assert_eq!(after(7, 20), 0, "it was hardly used at home");
    let always = vec![with(owner(60.0), &with(away(60.0, &tor), &json!({ "token": "t1" })))];
    assert_eq!(told(&[home(12, 12.0), always, stolen(12.0, 25, 3, &tor)]), 0, "its owner does so");
}

#[test]
fn where_the_owner_signed_in_the_key_is_theirs() {
    let after = |login: Value| {
        told(&[home(12, 12.0), vec![signs_in(login)], stolen(12.0, 25, 3, &json!({}))])
    };
    assert_eq!(after(owner(11.0 * HOUR)), 1);
    assert_eq!(after(away(12.0 * HOUR + 900.0, &json!({}))), 0, "after the key was used there");
}

#[test]
fn where_nothing_is_known_of_the_owners_country_a_home_is_not_strange_and_a_vpn_is() {
    let at = |more: &Value| told(&[home(12, 12.0)[1..].to_vec(), stolen(12.0, 25, 3, more)]);
    assert_eq!(at(&json!({})), 0);
    assert_eq!(at(&json!({ "net": "mobile" })), 0);
    assert_eq!(at(&json!({ "net": "vpn" })), 1);
}

#[test]
fn a_traveller_between_a_hotel_and_a_telephone_network_is_at_no_home() {
    let telephone = |seconds| {
        let network = json!({
            "ip": "100.64.3.4", "asn": 64502, "country": "NO", "net": "mobile",
        });
        away(seconds, &network)
    };
    let told = |before: bool| {
        let in_turn = (0..25u32).flat_map(|n| {
            let at = 12.0 * HOUR + f64::from(n) * 600.0;
            [away(at, &json!({})), telephone(at + 300.0)]
        });
        let before = before.then(|| telephone(HOUR)).into_iter();
        told(&[home(12, 12.0), before.collect(), in_turn.collect()])
    };
    assert_eq!([false, true].map(told), [0, 1], "where it was before it was seen away");
}

#[test]
fn tor_exits_do_not_answer_each_other() {
    let told = |uses, times: u32, returns| {
        let exit = |n: u32| json!({ "net": "tor", "asn": 64666 + n % 2, "ip": "203.0.113.66" });
        let exits = (0..times).map(|n| away(12.0 * HOUR + f64::from(n) * 600.0, &exit(n)));
        let back = (0..returns).map(|n| at_home(12.0 * HOUR + f64::from(n) * 600.0 + 300.0));
        told(&[home(uses, 12.0), exits.collect(), back.collect()])
    };
    assert_eq!(told(8, 38, 0), 0, "nineteen by each");
    assert_eq!(told(2, 120, 0), 0, "it was hardly anywhere else");
    assert_eq!([40, 20].map(|times| told(8, times, 0)), [1, 0]);
    assert_eq!(told(8, 20, 20), 1, "it was at home");
}
