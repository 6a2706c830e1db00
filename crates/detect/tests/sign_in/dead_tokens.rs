//! Dead tokens: one that is tried out for what it is good for, and those of disabled accounts.

use serde_json::{Value, json};

use crate::support::{event, found, outcomes};

const HOUR: f64 = 3600.0;
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
const HOME: &str = "192.0.2.1";
const AWAY: &str = "203.0.113.66";

fn request(seconds: f64, ip: &str, ua: &str, more: &Value) -> Value {
    let mut members = json!({
        "token": "t1", "subject": "u1", "client": "app", "token_kind": "jwt", "method": "GET",
        "path": "/orders", "status": 200, "ua": ua,
    });
    for (name, value) in more.as_object().expect("members") {
        members[name] = value.clone();
    }
    event(seconds, "request", ip, &members)
}

fn refused(seconds: f64, ip: &str, ua: &str, reason: &str) -> Value {
    request(seconds, ip, ua, &json!({ "refused": reason, "status": 401 }))
}

/// An expired token that comes at these times for so many routes in turn.
fn tried_out(times: &[f64], routes: usize, ip: &str, ua: &str) -> Vec<Value> {
    let paths = ["/orders", "/files", "/users", "/invoices", "/stock", "/teams", "/mails"];
    let time = |(n, at): (usize, &f64)| {
        let mut made = refused(HOUR + at, ip, ua, "expired");
        made["path"] = json!(paths[n % routes]);
        made
    };
    times.iter().enumerate().map(time).collect()
}

/// So many times with so many hours and something between them.
fn irregular(count: u32, hours: f64) -> Vec<f64> {
    let pause = hours * HOUR;
    (0..count).map(|n| f64::from(n) * pause + f64::from(n * n % 7) * pause / 8.0).collect()
}

/// Its owner, at home with another token.
fn owner() -> Vec<Value> {
    vec![request(0.0, HOME, BROWSER, &json!({ "token": "t0" }))]
}

fn hammers(parts: &[Vec<Value>]) -> usize {
    let findings = found(&parts.concat());
    assert!(findings.iter().all(|it| it["detector"] == "revoked_token_hammering"), "{findings:?}");
    findings.len()
}

#[test]
fn an_expired_token_that_was_never_good_is_tried_out_on_six_routes_where_its_owner_never_was() {
    let tried = |count, routes, hours, ip: &str| {
        hammers(&[owner(), tried_out(&irregular(count, hours), routes, ip, BROWSER)])
    };
    assert_eq!([20, 19].map(|count| tried(count, 6, 2.0, AWAY)), [1, 0]);
    assert_eq!([6, 5].map(|routes| tried(32, routes, 2.0, AWAY)), [1, 0]);
    assert_eq!([8.0, 9.0].map(|hours| tried(20, 6, hours, AWAY)), [1, 0], "within a week");
    assert_eq!(tried(32, 6, 2.0, HOME), 0, "where its owner is");
    let good = vec![request(60.0, AWAY, BROWSER, &json!({}))];
    let times = irregular(32, 2.0);
    assert_eq!(hammers(&[owner(), good, tried_out(&times, 6, AWAY, BROWSER)]), 0, "it was good");
}

#[test]
fn where_nothing_is_known_of_its_owner_a_browser_does_not_try_out() {
    let tried = |ua| hammers(&[tried_out(&irregular(32, 2.0), 6, AWAY, ua)]);
    assert_eq!(["curl/8.5", BROWSER].map(tried), [1, 0]);
    let mut own = tried_out(&irregular(32, 2.0), 6, AWAY, "curl/8.5");
    own.iter_mut().for_each(|it| it["subject"] = json!("app"));
    assert_eq!(hammers(&[own]), 0, "one of a client's servers");
}

#[test]
fn a_job_that_asks_for_several_things_by_the_clock_does_not_try_out() {
    // Several seconds apart, and no two of them as many.
    let job = |parts: u32, between: f64| {
        let at = |n: u32| {
            let part = n % parts;
            f64::from(n / parts) * between + f64::from(part * part) * 2.0
        };
        let times: Vec<f64> = (0..parts * 12).map(at).collect();
        tried_out(&times, 7, AWAY, "curl/8.5")
    };
    for parts in [2, 3, 4] {
        assert_eq!(hammers(&[owner(), job(parts, HOUR)]), 0, "{parts}");
    }
    let mut revoked = job(4, 600.0);
    revoked.iter_mut().for_each(|it| it["refused"] = json!("revoked"));
    assert_eq!(hammers(&[owner(), revoked]), 0);
    let times = irregular(32, 2.0);
    assert_eq!(hammers(&[owner(), tried_out(&times, 7, AWAY, "curl/8.5")]), 1, "by no clock");
    let by_clock: Vec<f64> = (0..32).map(|n| f64::from(n) * HOUR).collect();
    assert_eq!(hammers(&[owner(), tried_out(&by_clock, 7, AWAY, "curl/8.5")]), 0);
}

/// A page that was open, so many seconds after its last good use and then again after so many.
fn page(after: f64, again: &[f64], ip: &str, ua: &str, reason: &str) -> Vec<Value> {
    let mut events = vec![request(0.0, HOME, BROWSER, &json!({}))];
    events.push(refused(after, ip, ua, reason));
    events.extend(again.iter().map(|later| refused(after + later, ip, ua, reason)));
    let disabled = json!({ "actor": "admin:root", "action": "user.disable", "target": "u1" });
    events.push(event(1.0, "admin", "192.0.2.80", &disabled));
    found(&events)
}

#[test]
fn so_does_a_page_whose_token_is_only_claimed() {
    let told = |again: &[f64]| {
        let claims = json!({
            "token": null, "subject": null, "client": null, "refused": "disabled", "status": 401,
            "claimed_token": "t1", "claimed_subject": "u1",
        });
        let mut events = vec![request(0.0, HOME, BROWSER, &json!({}))];
        events.extend(again.iter().map(|later| request(60.0 + later, HOME, BROWSER, &claims)));
        found(&events).len()
    };
    assert_eq!((told(&[0.0, 9.0]), told(&[0.0, 10.0])), (0, 1));
}

#[test]
fn a_page_of_a_disabled_person_that_was_open_asks_for_some_seconds_and_then_it_is_told() {
    let told = vec![["disabled_account_token", "medium", "tag"]];
    for reason in ["disabled", "revoked"] {
        let at_home = |after, again: &[f64]| page(after, again, HOME, BROWSER, reason);
        assert_eq!(at_home(60.0, &[]), Vec::<Value>::new());
        let loads = [0.1, 0.2, 0.5, 1.0, 4.0, 9.9];
        assert_eq!(at_home(60.0, &loads), Vec::<Value>::new(), "it loads");
        assert_eq!(outcomes(&at_home(60.0, &[10.0])), told);
        assert_eq!(outcomes(&at_home(60.0, &[10.0, 60.0, 120.0])), told, "once");
        assert_eq!(at_home(3599.0, &[]), Vec::<Value>::new());
        assert_eq!(outcomes(&at_home(3600.0, &[])), told, "nothing was open");
        assert_eq!(outcomes(&page(60.0, &[], AWAY, BROWSER, reason)), told, "from elsewhere");
        assert_eq!(outcomes(&page(60.0, &[], HOME, "curl/8.5", reason)), told, "another program");
    }
}

#[test]
fn routes_of_more_than_a_week_ago_do_not_count() {
    let told = |days: f64, routes| {
        let later: Vec<f64> = irregular(20, 2.0).iter().map(|at| at + days * 24.0 * HOUR).collect();
        let mut last = tried_out(&later, routes, AWAY, BROWSER);
        last[19]["path"] = json!("/teams");
        hammers(&[owner(), tried_out(&irregular(12, 2.0), 5, AWAY, BROWSER), last])
    };
    assert_eq!([4.0, 7.5].map(|days| told(days, 4)), [1, 0]);
    assert_eq!(told(7.5, 5), 1, "as many since then");
}

#[test]
fn a_job_that_asks_for_seven_things_in_each_run_does_not_try_out_and_ten_runs_do() {
    let job = |starts: &[f64], parts: u32| {
        let run = |start: &f64| {
            let start = *start;
            (0..parts).map(move |part| start + f64::from(part * part) * 2.0)
        };
        let times: Vec<f64> = starts.iter().flat_map(run).collect();
        hammers(&[owner(), tried_out(&times, 7, AWAY, "curl/8.5")])
    };
    let even: Vec<f64> = (0..20).map(|n| f64::from(n) * 2.0 * HOUR).collect();
    for starts in [even, irregular(20, 2.0)] {
        assert_eq!([7, 6].map(|parts| job(&starts, parts)), [0, 0]);
    }
    assert_eq!([11, 9].map(|runs| job(&irregular(runs, 2.0), 3)), [1, 0]);
}

/// A token that was in good use here by this software and comes at these times after it expired, where
/// so many others come as well.
fn goes_on(times: &[f64], routes: usize, ua: &str, others: u32, more: &Value) -> usize {
    let good = vec![request(60.0, AWAY, ua, more)];
    let mut dead = tried_out(times, routes, AWAY, ua);
    for it in &mut dead {
        more.as_object().unwrap().iter().for_each(|(name, value)| it[name] = value.clone());
    }
    let beside = (0..others).map(|n| {
        let mut made = refused(HOUR - 60.0, AWAY, ua, "expired");
        made["token"] = json!(format!("other{n}"));
        made
    });
    hammers(&[owner(), good, beside.collect(), dead])
}

#[test]
fn an_expired_token_is_tried_out_by_a_library_where_it_was_good_as_well() {
    const CURL: &str = "curl/8.5";
    let tried =
        |count, routes, hours| goes_on(&irregular(count, hours), routes, CURL, 0, &json!({}));
    assert_eq!([30, 29].map(|count| tried(count, 4, 2.0)), [1, 0]);
    assert_eq!([4, 3].map(|routes| tried(32, routes, 2.0)), [1, 0]);
    assert_eq!([5.5, 6.0].map(|hours| tried(30, 4, hours)), [1, 0], "within a week");
    let others = |count| goes_on(&irregular(30, 2.0), 4, CURL, count, &json!({}));
    assert_eq!([2, 3].map(others), [1, 0], "three tokens");
    for (ua, told) in [
        ("python-requests/2.32", 1),
        (BROWSER, 0),
        ("Shop/3.1 (Android 15)", 0),
        ("inventory-sync/2.0", 0),
    ] {
        assert_eq!(goes_on(&irregular(32, 2.0), 4, ua, 0, &json!({})), told, "{ua}");
    }
    for own in [json!({ "subject": "app" }), json!({ "subject": "service-account-app" })] {
        assert_eq!(goes_on(&irregular(32, 2.0), 4, CURL, 0, &own), 0, "{own}");
    }
}

#[test]
fn a_library_that_goes_on_by_a_clock_or_in_few_runs_does_not_try_out() {
    let told = |times: &[f64]| goes_on(times, 4, "curl/8.5", 0, &json!({}));
    let by_clock: Vec<f64> = (0..32).map(|n| f64::from(n) * HOUR).collect();
    assert_eq!(told(&by_clock), 0);
    // Thirty uses in so many runs, each with three but the first.
    let runs = |count: u32| {
        let first = 30 - (count - 1) * 3;
        let starts = irregular(count, 2.0);
        let run = |(n, start): (usize, &f64)| {
            let (start, parts) = (*start, if n == 0 { first } else { 3 });
            (0..parts).map(move |part| start + f64::from(part) * 3.0)
        };
        told(&starts.iter().enumerate().flat_map(run).collect::<Vec<f64>>())
    };
    assert_eq!([10, 9].map(runs), [1, 0]);
}

#[test]
fn a_page_of_a_person_who_is_disabled_once_more_is_held_once_more() {
    let told = |verb: &str, again: &[f64]| {
        let change = |at: f64, verb: &str| {
            let members = json!({
                "actor": "admin:root", "action": format!("user.{verb}"), "target": "u1",
            });
            event(at, "admin", "192.0.2.80", &members)
        };
        let mut events = vec![
            request(0.0, HOME, BROWSER, &json!({})),
            change(1.0, "disable"),
            refused(60.0, HOME, BROWSER, "revoked"),
            change(100.0, verb),
            request(200.0, HOME, BROWSER, &json!({})),
            change(201.0, "disable"),
        ];
        events.extend(again.iter().map(|at| refused(260.0 + at, HOME, BROWSER, "revoked")));
        found(&events).len()
    };
    assert_eq!((told("enable", &[0.0, 9.9]), told("enable", &[0.0, 10.0])), (0, 1));
    assert_eq!(told("rename", &[]), 1, "let through, and never enabled again");
}

#[test]
fn a_network_that_sent_many_dead_tokens_more_than_a_week_ago_is_no_server() {
    let told = |days: f64| {
        let later: Vec<f64> = irregular(30, 2.0).iter().map(|at| at + days * 24.0 * HOUR).collect();
        goes_on(&later, 4, "curl/8.5", 9, &json!({}))
    };
    // The last use is two days and ten hours after the first.
    assert_eq!([8.0, 4.6, 4.55].map(told), [1, 1, 0]);
}

#[test]
fn what_comes_from_no_address_is_told_by_its_number_alone() {
    let told = |count: u32, apart: f64, reason: &str| {
        let mut events: Vec<Value> =
            (0..count).map(|n| refused(f64::from(n) * apart, AWAY, "curl/8.5", reason)).collect();
        for (n, event) in events.iter_mut().enumerate() {
            event.as_object_mut().unwrap().remove("ip");
            event["path"] = json!(format!("/{}", ["a", "b", "c", "d", "e", "f", "g"][n % 7]));
        }
        hammers(&[events])
    };
    assert_eq!([10, 9].map(|count| told(count, 20.0, "revoked")), [1, 0]);
    assert_eq!([30, 29].map(|count| told(count, 10.0, "expired")), [1, 0]);
    assert_eq!([10.3, 10.4].map(|apart| told(30, apart, "expired")), [1, 0], "in five minutes");
    assert_eq!(told(32, 300.0, "expired"), 0, "a library or many routes say nothing of it");
}

/// Somebody is used to an account that an administrator disables; so long after that this comes.
fn let_through(target: &str, action: &str, later: &[(f64, &str, Value)]) -> Vec<Value> {
    let members = json!({ "actor": "admin:root", "action": action, "target": target });
    let mut events = vec![
        request(0.0, HOME, BROWSER, &json!({})),
        event(100.0, "admin", "192.0.2.80", &members),
    ];
    for (after, kind, more) in later {
        let mut event = request(100.0 + after, HOME, BROWSER, more);
        event["kind"] = json!(kind);
        events.push(event);
    }
    let mut findings = found(&events);
    findings.retain(|it| it["detector"] == "disabled_account_token");
    findings
}

#[test]
fn a_door_that_lets_a_disabled_account_through_after_a_minute_is_told_once() {
    let use_at = |after: f64| (after, "request", json!({}));
    let told = |later: &[(f64, &str, Value)]| let_through("u1", "user.disabled", later).len();
    assert_eq!([59.0, 60.0].map(|after| told(&[use_at(after)])), [0, 1]);
    assert_eq!(told(&[use_at(60.0), use_at(61.0), use_at(3600.0)]), 1);
    let finding = &let_through("u1", "user.disable", &[use_at(90.0)])[0];
    assert_eq!((&finding["class"], &finding["subject"]), (&json!("certain"), &json!("u1")));
    let summary = finding["evidence"]["summary"].as_str().expect("text");
    assert!(summary.contains("and let through"), "{summary}");
    assert_eq!(let_through("app", "client.disabled", &[use_at(90.0)]).len(), 1, "a client");
    for (target, action) in
        [("u2", "user.disabled"), ("u1", "client.disabled"), ("u1", "user.renamed")]
    {
        assert_eq!(let_through(target, action, &[use_at(90.0)]), [json!(null); 0], "{action}");
    }
    for again in [
        (30.0, "login", json!({ "result": "ok", "factor": "password", "complete": true })),
        (30.0, "grant", json!({ "result": "ok", "grant_type": "refresh_token" })),
    ] {
        assert_eq!(told(&[again, use_at(90.0)]), 0, "let in again");
    }
    let failed = (30.0, "login", json!({ "result": "disabled", "factor": "password" }));
    assert_eq!(told(&[failed, use_at(90.0)]), 1);
}
