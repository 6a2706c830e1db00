//! People over HTTP.

use serde_json::json;
use store::{Passkey, TotpFactor};
use token::time::Timestamp;

use super::support::Harness;

const PASSWORD: &str = "correct horse battery";

#[tokio::test]
async fn a_person_lives() {
    let harness = Harness::new().await;
    let body = json!({ "username": "Rosa", "password": PASSWORD, "email": "rosa@example.com",
        "email_verified": true });
    let made = harness.call("POST", "/users", Some(body)).await.expect(201);
    assert_eq!(made["email_verified"], true);
    assert!(!made.to_string().contains("argon2") && !made.to_string().contains(PASSWORD));
    let path = format!("/users/{}", made["id"].as_str().expect("id"));
    let change = json!({ "email": "new@example.com", "name": "Rosa L." });
    let changed = harness.call("PATCH", &path, Some(change)).await.expect(200);
    assert_eq!(changed["email_verified"], false, "a new address is not proven");
    let cleared = harness.call("PATCH", &path, Some(json!({ "name": null }))).await.expect(200);
    assert_eq!((&cleared["name"], &cleared["username"]), (&json!(null), &json!("Rosa")));
    let body = json!({ "password": "another long passphrase" });
    harness.call("PUT", &format!("{path}/password"), Some(body)).await.expect(204);
    let body = json!({ "disabled": true });
    assert_eq!(harness.call("PATCH", &path, Some(body)).await.expect(200)["disabled"], true);
    let taken_back = harness.call("GET", "/restrictions", None).await.expect(200);
    let reasons: Vec<_> = taken_back["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["reason"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(reasons, ["user disabled", "password set"]);
    harness.call("DELETE", &path, None).await.expect(204);
    harness.call("GET", &path, None).await.problem(404);
    let expected = [
        "user.create",
        "user.update",
        "user.update",
        "user.password",
        "user.disable",
        "user.delete",
    ];
    assert_eq!(harness.actions().await, expected);
}

#[tokio::test]
async fn further_claims_are_set_one_by_one() {
    let harness = Harness::new().await;
    let claims = json!({ "department": "Sales", "address": { "country": "NL" }, "locale": "nl" });
    let body = json!({ "username": "Rosa", "claims": claims });
    let made = harness.call("POST", "/users", Some(body)).await.expect(201);
    assert_eq!(made["claims"], claims);
    let path = format!("/users/{}", made["id"].as_str().expect("id"));
    let change = json!({ "claims": { "department": "Legal", "locale": null } });
    let changed = harness.call("PATCH", &path, Some(change)).await.expect(200);
    let left = json!({ "department": "Legal", "address": { "country": "NL" } });
    assert_eq!(changed["claims"], left);
    assert_eq!(harness.call("GET", &path, None).await.expect(200)["claims"], left);
    // Also by a change it cannot become a claim that protocols decide by.
    let change = json!({ "claims": { "sub": "somebody-else" } });
    harness.call("PATCH", &path, Some(change)).await.problem(400);
}

#[tokio::test]
async fn a_wrong_member_is_named() {
    let harness = Harness::new().await;
    harness.call("POST", "/users", Some(json!({ "username": "taken" }))).await.expect(201);
    let cases = [
        (json!({ "username": " spaced" }), 400, "username"),
        (json!({ "username": "a", "password": "short" }), 400, "15 characters"),
        (json!({ "username": "a", "password": "KartoffelPuffer" }), 400, "used most"),
        (json!({ "username": "rosalind.franklin", "password": "rosalind.franklin1" }), 400, "name"),
        (json!({ "username": "a", "email": "nowhere" }), 400, "email"),
        (json!({ "username": "a", "admin": true }), 400, "admin"),
        (json!({ "username": "a", "claims": { "acr": "x" } }), 400, "acr"),
        (json!({ "username": "a", "claims": { "email": "a@b" } }), 400, "email"),
        (json!({ "username": "a", "claims": { "a": "x".repeat(9000) } }), 400, "8 KiB"),
        (json!({ "username": "a", "claims": [] }), 400, "map"),
        (json!({ "username": "TAKEN" }), 409, "taken"),
    ];
    for (body, status, word) in cases {
        let detail = harness.call("POST", "/users", Some(body.clone())).await.problem(status);
        assert!(detail.contains(word), "{body}: {detail}");
    }
}

#[tokio::test]
async fn factors_are_seen_and_removed() {
    let harness = Harness::new().await;
    let body = json!({ "username": "Rosa", "password": PASSWORD, "require_mfa": true });
    let made = harness.call("POST", "/users", Some(body)).await.expect(201);
    assert_eq!(made["require_mfa"], true);
    let id = made["id"].as_str().expect("id");
    let path = format!("/users/{id}");
    let body = json!({ "require_mfa": false });
    let changed = harness.call("PATCH", &path, Some(body)).await.expect(200);
    assert_eq!(changed["require_mfa"], false);
    for name in ["f1", "f2", "f3"] {
        let factor = TotpFactor {
            id: name.to_owned(),
            subject: id.into(),
            secret: b"12345678901234567890".to_vec().into(),
            last_step: 1,
            created_at: Timestamp::from_secs(1),
            last_used_at: None,
        };
        assert!(harness.store().add_totp(&factor, None).await.expect("store"));
    }
    let passkey = Passkey {
        id: "p1".to_owned(),
        subject: id.into(),
        credential: vec![1],
        handle: vec![2],
        name: "Phone".to_owned(),
        record: vec![3],
        counter: 0,
        is_backed_up: true,
        created_at: Timestamp::from_secs(1),
        last_used_at: None,
    };
    assert!(harness.store().add_passkey(&passkey, None).await.expect("store"));
    let factors = format!("{path}/factors");
    let shown = harness.call("GET", &factors, None).await.expect(200);
    let expected =
        json!({ "id": "f1", "created_at": Timestamp::from_secs(1), "last_used_at": null });
    assert_eq!(shown["totp"][0], expected);
    let expected = json!({
        "id": "p1", "name": "Phone", "is_backed_up": true,
        "created_at": Timestamp::from_secs(1), "last_used_at": null,
    });
    assert_eq!(shown["passkeys"], json!([expected]));
    assert_eq!((&shown["recovery_codes"], &shown["remembered_browsers"]), (&json!(0), &json!(0)));
    harness.call("DELETE", &format!("{factors}/f1"), None).await.expect(204);
    harness.call("DELETE", &format!("{factors}/f1"), None).await.problem(404);
    harness.call("DELETE", &format!("{factors}/p1"), None).await.expect(204);
    harness.call("DELETE", "/users/nobody/factors/f2", None).await.problem(404);
    harness.call("DELETE", &factors, None).await.expect(204);
    assert_eq!(harness.call("GET", &factors, None).await.expect(200)["totp"], json!([]));
    harness.call("GET", "/users/nobody/factors", None).await.problem(404);
    harness.call("DELETE", "/users/nobody/factors", None).await.problem(404);
    let expected = [
        "user.create",
        "user.update",
        "user.factor.remove",
        "user.factor.remove",
        "user.factors.remove",
    ];
    assert_eq!(harness.actions().await, expected);
}
