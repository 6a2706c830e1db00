//! `/forgotten`: for somebody who does not know their password any more.
//!
//! The answer is the same, and leaves at the same time, whoever is named: who that is, is looked up after it.

use axum::response::Response;
use axum::routing::get;
use store::{LinkPurpose, StoreError, User};
use token::time::Timestamp;

use crate::approve;
use crate::endpoint;
use crate::endpoint::authorize::refusal::{self, PageRefused};
use crate::endpoint::form::Form;
use crate::endpoint::visit::Visit;
use crate::endpoint::{document, done};
use crate::language::Language;
use crate::letters::Occasion;
use crate::login;
use crate::login::csrf::Purpose;
use crate::login::link::Draft;
use crate::oauth_error::OAuthError;
use crate::page::done::Done;
use crate::page::fields::{Field, FieldsPage, Kind, Notice};
use crate::paths::Paths;
use crate::state::Authority;

const PATH: &str = "/forgotten";
const PROOF: &str = "csrf";
const WHO: &str = "who";
const MAX_WHO_BYTES: usize = 512;
/// Accounts of one address that letters are sent for.
const MOST_ACCOUNTS: usize = 5;

/// The page.
pub(crate) fn routes() -> Paths {
    Paths::default().route(PATH, get(show).post(ask))
}

/// `GET /forgotten`
async fn show(visit: Visit) -> Response {
    if !visit.authority.sends_letters() {
        return done::answer(&visit, Done::NotHere);
    }
    page(&visit, &Notice::none())
}

/// `POST /forgotten`
async fn ask(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let form = match form {
        Ok(Form(form)) => form,
        Err(error) => return refusal::answer(&visit, PageRefused::Form(error).into()),
    };
    if endpoint::login::is_blocked(&visit) {
        return refusal::answer(&visit, PageRefused::Blocked.into());
    }
    let (authority, now) = (&visit.authority, visit.now);
    if !authority.sends_letters() {
        return done::answer(&visit, Done::NotHere);
    }
    let (proofs, browser) = (&authority.desk().proofs, visit.browser.name());
    if !proofs.check(Purpose::Letter, browser, PATH, form.value(PROOF).unwrap_or_default()) {
        return page(&visit, &Notice::stale(&visit.words()));
    }
    let who = form.value(WHO).unwrap_or_default().trim().to_owned();
    if who.is_empty() || who.len() > MAX_WHO_BYTES {
        return page(&visit, &Notice::wrong(&visit.words().forgotten.incomplete));
    }
    if let Err(throttled) = authority.limits().letter_from(visit.caller.ip, now) {
        return page(&visit, &Notice::throttled(throttled, &visit.words()));
    }
    let (later, language) = (authority.clone(), visit.language());
    authority.later().begin(async move {
        if let Err(error) = send(&later, &who, language, now).await {
            tracing::error!(%error, "a letter to somebody who forgot their password was not sent");
        }
    });
    done::answer(&visit, Done::LetterSent)
}

/// Writes to everybody who is meant and has an address.
async fn send(
    authority: &Authority,
    who: &str,
    language: Language,
    now: Timestamp,
) -> Result<(), StoreError> {
    let store = authority.store();
    // Both: a user name in the form of somebody's address must not keep that one from a letter.
    let mut meant = login::people_with(store, who, MOST_ACCOUNTS).await?;
    let named = store.user_by_name(who).await?;
    meant.extend(named.filter(|named| meant.iter().all(|user| user.id != named.id)));
    for user in meant {
        if let Some(user) = approve::active_person(store, &user.id, now).await? {
            send_to(authority, &user, language, now).await?;
        }
    }
    Ok(())
}

async fn send_to(
    authority: &Authority,
    user: &User,
    language: Language,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(address) = user.email.as_deref() else { return Ok(()) };
    if authority.limits().letter_to(address, now).is_err() {
        return Ok(());
    }
    let draft = Draft {
        purpose: LinkPurpose::Reset,
        subject: Some(&user.id),
        address,
        username: None,
        name: None,
        created_by: "authority".to_owned(),
    };
    let (_, url) = authority.make_link(draft, now).await?;
    authority.write(user, &Occasion::Reset { username: &user.username, url }, language, now);
    Ok(())
}

fn page(visit: &Visit, notice: &Notice) -> Response {
    let (reader, words) = (visit.reader(), &visit.words().forgotten);
    let proof = visit.authority.desk().proofs.make(Purpose::Letter, visit.browser.name(), PATH);
    let who = Field::new(WHO, &words.who, Kind::UsernameOrEmail);
    let page = FieldsPage::new(&reader, &words.title, PATH, &reader.words.address.send, notice)
        .about(&words.about)
        .hidden(PROOF, proof)
        .field(who);
    visit.with_browser_cookie(document::fields(notice, page.finish()))
}
