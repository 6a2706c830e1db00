//! What pages say, and that nothing from outside becomes markup.

use http::StatusCode;
use store::Client;
use token::ladder::Ladder;
use token::scope::ScopeSet;
use token::term::ClientAuthMethod;
use token::time::Timestamp;

use super::consent::{Asked, ConsentPage};
use super::enrolment::EnrolmentPage;
use super::initial;
use super::login::{LoginPage, Notice};
use super::problem::{Problem, ProblemPage};
use super::second::{self, CodePage};
use crate::language::{Language, Reader};
use crate::rule::optional_scopes::Split;
use crate::settings::{ScopeDefinition, Settings};
use crate::tests::support::{person, settings};

const EVIL: &str = "<script>alert(1)</script>\" onfocus=\"x' & y";

fn english(settings: &Settings) -> Reader<'_> {
    Reader::new(settings, Language::English)
}

fn client(name: &str) -> Client {
    Client {
        id: "c".into(),
        name: name.to_owned(),
        secret_hash: None,
        auth_method: ClientAuthMethod::None,
        grant_types: Vec::new(),
        redirect_uris: Vec::new(),
        scopes: ScopeSet::default(),
        default_scopes: ScopeSet::default(),
        created_by: "authority".to_owned(),
        created_at: Timestamp::from_secs(0),
        disabled: false,
        options: Default::default(),
        registration_token: None,
        metadata: "{}".to_owned(),
    }
}

/// Scopes of which none can be left out.
fn fixed(scopes: &ScopeSet) -> Split {
    Split::of(&ScopeSet::default(), scopes, &Ladder::default())
}

fn consent(client: &Client, return_to: &str) -> String {
    let mut person = person(EVIL);
    person.name = Some(EVIL.to_owned());
    let scopes = ScopeSet::parse("offline_access orders:read email openid x:<b>").expect("scopes");
    let audiences = [EVIL.to_owned()];
    let asked = Asked {
        client,
        person: &person,
        scopes: &fixed(&scopes),
        refused: &ScopeSet::default(),
        details: &[],
        audiences: &audiences,
        return_to,
        now: Timestamp::from_secs(3 * 24 * 3600),
    };
    let page = ConsentPage::new(&english(&settings()), &asked, None);
    page.continuing(EVIL, EVIL.to_owned(), EVIL.to_owned()).finish().expect("page").html
}

fn login(notice: &Notice) -> String {
    let page = LoginPage::new(&english(&settings()), Some(&client(EVIL)), notice);
    let page = page.asking(None, Some(EVIL)).continuing(EVIL, EVIL.to_owned());
    page.finish(Some("https://app.example/cb")).expect("page").html
}

/// OpenID Connect Dynamic Client Registration 1.0 §2: people are shown what the client says of itself.
#[test]
fn a_client_links_to_its_terms_and_only_by_tls() {
    let mut client = client("Shop");
    client.metadata = serde_json::json!({
        "policy_uri": "https://shop.example/privacy?a=\"><b>",
        "tos_uri": "http://shop.example/terms",
        "client_uri": "javascript:alert(1)",
        "logo_uri": "https://shop.example/logo.png",
    })
    .to_string();
    let sign_in = LoginPage::new(&english(&settings()), Some(&client), &Notice::None).finish(None);
    for page in [consent(&client, "https://app.example/cb"), sign_in.expect("page").html] {
        assert!(
            page.contains("href=\"https://shop.example/privacy?a=&#34;&#62;&#60;b&#62;\""),
            "{page}"
        );
        assert!(
            page.contains("rel=\"noopener noreferrer nofollow\"")
                && page.contains("Privacy policy")
        );
        assert!(
            !page.contains("/terms") && !page.contains("javascript:") && !page.contains("logo.png")
        );
    }
}

#[test]
fn nothing_from_outside_becomes_markup() {
    let problem =
        ProblemPage::new(&english(&settings()), Problem::Ours, &EVIL, StatusCode::BAD_REQUEST);
    let wrong = Notice::Wrong { username: EVIL.to_owned() };
    for page in [
        consent(&client(EVIL), EVIL),
        login(&Notice::None),
        login(&wrong),
        problem.finish().expect("page").html,
    ] {
        assert!(!page.contains("<script") && !page.contains("\" onfocus"), "{page}");
        assert!(page.contains("&#60;script&#62;"), "{page}");
        // No script, no style and no picture but our own, so nothing needs an exception.
        for forbidden in [" style=", "<style", "javascript:", " onclick", "<img", "http://evil"] {
            assert!(!page.contains(forbidden), "{forbidden}: {page}");
        }
    }
}

#[test]
fn permissions_come_in_an_order_that_makes_sense() {
    let page = consent(&client("App"), "https://app.example/cb");
    let place = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}: {page}"));
    let order =
        ["Know who you are", "See your e-mail address", "Use orders:read", "Keep access while"];
    assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{page}");
}

#[test]
fn a_new_client_and_far_reaching_scopes_are_told_openly() {
    let mut known = client("App");
    let mut settings = settings();
    settings.scopes.push(ScopeDefinition::new("invoices", "See invoices"));
    let page = |client: &Client, scopes: &str| {
        let asked = Asked {
            client,
            person: &person("alice"),
            scopes: &fixed(&ScopeSet::parse(scopes).expect("scopes")),
            refused: &ScopeSet::default(),
            details: &[],
            audiences: &[],
            return_to: "https://app.example/cb",
            now: Timestamp::from_secs(3 * 24 * 3600),
        };
        ConsentPage::new(&english(&settings), &asked, None).finish().expect("page").html
    };
    let (new, broad, offline) =
        ("registered 3 days ago", "everything that applications", "while you are away, until");
    for words in [new, broad, offline] {
        assert!(!page(&known, "openid orders:read invoices").contains(words), "{words}");
    }
    assert!(page(&known, "openid offline_access").contains(offline));
    assert!(page(&known, "orders:read orders:write invoices").contains(broad));
    known.created_by = "registration:anybody".to_owned();
    assert!(page(&known, "openid").contains(new));
}

#[test]
fn the_page_says_where_the_answer_goes() {
    for (return_to, words) in [
        ("https://app.example/cb", "<b>app.example</b>"),
        ("http://127.0.0.1:5/cb", "<b>an app on this device</b>"),
        ("com.example.app:/cb", "<b>the app com.example.app</b>"),
    ] {
        let page = consent(&client("App"), return_to);
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[test]
fn the_name_that_was_typed_comes_before_any_guess() {
    let field = |notice: &Notice, current, hint| {
        let page = LoginPage::new(&english(&settings()), Some(&client("App")), notice)
            .asking(current, hint);
        let html = page.finish(Some("https://app.example/cb")).expect("page").html;
        let tag = html.split("id=\"username\"").nth(1).expect("field").to_owned();
        tag.split("value=\"").nth(1).expect("value").split('"').next().expect("end").to_owned()
    };
    let typed = Notice::Wrong { username: "typed".to_owned() };
    assert_eq!(field(&typed, Some("current"), Some("hint")), "typed");
    assert_eq!(field(&Notice::None, Some("current"), Some("hint")), "hint");
    assert_eq!(field(&Notice::None, Some("current"), None), "current");
    assert_eq!(field(&Notice::None, None, None), "");
}

#[test]
fn a_wait_is_told_in_words() {
    let told = |wait| login(&Notice::Throttled { username: String::new(), wait });
    for (wait, words) in [
        (1, "Wait 1 second,"),
        (30, "Wait 30 seconds,"),
        (91, "Wait 2 minutes,"),
        (600, "10 minutes"),
    ] {
        assert!(told(wait).contains(words), "{words}");
    }
}

#[test]
fn every_problem_has_words_for_both_readers() {
    for problem in [
        Problem::Blocked,
        Problem::ClientDisabled,
        Problem::ClientUnknown,
        Problem::Malformed,
        Problem::Ours,
        Problem::OutOfTurn,
        Problem::ReturnAddress,
    ] {
        let page =
            ProblemPage::new(&english(&settings()), problem, &"the exact reason", StatusCode::OK);
        let html = page.finish().expect("page").html;
        assert!(html.contains("the exact reason"));
        assert!(html.contains("For the developers of the application"));
        assert!(!html.contains("<form") && !html.contains("<p class=\"words\"></p>"));
    }
}

#[test]
fn a_name_has_its_letter() {
    for (name, letter) in [("orders", "O"), ("  élan", "É"), ("7up", "7"), ("", "?"), ("…", "?")]
    {
        assert_eq!(initial(name), letter);
    }
}

#[test]
fn pages_about_codes_show_a_name_as_text() {
    let (settings, person) = (settings(), person(EVIL));
    let reader = english(&settings);
    let hidden = || vec![("request", EVIL.to_owned())];
    let code = CodePage::new(&reader, Some(&client(EVIL)), &person, second::Notice::Wrong);
    let enrolment = EnrolmentPage::new(&reader, &person, b"12345", second::Notice::NotYet);
    for page in [
        code.continuing(hidden()).finish(Some("https://app.example/cb")),
        enrolment.at_sign_in(hidden(), &reader).finish(None),
    ] {
        let page = page.expect("page").html;
        assert!(!page.contains("<script") && !page.contains("\" onfocus"), "{page}");
    }
}
