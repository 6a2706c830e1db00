//! Scopes as an administrator defines them: whose they are, what they include, which claims they bring.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use store::{Client, User};
use token::ladder::Ladder;

use super::browser::request;
use super::support::{API, Answer, Harness, claims, scopes, settings};
use crate::settings::{ScopeDefinition, Settings};

const FILES: &str = "http://127.0.0.1:9000";
const ALL: &str = "openid profile email address phone offline_access orders:write files hr";

/// Orders are at one resource, files at the other; `hr` is everywhere and brings a claim.
fn defined() -> Settings {
    let steps: [(&str, &[&str]); 4] =
        [("orders:read", &[]), ("orders:write", &["orders:read"]), ("files", &[]), ("hr", &[])];
    let scope = |name: &str, resources: &[&str]| ScopeDefinition {
        resources: resources.iter().map(|one| (*one).to_owned()).collect(),
        ..ScopeDefinition::new(name, format!("Use {name}"))
    };
    let hr = ScopeDefinition { claims: vec!["department".to_owned()], ..scope("hr", &[]) };
    Settings {
        scopes: vec![
            scope("orders:read", &[API]),
            scope("orders:write", &[API]),
            scope("files", &[FILES]),
            hr,
        ],
        ladder: Ladder::new(steps).expect("ladder"),
        ..settings()
    }
}

async fn harness() -> Harness {
    let harness = Harness::with_password_and(defined()).await;
    for id in ["conf", "pub"] {
        allow(&harness, id, ALL).await;
    }
    let user = User {
        claims: [
            ("department".to_owned(), json!("Sales")),
            ("given_name".to_owned(), json!("Alice")),
            ("phone_number".to_owned(), json!("+31 20 1234567")),
            ("address".to_owned(), json!({ "country": "NL" })),
            ("shoe_size".to_owned(), json!(38)),
        ]
        .into_iter()
        .collect(),
        ..harness.store.user(&"alice-id".into()).await.expect("store").expect("user")
    };
    harness.store.update_user(&user).await.expect("user");
    harness
}

async fn allow(harness: &Harness, client: &str, text: &str) {
    let client = harness.store.client(&client.into()).await.expect("store").expect("client");
    let client =
        Client { scopes: scopes(text), default_scopes: scopes(""), ..Client::clone(&client) };
    harness.store.update_client(&client).await.expect("client");
}

async fn machine(harness: &Harness, scope: &str, resources: &[&str]) -> Answer {
    let mut form = vec![("grant_type", "client_credentials"), ("scope", scope)];
    form.extend(resources.iter().map(|resource| ("resource", *resource)));
    harness.post("/token", &harness.confidential, &form).await
}

/// Alice agrees to what `path` asks for; the token response, for these resources.
async fn agreed(harness: &Harness, path: &str, resources: &[&str]) -> Answer {
    let told = harness.browser().agree(path).await.at_client();
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", told["code"].as_str()),
        ("code_verifier", super::support::VERIFIER),
    ];
    form.extend(resources.iter().map(|resource| ("resource", *resource)));
    harness.post("/token", &harness.confidential, &form).await
}

async fn userinfo(harness: &Harness, tokens: &Value) -> Value {
    let token = tokens["access_token"].as_str().expect("token");
    let request = Request::get("/userinfo").header("authorization", format!("Bearer {token}"));
    harness.send(request.body(Body::empty()).expect("request")).await.json()
}

#[tokio::test]
async fn a_token_is_for_whom_its_scopes_belong_to_and_has_theirs_alone() {
    let harness = harness().await;
    for (scope, resources, audience, has) in [
        ("files", &[][..], json!(FILES), "files"),
        ("orders:write files", &[], json!([API, FILES]), "files orders:write"),
        // RFC 8707 §2.2: what does not apply at the resource is left out.
        ("orders:write files", &[API], json!(API), "orders:write"),
        ("orders:write files hr", &[FILES], json!(FILES), "files hr"),
    ] {
        let answer = machine(&harness, scope, resources).await;
        let token = claims(&answer.member("access_token"));
        assert_eq!((&token["aud"], &token["scope"]), (&audience, &json!(has)), "{scope}");
        assert_eq!(answer.member("scope"), has);
    }
    machine(&harness, "files", &[API]).await.assert_refused(400, "invalid_scope");
}

#[tokio::test]
async fn a_grant_keeps_for_each_resource_its_own() {
    let harness = harness().await;
    let path = request(&harness.confidential, &[("scope", "openid orders:write files")]);
    let first = agreed(&harness, &path, &[API]).await;
    assert_eq!(first.member("scope"), "openid orders:write");
    assert!(first.json().get("id_token").is_some());
    let refresh = first.member("refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", &refresh), ("resource", FILES)];
    let second = harness.post("/token", &harness.confidential, &form).await;
    let token = claims(&second.member("access_token"));
    assert_eq!((&token["aud"], &token["scope"]), (&json!(FILES), &json!("files openid")));
    // By name, and nothing is left of it.
    let refresh = second.member("refresh_token");
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh),
        ("resource", FILES),
        ("scope", "orders:write"),
    ];
    let refused = harness.post("/token", &harness.confidential, &form).await;
    refused.assert_refused(400, "invalid_scope");

    // What none of the resources knows is not asked of a person.
    let path = request(
        &harness.confidential,
        &[("scope", "openid orders:write files"), ("resource", API), ("prompt", "consent")],
    );
    let page = harness.browser().as_alice(&path).await;
    assert!(page.text.contains("Use orders:write") && !page.text.contains("Use files"));
    let path = request(&harness.confidential, &[("scope", "files"), ("resource", API)]);
    harness.browser().get(&path).await.assert_refused_to_client("invalid_scope");
}

#[tokio::test]
async fn more_includes_less_for_clients_and_people() {
    let harness = harness().await;
    // The client is registered for `orders:write` alone.
    assert_eq!(machine(&harness, "orders:read", &[]).await.member("scope"), "orders:read");
    assert_eq!(machine(&harness, "orders:write", &[]).await.member("scope"), "orders:write");

    let client = &harness.confidential;
    let both = request(client, &[("scope", "openid orders:read orders:write")]);
    let mut browser = harness.browser();
    let page = browser.as_alice(&both).await;
    assert!(page.text.contains("Use orders:write") && !page.text.contains("Use orders:read"));
    // Who agreed to write has agreed to read: no page, and no more than was asked for.
    let write = request(client, &[("scope", "openid orders:write")]);
    let page = browser.get(&write).await;
    browser.submit(&page.form(), &[("decision", "allow")]).await.at_client();
    let read = [("scope", "openid orders:read"), ("prompt", "none")];
    let told = browser.get(&request(client, &read)).await.at_client();
    let tokens = harness.redeem(client, &told["code"]).await.json();
    assert_eq!(tokens["scope"], "openid orders:read");

    // A refresh goes down the ladder, and up only as far as the grant.
    let code = harness.code(client, "orders:write").await;
    let refresh = harness.redeem(client, code.expose()).await.member("refresh_token");
    let ask = async |refresh: &str, scope: &str| {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("scope", scope)];
        harness.post("/token", client, &form).await
    };
    let less = ask(&refresh, "orders:read").await;
    assert_eq!(claims(&less.member("access_token"))["scope"], "orders:read");
    let whole = ask(&less.member("refresh_token"), "orders:write").await;
    assert_eq!(whole.member("scope"), "orders:write");
}

#[tokio::test]
async fn a_traded_token_goes_down_the_ladder_and_has_what_fits() {
    const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
    const TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";
    let harness = harness().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = Client::clone(&client);
    client.grant_types.push(GRANT.parse().expect("grant type"));
    client.options.exchange_audiences = vec![FILES.to_owned()];
    harness.store.update_client(&client).await.expect("client");
    let tokens = harness.signed_in(&harness.public, "openid orders:write hr").await;
    let subject = tokens["access_token"].as_str().expect("token");
    let trade = async |more: &[(&str, &str)]| {
        let mut form =
            vec![("grant_type", GRANT), ("subject_token", subject), ("subject_token_type", TYPE)];
        form.extend(more);
        harness.post("/token", &harness.confidential, &form).await
    };
    assert_eq!(trade(&[("scope", "orders:read")]).await.member("scope"), "orders:read");
    trade(&[("scope", "files")]).await.assert_refused(400, "invalid_scope");
    // What the next service has no use for stays behind.
    assert_eq!(trade(&[("resource", FILES)]).await.member("scope"), "hr openid");
    let named = [("resource", FILES), ("scope", "orders:read")];
    trade(&named).await.assert_refused(400, "invalid_scope");
    // Without any scope it says who calls, and no more.
    allow(&harness, "conf", "orders:write").await;
    let bare = trade(&[("resource", FILES)]).await;
    let bare = claims(&bare.member("access_token"));
    assert_eq!((&bare["sub"], bare.get("scope")), (&json!("alice-id"), None));
}

#[tokio::test]
async fn who_agreed_to_less_is_asked_about_more() {
    let harness = harness().await;
    let mut browser = harness.browser();
    let client = &harness.confidential;
    browser.agree(&request(client, &[("scope", "orders:read")])).await.at_client();
    let more = request(client, &[("scope", "orders:write"), ("prompt", "none")]);
    browser.get(&more).await.assert_refused_to_client("consent_required");
    allow(&harness, "conf", "orders:read").await;
    let more = request(client, &[("scope", "orders:write")]);
    browser.get(&more).await.assert_refused_to_client("invalid_scope");
}

#[tokio::test]
async fn scopes_bring_their_claims() {
    let harness = harness().await;
    for (scope, told) in [
        ("openid", json!({ "sub": "alice-id" })),
        ("openid hr", json!({ "sub": "alice-id", "department": "Sales" })),
        ("openid phone", json!({ "sub": "alice-id", "phone_number": "+31 20 1234567" })),
        ("openid address", json!({ "sub": "alice-id", "address": { "country": "NL" } })),
        (
            "openid profile",
            json!({ "sub": "alice-id", "name": "Alice Liddell", "given_name": "Alice",
                "preferred_username": "alice" }),
        ),
    ] {
        let tokens = harness.signed_in(&harness.confidential, scope).await;
        assert_eq!(userinfo(&harness, &tokens).await, told, "{scope}");
    }
    let document = harness.get("/.well-known/openid-configuration").await.json();
    let supported = document["claims_supported"].as_array().expect("list");
    for name in ["department", "phone_number", "address", "zoneinfo", "email", "acr"] {
        assert_eq!(supported.iter().filter(|one| **one == name).count(), 1, "{name}");
    }
    assert!(!supported.contains(&json!("shoe_size")));
}

#[tokio::test]
async fn a_claim_by_name_is_agreed_to_as_its_scope_is() {
    let harness = harness().await;
    let wanted = r#"{"id_token":{"department":null,"shoe_size":null,"sub":null},
        "userinfo":{"phone_number":{"essential":true}}}"#;
    let path = request(&harness.confidential, &[("scope", "openid"), ("claims", wanted)]);
    let mut browser = harness.browser();
    let page = browser.as_alice(&path).await;
    assert!(page.text.contains("Use hr") && page.text.contains("See your phone number"));
    let told = browser.submit(&page.form(), &[("decision", "allow")]).await.at_client();
    let tokens = harness.redeem(&harness.confidential, &told["code"]).await.json();
    assert_eq!(tokens["scope"], "openid", "the token has what it was asked for");
    let id_token = claims(tokens["id_token"].as_str().expect("token"));
    assert_eq!((&id_token["department"], &id_token["sub"]), (&"Sales".into(), &"alice-id".into()));
    // What no scope brings, nobody is told.
    assert!(id_token.get("shoe_size").is_none() && id_token.get("phone_number").is_none());
    let info = userinfo(&harness, &tokens).await;
    assert_eq!(info, json!({ "sub": "alice-id", "phone_number": "+31 20 1234567" }));

    // An agreement without it is none with it.
    let other = r#"{"userinfo":{"email":null}}"#;
    let silent = [("scope", "openid"), ("claims", other), ("prompt", "none")];
    let answer = browser.get(&request(&harness.confidential, &silent)).await;
    answer.assert_refused_to_client("consent_required");
    // A client that may not have the scope does not get the claim either.
    allow(&harness, "conf", "openid hr").await;
    let told = browser.get(&request(&harness.confidential, &silent)).await.at_client();
    let tokens = harness.redeem(&harness.confidential, &told["code"]).await.json();
    assert_eq!(userinfo(&harness, &tokens).await, json!({ "sub": "alice-id" }));
}
