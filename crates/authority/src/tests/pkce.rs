//! Who may leave PKCE out, and what holds a code then (OAuth 2.1 §7.5.1).

use store::{Client, ClientOptions};
use token::term::Profile;

use super::browser::request;
use super::support::{Harness, REDIRECT, settings};
use crate::settings::Settings;

/// The request of an older OpenID Connect client.
const WITHOUT: [(&str, &str); 2] = [("code_challenge", ""), ("code_challenge_method", "")];

async fn change(harness: &Harness, id: &str, options: ClientOptions) {
    let client = harness.store.client(&id.into()).await.expect("store").expect("client");
    let client = Client { options, ..(*client).clone() };
    harness.store.update_client(&client).await.expect("client");
}

fn optional() -> ClientOptions {
    ClientOptions { pkce_optional: true, ..ClientOptions::default() }
}

#[tokio::test]
async fn nobody_may_leave_it_out_unless_an_administrator_lets_them() {
    let harness = Harness::with_password().await;
    for client in [&harness.confidential, &harness.public] {
        let refused = harness.get(&request(client, &WITHOUT)).await.at_client();
        assert_eq!(refused["error"], "invalid_request");
        assert_eq!(harness.events.last("authorize")["result"], "bad_pkce");
    }
}

#[tokio::test]
async fn an_openid_client_with_a_secret_can_be_let() {
    let open = Settings { require_pkce: false, ..settings() };
    for (settings, options) in [(open, ClientOptions::default()), (settings(), optional())] {
        let harness = Harness::with(settings).await;
        harness.give_password().await;
        change(&harness, "conf", options).await;
        let code = harness.browser().agree(&request(&harness.confidential, &WITHOUT)).await;
        let code = code.at_client()["code"].clone();
        let ask = async |extra: &[(&str, &str)]| {
            let mut form = vec![("grant_type", "authorization_code"), ("code", code.as_str())];
            form.extend_from_slice(extra);
            harness.post("/token", &harness.confidential, &form).await
        };
        // RFC 6749 §4.1.3: without a challenge the redirect URI has to be shown again.
        ask(&[]).await.assert_refused(400, "invalid_grant");
        let other = [("redirect_uri", "https://app.example/other")];
        ask(&other).await.assert_refused(400, "invalid_grant");
        // RFC 9700 §4.8.2: a verifier without a challenge means that somebody took the challenge off.
        let verifier = super::support::VERIFIER;
        let downgrade = [("redirect_uri", REDIRECT), ("code_verifier", verifier)];
        ask(&downgrade).await.assert_refused(400, "invalid_grant");
        let given = ask(&[("redirect_uri", REDIRECT)]).await;
        assert_eq!(given.status, 200, "{}", given.text);
        assert!(given.json()["id_token"].is_string());
    }
}

#[tokio::test]
async fn public_clients_plain_oauth_and_fapi_never_are() {
    let open = Settings { require_pkce: false, ..settings() };
    let harness = Harness::with(open).await;
    change(&harness, "pub", optional()).await;
    let refused = harness.get(&request(&harness.public, &WITHOUT)).await.at_client();
    assert_eq!(refused["error"], "invalid_request");
    let plain = [WITHOUT[0], WITHOUT[1], ("scope", "orders:read")];
    let refused = harness.get(&request(&harness.confidential, &plain)).await.at_client();
    assert_eq!(refused["error"], "invalid_request");
    // One that is there counts, and half of one is none.
    let wrong = [("code_challenge_method", "plain")];
    let refused = harness.get(&request(&harness.confidential, &wrong)).await.at_client();
    assert_eq!(refused["error"], "invalid_request");
    let half = [("code_challenge", "")];
    let refused = harness.get(&request(&harness.confidential, &half)).await.at_client();
    assert_eq!(refused["error"], "invalid_request");
    let fapi2 = ClientOptions { profile: Some(Profile::Fapi2), ..optional() };
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let client = Client { options: fapi2, ..(*client).clone() };
    let scopes = super::support::scopes("openid");
    let settings = harness.authority.settings();
    assert!(!crate::rule::pkce::may_be_omitted(settings, &client, &scopes));
}
