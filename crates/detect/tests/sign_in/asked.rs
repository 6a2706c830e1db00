//! What young clients ask people for, and libraries whose verifiers never fit.

use serde_json::{Value, json};

use crate::support::{event, found};

const HOUR: f64 = 3600.0;
const WEEK: u64 = 7 * 24 * 3600;

/// So many people consent to these scopes; how often that is told.
fn consents(people: u32, scopes: &Value, age: u64, verified: Option<bool>) -> usize {
    let consent = |n: u32| {
        let mut members = json!({
            "client": "c1", "subject": format!("u{n}"), "scopes": scopes, "result": "granted",
            "client_age_s": age,
        });
        if let Some(verified) = verified {
            members["client_verified"] = json!(verified);
        }
        event(f64::from(n) * HOUR, "consent", &format!("198.51.100.{n}"), &members)
    };
    let findings = found(&(0..people).map(consent).collect::<Vec<_>>());
    assert!(findings.iter().all(|it| it["detector"] == "consent_phishing"));
    findings.len()
}

#[test]
fn five_people_are_enough_for_one_thing_beyond_who_somebody_is() {
    for scopes in [
        json!(["openid", "orders.read"]),
        json!(["read:orders"]),
        json!(["offline_access"]),
        json!(["calendar"]),
        json!([]),
        json!(null),
    ] {
        let told = |people, age, verified| consents(people, &scopes, age, verified);
        assert_eq!([5, 4].map(|people| told(people, 9000, Some(false))), [1, 0], "{scopes}");
        assert_eq!([10, 9].map(|people| told(people, 9000, None)), [1, 0], "{scopes}");
        assert_eq!([WEEK, WEEK + 1].map(|age| told(20, age, Some(false))), [1, 0], "{scopes}");
        assert_eq!(told(40, 9000, Some(true)), 0, "{scopes}");
    }
    for scopes in [
        json!(["openid"]),
        json!(["openid", "profile", "email", "phone", "address"]),
        json!(["profile:read", "email.read", "read"]),
    ] {
        assert_eq!(consents(40, &scopes, 9000, Some(false)), 0, "{scopes}: who somebody is");
    }
}

const SCRIPT: &str = "python-requests/2.32";

/// So many codes whose verifiers do not fit from one network, some seconds apart, by this program, for a client that
/// works for so many others; and a success there in the end, if so.
fn verifiers(failed: u32, pause: f64, ua: &str, works: u32, succeeds: bool) -> usize {
    let code = |seconds: f64, ip: &str, ua: &str, cause: Option<&str>| {
        let members = json!({
            "client": "c1", "grant_type": "authorization_code", "cause": cause, "ua": ua,
            "result": if cause.is_some() { "invalid_grant" } else { "ok" },
        });
        event(seconds, "grant", ip, &members)
    };
    let others = (0..works).map(|n| code(f64::from(n), &format!("198.51.{n}.1"), "App/7", None));
    let wrong = Some("pkce_failed");
    let tries = (0..failed).map(|n| code(HOUR + f64::from(n) * pause, "192.0.2.66", ua, wrong));
    let success = succeeds.then(|| code(HOUR - 10.0, "192.0.2.66", ua, None));
    let findings = found(&others.chain(tries).chain(success).collect::<Vec<_>>());
    assert!(
        findings.iter().all(|it| it["detector"] == "pkce_failures" && it["ip"] == "192.0.2.66")
    );
    findings.len()
}

#[test]
fn ten_failures_in_a_day_by_a_library_that_never_succeeds_are_told_whether_the_client_works_or_not()
{
    let told = |failed, pause| verifiers(failed, pause, SCRIPT, 0, false);
    assert_eq!([10, 9].map(|failed| told(failed, 600.0)), [1, 0]);
    assert_eq!(told(24, 600.0), 1, "once");
    assert_eq!([9500.0, 9700.0].map(|pause| told(10, pause)), [1, 0], "a day");
    assert_eq!(
        [false, true].map(|good| verifiers(20, 905.0, SCRIPT, 0, good)),
        [1, 0],
        "a success"
    );
    for ua in ["App/7", "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"] {
        assert_eq!(verifiers(20, 600.0, ua, 0, false), 0, "{ua}");
    }
    // Where the client works, five are enough of any program.
    assert_eq!([5, 4].map(|failed| verifiers(failed, 600.0, SCRIPT, 9, false)), [1, 0]);
    assert_eq!([5, 4].map(|failed| verifiers(failed, 600.0, "App/7", 9, false)), [1, 0]);
}
