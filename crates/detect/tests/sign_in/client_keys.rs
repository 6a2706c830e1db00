//! Clients' own keys that go on where they were, and are used besides by other programs in other places.

use serde_json::{Value, json};

use crate::support::{event, found, with};

const HOUR: f64 = 3600.0;
const NEW: &str = "t13d1516h2_8daaf6152771_02713d6af862";
const OTHER: &str = "t13d301000_01455d0db58d_5ac7197df9d2";

/// The key, where it lives.
fn at_home(seconds: f64) -> Value {
    let members = json!({
        "client": "jobs", "token": "k1", "token_kind": "api_key", "ua": "Jobs/2.1", "asn": 64500,
        "country": "DE", "net": "hosting", "method": "GET", "path": "/orders", "status": 200,
    });
    event(seconds, "request", "198.51.100.9", &members)
}

fn away(seconds: f64, more: &Value) -> Value {
    let place = json!({ "ip": "203.0.113.66", "asn": 64666, "country": "BR", "ua": "Import/1.0" });
    with(with(at_home(seconds), &place), more)
}

/// So many uses at home, the last of them after so many seconds.
fn home(uses: u32, seconds: f64) -> Vec<Value> {
    (0..uses).map(|n| at_home(seconds * f64::from(n) / f64::from(uses - 1))).collect()
}

/// So many uses away, with so many at home in between.
fn stolen(times: u32, returns: u32, pause: f64, more: &Value) -> Vec<Value> {
    let at = |n: u32| 12.0 * HOUR + f64::from(n) * pause;
    let uses = (0..times).map(|n| away(at(n), more));
    uses.chain((0..returns).map(|n| at_home(at(n) + pause / 2.0))).collect()
}

/// The evidence of what is told.
fn told_of(events: &[Value]) -> Vec<Value> {
    let mut findings = found(events);
    findings.retain(|it| it["detector"] == "token_sharing" && it["evidence"]["uses"].is_number());
    for finding in &findings {
        let named = ["response", "token", "client", "ip"].map(|it| finding[it].as_str());
        assert_eq!(named, [Some("tag"), Some("k1"), Some("jobs"), Some("203.0.113.66")]);
    }
    findings.into_iter().map(|mut it| it["evidence"].take()).collect()
}

fn told(parts: &[Vec<Value>]) -> usize {
    told_of(&parts.concat()).len()
}

#[test]
fn five_uses_with_two_returns_by_another_program_in_another_place_are_another_hand() {
    let after =
        |times, returns| told(&[home(30, 6.0 * HOUR), stolen(times, returns, 600.0, &json!({}))]);
    assert_eq!([5, 4].map(|times| after(times, 4)), [1, 0]);
    assert_eq!([2, 1, 0].map(|returns| after(19, returns)), [1, 0, 0]);
    assert_eq!(after(60, 59), 1, "once");
    assert_eq!(after(60, 1), 0, "it moved, and was at home once more");
    let pauses = |pause| told(&[home(30, 6.0 * HOUR), stolen(5, 4, pause, &json!({}))]);
    assert_eq!([6.0, 6.01].map(|hours| pauses(hours * HOUR)), [1, 0], "within a day");
    let evidence = told_of(&[home(30, 6.0 * HOUR), stolen(9, 2, 60.0, &json!({}))].concat());
    let numbers = ["uses", "threshold", "returns"].map(|it| evidence[0][it].as_u64());
    assert_eq!(numbers, [5, 5, 2].map(Some));
}

#[test]
fn a_key_is_known_after_an_hour_and_twenty_uses() {
    let after = |uses, seconds| {
        let at = |n: u32| seconds + f64::from(n) * 20.0;
        let uses_away = (0..8).map(|n| away(at(n), &json!({})));
        let back = (0..7).map(|n| at_home(at(n) + 10.0));
        told(&[home(uses, seconds), uses_away.chain(back).collect()])
    };
    assert_eq!([20, 19].map(|uses| after(uses, 2.0 * HOUR)), [1, 0]);
    assert_eq!([3600.0, 3599.0].map(|seconds| after(30, seconds)), [1, 0]);
}

#[test]
fn by_a_library_in_a_country_where_it_never_was_twenty_uses_need_one_use_at_home_since() {
    let after = |times, more: &Value| told(&[home(30, 6.0 * HOUR), stolen(times, 1, 60.0, more)]);
    let library = |more: &Value| with(json!({ "ua": "python-requests/2.32" }), more);
    assert_eq!([20, 19].map(|times| after(times, &library(&json!({})))), [1, 0]);
    let moved = [home(30, 6.0 * HOUR), stolen(60, 0, 60.0, &library(&json!({})))];
    assert_eq!(told(&moved), 0, "it moved");
    for none in [
        json!({}),
        library(&json!({ "country": "DE" })),
        library(&json!({ "country": null })),
        json!({ "ua": "Jobs/2.1", "ja4": OTHER }),
    ] {
        assert_eq!(after(60, &none), 0, "{none}");
    }
    let mut nowhere = [home(30, 6.0 * HOUR), stolen(60, 1, 60.0, &library(&json!({})))].concat();
    for event in nowhere.iter_mut().filter(|it| it["ua"] == "Jobs/2.1") {
        event["country"] = Value::Null;
    }
    assert_eq!(told(&[nowhere]), 0, "nobody knows where it was");
    let pauses = |pause| told(&[home(30, 6.0 * HOUR), stolen(20, 1, pause, &library(&json!({})))]);
    assert_eq!([4500.0, 4560.0].map(pauses), [1, 0], "within a day");
}

#[test]
fn what_is_the_same_program_or_the_same_place_or_somebody_elses_is_no_other_hand() {
    let at = |more: &Value| told(&[home(30, 6.0 * HOUR), stolen(25, 24, 600.0, more)]);
    for strange in [
        json!({}),
        json!({ "country": "DE" }),
        json!({ "country": null }),
        json!({ "ua": "curl/8.1", "country": "DE" }),
        json!({ "net": "residential" }),
        json!({ "asn": 64666, "ip": "203.0.113.66" }),
    ] {
        assert_eq!(at(&strange), 1, "{strange}");
    }
    for none in [
        json!({ "ua": "Jobs/2.1" }),
        json!({ "ua": "Jobs/3.0" }),
        json!({ "asn": 64500 }),
        json!({ "asn": 64500, "ua": "curl/8.1", "country": "BR" }),
        json!({ "ua": null }),
        json!({ "refused": "expired", "status": 401 }),
        json!({ "token": "k2" }),
    ] {
        assert_eq!(at(&none), 0, "{none}");
    }
    let all = |more: &Value| {
        let events = [home(30, 6.0 * HOUR), stolen(25, 24, 600.0, &json!({}))].concat();
        let events: Vec<Value> = events.into_iter().map(|it| with(it, more)).collect();
        told_of(&events).len()
    };
    assert_eq!(all(&json!({ "token_kind": "pat" })), 1);
    assert_eq!(all(&json!({ "subject": "jobs" })), 1, "the client's own name");
    for none in
        [json!({ "subject": "u1" }), json!({ "token_kind": "jwt" }), json!({ "session": "s1" })]
    {
        assert_eq!(all(&none), 0, "{none}");
    }
}

#[test]
fn an_update_at_home_goes_wherever_its_key_goes() {
    let update = |more: &Value| -> Vec<Value> {
        (0..3).map(|n| with(at_home(7.0 * HOUR + f64::from(n)), more)).collect()
    };
    let after = |more: &Value| {
        told(&[home(30, 6.0 * HOUR), update(more), stolen(25, 24, 600.0, &json!({}))])
    };
    assert_eq!(after(&json!({ "ua": "Import/0.9" })), 0);
    assert_eq!(after(&json!({ "ua": "Export/0.9" })), 1);
}

#[test]
fn a_key_of_four_places_roams() {
    let after = |places: u32| {
        let fleet = (1..places).map(|n| {
            let place = json!({ "ip": format!("20.{n}.0.7"), "asn": 64700 + n });
            with(at_home(7.0 * HOUR + f64::from(n)), &place)
        });
        told(&[home(30, 6.0 * HOUR), fleet.collect(), stolen(25, 24, 600.0, &json!({}))])
    };
    assert_eq!([3, 4].map(after), [1, 0]);
}

#[test]
fn another_fingerprint_by_the_same_name_counts_abroad() {
    let after = |own: Option<&str>, more: &Value| {
        let mut events = [home(30, 6.0 * HOUR), stolen(25, 24, 600.0, more)].concat();
        for event in events.iter_mut().filter(|it| it["asn"] == 64500) {
            event["ja4"] = json!(own);
        }
        told_of(&events).len()
    };
    let disguised = |more: &Value| with(json!({ "ua": "Jobs/2.1", "ja4": OTHER }), more);
    assert_eq!(after(Some(NEW), &disguised(&json!({}))), 1);
    for none in [json!({ "country": "DE" }), json!({ "country": null }), json!({ "ja4": NEW })] {
        assert_eq!(after(Some(NEW), &disguised(&none)), 0, "{none}");
    }
    assert_eq!(after(Some(NEW), &disguised(&json!({ "ja4": null }))), 0);
    assert_eq!(after(None, &disguised(&json!({}))), 0, "nobody knows its own");
}
