//! `/account/identities`: accounts elsewhere that open this one; their person connects and disconnects them.

use axum::response::Response;
use axum::routing::{get, post};
use store::{IdentityRemoval, StoreError};
use token::id::{SessionId, SubjectId};

use super::{PROOF, answered, entered, factors, proof, record, sent};
use crate::endpoint::authorize::refusal::{self, PageRefused};
use crate::endpoint::document;
use crate::endpoint::form::Form;
use crate::endpoint::login::errand::Errand;
use crate::endpoint::login::provider::{Stopped, go, vouched};
use crate::endpoint::visit::Visit;
use crate::letters::FactorChange;
use crate::login::half;
use crate::login::session::SignedIn;
use crate::logout;
use crate::oauth_error::OAuthError;
use crate::page::fields::{self, FieldsPage};
use crate::page::providers::{IdentitiesPage, Notice};
use crate::parameters::Parameters;
use crate::paths::Paths;
use crate::provider::admit::new_identity;
use crate::provider::exchange::Wanted;
use crate::provider::trip::{Purpose, Trip};
use crate::provider::{Provider, Vouched};

const PATH: &str = "/account/identities";
const CONFIRM: &str = "/account/identities/confirm";
const IDENTITY: &str = "identity";
const PROVIDER: &str = "provider";
const WORD: &str = "word";
/// Accounts elsewhere that one person can have.
const MOST: usize = 20;

/// The pages.
pub(super) fn routes() -> Paths {
    Paths::default()
        .route(PATH, get(list))
        .route("/account/identities/connect", post(connect))
        .route(CONFIRM, post(confirm))
        .route("/account/identities/remove", post(remove))
}

/// `GET /account/identities`
async fn list(visit: Visit) -> Response {
    let shown = async {
        match entered(&visit, &Errand::identities()).await? {
            Ok(person) => page(&visit, &person, Notice::None).await,
            Err(answer) => Ok(answer),
        }
    };
    answered(&visit, shown.await)
}

/// `POST /account/identities/connect`: to the provider, to find out who somebody is there.
async fn connect(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::identities()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let name = form.value(PROVIDER).unwrap_or_default();
    let Some(provider) = visit.authority.settings().provider(name) else {
        return answered(&visit, page(&visit, &person, Notice::Stale).await);
    };
    let (subject, session) = (person.user().id.clone(), person.session().id.clone());
    let purpose = Purpose::Connect { subject, session };
    match go(&visit, provider, purpose, &Wanted::default()).await {
        Ok(response) => response,
        Err(stopped) => failed(&visit, provider, stopped),
    }
}

/// Somebody is back who wants to connect their account there: shows which one that is, and asks.
pub(crate) async fn arrived(
    visit: &Visit,
    provider: &Provider,
    trip: &Trip,
    query: &Parameters,
    (subject, session): (&SubjectId, &SessionId),
) -> Response {
    let person = match visit.signed_in().await {
        Ok(person) => {
            person.filter(|person| person.user().id == *subject && person.session().id == *session)
        }
        Err(error) => return answered(visit, Err(error)),
    };
    let Some(person) = person else {
        return refusal::answer(visit, PageRefused::Returned.into());
    };
    match vouched(visit, provider, trip, query).await {
        Ok(vouched) => answered(visit, question(visit, &person, provider, &vouched)),
        Err(stopped) => failed(visit, provider, stopped),
    }
}

fn question(
    visit: &Visit,
    person: &SignedIn,
    provider: &Provider,
    vouched: &Vouched,
) -> Result<Response, StoreError> {
    let (reader, user) = (visit.reader(), person.user());
    let t = &reader.words.provider;
    let sealed = half::seal(visit.authority.store(), &label(visit, person), vouched)?;
    let words = t.connect.fill(&[
        ("provider", &provider.title),
        ("account", &vouched.label()),
        ("username", &user.username),
    ]);
    let none = fields::Notice::none();
    let page = FieldsPage::new(&reader, &t.connect_title, CONFIRM, &t.connect_button, &none)
        .of(&user.username)
        .about(words)
        .hidden(PROOF, proof(visit, person))
        .hidden(WORD, sealed)
        .link(&reader.words.common.back_to_account, reader.settings.path("/account"));
    Ok(document::fields(&none, page.finish()))
}

/// `POST /account/identities/confirm`
async fn confirm(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::identities()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let done = async {
        let notice = add(&visit, &person, form.value(WORD).unwrap_or_default()).await?;
        page(&visit, &person, notice).await
    };
    answered(&visit, done.await)
}

async fn add(visit: &Visit, person: &SignedIn, word: &str) -> Result<Notice, StoreError> {
    let (authority, store, user) = (&visit.authority, visit.authority.store(), person.user());
    let Some(vouched) = half::open::<Vouched>(store, &label(visit, person), word) else {
        return Ok(Notice::Stale);
    };
    let identity = store.identity(&vouched.provider, &vouched.issuer, &vouched.subject).await?;
    match identity {
        Some(identity) if identity.subject == user.id => return Ok(Notice::Connected),
        Some(_) => return Ok(Notice::Taken),
        None => {}
    }
    if store.identities_of(&user.id).await?.len() >= MOST {
        return Ok(Notice::Stale);
    }
    let identity = new_identity(authority, &vouched, visit.now);
    match store.add_identity(&user.id, &identity, false).await {
        Ok(true) => {}
        Ok(false) => return Ok(Notice::Stale),
        Err(StoreError::NameTaken { .. }) => return Ok(Notice::Taken),
        Err(error) => return Err(error),
    }
    record(visit, person, "identity.link", &identity.id).await?;
    factors::tell(visit, user, FactorChange::Connected);
    Ok(Notice::Connected)
}

/// `POST /account/identities/remove`: who is signed in by it elsewhere is signed out.
async fn remove(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::identities()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let removed = async {
        let (id, user) = (form.value(IDENTITY).unwrap_or_default(), person.user());
        let store = visit.authority.store();
        let identity = match store.remove_identity(&user.id, id, true).await? {
            IdentityRemoval::OnlyWay => return page(&visit, &person, Notice::OnlyWay).await,
            IdentityRemoval::Unknown => return page(&visit, &person, Notice::Stale).await,
            IdentityRemoval::Removed(identity) => identity,
        };
        record(&visit, &person, "identity.unlink", id).await?;
        factors::tell(&visit, user, FactorChange::Disconnected);
        let (own, actor) = (&person.session().id, super::actor(&person));
        logout::end_by_identity(&visit.authority, &identity, Some(own), &actor, visit.now).await?;
        page(&visit, &person, Notice::Disconnected).await
    };
    answered(&visit, removed.await)
}

/// The page.
pub(super) async fn page(
    visit: &Visit,
    person: &SignedIn,
    notice: Notice,
) -> Result<Response, StoreError> {
    let identities = visit.authority.store().identities_of(&person.user().id).await?;
    let (reader, proof) = (visit.reader(), proof(visit, person));
    let page = IdentitiesPage::new(&reader, person, &identities, proof, notice);
    Ok(document::page(notice.status(), page.finish()))
}

fn failed(visit: &Visit, provider: &Provider, stopped: Stopped) -> Response {
    let error = match stopped {
        Stopped::Store(error) => return answered(visit, Err(error)),
        stopped => stopped,
    };
    tracing::info!(provider = provider.name, cause = %error, "an account at a provider is not connected");
    let trouble = error.trouble(provider);
    let reader = visit.reader();
    let (settings, back) = (reader.settings, &reader.words.common.back_to_account);
    let mut notice = fields::Notice::wrong(trouble.words(settings.host(), &reader.words));
    notice.status = trouble.status();
    let page = FieldsPage::new(&reader, &reader.words.provider.connect_title, PATH, back, &notice)
        .link(back, settings.path("/account"));
    document::fields(&notice, page.finish())
}

/// A word is good in the session in which it was asked for.
fn label(visit: &Visit, person: &SignedIn) -> String {
    half::label("word of a provider", &visit.browser, person.session().id.as_str())
}
