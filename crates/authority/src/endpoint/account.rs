//! The pages where people see and change what is theirs.

mod email;
pub(crate) mod factors;
pub(crate) mod identities;
mod overview;
mod passkeys;
pub(crate) mod password;
mod sign_ins;
mod tokens;

use axum::response::Response;
use store::{AuditEntry, StoreError};
use token::id::SubjectId;

use crate::endpoint::authorize::refusal::{self, PageRefused};
use crate::endpoint::form::Form;
use crate::endpoint::login;
use crate::endpoint::login::errand::Errand;
use crate::endpoint::login::second;
use crate::endpoint::visit::Visit;
use crate::login::csrf::Purpose;
use crate::login::session::SignedIn;
use crate::oauth_error::OAuthError;
use crate::page;
use crate::page::fields::Notice;
use crate::parameters::Parameters;
use crate::paths::Paths;

const PROOF: &str = "csrf";

/// The pages.
pub(crate) fn routes() -> Paths {
    email::routes()
        .merge(factors::routes())
        .merge(identities::routes())
        .merge(overview::routes())
        .merge(password::routes())
        .merge(sign_ins::routes())
        .merge(tokens::routes())
}

/// Who may be at a page: somebody who signed in with all that they have, and just now where what protects the
/// account is changed. Or the page that they need first.
async fn entered(visit: &Visit, errand: &Errand) -> Result<Result<SignedIn, Response>, StoreError> {
    let is_in_time = |person: &SignedIn| !errand.is_sensitive() || person.is_recent(visit.now);
    let Some(person) = visit.signed_in().await?.filter(is_in_time) else {
        return Ok(Err(login::before(visit, errand)));
    };
    let first = second::before(visit, errand, &person, errand.demanded()).await?;
    Ok(first.map_or(Ok(person), Err))
}

/// A form of a page, and who sent it.
async fn sent(
    visit: &Visit,
    form: Result<Form, OAuthError>,
    errand: &Errand,
) -> Result<(Parameters, SignedIn), Response> {
    let refused = |refused: PageRefused| refusal::answer(visit, refused.into());
    let Form(form) = form.map_err(|error| refused(PageRefused::Form(error)))?;
    let person = entered(visit, errand).await.map_err(|error| refused(error.into()))??;
    let given = form.value(PROOF).unwrap_or_default();
    let session = person.session().id.as_str();
    match visit.authority.desk().proofs.check(Purpose::Account, session, "", given) {
        true => Ok((form, person)),
        false => Err(stale(visit, errand, &person).await),
    }
}

/// The page of an errand once more, since what was sent is not of this session.
async fn stale(visit: &Visit, errand: &Errand, person: &SignedIn) -> Response {
    let page = if *errand == Errand::email() {
        Ok(email::page(visit, person, &Notice::stale(&visit.words())))
    } else if *errand == Errand::password() {
        Ok(password::page(visit, person, &Notice::stale(&visit.words())))
    } else if *errand == Errand::factors() {
        factors::page(visit, person, page::factors::Notice::Stale).await
    } else if *errand == Errand::identities() {
        identities::page(visit, person, page::providers::Notice::Stale).await
    } else if *errand == Errand::tokens() {
        tokens::page(visit, person, page::tokens::Notice::Stale).await
    } else {
        overview::page(visit, person, page::account::Notice::Stale).await
    };
    answered(visit, page)
}

/// Who a change of theirs is written down for.
fn actor(person: &SignedIn) -> String {
    format!("subject:{}", person.user().id)
}

fn answered(visit: &Visit, answer: Result<Response, StoreError>) -> Response {
    answer.unwrap_or_else(|error| refusal::answer(visit, PageRefused::Store(error).into()))
}

/// What the forms of this session bring back.
fn proof(visit: &Visit, person: &SignedIn) -> String {
    let session = person.session().id.as_str();
    visit.authority.desk().proofs.make(Purpose::Account, session, "")
}

/// A change is answered only after it is in the audit log.
async fn record(
    visit: &Visit,
    person: &SignedIn,
    action: &str,
    target: &str,
) -> Result<(), StoreError> {
    record_for(visit, &person.user().id, action, target).await
}

/// The same for somebody who is signing in.
pub(crate) async fn record_for(
    visit: &Visit,
    subject: &SubjectId,
    action: &str,
    target: &str,
) -> Result<(), StoreError> {
    let entry = AuditEntry {
        at: visit.now,
        actor: format!("subject:{subject}"),
        action: action.to_owned(),
        target: target.to_owned(),
        ip: visit.caller.ip,
    };
    visit.authority.store().append_audit(&entry).await
}
