//! Events read and print the public format.

use super::{Event, EventKind, GrantCause, NetworkKind, TokenKind};

#[test]
fn reads_a_request_and_prints_it_again() {
    let line = r#"{"ts":"2026-09-21T14:13:20.123Z","kind":"request","ip":"192.0.2.1","subject":"u1","token":"t1","token_kind":"jwt","scopes":["a","b"],"method":"GET","path":"/orders/7","route":"/orders/{id}","object":"7","status":403,"refused":"insufficient_scope","unknown_member":[1]}"#;
    let event: Event = serde_json::from_str(line).expect("event");
    let EventKind::Request(request) = &event.kind else { panic!("a request") };
    assert_eq!(request.token_kind, TokenKind::Jwt);
    assert_eq!(request.scopes.to_string(), "a b");
    assert_eq!(event.who.subject.as_ref().map(|id| id.as_str()), Some("u1"));
    let printed = serde_json::to_string(&event).expect("json");
    assert_eq!(serde_json::from_str::<Event>(&printed).expect("event"), event);
    assert!(printed.contains(r#""refused":"insufficient_scope""#));
    assert!(!printed.contains("claimed_subject"));
}

#[test]
fn reads_a_refresh_reuse() {
    let line = r#"{"ts":"2026-09-21T14:13:20Z","kind":"grant","grant_type":"refresh_token","result":"invalid_grant","cause":"refresh_reused","grant":"g1","client":"c1"}"#;
    let event: Event = serde_json::from_str(line).expect("event");
    assert!(matches!(event.kind, EventKind::Grant { cause: Some(GrantCause::RefreshReused), .. }));
}

#[test]
fn a_kind_of_another_version_is_still_an_event() {
    let line = r#"{"ts":"2026-09-21T14:13:20Z","kind":"new_kind","source":"x"}"#;
    let event: Event = serde_json::from_str(line).expect("event");
    assert_eq!(event.kind, EventKind::Other);
}

#[test]
fn a_missing_member_means_not_known() {
    for kind in [
        "request",
        "login",
        "client_auth",
        "authorize",
        "consent",
        "grant",
        "register",
        "introspect",
        "revoke",
        "admin",
        "leak_report",
    ] {
        let line = format!(r#"{{"ts":"2026-09-21T14:13:20Z","kind":"{kind}"}}"#);
        let event: Event =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert!(event.ip.is_none() && event.who.subject.is_none());
    }
}

#[test]
fn a_reason_of_another_version_is_kept_as_it_is() {
    let line = r#"{"ts":"2026-09-21T14:13:20Z","kind":"request","refused":"forged:new_trick"}"#;
    let event: Event = serde_json::from_str(line).expect("event");
    assert!(
        serde_json::to_string(&event).expect("json").contains(r#""refused":"forged:new_trick""#)
    );
}

#[test]
fn reads_where_it_came_from() {
    let line = r#"{"ts":"2026-09-21T14:13:20Z","kind":"consent","result":"granted","country":"NO","asn":64500,"net":"hosting","lat":59.9,"lon":-10,"ja4":"t13d","client_age_s":60,"client_verified":false}"#;
    let event: Event = serde_json::from_str(line).expect("event");
    assert_eq!((event.origin.asn, event.origin.net), (Some(64500), Some(NetworkKind::Hosting)));
    assert_eq!((event.origin.lat, event.origin.lon), (Some(59.9), Some(-10.0)));
    let EventKind::Consent { client_age_s, client_verified, .. } = event.kind else {
        panic!("a consent")
    };
    assert_eq!((client_age_s, client_verified), (Some(60), Some(false)));
}
