//! Rich authorization requests (RFC 9396): asked for exactly, shown in words, carried to the API.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::browser::{PASSWORD, request};
use super::support::{Harness, claims, settings};
use crate::Settings;
use crate::rule::authorization_details::{DetailDefinition, Member, Shape};
use token::secret::Secret;

const PAYMENT: &str = r#"[{"type":"payment","actions":["initiate"],"amount":"45 EUR"}]"#;

async fn harness() -> Harness {
    let text = Member { shape: Shape::Text, optional: false };
    let payment = DetailDefinition {
        kind: "payment".to_owned(),
        description: "Pay {amount}, once".to_owned(),
        translations: Default::default(),
        actions: vec!["initiate".to_owned()],
        members: BTreeMap::from([("amount".to_owned(), text)]),
    };
    let harness =
        Harness::with(Settings { authorization_details: vec![payment], ..settings() }).await;
    let hash = harness.authority.hash_password(Secret::new(PASSWORD), &harness.user, None).await;
    let mut user = harness.user.clone();
    user.password_hash = Some(hash.expect("hash"));
    harness.store.update_user(&user).await.expect("user");
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.options.authorization_details_types = vec!["payment".to_owned()];
    harness.store.update_client(&client).await.expect("client");
    harness
}

fn payment() -> Value {
    serde_json::from_str(PAYMENT).expect("JSON")
}

#[tokio::test]
async fn a_person_agrees_to_exactly_one_payment() {
    let harness = harness().await;
    let client = &harness.confidential;
    let mut browser = harness.browser();
    let path = request(client, &[("authorization_details", PAYMENT)]);
    let page = browser.as_alice(&path).await;
    assert!(page.text.contains("Pay 45 EUR, once"), "{}", page.text);
    let told = browser.submit(&page.form(), &[("decision", "allow")]).await.at_client();
    let body = harness.redeem(client, &told["code"]).await.json();
    // §7 and §9.1.
    assert_eq!(body["authorization_details"], payment());
    let token = body["access_token"].as_str().expect("token");
    assert_eq!(claims(token)["authorization_details"], payment());
    let told = harness.post("/introspect", client, &[("token", token)]).await.json();
    assert_eq!(told["authorization_details"], payment());
    let refreshed = harness.refresh(client, body["refresh_token"].as_str().expect("token")).await;
    assert_eq!(refreshed.json()["authorization_details"], payment());
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &refreshed.member("refresh_token")),
        ("authorization_details", &PAYMENT.replace("45", "4500")),
    ];
    harness
        .post("/token", client, &form)
        .await
        .assert_refused(400, "invalid_authorization_details");
    // What was agreed to once is asked again.
    let again = browser.get(&path).await;
    assert_eq!(again.form().action, "/consent");
}

#[tokio::test]
async fn what_is_not_defined_or_not_allowed_is_refused() {
    let harness = harness().await;
    for details in ["x", "{}", r#"[{"type":"gift"}]"#, &PAYMENT.replace("initiate", "erase")] {
        let path = request(&harness.confidential, &[("authorization_details", details)]);
        harness.get(&path).await.assert_refused_to_client("invalid_authorization_details");
    }
    let path = request(&harness.public, &[("authorization_details", PAYMENT)]);
    harness.get(&path).await.assert_refused_to_client("invalid_authorization_details");
    let metadata = harness.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["authorization_details_types_supported"], json!(["payment"]));
}

#[tokio::test]
async fn a_machine_can_ask_in_detail_too() {
    let harness = harness().await;
    let form = [("grant_type", "client_credentials"), ("authorization_details", PAYMENT)];
    let body = harness.post("/token", &harness.confidential, &form).await.json();
    assert_eq!(body["authorization_details"], payment());
    let form = [("grant_type", "client_credentials"), ("authorization_details", "[{}]")];
    let refused = harness.post("/token", &harness.confidential, &form).await;
    refused.assert_refused(400, "invalid_authorization_details");
}
