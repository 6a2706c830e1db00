//! Where the consent form is sent.

use axum::response::Response;
use http::StatusCode;
use store::{Client, Consent, Waiting};
use token::event::EventKind;
use token::scope::ScopeSet;

use crate::endpoint::authorize::agreement::Given;
use crate::endpoint::authorize::person::Standing;
use crate::endpoint::authorize::refusal::{self, AuthorizeRefused, PageRefused};
use crate::endpoint::authorize::{self, Evaluated, Request};
use crate::endpoint::document;
use crate::endpoint::form::{Form, ticked};
use crate::endpoint::login::onward;
use crate::endpoint::visit::Visit;
use crate::login::csrf::Purpose;
use crate::login::session::SignedIn;
use crate::oauth_error::OAuthError;
use crate::page::Rendered;
pub(crate) use crate::page::consent::Notice;
use crate::page::consent::{Asked, ConsentPage};
use crate::parameters::Parameters;
use crate::rule::optional_scopes::Split;
use crate::state::Authority;

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
            Standing::Unasked(person) | Standing::Agreed(person, _) => {
                decide(&visit, &request, &evaluated, person, &form).await
            }
        },
        Err(refused) => refusal::answer(&visit, refused),
    }
}

/// The consent page, as an answer.
pub(crate) async fn show(
    visit: &Visit,
    request: &Request,
    evaluated: &Evaluated,
    person: &SignedIn,
    notice: Option<Notice>,
) -> Response {
    let status = if notice.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let (subject, client) = (&person.user().id, &evaluated.client.id);
    match visit.authority.store().consent(subject, client).await {
        Ok(decided) => {
            let page = form(visit, request, evaluated, person, &decided, notice);
            document::page(status, page)
        }
        Err(error) => authorize::refuse(visit, evaluated, Some(person), &error.into()),
    }
}

/// The consent page; boxes stand as they were decided before.
fn form(
    visit: &Visit,
    request: &Request,
    evaluated: &Evaluated,
    person: &SignedIn,
    decided: &Consent,
    notice: Option<Notice>,
) -> Rendered {
    let settings = visit.authority.settings();
    let session = person.session().id.as_str();
    let proof = visit.authority.desk().proofs.make(Purpose::Consent, session, &request.text);
    let asked = Asked {
        client: &evaluated.client,
        person: person.user(),
        scopes: &evaluated.demand.split(&evaluated.client, settings),
        refused: &decided.refused,
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
        return show(visit, request, evaluated, person, Some(Notice::Stale)).await;
    }
    match form.value(DECISION) {
        Some("allow") => allow(visit, evaluated, person, form).await,
        Some("deny") => deny(visit, evaluated, person),
        _ => show(visit, request, evaluated, person, Some(Notice::Undecided)).await,
    }
}

async fn allow(
    visit: &Visit,
    evaluated: &Evaluated,
    person: &SignedIn,
    form: &Parameters,
) -> Response {
    let (demand, settings) = (&evaluated.demand, visit.authority.settings());
    let split = demand.split(&evaluated.client, settings);
    let allowed = split.given(&ticked(form, &split.optional), &settings.ladder);
    if allowed.is_empty() && !demand.consent.is_empty() && demand.details.is_empty() {
        // Every box was emptied.
        return deny(visit, evaluated, person);
    }
    let decided = Consent { refused: demand.consent.difference(&allowed), allowed };
    let (subject, client) = (&person.user().id, &evaluated.client.id);
    let saved = visit.authority.store().save_consent(subject, client, &decided, visit.now).await;
    if let Err(error) = saved {
        return authorize::refuse(visit, evaluated, Some(person), &error.into());
    }
    let given = Given::of(demand, &decided.allowed, settings);
    observe(visit, evaluated, &given.scopes, person, "granted");
    authorize::finish(visit, evaluated, person, &given).await
}

/// A request that waited for a person, with the scopes that a form gives it; `None` when it gives nothing.
pub(crate) fn given(
    authority: &Authority,
    client: &Client,
    request: &Waiting,
    form: &Parameters,
) -> Option<Waiting> {
    let (optional, ladder) = (&client.options.optional_scopes, &authority.settings().ladder);
    let split = Split::of(optional, &request.scopes, ladder);
    let scopes = split.given(&ticked(form, &split.optional), ladder);
    let is_nothing = scopes.is_empty() && !request.scopes.is_empty() && request.details.is_empty();
    (!is_nothing).then(|| Waiting { scopes, ..request.clone() })
}

fn deny(visit: &Visit, evaluated: &Evaluated, person: &SignedIn) -> Response {
    observe(visit, evaluated, &evaluated.demand.scopes, person, "denied");
    authorize::refuse(visit, evaluated, Some(person), &AuthorizeRefused::Denied)
}

fn observe(
    visit: &Visit,
    evaluated: &Evaluated,
    scopes: &ScopeSet,
    person: &SignedIn,
    result: &str,
) {
    let registered = evaluated.client.created_at;
    let kind = EventKind::consent(scopes.clone(), result.to_owned(), registered, visit.now);
    visit.emit(authorize::who(&evaluated.client, Some(person)), kind);
}
