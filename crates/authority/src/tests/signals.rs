//! Security events: what is told of whom, once, signed so that others can tell.

use std::time::Duration;

use serde_json::{Value, json};
use store::{AuditEntry, NewRestriction};
use token::jws::Jws;
use token::restriction::{Effect, Selector};
use token::term::Algorithm;
use token::time::Timestamp;

use super::support::{Harness, ISSUER, settings};
use crate::Settings;
use crate::caller::Caller;
use crate::credential::By;
use crate::language::Language;
use crate::leak::Reported;
use crate::signals::Stream;
use crate::signals::event::{EventType, VERIFICATION};

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";

fn stream(name: &str, events: &[EventType]) -> Stream {
    let audience = format!("https://{name}.example/events");
    Stream { name: name.to_owned(), audience, events: events.to_vec(), fetched_with: None }
}

fn with(streams: Vec<Stream>) -> Settings {
    let signing_algs = vec![Algorithm::Es256, Algorithm::Rs256];
    Settings { streams, signing_algs, ..settings() }
}

/// One that has read the logs before anything happens.
async fn harness() -> Harness {
    let harness = Harness::with(with(vec![stream("crm", &EventType::ALL)])).await;
    assert!(!harness.authority.signal().await.expect("signal"));
    harness
}

fn nobody() -> Caller {
    Caller { ip: None, ja4: None, user_agent: None, certificate: None }
}

fn suspend(subject: &str, until: Option<Timestamp>, now: Timestamp) -> NewRestriction {
    NewRestriction {
        selector: Selector::Subject(subject.into()),
        effect: Effect::Suspend,
        from: now,
        until,
        reason: "said something secret".to_owned(),
        actor: "admin:root".to_owned(),
    }
}

/// What is told a stream since the last call, with its signatures checked: the events and their claims.
async fn told(harness: &Harness, stream: &str) -> Vec<(String, Value)> {
    harness.authority.signal().await.expect("signal");
    let now = harness.now();
    let due = harness.store.due_deliveries(stream, now, 100).await.expect("deliveries");
    let mut told = Vec::new();
    for delivery in due {
        harness.store.remove_delivery(&delivery.id).await.expect("removed");
        let claims = claims(harness, &delivery.body);
        let events = claims["events"].as_object().expect("events");
        assert_eq!(events.len(), 1);
        let name = events.keys().next().expect("event").clone();
        assert!(delivery.about.contains(" of "), "{}", delivery.about);
        told.push((name, claims));
    }
    told
}

fn claims(harness: &Harness, text: &str) -> Value {
    let jws = Jws::parse(text).expect("JWS");
    let header = jws.header();
    assert_eq!((header.typ.as_deref(), header.alg.as_str()), (Some("secevent+jwt"), "RS256"));
    let keys = harness.authority.keys().keyring().current();
    assert!(keys.iter().any(|key| key.verifies(jws.signing_input(), jws.signature())));
    serde_json::from_slice(jws.unverified_payload()).expect("JSON")
}

fn names(told: &[(String, Value)]) -> Vec<&str> {
    told.iter().filter_map(|(name, _)| name.rsplit('/').next()).collect()
}

#[tokio::test]
async fn a_suspension_is_told_and_its_end_by_hand_too() {
    let harness = harness().await;
    let now = harness.now();
    let held = harness.store.restrict(suspend("alice-id", None, now), now).await.expect("held");
    let first = told(&harness, "crm").await;
    assert_eq!(names(&first), ["account-disabled", "session-revoked"]);
    let (disabled, revoked) = (&first[0].1, &first[1].1);
    assert_eq!(first[0].0, format!("{RISC}account-disabled"));
    assert_eq!(disabled["events"][&first[0].0], json!({}));
    assert_eq!(
        (&revoked["iss"], &revoked["aud"], &revoked["iat"], &revoked["toe"]),
        (
            &json!(ISSUER),
            &json!("https://crm.example/events"),
            &json!(now.as_secs()),
            &json!(now.as_secs())
        )
    );
    assert_eq!(revoked["sub_id"], json!({ "format": "iss_sub", "iss": ISSUER, "sub": "alice-id" }));
    let event = &revoked["events"][format!("{CAEP}session-revoked")];
    assert_eq!(event["initiating_entity"], "admin");
    assert!(event["reason_admin"]["en"].is_string());
    assert!(!revoked.to_string().contains("secret"), "reasons stay here: {revoked}");
    assert!(revoked.get("exp").is_none() && revoked.get("sub").is_none());
    assert_ne!(disabled["jti"], revoked["jti"]);
    assert_eq!(disabled["txn"], revoked["txn"]);
    assert!(told(&harness, "crm").await.is_empty(), "once");

    harness.store.lift(held.seq, "admin:root", now).await.expect("lifted");
    assert_eq!(names(&told(&harness, "crm").await), ["account-enabled"]);
    // Nobody would say when it ends by itself.
    let until = Some(now.plus(Duration::from_secs(600)));
    let held = harness.store.restrict(suspend("alice-id", until, now), now).await.expect("held");
    assert_eq!(names(&told(&harness, "crm").await), ["session-revoked"]);
    harness.store.lift(held.seq, "admin:root", now).await.expect("lifted");
    assert!(told(&harness, "crm").await.is_empty());
    // Somebody of another issuer.
    let theirs = suspend("https://idp.example|bob", None, now);
    harness.store.restrict(theirs, now).await.expect("held");
    assert!(told(&harness, "crm").await.is_empty());
}

#[tokio::test]
async fn a_new_password_and_the_end_of_an_account_are_told() {
    let harness = harness().await;
    let caller = nobody();
    let by =
        By { actor: "subject:alice-id", caller: &caller, link: None, language: Language::English };
    let password = token::secret::Secret::new("quite another long passphrase");
    harness.authority.replace_password(&harness.user, password, by).await.expect("replaced");
    let first = told(&harness, "crm").await;
    assert_eq!(names(&first), ["credential-change", "session-revoked"]);
    let event = &first[0].1["events"][format!("{CAEP}credential-change")];
    assert_eq!(
        (&event["credential_type"], &event["change_type"], &event["initiating_entity"]),
        (&json!("password"), &json!("update"), &json!("user"))
    );
    let id = &harness.user.id;
    harness.store.delete_user(id, "admin:root", harness.now()).await.expect("deleted");
    assert_eq!(names(&told(&harness, "crm").await), ["account-purged", "session-revoked"]);
}

#[tokio::test]
async fn second_factors_and_accounts_that_are_shut_come_from_the_audit_log() {
    let harness = harness().await;
    let at = harness.now();
    for (actor, action, target) in [
        ("subject:alice-id", "factor.add", "f1"),
        ("subject:alice-id", "factor.remove", "f1"),
        ("admin:root", "user.factors.remove", "alice-id"),
        ("admin:root", "user.disable", "alice-id"),
        ("admin:root", "user.enable", "alice-id"),
        ("admin:root", "user.update", "alice-id"),
    ] {
        let (actor, action, target) = (actor.to_owned(), action.to_owned(), target.to_owned());
        let entry = AuditEntry { at, actor, action, target, ip: None };
        harness.store.append_audit(&entry).await.expect("audit");
    }
    let all = told(&harness, "crm").await;
    let change = "credential-change";
    let expected = [change, change, change, "account-disabled", "account-enabled"];
    assert_eq!(names(&all), expected);
    let kinds: Vec<_> = all[..3]
        .iter()
        .map(|(name, claims)| claims["events"][name]["change_type"].clone())
        .collect();
    assert_eq!(kinds, ["create", "delete", "delete"]);
    assert!(all.iter().all(|(_, claims)| claims["sub_id"]["sub"] == "alice-id"));
}

#[tokio::test]
async fn a_leaked_token_is_told_to_be_compromised_and_a_session_by_its_name() {
    let harness = harness().await;
    let tokens = harness.signed_in(&harness.confidential, "orders:read").await;
    let text = tokens["refresh_token"].as_str().expect("token").to_owned();
    let reported = Reported {
        token: text,
        kind: "tokenward".to_owned(),
        url: String::new(),
        source: "content".to_owned(),
    };
    let now = harness.now();
    assert!(harness.authority.leaked(&reported, "github", &nobody(), now).await.expect("leak"));
    let row = NewRestriction {
        selector: Selector::Session("session-1".into()),
        effect: Effect::Revoke,
        ..suspend("alice-id", None, now)
    };
    harness.store.restrict(row, now).await.expect("held");
    let all = told(&harness, "crm").await;
    assert_eq!(names(&all), ["credential-compromise", "session-revoked"]);
    let event = &all[0].1["events"][format!("{RISC}credential-compromise")];
    assert_eq!(event["credential_type"], "refresh_token");
    assert_eq!(all[0].1["sub_id"]["sub"], "alice-id");
    let session = json!({ "format": "opaque", "id": "session-1" });
    assert_eq!(all[1].1["sub_id"], json!({ "format": "complex", "session": session }));
}

#[tokio::test]
async fn a_stream_gets_what_it_wants_from_its_start_on_also_after_a_restart() {
    let harness = Harness::with(with(vec![stream("crm", &[EventType::AccountDisabled])])).await;
    let now = harness.now();
    harness.store.restrict(suspend("early", None, now), now).await.expect("held");
    assert!(told(&harness, "crm").await.is_empty(), "that was before it");
    harness.store.restrict(suspend("alice-id", None, now), now).await.expect("held");
    let harness = harness.restart().await;
    let all = told(&harness, "crm").await;
    assert_eq!(names(&all), ["account-disabled"]);
    assert_eq!(all[0].1["sub_id"]["sub"], "alice-id");
    // What is older than deliveries are tried is no news.
    harness.store.restrict(suspend("bob-id", None, now), now).await.expect("held");
    harness.clock.pass(25 * 3600);
    assert!(told(&harness, "crm").await.is_empty());
}

#[tokio::test]
async fn the_metadata_are_there_where_somebody_is_told() {
    let path = "/.well-known/ssf-configuration";
    let nobody = Harness::new().await.get(path).await;
    assert_eq!(nobody.status, 404, "{}", nobody.text);
    let harness = harness().await;
    let answer = harness.get(path).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let document = answer.json();
    assert_eq!((&document["issuer"], &document["spec_version"]), (&json!(ISSUER), &json!("1_0")));
    assert_eq!(document["jwks_uri"], format!("{ISSUER}/.well-known/jwks.json"));
    assert_eq!(
        document["delivery_methods_supported"],
        json!(["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"])
    );

    let event = harness.authority.verification("crm").expect("signed").expect("stream");
    let claims = claims(&harness, &event.body);
    assert_eq!(claims["jti"], event.id.as_str(), "by which it is acknowledged");
    assert_eq!(claims["sub_id"], json!({ "format": "opaque", "id": "crm" }));
    assert_eq!(claims["events"], json!({ VERIFICATION: {} }));
    assert!(harness.authority.verification("other").expect("signed").is_none());
}
