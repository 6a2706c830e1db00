//! `/sign-up`: where everybody may ask for an account, when it is open.
//!
//! Whether an address has an account is told to its reader alone, by the letter.

use axum::response::Response;
use axum::routing::get;
use mail::Address;
use store::{LinkPurpose, StoreError};
use token::time::Timestamp;

use crate::endpoint::authorize::refusal::{self, PageRefused};
use crate::endpoint::form::Form;
use crate::endpoint::visit::Visit;
use crate::endpoint::{document, done, login};
use crate::language::{Language, Text};
use crate::letters::Occasion;
use crate::login::csrf::Purpose;
use crate::login::link::Draft;
use crate::oauth_error::OAuthError;
use crate::page::done::Done;
use crate::page::fields::{Field, FieldsPage, Kind, Notice};
use crate::paths::Paths;
use crate::state::Authority;

const PATH: &str = "/sign-up";
const PROOF: &str = "csrf";
const EMAIL: &str = "email";

/// The page.
pub(crate) fn routes() -> Paths {
    Paths::default().route(PATH, get(show).post(ask))
}

/// `GET /sign-up`
async fn show(visit: Visit) -> Response {
    if !is_open(&visit.authority) {
        return done::answer(&visit, Done::NotHere);
    }
    page(&visit, "", &Notice::none())
}

/// `POST /sign-up`
async fn ask(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let form = match form {
        Ok(Form(form)) => form,
        Err(error) => return refusal::answer(&visit, PageRefused::Form(error).into()),
    };
    if login::is_blocked(&visit) {
        return refusal::answer(&visit, PageRefused::Blocked.into());
    }
    let (authority, now) = (&visit.authority, visit.now);
    if !is_open(authority) {
        return done::answer(&visit, Done::NotHere);
    }
    let words = visit.words();
    let typed = form.value(EMAIL).unwrap_or_default().trim().to_owned();
    let (proofs, browser) = (&authority.desk().proofs, visit.browser.name());
    if !proofs.check(Purpose::Letter, browser, PATH, form.value(PROOF).unwrap_or_default()) {
        return page(&visit, &typed, &Notice::stale(&words));
    }
    let sign_up = &authority.settings().sign_up;
    match Address::parse(&typed) {
        Err(_) => {
            return page(&visit, &typed, &Notice::wrong(&words.address.malformed));
        }
        Ok(address) if !sign_up.takes(&address) => {
            let domains = alternatives(&sign_up.email_domains, &words.address.or);
            let notice = Notice::wrong(words.address.must_end.fill(&[("domains", &domains)]));
            return page(&visit, &typed, &notice);
        }
        Ok(_) => {}
    }
    if let Err(throttled) = authority.limits().letter_from(visit.caller.ip, now) {
        return page(&visit, &typed, &Notice::throttled(throttled, &words));
    }
    let (later, language) = (authority.clone(), visit.language());
    authority.later().begin(async move {
        if let Err(error) = send(&later, &typed, language, now).await {
            tracing::error!(%error, "a letter to somebody who wants an account was not sent");
        }
    });
    done::answer(&visit, Done::LetterSent)
}

/// Whether everybody may ask here.
pub(crate) fn is_open(authority: &Authority) -> bool {
    authority.settings().sign_up.is_open() && authority.sends_letters()
}

/// Domains as people read them: `@a or @b`.
fn alternatives(domains: &[String], or: &Text) -> String {
    let ends = domains.iter().map(|domain| format!("@{domain}"));
    let joined = ends.reduce(|one, other| or.fill(&[("one", &one), ("other", &other)]));
    joined.unwrap_or_default()
}

async fn send(
    authority: &Authority,
    address: &str,
    language: Language,
    now: Timestamp,
) -> Result<(), StoreError> {
    if authority.limits().letter_to(address, now).is_err() {
        return Ok(());
    }
    if let Some(user) = authority.store().users_by_email(address, 1).await?.first() {
        let username = &user.username;
        authority.write(user, &Occasion::AccountKnown { username }, language, now);
        return Ok(());
    }
    let draft = Draft {
        purpose: LinkPurpose::SignUp,
        subject: None,
        address,
        username: None,
        name: None,
        created_by: "authority".to_owned(),
    };
    let (_, url) = authority.make_link(draft, now).await?;
    authority.write_to(address, &Occasion::SignUp { url }, language, now);
    Ok(())
}

fn page(visit: &Visit, typed: &str, notice: &Notice) -> Response {
    let (reader, words) = (visit.reader(), &visit.words().sign_up);
    let proof = visit.authority.desk().proofs.make(Purpose::Letter, visit.browser.name(), PATH);
    let email = Field::new(EMAIL, &reader.words.address.label, Kind::Email).holding(typed);
    let page = FieldsPage::new(&reader, &words.title, PATH, &reader.words.address.send, notice)
        .about(&words.about)
        .hidden(PROOF, proof)
        .field(email);
    visit.with_browser_cookie(document::fields(notice, page.finish()))
}
