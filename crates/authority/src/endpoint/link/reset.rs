//! The link by which somebody sets a new password who has forgotten theirs.
//!
//! It shows that they read their mail, and no more: whoever has a second factor shows that, too.

use store::{Link, StoreError, User};

use super::{Outcome, fields};
use crate::approve;
use crate::credential::{By, ReplaceRefused};
use crate::endpoint::account::password::new_password;
use crate::endpoint::account::record_for;
use crate::endpoint::visit::Visit;
use crate::login::factor::{FactorAttempt, FactorRefused, Typed, recovery};
use crate::page::done::Done;
use crate::page::fields::{Field, FieldsPage, Kind, Notice};
use crate::parameters::Parameters;

const PASSWORD: &str = "password";
const FACTOR_CODE: &str = "factor_code";

/// The page; `None` when its person is gone or turned away.
pub(super) async fn page(
    visit: &Visit,
    link: &Link,
    notice: &Notice,
) -> Result<Option<FieldsPage>, StoreError> {
    let Some(user) = person(visit, link).await? else { return Ok(None) };
    let words = &visit.words().link;
    let page = fields(visit, &words.reset_title, &words.reset_button, notice)
        .of(&user.username)
        .about(&words.reset_about)
        .field(new_password(visit, PASSWORD));
    let has_factor = visit.authority.store().has_factor(&user.id).await?;
    Ok(Some(match has_factor {
        true => page.field(
            Field::new(FACTOR_CODE, &words.code, Kind::Code).with_hint((&words.code_hint).into()),
        ),
        false => page,
    }))
}

/// Sets the password.
pub(super) async fn set(
    visit: &Visit,
    link: &Link,
    form: &Parameters,
) -> Result<Outcome, StoreError> {
    let (authority, words) = (&visit.authority, visit.words());
    let Some(user) = person(visit, link).await? else { return Ok(Outcome::Over) };
    let Some(password) = form.secret(PASSWORD) else {
        return Ok(Outcome::Again(Notice::wrong(&words.link.reset_incomplete)));
    };
    // Before a code is used up for a password that is not taken.
    if let Err(error) = authority.check_password(&password, &user, visit.caller.ip).await {
        return Ok(Outcome::Again(Notice::of_password(&error, &words)));
    }
    if authority.store().has_factor(&user.id).await?
        && let Some(notice) = unproven(visit, &user, form).await?
    {
        return Ok(Outcome::Again(notice));
    }
    let actor = format!("subject:{}", user.id);
    let (link, language) = (Some(&link.hash), visit.language());
    let by = By { actor: &actor, caller: &visit.caller, link, language };
    match authority.replace_password(&user, password, by).await {
        Ok(()) => {}
        Err(ReplaceRefused::Gone) => return Ok(Outcome::Over),
        Err(ReplaceRefused::Password(error)) => {
            return Ok(Outcome::Again(Notice::of_password(&error, &words)));
        }
        Err(ReplaceRefused::Store(error)) => return Err(error),
    }
    record_for(visit, &user.id, "user.password.reset", user.id.as_str()).await?;
    Ok(Outcome::Known(Done::PasswordChanged, user.username))
}

/// Whose link it is, unless they are gone, turned away, or have another address now.
async fn person(visit: &Visit, link: &Link) -> Result<Option<User>, StoreError> {
    let Some(subject) = &link.subject else { return Ok(None) };
    let user = approve::active_person(visit.authority.store(), subject, visit.now).await?;
    Ok(user.filter(|user| user.email.as_ref() == Some(&link.address)))
}

/// What is wrong with the code beside the link; `None` when it is right.
async fn unproven(
    visit: &Visit,
    user: &User,
    form: &Parameters,
) -> Result<Option<Notice>, StoreError> {
    let words = visit.words();
    let Some(code) = form.secret(FACTOR_CODE) else {
        return Ok(Some(Notice::wrong(&words.link.code_missing)));
    };
    let typed = match recovery::hash(code.expose()) {
        Some(_) => Typed::Recovery(code),
        None => Typed::Code(code),
    };
    let (authority, ip, browser) = (&visit.authority, visit.caller.ip, &visit.browser);
    let attempt = FactorAttempt { user, typed: &typed, ip, browser };
    match authority.desk().prove(authority.store(), attempt, visit.now).await {
        Ok(_) => Ok(None),
        Err(FactorRefused::Store(error)) => Err(error),
        Err(FactorRefused::Throttled(throttled)) => Ok(Some(Notice::throttled(throttled, &words))),
        Err(FactorRefused::Replayed) => Ok(Some(Notice::wrong(&words.link.code_used))),
        Err(FactorRefused::Wrong) => Ok(Some(Notice::wrong(&words.link.code_wrong))),
    }
}
