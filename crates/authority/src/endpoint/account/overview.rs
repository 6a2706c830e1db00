//! `/account`: where somebody is signed in, which applications have access, and what has happened.

use std::collections::BTreeMap;

use axum::response::Response;
use axum::routing::{get, post};
use store::{GrantsOf, StoreError, TakenBack};
use token::id::{ClientId, SubjectId};
use token::scope::ScopeSet;
use token::term::scope;

use super::{actor, answered, entered, proof, record, sent, sign_ins};
use crate::endpoint::document;
use crate::endpoint::done;
use crate::endpoint::form::Form;
use crate::endpoint::login::errand::Errand;
use crate::endpoint::visit::Visit;
use crate::login::session::SignedIn;
use crate::logout;
use crate::oauth_error::OAuthError;
use crate::page::account::{AccountPage, Application, Held, Notice};
use crate::page::done::Done;
use crate::paths::Paths;
use crate::person_claims;

const SESSION: &str = "session";
const CLIENT: &str = "client";
const SCOPE: &str = "scope";
/// What is looked at for the list of applications.
const MOST_GRANTS: usize = 1000;
/// Entries of the audit log that are shown.
const MOST_CHANGES: usize = 20;
const REASON: &str = "signed out everywhere by its person";

/// The pages.
pub(super) fn routes() -> Paths {
    Paths::default()
        .route("/account", get(show))
        .route("/account/applications/narrow", post(narrow))
        .route("/account/applications/withdraw", post(withdraw))
        .route("/account/sessions/end", post(end))
        .route("/account/sessions/end-others", post(end_others))
        .route("/account/sessions/everywhere", post(everywhere))
}

/// `GET /account`
async fn show(visit: Visit) -> Response {
    let shown = async {
        match entered(&visit, &Errand::account()).await? {
            Ok(person) => page(&visit, &person, Notice::None).await,
            Err(answer) => Ok(answer),
        }
    };
    answered(&visit, shown.await)
}

/// `POST /account/sessions/end`: one session, perhaps this one.
async fn end(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::account()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let ended = async {
        let (store, now) = (visit.authority.store(), visit.now);
        let id = form.value(SESSION).unwrap_or_default();
        let sessions = store.sessions_of(&person.user().id, now).await?;
        let Some(session) = sessions.iter().find(|session| session.id.as_str() == id) else {
            return page(&visit, &person, Notice::Stale).await;
        };
        logout::end(&visit.authority, session, &actor(&person), now).await?;
        record(&visit, &person, "session.end", id).await?;
        if session.id == person.session().id {
            return Ok(visit.without_session_cookie(done::answer(&visit, Done::SignedOut)));
        }
        page(&visit, &person, Notice::Ended).await
    };
    answered(&visit, ended.await)
}

/// `POST /account/sessions/end-others`: every session but this one.
async fn end_others(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (_, person) = match sent(&visit, form, &Errand::account()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let ended = async {
        let sessions = visit.authority.store().sessions_of(&person.user().id, visit.now).await?;
        let own = &person.session().id;
        for session in sessions.iter().filter(|session| session.id != *own) {
            logout::end(&visit.authority, session, &actor(&person), visit.now).await?;
        }
        record(&visit, &person, "session.end_others", person.user().id.as_str()).await?;
        page(&visit, &person, Notice::Ended).await
    };
    answered(&visit, ended.await)
}

/// `POST /account/sessions/everywhere`: every session, and every token that was made until now.
async fn everywhere(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (_, person) = match sent(&visit, form, &Errand::account()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let ended = async {
        let (authority, subject) = (&visit.authority, &person.user().id);
        let (caller, now) = (&visit.caller, visit.now);
        logout::everywhere(authority, caller, subject, &actor(&person), REASON, now).await?;
        record(&visit, &person, "session.everywhere", subject.as_str()).await?;
        Ok(visit.without_session_cookie(done::answer(&visit, Done::SignedOut)))
    };
    answered(&visit, ended.await)
}

/// `POST /account/applications/withdraw`: an application has no access any more, and is asked for anew.
async fn withdraw(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::account()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let withdrawn = async {
        let client = ClientId::from(form.value(CLIENT).unwrap_or_default());
        let (store, subject) = (visit.authority.store(), &person.user().id);
        if !store.withdraw(subject, &client, &actor(&person), visit.now).await? {
            return page(&visit, &person, Notice::Stale).await;
        }
        record(&visit, &person, "application.withdraw", client.as_str()).await?;
        page(&visit, &person, Notice::Withdrawn).await
    };
    answered(&visit, withdrawn.await)
}

/// `POST /account/applications/narrow`: an application cannot do one thing any more. Never `openid`: without
/// it nobody would be signed in there, and that is what [`withdraw`] is for.
async fn narrow(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::account()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let narrowed = async {
        let client = ClientId::from(form.value(CLIENT).unwrap_or_default());
        let scopes = ScopeSet::parse(form.value(SCOPE).unwrap_or_default()).unwrap_or_default();
        let is_one = scopes.iter().count() == 1 && !scopes.contains(scope::OPENID);
        if !is_one || !take_back(&visit, &person, &client, scopes).await? {
            return page(&visit, &person, Notice::Stale).await;
        }
        record(&visit, &person, "application.narrow", client.as_str()).await?;
        page(&visit, &person, Notice::Narrowed).await
    };
    answered(&visit, narrowed.await)
}

async fn take_back(
    visit: &Visit,
    person: &SignedIn,
    client: &ClientId,
    scopes: ScopeSet,
) -> Result<bool, StoreError> {
    let (settings, store) = (visit.authority.settings(), visit.authority.store());
    let subject = &person.user().id;
    let kept = store.consent(subject, client).await?.allowed.difference(&scopes);
    let (taken, kept) = (settings.ladder.reach(&scopes), settings.ladder.reach(&kept));
    let goes = |name: &&str| {
        let mut brought = person_claims::bringing(name, settings);
        brought.any(|scope| taken.contains(scope))
            && !person_claims::bringing(name, settings).any(|scope| kept.contains(scope))
    };
    let claims = person_claims::supported(settings).into_iter().filter(goes);
    let taken = TakenBack { scopes, claims: claims.map(str::to_owned).collect() };
    let ladder = settings.ladder.clone();
    let reach = move |scopes: &ScopeSet| ladder.reach(scopes);
    store.take_back(subject, client, taken, reach, &actor(person), visit.now).await
}

pub(super) async fn page(
    visit: &Visit,
    person: &SignedIn,
    notice: Notice,
) -> Result<Response, StoreError> {
    let (store, user) = (visit.authority.store(), person.user());
    let held = Held {
        sessions: store.sessions_of(&user.id, visit.now).await?,
        applications: applications(visit, &user.id).await?,
        sign_ins: sign_ins::held(visit, &user.id).await?,
        changes: store.audit_about(&actor(person), user.id.as_str(), MOST_CHANGES).await?,
    };
    let (status, proof) = (notice.status(), proof(visit, person));
    let page = AccountPage::new(&visit.reader(), person, &held, proof, notice);
    Ok(document::page(status, page.finish()))
}

/// The applications that were allowed something, or still have a grant of before that was remembered.
async fn applications(visit: &Visit, subject: &SubjectId) -> Result<Vec<Application>, StoreError> {
    let store = visit.authority.store();
    let mut scopes: BTreeMap<ClientId, ScopeSet> =
        store.consents_of(subject).await?.into_iter().collect();
    for grant in store.grants_of(GrantsOf::Subject(subject), visit.now, MOST_GRANTS).await? {
        let held = scopes.entry(grant.client).or_default();
        *held = held.union(&grant.scopes);
    }
    let mut applications = Vec::with_capacity(scopes.len());
    for (id, scopes) in scopes {
        let client = store.client(&id).await?;
        let name = client.map_or_else(|| id.to_string(), |client| client.name.clone());
        applications.push(Application::new(&visit.reader(), id, name, &scopes));
    }
    Ok(applications)
}
