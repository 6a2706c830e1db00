//! Accounts that are taken by a recovery code, clients whose new secret is at many places, and
//! servers whose tokens are used elsewhere.

use serde_json::{Value, json};

use crate::support::{event, found, with};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";

fn used(seconds: f64) -> Value {
    let members = json!({
        "subject": "u1", "client": "app", "token": "t1", "session": "s1", "token_kind": "jwt",
        "asn": 64500, "country": "NO", "net": "residential", "ua": BROWSER, "method": "GET",
        "path": "/", "status": 200,
    });
    event(seconds, "request", "192.0.2.1", &members)
}

fn signs_in(event: Value, factor: &str) -> Value {
    let members = json!({
        "kind": "login", "username": "one", "result": "ok", "factor": factor, "complete": true,
        "token": null, "session": null, "token_kind": null,
    });
    with(event, &members)
}

/// The owner at home for some hours; then a sign-in by a factor with these members, and so many
/// seconds later an act.
fn recovered(factor: &str, place: &Value, after: f64, act: &Value) -> usize {
    let mut events: Vec<Value> = (0..10).map(|n| used(f64::from(n) * 1800.0)).collect();
    let there = |seconds: f64| with(used(seconds), place);
    events.push(signs_in(there(5.0 * HOUR), factor));
    let own = json!({ "token": "t2", "session": "s2", "method": "POST", "path": "/payouts" });
    events.push(with(with(there(5.0 * HOUR + after), &own), act));
    let mut findings = found(&events);
    findings.retain(|it| it["detector"] == "new_place");
    for finding in &findings {
        assert_eq!(finding["evidence"]["factor"], "recovery_code");
        assert_eq!((&finding["subject"], &finding["response"]), (&json!("u1"), &json!("tag")));
    }
    findings.len()
}

fn network() -> Value {
    json!({ "ip": "198.51.100.66", "asn": 64666 })
}

#[test]
fn a_payout_after_a_recovery_code_from_a_network_or_by_software_that_is_new_is_told() {
    let from = |place: &Value| recovered("recovery_code", place, 300.0, &json!({}));
    assert_eq!(from(&network()), 1);
    let other = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36";
    assert_eq!(from(&json!({ "ua": other })), 1, "at home");
    assert_eq!(from(&with(network(), &json!({ "ua": other, "net": "mobile" }))), 1);
    assert_eq!(from(&json!({})), 0, "where and by what its owner is");
    assert_eq!(from(&json!({ "ua": BROWSER.replace("130", "131") })), 0, "in another version");
    for factor in ["password", "totp", "passkey"] {
        assert_eq!(recovered(factor, &network(), 300.0, &json!({})), 0, "{factor}");
    }
}

#[test]
fn what_decides_over_money_shares_and_keys_is_told_after_a_recovery_code() {
    let does =
        |path: &&str| recovered("recovery_code", &network(), 300.0, &json!({ "path": path }));
    let decides = [
        "/billing/plan",
        "/me/cards",
        "/files/7/shares",
        "/me/api-keys",
        "/keys",
        "/users/3/impersonate",
        "/impersonation",
    ];
    for path in decides {
        assert_eq!(does(&path), 1, "{path}");
    }
    for path in ["/bills", "/postcards", "/card", "/timeshares", "/share", "/key", "/persons"] {
        assert_eq!(does(&path), 0, "{path}");
    }
}

#[test]
fn whoever_lost_a_telephone_sets_up_a_factor_and_has_an_hour_to_do_so() {
    let does = |after, act: &Value| recovered("recovery_code", &network(), after, act);
    let nothing = json!({});
    assert_eq!([3599.0, 3600.0].map(|after| does(after, &nothing)), [1, 0]);
    for path in ["/me/email", "/payees", "/team/members", "/webhooks"] {
        assert_eq!(does(300.0, &json!({ "path": path })), 1, "{path}");
    }
    for path in
        ["/me/mfa", "/me/passkeys", "/me/password", "/me/totp", "/security", "/recovery", "/orders"]
    {
        assert_eq!(does(300.0, &json!({ "path": path })), 0, "{path}");
    }
    assert_eq!(does(300.0, &json!({ "method": "GET" })), 0, "it was only read");
    assert_eq!(does(300.0, &json!({ "status": 403 })), 0, "it was not done");
    assert_eq!(does(300.0, &json!({ "ip": "192.0.2.1", "asn": 64500 })), 0, "at home meanwhile");
}

/// Somebody who is known for less than an hour, and then signs in by a recovery code elsewhere.
#[test]
fn of_whom_little_is_known_a_recovery_code_says_nothing() {
    let known = |minutes: f64| {
        let later = |seconds: f64| with(used(seconds), &network());
        let act = json!({ "method": "POST", "path": "/payouts" });
        let at = minutes * 60.0;
        let login = signs_in(later(at), "recovery_code");
        let mut findings = found(&[used(0.0), login, with(later(at + 60.0), &act)]);
        findings.retain(|it| it["detector"] == "new_place");
        findings.len()
    };
    assert_eq!([61.0, 30.0].map(known), [1, 0]);
}

fn client(seconds: f64, ip: &str, net: &str) -> Value {
    let members = json!({
        "client": "c1", "method": "client_secret_basic", "result": "ok", "ua": "Partner/3.1",
        "net": net,
    });
    event(seconds, "client_auth", ip, &members)
}

fn changed(seconds: f64) -> Value {
    let change = json!({ "actor": "ops", "action": "client.secret", "target": "c1" });
    event(seconds, "admin", "192.0.2.44", &change)
}

/// A client that is there each half hour for two days, and whose secret is changed after one.
fn rotated(net: &str) -> Vec<Value> {
    let mut events: Vec<Value> =
        (0..96).map(|n| client(f64::from(n) * 1800.0, "198.51.100.9", net)).collect();
    events.push(changed(DAY + 60.0));
    events
}

const EXITS: [(&str, &str); 3] =
    [("203.0.113.66", "residential"), ("110.4.5.6", "mobile"), ("120.4.5.6", "vpn")];

/// It authenticates from each of these, so many hours apart.
fn exits(start: f64, hours: f64, places: &[(&str, &str)]) -> Vec<Value> {
    let at = |n: usize| start + 900.0 + n as f64 * hours * HOUR;
    places.iter().enumerate().map(|(n, (ip, net))| client(at(n), ip, net)).collect()
}

/// How often the secret is in two hands for certain.
fn certain(parts: &[Vec<Value>]) -> usize {
    let mut findings = found(&parts.concat());
    findings.retain(|it| it["class"] == "certain");
    for finding in &findings {
        let named = ["detector", "client"].map(|it| finding[it].as_str());
        assert_eq!(named, [Some("client_secret_sharing"), Some("c1")]);
    }
    findings.len()
}

#[test]
fn a_changed_secret_of_a_client_of_data_centres_at_three_places_where_people_are_is_in_two_hands() {
    let after = |places: &[(&str, &str)], hours| {
        certain(&[rotated("hosting"), exits(DAY + HOUR, hours, places)])
    };
    assert_eq!((after(&EXITS, 1.0), after(&EXITS[..2], 1.0)), (1, 0));
    let tor = [EXITS[0], EXITS[1], ("130.4.5.6", "tor"), ("140.4.5.6", "residential")];
    assert_eq!(after(&tor, 1.0), 1, "once");
    assert_eq!([11.0, 12.5].map(|hours| after(&EXITS, hours)), [1, 0], "within a day");
    let again = [EXITS[0], EXITS[1], EXITS[0], EXITS[1]];
    assert_eq!(after(&again, 1.0), 0, "two places, twice");
    let near = [EXITS[0], EXITS[1], ("110.4.5.200", "mobile")];
    assert_eq!(after(&near, 1.0), 0, "two of them are one customer's");
    let servers = [EXITS[0], EXITS[1], ("120.4.5.6", "hosting"), ("130.4.5.6", "business")];
    assert_eq!(after(&servers, 1.0), 0, "servers are replaced");
    let unknown = [EXITS[0], EXITS[1]].into_iter().chain([("192.0.2.45", "residential")]);
    assert_eq!(after(&unknown.collect::<Vec<_>>(), 1.0), 0, "where the secret was changed");
    assert_eq!(certain(&[rotated("business"), exits(DAY + HOUR, 1.0, &EXITS)]), 1, "an office");
}

#[test]
fn who_was_among_people_before_or_was_not_at_home_in_between_is_in_one_hand() {
    let roams = || exits(DAY + HOUR, 1.0, &EXITS);
    let before = |at: f64, net| vec![client(at, "150.4.5.6", net)];
    let hosted = || rotated("hosting");
    assert_eq!(certain(&[hosted(), before(HOUR, "residential"), roams()]), 0, "a laptop");
    assert_eq!(certain(&[hosted(), before(HOUR, "hosting"), roams()]), 1);
    assert_eq!(certain(&[rotated("residential"), roams()]), 0);
    let mut unchanged = hosted();
    unchanged.pop();
    assert_eq!(certain(&[unchanged, roams()]), 0, "it never changed");
    // It moved away from there: nothing is at home any more.
    let moved = hosted().into_iter().filter(|it| it["ts"].as_str() < roams()[0]["ts"].as_str());
    assert_eq!(certain(&[moved.collect(), roams()]), 0);
    assert_eq!(certain(&[hosted(), exits(DAY + HOUR, 0.1, &EXITS)]), 0, "within one half hour");
    // Of a client that is known for days another program, elsewhere, is not at home.
    let another = |from: f64| {
        let mut events = rotated("hosting");
        events.extend((0..240).map(|n| {
            let at = f64::from(n) * 1800.0;
            let other = json!({ "ip": "160.4.5.6", "ua": "Other/1" });
            let made = client(at, "198.51.100.9", "hosting");
            if at > from { with(made, &other) } else { made }
        }));
        events.push(changed(4.0 * DAY + 60.0));
        certain(&[events, exits(4.0 * DAY + HOUR, 1.0, &EXITS)])
    };
    assert_eq!([5.0 * DAY, 4.0 * DAY].map(another), [1, 0]);
}

#[test]
fn a_week_after_the_change_of_a_secret_a_client_may_roam() {
    let after = |days: f64| {
        let at = |n: i32| DAY + days * DAY + f64::from(n) * 1800.0;
        let home = (0..12).map(|n| client(at(n), "198.51.100.9", "hosting")).collect();
        certain(&[rotated("hosting"), home, exits(at(0), 1.0, &EXITS)])
    };
    assert_eq!([6.0, 7.1].map(after), [1, 0]);
}

#[test]
fn a_client_whose_secret_was_set_before_it_was_anywhere_has_no_home() {
    let set = |at: f64| {
        let mut events: Vec<Value> = (0..96)
            .map(|n| client(60.0 + f64::from(n) * 1800.0, "198.51.100.9", "hosting"))
            .collect();
        events.push(changed(at));
        certain(&[events, exits(DAY + HOUR, 1.0, &EXITS)])
    };
    assert_eq!([0.0, 90.0].map(set), [0, 1]);
}

const SERVER: &str = "198.51.100.9";
const ELSEWHERE: &str = "203.0.113.66";

/// A token of one of its people is used by an application's server.
fn acts(seconds: f64, person: u32, ip: &str) -> Value {
    let members = json!({
        "subject": format!("u{person}"), "client": "app", "token": format!("t{person}"),
        "session": format!("s{person}"), "token_kind": "jwt", "net": "hosting",
        "ua": "Shop-Server/2", "method": "GET", "path": "/orders", "status": 200,
    });
    event(seconds, "request", ip, &members)
}

/// A server of so many people for so many hours, and for three more.
fn served(people: u32, hours: f64) -> Vec<Value> {
    let pause = hours * HOUR / 24.0;
    let before = (0..=24u32).map(|n| acts(f64::from(n) * pause, n % people, SERVER));
    let after = (0..18u32).map(|n| acts(hours * HOUR + 90.0 + f64::from(n) * 600.0, 0, SERVER));
    before.chain(after).collect()
}

/// The tokens of so many of them elsewhere, so many seconds apart.
fn drained(hours: f64, people: u32, pause: f64) -> Vec<Value> {
    let at = |n: u32| hours * HOUR + 60.0 + f64::from(n) * pause;
    (0..people).map(|n| acts(at(n), n, ELSEWHERE)).collect()
}

/// How often that is told, where everything has these members besides.
fn taken(parts: &[Vec<Value>], more: &Value) -> usize {
    let events: Vec<Value> = parts.concat().into_iter().map(|it| with(it, more)).collect();
    let mut findings = found(&events);
    findings.retain(|it| it["evidence"]["people_of_the_client"].is_number());
    for finding in &findings {
        let named = ["detector", "response", "client", "ip"].map(|it| finding[it].as_str());
        let expected = ["token_sharing", "tag", "app", ELSEWHERE];
        assert_eq!(named, expected.map(Some));
        assert!(finding.get("subject").is_none() && finding.get("token").is_none());
    }
    findings.len()
}

#[test]
fn five_peoples_tokens_of_a_server_that_goes_on_are_drained_when_they_are_used_elsewhere() {
    let of = |all, hours, people, pause| {
        taken(&[served(all, hours), drained(hours, people, pause)], &json!({}))
    };
    assert_eq!([5, 4].map(|people| of(8, 6.0, people, 300.0)), [1, 0]);
    assert_eq!([8, 7].map(|all| of(all, 6.0, 5, 300.0)), [1, 0]);
    assert_eq!([6.0, 5.9].map(|hours| of(8, hours, 5, 300.0)), [1, 0], "it is known for six");
    assert_eq!([1800.0, 1810.0].map(|pause| of(8, 6.0, 5, pause)), [1, 0], "within two hours");
    assert_eq!(of(24, 6.0, 20, 300.0), 1, "once");
    let one = drained(6.0, 9, 300.0).into_iter().map(|it| with(it, &json!({ "subject": "u3" })));
    assert_eq!(taken(&[served(8, 6.0), one.collect()], &json!({})), 0, "one person's");
}

#[test]
fn a_client_of_data_centres_has_three_places_at_most_and_no_browser_where_that_is_not_known() {
    let at = |more: &Value| taken(&[served(8, 6.0), drained(6.0, 5, 300.0)], more);
    for server in [json!({ "net": "hosting" }), json!({ "net": null })] {
        assert_eq!(at(&server), 1, "{server}");
    }
    for none in [
        json!({ "net": "residential" }),
        json!({ "net": "mobile" }),
        json!({ "net": "business" }),
        json!({ "net": null, "ua": BROWSER }),
        json!({ "net": null, "ua": null }),
        json!({ "subject": "app", "token": "t1" }),
        json!({ "client": null }),
    ] {
        assert_eq!(at(&none), 0, "{none}");
    }
    let beside = |places: u32, more: &Value| {
        let more = |n| with(acts(60.0 + f64::from(n), 0, &format!("20.{n}.0.1")), more);
        let places = (1..places).map(more).collect();
        taken(&[served(8, 6.0), places, drained(6.0, 5, 300.0)], &json!({}))
    };
    assert_eq!([3, 4].map(|places| beside(places, &json!({}))), [1, 0]);
    let home = json!({ "net": "residential" });
    assert_eq!(beside(2, &home), 0, "people use it as well");
    let away = drained(6.0, 5, 300.0).into_iter().map(|it| with(it, &home));
    assert_eq!(taken(&[served(8, 6.0), away.collect()], &json!({})), 0);
    let mut jobs = [served(8, 6.0), drained(6.0, 5, 300.0)].concat();
    for job in &mut jobs {
        job["subject"] = json!(format!("{}-app", job["token"].as_str().expect("text")));
    }
    assert_eq!(taken(&[jobs], &json!({})), 0, "of machines");
}

#[test]
fn servers_that_are_new_fetch_tokens_or_leave_the_old_ones_silent() {
    let granted = |n: u32| {
        let grant = json!({
            "kind": "grant", "grant_type": "authorization_code", "result": "ok", "token": "t9",
        });
        with(acts(6.0 * HOUR + 70.0 + f64::from(n) * 300.0, 9, ELSEWHERE), &grant)
    };
    let away = || drained(6.0, 8, 300.0);
    let after = |first: Vec<Value>| taken(&[served(8, 6.0), first, away()], &json!({}));
    assert_eq!((after(vec![]), after(vec![granted(3)])), (1, 0), "another region");
    let refused = with(granted(3), &json!({ "result": "invalid_grant" }));
    assert_eq!(after(vec![refused]), 1);
    let issued = with(granted(3), &json!({ "ip": SERVER }));
    assert_eq!(after(vec![issued]), 1, "at home");
    let moved: Vec<Value> = served(8, 6.0).into_iter().take(25).collect();
    assert_eq!(taken(&[moved.clone(), away()], &json!({})), 0, "it moved");
    let once = vec![acts(6.0 * HOUR + 90.0, 0, SERVER)];
    assert_eq!(taken(&[moved, once, away()], &json!({})), 1, "it was there in between");
    let dead = away().into_iter().map(|it| with(it, &json!({ "refused": "expired" })));
    assert_eq!(taken(&[served(8, 6.0), dead.collect()], &json!({})), 0, "of no use");
    let young = vec![acts(5.0 * HOUR, 0, ELSEWHERE)];
    assert_eq!(after(young), 0, "it was there before");
}
