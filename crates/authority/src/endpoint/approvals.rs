//! Where people see and decide what applications ask them by the back channel (CIBA Core 1.0 §8).

use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use store::{Client, Progress, Waiting};
use token::base64url;
use token::event::{EventKind, Who};
use token::id::GrantId;
use token::opaque::OpaqueHash;

use crate::approve;
use crate::backchannel;
use crate::client_auth::is_suspended;
use crate::endpoint::authorize::refusal::{self, PageRefused};
use crate::endpoint::consent;
use crate::endpoint::document;
use crate::endpoint::form::Form;
use crate::endpoint::login::{self, errand::Errand, second};
use crate::endpoint::visit::Visit;
use crate::login::csrf::Purpose;
use crate::login::session::SignedIn;
use crate::oauth_error::OAuthError;
use crate::page::approvals::{ApprovalsPage, Notice, Question};
use crate::parameters::Parameters;
use crate::paths::Paths;
use crate::rule::mfa::Demanded;
use crate::rule::profile;
use crate::state::Authority;

const PROOF: &str = "csrf";
const QUESTION: &str = "question";
const DECISION: &str = "decision";
/// More than anybody is asked at a time.
const MOST: usize = 20;

/// The pages.
pub(crate) fn routes() -> Paths {
    Paths::default().route("/approvals", get(list)).route("/approvals/decision", post(decide))
}

/// `GET /approvals`
async fn list(visit: Visit) -> Response {
    let shown = async {
        match signed_in(&visit).await? {
            Some(person) => {
                let errand = Errand::approvals();
                match second::before(&visit, &errand, &person, Demanded::default()).await? {
                    Some(first) => Ok(first),
                    None => page(&visit, &person, Notice::None).await,
                }
            }
            None => Ok(login::before(&visit, &Errand::approvals())),
        }
    };
    shown.await.unwrap_or_else(|refused: PageRefused| refusal::answer(&visit, refused.into()))
}

/// `POST /approvals/decision`
async fn decide(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let decided = async {
        let Form(form) = form.map_err(PageRefused::Form)?;
        let Some(person) = signed_in(&visit).await? else {
            return Ok(login::before(&visit, &Errand::approvals()));
        };
        match write_down(&visit, &person, &form).await? {
            Ok(notice) => page(&visit, &person, notice).await,
            Err(first) => Ok(first),
        }
    };
    decided.await.unwrap_or_else(|refused: PageRefused| refusal::answer(&visit, refused.into()))
}

async fn signed_in(visit: &Visit) -> Result<Option<SignedIn>, PageRefused> {
    Ok(visit.signed_in().await?)
}

async fn write_down(
    visit: &Visit,
    person: &SignedIn,
    form: &Parameters,
) -> Result<Result<Notice, Response>, PageRefused> {
    let (authority, now) = (&visit.authority, visit.now);
    let stale = Ok(Ok(Notice::Stale));
    let named = form.value(QUESTION).unwrap_or_default();
    let (session, proofs) = (person.session().id.as_str(), &authority.desk().proofs);
    let proof = form.value(PROOF).unwrap_or_default();
    let allow = match form.value(DECISION) {
        Some("allow") => true,
        Some("deny") => false,
        _ => return stale,
    };
    if !proofs.check(Purpose::Approval, session, named, proof) {
        return stale;
    }
    let hash = base64url::decode(named).and_then(|bytes| OpaqueHash::from_slice(&bytes));
    let Some(hash) = hash else { return stale };
    let state = authority.store().waiting(&hash).await?;
    let own = state.filter(|state| {
        state.request.subject.as_ref() == Some(&person.user().id)
            && state.progress == Progress::Waiting
    });
    let Some(request) = own.map(|state| state.request) else { return stale };
    let Some(client) = client(authority, &request, visit).await? else { return stale };
    if allow {
        let demanded = Demanded::by(&client, &request.scopes, authority.settings());
        let first = second::before(visit, &Errand::approvals(), person, demanded).await?;
        if let Some(first) = first {
            return Ok(Err(first));
        }
    }
    let given = allow.then_some(form);
    let given = given.and_then(|form| consent::given(authority, &client, &request, form));
    let result = if given.is_some() { "granted" } else { "denied" };
    let shown = given.as_ref().unwrap_or(&request).scopes.clone();
    let grant = given.map(|request| {
        let usual = authority.settings().refresh_absolute_life;
        let end = now.plus(profile::shorter(usual, client.options.refresh_absolute_life));
        request.granted(GrantId::generate(authority.random()), person.session(), end, now)
    });
    let who = Who {
        client: Some(client.id.clone()),
        subject: Some(person.user().id.clone()),
        session: Some(person.session().id.clone()),
        grant: grant.as_ref().map(|grant| grant.id.clone()),
        ..Who::default()
    };
    if !authority.store().decide_waiting(&hash, grant, now).await? {
        return stale;
    }
    backchannel::tell(authority, &client, &request);
    let kind = EventKind::consent(shown, result.to_owned(), client.created_at, now);
    visit.emit(who, kind);
    Ok(Ok(if result == "granted" { Notice::Allowed } else { Notice::Denied }))
}

/// Its client, unless that is gone or turned away.
async fn client(
    authority: &Authority,
    request: &Waiting,
    visit: &Visit,
) -> Result<Option<std::sync::Arc<Client>>, PageRefused> {
    let store = authority.store();
    let client = store.client(&request.client).await?;
    Ok(client.filter(|client| !client.disabled && !is_suspended(store, &client.id, visit.now)))
}

async fn page(visit: &Visit, person: &SignedIn, notice: Notice) -> Result<Response, PageRefused> {
    let (authority, now) = (&visit.authority, visit.now);
    let subject = &person.user().id;
    if approve::is_suspended(authority.store(), subject, now) {
        return Ok(login::before(visit, &Errand::approvals()));
    }
    let (reader, mut questions) = (visit.reader(), Vec::new());
    for state in authority.store().waiting_for(subject, now, MOST).await? {
        let request = state.request;
        if let Some(client) = client(authority, &request, visit).await? {
            let name = base64url::encode(request.hash.as_bytes());
            let session = person.session().id.as_str();
            let proof = authority.desk().proofs.make(Purpose::Approval, session, &name);
            questions.push(Question::new(&reader, &request, &client, name, proof, now));
        }
    }
    let status = match notice {
        Notice::Stale => StatusCode::BAD_REQUEST,
        Notice::Allowed | Notice::Denied | Notice::None => StatusCode::OK,
    };
    let page = ApprovalsPage::new(&reader, person.user(), questions, notice);
    Ok(document::page(status, page.finish()))
}
