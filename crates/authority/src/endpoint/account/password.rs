//! `/account/password`: a new password for somebody who knows the old one.

use axum::response::Response;
use axum::routing::get;
use store::StoreError;

use super::{PROOF, answered, entered, proof, record, sent};
use crate::credential::{By, ReplaceRefused};
use crate::endpoint::form::Form;
use crate::endpoint::login::errand::Errand;
use crate::endpoint::visit::Visit;
use crate::endpoint::{document, done};
use crate::login::session::SignedIn;
use crate::login::toll::Toll;
use crate::login::{Attempt, SignInRefused};
use crate::oauth_error::OAuthError;
use crate::page::done::Done;
use crate::page::fields::{Field, FieldsPage, Kind, Notice};
use crate::parameters::Parameters;
use crate::paths::Paths;

const PATH: &str = "/account/password";
const CURRENT: &str = "current_password";
const NEW: &str = "new_password";

/// The page.
pub(super) fn routes() -> Paths {
    Paths::default().route(PATH, get(show).post(change))
}

/// `GET /account/password`
async fn show(visit: Visit) -> Response {
    let shown = async {
        let entered = entered(&visit, &Errand::password()).await?;
        Ok(entered.map_or_else(|first| first, |person| page(&visit, &person, &Notice::none())))
    };
    answered(&visit, shown.await)
}

/// `POST /account/password`
async fn change(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    match sent(&visit, form, &Errand::password()).await {
        Err(answer) => answer,
        Ok((form, person)) => {
            let changed = try_change(&visit, &form, &person).await;
            let answer = changed.map(|refused| match refused {
                Some(notice) => page(&visit, &person, &notice),
                None => visit.without_session_cookie(done::answer(&visit, Done::PasswordChanged)),
            });
            answered(&visit, answer)
        }
    }
}

/// What is wrong with the form; `None` when the password is changed.
async fn try_change(
    visit: &Visit,
    form: &Parameters,
    person: &SignedIn,
) -> Result<Option<Notice>, StoreError> {
    let words = visit.words();
    let (Some(current), Some(new)) = (form.secret(CURRENT), form.secret(NEW)) else {
        return Ok(Some(Notice::wrong(&words.password.incomplete)));
    };
    let (authority, user) = (&visit.authority, person.user());
    let attempt = Attempt {
        username: &user.username,
        account: &user.username,
        password: current,
        ip: visit.caller.ip,
        browser: &visit.browser,
        toll: Toll::of_session(person),
    };
    let (store, passwords) = (authority.store(), authority.passwords());
    match authority.desk().sign_in(store, passwords, attempt, visit.now).await {
        Ok(_) => {}
        Err(SignInRefused::Throttled(throttled)) => {
            return Ok(Some(Notice::throttled(throttled, &words)));
        }
        Err(SignInRefused::Password(error)) => {
            return Ok(Some(Notice::of_password(&error, &words)));
        }
        Err(SignInRefused::Store(error)) => return Err(error),
        Err(_) => return Ok(Some(Notice::wrong(&words.password.current_wrong))),
    }
    let actor = format!("subject:{}", user.id);
    let by = By { actor: &actor, caller: &visit.caller, link: None, language: visit.language() };
    match authority.replace_password(user, new, by).await {
        Ok(()) => {}
        Err(ReplaceRefused::Password(error)) => {
            return Ok(Some(Notice::of_password(&error, &words)));
        }
        Err(ReplaceRefused::Store(error)) => return Err(error),
        Err(ReplaceRefused::Gone) => return Ok(Some(Notice::stale(&words))),
    }
    record(visit, person, "user.password", user.id.as_str()).await?;
    Ok(None)
}

pub(super) fn page(visit: &Visit, person: &SignedIn, notice: &Notice) -> Response {
    let (reader, words) = (visit.reader(), &visit.words().password);
    let page = FieldsPage::new(&reader, &words.title, PATH, &words.button, notice)
        .of(&person.user().username)
        .hidden(PROOF, proof(visit, person))
        .field(Field::new(CURRENT, &words.current, Kind::CurrentPassword))
        .field(new_password(visit, NEW))
        .link(&reader.words.common.back_to_account, reader.settings.path("/account"));
    document::fields(notice, page.finish())
}

/// A field for a new password.
pub(crate) fn new_password(visit: &Visit, name: &'static str) -> Field {
    let least = visit.authority.passwords().min_chars();
    let words = &visit.words().password;
    let hint = words.hint.fill(&[("count", &least)]);
    Field::new(name, &words.new, Kind::NewPassword).with_hint(hint)
}
