//! Probing of functions, and scans.

use serde_json::{Value, json};

use crate::stream::{DAY, HOUR, Stream, own};

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";

fn functions(stream: &mut Stream, subject: &str, count: u32, pause: f64) {
    for n in 0..count {
        let more = json!({ "status": 403, "refused": "insufficient_scope" });
        let at = 2.1 * DAY + f64::from(n) * pause;
        stream.add(at, subject, &format!("POST /admin/function{n}"), more);
    }
}

#[test]
fn refusals_by_many_routes_are_probing_also_slowly() {
    // What goes on the next day is told again.
    for (count, pause, times) in [(6, 10.0, 1), (12, 4000.0, 1), (10, 4.0 * HOUR, 2)] {
        let mut stream = Stream::people();
        functions(&mut stream, "p3", count, pause);
        let findings = stream.by("function_probing");
        assert_eq!(findings.len(), times, "{count}");
        assert_eq!(findings[0]["subject"], "p3");
    }
    let mut stream = Stream::people();
    functions(&mut stream, "p3", 12, 12.0 * HOUR);
    assert_eq!(stream.by("function_probing").len(), 0, "two a day");
}

/// A person tries methods on an order of their own; whether others change theirs.
fn methods(status: u16, others: bool) -> usize {
    let mut stream = Stream::people();
    let tried = ["POST", "PUT", "PATCH", "DELETE", "LOCK", "TRACE"];
    for (n, method) in tried.into_iter().enumerate() {
        let refused =
            if status == 403 && others { json!("insufficient_scope") } else { json!(null) };
        let more = json!({ "object": own(3, 1), "status": status, "refused": refused });
        let route = format!("{method} /orders/{{id}}");
        stream.add(2.1 * DAY + n as f64 * 9.0, "p3", &route, more);
        for person in (4..10).filter(|_| others) {
            let at = DAY + n as f64 * 500.0 + f64::from(person);
            stream.add(at, &format!("p{person}"), &route, json!({ "object": own(person, 1) }));
        }
    }
    stream.by("function_probing").len()
}

#[test]
fn methods_that_nobody_uses_are_probing_also_on_what_everybody_reads() {
    assert_eq!(methods(405, false), 1);
    assert_eq!(methods(403, false), 0, "an order that is closed");
    assert_eq!(methods(403, true), 0, "a token that may only read, where others change");
}

/// Sixty customers of one app, on so many visits, and two administrators; then a customer asks for so many functions of
/// theirs, and all are answered. The administrators use the customers' app, with a scope of their own, or another.
fn unchecked(count: u32, admins_by: &str, customer: &str) -> usize {
    elsewhere(20, &[(count, 200)], admins_by, customer)
}

fn elsewhere(visits: u32, asked: &[(u32, u16)], admins_by: &str, customer: &str) -> usize {
    let mut stream = Stream::default();
    for person in 0..60u32 {
        for n in 0..visits {
            let at = f64::from(n) * 1500.0 + f64::from(person) * 13.0;
            let more = json!({ "scopes": ["orders:read"] });
            stream.add(at, &format!("p{person}"), ["GET /orders", "GET /me"][n as usize % 2], more);
        }
    }
    let scopes = json!(["admin", "orders:read"]);
    for n in 0..40u32 {
        let more = json!({ "client": admins_by, "scopes": scopes });
        let admin = format!("admin{}", n % 2);
        stream.add(
            8.0 * HOUR + f64::from(n) * 60.0,
            &admin,
            &format!("GET /admin/f{}", n / 2 % 5),
            more,
        );
    }
    let mut n = 0;
    for (count, status) in asked {
        for _ in 0..*count {
            let more = json!({ "scopes": ["orders:read"], "status": status });
            // From the fifth on, administrators do not know them either.
            let route = format!("GET /{}/f{n}", if n < 5 { "admin" } else { "tools" });
            stream.add(10.0 * HOUR + f64::from(n) * 9.0, customer, &route, more);
            n += 1;
        }
        n = 5;
    }
    stream.by("function_probing").len()
}

#[test]
fn functions_of_others_are_probing_also_where_nothing_is_refused() {
    assert_eq!(unchecked(4, "console", "p3"), 1);
    assert_eq!(unchecked(4, "app", "p3"), 1, "a role of the same app");
    assert_eq!(unchecked(2, "console", "p3"), 0, "a link that leads astray");
    assert_eq!(unchecked(4, "console", "admin1"), 0, "an administrator by another app");
    assert_eq!(elsewhere(2, &[(4, 200)], "console", "p3"), 0, "an app of which little is known");
}

/// Sixty people of one app, and one who asks for functions that call themselves so, and is answered: after so many hours
/// of looking at orders, and two days before for the first time, or never.
fn administrators(words: &[&str], hours: f64, before: bool) -> usize {
    let mut stream = Stream::default();
    for person in 0..60u32 {
        for n in 0..30 {
            let at = f64::from(n) * 1500.0 + f64::from(person) * 13.0;
            stream.add(
                at,
                &format!("p{person}"),
                ["GET /orders", "GET /me"][n as usize % 2],
                json!({}),
            );
        }
    }
    let start = 2.5 * DAY;
    stream.add(start - hours * HOUR, "late", "GET /orders", json!({}));
    if before {
        stream.add(start - 30.0 * HOUR, "late", &format!("GET /{}/start", words[0]), json!({}));
    }
    for (n, word) in words.iter().enumerate() {
        stream.add(start + n as f64 * 9.0, "late", &format!("GET /{word}/f{n}"), json!({}));
    }
    stream.by("function_probing").len()
}

#[test]
fn what_calls_itself_an_administrators_is_others_function_though_none_of_them_is_seen() {
    let words = ["admin", "internal", "manage", "admin"];
    assert_eq!(administrators(&words, 50.0, false), 1);
    assert_eq!(administrators(&words[..2], 50.0, false), 0, "a link that leads astray");
    assert_eq!(administrators(&["administer", "settings", "tools"], 50.0, false), 0);
    assert_eq!(administrators(&words, 0.5, false), 0, "an administrator from the first hour on");
    assert_eq!(administrators(&words, 50.0, true), 0, "an administrator since yesterday");
}

/// Sixty people of one app, with so many requests each, and two administrators of another one; then
/// one of the people asks for four functions that are called so.
fn foreign(visits: u32, word: &str) -> usize {
    let mut stream = Stream::default();
    for person in 0..60u32 {
        for n in 0..visits {
            let at = f64::from(n) * 900.0 + f64::from(person) * 13.0;
            stream.add(at, &format!("p{person}"), "GET /orders", json!({}));
        }
    }
    for n in 0..40 {
        let (at, route) = (8.0 * HOUR + f64::from(n) * 60.0, format!("GET /{word}/f{}", n / 2 % 5));
        stream.add(at, &format!("admin{}", n % 2), &route, json!({ "client": "console" }));
    }
    for n in 0..4 {
        let at = 10.0 * HOUR + f64::from(n) * 9.0;
        stream.add(at, "p3", &format!("GET /{word}/f{n}"), json!({}));
    }
    let findings = stream.by("function_probing");
    assert!(findings.iter().all(|it| it["subject"] == "p3"));
    findings.len()
}

#[test]
fn a_name_says_whose_a_function_is_after_four_requests_of_each_and_use_after_twelve() {
    assert_eq!([5, 3].map(|visits| foreign(visits, "admin")), [1, 0]);
    assert_eq!([13, 11].map(|visits| foreign(visits, "tools")), [1, 0]);
}

#[test]
fn functions_of_others_and_refusals_count_together() {
    assert_eq!(elsewhere(20, &[(2, 200), (2, 403)], "console", "p3"), 1);
    assert_eq!(elsewhere(20, &[(2, 403)], "console", "p3"), 0, "a link that leads astray");
    assert_eq!(elsewhere(20, &[(0, 200), (3, 403)], "console", "p3"), 0, "three refusals");
}

#[test]
fn a_scope_that_is_missing_for_a_time_is_not_probing() {
    let mut stream = Stream::default();
    for person in 0..20u32 {
        for n in 0..12u32 {
            let at = f64::from(n) * 600.0 + f64::from(person) * 13.0;
            stream.add(at, &format!("p{person}"), &format!("GET /page{}", n % 6), json!({}));
        }
    }
    for n in 0..6u32 {
        let more = json!({ "status": 403, "refused": "insufficient_scope" });
        stream.add(9.0 * HOUR + f64::from(n) * 20.0, "p3", &format!("GET /page{n}"), more);
    }
    assert_eq!(stream.by("function_probing").len(), 0);
}

#[test]
fn a_client_without_a_scope_that_all_are_refused_for_is_not_probing() {
    let mut stream = Stream::people();
    for person in 0..12 {
        // All but the first few find that others were refused as well.
        functions(&mut stream, &format!("p{person}"), 3, 60.0);
        functions(&mut stream, &format!("p{person}"), 3, 7000.0);
    }
    assert_eq!(stream.by("function_probing").len(), 0);
}

fn unknown(stream: &mut Stream, at: f64, ip: &str, path: &str, ua: &str) {
    let more = json!({
        "ip": ip, "ua": ua, "route": null, "path": path, "status": 404, "refused": "unknown_route",
    });
    stream.add(at, "", "GET /", more);
}

#[test]
fn objects_without_a_token_are_a_scan_when_they_are_many() {
    let told = |count: u32, honest: u32, different: bool| {
        let mut stream = Stream::people();
        let mut ask = |at: f64, ip: &str, n: u32| {
            let object = if different { n } else { 7 };
            let more = json!({
                "ip": ip, "object": format!("{object}"), "status": 401, "refused": "no_token",
            });
            stream.add(at, "", "GET /orders/{id}", more);
        };
        for n in 0..count {
            ask(2.1 * DAY + f64::from(n) * 2.0, "203.0.113.66", 1000 + n);
        }
        for network in 0..honest {
            ask(2.0 * DAY, &format!("198.51.{network}.1"), network);
        }
        for network in 0..honest {
            for n in 0..30 {
                let more = json!({ "ip": format!("198.51.{network}.1"), "object": own(3, n % 4) });
                stream.add(1.9 * DAY + f64::from(n) * 90.0, "p3", "GET /orders/{id}", more);
            }
        }
        let findings = stream.by("scanning");
        assert!(
            findings.iter().all(|it| it["ip"] == "203.0.113.66" && it.get("subject").is_none())
        );
        findings.len()
    };
    assert_eq!(told(80, 0, true), 1);
    assert_eq!(told(30, 0, true), 0, "a page with pictures");
    assert_eq!(told(80, 0, false), 0, "one object");
    assert_eq!(told(80, 8, true), 0, "people who have signed out see that page");
}

#[test]
fn weak_spots_word_lists_and_tools_are_scans() {
    let spots: Vec<String> =
        ["/.env", "/.git/HEAD", "/wp-login.php", "/actuator/env"].map(str::to_owned).to_vec();
    let words: Vec<String> = ('a'..='z').map(|letter| format!("/word-{letter}")).collect();
    for (paths, pause, ua) in
        [(&spots, 1.0, "x"), (&words, 1.0, "x"), (&words, 600.0, "x"), (&words, 60.0, "sqlmap/1.8")]
    {
        let mut stream = Stream::people();
        for (n, path) in paths.iter().enumerate() {
            unknown(&mut stream, 2.0 * DAY + n as f64 * pause, "203.0.113.9", path, ua);
        }
        let findings = stream.by("scanning");
        assert_eq!(
            findings.first().map(|finding| finding["ip"].clone()),
            Some(json!("203.0.113.9"))
        );
        assert!(findings.len() <= 2 && findings[0].get("subject").is_none());
    }
}

#[test]
fn one_program_that_searches_from_an_address_each_is_a_scan_and_browsers_are_none() {
    let told = |count: usize, ua: &dyn Fn(usize) -> String| {
        let mut stream = Stream::people();
        for n in 0..count {
            let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
            let path = format!("/word-{}{}", letter(n), letter(n / 26));
            let (at, ip) = (2.0 * DAY + n as f64 * 300.0, format!("203.{n}.113.9"));
            unknown(&mut stream, at, &ip, &path, &ua(n));
        }
        let findings = stream.by("scanning");
        assert!(findings.iter().all(|it| it["ip"].is_string() && it.get("subject").is_none()));
        findings.len()
    };
    let one = |_| "python-requests/2.28".to_owned();
    assert_eq!((told(60, &one), told(30, &one)), (1, 0));
    assert_eq!(told(60, &|_| "Mozilla/5.0 Firefox/130.0".to_owned()), 0, "many people's");
    assert_eq!(told(60, &|n| format!("app-{}/1", "y".repeat(n))), 0, "each its own");
}

#[test]
fn icons_old_apps_and_offices_are_no_scans() {
    let mut stream = Stream::people();
    for n in 0..300 {
        let at = 2.0 * DAY + f64::from(n) * 5.0;
        unknown(&mut stream, at, "198.51.100.1", "/favicon.ico", "Firefox");
        // A route that is gone, with a number and with a long name.
        unknown(&mut stream, at, "198.51.100.2", &format!("/v1/orders/{n}/status"), "old app");
        unknown(
            &mut stream,
            at,
            "198.51.100.3",
            &format!("/f/0f8fad5b-d9cb-469f-a165-{n:012}"),
            "old app",
        );
    }
    // An office of many people: a few typing errors among much work.
    for n in 0..2000 {
        let at = 2.0 * DAY + f64::from(n) * 10.0;
        stream.add(at, &format!("p{}", n % 12), "GET /orders", json!({ "ip": "198.51.100.4" }));
        if n % 70 == 0 {
            let letter = char::from(b'a' + (n / 70 % 26) as u8);
            unknown(&mut stream, at, "198.51.100.4", &format!("/typo-{letter}"), "Firefox");
        }
    }
    assert_eq!(stream.by("scanning"), Vec::<serde_json::Value>::new());
}

#[test]
fn a_link_that_is_broken_for_everybody_is_no_scan() {
    let mut stream = Stream::default();
    for network in 0..40 {
        let ip = format!("198.51.100.{network}");
        for n in 0..30 {
            stream.add(f64::from(n), &format!("p{network}"), "GET /home", json!({ "ip": ip }));
        }
        for page in 0..14 {
            let at = HOUR + f64::from(network) * 30.0 + f64::from(page) * 1300.0;
            let path = format!("/moved-{}", char::from(b'a' + page as u8));
            unknown(&mut stream, at, &ip, &path, "Firefox");
        }
    }
    assert_eq!(stream.by("scanning"), Vec::<serde_json::Value>::new());
}

#[test]
fn a_scan_with_ones_own_token_names_whose_it_is_and_that_of_several_the_address() {
    let scan = |people: u32| {
        let mut stream = Stream::people();
        for n in 0..14 {
            let path = format!("/v1/word{}", char::from(b'a' + n as u8));
            let more = json!({
                "ip": "203.0.113.9", "route": null, "path": path, "status": 404,
                "refused": "unknown_route",
            });
            stream.add(HOUR + f64::from(n), &format!("p{}", n % people), "GET /x", more);
        }
        stream.by("scanning")
    };
    let alone = scan(1);
    assert_eq!((alone.len(), &alone[0]["subject"]), (1, &json!("p0")));
    assert_eq!(alone[0]["ip"], "203.0.113.9");
    let several = scan(3);
    assert_eq!((several.len(), several[0].get("subject")), (1, None));
}

const SPOTS: [&str; 12] = [
    "/.env",
    "/.git/HEAD",
    "/wp-login.php",
    "/actuator/env",
    "/phpinfo.php",
    "/.aws/credentials",
    "/server-status",
    "/xmlrpc.php",
    "/phpmyadmin/",
    "/.svn/entries",
    "/backup.sql",
    "/cgi-bin/test",
];

/// So many of these are asked for by one browser, each from another network and so many seconds
/// after the last, with more members. How often it is told.
fn asked(paths: &[String], pause: f64, more: &dyn Fn(usize) -> Value) -> usize {
    let mut stream = Stream::people();
    for (n, path) in paths.iter().enumerate() {
        let mut members = json!({
            "ip": format!("203.{n}.113.9"), "ua": BROWSER, "route": null, "path": path,
            "status": 404, "refused": "unknown_route",
        });
        for (name, value) in more(n).as_object().expect("members") {
            members[name] = value.clone();
        }
        stream.add(2.0 * DAY + n as f64 * pause, "", "GET /", members);
    }
    let findings = stream.by("scanning");
    assert!(findings.iter().all(|it| it["ip"].is_string() && it.get("subject").is_none()));
    findings.len()
}

#[test]
fn five_known_weak_spots_that_one_browser_asks_for_from_an_address_each_are_a_scan() {
    let spots = SPOTS.map(str::to_owned);
    let told = |count: usize, pause, more: &Value| asked(&spots[..count], pause, &|_| more.clone());
    assert_eq!([5, 4].map(|count| told(count, 300.0, &json!({}))), [1, 0]);
    assert_eq!([5.9, 6.1].map(|hours| told(5, hours * HOUR, &json!({}))), [1, 0], "in one day");
    let again: Vec<String> = (0..40).map(|n| spots[n % 4].clone()).collect();
    assert_eq!(asked(&again, 300.0, &|_| json!({})), 0, "the same ones");
    let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
    let words: Vec<String> =
        (0..200).map(|n| format!("/word-{}{}", letter(n), letter(n / 26))).collect();
    assert_eq!(asked(&words, 300.0, &|_| json!({})), 0, "a page's broken links");
    let four: Vec<String> = spots[..4].iter().chain(&words).cloned().collect();
    assert_eq!(asked(&four, 300.0, &|_| json!({})), 0, "they add nothing");
    let own = json!({ "subject": "p3", "client": "app", "token": "t1" });
    assert_eq!(told(12, 300.0, &own), 0, "with a token");
    let ja4 = |n: usize| json!({ "ja4": format!("t13d15{n:02}h2_8daaf61{n:05}_02713d6af862") });
    assert_eq!(asked(&spots, 300.0, &ja4), 1, "one that says so in each way");
    let other = |n: usize| {
        json!({
            "ua": BROWSER.replace("130", &format!("{}", 100 + n)),
            "ja4": "t13d1516h2_8daaf6152771_02713d6af862",
        })
    };
    assert_eq!(asked(&spots, 300.0, &other), 0, "many people's");
}

/// A client of hardly anybody: somebody who looked at orders so many hours before asks for so many
/// functions, so many seconds apart, and is refused, with these members. Before that so many hours,
/// some asked for the same in a browser, and were answered so.
fn looked_for(
    hours: f64,
    [count, pause]: [u32; 2],
    more: &Value,
    before: &[(f64, &str, u16)],
) -> usize {
    let start = 2.5 * DAY;
    let mut stream = Stream::default();
    let mut ask = |at: f64, who: &str, n: u32, status: u16, more: &Value| {
        let mut members = json!({ "client": "batch", "ua": "curl/8.5", "status": status });
        for (name, value) in more.as_object().expect("members") {
            members[name] = value.clone();
        }
        let word = members["word"].take();
        let route = format!("POST /{}/f{n}", word.as_str().unwrap_or("admin"));
        stream.add(at, who, &route, members);
    };
    let orders = json!({ "word": "orders" });
    let late = more["subject"].as_str().unwrap_or("late");
    ask(start - hours * HOUR, late, 0, 200, &orders);
    for (ago, who, status) in before {
        ask(start - (ago + 2.0) * HOUR, who, 0, 200, &orders);
        let by = json!({ "ua": BROWSER });
        (0..count).for_each(|n| ask(start - ago * HOUR, who, n, *status, &by));
    }
    (0..count).for_each(|n| ask(start + f64::from(n * pause), late, n, 403, more));
    let mut findings = stream.by("function_probing");
    findings.retain(|it| it["evidence"]["functions_of_others_day"] != 0);
    assert!(findings.iter().all(|it| it["subject"] == "late"));
    findings.len()
}

#[test]
fn three_administrators_functions_that_refuse_a_library_are_probing_however_few_use_it() {
    let told = |count, pause| looked_for(2.0, [count, pause], &json!({}), &[]);
    assert_eq!([3, 2].map(|count| told(count, 60)), [1, 0], "a link that leads astray");
    assert_eq!([1790, 1810].map(|pause| told(3, pause)), [1, 0], "within an hour");
    assert_eq!([3, 4].map(|count| told(count, 7200)), [0, 1], "or four in a day");
    let with = |more: &Value| looked_for(2.0, [4, 60], more, &[]);
    for probing in [
        json!({ "refused": "insufficient_scope" }),
        json!({ "refused": "policy" }),
        json!({ "status": 405 }),
        json!({ "ua": "python-requests/2.32" }),
        json!({ "word": "internal" }),
    ] {
        assert_eq!(with(&probing), 1, "{probing}");
    }
    for none in [
        json!({ "ua": BROWSER }),
        json!({ "ua": "Sync/3.1" }),
        json!({ "ua": null }),
        json!({ "status": 200 }),
        json!({ "status": 404 }),
        json!({ "refused": "expired", "status": 401 }),
        json!({ "word": "orders" }),
        json!({ "subject": "batch-2" }),
        json!({ "subject": "batch" }),
    ] {
        assert_eq!(with(&none), 0, "{none}");
    }
}

#[test]
fn administrators_and_functions_that_refuse_others_as_well_are_no_probing_of_a_library() {
    let told = |hours, before: &[_]| looked_for(hours, [3, 60], &json!({}), before);
    assert_eq!([1.1, 0.9].map(|hours| told(hours, &[])), [1, 0], "from the first hour on");
    assert_eq!([23.0, 25.0].map(|ago| told(60.0, &[(ago, "late", 200)])), [1, 0], "since then");
    for refused in [403, 404] {
        assert_eq!(told(60.0, &[(25.0, "late", refused)]), 1, "a probe of yesterday: {refused}");
    }
    let others = [(5.0, "p1", 403), (4.0, "p2", 403)];
    assert_eq!([1, 2].map(|count| told(60.0, &others[..count])), [1, 0], "the client's fault");
}

/// Somebody with a browser, who looked at orders three hours before and at what else is said, asks for so many of an
/// administrator's functions at these times, and is refused.
fn searched(at: &[f64], let_in: Option<f64>, more: &Value) -> usize {
    let start = 2.0 * DAY;
    let mut stream = Stream::people();
    stream.add(start - 40.0 * HOUR, "late", "GET /orders", json!({}));
    if let Some(before) = let_in {
        stream.add(start - before, "late", "GET /admin/home", json!({ "ua": BROWSER }));
    }
    for (n, at) in at.iter().enumerate() {
        let mut members = json!({ "ua": BROWSER, "status": 403 });
        for (name, value) in more.as_object().expect("members") {
            members[name] = value.clone();
        }
        let word = members["word"].take();
        let word = word.as_str().unwrap_or("admin");
        stream.add(start + at, "late", &format!("GET /{word}/f{n}"), members);
    }
    let mut findings = stream.by("function_probing");
    findings.retain(|it| it["evidence"]["functions_of_others_day"] != 0);
    assert!(findings.iter().all(|it| it["subject"] == "late"));
    findings.len()
}

/// So many times, so many seconds apart.
fn apart(count: u32, pause: f64) -> Vec<f64> {
    (0..count).map(|n| f64::from(n) * pause).collect()
}

#[test]
fn four_administrators_functions_that_refuse_a_browser_within_a_day_are_probing() {
    let none = json!({});
    let told = |at: &[f64]| searched(at, None, &none);
    assert_eq!([4, 3].map(|count| told(&apart(count, 3700.0))), [1, 0]);
    assert_eq!([180.0, 179.0].map(|pause| told(&apart(4, pause))), [1, 0], "a page asks for all");
    assert_eq!(told(&[3300.0, 3500.0, 3510.0, 3700.0, 3900.0]), 1, "four of five apart");
    assert_eq!(told(&[3300.0, 3500.0, 3590.0, 3690.0, 3900.0]), 0, "three of five");
    assert_eq!(told(&[0.0, 200.0, 379.0, 558.0]), 0, "each less than three minutes later");
    assert_eq!(told(&[12.0, 18.0, 30.0, 42.0].map(|hours| hours * HOUR)), 0, "two a day");
    assert_eq!(told(&[24.0, 30.0, 36.0, 42.0].map(|hours| hours * HOUR)), 1, "on another day");
    let functions = |word: &str| searched(&apart(4, 3700.0), None, &json!({ "word": word }));
    assert_eq!(["internal", "orders"].map(functions), [1, 0]);
}

#[test]
fn whoever_was_let_in_before_searches_for_no_administrators_functions() {
    let told = |let_in| searched(&apart(4, 3700.0), let_in, &json!({}));
    assert_eq!([Some(25.0 * HOUR), None].map(told), [0, 1]);
    for none in [
        json!({ "status": 200 }),
        json!({ "status": 404 }),
        json!({ "status": 401, "refused": "expired" }),
        json!({ "object": "7" }),
        json!({ "subject": "app-2" }),
    ] {
        assert_eq!(searched(&apart(4, 3700.0), None, &none), 0, "{none}");
    }
    for probing in [
        json!({ "refused": "insufficient_scope" }),
        json!({ "refused": "policy" }),
        json!({ "status": 405 }),
        json!({ "ua": null }),
        json!({ "ua": "Shop/3.1 (iPhone)" }),
    ] {
        assert_eq!(searched(&apart(4, 3700.0), None, &probing), 1, "{probing}");
    }
}
