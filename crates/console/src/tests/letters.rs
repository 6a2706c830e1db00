//! Invitations, and letters that are kept.

use authority::sign_up::{Mode, SignUp};
use serde_json::json;

use super::support::{Harness, settings};

async fn open() -> Harness {
    let sign_up = SignUp { mode: Mode::Invitation, email_domains: Vec::new() };
    Harness::with(authority::Settings { sign_up, ..settings() }).await
}

#[tokio::test]
async fn somebody_is_invited_and_the_link_is_in_the_letter_alone() {
    let harness = open().await;
    let body = json!({ "email": "bob@example.com", "username": "bob", "name": "Bob" });
    let answer = harness.call("POST", "/invitations", Some(body)).await;
    assert!(!answer.text.contains("/link"), "{}", answer.text);
    let made = answer.expect(201);
    assert_eq!((&made["email"], &made["username"]), (&json!("bob@example.com"), &json!("bob")));
    assert_eq!(made["created_by"], "admin:operator");
    let listed = harness.call("GET", "/invitations", None).await.expect(200);
    assert_eq!(listed["items"], json!([made]));

    let letters = harness.call("GET", "/mailbox", None).await.expect(200);
    let letter = &letters["items"][0];
    assert_eq!((&letter["to"], &letter["id"]), (&json!("bob@example.com"), &json!(1)));
    assert!(!letters.to_string().contains("/link"), "{letters}");
    let letter = harness.call("GET", "/mailbox/1", None).await.expect(200);
    assert!(letter["text"].as_str().is_some_and(|text| text.contains("/link?code=")), "{letter}");

    let path = format!("/invitations/{}", made["id"].as_str().expect("id"));
    harness.call("DELETE", &path, None).await.expect(204);
    harness.call("DELETE", &path, None).await.problem(404);
    let listed = harness.call("GET", "/invitations", None).await.expect(200);
    assert_eq!(listed["items"], json!([]));
    assert_eq!(harness.actions().await, ["invitation.create", "invitation.delete"]);
}

#[tokio::test]
async fn what_cannot_be_sent_or_shown_is_refused() {
    let harness = open().await;
    for body in [
        json!({ "email": "bob" }),
        json!({ "email": "bob@example.com\r\nBcc: eve@example.com" }),
        json!({ "email": "bob@example.com", "username": " bob" }),
        json!({ "email": "bob@example.com", "name": "\u{202e}" }),
        json!({ "username": "bob" }),
    ] {
        harness.call("POST", "/invitations", Some(body)).await.problem(400);
    }
    for path in ["/mailbox/1", "/mailbox/x", "/mailbox/-1"] {
        harness.call("GET", path, None).await.problem(404);
    }
    harness.call("GET", "/mailbox?before=x", None).await.problem(400);
    let closed = Harness::new().await;
    let body = json!({ "email": "bob@example.com" });
    let words = closed.call("POST", "/invitations", Some(body)).await.problem(409);
    assert!(words.contains("`authority.sign_up.mode`"), "{words}");
}

#[tokio::test]
async fn a_new_password_is_told_to_its_person() {
    let harness = Harness::new().await;
    let body = json!({ "username": "alice", "email": "alice@example.com" });
    let made = harness.call("POST", "/users", Some(body)).await.expect(201);
    let path = format!("/users/{}/password", made["id"].as_str().expect("id"));
    let body = json!({ "password": "lantern orbit mustard" });
    harness.call("PUT", &path, Some(body)).await.expect(204);
    let letters = harness.call("GET", "/mailbox", None).await.expect(200);
    assert_eq!(letters["items"][0]["to"], "alice@example.com");
}
