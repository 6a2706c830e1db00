//! Codes of devices that were sent to somebody.

use serde_json::{Value, json};

use crate::support::{event, found, outcomes};

const HOUR: f64 = 3600.0;

/// Where and who: address, system, country.
type Place<'a> = (&'a str, u32, &'a str);

fn device(seconds: f64, code: &str, start: Place<'_>, end: Place<'_>, subject: &str) -> [Value; 2] {
    let step = |at: f64, step: &str, place: Place<'_>| {
        let members = json!({
            "step": step, "code": code, "client": "tv", "asn": place.1, "country": place.2,
        });
        event(at, "device", place.0, &members)
    };
    let mut approved = step(seconds + 60.0, "approved", end);
    approved["subject"] = json!(subject);
    [step(seconds, "started", start), approved]
}

#[test]
fn codes_of_one_network_approved_far_away_by_many_are_phishing() {
    let mut events = Vec::new();
    for n in 0..8u32 {
        let (ip, at) = (format!("10{n}.0.0.1"), f64::from(n) * 2.0 * HOUR);
        let (start, end) = (("192.0.2.66", 64666, "BR"), (ip.as_str(), 65000 + n, "NO"));
        events.extend(device(at, &format!("code{n}"), start, end, &format!("u{n}")));
    }
    let findings = found(&events);
    assert_eq!(outcomes(&findings), [["device_phishing", "high", "tag"]]);
    assert_eq!(findings[0]["ip"], "192.0.2.66");
    assert_eq!(findings[0]["evidence"]["people"], json!(["u0", "u1", "u2", "u3"]));
}

#[test]
fn televisions_and_shared_servers_are_no_phishing() {
    let mut events = Vec::new();
    for n in 0..60u32 {
        let at = f64::from(n) * 600.0;
        let home = format!("198.51.{n}.1");
        let (tv, telephone) = ((home.as_str(), 64500, "NO"), ("100.64.0.1", 64501, "NO"));
        events.extend(device(at, &format!("tv{n}"), tv, telephone, &format!("u{n}")));
        // A server abroad, used from one office.
        let (server, office) = (("192.0.2.10", 64600, "US"), ("203.0.113.1", 64502, "NO"));
        events.extend(device(at, &format!("ssh{n}"), server, office, &format!("dev{}", n % 9)));
        // Colleagues from home, in the server's own country.
        let house = format!("10{}.0.0.1", n % 9);
        let (server, house) = (("192.0.2.11", 64600, "NO"), (house.as_str(), 65000 + n % 9, "NO"));
        events.extend(device(at, &format!("home{n}"), server, house, &format!("dev{}", n % 9)));
    }
    assert_eq!(found(&events), Vec::<Value>::new());
}

/// Televisions of two dozen people who approve at home, `abroad` of them from another country, and one more code that
/// is started on a network of this kind and approved from one of that kind.
fn one_code(abroad: u32, start: &str, end: &str) -> Vec<Value> {
    let mut events = Vec::new();
    let on = |mut pair: [Value; 2], start: &str, end: &str| {
        pair[0]["net"] = json!(start);
        pair[1]["net"] = json!(end);
        pair
    };
    for n in 0..24u32 {
        let (at, home) = (f64::from(n) * 600.0, format!("198.51.{n}.1"));
        let from = if n < abroad { ("192.0.2.1", 64700 + n, "SE") } else { (&*home, 64500, "NO") };
        let pair = device(at, &format!("tv{n}"), (&home, 64500, "NO"), from, &format!("u{n}"));
        events.extend(on(pair, "residential", "residential"));
    }
    let (thief, home) = (("203.0.113.66", 64666, "BR"), ("198.51.3.1", 64500, "NO"));
    events.extend(on(device(5.0 * HOUR, "sent", thief, home, "u3"), start, end));
    events
}

#[test]
fn one_code_that_was_sent_to_somebody_is_told_where_people_do_not_do_that() {
    for (abroad, start, end, told) in [
        (0, "hosting", "residential", 1),
        (8, "hosting", "residential", 0),
        (0, "hosting", "mobile", 0),
        (0, "vpn", "residential", 0),
        (0, "business", "residential", 0),
    ] {
        let findings = found(&one_code(abroad, start, end));
        let sent: Vec<&Value> = findings.iter().filter(|it| it["ip"] == "203.0.113.66").collect();
        assert_eq!(sent.len(), told, "{abroad} {start} {end}");
        assert!(sent.iter().all(|it| it["detector"] == "device_phishing" && it["subject"] == "u3"));
    }
}

/// Devices of half a dozen people by the client's own software, and one code that is started by this software, on a
/// network of this kind and in this country, and approved on one of that kind.
fn started_by(software: &str, net: &str, country: &str, approved_on: &str) -> usize {
    let mut events = Vec::new();
    let by = |mut pair: [Value; 2], ua: &str, nets: [&str; 2]| {
        pair[0]["ua"] = json!(ua);
        (pair[0]["net"], pair[1]["net"]) = (json!(nets[0]), json!(nets[1]));
        pair
    };
    let home = ("198.51.3.1", 64500, "NO");
    for n in 0..4u32 {
        let at = f64::from(n) * 600.0;
        let pair = device(at, &format!("tv{n}"), home, home, &format!("u{n}"));
        events.extend(by(pair, "Shop-TV/3.1", ["residential", "residential"]));
    }
    let nets = [net, approved_on];
    let thief = ("203.0.113.66", 64666, country);
    events.extend(by(device(5.0 * HOUR, "sent", thief, home, "u9"), software, nets));
    found(&events).iter().filter(|it| it["detector"] == "device_phishing").count()
}

#[test]
fn a_device_that_is_not_the_clients_is_told_where_it_cannot_be_its_owners() {
    assert_eq!(started_by("python-requests/2.32", "hosting", "NO", "residential"), 1);
    assert_eq!(started_by("Mozilla/5.0 Chrome/130.0", "vpn", "NO", "mobile"), 1);
    assert_eq!(started_by("okhttp/4.9", "residential", "BR", "residential"), 1, "abroad");
    assert_eq!(
        started_by("okhttp/4.9", "residential", "NO", "mobile"),
        1,
        "a library in another home, and the client has software"
    );
    assert_eq!(
        started_by("Other-TV/1.0", "residential", "NO", "mobile"),
        0,
        "a television and a telephone"
    );
    assert_eq!(
        started_by("Shop-TV/3.2", "hosting", "NO", "residential"),
        0,
        "the client's own, on a server"
    );
    let at_work = |country| started_by("Go-http-client/2.0", "hosting", country, "business");
    assert_eq!((at_work("NO"), at_work("BR")), (0, 1), "a machine of one's own in the cloud");
}

#[test]
fn a_client_whose_own_programs_are_unknown_says_nothing_of_one() {
    let (machine, home) = (("203.0.113.66", 64666, "NO"), ("198.51.3.1", 64500, "NO"));
    let mut pair = device(0.0, "first", machine, home, "u9");
    pair[0]["ua"] = json!("Go-http-client/2.0");
    (pair[0]["net"], pair[1]["net"]) = (json!("hosting"), json!("residential"));
    assert_eq!(found(&pair), Vec::<Value>::new());
}

#[test]
fn what_another_home_started_is_told_where_people_hardly_do_that() {
    let run = |others: u32| {
        let mut events = Vec::new();
        for n in 0..12u32 {
            let (at, ip) = (f64::from(n) * 600.0, format!("198.51.{n}.1"));
            let own = (ip.as_str(), 64500 + n, "NO");
            let start = if n < others { ("203.0.113.5", 64900, "NO") } else { own };
            let mut pair = device(at, &format!("code{n}"), start, own, &format!("u{n}"));
            pair.iter_mut().for_each(|it| it["net"] = json!("residential"));
            events.extend(pair);
        }
        let (thief, home) = (("203.0.113.66", 64666, "NO"), ("198.51.3.1", 64503, "NO"));
        let mut pair = device(5.0 * HOUR, "sent", thief, home, "u3");
        pair.iter_mut().for_each(|it| it["net"] = json!("residential"));
        events.extend(pair);
        found(&events).iter().filter(|it| it["ip"] == "203.0.113.66").count()
    };
    assert_eq!((run(0), run(3)), (1, 0));
}

/// A device that this program starts there, and somebody in Norway approves on such a network; the first code of its
/// client after these, which that program started near these people.
fn started_abroad(ua: &str, start: (&str, Option<&str>), end: Option<&str>, users: u32) -> usize {
    let home = ("198.51.3.1", 64500, "NO");
    let mut events = Vec::new();
    let mut code = |n: u32, start: (Place<'_>, Option<&str>), end: Option<&str>| {
        let name = format!("code{n}");
        let mut pair = device(f64::from(n) * HOUR, &name, start.0, home, &format!("u{n}"));
        pair[0]["ua"] = json!(ua);
        (pair[0]["net"], pair[1]["net"]) = (json!(start.1), json!(end));
        events.extend(pair);
    };
    for n in 0..users {
        code(n, (home, Some("residential")), Some("residential"));
    }
    code(9, (("203.0.113.66", 64666, start.0), start.1), end);
    let mut findings = found(&events);
    findings.retain(|it| it["detector"] == "device_phishing");
    assert!(findings.iter().all(|it| it["ip"] == "203.0.113.66" && it["subject"] == "u9"));
    findings.len()
}

#[test]
fn what_a_script_abroad_started_and_somebody_at_home_approves_is_told_from_the_first_on() {
    const SCRIPT: &str = "python-requests/2.32";
    let by = |ua| started_abroad(ua, ("BR", Some("hosting")), Some("residential"), 0);
    assert_eq!([SCRIPT, "curl/8.5", "axios/1.7", "node"].map(by), [1, 1, 1, 1]);
    let others = ["Go-http-client/2.0", "Shop-TV/3.1", "Mozilla/5.0 Chrome/130.0"];
    assert_eq!(others.map(by), [0, 0, 0], "vendors' programs");
    let from = |country, net| started_abroad(SCRIPT, (country, net), Some("residential"), 0);
    for net in [Some("hosting"), Some("vpn"), Some("tor"), Some("residential"), None] {
        assert_eq!(from("BR", net), 1, "{net:?}");
    }
    assert_eq!([Some("hosting"), None].map(|net| from("NO", net)), [0, 0], "the same country");
    assert_eq!([Some("business"), Some("mobile")].map(|net| from("BR", net)), [0, 0]);
    let on = |net| started_abroad(SCRIPT, ("BR", Some("hosting")), net, 0);
    assert_eq!([Some("residential"), Some("mobile"), None].map(on), [1, 1, 1]);
    for net in ["business", "hosting", "vpn", "tor"] {
        assert_eq!(on(Some(net)), 0, "{net}");
    }
}

#[test]
fn a_script_that_two_people_use_is_the_clients_and_what_was_told_is_not_learnt() {
    const SCRIPT: &str = "python-requests/2.32";
    let used_by =
        |users| started_abroad(SCRIPT, ("BR", Some("hosting")), Some("residential"), users);
    assert_eq!([0, 1, 2].map(used_by), [1, 1, 0]);
    let several = |count: u32| {
        let mut events = Vec::new();
        for n in 0..count {
            let (thief, house) = (format!("203.{n}.113.66"), format!("198.{n}.3.1"));
            let (start, end) = ((thief.as_str(), 64600 + n, "BR"), (house.as_str(), 64500, "NO"));
            let mut pair =
                device(f64::from(n) * HOUR, &format!("code{n}"), start, end, &format!("u{n}"));
            pair[0]["ua"] = json!(SCRIPT);
            (pair[0]["net"], pair[1]["net"]) = (json!("hosting"), json!("residential"));
            events.extend(pair);
        }
        found(&events).iter().filter(|it| it["detector"] == "device_phishing").count()
    };
    assert_eq!(several(6), 6, "each from another network");
}

/// Devices of so many people by the client's own software with this fingerprint, and one that is started abroad with that
/// one, with these members, and approved at home with those.
fn printed(users: u32, prints: [Option<&str>; 2], start: &Value, end: &Value) -> usize {
    let home = ("198.51.3.1", 64500, "NO");
    let mut events = Vec::new();
    let mut code = |n: u32, place: Place<'_>, print: Option<&str>, more: [&Value; 2]| {
        let mut pair =
            device(f64::from(n) * HOUR, &format!("code{n}"), place, home, &format!("u{n}"));
        pair[0]["ja4"] = json!(print);
        for (event, more) in pair.iter_mut().zip(more) {
            (event["ua"], event["net"]) = (json!("Shop-TV/3.1"), json!("residential"));
            for (name, value) in more.as_object().expect("members") {
                event[name] = value.clone();
            }
        }
        events.extend(pair);
    };
    for n in 0..users {
        code(n, home, prints[0], [&json!({}), &json!({})]);
    }
    code(9, ("203.0.113.66", 64666, "BR"), prints[1], [start, end]);
    let mut findings = found(&events);
    findings.retain(|it| it["detector"] == "device_phishing");
    assert!(findings.iter().all(|it| it["ip"] == "203.0.113.66" && it["subject"] == "u9"));
    findings.len()
}

#[test]
fn what_only_calls_itself_like_the_clients_devices_is_told_where_it_was_started_abroad() {
    let [own, other] = [
        Some("t13d1516h2_8daaf6152771_02713d6af862"),
        Some("t13d301000_01455d0db58d_5ac7197df9d2"),
    ];
    let none = json!({});
    assert_eq!([3, 2].map(|users| printed(users, [own, other], &none, &none)), [1, 0]);
    assert_eq!(printed(4, [own, own], &none, &none), 0, "what people have");
    assert_eq!(printed(4, [own, None], &none, &none), 0, "nobody knows what it is");
    assert_eq!(printed(4, [None, other], &none, &none), 0, "nobody knows what people have");
    let start = |more: Value| printed(4, [own, other], &more, &none);
    assert_eq!([json!({ "net": "hosting" }), json!({ "net": "vpn" })].map(start), [1, 1]);
    let here = [json!({ "country": "NO" }), json!({ "country": null }), json!({ "net": "mobile" })];
    assert_eq!(here.map(start), [0, 0, 0]);
    let rented = json!({ "net": "hosting" });
    let end = |net: &str| printed(4, [own, other], &rented, &json!({ "net": net }));
    assert_eq!(["residential", "mobile"].map(end), [1, 1]);
    assert_eq!(["business", "hosting", "vpn"].map(end), [0, 0, 0]);
}
