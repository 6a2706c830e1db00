//! Step-up (RFC 9470): who needs a surer or a fresher sign-in asks for it, and can see that it was.

use serde_json::{Value, json};

use super::browser::request;
use super::support::{Answer, Harness, claims};

const KNOWN: &str = "urn:tokenward:acr:one-factor";
const UNKNOWN: &str = "urn:elsewhere:acr:phishing-resistant";

fn claim(acr: &Value) -> String {
    json!({ "id_token": { "acr": acr } }).to_string()
}

async fn introspected(harness: &Harness, token: &str) -> Value {
    let told = harness.post("/introspect", &harness.confidential, &[("token", token)]).await;
    told.json()
}

#[tokio::test]
async fn an_essential_acr_that_cannot_be_reached_is_told_at_once() {
    // OpenID Connect Core Error Code unmet_authentication_requirements 1.0 §2.
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let mut browser = harness.browser();
    let unreachable = [
        json!({ "essential": true, "value": UNKNOWN }),
        json!({ "essential": true, "values": [UNKNOWN, "0"] }),
    ];
    for wanted in &unreachable {
        let path = request(client, &[("claims", &claim(wanted))]);
        // Before anybody signs in: no sign-in here would help.
        browser.get(&path).await.assert_refused_to_client("unmet_authentication_requirements");
        assert_eq!(harness.events.last("authorize")["result"], "unmet_authentication_requirements");
    }
    browser.agree(&request(client, &[])).await.at_client();
    for wanted in &unreachable {
        for prompt in ["", "none", "login"] {
            let path = request(client, &[("claims", &claim(wanted)), ("prompt", prompt)]);
            browser.get(&path).await.assert_refused_to_client("unmet_authentication_requirements");
        }
    }
    // The client hears of it where it pushes its request, too.
    let wanted = claim(&unreachable[0]);
    let form = [
        ("response_type", "code"),
        ("redirect_uri", super::support::REDIRECT),
        ("scope", "openid"),
        ("code_challenge", super::support::CHALLENGE),
        ("code_challenge_method", "S256"),
        ("claims", wanted.as_str()),
    ];
    let pushed = harness.post("/par", client, &form).await;
    pushed.assert_refused(400, "unmet_authentication_requirements");
}

#[tokio::test]
async fn an_essential_acr_that_is_reached_is_in_the_id_token() {
    let harness = Harness::with_password().await;
    let wanted = claim(&json!({ "essential": true, "values": [UNKNOWN, KNOWN] }));
    let path = request(&harness.confidential, &[("claims", &wanted)]);
    let told = harness.browser().agree(&path).await.at_client();
    let tokens = harness.redeem(&harness.confidential, &told["code"]).await;
    assert_eq!(claims(&tokens.member("id_token"))["acr"], KNOWN);
}

#[tokio::test]
async fn what_is_voluntary_never_fails() {
    // OpenID Connect Core 1.0 §3.1.2.1 and §5.5.1.1.
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let mut browser = harness.browser();
    browser.agree(&request(client, &[])).await.at_client();
    let voluntary = claim(&json!({ "value": UNKNOWN }));
    let null = claim(&Value::Null);
    for change in [
        ("acr_values", UNKNOWN),
        ("acr_values", "0 1 2"),
        ("acr_values", KNOWN),
        ("claims", voluntary.as_str()),
        ("claims", null.as_str()),
    ] {
        let told = browser.get(&request(client, &[change])).await.at_client();
        let tokens = harness.redeem(client, &told["code"]).await;
        // What was reached, not what was asked for.
        assert_eq!(claims(&tokens.member("id_token"))["acr"], KNOWN, "{change:?}");
        assert_eq!(claims(&tokens.member("access_token"))["acr"], KNOWN, "{change:?}");
    }
}

#[tokio::test]
async fn a_token_says_how_surely_and_when() {
    // RFC 9470 §6: in the access token and at introspection, through every refresh.
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let signed_in = harness.now().as_secs();
    let told = harness.browser().agree(&request(client, &[])).await.at_client();
    let mut tokens: Answer = harness.redeem(client, &told["code"]).await;
    for _ in 0..2 {
        let access = tokens.member("access_token");
        for seen in [claims(&access), introspected(&harness, &access).await] {
            assert_eq!((&seen["acr"], &seen["auth_time"]), (&json!(KNOWN), &json!(signed_in)));
        }
        harness.clock.pass(30);
        tokens = harness.refresh(client, &tokens.member("refresh_token")).await;
    }
    // Nobody has signed in for a machine.
    let form = [("grant_type", "client_credentials")];
    let machine = harness.post("/token", client, &form).await.member("access_token");
    for seen in [claims(&machine), introspected(&harness, &machine).await] {
        assert!(seen.get("acr").is_none() && seen.get("auth_time").is_none(), "{seen}");
    }
}

#[tokio::test]
async fn a_fresh_sign_in_is_proven_by_the_new_token_and_not_by_the_old() {
    // RFC 9470 §5: the client comes back with the `max_age` of the challenge.
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let mut browser = harness.browser();
    let first = browser.agree(&request(client, &[])).await.at_client();
    let first = harness.redeem(client, &first["code"]).await;
    let long_ago = harness.now().as_secs();
    harness.clock.pass(300);
    let fresh = browser.as_alice(&request(client, &[("max_age", "60")])).await.at_client();
    let fresh = harness.redeem(client, &fresh["code"]).await.member("access_token");
    let now = harness.now().as_secs();
    assert_eq!(claims(&fresh)["auth_time"], now);
    assert_eq!(introspected(&harness, &fresh).await["auth_time"], now);
    // Who was granted before still signed in before.
    let old = harness.refresh(client, &first.member("refresh_token")).await;
    assert_eq!(claims(&old.member("access_token"))["auth_time"], long_ago);
    // A session that is fresh enough needs no page.
    let told = browser.get(&request(client, &[("max_age", "60"), ("prompt", "none")])).await;
    let tokens = harness.redeem(client, &told.at_client()["code"]).await;
    assert_eq!(claims(&tokens.member("access_token"))["auth_time"], now);
}
