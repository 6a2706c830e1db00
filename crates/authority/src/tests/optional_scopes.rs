//! What a person leaves out: asked once, given never, taken back one by one.

use serde_json::{Value, json};

use super::browser::{Browser, PASSWORD, request};
use super::support::{Answer, Harness, TestClient, scopes};

const ALL: &str = "openid email offline_access orders:read orders:write";

/// Alice, and a client that can do without these.
async fn harness(optional: &str) -> Harness {
    let harness = Harness::with_password().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.options.optional_scopes = scopes(optional);
    harness.store.update_client(&client).await.expect("client");
    harness
}

fn asking(harness: &Harness, scope: &str) -> String {
    request(&harness.confidential, &[("scope", scope)])
}

/// Allows what is ticked and gives the token response.
async fn allow(browser: &mut Browser<'_>, page: &Answer, ticked: &[&str]) -> Answer {
    assert_eq!(page.form().action, "/consent", "{}", page.text);
    let mut extra: Vec<(&str, &str)> = ticked.iter().map(|name| (*name, "yes")).collect();
    extra.push(("decision", "allow"));
    let answer = browser.submit(&page.form(), &extra).await.at_client();
    let harness = browser.harness;
    harness.redeem(&harness.confidential, &answer["code"]).await
}

/// The token response, where no page is needed.
async fn silently(browser: &mut Browser<'_>, path: &str) -> Answer {
    let answer = browser.get(path).await.at_client();
    let harness = browser.harness;
    harness.redeem(&harness.confidential, &answer["code"]).await
}

fn box_of(page: &Answer, scope: &str) -> Option<bool> {
    let tag = page.text.split(&format!("name=\"scope:{scope}\"")).nth(1)?;
    Some(tag.split('>').next().is_some_and(|tag| tag.contains(" checked")))
}

async fn introspected(harness: &Harness, token: &str) -> Value {
    harness.post("/introspect", &harness.confidential, &[("token", token)]).await.json()
}

async fn refresh_for(harness: &Harness, client: &TestClient, token: &str, scope: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
    harness.post("/token", client, &form).await
}

#[tokio::test]
async fn only_what_is_ticked_is_given_and_the_token_says_so() {
    let harness = harness("email orders:write").await;
    let mut browser = harness.browser();
    let page = browser.as_alice(&asking(&harness, ALL)).await;
    assert_eq!((box_of(&page, "email"), box_of(&page, "orders:write")), (Some(true), Some(true)));
    for fixed in ["openid", "orders:read", "offline_access"] {
        assert_eq!(box_of(&page, fixed), None, "{fixed}");
    }
    // What is not optional is given although no box says so, and what was not asked for is not.
    let extra = ["scope:email", "scope:phone", "scope:tokenward:admin"];
    let tokens = allow(&mut browser, &page, &extra).await;
    assert_eq!(tokens.member("scope"), "email offline_access openid orders:read");
    assert_eq!(
        harness.events.last("consent")["scopes"],
        harness.events.last("authorize")["scopes"]
    );
    let told = introspected(&harness, &tokens.member("access_token")).await;
    assert_eq!(told["scope"], "email offline_access openid orders:read");

    // RFC 6749 §6: a refresh never has more than was granted.
    let (client, refresh) = (&harness.confidential, tokens.member("refresh_token"));
    let wider = refresh_for(&harness, client, &refresh, "openid orders:write").await;
    wider.assert_refused(400, "invalid_scope");
    let refreshed = harness.refresh(client, &refresh).await;
    assert_eq!(refreshed.member("scope"), "email offline_access openid orders:read");
}

#[tokio::test]
async fn a_refusal_is_remembered_until_the_question_is_asked_again() {
    let harness = harness("email orders:write").await;
    let mut browser = harness.browser();
    let both = asking(&harness, "openid email orders:write");
    let page = browser.as_alice(&both).await;
    let tokens = allow(&mut browser, &page, &["scope:email"]).await;
    assert_eq!(tokens.member("scope"), "email openid");
    // Not at every sign-in.
    assert_eq!(silently(&mut browser, &both).await.member("scope"), "email openid");
    let silent = request(
        &harness.confidential,
        &[("scope", "openid email orders:write"), ("prompt", "none")],
    );
    assert_eq!(silently(&mut browser, &silent).await.member("scope"), "email openid");
    // For something that was never decided, with the boxes as they were left.
    let page = browser.get(&asking(&harness, ALL)).await;
    assert_eq!((box_of(&page, "email"), box_of(&page, "orders:write")), (Some(true), Some(false)));
    let tokens = allow(&mut browser, &page, &["scope:email"]).await;
    assert_eq!(tokens.member("scope"), "email offline_access openid orders:read");
    // When the client has it asked.
    let again = request(
        &harness.confidential,
        &[("scope", "openid email orders:write"), ("prompt", "consent")],
    );
    let page = browser.get(&again).await;
    let tokens = allow(&mut browser, &page, &["scope:orders:write"]).await;
    assert_eq!(tokens.member("scope"), "openid orders:write");
    assert_eq!(silently(&mut browser, &both).await.member("scope"), "openid orders:write");
    // What the client cannot do without any more is asked for.
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.options.optional_scopes = scopes("orders:write");
    harness.store.update_client(&client).await.expect("client");
    assert_eq!(browser.get(&both).await.form().action, "/consent");
}

#[tokio::test]
async fn to_allow_nothing_is_to_refuse() {
    let harness = harness("email orders:write").await;
    let mut browser = harness.browser();
    let path = asking(&harness, "email orders:write");
    let page = browser.as_alice(&path).await;
    let answer = browser.submit(&page.form(), &[("decision", "allow")]).await;
    answer.assert_refused_to_client("access_denied");
    assert_eq!(harness.events.last("consent")["result"], "denied");
    assert_eq!(browser.get(&path).await.form().action, "/consent");
}

#[tokio::test]
async fn a_claim_asked_for_by_name_goes_with_its_scope() {
    let harness = harness("email").await;
    let mut browser = harness.browser();
    let claims = r#"{"userinfo":{"email":null,"name":null},"id_token":{"email":null}}"#;
    let path = request(&harness.confidential, &[("scope", "openid"), ("claims", claims)]);
    let page = browser.as_alice(&path).await;
    assert_eq!(box_of(&page, "email"), Some(true), "{}", page.text);
    let tokens = allow(&mut browser, &page, &[]).await;
    let access = tokens.member("access_token");
    let told = harness.post_bare("/userinfo", &format!("access_token={access}")).await;
    assert_eq!(told.json(), json!({ "sub": "alice-id", "name": "Alice Liddell" }));
    assert!(super::support::claims(&tokens.member("id_token")).get("email").is_none());
}

#[tokio::test]
async fn a_scope_is_taken_back_by_itself_and_at_once() {
    let harness = harness("email orders:write").await;
    let mut browser = harness.browser();
    let page = browser.as_alice(&asking(&harness, ALL)).await;
    let tokens = allow(&mut browser, &page, &["scope:email", "scope:orders:write"]).await;
    let waiting = browser.get(&asking(&harness, ALL)).await.at_client();
    let page = browser.get("/account").await;
    assert!(page.text.contains("aria-label=\"Take back: Use orders:write\""), "{}", page.text);
    let form = page.form_of("applications/narrow");
    assert!(!page.text.contains("name=\"scope\" value=\"openid\""), "{}", page.text);
    for not_one in ["openid", "", "orders:read orders:write", "phone"] {
        browser.submit(&form, &[("scope", not_one)]).await.assert_page(400);
    }
    for taken in ["orders:write", "email"] {
        let done = browser.submit(&form, &[("scope", taken)]).await;
        done.assert_page(200);
        assert!(done.text.contains("cannot do that any more"), "{}", done.text);
    }
    let client = &harness.confidential;
    let access = tokens.member("access_token");
    let told = introspected(&harness, &access).await;
    assert_eq!(told["scope"], "offline_access openid orders:read");
    let person = harness.post_bare("/userinfo", &format!("access_token={access}")).await;
    assert_eq!(person.json(), json!({ "sub": "alice-id" }));
    let refresh = tokens.member("refresh_token");
    let wider = refresh_for(&harness, client, &refresh, "orders:write").await;
    wider.assert_refused(400, "invalid_scope");
    let refreshed = harness.refresh(client, &refresh).await;
    assert_eq!(refreshed.member("scope"), "offline_access openid orders:read");
    let late = harness.redeem(client, &waiting["code"]).await;
    assert_eq!(late.member("scope"), "offline_access openid orders:read");
    // It counts as refused, and can be given again: that is a new grant.
    assert_eq!(
        silently(&mut browser, &asking(&harness, ALL)).await.member("scope"),
        "offline_access openid orders:read"
    );
    let again = request(client, &[("scope", ALL), ("prompt", "consent")]);
    let page = browser.get(&again).await;
    let tokens = allow(&mut browser, &page, &["scope:orders:write"]).await;
    assert_eq!(
        introspected(&harness, &tokens.member("access_token")).await["scope"],
        "offline_access openid orders:read orders:write"
    );
    let audit = harness.store.audit(None, 1).await.expect("audit").remove(0).entry;
    assert_eq!((audit.action.as_str(), audit.target.as_str()), ("application.narrow", "conf"));
}

#[tokio::test]
async fn a_device_gets_what_is_ticked() {
    let harness = harness("email orders:write").await;
    let client = &harness.confidential;
    let form = [("scope", "openid email orders:write")];
    let started = harness.post("/device_authorization", client, &form).await;
    let mut browser = harness.browser();
    browser.sign_in("/device", "alice", PASSWORD).await;
    let page = browser.get("/device").await;
    let code = started.member("user_code");
    let page = browser.submit(&page.form(), &[("user_code", &code)]).await;
    assert_eq!((box_of(&page, "email"), box_of(&page, "openid")), (Some(true), None));
    let decided = [("scope:email", "yes"), ("decision", "allow")];
    browser.submit(&page.form(), &decided).await.assert_page(200);
    let code = started.member("device_code");
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let form = [("grant_type", grant), ("device_code", code.as_str())];
    let tokens = harness.post("/token", client, &form).await;
    assert_eq!(tokens.member("scope"), "email openid");
}

#[tokio::test]
async fn a_registration_says_what_is_optional() {
    let harness = Harness::new().await;
    let register = async |optional: Value| {
        let initial = harness.mint("tokenward:register", super::support::ISSUER).token;
        let body = json!({
            "redirect_uris": ["https://app.example/cb"],
            "scope": "openid email orders:read",
            "optional_scopes": optional,
        });
        let request = axum::http::Request::post("/register")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", initial.expose()))
            .body(axum::body::Body::from(body.to_string()));
        harness.send(request.expect("request")).await
    };
    let made = register(json!("email orders:read")).await;
    assert_eq!((made.status, made.member("optional_scopes").as_str()), (201, "email orders:read"));
    for (wrong, words) in [
        (json!("openid email"), "cannot have openid"),
        (json!(["email"]), "must be a text"),
        (json!("a  b"), "separated by single spaces"),
    ] {
        let refused = register(wrong).await;
        refused.assert_refused(400, "invalid_client_metadata");
        assert!(refused.member("error_description").contains(words), "{}", refused.text);
    }
}
