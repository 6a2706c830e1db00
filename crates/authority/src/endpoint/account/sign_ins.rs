//! Sign-ins on the page of the account, and what somebody does about one that was not theirs.

use axum::response::Response;
use axum::routing::post;
use store::{GrantsOf, SignIn, StoreError};
use token::event::{EventKind, Who};
use token::id::SubjectId;
use token::restriction::Selector;

use super::{actor, answered, overview, record, sent};
use crate::endpoint::document;
use crate::endpoint::form::Form;
use crate::endpoint::login::errand::Errand;
use crate::endpoint::visit::Visit;
use crate::login::session::SignedIn;
use crate::logout;
use crate::oauth_error::OAuthError;
use crate::page::account::Notice;
use crate::page::sign_ins::Entry;
use crate::paths::Paths;

const SESSION: &str = "session";
/// Days of failed tries that are shown: they never push a sign-in out.
const MOST_FAILED: usize = 10;
/// Grants of a session that are ended; the new password takes all others back.
const MOST_GRANTS: usize = 1000;
const REASON: &str = "its person says that it was not them";

/// The form.
pub(super) fn routes() -> Paths {
    Paths::default().route("/account/sign-ins/disown", post(disown))
}

/// Sign-ins and failed tries of somebody, the newest first.
pub(super) async fn held(visit: &Visit, subject: &SubjectId) -> Result<Vec<Entry>, StoreError> {
    let store = visit.authority.store();
    let mut entries = Vec::new();
    for sign_in in store.sign_ins_of(subject).await? {
        let client = match &sign_in.client {
            Some(id) => store.client(id).await?.map(|client| client.name.clone()),
            None => None,
        };
        entries.push(Entry::SignIn { client, sign_in });
    }
    let failed = store.failed_tries_of(subject, MOST_FAILED).await?;
    entries.extend(failed.into_iter().map(Entry::Failed));
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at()));
    Ok(entries)
}

/// `POST /account/sign-ins/disown`: ends a session that somebody else has begun and all that it gave, and leads
/// to what that one knew.
async fn disown(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::account()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let disowned = async {
        let id = form.value(SESSION).unwrap_or_default();
        let sign_ins = visit.authority.store().sign_ins_of(&person.user().id).await?;
        let is_meant = |one: &&SignIn| one.session.as_str() == id && !is_here(one, &person);
        let Some(sign_in) = sign_ins.iter().find(is_meant) else {
            return overview::page(&visit, &person, Notice::Stale).await;
        };
        end(&visit, &person, sign_in).await?;
        record(&visit, &person, "sign_in.disown", id).await?;
        let onward = match person.user().password_hash {
            Some(_) => Errand::password(),
            None => Errand::factors(),
        };
        Ok(document::see_other(&onward.url(visit.authority.settings())))
    };
    answered(&visit, disowned.await)
}

/// Unlike a sign-out it ends what goes on without the session too.
async fn end(visit: &Visit, person: &SignedIn, sign_in: &SignIn) -> Result<(), StoreError> {
    let (authority, actor, now) = (&visit.authority, actor(person), visit.now);
    let (store, subject) = (authority.store(), &person.user().id);
    for grant in store.grants_of(GrantsOf::Session(&sign_in.session), now, MOST_GRANTS).await? {
        store.end_grant(&grant.id, REASON, &actor, now).await?;
    }
    let sessions = store.sessions_of(subject, now).await?;
    if let Some(session) = sessions.iter().find(|session| session.id == sign_in.session) {
        logout::end(authority, session, &actor, now).await?;
    }
    let kind = EventKind::Revoke {
        result: "ok".to_owned(),
        selector: Some(Selector::Session(sign_in.session.clone()).to_string()),
        actor: Some(actor),
        reason: Some(REASON.to_owned()),
    };
    let session = Some(sign_in.session.clone());
    visit.emit(Who { subject: Some(subject.clone()), session, ..Who::default() }, kind);
    Ok(())
}

fn is_here(sign_in: &SignIn, person: &SignedIn) -> bool {
    sign_in.session == person.session().id
}
