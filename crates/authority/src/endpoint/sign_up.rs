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
    let typed = form.value(EMAIL).unwrap_or_default().trim().to_owned();
    let (proofs, browser) = (&authority.desk().proofs, visit.browser.name());
    if !proofs.check(Purpose::Letter, browser, PATH, form.value(PROOF).unwrap_or_default()) {
        return page(&visit, &typed, &Notice::stale());
    }
    let sign_up = &authority.settings().sign_up;
    match Address::parse(&typed) {
        Err(_) => {
            let words = "Enter a mail address, like name@example.com.";
            return page(&visit, &typed, &Notice::wrong(words));
        }
        Ok(address) if !sign_up.takes(&address) => {
            let words =
                format!("The address must end with @{}.", sign_up.email_domains.join(" or @"));
            return page(&visit, &typed, &Notice::wrong(words));
        }
        Ok(_) => {}
    }
    if let Err(throttled) = authority.limits().letter_from(visit.caller.ip, now) {
        return page(&visit, &typed, &Notice::throttled(throttled));
    }
    let later = authority.clone();
    authority.later().begin(async move {
        if let Err(error) = send(&later, &typed, now).await {
            tracing::error!(%error, "a letter to somebody who wants an account was not sent");
        }
    });
    done::answer(&visit, Done::LetterSent)
}

/// Whether everybody may ask here.
pub(crate) fn is_open(authority: &Authority) -> bool {
    authority.settings().sign_up.is_open() && authority.sends_letters()
}

async fn send(authority: &Authority, address: &str, now: Timestamp) -> Result<(), StoreError> {
    if authority.limits().letter_to(address, now).is_err() {
        return Ok(());
    }
    if let Some(user) = authority.store().users_by_email(address, 1).await?.first() {
        let username = &user.username;
        authority.write_to(address, &Occasion::AccountKnown { username }, now);
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
    authority.write_to(address, &Occasion::SignUp { url }, now);
    Ok(())
}

fn page(visit: &Visit, typed: &str, notice: &Notice) -> Response {
    let settings = visit.authority.settings();
    let proof = visit.authority.desk().proofs.make(Purpose::Letter, visit.browser.name(), PATH);
    let email = Field::new(EMAIL, "Mail address", Kind::Email).holding(typed);
    let page = FieldsPage::new(settings, "Make an account", PATH, "Send a letter", notice)
        .about("We send a link to your mail address. There you choose your username and password.")
        .hidden(PROOF, proof)
        .field(email);
    visit.with_browser_cookie(document::fields(notice, page.finish()))
}
