//! Clients that ask what tokens are.

use serde_json::{Value, json};

use crate::support::{event, found};

/// A client has so many answers that a token is active, then so many of these, some seconds apart.
fn asked([active, others]: [u32; 2], pause: f64, more: &Value) -> usize {
    let ask = |n: u32| {
        let result = if n < active { "active" } else { "inactive" };
        let mut members = json!({ "client": "api", "result": result, "ua": "Api/1" });
        if n >= active {
            for (name, value) in more.as_object().expect("members") {
                members[name] = value.clone();
            }
        }
        event(f64::from(n) * pause, "introspect", "198.51.100.9", &members)
    };
    let findings = found(&(0..active + others).map(ask).collect::<Vec<_>>());
    for finding in &findings {
        let named = ["detector", "response", "client"].map(|it| finding[it].as_str());
        assert_eq!(named, [Some("token_guessing"), Some("tag"), Some("api")]);
    }
    findings.len()
}

#[test]
fn thirty_tokens_that_are_not_active_within_ten_minutes_are_a_list_of_them() {
    let told = |of, pause| asked(of, pause, &json!({}));
    assert_eq!([30, 29].map(|inactive| told([0, inactive], 5.0)), [1, 0]);
    assert_eq!([20.0, 21.0].map(|pause| told([0, 30], pause)), [1, 0]);
    assert_eq!(told([0, 400], 1.0), 1, "once");
    assert_eq!([10, 11].map(|active| told([active, 30], 5.0)), [1, 0], "three in four");
}

#[test]
fn answers_that_say_nothing_of_a_token_and_those_to_others_are_no_guesses() {
    for none in [
        json!({ "result": "active" }),
        json!({ "result": "invalid_client" }),
        json!({ "result": "unauthorized" }),
        json!({ "client": null, "result": "active" }),
        json!({ "kind": "revoke" }),
    ] {
        assert_eq!(asked([0, 90], 5.0, &none), 0, "{none}");
    }
    let by_two: Vec<Value> = (0..58)
        .map(|n| {
            let members = json!({ "client": format!("api-{}", n % 2), "result": "inactive" });
            event(f64::from(n), "introspect", "198.51.100.9", &members)
        })
        .collect();
    assert_eq!(found(&by_two), Vec::<Value>::new(), "twenty-nine each");
}

/// So many answers, some seconds apart, to whoever is no client that is known.
fn asked_by_nobody(results: &[&str], count: u32, more: &Value) -> Vec<Value> {
    let ask = |n: u32| {
        let mut members = more.clone();
        members["result"] = json!(results[n as usize % results.len()]);
        event(f64::from(n) * 5.0, "introspect", "198.51.100.9", &members)
    };
    found(&(0..count).map(ask).collect::<Vec<_>>())
}

#[test]
fn whoever_asks_without_a_client_is_told_by_the_network() {
    let curl = json!({ "ua": "curl/8" });
    for results in [&["inactive"][..], &["unauthorized"], &["unauthorized", "inactive"]] {
        assert_eq!(asked_by_nobody(results, 29, &curl).len(), 0, "{results:?}");
        let findings = asked_by_nobody(results, 30, &curl);
        assert_eq!(findings.len(), 1, "{results:?}");
        assert_eq!(findings[0]["ip"], "198.51.100.9");
        assert!(findings[0]["client"].is_null());
    }
    assert_eq!(asked_by_nobody(&["invalid_request"], 60, &curl).len(), 0);
    let claimed = json!({ "ua": "curl/8", "claimed_client": "api" });
    assert_eq!(asked_by_nobody(&["inactive"], 30, &claimed).len(), 1);
    assert!(
        asked_by_nobody(&["inactive"], 30, &claimed)[0]["client"].is_null(),
        "no name of a victim"
    );
}
