//! Clients that go on with the tokens they have, and strangers who use them.

use serde_json::{Value, json};

use crate::support::{event, found, with};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;
const AWAY: &str = "203.0.113.66";

/// A client authenticates where it lives.
fn client(seconds: f64) -> Value {
    let members = json!({
        "client": "c1", "method": "client_secret_basic", "result": "ok", "ua": "Partner/3.1",
        "net": "hosting", "country": "DE",
    });
    event(seconds, "client_auth", "198.51.100.9", &members)
}

/// It uses a token of its own there.
fn used(seconds: f64) -> Value {
    let members = json!({
        "kind": "request", "token": "t1", "token_kind": "jwt", "method": "GET", "path": "/orders",
        "status": 200,
    });
    with(client(seconds), &members)
}

fn changed(seconds: f64) -> Value {
    let change = json!({ "actor": "ops", "action": "client.secret", "target": "c1" });
    event(seconds, "admin", "192.0.2.44", &change)
}

/// Another hand does the same, by software with a name of its own.
fn strange(event: Value) -> Value {
    let place = json!({ "ip": AWAY, "ua": "Import/8", "net": "residential", "country": "BR" });
    with(event, &place)
}

/// Or by a library.
fn by_library(event: Value) -> Value {
    with(strange(event), &json!({ "ua": "curl/8" }))
}

/// The classes of what is told of the stranger.
fn classes(parts: &[Vec<Value>]) -> Vec<String> {
    let mut findings = found(&parts.concat());
    findings.retain(|it| it["detector"] == "client_secret_sharing");
    for finding in &findings {
        let named = ["response", "client", "ip"].map(|it| finding[it].as_str());
        assert_eq!(named[1..], [Some("c1"), Some(AWAY)]);
    }
    findings.iter().map(|it| it["class"].as_str().expect("text").to_owned()).collect()
}

/// Three times at home, with these members, and then so many requests of a stranger's, with those.
fn visited(home: &Value, count: u32, pause: f64, more: &Value) -> usize {
    let at_home = (0..3).map(|n| with(client(f64::from(n) * HOUR), home)).collect();
    let visit = |n| with(strange(used(2.1 * HOUR + f64::from(n) * pause)), more);
    classes(&[at_home, (0..count).map(visit).collect()]).len()
}

#[test]
fn five_requests_from_where_people_are_in_a_country_where_a_server_never_was_are_another_hand() {
    let told = |count, pause| visited(&json!({}), count, pause, &json!({}));
    assert_eq!([5, 4].map(|count| told(count, 60.0)), [1, 0]);
    assert_eq!([890.0, 905.0].map(|pause| told(5, pause)), [1, 0], "within an hour");
    assert_eq!(told(60, 20.0), 1, "once");
    let by = |count, more: &Value| visited(&json!({}), count, 20.0, more);
    for net in ["residential", "mobile", "vpn", "tor"] {
        assert_eq!(by(5, &json!({ "net": net })), 1, "{net}");
    }
    for more in [
        json!({ "net": "hosting" }),
        json!({ "net": "business" }),
        json!({ "net": null }),
        json!({ "country": "DE" }),
        json!({ "country": null }),
    ] {
        assert_eq!([39, 40].map(|count| by(count, &more)), [0, 1], "{more}");
    }
    for net in [json!("hosting"), json!("business"), Value::Null] {
        let library = json!({ "net": net, "ua": "curl/8" });
        assert_eq!([4, 5].map(|count| by(count, &library)), [0, 1], "{library}");
    }
    for country in [json!("DE"), Value::Null] {
        let library = json!({ "net": "hosting", "ua": "curl/8", "country": country });
        assert_eq!([39, 40].map(|count| by(count, &library)), [0, 1], "{library}");
    }
    for none in [
        json!({ "ua": "Partner/4.0" }),
        json!({ "ip": "198.51.7.7" }),
        json!({ "refused": "expired", "status": 401 }),
        json!({ "subject": "u1", "session": "s1" }),
        json!({ "client": "c2" }),
    ] {
        assert_eq!(by(60, &none), 0, "{none}");
    }
}

#[test]
fn a_client_that_was_among_people_or_of_which_no_country_is_known_may_go_abroad() {
    let told = |home: &Value| [39, 40].map(|count| visited(home, count, 20.0, &json!({})));
    assert_eq!(told(&json!({ "net": "business" })), [1, 1], "an office");
    for home in
        [json!({ "net": "residential" }), json!({ "net": null }), json!({ "country": null })]
    {
        assert_eq!(told(&home), [0, 1], "{home}");
    }
    let library = json!({ "ua": "curl/8" });
    let by_library = |home: &Value| [4, 5].map(|count| visited(home, count, 20.0, &library));
    assert_eq!(by_library(&json!({ "net": "residential" })), [0, 1], "wherever it is at home");
    assert_eq!(by_library(&json!({ "country": null })), [0, 0]);
    let also = |net: &str| {
        let desk = with(client(60.0), &json!({ "net": net }));
        let at_home = (0..3).map(|n| client(f64::from(n) * HOUR)).collect();
        let visit = |n| strange(used(2.1 * HOUR + f64::from(n) * 20.0));
        classes(&[at_home, vec![desk], (0..10).map(visit).collect()]).len()
    };
    assert_eq!((also("hosting"), also("residential")), (1, 0), "a laptop as well");
}

/// A client for three hours, and then its secret is changed.
fn rotated() -> Vec<Value> {
    let own = (0..18).map(|n| client(f64::from(n) * 600.0));
    own.chain(std::iter::once(changed(3.0 * HOUR - 60.0))).collect()
}

#[test]
fn what_a_stranger_does_with_a_token_is_told_though_it_was_told_that_they_have_the_secret() {
    let own: Vec<Value> = (18..36).map(|n| client(f64::from(n) * 600.0)).collect();
    let signs_in = |n| strange(client(3.5 * HOUR + 30.0 + f64::from(n) * 700.0));
    let visit = |n| strange(used(3.8 * HOUR + f64::from(n) * 20.0));
    let told = |times: u32, requests: u32| {
        let (times, requests) = ((0..times).map(signs_in), (0..requests).map(visit));
        classes(&[rotated(), own.clone(), times.collect(), requests.collect()])
    };
    assert_eq!(told(2, 0), ["statistical"]);
    assert_eq!(told(0, 5), ["statistical"]);
    assert_eq!(told(2, 5), ["statistical"; 2]);
}

#[test]
fn a_client_that_goes_on_with_a_token_was_at_home_between_a_strangers_sign_ins() {
    let settled: Vec<Value> = (0..96).map(|n| client(f64::from(n) * HOUR)).collect();
    let told = |times: u32, between: &dyn Fn(Value) -> Value| {
        let at = |n: u32| 4.0 * DAY + 60.0 + f64::from(n) * HOUR;
        let signs_in = (0..times).map(|n| strange(client(at(n)))).collect();
        let goes_on = (0..times).map(|n| between(used(at(n) + 1800.0))).collect();
        classes(&[settled.clone(), signs_in, goes_on])
    };
    let more = |more: Value| move |event| with(event, &more);
    assert_eq!(told(3, &|it| it), ["statistical"]);
    assert_eq!(told(2, &|it| it), [""; 0]);
    assert_eq!(told(6, &strange), [""; 0], "the stranger goes on");
    for none in [
        json!({ "ip": "192.0.2.77" }),
        json!({ "refused": "expired", "status": 401 }),
        json!({ "subject": "u1", "session": "s1" }),
        json!({ "client": "c2" }),
    ] {
        assert_eq!(told(6, &more(none.clone())), [""; 0], "{none}");
    }
}

#[test]
fn before_a_client_used_its_new_secret_a_stranger_with_one_is_told_and_not_for_certain() {
    let signed_in = |times: u32, uses: bool, goes_on: bool, by: fn(Value) -> Value| {
        let at = |n: u32| 3.5 * HOUR + 30.0 + f64::from(n) * 700.0;
        let used_new = uses.then(|| client(3.1 * HOUR)).into_iter().collect();
        let signs_in = (0..times).map(|n| by(client(at(n)))).collect();
        let own = (0..times).map(|n| used(at(n) + 300.0)).filter(|_| goes_on).collect();
        classes(&[rotated(), used_new, signs_in, own])
    };
    let told = |times, uses, goes_on| signed_in(times, uses, goes_on, strange);
    let of_library = |times, goes_on| signed_in(times, false, goes_on, by_library);
    assert_eq!([1, 2].map(|times| of_library(times, true).len()), [0, 1], "one return is enough");
    assert_eq!(of_library(9, true), ["statistical"], "however often");
    assert_eq!(of_library(9, false), [""; 0], "the client was not there in between");
    assert_eq!(told(3, false, true), ["statistical"]);
    assert_eq!(told(9, false, true), ["statistical"], "however often");
    assert_eq!(told(2, false, true), [""; 0]);
    assert_eq!(told(9, false, false), [""; 0], "the client was not there in between");
    assert_eq!(told(3, true, true), ["statistical", "certain"]);
    // For longer than a day, after which it is looked at anew.
    let at = |n: u32| 3.5 * HOUR + f64::from(n) * HOUR;
    let signs_in = (0..40).map(|n| strange(client(at(n)))).collect();
    let goes_on = (0..40).map(|n| strange(used(at(n) + 1800.0))).collect();
    assert_eq!(classes(&[rotated(), signs_in, goes_on]), [""; 0], "the stranger goes on");
}

#[test]
fn strange_software_from_three_strange_places_after_a_change_may_have_the_secret() {
    let told = |places: u32, pause: f64, is_changed: bool, ua: &str| {
        let mut events: Vec<Value> = (0..40).map(|n| client(f64::from(n) * 0.5 * HOUR)).collect();
        if is_changed {
            events.push(changed(20.0 * HOUR));
            events.push(client(20.1 * HOUR));
        }
        events.extend((0..places).map(|n| {
            let place = json!({ "ip": format!("20.{n}.0.7"), "ua": ua, "country": "BR" });
            with(client(21.0 * HOUR + f64::from(n) * pause), &place)
        }));
        let mut findings = found(&events);
        findings.retain(|it| it["detector"] == "client_secret_sharing");
        assert!(findings.iter().all(|it| it["class"] == "statistical" && it["client"] == "c1"));
        findings.len()
    };
    assert_eq!([3, 2].map(|places| told(places, 300.0, true, "Import/8")), [1, 0]);
    assert_eq!([2, 1].map(|places| told(places, 300.0, true, "curl/8")), [1, 1], "a library");
    assert_eq!(told(3, 300.0, false, "Import/8"), 0, "it was never changed");
    assert_eq!(told(3, 300.0, false, "curl/8"), 0, "nor by a library");
    assert_eq!(told(3, 300.0, true, "Partner/3.2"), 0, "its own software moves");
    assert_eq!([11.0, 13.0].map(|hours| told(3, hours * HOUR, true, "Import/8")), [1, 0], "a day");
}

/// After the change so many sign-ins by these hosts in turn, while the client goes on. What is told of them.
fn by_turns(hosts: u32, times: u32, pause: f64, ua: &str) -> Vec<String> {
    let own = (18..60).map(|n| client(f64::from(n) * 600.0)).collect();
    let signs_in = |n: u32| {
        let place = json!({ "ip": format!("20.{}.0.7", n % hosts), "ua": ua, "country": "BR" });
        with(client(3.5 * HOUR + 30.0 + f64::from(n) * pause), &place)
    };
    let mut findings = found(&[rotated(), own, (0..times).map(signs_in).collect()].concat());
    findings.retain(|it| it["detector"] == "client_secret_sharing");
    findings.iter().map(|it| it["class"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn strangers_with_a_secret_who_change_hosts_come_back_to_several() {
    assert_eq!([2, 3].map(|times| by_turns(2, times, 700.0, "Import/8").len()), [0, 1]);
    assert_eq!(by_turns(2, 5, 700.0, "Import/8"), ["statistical", "certain"]);
    assert_eq!(by_turns(2, 5, 700.0, "curl/8"), ["statistical", "certain"]);
    assert_eq!(by_turns(2, 1, 700.0, "curl/8"), ["statistical"], "a library at once");
    let own = |hosts, times, pause| by_turns(hosts, times, pause, "Partner/3.2");
    assert_eq!([3, 4].map(|times| own(2, times, 1300.0).len()), [0, 1]);
    assert_eq!([590.0, 610.0].map(|pause| own(2, 4, pause).len()), [0, 1], "half an hour");
    assert_eq!([4, 5].map(|hosts| own(hosts, 10, 1300.0).len()), [1, 0], "as many as are held");
}
