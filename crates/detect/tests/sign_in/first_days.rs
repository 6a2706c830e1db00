//! Persons of whom little is known yet: programs that take turns, and places that come all at once.

use serde_json::{Value, json};

use crate::support::{event, found};

const HOUR: f64 = 3600.0;

fn used(seconds: f64, person: u32, more: &Value) -> Value {
    let mut members = json!({
        "subject": format!("u{person}"), "client": "app", "token": format!("t{person}"),
        "session": format!("s{person}"), "token_kind": "jwt", "asn": 64500, "country": "NO",
        "net": "residential", "ua": "Mozilla/5.0 Firefox/130.0", "ja4": "browser", "method": "GET",
        "path": "/", "status": 200,
    });
    for (name, value) in more.as_object().expect("members") {
        members[name] = value.clone();
    }
    event(seconds, "request", &format!("10.1.{person}.7"), &members)
}

/// People with one browser, an hour each.
fn people() -> Vec<Value> {
    let mut events = Vec::new();
    for person in 0..50 {
        events.extend((0..30).map(|n| used(f64::from(n) * 120.0, person, &json!({}))));
    }
    events
}

fn sharing(events: &[Value]) -> Vec<Value> {
    found(events).into_iter().filter(|it| it["detector"] == "token_sharing").collect()
}

/// The same address, in turn with the browser.
fn in_turn(person: u32, more: &Value, times: u32) -> Vec<Value> {
    let at = |n: u32| HOUR + f64::from(n) * 40.0;
    let browser = json!({});
    (0..times).map(|n| used(at(n), person, if n % 2 == 0 { &browser } else { more })).collect()
}

#[test]
fn a_token_that_a_strange_program_uses_beside_the_browser_is_shared() {
    let tool = json!({ "ua": "python-requests/2.32", "ja4": "tool" });
    let with = |more: &Value, times: u32| {
        let mut events = people();
        events.extend(in_turn(3, more, times));
        sharing(&events)
    };
    let findings = with(&tool, 10);
    assert_eq!((findings.len(), &findings[0]["subject"]), (1, &json!("u3")));
    assert_eq!(with(&tool, 4), Vec::<Value>::new(), "something was tried once");
    let disguised = json!({ "ja4": "tool" });
    assert_eq!(with(&disguised, 10).len(), 1, "the fingerprint tells, whatever the name is");
    let personal = json!({ "ua": "curl/8", "ja4": "tool", "token_kind": "pat" });
    assert_eq!(with(&personal, 10), Vec::<Value>::new(), "made for programs");
}

#[test]
fn two_programs_that_many_use_in_turn_are_how_a_client_works_and_what_two_do_is_not() {
    let shared = |people_with_both: u32| {
        let mut events = people();
        for person in 0..people_with_both {
            // Each has a fingerprint of its own, as devices of many makers do.
            let pages =
                json!({ "ua": "Mozilla/5.0 (Linux; Android 15) wv", "ja4": format!("p{person}") });
            events.extend(in_turn(person, &pages, 10));
        }
        sharing(&events).len()
    };
    assert_eq!(shared(2), 2);
    assert_eq!(shared(20), 0);
}

#[test]
fn an_application_with_pages_in_it_is_no_second_hand() {
    let pages = json!({ "ua": "Mozilla/5.0 wv", "ja4": "pages" });
    let mut events = people();
    for person in 0..12 {
        events.extend((0..6).map(|n| used(60.0 + f64::from(n) * 300.0, person, &pages)));
        events.extend(in_turn(person, &pages, 12));
    }
    let told = sharing(&events);
    assert_eq!(told, Vec::<Value>::new());
}

/// People with one browser, of whom so many come without its fingerprint now and then; then these programs take turns
/// with one token behind one address, each with its fingerprint and by what it says it is.
fn turns(without: u32, software: &[(Option<&str>, &str)], times: u32) -> usize {
    let mut events = people();
    for person in 10..10 + without {
        events.push(used(50.0, person, &json!({ "ja4": null })));
    }
    for n in 0..times {
        let (ja4, ua) = software[n as usize % software.len()];
        let ua = Some(ua).filter(|ua| !ua.is_empty());
        events.push(used(HOUR + f64::from(n) * 25.0, 3, &json!({ "ja4": ja4, "ua": ua })));
    }
    sharing(&events).iter().filter(|it| it["evidence"]["people"].is_u64()).count()
}

#[test]
fn a_fingerprint_that_is_missing_now_and_then_makes_no_other_program() {
    const FIREFOX: &str = "Mozilla/5.0 Firefox/130.0";
    let own = (Some("browser"), FIREFOX);
    let rare = (Some("tool"), FIREFOX);
    let none = (None, FIREFOX);
    for without in [0, 3] {
        assert_eq!(turns(without, &[own, none], 24), 0);
        assert_eq!(turns(without, &[own, none, none], 24), 0);
        assert_eq!(turns(without, &[rare, none], 24), 0, "of a rare program");
    }
    assert_eq!([5, 4].map(|times| turns(0, &[rare, own], times)), [1, 0], "two programs");
    let among = |software: &[_], times| turns(3, software, times);
    assert_eq!([9, 8].map(|times| among(&[rare, none, own, none], times)), [1, 0], "among these");
    assert_eq!(among(&[own, none, rare], 24), 1, "people's");
    let other = (None, "Mozilla/5.0 Chrome/130.0");
    assert_eq!(among(&[rare, other, own, other], 24), 0, "another kind takes its turn");
    // Whatever the token's first event lacks.
    for without in [0, 1, 3] {
        assert_eq!(turns(without, &[none, rare, own], 24), 1, "{without}");
    }
    assert_eq!(turns(1, &[none, own], 24), 0, "people's");
    let nameless = [(Some("tool"), ""), (Some("browser"), "")];
    assert_eq!(turns(0, &nameless, 5), 1, "they say nothing");
}

/// Somebody at home, and then a payee that is added so many seconds later.
fn sensitive(after: f64, more: &Value) -> usize {
    let mut events: Vec<Value> = (0..4).map(|n| used(f64::from(n) * 60.0, 0, &json!({}))).collect();
    let mut last = json!({
        "ua": "python-requests/2.32", "ja4": "tool", "token": "t9", "session": "s9", "country": "BR",
        "asn": 64666, "method": "POST", "path": "/payees",
    });
    for (name, value) in more.as_object().expect("members") {
        last[name] = value.clone();
    }
    events.push(used(after, 0, &last));
    found(&events).iter().filter(|it| it["detector"] == "new_place").count()
}

#[test]
fn what_is_new_all_at_once_is_told_before_somebody_has_settled() {
    assert_eq!(sensitive(3.0 * HOUR, &json!({})), 1);
    assert_eq!(sensitive(3.0 * HOUR, &json!({ "country": "NO", "net": "hosting" })), 1);
    assert_eq!(sensitive(3.0 * HOUR, &json!({ "net": "vpn" })), 1, "by a VPN that leaves abroad");
    assert_eq!(sensitive(25.0 * HOUR, &json!({ "country": "NO" })), 1, "after a day the network");
    for harmless in [
        json!({ "country": "NO" }),
        json!({ "ua": "Mozilla/5.0 Firefox/131.0" }),
        json!({ "net": "vpn", "country": "NO" }),
        json!({ "net": "mobile" }),
    ] {
        assert_eq!(sensitive(3.0 * HOUR, &harmless), 0, "{harmless}");
    }
    assert_eq!(sensitive(0.5 * HOUR, &json!({})), 0, "of whom nothing is known");
}

#[test]
fn a_companys_data_centre_in_ones_own_country_is_how_its_people_come() {
    let told = |name: &str, value: &str| {
        let mut act = json!({
            "net": "hosting", "country": "NO", "ua": "Mozilla/5.0 Chrome/131.0", "ja4": "other",
            "method": "PATCH", "path": "/orders/7",
        });
        act[name] = json!(value);
        sensitive(3.0 * HOUR, &act)
    };
    assert_eq!(told("country", "NO"), 0);
    for (name, value) in
        [("country", "BR"), ("net", "tor"), ("ua", "python-requests/2.32"), ("path", "/payees")]
    {
        assert_eq!(told(name, value), 1, "{value}");
    }
}

#[test]
fn in_the_first_days_only_what_decides_who_has_the_account_or_its_money_is_told() {
    let told = |net: &str, method: &str, path: &str, more: &Value| {
        let mut act = json!({ "net": net, "method": method, "path": path });
        for (name, value) in more.as_object().expect("members") {
            act[name] = value.clone();
        }
        sensitive(3.0 * HOUR, &act)
    };
    let none = json!({});
    for (method, path) in [("PATCH", "/me/email"), ("POST", "/payees"), ("DELETE", "/me/mfa/1")] {
        assert_eq!(told("residential", method, path, &none), 1, "{method} {path}");
    }
    assert_eq!(told("residential", "POST", "/cart/items", &none), 0);
    assert_eq!(told("hosting", "POST", "/cart/items", &none), 1, "no people are there");
    assert_eq!(told("residential", "GET", "/me/email", &none), 0, "it was only read");
    assert_eq!(told("residential", "POST", "/payees", &json!({ "status": 403 })), 0, "in vain");
    let scoped = json!({ "scopes": ["payments:write"] });
    assert_eq!(told("residential", "GET", "/orders", &scoped), 0, "what it might do");
    // Through Tor whatever the software.
    let same = json!({ "ua": "Mozilla/5.0 Firefox/130.0", "ja4": "browser" });
    assert_eq!(told("tor", "POST", "/payees", &same), 1);
    assert_eq!(told("tor", "POST", "/cart/items", &same), 0);
    assert_eq!(told("hosting", "POST", "/payees", &same), 0, "a company's way out");
}

#[test]
fn what_a_quarter_of_a_clients_people_do_decides_nothing_in_the_first_days() {
    let told = |others: u32| {
        let mut events = people();
        let pays = json!({ "method": "POST", "path": "/payees" });
        events.extend((10..10 + others).map(|person| used(2.5 * HOUR, person, &pays)));
        let thief = json!({
            "ua": "Mozilla/5.0 Safari/605", "ja4": "other", "token": "t9", "session": "s9",
            "country": "BR", "asn": 64666, "method": "POST", "path": "/payees",
        });
        events.push(used(3.0 * HOUR, 3, &thief));
        found(&events).iter().filter(|it| it["detector"] == "new_place").count()
    };
    assert_eq!((told(5), told(30)), (1, 0));
}

/// A person of number 0, who was at home before, and a thief a while later who signs in, or does not, and pays.
fn taken_over(at_home: &Value, signs_in: bool, thief: &Value) -> usize {
    let mut events: Vec<Value> = (0..4).map(|n| used(f64::from(n) * 600.0, 0, at_home)).collect();
    let login = |seconds: f64, more: &Value| {
        let mut login = used(seconds, 0, more);
        for (name, value) in
            [("kind", "login"), ("result", "ok"), ("username", "n"), ("factor", "password")]
        {
            login[name] = json!(value);
        }
        login
    };
    // Somebody signs in somewhere in any stream that has sign-ins.
    events.push(login(0.0, at_home));
    let mut paid = json!({
        "ua": "python-requests/2.32", "ja4": "tool", "token": "t9", "session": "s9", "country": "BR",
        "asn": 64666, "method": "POST", "path": "/payees",
    });
    for (name, value) in thief.as_object().expect("members") {
        paid[name] = value.clone();
    }
    if signs_in {
        events.push(login(3.0 * HOUR - 30.0, &paid));
    }
    events.push(used(3.0 * HOUR, 0, &paid));
    found(&events).iter().filter(|it| it["detector"] == "new_place").count()
}

#[test]
fn whoever_never_signed_in_there_is_a_server_and_a_vpn_is_nobodys_country() {
    let home = json!({});
    assert_eq!(taken_over(&home, true, &json!({})), 1);
    assert_eq!(taken_over(&home, false, &json!({})), 1, "with a stolen token");
    let hosted = json!({ "net": "hosting" });
    assert_eq!(taken_over(&home, true, &hosted), 1);
    assert_eq!(taken_over(&home, false, &hosted), 0, "the server of an application");
    let renewed = json!({ "kind": "grant", "grant_type": "refresh_token", "result": "ok" });
    assert_eq!(taken_over(&home, false, &renewed), 0, "it began before the stream");
    let device = json!({
        "kind": "grant", "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "result": "ok",
    });
    assert_eq!(taken_over(&home, false, &device), 0, "its owner approved it elsewhere");
    let by_vpn = json!({ "net": "vpn" });
    assert_eq!(taken_over(&by_vpn, true, &json!({})), 0, "who knows from where somebody is?");
    let relayed = json!({ "net": "hosting", "asn": 13335, "country": "NO" });
    assert_eq!(taken_over(&home, true, &relayed), 0, "a relay of private persons");
    let changed = json!({ "path": "/orders", "net": "hosting" });
    assert_eq!(
        taken_over(&home, true, &changed),
        1,
        "a change says as much as the name of a scope"
    );
    let read = json!({ "method": "GET", "path": "/orders", "net": "hosting" });
    assert_eq!(taken_over(&home, true, &read), 0);
}

#[test]
fn where_kinds_of_networks_are_unknown_a_program_that_acts_for_many_is_a_server() {
    let told = |others: u32, ua: &str| {
        let server = json!({
            "ua": ua, "ja4": "server", "asn": 64666, "country": "BR", "token": "t99", "session": "s99",
            "method": "POST", "path": "/payees",
        });
        let with = |seconds: f64, person: u32, more: &Value| {
            let mut event = used(seconds, person, more);
            event.as_object_mut().expect("object").remove("net");
            event
        };
        let at_the_server = |seconds: f64, person: u32| {
            let mut event = with(seconds, person, &server);
            event["ip"] = json!("203.0.113.80");
            event
        };
        let mut events: Vec<Value> = (0..others).map(|n| at_the_server(60.0, 10 + n)).collect();
        let mut login =
            with(0.0, 30, &json!({ "kind": "login", "result": "ok", "factor": "password" }));
        login["username"] = json!("n");
        events.push(login);
        events.push(with(600.0, 0, &json!({})));
        events.push(at_the_server(3.0 * HOUR, 0));
        let told = found(&events);
        told.iter().filter(|it| it["detector"] == "new_place" && it["subject"] == "u0").count()
    };
    assert_eq!((told(8, "server/1"), told(1, "server/1")), (0, 1));
    assert_eq!(told(8, "Mozilla/5.0 Chrome/130"), 1, "a thief of many accounts");
}

#[test]
fn a_program_that_is_none_of_a_clients_is_told_of_somebody_of_whom_nothing_is_known() {
    let told = |ua: &str, method: &str, with_it: u32| {
        let mut events = people();
        let program = json!({ "ua": ua, "ja4": "tool", "token": "t99", "method": method });
        events.extend((0..with_it).map(|person| used(HOUR, person, &program)));
        events.push(used(2.0 * HOUR, 99, &program));
        found(&events).iter().filter(|it| it["subject"] == "u99").count()
    };
    assert_eq!(told("python-httpx/0.27", "POST", 0), 1);
    assert_eq!(told("python-httpx/0.27", "GET", 0), 0);
    assert_eq!(told("python-httpx/0.27", "POST", 3), 0, "others use it, too");
    assert_eq!(told("Mozilla/5.0 Opera/99", "POST", 0), 0, "there are rare browsers");
}

#[test]
fn whoever_has_just_signed_in_by_a_browser_may_try_a_program_of_their_own_beside_it() {
    let told = |login: &Value| {
        let mut events = people();
        let tool = json!({ "ua": "python-httpx/0.27", "ja4": "tool", "method": "POST" });
        let mut signed_in = used(2.0 * HOUR - 60.0, 99, login);
        for (name, value) in [("kind", "login"), ("result", "ok"), ("username", "n")] {
            signed_in[name] = json!(value);
        }
        signed_in["factor"] = json!("password");
        events.push(signed_in);
        events.push(used(2.0 * HOUR, 99, &tool));
        let findings = found(&events);
        findings.iter().filter(|it| it["detector"] == "new_place" && it["subject"] == "u99").count()
    };
    assert_eq!(told(&json!({})), 0);
    assert_eq!(told(&json!({ "ua": "python-httpx/0.27", "ja4": "tool" })), 1, "by that program");
    assert_eq!(told(&json!({ "ua": null })), 1, "by who knows what");
    assert_eq!(told(&json!({ "asn": 64501 })), 1, "elsewhere");
}

#[test]
fn a_computers_browser_in_a_client_of_telephones_is_none_of_its_own() {
    let told = |with_browser: u32, ua: &str, kind: &str| {
        let mut events = people();
        for event in &mut events {
            event["ua"] = json!("Shop/3.1 (Android 14; Pixel 8) okhttp/4.12");
        }
        let act = json!({
            "ua": ua, "ja4": "other", "token": "t99", "method": "POST", "kind": kind,
            "result": "ok", "username": "n", "factor": "password",
        });
        events.extend((0..with_browser).map(|person| used(HOUR, person, &act)));
        events.push(used(2.0 * HOUR, 99, &act));
        found(&events).iter().filter(|it| it["subject"] == "u99").count()
    };
    let desk =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36";
    let page =
        "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36";
    assert_eq!(told(0, desk, "request"), 1);
    assert_eq!(told(0, page, "request"), 0, "a page in the application");
    assert_eq!(told(0, desk, "login"), 0, "a sign-in is shown by a browser");
    assert_eq!(told(3, desk, "request"), 0, "others use it, too");
}

#[test]
fn who_changes_the_account_as_soon_as_abroad_is_told_whatever_the_software() {
    let told = |after: f64, more: &Value| {
        let mut events: Vec<Value> =
            (0..60).map(|n| used(f64::from(n) * 1800.0, 0, &json!({}))).collect();
        let mut abroad = json!({ "country": "BR", "asn": 64666, "token": "t9", "session": "s9" });
        for (name, value) in more.as_object().expect("members") {
            abroad[name] = value.clone();
        }
        events.push(used(40.0 * HOUR, 0, &abroad));
        (abroad["method"], abroad["path"]) = (json!("PUT"), json!("/me/email"));
        if let Some(path) = more.get("path") {
            abroad["path"] = path.clone();
        }
        events.push(used(40.0 * HOUR + after, 0, &abroad));
        let mut findings = found(&events);
        findings.retain(|it| it["detector"] == "new_place");
        let says_country = |it: &Value| it["evidence"]["new"].to_string().contains("country");
        assert!(findings.iter().all(says_country), "{findings:?}");
        findings.len()
    };
    assert_eq!(told(300.0, &json!({})), 1);
    assert_eq!(told(2.0 * HOUR, &json!({})), 0, "who has arrived");
    for harmless in [
        json!({ "path": "/cart/items" }),
        json!({ "country": "NO" }),
        json!({ "net": "mobile" }),
        json!({ "net": "vpn" }),
    ] {
        assert_eq!(told(300.0, &harmless), 0, "{harmless}");
    }
}

#[test]
fn a_scope_that_most_tokens_of_a_client_carry_is_sensitive_only_in_a_change() {
    let told = |everybody: bool, method: &str| {
        let scoped = json!({ "scopes": ["payments:write"] });
        let mut events = people();
        if everybody {
            events.extend((10..40).map(|person| used(2.5 * HOUR, person, &scoped)));
        }
        events.extend((0..4).map(|n| used(f64::from(n) * 600.0, 3, &json!({}))));
        let paid = json!({
            "ua": "Mozilla/5.0 Safari/605", "ja4": "other", "token": "t9", "session": "s9", "country": "BR",
            "asn": 64666, "net": "hosting", "scopes": ["payments:write"], "method": method,
            "path": "/payments",
        });
        events.push(used(3.0 * HOUR, 3, &paid));
        found(&events).iter().filter(|it| it["detector"] == "new_place").count()
    };
    assert_eq!((told(true, "GET"), told(true, "POST"), told(false, "GET")), (0, 1, 1));
}

#[test]
fn two_kinds_of_programs_in_turn_over_an_hour_are_two_hands_wherever_they_are() {
    const WINDOWS: &str =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0";
    const LINUX: &str =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36";
    const APPLICATION: &str = "Shop/6.1 (Android 15; Model-A) okhttp/4.12";
    const PAGES: &str =
        "Mozilla/5.0 (Linux; Android 15; wv) AppleWebKit/537.36 Chrome/130.0 Mobile";
    const IPHONE: &str =
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile";
    let told = |turns: u32, both: [&str; 2], others: u32| {
        let mut events = people();
        for person in (3..4).chain(10..10 + others) {
            for n in 0..=turns {
                let ua = both[n as usize % 2];
                let mut at = 2.0 * HOUR + f64::from(n) * 720.0;
                if person > 3 {
                    at -= HOUR;
                }
                let mut event = used(at, person, &json!({ "ua": ua }));
                event.as_object_mut().expect("object").remove("ja4");
                event["session"] = json!(format!("later{person}"));
                events.push(event);
            }
        }
        sharing(&events).iter().filter(|it| it["subject"] == "u3").count()
    };
    let desks = [WINDOWS, LINUX];
    assert_eq!((told(4, desks, 0), told(3, desks, 0)), (1, 0));
    assert_eq!(told(4, [WINDOWS, &WINDOWS.replace("130.0", "131.0")], 0), 0, "it was updated");
    assert_eq!(told(4, desks, 8), 0, "others have these two");
    assert_eq!(told(8, [APPLICATION, PAGES], 0), 0, "a page that an application shows");
    assert_eq!(told(4, [APPLICATION, IPHONE], 0), 1, "two telephones");
    assert_eq!(told(4, [APPLICATION, WINDOWS], 0), 1, "a telephone and a computer");
    let other = APPLICATION.replace("Model-A", "Model-B");
    assert_eq!((told(4, [APPLICATION, &other], 0), told(3, [APPLICATION, &other], 0)), (1, 0));
    assert_eq!(told(4, [APPLICATION, &APPLICATION.replace("6.1", "6.2")], 0), 0, "it was updated");
    let (one, two) = (PAGES.replace("wv", "Model-A"), PAGES.replace("wv", "Model-B"));
    assert_eq!(told(8, [&one, &two], 0), 0, "browsers name what they like");
}

#[test]
fn nobody_is_in_two_homes_of_one_country_in_turn() {
    let told = |times: u32, nets: [&str; 2], countries: [&str; 2], asns: [u32; 2]| {
        let mut events = people();
        for n in 0..=times {
            let at = n as usize % 2;
            let mut event = used(2.0 * HOUR + f64::from(n) * 60.0, 3, &json!({}));
            event["ip"] = json!(["192.0.2.33", "198.51.100.33"][at]);
            event["net"] = json!(nets[at]);
            event["country"] = json!(Some(countries[at]).filter(|country| !country.is_empty()));
            event["asn"] = json!(asns[at]);
            event["session"] = json!("one");
            events.push(event);
        }
        sharing(&events).iter().filter(|it| it["subject"] == "u3").count()
    };
    let (homes, country, asns) = (["residential"; 2], ["DE"; 2], [64501, 64502]);
    assert_eq!((told(5, homes, country, asns), told(4, homes, country, asns)), (1, 0));
    assert_eq!(told(9, homes, country, [64501; 2]), 0, "one provider");
    assert_eq!(told(9, homes, ["", ""], asns), 0, "where nobody knows the country");
    assert_eq!(told(9, ["residential", "mobile"], country, asns), 0, "in and out of the house");
    assert_eq!(told(9, ["residential", "business"], country, asns), 0, "by a company's VPN");
}
