//! Accounts elsewhere: seen, taken away, and their tokens read, which leaves a trace.

use serde_json::json;
use store::NewIdentity;
use token::time::Timestamp;

use super::support::Harness;

async fn with_identity() -> (Harness, String) {
    let harness = Harness::new().await;
    let body = json!({ "username": "bob" });
    let created = harness.call("POST", "/users", Some(body)).await.expect(201);
    let id = created["id"].as_str().expect("id").to_owned();
    let tokens =
        json!({ "access_token": "a", "refresh_token": null, "expires_at": 7, "scope": null });
    for (name, tokens) in [("i1", Some(tokens.to_string().into_bytes().into())), ("i2", None)] {
        let identity = NewIdentity {
            id: name.to_owned(),
            provider: "acme".to_owned(),
            issuer: "https://idp.example".to_owned(),
            provider_subject: format!("there-{name}"),
            label: "bob@idp.example".to_owned(),
            tokens,
            at: Timestamp::from_secs(1),
        };
        let person = id.as_str().into();
        assert!(harness.store().add_identity(&person, &identity, false).await.expect("store"));
    }
    (harness, format!("/users/{id}/identities"))
}

#[tokio::test]
async fn accounts_elsewhere_are_shown_and_taken_away() {
    let (harness, path) = with_identity().await;
    let shown = harness.call("GET", &path, None).await.expect(200);
    let expected = json!({
        "id": "i1", "provider": "acme", "issuer": "https://idp.example",
        "provider_subject": "there-i1", "label": "bob@idp.example", "has_tokens": true,
        "created_at": Timestamp::from_secs(1), "last_used_at": Timestamp::from_secs(1),
    });
    assert_eq!(shown["items"][0], expected);
    harness.call("DELETE", &format!("{path}/i1"), None).await.expect(204);
    harness.call("DELETE", &format!("{path}/i1"), None).await.problem(404);
    // An administrator takes the last one, too.
    harness.call("DELETE", &format!("{path}/i2"), None).await.expect(204);
    assert_eq!(harness.call("GET", &path, None).await.expect(200)["items"], json!([]));
    harness.call("GET", "/users/nobody/identities", None).await.problem(404);
    harness.call("DELETE", "/users/nobody/identities/i1", None).await.problem(404);
}

#[tokio::test]
async fn tokens_are_read_where_they_are_kept_and_that_is_written_down() {
    let (harness, path) = with_identity().await;
    let read = harness.call("POST", &format!("{path}/i1/tokens"), None).await.expect(200);
    let expected =
        json!({ "access_token": "a", "refresh_token": null, "expires_at": 7, "scope": null });
    assert_eq!(read, expected);
    harness.call("POST", &format!("{path}/i2/tokens"), None).await.problem(404);
    harness.call("POST", "/users/nobody/identities/i1/tokens", None).await.problem(404);
    let log = harness.call("GET", "/audit", None).await.expect(200);
    assert_eq!(
        (&log["items"][0]["action"], &log["items"][0]["target"]),
        (&json!("identity.tokens"), &json!("i1"))
    );
}
