//! `/link`: where links in letters lead.
//!
//! To open a link shows a page and changes nothing, since programs that look through mail open links too; its
//! button uses the link up.

mod address;
mod disown;
mod entry;
mod reset;

use axum::extract::RawQuery;
use axum::response::Response;
use axum::routing::get;
use store::{Link, LinkPurpose, StoreError};

use crate::endpoint::authorize::refusal::{self, PageRefused};
use crate::endpoint::form::Form;
use crate::endpoint::visit::Visit;
use crate::endpoint::{document, done, login};
use crate::language::Text;
use crate::login::csrf::Purpose;
use crate::login::link::{self, CODE};
use crate::oauth_error::OAuthError;
use crate::page::done::Done;
use crate::page::fields::{FieldsPage, Notice};
use crate::parameters::Parameters;
use crate::paths::Paths;

const PATH: &str = "/link";
const PROOF: &str = "csrf";

/// The page.
pub(crate) fn routes() -> Paths {
    Paths::default().route(PATH, get(open).post(send))
}

/// A link that is good, with the text that came.
struct Opened {
    link: Link,
    code: String,
}

/// What came of a form.
enum Outcome {
    /// It is done.
    Done(Done),
    /// It is done, by somebody whose account it is: sign-in knows the browser by this name from now on.
    Known(Done, String),
    /// The link is over.
    Over,
    /// Something has to be typed otherwise.
    Again(Notice),
}

/// `GET /link`
async fn open(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let query = Parameters::parse(&query.unwrap_or_default()).unwrap_or_default();
    let shown = async {
        match find(&visit, query.value(CODE).unwrap_or_default()).await? {
            Some(opened) => page(&visit, &opened, &Parameters::default(), &Notice::none()).await,
            None => Ok(done::answer(&visit, Done::LinkOver)),
        }
    };
    answered(&visit, shown.await)
}

/// `POST /link`
async fn send(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let form = match form {
        Ok(Form(form)) => form,
        Err(error) => return refusal::answer(&visit, PageRefused::Form(error).into()),
    };
    if login::is_blocked(&visit) {
        return refusal::answer(&visit, PageRefused::Blocked.into());
    }
    let done = async {
        let Some(opened) = find(&visit, form.value(CODE).unwrap_or_default()).await? else {
            return Ok(done::answer(&visit, Done::LinkOver));
        };
        let proof = form.value(PROOF).unwrap_or_default();
        let (proofs, browser) = (&visit.authority.desk().proofs, visit.browser.name());
        let outcome = match proofs.check(Purpose::Link, browser, &opened.link.id, proof) {
            true => used(&visit, &opened, &form).await?,
            false => Outcome::Again(Notice::stale(&visit.words())),
        };
        match outcome {
            Outcome::Done(done) => Ok(done::answer(&visit, done)),
            Outcome::Known(done, username) => {
                Ok(visit.with_known_browser(done::answer(&visit, done), &username))
            }
            Outcome::Over => Ok(done::answer(&visit, Done::LinkOver)),
            Outcome::Again(notice) => page(&visit, &opened, &form, &notice).await,
        }
    };
    answered(&visit, done.await)
}

async fn find(visit: &Visit, code: &str) -> Result<Option<Opened>, StoreError> {
    let Some(hash) = link::hash(code) else { return Ok(None) };
    let link = visit.authority.store().link(&hash, visit.now).await?;
    Ok(link.map(|link| Opened { link, code: code.to_owned() }))
}

async fn used(visit: &Visit, opened: &Opened, form: &Parameters) -> Result<Outcome, StoreError> {
    match opened.link.purpose {
        LinkPurpose::Address => address::confirm(visit, &opened.link).await,
        LinkPurpose::Disown => disown::end(visit, &opened.link).await,
        LinkPurpose::Invitation | LinkPurpose::SignUp => {
            entry::make(visit, &opened.link, form).await
        }
        LinkPurpose::Reset => reset::set(visit, &opened.link, form).await,
    }
}

/// The page of a link, with what was typed into it before.
async fn page(
    visit: &Visit,
    opened: &Opened,
    form: &Parameters,
    notice: &Notice,
) -> Result<Response, StoreError> {
    let link = &opened.link;
    let page = match link.purpose {
        LinkPurpose::Address => Some(address::page(visit, link, notice)),
        LinkPurpose::Disown => Some(disown::page(visit, notice)),
        LinkPurpose::Invitation | LinkPurpose::SignUp => entry::page(visit, link, form, notice),
        LinkPurpose::Reset => reset::page(visit, link, notice).await?,
    };
    let Some(page) = page else { return Ok(done::answer(visit, Done::LinkOver)) };
    let proofs = &visit.authority.desk().proofs;
    let proof = proofs.make(Purpose::Link, visit.browser.name(), &link.id);
    let page = page.hidden(CODE, opened.code.clone()).hidden(PROOF, proof);
    Ok(visit.with_browser_cookie(document::fields(notice, page.finish())))
}

fn answered(visit: &Visit, answer: Result<Response, StoreError>) -> Response {
    answer.unwrap_or_else(|error| refusal::answer(visit, PageRefused::Store(error).into()))
}

/// A page whose form comes back here.
fn fields(visit: &Visit, title: &Text, button: &Text, notice: &Notice) -> FieldsPage {
    FieldsPage::new(&visit.reader(), title, PATH, button, notice)
}
