//! The account: sessions are ended, applications lose their access, personal tokens are made. Forms alone.

use std::time::Duration;

use token::personal::{PersonalTokens as _, Use};

use super::browser::{Browser, PASSWORD, request};
use super::support::{Answer, Harness, person, scopes};

const ACCOUNT: &str = "/account";
const TOKENS: &str = "/account/tokens";
const SESSION: &str = "tokenward";

async fn at<'a>(harness: &'a Harness, path: &str) -> (Browser<'a>, Answer) {
    let mut browser = harness.browser();
    let answer = browser.sign_in(path, "alice", PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (303, path), "{}", answer.text);
    let page = browser.get(path).await;
    page.assert_page(200);
    (browser, page)
}

/// Whether the browser has to sign in.
pub(super) async fn is_out(browser: &mut Browser<'_>) -> bool {
    browser.get(ACCOUNT).await.form().action == "/login"
}

/// The token that a page shows once.
fn shown(page: &Answer) -> String {
    let text = page.text.split("<p class=\"key\"><code>").nth(1).expect("token");
    text.split('<').next().expect("token").to_owned()
}

#[tokio::test]
async fn sessions_are_seen_and_ended_one_by_one_or_all() {
    let harness = Harness::with_password().await;
    let (mut lost, _) = at(&harness, ACCOUNT).await;
    let (mut third, _) = at(&harness, ACCOUNT).await;
    let (mut here, page) = at(&harness, ACCOUNT).await;
    assert_eq!(page.text.matches("203.0.113.5. Since").count(), 3, "{}", page.text);
    assert_eq!(page.text.matches("(here)").count(), 1);
    // The newest is first, the oldest last; a form of another session is worth nothing.
    let sessions = harness.store.sessions_of(&"alice-id".into(), harness.now()).await;
    let oldest = lost.cookies[SESSION].clone();
    let sessions = sessions.expect("store");
    let id = sessions.iter().find(|one| one.cookie == token::opaque::OpaqueHash::of(&oldest));
    let mark = format!("value=\"{}\"", id.expect("session").id);
    let form = page.form_of(&mark);
    third.submit(&form, &[]).await.assert_page(400);
    assert!(!is_out(&mut lost).await);
    here.submit(&form, &[]).await.assert_page(200);
    assert!(is_out(&mut lost).await && !is_out(&mut third).await && !is_out(&mut here).await);
    here.submit(&page.form_of("end-others"), &[]).await.assert_page(200);
    assert!(is_out(&mut third).await && !is_out(&mut here).await);
    let audit = harness.store.audit(None, 1).await.expect("audit").remove(0).entry;
    assert_eq!(
        (audit.action.as_str(), audit.actor.as_str()),
        ("session.end_others", "subject:alice-id")
    );
    assert!(here.get(ACCOUNT).await.text.contains("You signed out elsewhere"));
    let own = here.get(ACCOUNT).await.form_of("Sign out here");
    assert!(here.submit(&own, &[]).await.text.contains("You are signed out"));
    assert!(is_out(&mut here).await);
}

#[tokio::test]
async fn somebody_elses_session_cannot_be_ended() {
    let harness = Harness::with_password().await;
    let mut bob = person("bob");
    let alice = harness.store.user(&"alice-id".into()).await.expect("store").expect("alice");
    bob.password_hash = alice.password_hash;
    harness.store.create_user(&bob).await.expect("user");
    let mut victim = harness.browser();
    victim.sign_in(ACCOUNT, "bob", PASSWORD).await;
    let sessions = harness.store.sessions_of(&bob.id, harness.now()).await.expect("store");
    let (mut browser, page) = at(&harness, ACCOUNT).await;
    let mut form = page.form_of("sessions/end\"");
    form.fields.retain(|(name, _)| name != "session");
    browser.submit(&form, &[("session", sessions[0].id.as_str())]).await.assert_page(400);
    assert!(!is_out(&mut victim).await);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_token() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let (mut elsewhere, page) = at(&harness, TOKENS).await;
    let made = elsewhere
        .submit(
            &page.form_of("/create"),
            &[("name", "x"), ("days", "7"), ("scope:orders:read", "yes")],
        )
        .await;
    let personal = shown(&made);
    let path =
        request(client, &[("scope", "openid orders:read offline_access"), ("prompt", "consent")]);
    let page = elsewhere.get(&path).await;
    let code = elsewhere.submit(&page.form(), &[("decision", "allow")]).await.at_client();
    let tokens = harness.redeem(client, &code["code"]).await;
    harness.clock.pass(1);
    let (mut here, page) = at(&harness, ACCOUNT).await;
    let out = here.submit(&page.form_of("everywhere"), &[]).await;
    assert!(out.text.contains("You are signed out"), "{}", out.text);
    assert!(is_out(&mut here).await && is_out(&mut elsewhere).await);
    let refreshed = harness.refresh(client, &tokens.member("refresh_token")).await;
    refreshed.assert_refused(400, "invalid_grant");
    for token in [tokens.member("access_token"), personal] {
        let answer = harness.post("/introspect", client, &[("token", &token)]).await;
        assert_eq!(answer.json()["active"], false, "{}", answer.text);
    }
    assert_eq!(harness.events.last("revoke")["reason"], "signed out everywhere by its person");
}

#[tokio::test]
async fn an_application_loses_its_access_and_has_to_ask_again() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let path =
        request(client, &[("scope", "openid orders:read offline_access"), ("prompt", "consent")]);
    let mut browser = harness.browser();
    let code = browser.agree(&path).await.at_client();
    let tokens = harness.redeem(client, &code["code"]).await;
    let waiting = browser.get(&request(client, &[])).await.at_client();
    let page = browser.get(ACCOUNT).await;
    assert!(page.text.contains("Use orders:read"), "{}", page.text);
    let form = page.form_of("withdraw");
    let done = browser.submit(&form, &[]).await;
    done.assert_page(200);
    assert!(done.text.contains("No application has access"), "{}", done.text);
    let refreshed = harness.refresh(client, &tokens.member("refresh_token")).await;
    refreshed.assert_refused(400, "invalid_grant");
    let token = tokens.member("access_token");
    let answer = harness.post("/introspect", client, &[("token", &token)]).await;
    assert_eq!(answer.json()["active"], false, "{}", answer.text);
    harness.redeem(client, &waiting["code"]).await.assert_refused(400, "invalid_grant");
    assert_eq!(browser.get(&request(client, &[])).await.form().action, "/consent");
    browser.submit(&form, &[]).await.assert_page(400);
}

#[tokio::test]
async fn a_personal_token_is_made_shown_once_rotated_and_revoked() {
    let harness = Harness::with_password().await;
    let (mut browser, page) = at(&harness, TOKENS).await;
    let create = page.form_of("/create");
    let fill = [("name", "My <script>"), ("days", "30"), ("scope:orders:read", "yes")];
    let made = browser.submit(&create, &fill).await;
    made.assert_page(200);
    let token = shown(&made);
    let page = browser.get(TOKENS).await;
    assert!(!page.text.contains(&token) && page.text.contains("My &#60;script&#62;"));
    let active = async |token: &str| {
        let client = &harness.confidential;
        harness.post("/introspect", client, &[("token", token)]).await.json()
    };
    assert_eq!(active(&token).await["scope"], "orders:read");
    let held = harness.store.personal_tokens(None, None, 10).await.expect("store");
    assert_eq!(held[0].created_by, "subject:alice-id");
    // The list is in the order of their ids, which is that of their times.
    harness.clock.pass(1);
    let successor = browser.submit(&page.form_of("/rotate"), &[]).await;
    successor.assert_page(200);
    let successor = shown(&successor);
    assert_eq!(active(&successor).await["active"], true);
    let page = browser.get(TOKENS).await;
    let unused = browser.submit(&page.form_of("/revoke"), &[]).await;
    unused.assert_page(200);
    assert_eq!(active(&token).await["active"], false);
    assert_eq!(active(&successor).await["active"], true);
    let audit = harness.store.audit(None, 1).await.expect("audit").remove(0).entry;
    assert_eq!(audit.action, "personal_token.revoke");
}

#[tokio::test]
async fn a_personal_token_is_limited_where_it_is_made_and_says_how_it_was_used() {
    let harness = Harness::with_password().await;
    let (mut browser, page) = at(&harness, TOKENS).await;
    let create = page.form_of("/create");
    let fill = |networks| {
        [
            ("name", "deploy"),
            ("days", "90"),
            ("scope:orders:read", "yes"),
            ("resource:http://127.0.0.1:9000", "yes"),
            ("idle", "7"),
            ("networks", networks),
        ]
    };
    let many = "192.0.2.1 ".repeat(33);
    // What was typed stays there when one thing is wrong.
    for wrong in ["office", "192.0.2.0/33", &many] {
        let refused = browser.submit(&create, &fill(wrong)).await;
        refused.assert_page(400);
        assert!(refused.notice().contains("192.0.2.0/24"), "{}", refused.notice());
        let text = &refused.text;
        assert!(
            text.contains("value=\"deploy\"") && text.contains("<details class=\"more\" open>")
        );
        assert!(text.contains(&format!("value=\"{}\"", wrong.trim())), "{text}");
        for chosen in [
            "name=\"scope:orders:read\" value=\"yes\" checked",
            "name=\"resource:http://127.0.0.1:9000\" value=\"yes\" checked",
            "<option value=\"90\" selected>90 days",
            "<option value=\"7\" selected>7 days",
        ] {
            assert!(text.contains(chosen), "{chosen}: {text}");
        }
    }
    let made =
        browser.submit(&create, &fill(" 192.0.2.0/24,\n::ffff:198.51.100.7 2001:db8::/32")).await;
    made.assert_page(200);
    let held = harness.store.personal_tokens(None, None, 10).await.expect("store").remove(0);
    let networks: Vec<String> = held.terms.networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32"]);
    assert_eq!(held.terms.idle, Some(Duration::from_secs(7 * 24 * 3600)));
    assert_eq!(held.terms.audiences, ["http://127.0.0.1:9000"]);
    let page = browser.get(TOKENS).await.text;
    assert!(page.contains("Only from 192.0.2.0/24, 198.51.100.7/32, 2001:db8::/32"), "{page}");
    assert!(page.contains("Ends earlier when it is not used for 7 days"), "{page}");

    harness.store.keep_use(Use {
        token: held.terms.token.clone(),
        at: harness.now(),
        ip: Some("192.0.2.9".parse().expect("address")),
        route: Some("list orders".to_owned()),
        scopes: scopes("orders:read"),
    });
    // What is written in the background is there before any act that comes later.
    let alice = harness.store.user(&"alice-id".into()).await.expect("store").expect("alice");
    assert!(harness.store.update_user(&alice).await.expect("user"));
    let page = browser.get(TOKENS).await.text;
    assert!(page.contains("from 192.0.2.9 on the route list orders"), "{page}");
}

#[tokio::test]
async fn the_rules_of_personal_tokens_hold_here_too() {
    let harness = Harness::with_password().await;
    let (mut browser, page) = at(&harness, TOKENS).await;
    let create = page.form_of("/create");
    for (fill, words) in [
        (vec![("name", "x"), ("days", "30")], "At least one thing"),
        (
            vec![("name", "x"), ("days", "30"), ("scope:tokenward:admin", "yes")],
            "At least one thing",
        ),
        (vec![("name", "x"), ("days", "366"), ("scope:orders:read", "yes")], "at most 365 days"),
        (vec![("name", "x"), ("days", "-1"), ("scope:orders:read", "yes")], "at least a minute"),
        (vec![("days", "30"), ("scope:orders:read", "yes")], "The name must be"),
    ] {
        let refused = browser.submit(&create, &fill).await;
        refused.assert_page(400);
        assert!(refused.notice().contains(words), "{}", refused.notice());
    }
    assert!(harness.store.personal_tokens(None, None, 10).await.expect("store").is_empty());
    // Nor is there a way to the token of somebody else.
    let fill = [("name", "mine"), ("days", "30"), ("scope:orders:read", "yes")];
    browser.submit(&create, &fill).await.assert_page(200);
    let held = harness.store.personal_tokens(None, None, 10).await.expect("store").remove(0);
    let mut bob = person("bob");
    let alice = harness.store.user(&"alice-id".into()).await.expect("store").expect("alice");
    bob.password_hash = alice.password_hash;
    harness.store.create_user(&bob).await.expect("user");
    let mut other = harness.browser();
    other.sign_in(TOKENS, "bob", PASSWORD).await;
    let mut form = other.get(TOKENS).await.form_of("/create");
    for action in ["narrow", "revoke", "rotate"] {
        form.action = format!("/account/tokens/{action}");
        let refused = other.submit(&form, &[("token", held.terms.token.as_str())]).await;
        refused.assert_page(400);
        assert!(refused.notice().contains("no such token"), "{action}: {}", refused.notice());
    }
    // Whoever signed in long ago signs in again first.
    harness.clock.pass(601);
    assert_eq!(browser.get(TOKENS).await.form().action, "/login");
    assert_eq!(browser.submit(&create, &fill).await.form().action, "/login");
    browser.get(ACCOUNT).await.assert_page(200);
}
