//! Where the consent form is sent.

use axum::response::Response;
use http::StatusCode;
use token::event::EventKind;

use crate::endpoint::authorize::person::Standing;
use crate::endpoint::authorize::refusal::{self, AuthorizeRefused, PageRefused};
use crate::endpoint::authorize::{self, Evaluated, Request};
use crate::endpoint::document;
use crate::endpoint::form::Form;
use crate::endpoint::login::onward;
use crate::endpoint::visit::Visit;
use crate::login::csrf::Purpose;
use crate::login::session::SignedIn;
use crate::oauth_error::OAuthError;
use crate::page::Rendered;
pub(crate) use crate::page::consent::Notice;
use crate::page::consent::{Asked, ConsentPage};
use crate::parameters::Parameters;

const REQUEST: &str = "request";
const PROOF: &str = "csrf";
const DECISION: &str = "decision";

/// `POST /consent`
pub(crate) async fn consent(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let form = match form {
        Ok(Form(parameters)) => parameters,
        Err(error) => return refusal::answer(&visit, PageRefused::Form(error).into()),
    };
    let request = match Request::read(&visit, form.value(REQUEST).unwrap_or_default()).await {
        Ok(request) => request,
        Err(refused) => return refusal::answer(&visit, refused.into()),
    };
    match authorize::evaluate(&visit, &request).await {
        Ok(evaluated) => match &evaluated.standing {
            // The session ended while the page was open, or more is demanded now.
            Standing::Unproven(_) | Standing::Partial(..) => {
                document::see_other(&request.url(&visit))
            }
            Standing::Unasked(person) | Standing::Agreed(person) => {
                decide(&visit, &request, &evaluated, person, &form).await
            }
        },
        Err(refused) => refusal::answer(&visit, refused),
    }
}

/// The consent page.
pub(crate) fn form(
    visit: &Visit,
    request: &Request,
    evaluated: &Evaluated,
    person: &SignedIn,
    notice: Option<Notice>,
) -> Rendered {
    let settings = visit.authority.settings();
    let session = person.session().id.as_str();
    let proof = visit.authority.desk().proofs.make(Purpose::Consent, session, &request.text);
    let asked = Asked {
        client: &evaluated.client,
        person: person.user(),
        scopes: &evaluated.demand.consent,
        details: &evaluated.demand.details,
        audiences: &evaluated.demand.audiences,
        return_to: evaluated.return_to.uri(),
        now: visit.now,
    };
    let another = settings.path("/authorize");
    let another = format!("{another}?{}", onward::for_another_account(&request.text));
    let page = ConsentPage::new(&visit.reader(), &asked, notice);
    page.continuing(&request.text, proof, another).finish()
}

async fn decide(
    visit: &Visit,
    request: &Request,
    evaluated: &Evaluated,
    person: &SignedIn,
    form: &Parameters,
) -> Response {
    let session = person.session().id.as_str();
    let proof = form.value(PROOF).unwrap_or_default();
    if !visit.authority.desk().proofs.check(Purpose::Consent, session, &request.text, proof) {
        return again(visit, request, evaluated, person, Notice::Stale);
    }
    match form.value(DECISION) {
        Some("allow") => allow(visit, evaluated, person).await,
        Some("deny") => {
            observe(visit, evaluated, person, "denied");
            authorize::refuse(visit, evaluated, Some(person), &AuthorizeRefused::Denied)
        }
        _ => again(visit, request, evaluated, person, Notice::Undecided),
    }
}

async fn allow(visit: &Visit, evaluated: &Evaluated, person: &SignedIn) -> Response {
    let (subject, client) = (&person.user().id, &evaluated.client.id);
    let scopes = &evaluated.demand.consent;
    let saved = visit.authority.store().save_consent(subject, client, scopes, visit.now).await;
    if let Err(error) = saved {
        return authorize::refuse(visit, evaluated, Some(person), &error.into());
    }
    observe(visit, evaluated, person, "granted");
    authorize::finish(visit, evaluated, person).await
}

/// The page once more, saying why.
fn again(
    visit: &Visit,
    request: &Request,
    evaluated: &Evaluated,
    person: &SignedIn,
    notice: Notice,
) -> Response {
    let page = form(visit, request, evaluated, person, Some(notice));
    document::page(StatusCode::BAD_REQUEST, page)
}

fn observe(visit: &Visit, evaluated: &Evaluated, person: &SignedIn, result: &str) {
    let scopes = evaluated.demand.scopes.clone();
    let kind =
        EventKind::consent(scopes, result.to_owned(), evaluated.client.created_at, visit.now);
    visit.emit(authorize::who(&evaluated.client, Some(person)), kind);
}
