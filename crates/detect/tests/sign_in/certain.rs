//! What proves itself: all of it is found, and nothing else.

use serde_json::{Value, json};

use crate::support::{event, found, outcomes};

fn request(seconds: f64, ip: &str, ua: &str, refused: Option<&str>) -> Value {
    let status = if refused.is_some() { 401 } else { 200 };
    let mut made = event(
        seconds,
        "request",
        ip,
        &json!({
            "token": "t1", "subject": "u1", "client": "c1", "grant": "g1", "token_kind": "jwt",
            "method": "GET", "path": "/orders", "status": status, "ua": ua,
        }),
    );
    if let Some(refused) = refused {
        made["refused"] = json!(refused);
    }
    made
}

#[test]
fn a_replayed_code_ends_its_grant() {
    let replayed = json!({
        "grant_type": "authorization_code", "result": "invalid_grant", "cause": "code_replayed",
        "grant": "g1", "client": "c1", "subject": "u1",
    });
    let findings = found(&[event(0.0, "grant", "192.0.2.1", &replayed)]);
    assert_eq!(outcomes(&findings), [["code_replay", "critical", "revoke:grant"]]);
    assert_eq!((&findings[0]["grant"], &findings[0]["ip"]), (&json!("g1"), &json!("192.0.2.1")));
    // Nothing can be ended that has no name.
    let nameless = json!({ "result": "invalid_grant", "cause": "code_replayed" });
    let findings = found(&[event(0.0, "grant", "192.0.2.1", &nameless)]);
    assert_eq!(outcomes(&findings), [["code_replay", "critical", "tag"]]);
}

#[test]
fn codes_that_are_late_or_another_clients_are_no_replay() {
    let events: Vec<Value> = ["expired", "wrong_client", "pkce_failed", "binding_mismatch"]
        .iter()
        .zip(0..)
        .map(|(cause, n)| {
            let members = json!({
                "grant_type": "authorization_code", "result": "invalid_grant", "cause": cause,
                "client": "c1",
            });
            event(f64::from(n), "grant", "192.0.2.1", &members)
        })
        .collect();
    assert_eq!(found(&events), Vec::<Value>::new());
}

#[test]
fn a_bound_token_without_its_key_from_elsewhere_is_theft() {
    for refused in ["dpop:replayed", "dpop:mismatch", "mtls:mismatch"] {
        let findings = found(&[
            request(0.0, "192.0.2.1", "app/1", None),
            request(40.0, "203.0.113.5", "app/1", Some(refused)),
            request(41.0, "203.0.113.5", "app/1", Some(refused)),
        ]);
        let expected = [["dpop_replay", "critical", "revoke:token"]];
        assert_eq!(outcomes(&findings), expected, "{refused}");
        assert_eq!(findings[0]["evidence"]["last_good_network"], "192.0.2.1/32");
    }
    // On the owner's own network, with other software.
    let findings = found(&[
        request(0.0, "192.0.2.1", "app/1", None),
        request(1.0, "192.0.2.1", "curl/8", Some("dpop:replayed")),
    ]);
    assert_eq!(outcomes(&findings), [["dpop_replay", "critical", "revoke:token"]]);
    // A replay of a token of which no good use is known.
    let findings = found(&[request(1.0, "192.0.2.1", "curl/8", Some("dpop:replayed"))]);
    assert_eq!(outcomes(&findings), [["dpop_replay", "critical", "revoke:token"]]);
}

/// A request whose door says only what the token claims, issued to `app/1` at 192.0.2.1.
fn claimed(seconds: f64, ip: &str, ua: &str, refused: &str) -> Value {
    let mut made = request(seconds, ip, ua, Some(refused));
    for name in ["subject", "client", "token", "grant"] {
        made.as_object_mut().expect("object").remove(name);
    }
    (made["claimed_token"], made["claimed_subject"]) = (json!("t1"), json!("u1"));
    made
}

#[test]
fn of_a_bound_token_that_is_only_claimed_the_network_is_told() {
    let issued = json!({
        "grant_type": "authorization_code", "result": "ok", "subject": "u1", "client": "c1",
        "token": "t1", "grant": "g1", "session": "s1", "ua": "app/1",
    });
    let mut home = vec![event(0.0, "grant", "192.0.2.1", &issued)];
    home.push(request(1.0, "192.0.2.1", "app/1", None));
    home[1]["session"] = json!("s1");
    let after = |last: Value| {
        let mut events = home.clone();
        events.push(last);
        found(&events)
    };
    for refused in ["dpop:replayed", "dpop:mismatch", "mtls:mismatch"] {
        let findings = after(claimed(60.0, "203.0.113.5", "curl/8", refused));
        assert_eq!(outcomes(&findings), [["dpop_replay", "critical", "tag"]], "{refused}");
        assert_eq!(findings[0]["class"], "certain");
        assert_eq!(findings[0]["ip"], "203.0.113.5");
        for name in ["subject", "client", "token", "grant", "session"] {
            assert!(findings[0].get(name).is_none(), "{name} is only claimed");
        }
        // Its owner's own program, at home.
        assert_eq!(after(claimed(60.0, "192.0.2.1", "app/1", refused)), Vec::<Value>::new());
        // A name that is unknown here may be invented.
        let mut unknown = claimed(60.0, "203.0.113.5", "curl/8", refused);
        unknown["claimed_token"] = json!("t9");
        let findings = after(unknown);
        assert_eq!(outcomes(&findings), [["dpop_replay", "low", "tag"]]);
        assert_eq!(findings[0]["class"], "statistical");
    }
    // What somebody claims of a token hides nothing that is verified of it.
    let mut events = home.clone();
    events.push(claimed(60.0, "203.0.113.9", "curl/8", "dpop:replayed"));
    events.push(request(61.0, "203.0.113.5", "curl/8", Some("dpop:replayed")));
    events[3]["session"] = json!("s1");
    let found = found(&events);
    assert_eq!(outcomes(&found)[1], ["dpop_replay", "critical", "revoke:token"]);
}

#[test]
fn a_bound_refresh_token_with_another_key_is_theft_from_elsewhere_and_doubtful_otherwise() {
    let refresh = |seconds: f64, ip: &str, ua: &str, more: &Value| {
        let mut made = event(seconds, "grant", ip, more);
        for (name, value) in [("grant_type", "refresh_token"), ("grant", "g1"), ("client", "c1")] {
            made[name] = json!(value);
        }
        (made["subject"], made["ua"]) = (json!("u1"), json!(ua));
        made
    };
    let refused = json!({ "result": "invalid_grant", "cause": "binding_mismatch" });
    let after = |ip: &str, ua: &str| {
        let good = refresh(0.0, "192.0.2.1", "app/1", &json!({ "result": "ok", "token": "t1" }));
        found(&[good, refresh(90.0, ip, ua, &refused), refresh(95.0, ip, ua, &refused)])
    };
    let findings = after("203.0.113.5", "curl/8");
    assert_eq!(outcomes(&findings), [["dpop_replay", "critical", "tag"]]);
    assert_eq!((&findings[0]["class"], &findings[0]["grant"]), (&json!("certain"), &json!("g1")));
    assert_eq!(findings[0]["subject"], "u1");
    // A telephone that was restored at home from a backup, which has no key in it.
    assert_eq!(after("192.0.2.1", "app/2"), Vec::<Value>::new());
    for [ip, ua] in [["203.0.113.5", "app/1"], ["192.0.2.1", "curl/8"]] {
        let findings = after(ip, ua);
        assert_eq!(outcomes(&findings), [["dpop_replay", "low", "tag"]], "{ip} {ua}");
        assert_eq!(findings[0]["class"], "statistical");
    }
}

#[test]
fn retries_hand_overs_and_missing_proofs_are_no_theft() {
    let mut events = vec![request(0.0, "192.0.2.1", "app/1", None)];
    // A library that repeats a request that was answered too late.
    for n in 0..8 {
        let at = 1.0 + f64::from(n) * 30.0;
        events.push(request(at, "192.0.2.1", "app/1", Some("dpop:replayed")));
    }
    // A telephone that leaves the house.
    events.push(request(280.0, "192.0.2.1", "app/1", None));
    events.push(request(285.0, "2001:db8::7", "app/1", Some("dpop:replayed")));
    for (refused, ua) in
        [("dpop:missing", "app/1"), ("mtls:missing", "app/1"), ("dpop:stale", "curl/8")]
    {
        events.extend(
            (0..50).map(|n| request(1000.0 + f64::from(n), "203.0.113.5", ua, Some(refused))),
        );
    }
    assert_eq!(found(&events), Vec::<Value>::new());
}

#[test]
fn a_missing_proof_is_theft_from_elsewhere_by_other_software_and_nothing_otherwise() {
    for refused in ["dpop:missing", "mtls:missing"] {
        let after = |good: bool, ip: &str, ua: &str| {
            let mut events = vec![request(0.0, "192.0.2.1", "app/1", None); usize::from(good)];
            events.push(request(7200.0, ip, ua, Some(refused)));
            found(&events)
        };
        let theft = after(true, "203.0.113.5", "curl/8");
        assert_eq!(outcomes(&theft), [["dpop_replay", "critical", "revoke:token"]], "{refused}");
        for [ip, ua] in
            [["203.0.113.5", "app/1"], ["192.0.2.1", "curl/8"], ["192.0.77.1", "curl/8"]]
        {
            assert_eq!(after(true, ip, ua), Vec::<Value>::new(), "{refused} {ip} {ua}");
        }
        assert_eq!(after(false, "203.0.113.5", "curl/8"), Vec::<Value>::new(), "nothing is known");
    }
}

#[test]
fn a_retry_that_comes_back_to_where_its_owner_is_not_is_theft() {
    let tried = |times: u32, goes_on: bool, others: u32| {
        let mut events = vec![request(0.0, "192.0.2.1", "app/1", None)];
        for n in 0..times {
            let (at, ip) = (f64::from(n) * 9.0, format!("203.0.113.{}", n % others));
            events.push(request(at + 3.0, &ip, "app/1", Some("dpop:replayed")));
            events.extend(goes_on.then(|| request(at + 6.0, "192.0.2.1", "app/1", None)));
        }
        outcomes(&found(&events)).iter().map(|it| it[2].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(tried(3, true, 1), ["revoke:token"]);
    assert_eq!(tried(2, true, 1), [""; 0], "it came back once");
    assert_eq!(tried(3, false, 1), [""; 0], "a telephone that went there");
    assert_eq!(tried(6, true, 6), [""; 0], "ever other networks, on its way");
}

#[test]
fn good_uses_are_those_of_the_token_and_not_of_its_session() {
    let of = |token: &str, mut made: Value| {
        (made["token"], made["session"]) = (json!(token), json!("s1"));
        made
    };
    let good = |seconds: f64, token: &str, ip: &str| of(token, request(seconds, ip, "app/1", None));
    let replayed = |seconds: f64, token: &str, ip: &str| {
        of(token, request(seconds, ip, "app/1", Some("dpop:replayed")))
    };
    let theft = vec![["dpop_replay", "critical", "revoke:token"]];
    // Two tokens of one application, from two places: each is retried from its own, and stolen elsewhere.
    let mut events = vec![
        good(0.0, "t1", "192.0.2.7"),
        good(100.0, "t2", "198.51.100.2"),
        good(101.0, "t1", "192.0.2.1"),
        replayed(140.0, "t1", "192.0.2.1"),
        replayed(141.0, "t2", "198.51.100.2"),
    ];
    assert_eq!(outcomes(&found(&events)), Vec::<[&str; 3]>::new());
    events.push(replayed(142.0, "t1", "198.51.100.2"));
    let findings = found(&events);
    assert_eq!(outcomes(&findings), theft);
    let evidence = &findings[0]["evidence"];
    assert_eq!(evidence["last_good_network"], "192.0.2.1/32");
    // Of nine tokens the one that was not used for longest is forgotten, and a proof of it has no good use before.
    let nine = |used_again: bool| -> Vec<Value> {
        let mut events: Vec<Value> =
            (0..8).map(|n| good(f64::from(n), &format!("t{n}"), "192.0.2.1")).collect();
        events.extend(used_again.then(|| good(9.0, "t0", "192.0.2.1")));
        events.push(good(10.0, "t8", "192.0.2.1"));
        events
    };
    let after = |used_again: bool, token: &str| {
        let mut events = nine(used_again);
        events.push(replayed(60.0, token, "192.0.2.1"));
        outcomes(&found(&events)).len()
    };
    assert_eq!([after(false, "t0"), after(false, "t1"), after(false, "t8")], [1, 0, 0]);
    assert_eq!([after(true, "t0"), after(true, "t1"), after(true, "t2")], [0, 1, 0]);
}

#[test]
fn a_client_that_always_sends_the_wrong_proof_is_told_once_and_left_alone() {
    let broken = |n: i32| request(f64::from(n), "192.0.2.1", "app/1", Some("dpop:mismatch"));
    let findings = found(&(0..200).map(broken).collect::<Vec<_>>());
    assert_eq!(outcomes(&findings), [["dpop_replay", "low", "tag"]]);
}

#[test]
fn a_forged_name_is_not_harmed_by_a_wrong_proof() {
    let members = json!({
        "claimed_token": "t1", "claimed_subject": "u1", "refused": "dpop:mismatch", "status": 401,
    });
    let findings = found(&[event(0.0, "request", "203.0.113.5", &members)]);
    assert_eq!(outcomes(&findings), [["dpop_replay", "low", "tag"]]);
    assert!(findings[0].get("subject").is_none() && findings[0].get("token").is_none());
    assert_eq!(findings[0]["incident"], "ip:203.0.113.5@2026-09-21T14:13:20.000Z");
}

#[test]
fn a_replayed_assertion_is_found_and_a_retry_is_not() {
    let auth = |seconds: f64, ip: &str, result: &str| {
        let members = json!({ "client": "c1", "method": "private_key_jwt", "result": result });
        event(seconds, "client_auth", ip, &members)
    };
    let mut events = vec![auth(0.0, "192.0.2.1", "ok"), auth(1.0, "192.0.2.2", "ok")];
    for n in 0..4 {
        events.push(auth(2.0 + f64::from(n), "192.0.2.2", "replayed_assertion"));
    }
    assert_eq!(found(&events), Vec::<Value>::new());
    events.push(auth(9.0, "192.0.2.2", "replayed_assertion"));
    events.push(auth(10.0, "203.0.113.5", "replayed_assertion"));
    let expected = [["assertion_replay", "low", "tag"], ["assertion_replay", "high", "tag"]];
    assert_eq!(outcomes(&found(&events)), expected);
}

#[test]
fn a_dead_token_that_keeps_coming_is_found_once() {
    for (refused, least) in [("revoked", 10), ("expired", 30)] {
        let uses = |count: i32| -> Vec<Value> {
            (0..count)
                .map(|n| request(f64::from(n) * 2.0, "203.0.113.5", "curl/8", Some(refused)))
                .collect()
        };
        let findings = found(&uses(400));
        assert_eq!(outcomes(&findings), [["revoked_token_hammering", "medium", "tag"]]);
        assert_eq!(findings[0]["evidence"]["count"], least);
        assert_eq!(found(&uses(least - 1)), Vec::<Value>::new());
        let fast: Vec<Value> = (0..400)
            .map(|n| request(f64::from(n) * 0.1, "203.0.113.5", "curl/8", Some(refused)))
            .collect();
        assert_eq!(outcomes(&found(&fast)), [["revoked_token_hammering", "medium", "tag"]]);
    }
}

#[test]
fn a_name_in_an_expired_token_that_did_not_verify_is_not_told() {
    let events: Vec<Value> = (0..40)
        .map(|n| {
            let members = json!({
                "claimed_token": "t1", "claimed_subject": "u1", "refused": "expired",
                "status": 401,
            });
            event(f64::from(n), "request", "203.0.113.5", &members)
        })
        .collect();
    let findings = found(&events);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].get("subject").is_none() && findings[0].get("token").is_none());
}

#[test]
fn pages_that_load_and_forgotten_jobs_do_not_hammer() {
    // A page with a dozen requests at the moment of the revocation.
    let mut events: Vec<Value> = (0..12)
        .map(|n| request(f64::from(n) / 20.0, "192.0.2.1", "browser", Some("revoked")))
        .collect();
    // A job that comes each minute for a day.
    events.extend(
        (0..1440)
            .map(|n| request(600.0 + f64::from(n) * 60.0, "192.0.2.9", "cron", Some("revoked"))),
    );
    assert_eq!(found(&events), Vec::<Value>::new());
}

#[test]
fn a_dead_token_is_counted_wherever_it_comes_from_and_however_slowly() {
    // From another address each time.
    let moving: Vec<Value> = (0..60)
        .map(|n| request(f64::from(n) * 4.0, &format!("203.0.113.{n}"), "curl/8", Some("revoked")))
        .collect();
    assert_eq!(outcomes(&found(&moving)), [["revoked_token_hammering", "medium", "tag"]]);
    // Once a minute, but not by a clock.
    let slow: Vec<Value> = (0..30)
        .map(|n| {
            let at = f64::from(n) * 55.0 + f64::from(n * n % 7) * 6.0;
            request(at, "203.0.113.5", "curl/8", Some("revoked"))
        })
        .collect();
    assert_eq!(outcomes(&found(&slow)), [["revoked_token_hammering", "medium", "tag"]]);
    assert_eq!(found(&slow[..19]), Vec::<Value>::new());
}

#[test]
fn a_dead_token_that_left_its_owner_is_told_sooner_and_one_that_stayed_only_when_it_was_taken_back()
{
    let uses = |ip: &str, ua: &str, pause: f64, reasons: [&str; 2]| -> Vec<Value> {
        let mut events = vec![request(0.0, "192.0.2.1", "app/1", None)];
        events.extend((0..40).map(|n| {
            let reason = reasons[usize::from(n >= 5)];
            request(60.0 + f64::from(n) * pause, ip, ua, Some(reason))
        }));
        events
    };
    let hammers = [["revoked_token_hammering", "medium", "tag"]];
    // Every four minutes, and expired meanwhile.
    let slow = uses("203.0.113.5", "curl/8", 240.0, ["revoked", "expired"]);
    assert_eq!(outcomes(&found(&slow)), hammers);
    assert_eq!(found(&slow[..10]), Vec::<Value>::new());
    // Twice a day, for five days.
    let patient = uses("203.0.113.5", "curl/8", 43_200.0, ["revoked", "revoked"]);
    assert_eq!(outcomes(&found(&patient[..11])), hammers);
    let expired = uses("203.0.113.5", "curl/8", 60.0, ["expired"; 2]);
    assert_eq!(outcomes(&found(&expired)), hammers);
    // A device that cannot get another while the token endpoint is down.
    assert_eq!(found(&uses("192.0.2.1", "app/1", 5.0, ["expired"; 2])), Vec::<Value>::new());
    assert_eq!(outcomes(&found(&uses("192.0.2.1", "app/1", 5.0, ["revoked"; 2]))), hammers);
    // Without a good use before nobody knows whose hands it is in.
    let unknown = &uses("203.0.113.5", "curl/8", 240.0, ["revoked", "expired"])[1..];
    assert_eq!(found(unknown), Vec::<Value>::new());
}

#[test]
fn one_of_many_servers_that_goes_on_with_a_token_that_has_expired_is_no_hammering() {
    let uses = |subject: &str, ua: &str| {
        let mut events = vec![request(0.0, "192.0.2.1", "jobs/1", None)];
        events.extend(
            (0..40).map(|n| request(60.0 + f64::from(n) * 5.0, "203.0.113.5", ua, Some("expired"))),
        );
        for event in &mut events {
            event["subject"] = json!(subject);
            event["client"] = json!("jobs");
        }
        found(&events).len()
    };
    assert_eq!(uses("jobs", "jobs/1"), 0);
    assert_eq!(uses("jobs", "curl/8"), 1, "a stranger");
    assert_eq!(uses("u1", "jobs/1"), 1, "a person's");
}

#[test]
fn both_protocols_of_a_household_are_one_owner_of_an_expired_token_however_it_connects() {
    let uses = |asns: [Option<u32>; 2], ip: &str| {
        let from = |mut event: Value, asn: Option<u32>, ja4: String| {
            event["asn"] = json!(asn);
            event["ja4"] = json!(ja4);
            event
        };
        let good = request(0.0, "192.0.2.1", "Browser/120", None);
        let mut events = vec![from(good, asns[0], "t13d_a_b".to_owned())];
        events.extend((0..40).map(|n| {
            let expired = request(60.0 + f64::from(n) * 60.0, ip, "Browser/120", Some("expired"));
            from(expired, asns[1], format!("t13d_{}_b", n % 3))
        }));
        found(&events).len()
    };
    let (own, other) = (Some(64500), Some(64666));
    for asns in [[None, None], [own, own], [own, None], [None, own]] {
        assert_eq!(uses(asns, "2001:db8::7"), 0, "{asns:?}");
    }
    assert_eq!(uses([own, other], "2001:db8::7"), 1, "another part of the net");
    assert_eq!(uses([own, own], "192.0.2.9"), 1, "another address of the same kind");
}

#[test]
fn of_a_disabled_account_that_is_only_claimed_the_network_is_told() {
    let members = json!({
        "claimed_subject": "u1", "claimed_token": "t1", "refused": "disabled", "status": 401,
    });
    let uses: Vec<Value> =
        (0..5).map(|n| event(f64::from(n) * 60.0, "request", "203.0.113.5", &members)).collect();
    let findings = found(&uses);
    assert_eq!(outcomes(&findings), [["disabled_account_token", "medium", "tag"]]);
    assert_eq!(findings[0]["ip"], "203.0.113.5");
    assert!(findings[0].get("subject").is_none() && findings[0].get("token").is_none());
}

#[test]
fn a_disabled_account_is_told_once_and_again_after_a_quiet_day() {
    let hours = (0..30).chain([60]);
    let uses: Vec<Value> = hours
        .map(|n| request(f64::from(n) * 3600.0, "192.0.2.1", "app/1", Some("disabled")))
        .collect();
    let findings = found(&uses);
    assert_eq!(outcomes(&findings), [["disabled_account_token", "medium", "tag"]; 2]);
    assert_eq!(findings[0]["subject"], "u1");
}

#[test]
fn a_leak_is_answered_by_what_leaked() {
    let report = |who: &Value| {
        let mut made = event(0.0, "leak_report", "192.0.2.1", who);
        made.as_object_mut().expect("object").remove("ip");
        made["source"] = json!("github:content");
        outcomes(&found(&[made]))[0].map(str::to_owned)
    };
    for (who, response) in [
        (json!({ "token": "t1", "grant": "g1", "subject": "u1", "client": "c1" }), "revoke:token"),
        (json!({ "grant": "g1", "client": "c1" }), "revoke:grant"),
        (json!({ "client": "c1" }), "block:client"),
        (json!({}), "tag"),
    ] {
        assert_eq!(report(&who), ["leak_report", "critical", response]);
    }
}

#[test]
fn what_was_taken_back_from_a_disabled_account_is_its_token_until_it_is_enabled() {
    let told = |changes: &[(f64, &str)]| {
        let mut events: Vec<Value> = changes
            .iter()
            .map(|(at, action)| {
                let members = json!({ "actor": "admin:root", "action": action, "target": "u1" });
                event(*at, "admin", "192.0.2.80", &members)
            })
            .collect();
        events.push(request(3600.0, "192.0.2.1", "app/1", Some("revoked")));
        outcomes(&found(&events)).len()
    };
    assert_eq!(told(&[(0.0, "user.disable")]), 1);
    assert_eq!(told(&[(0.0, "user.disable"), (60.0, "user.enable")]), 0);
    assert_eq!(told(&[(0.0, "client.disable"), (60.0, "user.update")]), 0, "somebody else");
}
