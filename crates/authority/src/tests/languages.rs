//! In which language people are spoken to, and that pages in each of them are whole and small.

use std::collections::BTreeMap;

use super::browser::{Browser, request};
use super::support::{Answer, Harness, TestClient, settings};
use crate::language::{Catalogue, Language};
use crate::settings::Settings;

/// What a page and all that it loads may weigh.
pub(super) const MOST_BYTES: usize = 50_000;

pub(super) fn reading<'a>(harness: &'a Harness, languages: &str) -> Browser<'a> {
    Browser { languages: languages.to_owned(), ..harness.browser() }
}

#[track_caller]
fn assert_in(page: &Answer, language: Language) {
    let tag = language.tag();
    assert!(page.text.contains(&format!("<html lang=\"{tag}\">")), "{tag}: {}", page.text);
    assert_eq!(page.header("content-language"), tag);
    assert_eq!(page.header("vary"), "accept-language");
}

/// OpenID Connect Core 1.0 §3.1.2.1: the request comes first, then the browser, then what is usual.
#[tokio::test]
async fn the_request_comes_before_the_browser_and_that_before_what_is_usual() {
    let usual = Settings { catalogue: Catalogue::new(Language::Spanish), ..settings() };
    let harness = Harness::with_password_and(usual).await;
    let client = &harness.confidential;
    for (ui_locales, accepted, language) in [
        ("tlh fr-CA de", "de-CH", Language::French),
        ("tlh", "de-CH, en;q=0.5", Language::German),
        ("", "nl, pt-BR;q=0.5", Language::Portuguese),
        ("tlh", "nl", Language::Spanish),
    ] {
        let mut browser = reading(&harness, accepted);
        let path = request(client, &[("ui_locales", ui_locales)]);
        let sign_in = browser.get(&path).await;
        assert_in(&sign_in, language);
        // It stays so through every step: a wrong password, the consent page, one more try there.
        let wrong = [("username", "alice"), ("password", "not this one")];
        let again = browser.submit(&sign_in.form(), &wrong).await;
        assert_in(&again, language);
        let consent = browser.as_alice(&path).await;
        assert_eq!(consent.form().action, "/consent");
        assert_in(&consent, language);
        assert_in(&browser.submit(&consent.form(), &[]).await, language);
    }
}

#[tokio::test]
async fn a_pushed_request_and_a_logout_say_their_language() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let query = request(client, &[("ui_locales", "de")]);
    let fields: Vec<(String, String)> =
        form_urlencoded::parse(query.split_once('?').expect("query").1.as_bytes())
            .into_owned()
            .collect();
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let pushed = harness.post("/par", client, &fields).await;
    let uri = pushed.member("request_uri");
    let by_name = form_urlencoded::Serializer::new("/authorize?".to_owned())
        .append_pair("client_id", client.id.as_str())
        .append_pair("request_uri", &uri)
        .finish();
    let mut browser = reading(&harness, "fr");
    assert_in(&browser.get(&by_name).await, Language::German);
    let _ = browser.as_alice(&by_name).await;
    assert_in(&browser.get("/logout?ui_locales=es").await, Language::Spanish);
    assert_in(&browser.get("/logout").await, Language::French);
}

#[tokio::test]
async fn pages_are_whole_in_every_language_and_small() {
    let mut wide = settings();
    wide.scopes[0].translations =
        BTreeMap::from([(Language::German, "Bestellungen lesen".to_owned())]);
    let harness = Harness::with_password_and(wide).await;
    for language in Language::ALL {
        for page in pages(&harness, language).await {
            assert_in(&page, language);
            let places = page.text.split(['<', '>']).filter(|text| text.contains('{'));
            // Options of a passkey are JSON.
            let places: Vec<&str> = places.filter(|text| !text.contains("data-options")).collect();
            assert!(places.is_empty(), "{places:?}");
            let bytes = page.text.len() + loaded(&harness, &page).await;
            assert!(bytes < MOST_BYTES, "{bytes}: {}", page.text);
            if language != Language::English {
                for english in ["Sign in", "Your ", ">Continue<", "Signed in", ">Cancel<"] {
                    assert!(!page.text.contains(english), "{english}: {}", page.text);
                }
            }
        }
    }
    let german = consent(&harness, Language::German).await;
    assert!(german.text.contains("Bestellungen lesen"), "{}", german.text);
    assert!(german.text.contains("während Sie weg sind, bis Sie ihn"), "{}", german.text);
    let french = consent(&harness, Language::French).await;
    assert!(french.text.contains("Use orders:read"), "{}", french.text);
}

async fn consent(harness: &Harness, language: Language) -> Answer {
    let scope = ("scope", "openid profile orders:read offline_access");
    let path = request(&harness.confidential, &[scope, ("prompt", "consent")]);
    reading(harness, language.tag()).as_alice(&path).await
}

/// Pages that need no more than a click, of somebody who is signed in and of a stranger.
async fn pages(harness: &Harness, language: Language) -> Vec<Answer> {
    let client: &TestClient = &harness.confidential;
    let mut stranger = reading(harness, language.tag());
    let mut pages = Vec::new();
    for path in [&*request(client, &[]), "/forgotten", "/sign-up", "/login", "/authorize", "/link"]
    {
        pages.push(stranger.get(path).await);
    }
    pages.push(consent(harness, language).await);
    let mut person = reading(harness, language.tag());
    let _ = person.as_alice("/account").await;
    for path in [
        "/account",
        "/account/email",
        "/account/factors",
        "/account/password",
        "/account/tokens",
        "/approvals",
        "/device",
        "/logout",
    ] {
        pages.push(person.get(path).await);
    }
    let tokens = pages.iter().find(|page| page.text.contains("/account/tokens/create"));
    let form = tokens.expect("tokens").form_of("days");
    let fill = [("name", "x"), ("days", "30"), ("scope:orders:read", "yes")];
    pages.push(person.submit(&form, &fill).await);
    let factors = pages.iter().find(|page| page.text.contains("/account/factors/add"));
    let form = factors.expect("factors").form_of("/account/factors/add");
    pages.push(person.submit(&form, &[]).await);
    pages
}

/// The bytes of what a page loads; all of it is ours.
pub(super) async fn loaded(harness: &Harness, page: &Answer) -> usize {
    let mut bytes = 0;
    for part in page.text.split(['"']).filter(|part| part.starts_with("/assets/")) {
        let asset = harness.get(part).await;
        assert_eq!(asset.status, 200, "{part}");
        bytes += asset.text.len();
    }
    bytes
}

/// The person's own `locale` comes before the page that a letter comes from.
#[tokio::test]
async fn a_letter_is_in_the_language_of_its_reader() {
    let harness = Harness::with_password().await;
    let mut user = harness.store.user(&"alice-id".into()).await.expect("store").expect("Alice");
    for (locale, number, subject) in
        [(None, 1, "Neues Passwort bei"), (Some("pt_BR"), 2, "Defina uma nova senha em")]
    {
        if let Some(locale) = locale {
            user.claims.insert("locale".to_owned(), locale.into());
            harness.store.update_user(&user).await.expect("store");
        }
        let mut browser = reading(&harness, "de");
        let page = browser.get("/forgotten").await;
        browser.submit(&page.form(), &[("who", "alice")]).await.assert_page(200);
        let letters = harness.letters(number).await;
        let letter = letters.last().expect("letter");
        assert!(letter.subject.starts_with(subject), "{}", letter.subject);
        assert!(!letter.text.contains('{') && !letter.html.contains("{ "), "{}", letter.text);
    }
}
