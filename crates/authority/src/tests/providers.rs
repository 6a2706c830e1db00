//! Signing in at identity providers: who gets in, who does not, and what a stranger cannot do.

use std::sync::Arc;

use serde_json::{Value, json};
use store::NewIdentity;
use token::jws;
use token::key::PrivateKey;
use token::term::Algorithm;

use super::browser::request;
use super::support::{Harness, claims, person};
use super::upstream::{Upstream, callback};
use crate::provider::preset::Preset;
use crate::provider::{ClientAuth, Creation, Groups, Linking, Provider};

const EMAIL: &str = "alice@example.com";

async fn openid(change: impl FnOnce(Provider) -> Provider) -> (Harness, Upstream) {
    let upstream = Upstream::start().await;
    let provider = change(upstream.provider("acme", Preset::Openid));
    (Harness::with_providers(vec![provider]).await, upstream)
}

/// Alice's account elsewhere, connected with the one here.
async fn connected() -> (Harness, Upstream) {
    let (harness, upstream) = openid(|provider| provider).await;
    connect(&harness, &upstream, "there-1").await;
    (harness, upstream)
}

async fn connect(harness: &Harness, upstream: &Upstream, subject: &str) {
    let identity = NewIdentity {
        id: format!("id-of-{subject}"),
        provider: "acme".to_owned(),
        issuer: upstream.issuer.clone(),
        provider_subject: subject.to_owned(),
        label: EMAIL.to_owned(),
        tokens: None,
        at: harness.now(),
    };
    assert!(harness.store.add_identity(&"alice-id".into(), &identity, true).await.expect("store"));
}

fn told(subject: &str) -> Value {
    json!({ "sub": subject, "preferred_username": "allie", "name": "Alice L.",
        "email": EMAIL, "email_verified": true })
}

#[tokio::test]
async fn somebody_who_is_connected_signs_in() {
    let (harness, upstream) = connected().await;
    upstream.tell(told("there-1"), json!([]));
    let mut browser = harness.browser();
    let path = request(&harness.confidential, &[("login_hint", EMAIL)]);
    let page = browser.get(&path).await;
    assert!(page.text.contains("Continue with Acme"), "{}", page.text);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' http: https:;"), "{policy}");
    let at = browser.leave(&path, ("provider", "acme")).await;
    let asked: std::collections::BTreeMap<_, _> = at.query_pairs().into_owned().collect();
    assert_eq!((asked["tenant"].as_str(), asked["client_id"].as_str()), ("a", "us"));
    assert_eq!(
        (asked["redirect_uri"].as_str(), asked["response_type"].as_str()),
        (callback().as_str(), "code")
    );
    assert_eq!(
        (asked["scope"].as_str(), asked["login_hint"].as_str()),
        ("openid profile email", EMAIL)
    );
    assert_eq!(asked["code_challenge_method"], "S256");
    for secret in ["state", "nonce", "code_challenge"] {
        assert_eq!(asked[secret].len(), 43, "{secret}");
    }
    assert!(!asked.contains_key("max_age") && !asked.contains_key("prompt"));
    let back = upstream.pass(&at, harness.now().as_secs(), &json!({ "sid": "sid-1" }));
    let answer = browser.get(&format!("/login/provider/acme?{back}")).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(browser.cookies["tokenward-trip"], "");
    let event = harness.events.last("login");
    assert_eq!((&event["factor"], &event["result"]), (&json!("sso"), &json!("ok")));
    assert_eq!((&event["subject"], &event["complete"]), (&json!("alice-id"), &json!(true)));
    // What the application learns is true of the provider's word.
    let page = browser.get(answer.header("location")).await;
    let code =
        browser.submit(&page.form(), &[("decision", "allow")]).await.at_client()["code"].clone();
    let tokens = harness.redeem(&harness.confidential, &code).await.json();
    let id_token = claims(tokens["id_token"].as_str().expect("token"));
    assert_eq!((&id_token["amr"], &id_token["sub"]), (&json!(["fed"]), &json!("alice-id")));
    assert_eq!(id_token["acr"], "urn:tokenward:acr:one-factor");
    let session = harness
        .store
        .sessions_of(&"alice-id".into(), harness.now())
        .await
        .expect("store")
        .remove(0);
    let stands_on = session.upstream.expect("upstream");
    assert_eq!(
        (stands_on.subject.as_str(), stands_on.session.as_deref()),
        ("there-1", Some("sid-1"))
    );
    let identity = harness.store.identities_of(&"alice-id".into()).await.expect("store").remove(0);
    assert_eq!(identity.last_used_at, Some(harness.now()));
}

/// Nobody else's answer is taken: forged, planted in another browser, or shown twice.
#[tokio::test]
async fn a_key_in_place_of_a_secret_signs_who_we_are() {
    let upstream = Upstream::start().await;
    let key = Arc::new(PrivateKey::generate(Algorithm::Es256).expect("key"));
    for for_endpoint in [false, true] {
        let client_auth = ClientAuth::PrivateKey { key: Arc::clone(&key), for_endpoint };
        let provider = Provider { client_auth, ..upstream.provider("acme", Preset::Openid) };
        let harness = Harness::with_providers(vec![provider]).await;
        connect(&harness, &upstream, "there-1").await;
        upstream.tell(told("there-1"), json!([]));
        let claims = json!({ "sub": "there-1" });
        // Somebody else's key, or an assertion for somebody else, is nobody's.
        let other = PrivateKey::generate(Algorithm::Es256).expect("key");
        let (issuer, endpoint) = (upstream.issuer.clone(), format!("{}/token", upstream.issuer));
        let (meant, not) = if for_endpoint { (endpoint, issuer) } else { (issuer, endpoint) };
        for (key, audience) in [(&other, &meant), (&*key, &not)] {
            upstream.expect_key(key, audience.clone());
            let answer = harness.browser().by_provider(&upstream, &claims).await;
            assert!(answer.status >= 400 && !answer.text.is_empty(), "{}", answer.status);
        }
        upstream.expect_key(&key, meant);
        for _ in 0..2 {
            let answer = harness.browser().by_provider(&upstream, &claims).await;
            assert_eq!(answer.status, 303, "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn only_the_browser_that_left_comes_back_and_once() {
    let (harness, upstream) = connected().await;
    upstream.tell(told("there-1"), json!([]));
    let path = request(&harness.confidential, &[]);
    let now = harness.now().as_secs();
    // Sign-in forged into a browser that went nowhere, or elsewhere: it would be the attacker's account.
    let mut attacker = harness.browser();
    let at = attacker.leave(&path, ("provider", "acme")).await;
    let planted = format!("/login/provider/acme?{}", upstream.pass(&at, now, &json!({})));
    let mut victim = harness.browser();
    victim.get(&planted).await.assert_page(400);
    let own = victim.leave(&path, ("provider", "acme")).await;
    victim.get(&planted).await.assert_page(400);
    // With the attacker's cookie of the trip as well, as a sibling host may plant it.
    victim.cookies.insert("tokenward-trip".into(), attacker.cookies["tokenward-trip"].clone());
    let refused = victim.get(&planted).await;
    refused.assert_page(400);
    assert!(refused.text.contains("in another browser"), "{}", refused.text);
    assert!(!victim.cookies.contains_key("tokenward") && upstream.redeemed() == 0);
    // A state that is made up, left out, or belongs to another trip of the same browser.
    let back = upstream.pass(&own, now, &json!({}));
    let code = back.split("&state=").next().expect("code").to_owned();
    for state in ["", "&state=", "&state=x", &format!("&state={}", "a".repeat(43))] {
        let mut browser = harness.browser();
        browser.leave(&path, ("provider", "acme")).await;
        browser.get(&format!("/login/provider/acme?{code}{state}")).await.assert_page(400);
    }
    assert_eq!(upstream.redeemed(), 0);
    // Shown twice, even with every cookie of before.
    let kept = attacker.cookies.clone();
    assert_eq!(attacker.get(&planted).await.status, 303);
    attacker.cookies = kept;
    attacker.get(&planted).await.assert_page(400);
    assert_eq!(upstream.redeemed(), 1);
    // Too late.
    let mut late = harness.browser();
    let at = late.leave(&path, ("provider", "acme")).await;
    harness.clock.pass(15 * 60);
    let back = upstream.pass(&at, harness.now().as_secs(), &json!({}));
    late.get(&format!("/login/provider/acme?{back}")).await.assert_page(400);
}

/// Nobody leaves for a provider by a form that their browser was not given.
#[tokio::test]
async fn a_stranger_sends_nobody_to_a_provider() {
    let (harness, _upstream) = connected().await;
    let path = request(&harness.confidential, &[]);
    let form = harness.browser().get(&path).await.form_of("/login/provider");
    let mut victim = harness.browser();
    victim.get(&path).await;
    let refused = victim.submit(&form, &[("provider", "acme")]).await;
    refused.assert_page(400);
    assert!(!victim.cookies.contains_key("tokenward-trip"));
    let own = victim.get(&path).await.form_of("/login/provider");
    let unknown = victim.submit(&own, &[("provider", "evil")]).await;
    unknown.assert_page(400);
    assert_eq!(victim.get("/login/provider").await.status, 405);
}

/// RFC 9700 §4.4: a code of one provider never reaches another.
#[tokio::test]
async fn providers_are_not_mixed_up() {
    let (honest, evil) = (Upstream::start().await, Upstream::start().await);
    let providers =
        vec![honest.provider("acme", Preset::Openid), evil.provider("evil", Preset::Openid)];
    let harness = Harness::with_providers(providers).await;
    connect(&harness, &honest, "there-1").await;
    let path = request(&harness.confidential, &[]);
    let now = harness.now().as_secs();
    let mut browser = harness.browser();
    // The victim chose the evil one, which sends them on to the honest one with our own client's name.
    let at = browser.leave(&path, ("provider", "evil")).await;
    let back = honest.pass(&at, now, &json!({}));
    let answer = browser.get(&format!("/login/provider/evil?{back}")).await;
    answer.assert_page(502);
    assert!(answer.notice().contains("do not believe"), "{}", answer.notice());
    // To the honest one's own address it does not fit either: the trip was to the other.
    let at = browser.leave(&path, ("provider", "evil")).await;
    let back = honest.pass(&at, now, &json!({}));
    browser.get(&format!("/login/provider/acme?{back}")).await.assert_page(400);
    // Nor without the name of the issuer, which both promise to give.
    let at = browser.leave(&path, ("provider", "evil")).await;
    let back = honest.pass(&at, now, &json!({}));
    let bare = back.split("&iss=").next().expect("query");
    browser.get(&format!("/login/provider/evil?{bare}")).await.assert_page(502);
    assert_eq!((honest.redeemed(), evil.redeemed()), (0, 0));
    assert!(!browser.cookies.contains_key("tokenward"));
}

#[tokio::test]
async fn an_id_token_has_to_be_for_this_sign_in() {
    let (harness, upstream) = connected().await;
    upstream.tell(told("there-1"), json!([]));
    let now = harness.now().as_secs();
    for wrong in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "aud": "somebody else" }),
        json!({ "aud": ["us", "somebody else"] }),
        json!({ "aud": ["us", "else"], "azp": "else" }),
        json!({ "iss": "https://elsewhere.example" }),
        json!({ "exp": now - 60 }),
        json!({ "iat": now + 600 }),
        json!({ "iat": now - 3600 }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "events": {} }),
    ] {
        let mut browser = harness.browser();
        let answer = browser.by_provider(&upstream, &wrong).await;
        assert_eq!(answer.status, 502, "{wrong}: {}", answer.text);
        assert!(!browser.cookies.contains_key("tokenward"), "{wrong}");
        assert_eq!(harness.events.last("login")["result"], "bad_provider_answer");
    }
}

#[tokio::test]
async fn an_id_token_has_to_be_signed_by_the_provider() {
    let (harness, upstream) = connected().await;
    let path = request(&harness.confidential, &[]);
    let other = PrivateKey::generate(Algorithm::Es256).expect("key");
    let none = "eyJhbGciOiJub25lIn0";
    for kind in ["another key", "none", "absent"] {
        let mut browser = harness.browser();
        let at = browser.leave(&path, ("provider", "acme")).await;
        let nonce =
            at.query_pairs().find(|(name, _)| name == "nonce").expect("nonce").1.into_owned();
        let now = harness.now().as_secs();
        let token = json!({ "iss": upstream.issuer, "sub": "there-1", "aud": "us", "iat": now,
            "exp": now + 300, "nonce": nonce });
        let id_token = match kind {
            "another key" => {
                Some(jws::sign(&other, "JWT", token.to_string().as_bytes()).expect("token"))
            }
            "none" => {
                let payload = token::base64url::encode(token.to_string());
                Some(format!("{none}.{payload}."))
            }
            _ => None,
        };
        let back = upstream.give(&at, id_token);
        let answer = browser.get(&format!("/login/provider/acme?{back}")).await;
        assert_eq!(answer.status, 502, "{kind}");
        assert!(!browser.cookies.contains_key("tokenward"), "{kind}");
    }
}

#[tokio::test]
async fn userinfo_is_about_the_same_person() {
    let (harness, upstream) = connected().await;
    upstream.tell(told("there-2"), json!([]));
    let mut browser = harness.browser();
    assert_eq!(browser.by_provider(&upstream, &json!({})).await.status, 502);
    // Nobody asks where the ID token has it all.
    let all = json!({ "email": EMAIL, "preferred_username": "allie" });
    assert_eq!(browser.by_provider(&upstream, &all).await.status, 303);
}

#[tokio::test]
async fn what_a_provider_says_is_told_in_plain_words() {
    let (harness, _upstream) = connected().await;
    let path = request(&harness.confidential, &[]);
    for (code, status, words) in [
        ("access_denied", 400, "You did not sign in at Acme."),
        ("temporarily_unavailable", 503, "cannot be reached just now"),
        ("unauthorized_client", 502, "refuses to sign you in here"),
        ("%3Cb%3Ex", 502, "refuses to sign you in here"),
    ] {
        let mut browser = harness.browser();
        let at = browser.leave(&path, ("provider", "acme")).await;
        let state =
            at.query_pairs().find(|(name, _)| name == "state").expect("state").1.into_owned();
        let iss = harness.authority.settings().providers[0].identifier().to_owned();
        let back = format!("error={code}&error_description=%3Cscript%3E&state={state}&iss={iss}");
        let answer = browser.get(&format!("/login/provider/acme?{back}")).await;
        answer.assert_page(status);
        assert!(answer.notice().contains(words), "{}", answer.notice());
        assert!(!answer.text.contains("<script>alert") && !answer.text.contains("<b>x"));
        // The page goes on: the password still works.
        let form = answer.form();
        assert_eq!(form.action, "/login");
        let password = [("username", "alice"), ("password", super::browser::PASSWORD)];
        assert_eq!(browser.submit(&form, &password).await.status, 303);
    }
}

#[tokio::test]
async fn an_account_is_found_by_an_address_that_both_have_seen_to_be_theirs() {
    let by_address = |provider| Provider { link: Linking::VerifiedEmail, ..provider };
    let (harness, upstream) = openid(by_address).await;
    upstream.tell(told("there-1"), json!([]));
    let mut browser = harness.browser();
    assert_eq!(browser.by_provider(&upstream, &json!({})).await.status, 303);
    let identity = harness.store.identities_of(&"alice-id".into()).await.expect("store").remove(0);
    assert_eq!((identity.provider_subject.as_str(), identity.label.as_str()), ("there-1", EMAIL));
    // Another account there with the same address is not let in by a rule.
    upstream.tell(told("there-2"), json!([]));
    let answer = harness.browser().by_provider(&upstream, &json!({ "sub": "there-2" })).await;
    answer.assert_page(403);
    assert!(
        answer.notice().contains("There is an account with your address"),
        "{}",
        answer.notice()
    );
}

#[tokio::test]
async fn an_address_that_nobody_has_seen_opens_nothing() {
    let by_address =
        |provider| Provider { link: Linking::VerifiedEmail, create: Creation::Always, ..provider };
    let (harness, upstream) = openid(by_address).await;
    // The provider has not seen it: a new account, which has the address but not as proven.
    let unproven = json!({ "sub": "there-1", "email": EMAIL, "email_verified": false });
    upstream.tell(unproven, json!([]));
    let answer = harness.browser().by_provider(&upstream, &json!({})).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let identity =
        harness.store.identity("acme", &upstream.issuer, "there-1").await.expect("store");
    let made = identity.expect("identity").subject;
    assert_ne!(made, "alice-id".into());
    assert!(!harness.store.user(&made).await.expect("store").expect("user").email_verified);
    // We have not seen it: whoever made an account with another's address waits for them in vain.
    let mut squatter = person("mallory");
    (squatter.email, squatter.email_verified) = (Some("victim@example.com".into()), false);
    harness.store.create_user(&squatter).await.expect("user");
    let victim = json!({ "sub": "there-2", "email": "victim@example.com", "email_verified": true });
    upstream.tell(victim, json!([]));
    let answer = harness.browser().by_provider(&upstream, &json!({ "sub": "there-2" })).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert!(harness.store.identities_of(&squatter.id).await.expect("store").is_empty());
    assert!(harness.store.identities_of(&"alice-id".into()).await.expect("store").is_empty());
}

#[tokio::test]
async fn a_provider_speaks_for_its_domains_alone() {
    let limited = |provider| Provider {
        link: Linking::VerifiedEmail,
        create: Creation::Domains,
        domains: vec!["acme.example".to_owned()],
        ..provider
    };
    let (harness, upstream) = openid(limited).await;
    // Alice's address is of another domain: neither her account nor a new one.
    upstream.tell(told("there-1"), json!([]));
    harness.browser().by_provider(&upstream, &json!({})).await.assert_page(403);
    let of = |address: &str, verified: bool| json!({ "sub": "there-2", "email": address, "email_verified": verified });
    let second = json!({ "sub": "there-2" });
    for (address, verified, status) in [
        ("bob@evil.example", true, 403),
        ("bob@acme.example", false, 403),
        ("bob@sub.acme.example", true, 403),
        ("Bob@ACME.example", true, 303),
    ] {
        upstream.tell(of(address, verified), json!([]));
        let answer = harness.browser().by_provider(&upstream, &second).await;
        assert_eq!(answer.status, status, "{address}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_organisation_is_found_by_the_domain_of_an_address() {
    let at_work = |provider| Provider {
        domains: vec!["acme.example".to_owned(), mail::domain("Müller.example")],
        has_button: false,
        ..provider
    };
    let (harness, _upstream) = openid(at_work).await;
    let path = request(&harness.confidential, &[("login_hint", "bob@acme.example")]);
    let mut browser = harness.browser();
    let page = browser.get(&path).await;
    assert!(!page.text.contains("Continue with Acme"));
    assert!(
        page.text.contains(
            "id=\"organisation\" name=\"email\" type=\"email\" value=\"bob@acme.example\""
        )
    );
    let at = browser.leave(&path, ("email", "Bob@Acme.example")).await;
    let hint = at.query_pairs().find(|(name, _)| name == "login_hint").expect("hint").1;
    assert_eq!(hint, "Bob@Acme.example");
    // Browsers send other letters of a domain as ASCII; others do not.
    for name in ["bob@MÜLLER.example", "bob@xn--mller-kva.example", "bob@mu\u{308}ller.EXAMPLE"] {
        browser.leave(&path, ("email", name)).await;
    }
    let form = browser.get(&path).await.form_of("/login/provider");
    for unknown in ["bob@other.example", "bob", ""] {
        let answer = browser.submit(&form, &[("email", unknown)]).await;
        answer.assert_page(400);
        assert!(answer.notice().contains("No organisation is known"), "{}", answer.notice());
    }
}

#[tokio::test]
async fn a_new_person_comes_with_what_the_provider_knows() {
    let upstream = Upstream::start().await;
    let path = |text: &str| text.parse().expect("path");
    let provider = Provider {
        create: Creation::Always,
        claims: vec![("department".to_owned(), path("org.unit"))],
        groups: Some(Groups { source: path("groups"), names: Default::default() }),
        keep_tokens: true,
        ..upstream.provider("acme", Preset::Openid)
    };
    let harness = Harness::with_providers(vec![provider]).await;
    let of = |unit: &str, groups: Value| {
        json!({ "sub": "there-1", "preferred_username": "alice", "name": "Another Alice",
            "email": "other@example.com", "email_verified": true, "org": { "unit": unit },
            "groups": groups })
    };
    upstream.tell(of("Tax", json!(["a", "b"])), json!([]));
    assert_eq!(harness.browser().by_provider(&upstream, &json!({})).await.status, 303);
    let found = harness.store.identity("acme", &upstream.issuer, "there-1").await.expect("store");
    let identity = found.expect("identity");
    let user = harness.store.user(&identity.subject).await.expect("store").expect("user");
    // The name is Alice's already.
    assert_eq!((user.username.as_str(), user.name.as_deref()), ("alice-2", Some("Another Alice")));
    assert!(user.email_verified && user.password_hash.is_none());
    assert_eq!(Value::Object(user.claims), json!({ "department": "Tax", "groups": ["a", "b"] }));
    let tokens = harness.store.identity_tokens(&user.id, &identity.id).await.expect("store");
    let tokens: Value = serde_json::from_slice(&tokens.expect("tokens")).expect("JSON");
    assert_eq!(tokens["refresh_token"], "upstream-refresh");
    // At the next sign-in they are what they are then.
    upstream.tell(of("Law", json!([])), json!([]));
    assert_eq!(harness.browser().by_provider(&upstream, &json!({})).await.status, 303);
    let user = harness.store.user(&user.id).await.expect("store").expect("user");
    assert_eq!(Value::Object(user.claims), json!({ "department": "Law", "groups": [] }));
}

#[tokio::test]
async fn who_is_unknown_or_switched_off_stays_out() {
    let (harness, upstream) = connected().await;
    let stranger = json!({ "sub": "there-9", "email": "n@x.example", "preferred_username": "n" });
    let answer = harness.browser().by_provider(&upstream, &stranger).await;
    answer.assert_page(403);
    assert!(answer.notice().contains("belongs to no account here"), "{}", answer.notice());
    assert_eq!(harness.events.last("login")["result"], "not_connected");
    let mut user = harness.user.clone();
    user.disabled = true;
    harness.store.update_user(&user).await.expect("user");
    upstream.tell(told("there-1"), json!([]));
    let answer = harness.browser().by_provider(&upstream, &json!({})).await;
    answer.assert_page(403);
    assert_eq!(harness.events.last("login")["result"], "disabled");
}

/// GitHub has no ID tokens: whoever the access token opens the page about is it, by a number that stays.
#[tokio::test]
async fn github_says_who_somebody_is_without_id_tokens() {
    let upstream = Upstream::start().await;
    let provider = Provider {
        create: Creation::Always,
        link: Linking::VerifiedEmail,
        ..upstream.provider("acme", Preset::Github)
    };
    let harness = Harness::with_providers(vec![provider]).await;
    let user =
        json!({ "id": 583_231, "login": "octocat", "name": null, "email": "public@example.com" });
    let address = |address: &str, verified: bool| {
        json!([{ "email": "second@example.com", "verified": true, "primary": false },
            { "email": address, "verified": verified, "primary": true, "visibility": null }])
    };
    upstream.tell(user.clone(), address(EMAIL, false));
    let path = request(&harness.confidential, &[]);
    let mut browser = harness.browser();
    let at = browser.leave(&path, ("provider", "acme")).await;
    let asked: Vec<String> = at.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert!(asked.contains(&"code_challenge".to_owned()) && !asked.contains(&"nonce".to_owned()));
    let back = upstream.give(&at, None);
    let bare = back.split("&iss=").next().expect("query");
    let answer = browser.get(&format!("/login/provider/acme?{bare}")).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let identifier = harness.authority.settings().providers[0].identifier().to_owned();
    let identity = harness.store.identity("acme", &identifier, "583231").await.expect("store");
    let made = identity.expect("identity").subject;
    let made = harness.store.user(&made).await.expect("store").expect("user");
    assert_eq!((made.username.as_str(), made.email.as_deref()), ("octocat", Some(EMAIL)));
    assert!(!made.email_verified);
    // A primary address that GitHub has seen finds Alice's account.
    let other = json!({ "id": 7, "login": "alice", "name": null });
    upstream.tell(other, address(EMAIL, true));
    let mut browser = harness.browser();
    let at = browser.leave(&path, ("provider", "acme")).await;
    let back = upstream.give(&at, None);
    assert_eq!(browser.get(&format!("/login/provider/acme?{back}")).await.status, 303);
    let identity = harness.store.identity("acme", &identifier, "7").await.expect("store");
    assert_eq!(identity.expect("identity").subject, "alice-id".into());
}
