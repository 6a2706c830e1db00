//! What the account says of its sign-ins, and what "this was not me" does.

use super::account::is_out;
use super::browser::{Browser, PASSWORD, request};
use super::second_factor::{code, enrolled};
use super::support::{Answer, Harness, person};

const ACCOUNT: &str = "/account";

/// The part of the page with the sign-ins.
fn part(page: &Answer) -> &str {
    let text = page.text.split("Sign-ins</h2>").nth(1).expect("sign-ins");
    text.split("<h2").next().expect("sign-ins")
}

async fn account(browser: &mut Browser<'_>) -> Answer {
    let page = browser.get(ACCOUNT).await;
    page.assert_page(200);
    page
}

#[tokio::test]
async fn it_says_when_how_from_where_and_for_whom() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    browser.agree(&request(&harness.confidential, &[])).await.at_client();
    let page = account(&mut browser).await;
    for words in ["Password<", "from 203.0.113.5", "for The conf client"] {
        assert!(part(&page).contains(words), "{words}: {}", part(&page));
    }
    assert!(!part(&page).contains("This was not me"), "here");
    // It outlives its session, and says what is proven beside the password.
    let here = page.form_of("Sign out here");
    browser.submit(&here, &[]).await;
    let mut other = harness.browser();
    let (key, _) = enrolled(&mut other).await;
    let mut third = harness.browser();
    let step = third.sign_in(ACCOUNT, "alice", PASSWORD).await;
    let wrong = third.submit(&step.form(), &[("code", "000000")]).await;
    wrong.assert_page(400);
    let answer = third.submit(&step.form(), &[("code", &code(&harness, &key))]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let page = account(&mut third).await;
    assert_eq!(part(&page).matches("Password and code of an app").count(), 2, "{}", part(&page));
    assert!(part(&page).contains("for The conf client"), "{}", part(&page));
    assert!(part(&page).contains("One wrong code, after the first step was right"));
    assert!(page.text.contains("The newest 50 are kept, for 90 days."), "{}", part(&page));
}

#[tokio::test]
async fn failed_tries_are_gathered_and_push_nothing_out() {
    let harness = Harness::with_password().await;
    let mut own = harness.browser();
    own.sign_in(ACCOUNT, "alice", PASSWORD).await;
    for number in 0..6 {
        let mut stranger = harness.browser();
        stranger.ip = format!("198.51.100.{number}");
        stranger.sign_in(ACCOUNT, "alice", "wrong").await.assert_page(400);
        stranger.sign_in(ACCOUNT, "nobody", "wrong").await.assert_page(400);
        harness.clock.pass(60);
    }
    let page = account(&mut own).await;
    assert!(part(&page).contains("6 tries with a wrong password"), "{}", part(&page));
    assert!(part(&page).contains("from 198.51.100.5"), "{}", part(&page));
    assert_eq!(part(&page).matches("<li>").count(), 2, "{}", part(&page));
    harness.clock.pass(24 * 3600);
    own.sign_in(ACCOUNT, "alice", "wrong").await.assert_page(400);
    own.sign_in(ACCOUNT, "alice", PASSWORD).await;
    let page = account(&mut own).await;
    assert!(part(&page).contains("One try with a wrong password"), "{}", part(&page));
    assert_eq!(part(&page).matches("<li>").count(), 4, "{}", part(&page));
}

#[tokio::test]
async fn this_was_not_me_ends_all_of_that_sign_in_and_leads_to_another_password() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let mut thief = harness.browser();
    let path = request(client, &[("scope", "openid offline_access orders:read")]);
    let answer = thief.agree(&path).await.at_client();
    let tokens = harness.redeem(client, &answer["code"]).await;
    harness.clock.pass(1);
    let mut own = harness.browser();
    own.sign_in(ACCOUNT, "alice", PASSWORD).await;
    let page = account(&mut own).await;
    let form = page.form_of("sign-ins/disown");
    // One's own sign-in is signed out of; another's is nobody's business.
    let sessions = harness.store.sessions_of(&"alice-id".into(), harness.now()).await;
    let here = sessions.expect("sessions").remove(0).id.to_string();
    for wrong in [here.as_str(), "made-up", ""] {
        let mut form = form.clone();
        form.fields.retain(|(name, _)| name != "session");
        own.submit(&form, &[("session", wrong)]).await.assert_page(400);
    }
    let answer = own.submit(&form, &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/account/password"));
    assert!(is_out(&mut thief).await && !is_out(&mut own).await);
    let refreshed = harness.refresh(client, &tokens.member("refresh_token")).await;
    refreshed.assert_refused(400, "invalid_grant");
    let token = tokens.member("access_token");
    let told = harness.post("/introspect", client, &[("token", &token)]).await;
    assert_eq!(told.json()["active"], false, "{}", told.text);
    assert_eq!(harness.events.last("revoke")["reason"], "its person says that it was not them");
    let page = account(&mut own).await;
    assert!(page.text.contains("You said that a sign-in was not you"), "{}", page.text);
    // The password page asks whoever signed in long ago to sign in first.
    own.get("/account/password").await.assert_page(200);
}

#[tokio::test]
async fn nobody_disowns_the_sign_in_of_somebody_else() {
    let harness = Harness::with_password().await;
    let mut bob = person("bob");
    let alice = harness.store.user(&"alice-id".into()).await.expect("store").expect("alice");
    bob.password_hash = alice.password_hash;
    harness.store.create_user(&bob).await.expect("user");
    let mut victim = harness.browser();
    victim.sign_in(ACCOUNT, "bob", PASSWORD).await;
    let session = harness.store.sessions_of(&bob.id, harness.now()).await.expect("store").remove(0);
    let mut browser = harness.browser();
    browser.sign_in(ACCOUNT, "alice", PASSWORD).await;
    let mut form = account(&mut browser).await.form_of("sessions/end\"");
    form.action = "/account/sign-ins/disown".to_owned();
    form.fields.retain(|(name, _)| name != "session");
    let refused = browser.submit(&form, &[("session", session.id.as_str())]).await;
    refused.assert_page(400);
    assert!(!is_out(&mut victim).await);
}
