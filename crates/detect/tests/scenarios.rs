//! Labelled streams: what must be found, and what must not.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: helpers too"
)]

use std::collections::BTreeSet;

use detect::engine::Engine;
use detect::replay::replay;
use detect::stream::ReplayError;
use detect::stream::{Reading, refuse};
use serde_json::{Value, json};

/// Seconds after the start of the stream.
fn at(seconds: f64) -> String {
    let millis = 1_790_000_000_000i64 + (seconds * 1000.0) as i64;
    token::time::Timestamp::from_millis(millis).to_string()
}

fn found(events: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let mut output = Vec::new();
    replay(
        Engine::default(),
        lines.join("\n").as_bytes(),
        &mut output,
        false,
        Reading::new(&mut refuse),
    )
    .expect("events");
    let text = String::from_utf8(output).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("json")).collect()
}

fn forged(seconds: f64, ip: &str, code: &str, token: Option<&str>) -> Value {
    let mut event = json!({
        "ts": at(seconds), "kind": "request", "ip": ip, "method": "GET", "path": "/orders",
        "status": 401, "refused": code, "claimed_client": "victim", "claimed_subject": "victim",
    });
    if let Some(token) = token {
        event["claimed_token"] = json!(token);
    }
    event
}

/// Somebody is let in from this network before the rest.
fn let_in(ip: &str) -> Value {
    json!({
        "ts": at(-60.0), "kind": "request", "ip": ip, "subject": "u1", "client": "app", "token": "good",
        "token_kind": "jwt", "method": "GET", "path": "/orders", "status": 200,
    })
}

fn responses(findings: &[Value]) -> Vec<&str> {
    findings.iter().filter_map(|finding| finding["response"].as_str()).collect()
}

#[test]
fn three_deliberate_forgeries_within_a_minute_block_their_network() {
    for code in ["alg_none", "key_confusion", "kid", "jku", "jwk", "crit"] {
        let code = format!("forged:{code}");
        let events: Vec<Value> =
            (0..3).map(|n| forged(f64::from(n), "192.0.2.7", &code, None)).collect();
        let findings = found(&events);
        assert_eq!(responses(&findings), ["tag", "block:ip"], "{code}");
        let finding = &findings[1];
        assert_eq!(finding["ip"], "192.0.2.7");
        assert_eq!(
            (&finding["class"], &finding["detector"]),
            (&json!("certain"), &json!("forged_token"))
        );
        assert_eq!(finding["until"], at(2.0 + 900.0));
        assert_eq!(finding["evidence"]["count"], 3);
        // The names inside are the victim's.
        assert!(finding.get("subject").is_none() && finding.get("client").is_none(), "{finding}");
        // The first is proof as well, but nothing is done about it.
        assert_eq!(responses(&found(&events[..2])), ["tag"], "{code}");
        assert_eq!(
            (&findings[0]["class"], &findings[0]["ip"]),
            (&json!("certain"), &json!("192.0.2.7"))
        );
    }
}

#[test]
fn slow_forgeries_are_found_as_well_and_once() {
    let slowly = |code: &str, gap: f64, names: usize| -> Vec<Value> {
        let one = |n: usize| {
            let name = format!("t{}", n % names);
            forged(n as f64 * gap, "192.0.2.7", code, Some(&name))
        };
        (0..12).map(one).collect()
    };
    for (code, gap) in [("alg_none", 31.0), ("kid", 7000.0), ("bad_signature", 300.0)] {
        let events = slowly(&format!("forged:{code}"), gap, 12);
        let worst = found(&events);
        assert_eq!(responses(&worst).last(), Some(&"block:ip"), "{code}");
        assert_eq!(responses(&worst).iter().filter(|it| **it == "block:ip").count(), 1, "{code}");
    }
    // One truncated token that a job keeps sending, wrong signatures and foreign keys that come now and
    // then from where somebody is let in: remembered from ten within a day, and nothing is done.
    for (code, gap, names) in
        [("bad_signature", 300.0, 1), ("bad_signature", 1000.0, 12), ("unknown_key", 300.0, 12)]
    {
        let mut events = vec![let_in("192.0.2.7")];
        events.extend(slowly(&format!("forged:{code}"), gap, names));
        assert_eq!(responses(&found(&events)), ["tag"], "{code}");
        assert_eq!(found(&events[..10]), Vec::<Value>::new(), "{code}");
    }
}

#[test]
fn wrong_signatures_and_foreign_keys_count_from_five() {
    for code in ["forged:bad_signature", "forged:unknown_key"] {
        let mut events = vec![let_in("192.0.2.7")];
        events.extend(
            (0..5).map(|n| forged(f64::from(n), "192.0.2.7", code, Some(&format!("t{n}")))),
        );
        assert_eq!(responses(&found(&events)), ["block:ip"], "{code}");
        assert!(found(&events[..5]).is_empty(), "{code}");
    }
}

/// Tokens of these names so many hours apart, on routes of these names; somebody is let in from there, or elsewhere.
fn strangers(code: &str, names: &[&str], pause: f64, home: &str) -> Vec<Value> {
    let mut events = vec![let_in(home)];
    events.extend(names.iter().enumerate().map(|(n, name)| {
        let token = Some(*name).filter(|name| !name.starts_with('/'));
        let mut event = forged(n as f64 * pause * 3600.0, "192.0.2.7", code, token);
        event["route"] = json!(token.map_or(*name, |_| "/orders"));
        event
    }));
    found(&events)
}

#[test]
fn where_nobody_is_let_in_two_or_three_different_tokens_are_told_once_and_nothing_is_done() {
    let (signature, key) = ("forged:bad_signature", "forged:unknown_key");
    let elsewhere = "198.51.100.9";
    for (code, names) in [
        (signature, &["a", "b", "c", "d"][..]),
        (key, &["a", "b", "c", "d"]),
        (signature, &["/orders", "/users"]),
        (key, &["/orders", "/users", "/me"]),
    ] {
        let findings = strangers(code, names, 2.0, elsewhere);
        assert_eq!(responses(&findings), ["tag"], "{code} {names:?}");
        assert_eq!(
            (&findings[0]["ip"], &findings[0]["class"]),
            (&json!("192.0.2.7"), &json!("certain"))
        );
        assert!(findings[0].get("client").is_none() && findings[0].get("subject").is_none());
        let none = Vec::<Value>::new();
        assert_eq!(strangers(code, names, 2.0, "192.0.2.7"), none, "somebody is let in: {code}");
        assert_eq!(strangers(code, names, 25.0, elsewhere), none, "one a day: {code}");
    }
    for (code, names) in [
        (signature, &["a", "a", "a"][..]),
        (key, &["a", "b", "a", "b"]),
        (signature, &["/orders", "/orders", "/orders"]),
        (key, &["/orders", "/users"]),
        ("forged:expired", &["a", "b", "c"]),
    ] {
        assert_eq!(strangers(code, names, 2.0, elsewhere), Vec::<Value>::new(), "{code} {names:?}");
    }
}

#[test]
fn a_relic_of_another_installation_is_remembered_and_nobody_is_blocked() {
    let events: Vec<Value> = (0..30)
        .map(|n| forged(f64::from(n), "192.0.2.7", "forged:unknown_key", Some("the same")))
        .collect();
    assert_eq!(responses(&found(&events)), ["tag"]);
}

#[test]
fn honest_trouble_is_no_attack() {
    let mut events = Vec::new();
    for n in 0..200 {
        for (offset, code) in [
            "expired",
            "wrong_issuer",
            "wrong_audience",
            "revoked",
            "insufficient_scope",
            "malformed",
            "no_token",
            "unknown_route",
            "blocked",
        ]
        .iter()
        .enumerate()
        {
            events.push(forged(f64::from(n) + offset as f64 / 100.0, "192.0.2.7", code, None));
        }
    }
    // One truncated token behind the address of a whole office.
    events.push(forged(50.5, "192.0.2.7", "forged:bad_signature", Some("t1")));
    assert_eq!(found(&events), Vec::<Value>::new());
}

#[test]
fn a_network_is_an_ipv4_address_or_an_ipv6_64() {
    let spread = |ips: [&str; 3]| {
        let events: Vec<Value> = ips
            .iter()
            .zip(0..)
            .map(|(ip, n)| forged(f64::from(n), ip, "forged:alg_none", None))
            .collect();
        responses(&found(&events)).iter().filter(|response| **response == "block:ip").count()
    };
    assert_eq!(spread(["2001:db8::1", "2001:db8::2", "2001:db8::3"]), 1);
    assert_eq!(spread(["2001:db8::1", "2001:db8:0:1::2", "2001:db8:0:2::3"]), 0);
    assert_eq!(spread(["192.0.2.1", "192.0.2.2", "192.0.2.3"]), 0);
    assert_eq!(spread(["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"]), 1);
}

#[test]
fn a_campaign_in_one_name_is_seen_and_its_owner_left_alone() {
    let campaign = |homes: i32| {
        let mut events: Vec<Value> = (0..homes).map(|n| let_in(&format!("192.0.2.{n}"))).collect();
        events.extend((0..6).map(|n| {
            forged(f64::from(n), &format!("192.0.2.{}", n % 3), "forged:bad_signature", None)
        }));
        let findings = found(&events);
        assert!(responses(&findings).iter().all(|response| *response == "tag"));
        assert!(findings.iter().all(|it| it["evidence"]["claimed_client"] == "victim"));
        assert!(findings.iter().all(|it| it.get("client").is_none()));
        findings.iter().map(|it| it.get("ip").is_some()).collect::<Vec<_>>()
    };
    assert_eq!(campaign(3), [false], "a program of somebody who is let in may cut tokens off");
    assert_eq!(campaign(0), [true, true], "nobody is let in from there");
    let deliberate: Vec<Value> = (0..6)
        .map(|n| forged(f64::from(n), &format!("192.0.{}.7", n % 3), "forged:jku", Some("victim")))
        .collect();
    let findings = found(&deliberate);
    let whole = findings.iter().find(|it| it["evidence"]["networks"].is_number());
    let whole = whole.expect("the campaign");
    assert!(whole["ip"].is_string() && whole.get("client").is_none(), "{whole}");
}

#[test]
fn a_slow_campaign_names_each_of_its_networks_once() {
    let events: Vec<Value> = (0..24)
        .map(|n| {
            let ip = format!("192.0.{}.7", n % 4);
            forged(f64::from(n) * 130.0, &ip, "forged:jku", Some(&format!("t{n}")))
        })
        .collect();
    let findings: Vec<Value> = found(&events)
        .into_iter()
        .filter(|finding| finding["evidence"]["networks"].is_number())
        .collect();
    let mut named: Vec<&str> =
        findings.iter().filter_map(|finding| finding["ip"].as_str()).collect();
    named.sort_unstable();
    assert_eq!(named, ["192.0.0.7", "192.0.1.7", "192.0.2.7", "192.0.3.7"]);
    assert!(findings.iter().all(|finding| finding.get("client").is_none()));
    assert!(findings.iter().all(|finding| finding["response"] == "tag"));
}

#[test]
fn one_burst_is_one_finding_a_minute_and_one_incident() {
    let events: Vec<Value> =
        (0..150).map(|n| forged(f64::from(n), "192.0.2.7", "forged:alg_none", None)).collect();
    let findings = found(&events);
    assert_eq!(responses(&findings), ["tag", "block:ip", "block:ip", "block:ip"]);
    assert!(findings.iter().all(|finding| finding["incident"] == findings[0]["incident"]));
}

#[test]
fn a_honeytoken_is_found_at_its_first_use() {
    let event = json!({
        "ts": at(0.0), "kind": "request", "ip": "198.51.100.9", "token": "bait", "subject": "s",
        "client": "c", "method": "GET", "path": "/users", "status": 401, "refused": "honeytoken", "ua": "curl/8",
    });
    let findings = found(&[event]);
    assert_eq!(responses(&findings), ["block:ip"]);
    let finding = &findings[0];
    assert_eq!((&finding["severity"], &finding["token"]), (&json!("critical"), &json!("bait")));
    assert_eq!(finding["until"], at(3600.0));
    assert!(
        finding["evidence"]["summary"].as_str().is_some_and(|text| text.contains("198.51.100.9"))
    );
}

#[test]
fn a_honeytoken_that_verifies_no_longer_is_named_by_its_claim() {
    let event = json!({
        "ts": at(0.0), "kind": "request", "ip": "198.51.100.9", "claimed_token": "bait",
        "claimed_subject": "victim", "method": "GET", "path": "/", "status": 401,
        "refused": "honeytoken",
    });
    let findings = found(&[event]);
    assert_eq!(findings[0]["token"], "bait");
    assert!(findings[0].get("subject").is_none(), "nobody is concerned but the thief");
}

fn refresh(seconds: f64, ip: &str, result: &str, cause: Option<&str>) -> Value {
    let mut event = json!({
        "ts": at(seconds), "kind": "grant", "ip": ip, "grant_type": "refresh_token", "result": result,
        "grant": "g1", "client": "c1", "subject": "u1", "session": "s1", "ua": "app/1", "scopes": ["a"],
    });
    if let Some(cause) = cause {
        event["cause"] = json!(cause);
    }
    event
}

#[test]
fn a_reused_refresh_token_ends_its_family_with_the_evidence() {
    let findings = found(&[
        refresh(0.0, "192.0.2.1", "ok", None),
        refresh(40.0, "203.0.113.5", "invalid_grant", Some("refresh_reused")),
    ]);
    assert_eq!(responses(&findings), ["revoke:grant"]);
    let finding = &findings[0];
    for (member, value) in [
        ("grant", "g1"),
        ("client", "c1"),
        ("subject", "u1"),
        ("session", "s1"),
        ("ip", "203.0.113.5"),
    ] {
        assert_eq!(finding[member], value);
    }
    let evidence = &finding["evidence"];
    assert_eq!(
        (&evidence["last_good_ip"], &evidence["same_network"]),
        (&json!("192.0.2.1"), &json!(false))
    );
    assert_eq!(evidence["seconds_since_last_good"], 40);
}

#[test]
fn reuse_again_and_again_is_told_once_and_without_a_family_by_whom_is_known() {
    let reuse =
        |seconds: f64| refresh(seconds, "203.0.113.5", "invalid_grant", Some("refresh_reused"));
    let again: Vec<Value> = (0..20).map(|n| reuse(f64::from(n) * 30.0)).collect();
    assert_eq!(responses(&found(&again)), ["revoke:grant"]);
    let mut nameless = reuse(0.0);
    nameless.as_object_mut().expect("members").remove("grant");
    let findings = found(&[nameless]);
    assert_eq!((findings.len(), &findings[0]["subject"]), (1, &json!("u1")));
}

#[test]
fn other_refused_grants_are_no_reuse() {
    let events: Vec<Value> = ["expired", "wrong_client", "scope_exceeded", "pkce_failed"]
        .iter()
        .zip(0..)
        .map(|(cause, n)| refresh(f64::from(n), "192.0.2.1", "invalid_grant", Some(cause)))
        .collect();
    assert_eq!(found(&events), Vec::<Value>::new());
}

#[test]
fn disorder_of_five_seconds_changes_nothing_and_the_output_is_the_same_byte_for_byte() {
    let mut events: Vec<Value> = (0..90)
        .map(|n| forged(f64::from(n) * 0.7, &format!("192.0.2.{}", n % 9), "forged:alg_none", None))
        .collect();
    events.push(refresh(9.0, "192.0.2.1", "ok", None));
    events.sort_by_key(|event| event["ts"].to_string());
    let ordered = found(&events);
    assert!(ordered.len() > 3);
    assert_eq!(ordered, found(&events));
    for pair in events.chunks_mut(4) {
        pair.reverse();
    }
    assert_eq!(ordered, found(&events));
}

#[test]
fn too_many_responses_a_minute_are_held_back_and_say_so() {
    let events: Vec<Value> = (0..70)
        .map(|n| {
            json!({
                "ts": at(f64::from(n) / 10.0), "kind": "request", "ip": format!("198.51.100.{n}"),
                "token": "bait", "method": "GET", "path": "/", "status": 401, "refused": "honeytoken",
            })
        })
        .collect();
    let findings = found(&events);
    let blocked = findings.iter().filter(|finding| finding["response"] == "block:ip").count();
    assert_eq!((findings.len(), blocked), (70, 60));
    assert_eq!(findings[69]["response"], "tag");
    let held = &findings[69]["held_back"];
    assert_eq!((&held["response"], &held["by"]), (&json!("block:ip"), &json!("per_minute")));
}

/// Whoever passes bait on is nobody's thief, and is told of once, again when it has grown much, and after a quiet day.
#[test]
fn bait_that_is_passed_on_names_no_address_and_is_told_once() {
    let shown = |seconds: f64, by: Value, token: &str| {
        json!({
            "ts": at(seconds), "kind": "request", "ip": "198.51.100.7", "claimed_token": token,
            "method": "POST", "path": "/introspect", "status": 200, "refused": "honeytoken",
            "passed_on_by": by,
        })
    };
    let mut events: Vec<Value> =
        (0..12).map(|n| shown(f64::from(n), json!("client:api"), "bait")).collect();
    events.push(shown(12.0, json!("site"), "bait"));
    events.push(shown(13.0, json!("client:api"), "other"));
    events.push(shown(14.0, json!(null), "bait"));
    events.push(shown(100_000.0, json!("client:api"), "bait"));
    let findings = found(&events);
    let told: Vec<(&str, u64)> = findings
        .iter()
        .map(|one| {
            (
                one["response"].as_str().expect("response"),
                one["evidence"]["times"].as_u64().unwrap_or(0),
            )
        })
        .collect();
    assert_eq!(
        told,
        [("tag", 1), ("tag", 10), ("tag", 1), ("tag", 1), ("block:ip", 0), ("tag", 13)]
    );
    for one in findings.iter().filter(|one| one["response"] == "tag") {
        assert!(one["ip"].is_null() && one["client"].is_null(), "{one}");
        assert_eq!(
            (&one["class"], one["incident"].as_str().map(|name| name.starts_with("token:"))),
            (&json!("certain"), Some(true))
        );
    }
    assert!(
        findings[0]["evidence"]["summary"].as_str().is_some_and(|words| words.contains("`api`"))
    );
}

#[test]
fn networks_that_do_the_same_at_once_are_a_campaign() {
    let bait = |n: u32, seconds: f64| {
        json!({
            "ts": at(seconds), "kind": "request", "ip": format!("198.51.100.{n}"),
            "token": "bait", "method": "GET", "path": "/", "status": 401, "refused": "honeytoken",
        })
    };
    let campaigns = |findings: &[Value]| -> Vec<Option<String>> {
        findings.iter().map(|one| one["campaign"].as_str().map(str::to_owned)).collect()
    };
    let events: Vec<Value> = (0..6).map(|n| bait(n, f64::from(n) * 60.0)).collect();
    let findings = found(&events);
    let name = Some(format!("campaign:honeytoken@{}", at(0.0)));
    assert_eq!(campaigns(&findings), [None, None, None, None, name.clone(), name]);
    let incidents: BTreeSet<&str> =
        findings.iter().filter_map(|one| one["incident"].as_str()).collect();
    assert_eq!(incidents.len(), 6, "each network is an incident of its own as well");
    // Spread over a day, or one network again and again, they are none.
    let slow: Vec<Value> = (0..6).map(|n| bait(n, f64::from(n) * 1800.0)).collect();
    assert!(campaigns(&found(&slow)).iter().all(Option::is_none));
    let same: Vec<Value> = (0..6).map(|n| bait(1, f64::from(n))).collect();
    assert!(campaigns(&found(&same)).iter().all(Option::is_none));
}

#[test]
fn a_bad_line_is_named_and_what_came_before_is_judged() {
    let good: Vec<String> = (0..3)
        .map(|n| forged(f64::from(n), "192.0.2.7", "forged:alg_none", None).to_string())
        .collect();
    let input = format!("{}\n\n{{\"ts\":\"never\",\"kind\":\"request\"}}\n", good.join("\n"));
    let mut output = Vec::new();
    let refused =
        replay(Engine::default(), input.as_bytes(), &mut output, true, Reading::new(&mut refuse));
    assert!(matches!(refused, Err(ReplayError::NotAnEvent { line: 5, .. })), "{refused:?}");
    assert_eq!(String::from_utf8_lossy(&output).lines().count(), 2);
}

#[test]
fn what_other_programs_write_is_read() {
    let bait = |more: &str| {
        format!(
            r#"{{"ts":"{}","kind":"request","ip":"192.0.2.7","refused":"honeytoken"{more}}}"#,
            at(0.0)
        )
    };
    let judged = |text: String| {
        let mut output = Vec::new();
        let done = replay(
            Engine::default(),
            text.as_bytes(),
            &mut output,
            false,
            Reading::new(&mut refuse),
        );
        done.map(|()| String::from_utf8(output).expect("text")).map_err(|error| error.to_string())
    };
    let plain = judged(bait("")).expect("an event");
    assert!(plain.contains("honeytoken"), "{plain}");
    let unknown =
        r#","token_kind":"paseto","latency_us":null,"scopes":null,"method":null,"asn":null"#;
    for more in [unknown, r#","bytes_out":512.0,"status":401.0,"later":{"a":[null]}"#] {
        assert_eq!(judged(bait(more)).expect("an event"), plain, "{more}");
    }
    // A mark at the beginning, the ends of lines of another system, empty lines, no end of the last.
    let marked = format!("\u{feff}{}\r\n\r\n{}", bait(""), bait(r#","x":1"#));
    let twice = format!("{}\n{}\n", bait(""), bait(""));
    assert_eq!(judged(marked), judged(twice));
    for more in [
        r#","status":"401""#,
        r#","bytes_out":1.5"#,
        r#","bytes_out":-1.0"#,
        r#","ip":"192.0.2.7""#,
        r#","bytes_out":1e300"#,
    ] {
        let wrong = judged(bait(more)).expect_err(more);
        assert!(wrong.starts_with("line 1: not an event: "), "{more}: {wrong}");
    }
    assert!(judged(format!("{}\n\u{feff}{}", bait(""), bait(""))).is_err(), "in the middle");
    assert!(judged("null".to_owned()).is_err());
    let nobody = bait("").replace("\"request\"", "null");
    assert!(judged(nobody).is_err(), "a kind has to be there");
}

#[test]
fn the_summary_counts() {
    let lines: Vec<String> = (0..3)
        .map(|n| forged(f64::from(n), "192.0.2.7", "forged:alg_none", None).to_string())
        .collect();
    let mut output = Vec::new();
    replay(
        Engine::default(),
        lines.join("\n").as_bytes(),
        &mut output,
        true,
        Reading::new(&mut refuse),
    )
    .expect("events");
    let text = String::from_utf8(output).expect("text");
    let summary: Value = serde_json::from_str(text.lines().last().expect("line")).expect("json");
    assert_eq!((&summary["events"], &summary["findings"]), (&json!(3), &json!(2)));
    assert_eq!(summary["detectors"], json!({ "forged_token": 2 }));
    assert_eq!(summary["incidents"].as_object().map(serde_json::Map::len), Some(1));
}
