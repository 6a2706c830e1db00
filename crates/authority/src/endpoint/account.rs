//! Where people see and change what protects their account.

mod email;
pub(crate) mod factors;
pub(crate) mod password;

use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use store::{AuditEntry, StoreError};

use crate::endpoint::authorize::refusal::{self, PageRefused};
use crate::endpoint::form::Form;
use crate::endpoint::login::errand::Errand;
use crate::endpoint::login::second;
use crate::endpoint::visit::Visit;
use crate::endpoint::{document, login};
use crate::login::csrf::Purpose;
use crate::login::session::{self, SignedIn};
use crate::oauth_error::OAuthError;
use crate::page::account::AccountPage;
use crate::parameters::Parameters;
use crate::paths::Paths;

pub(crate) const PROOF: &str = "csrf";

/// The pages.
pub(crate) fn routes() -> Paths {
    Paths::default()
        .route("/account", get(overview))
        .merge(email::routes())
        .merge(factors::routes())
        .merge(password::routes())
}

/// A form that came back.
pub(crate) enum Sent {
    /// It is one that this session was given.
    Proven(Parameters, SignedIn),
    /// It is not.
    Stale(SignedIn),
}

/// `GET /account`
async fn overview(visit: Visit) -> Response {
    let shown = async {
        Ok(match entered(&visit, &Errand::account()).await? {
            Ok(person) => {
                let page = AccountPage::new(visit.authority.settings(), person.user());
                document::page(StatusCode::OK, page.finish())
            }
            Err(first) => first,
        })
    };
    answered(&visit, shown.await)
}

/// Who may be here: somebody who signed in just now, with all that they have. Or the page that they need
/// first.
pub(crate) async fn entered(
    visit: &Visit,
    errand: &Errand,
) -> Result<Result<SignedIn, Response>, StoreError> {
    let store = visit.authority.store();
    let person = session::recognise(store, visit.session_cookie(), visit.now).await?;
    let Some(person) = person.filter(|person| person.is_recent(visit.now)) else {
        return Ok(Err(login::before(visit, errand)));
    };
    let first = second::before(visit, errand, &person, errand.demanded()).await?;
    Ok(first.map_or(Ok(person), Err))
}

/// A form of one of these pages, and who sent it; or the answer, when they may not be here.
pub(crate) async fn sent(
    visit: &Visit,
    form: Result<Form, OAuthError>,
    errand: &Errand,
) -> Result<Sent, Response> {
    let refused = |refused: PageRefused| refusal::answer(visit, refused.into());
    let Form(form) = form.map_err(|error| refused(PageRefused::Form(error)))?;
    let person = entered(visit, errand).await.map_err(|error| refused(error.into()))??;
    let proof = form.value(PROOF).unwrap_or_default();
    let session = person.session().id.as_str();
    let proofs = &visit.authority.desk().proofs;
    Ok(match proofs.check(Purpose::Factors, session, "", proof) {
        true => Sent::Proven(form, person),
        false => Sent::Stale(person),
    })
}

/// What the forms of these pages carry.
pub(crate) fn proof(visit: &Visit, person: &SignedIn) -> String {
    let session = person.session().id.as_str();
    visit.authority.desk().proofs.make(Purpose::Factors, session, "")
}

pub(crate) fn answered(visit: &Visit, answer: Result<Response, StoreError>) -> Response {
    answer.unwrap_or_else(|error| refusal::answer(visit, PageRefused::Store(error).into()))
}

/// A change is answered only after it is in the audit log.
pub(crate) async fn record(
    visit: &Visit,
    subject: &str,
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
