//! People whose traffic leaves the net far away, and thieves who look like them.

use serde_json::{Value, json};

use crate::support::{event, found, outcomes};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;
const OSLO: (f64, f64) = (59.9, 10.7);
const TOKYO: (f64, f64) = (35.7, 139.7);
const OFFICE: &str = "203.0.113.66";
const PHONE: &str = "App/7 (Telephone)";

/// Somebody uses the API in one of these places.
fn seen(seconds: f64, person: u32, ip: &str, place: (f64, f64), ua: &str) -> Value {
    let members = json!({
        "subject": format!("u{person}"), "client": "app", "token": format!("t{person}"),
        "session": format!("s{person}"), "net": "residential", "lat": place.0, "lon": place.1, "ua": ua,
        "method": "GET", "path": "/", "status": 200,
    });
    event(seconds, "request", ip, &members)
}

fn at_home(seconds: f64, person: u32) -> Value {
    seen(seconds, person, &format!("198.51.{person}.9"), OSLO, PHONE)
}

fn at_the_office(seconds: f64, person: u32) -> Value {
    seen(seconds, person, OFFICE, TOKYO, PHONE)
}

fn signs_in(seconds: f64, person: u32, ip: &str, place: (f64, f64), ua: &str) -> Value {
    let mut login = seen(seconds, person, ip, place, ua);
    let members = json!({
        "kind": "login", "username": format!("n{person}"), "result": "ok", "complete": true,
        "factor": "password",
    });
    for (name, value) in members.as_object().expect("members") {
        login[name] = value.clone();
    }
    login
}

/// Ten days of work in an office whose traffic leaves the net in Tokyo; each is at home minutes later.
fn workdays(people: u32) -> Vec<Value> {
    let mut events = Vec::new();
    for day in 0..10u32 {
        for person in 0..people {
            let morning = f64::from(day) * DAY + f64::from(person) * 60.0;
            events.push(at_the_office(morning, person));
            events.push(at_the_office(morning + 8.0 * HOUR, person));
            events.push(at_home(morning + 8.2 * HOUR, person));
        }
    }
    events
}

#[test]
fn an_office_far_away_is_a_gateway_before_anybody_leaves_it() {
    assert_eq!(found(&workdays(14)), Vec::<Value>::new());
}

#[test]
fn a_small_office_far_away_is_known_by_the_third_who_leaves_it_and_by_the_habit_of_the_others() {
    let findings = found(&workdays(6));
    let told: Vec<&str> =
        findings.iter().filter_map(|finding| finding["subject"].as_str()).collect();
    assert_eq!(told, ["u0", "u1"]);
    let alone = found(&workdays(1));
    assert_eq!(outcomes(&alone), [["impossible_travel", "medium", "tag"]]);
}

#[test]
fn a_thief_elsewhere_is_found_whose_victim_goes_to_and_fro() {
    const NAIROBI: (f64, f64) = (-1.3, 36.8);
    for people in [1, 14] {
        let mut events = workdays(people);
        let before = found(&events).len();
        let morning = 9.0 * DAY;
        events.push(seen(morning + 8.4 * HOUR, 0, "192.0.2.7", NAIROBI, PHONE));
        let findings = found(&events);
        assert_eq!(findings.len(), before + 1, "{people}");
        assert_eq!(findings[before]["ip"], "192.0.2.7");
    }
}

#[test]
fn a_sign_in_by_other_software_at_the_gateway_of_others_is_told() {
    let mut events = workdays(14);
    let home = "198.51.50.9";
    events.extend((0..5).map(|day| signs_in(f64::from(day) * DAY, 50, home, OSLO, PHONE)));
    events.push(signs_in(4.0 * DAY + HOUR, 50, OFFICE, TOKYO, "Browser/120"));
    let findings = found(&events);
    assert_eq!(outcomes(&findings), [["impossible_travel", "medium", "tag"]]);
    assert_eq!(findings[0]["subject"], "u50");
}

#[test]
fn a_thief_who_takes_many_accounts_by_other_software_is_no_gateway() {
    let mut events = Vec::new();
    for person in 0..8u32 {
        let at = f64::from(person) * 600.0;
        events.push(signs_in(at, person, &format!("198.51.{person}.9"), OSLO, PHONE));
        events.push(signs_in(at + HOUR, person, OFFICE, TOKYO, "Browser/120"));
    }
    let findings = found(&events);
    let travels = findings.iter().filter(|finding| finding["detector"] == "impossible_travel");
    assert_eq!(travels.count(), 8);
}

/// The same on a network that is known for a company's.
fn at_a_companys(mut event: Value) -> Value {
    event["net"] = json!("business");
    event
}

#[test]
fn whoever_keeps_the_software_has_not_travelled_to_a_companys_network() {
    let (home, office) = (at_home(0.0, 0), at_the_office(600.0, 0));
    assert_eq!(found(&[home.clone(), at_a_companys(office.clone())]), Vec::<Value>::new());
    assert_eq!(found(&[at_a_companys(home.clone()), office.clone()]), Vec::<Value>::new());
    assert_eq!(outcomes(&found(&[home, office])), [["impossible_travel", "medium", "tag"]]);
}

#[test]
fn at_a_companys_network_other_software_has_travelled_once_somebodys_own_is_known() {
    let told = |days: u32| {
        let home = |day| signs_in(f64::from(day) * DAY, 0, "198.51.50.9", OSLO, PHONE);
        let mut events: Vec<Value> = (0..days).map(home).collect();
        let after = f64::from(days - 1) * DAY + 600.0;
        events.push(at_a_companys(signs_in(after, 0, OFFICE, TOKYO, "Browser/120")));
        outcomes(&found(&events)).len()
    };
    assert_eq!((told(1), told(5)), (0, 1));
}

const ANDROID: &str = "App/7 (Android 15)";

#[test]
fn a_sign_in_far_from_a_telephone_or_from_changes_at_home_is_told() {
    let told = |ua: &str, method: &str| {
        let mut used = seen(0.0, 0, "198.51.0.9", OSLO, ua);
        used["method"] = json!(method);
        let thief = signs_in(1200.0, 0, "192.0.2.7", TOKYO, "Browser/120");
        outcomes(&found(&[used, thief])).len()
    };
    assert_eq!((told(ANDROID, "GET"), told("Mozilla/5.0 Chrome/119", "POST")), (1, 1));
    assert_eq!(told("Mozilla/5.0 Chrome/119", "GET"), 0, "a computer that was left on");
    assert_eq!(told("node-fetch/1.0", "POST"), 0, "a server of the application");
}

#[test]
fn a_stranger_in_another_country_than_the_telephone_is_told_and_a_traveller_with_a_laptop_is_not() {
    let country = |mut event: Value, country: &str| {
        event["country"] = json!(country);
        event
    };
    let told = |ua: &str, from: &str| {
        let mut events: Vec<Value> = (0..5)
            .map(|day| seen(f64::from(day) * DAY, 0, "198.51.0.9", OSLO, "Laptop/1"))
            .collect();
        let mut carrier = country(seen(4.5 * DAY, 0, "198.51.7.1", OSLO, ANDROID), "NO");
        carrier["net"] = json!("mobile");
        events.push(carrier);
        events.push(country(signs_in(4.5 * DAY + 600.0, 0, "192.0.2.7", TOKYO, ua), from));
        outcomes(&found(&events)).len()
    };
    assert_eq!(told("Browser/120", "JP"), 1);
    assert_eq!(told("Laptop/2", "JP"), 0, "whose telephone roams");
    assert_eq!(
        told("Browser/120", "NO"),
        0,
        "the carrier's gateway may be anywhere in the country"
    );
}

#[test]
fn what_was_a_gateway_is_none_after_a_week_without_its_people() {
    let mut events = workdays(14);
    events.push(at_home(20.0 * DAY, 70));
    events.push(at_the_office(20.0 * DAY + HOUR, 70));
    let findings = found(&events);
    assert_eq!(outcomes(&findings), [["impossible_travel", "medium", "tag"]]);
    assert_eq!(findings[0]["subject"], "u70");
}

#[test]
fn where_the_kind_of_network_is_unknown_only_new_software_travels() {
    let travels = |ua: &str, country: &str| {
        // Two programs, each at home; then one of them, or a third, that goes to Tokyo.
        let mut events: Vec<Value> = (0..96).map(|n| at_home(f64::from(n) * HOUR, 0)).collect();
        events.push(seen(96.0 * HOUR, 0, "198.51.0.9", OSLO, ua));
        events.push(seen(96.0 * HOUR + 600.0, 0, OFFICE, TOKYO, ua));
        for event in &mut events {
            event.as_object_mut().expect("object").remove("net");
            event["country"] = json!("NO");
        }
        events.last_mut().expect("Tokyo")["country"] = json!(country);
        found(&events)
    };
    assert_eq!(travels(PHONE, "JP"), Vec::<Value>::new(), "it may be a VPN");
    assert_eq!(outcomes(&travels("Other/1", "JP")), [["impossible_travel", "medium", "tag"]]);
    assert_eq!(travels("Other/1", "NO"), Vec::<Value>::new(), "a carrier's gateway");
}

#[test]
fn after_five_hours_only_new_software_travels_as_fast_as_no_airliner() {
    let told = |place: (f64, f64), ua: &str, hours: f64| {
        let mut events: Vec<Value> = (0..5)
            .map(|day| signs_in(f64::from(day) * DAY, 0, "198.51.0.9", OSLO, PHONE))
            .collect();
        events.push(signs_in(4.0 * DAY + hours * HOUR, 0, "192.0.2.7", place, ua));
        found(&events).iter().filter(|it| it["detector"] == "impossible_travel").count()
    };
    const DELHI: (f64, f64) = (28.6, 77.2);
    // 5,800 km in a little less than five hours, and a little more.
    assert_eq!([4.8, 5.1].map(|hours| told(DELHI, PHONE, hours)), [1, 0]);
    // 8,200 km in four hours, a little more than five, six, and nine.
    assert_eq!([4.0, 5.1, 6.0, 9.0].map(|hours| told(TOKYO, PHONE, hours)), [1, 1, 0, 0]);
    assert_eq!([4.0, 6.0, 9.0].map(|hours| told(TOKYO, "Browser/120", hours)), [1, 1, 0]);
}

#[test]
fn within_one_country_only_new_software_travels() {
    const TROMSO: (f64, f64) = (69.6, 18.9);
    let told = |ua: &str, countries: [&str; 2], net: &str| {
        let mut events: Vec<Value> = (0..5)
            .map(|day| signs_in(f64::from(day) * DAY, 0, "198.51.0.9", OSLO, PHONE))
            .collect();
        events.push(signs_in(4.0 * DAY + 600.0, 0, "192.0.2.7", TROMSO, ua));
        for (n, event) in events.iter_mut().enumerate() {
            event["country"] = json!(countries[usize::from(n == 5)]);
            event["net"] = json!(net);
        }
        found(&events).iter().filter(|it| it["detector"] == "impossible_travel").count()
    };
    let norway = ["NO", "NO"];
    assert_eq!([PHONE, "Browser/120"].map(|ua| told(ua, norway, "residential")), [0, 1]);
    assert_eq!(told("App/8 (Telephone)", norway, "residential"), 0, "in another version");
    assert_eq!(told(PHONE, ["NO", "SE"], "residential"), 1, "into another country");
}

/// Somebody reads by a browser, and so many seconds later signs in by this software from another place and country; one
/// of the places is an office of so many people far away.
fn leaves_browser(people: u32, is_at_office: bool, after: f64, reads: &str, signs: &str) -> usize {
    let (home, office) = (("198.51.50.9", OSLO, "NO"), (OFFICE, TOKYO, "JP"));
    let (from, to) = if is_at_office { (office, home) } else { (home, office) };
    let mut events = workdays(people);
    let at = 4.0 * DAY + 6.0 * HOUR;
    for ago in [3.0, 0.0] {
        let mut read = seen(at - ago * HOUR, 50, from.0, from.1, reads);
        read["country"] = json!(from.2);
        events.push(read);
    }
    let mut login = signs_in(at + after, 50, to.0, to.1, signs);
    login["country"] = json!(to.2);
    events.push(login);
    let findings = found(&events);
    findings.iter().filter(|it| it["subject"] == "u50").count()
}

#[test]
fn who_signs_in_abroad_by_new_software_left_no_browser_behind_unless_it_sat_at_a_gateway() {
    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
    let leaves = |people, is_at_office| leaves_browser(people, is_at_office, 600.0, FIREFOX, PHONE);
    assert_eq!([0, 14].map(|people| leaves(people, true)), [1, 0], "a gateway");
    assert_eq!([0, 14].map(|people| leaves(people, false)), [1, 1], "to a gateway");
    let after = |after| leaves_browser(0, false, after, FIREFOX, PHONE);
    assert_eq!([3600.0, 3601.0].map(after), [1, 0]);
    let by = |reads, signs| leaves_browser(0, false, 600.0, reads, signs);
    assert_eq!(by(FIREFOX, FIREFOX), 0, "with what they have");
    assert_eq!(by("node-fetch/1.0", PHONE), 0, "no browser");
}
