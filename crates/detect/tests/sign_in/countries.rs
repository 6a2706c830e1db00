//! Travel where no more than the country of an address is known, and sign-ins far from a browser.

use serde_json::{Value, json};

use crate::support::{event, found};

const HOUR: f64 = 3600.0;
const OSLO: (f64, f64) = (59.9, 10.7);
const TOKYO: (f64, f64) = (35.7, 139.7);
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";

fn with(mut event: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().expect("members") {
        event[name] = value.clone();
    }
    event
}

fn request(seconds: f64, ip: &str, ua: &str, more: &Value) -> Value {
    let members = json!({
        "subject": "u1", "client": "app", "token": "t1", "session": "s1", "net": "residential",
        "ua": ua, "method": "GET", "path": "/", "status": 200,
    });
    with(event(seconds, "request", ip, &members), more)
}

fn signs_in(seconds: f64, ip: &str, ua: &str, more: &Value) -> Value {
    let login = json!({
        "kind": "login", "username": "n1", "result": "ok", "complete": true, "factor": "password",
    });
    with(with(request(seconds, ip, ua, &json!({})), &login), more)
}

fn travels(events: &[Value]) -> Vec<Value> {
    let mut findings = found(events);
    findings.retain(|it| it["detector"] == "impossible_travel");
    findings
}

/// Somebody signs in at one of these places and so many seconds later at the other.
fn within(seconds: f64, one: &Value, other: &Value) -> Vec<Value> {
    travels(&[
        signs_in(0.0, "198.51.100.9", "App/7", one),
        signs_in(seconds, "192.0.2.7", "App/7", other),
    ])
}

fn between(one: &Value, other: &Value) -> Vec<Value> {
    within(600.0, one, other)
}

fn country(code: &str) -> Value {
    json!({ "country": code })
}

fn at((lat, lon): (f64, f64), code: &str) -> Value {
    json!({ "lat": lat, "lon": lon, "country": code })
}

#[test]
fn countries_that_are_far_apart_are_compared_by_their_least_distance() {
    let places = [
        (country("NO"), country("JP"), 5031.0, true),
        (country("JP"), country("NO"), 5031.0, true),
        (at(OSLO, "NO"), country("JP"), 7087.0, true),
        (country("NO"), at(TOKYO, "JP"), 6338.0, true),
        (at(OSLO, "NO"), at(TOKYO, "JP"), 8407.0, false),
    ];
    for (one, other, kilometres, by_country) in places {
        let findings = between(&one, &other);
        assert_eq!(findings.len(), 1, "{one} {other}");
        let evidence = &findings[0]["evidence"];
        assert_eq!(evidence["kilometres"], kilometres, "{one} {other}");
        assert_eq!(evidence["by_country"], by_country);
        let says_least = evidence["summary"].as_str().unwrap().contains("seen at least ");
        assert_eq!(says_least, by_country, "{findings:?}");
    }
}

#[test]
fn neighbours_and_what_is_no_country_say_nothing() {
    for (one, other) in [
        ("NO", "SE"),
        ("DE", "FR"),
        ("ES", "PT"),
        ("US", "MX"),
        ("US", "CA"),
        ("RU", "CN"),
        ("RU", "NO"),
        ("CL", "AR"),
        ("IN", "PK"),
        ("JP", "JP"),
        ("DE", "GB"),
        ("XX", "JP"),
        ("NO", "XX"),
        ("NO", "jp"),
        ("NO", "JPN"),
    ] {
        assert_eq!(between(&country(one), &country(other)), Vec::<Value>::new(), "{one} {other}");
    }
    assert_eq!(between(&at(OSLO, "NO"), &country("SE")), Vec::<Value>::new());
    let half = json!({ "lat": TOKYO.0, "country": "SE" });
    assert_eq!(between(&country("NO"), &half), Vec::<Value>::new(), "a latitude alone");
    let nowhere = json!({ "lat": 135.0, "lon": 139.0, "country": "JP" });
    assert_eq!(between(&country("NO"), &nowhere), Vec::<Value>::new());
    let south = |seconds, degrees| {
        within(seconds, &at((60.0, 10.0), "NO"), &at((60.0 - degrees, 10.0), "SE")).len()
    };
    assert_eq!([4.51, 4.49].map(|degrees| south(600.0, degrees)), [1, 0], "five hundred km");
    assert_eq!([10.81, 10.78].map(|degrees| south(3600.0, degrees)), [1, 0], "1,200 in an hour");
    assert_eq!(between(&country("PT"), &country("BG")).len(), 1, "a continent apart");
}

/// Somebody uses a browser, or this program, for two hours, and so many seconds later this is done
/// elsewhere.
fn leaves(ua: &str, after: f64, there: impl Fn(f64) -> Value) -> usize {
    let mut events: Vec<Value> = (0..5)
        .map(|n| request(f64::from(n) * 0.5 * HOUR, "198.51.100.9", ua, &at(OSLO, "NO")))
        .collect();
    events.push(there(2.0 * HOUR + after));
    travels(&events).len()
}

#[test]
fn who_used_a_browser_within_the_hour_does_not_sign_in_abroad_with_new_software() {
    let signs = |seconds| signs_in(seconds, "192.0.2.7", "Browser/120", &at(TOKYO, "JP"));
    let told = |more: Value| leaves(FIREFOX, 1200.0, |seconds| with(signs(seconds), &more));
    assert_eq!([600.0, 3600.0, 3601.0].map(|after| leaves(FIREFOX, after, signs)), [1, 1, 0]);
    for library in ["python-requests/2.32", "curl/8.5", "okhttp/4.12", "App/7"] {
        assert_eq!(leaves(library, 600.0, signs), 0, "{library}");
    }
    assert_eq!(told(json!({ "net": "mobile" })), 1, "a carrier where they never were");
    assert_eq!(told(json!({ "country": "KR" })), 1);
    for none in [
        json!({ "net": "business" }),
        json!({ "net": "hosting" }),
        json!({ "net": "vpn" }),
        json!({ "country": "NO" }),
        json!({ "country": null }),
        json!({ "ua": FIREFOX }),
        json!({ "ua": FIREFOX.replace("130", "131") }),
        json!({ "ua": null }),
        json!({ "result": "failed" }),
        json!({ "lat": 57.7, "lon": 12.0, "country": "SE" }),
    ] {
        assert_eq!(told(none.clone()), 0, "{none}");
    }
    let asks = |more: &Value| {
        leaves(FIREFOX, 600.0, |seconds| {
            let chrome = "Mozilla/5.0 Chrome/119";
            with(request(seconds, "192.0.2.7", chrome, &at(TOKYO, "JP")), more)
        })
    };
    assert_eq!([json!({}), json!({ "method": "POST" })].map(|it| asks(&it)), [0, 0]);
}

#[test]
fn of_two_browsers_the_one_that_was_used_last_says_where_somebody_is() {
    let told = |first: f64, second: f64| {
        let reads = |(ua, until): (&str, f64)| -> Vec<Value> {
            let read = |n| request(until - n * 600.0, "198.51.100.9", ua, &at(OSLO, "NO"));
            [4.0, 3.0, 2.0, 1.0, 0.0].map(read).to_vec()
        };
        let mut events = [(FIREFOX, first), ("Mozilla/5.0 Chrome/119", second)].map(reads).concat();
        events.sort_by(|one, other| one["ts"].as_str().cmp(&other["ts"].as_str()));
        events.push(signs_in(6.0 * HOUR, "192.0.2.7", "Browser/120", &at(TOKYO, "JP")));
        travels(&events).len()
    };
    let [early, late] = [4.0, 5.9].map(|hours| hours * HOUR);
    assert_eq!([told(early, late), told(late, early), told(early, early)], [1, 1, 0]);
}
