//! `/account/email`: another mail address, which counts once its letter was answered.

use axum::response::Response;
use axum::routing::get;
use mail::Address;
use store::{LinkPurpose, StoreError};

use super::{PROOF, answered, entered, proof, record, sent};
use crate::endpoint::form::Form;
use crate::endpoint::login::errand::Errand;
use crate::endpoint::visit::Visit;
use crate::endpoint::{document, done};
use crate::letters::Occasion;
use crate::login::link::Draft;
use crate::login::session::SignedIn;
use crate::oauth_error::OAuthError;
use crate::page::done::Done;
use crate::page::fields::{Field, FieldsPage, Kind, Notice};
use crate::parameters::Parameters;
use crate::paths::Paths;

const PATH: &str = "/account/email";
const EMAIL: &str = "email";

/// The page.
pub(super) fn routes() -> Paths {
    Paths::default().route(PATH, get(show).post(change))
}

/// `GET /account/email`
async fn show(visit: Visit) -> Response {
    let shown = async {
        let entered = entered(&visit, &Errand::email()).await?;
        Ok(entered.map_or_else(|first| first, |person| page(&visit, &person, &Notice::none())))
    };
    answered(&visit, shown.await)
}

/// `POST /account/email`
async fn change(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    match sent(&visit, form, &Errand::email()).await {
        Err(answer) => answer,
        Ok((form, person)) => {
            let sent = send(&visit, &form, &person).await;
            let answer = sent.map(|refused| match refused {
                Some(notice) => page(&visit, &person, &notice),
                None => done::answer(&visit, Done::LetterSent),
            });
            answered(&visit, answer)
        }
    }
}

/// What is wrong with the form; `None` when a letter is on its way.
async fn send(
    visit: &Visit,
    form: &Parameters,
    person: &SignedIn,
) -> Result<Option<Notice>, StoreError> {
    let (authority, user, now) = (&visit.authority, person.user(), visit.now);
    let words = visit.words();
    if !authority.sends_letters() {
        return Ok(Some(Notice::wrong(&words.address.no_letters)));
    }
    let address = form.value(EMAIL).unwrap_or_default().trim();
    if Address::parse(address).is_err() {
        return Ok(Some(Notice::wrong(&words.address.malformed)));
    }
    let limits = authority.limits();
    let from = limits.letter_from(visit.caller.ip, now);
    let charged = from.and_then(|()| limits.letter_to(address, now));
    if let Err(throttled) = charged {
        return Ok(Some(Notice::throttled(throttled, &words)));
    }
    let draft = Draft {
        purpose: LinkPurpose::Address,
        subject: Some(&user.id),
        address,
        username: None,
        name: None,
        created_by: format!("subject:{}", user.id),
    };
    let (link, url) = authority.make_link(draft, now).await?;
    record(visit, person, "user.address.ask", &link.id).await?;
    authority.write_to(address, &Occasion::Confirm { url }, visit.language(), now);
    Ok(None)
}

pub(super) fn page(visit: &Visit, person: &SignedIn, notice: &Notice) -> Response {
    let (reader, user) = (visit.reader(), person.user());
    let words = &reader.words.address;
    let about = match (&user.email, user.email_verified) {
        (None, _) => String::from(&words.none),
        (Some(address), true) => words.current.fill(&[("email", address)]),
        (Some(address), false) => words.current_unconfirmed.fill(&[("email", address)]),
    };
    let email = Field::new(EMAIL, &words.label, Kind::Email)
        .holding(user.email.as_deref().filter(|_| !user.email_verified).unwrap_or_default())
        .with_hint((&words.hint).into());
    let page = FieldsPage::new(&reader, &words.title, PATH, &words.send, notice)
        .of(&user.username)
        .about(about)
        .hidden(PROOF, proof(visit, person))
        .field(email)
        .link(&reader.words.common.back_to_account, reader.settings.path("/account"));
    document::fields(notice, page.finish())
}
