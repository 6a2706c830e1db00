//! Who is there, and whether their sign-in is fresh enough (OpenID Connect Core 1.0 §3.1.2.3).

use store::StoreError;
use token::time::Timestamp;

use super::demand::Demand;
use crate::endpoint::visit::Visit;
use crate::login::session::{self, SignedIn};

/// How far a person has come.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// Nobody is signed in, or somebody has to prove anew who they are.
    Unproven(Option<SignedIn>),
    /// Signed in, but not asked yet about this client.
    Unasked(SignedIn),
    /// Signed in, and has agreed.
    Agreed(SignedIn),
}

/// Finds out who is signed in.
pub(super) async fn recognise(visit: &Visit) -> Result<Option<SignedIn>, StoreError> {
    session::recognise(visit.authority.store(), visit.session_cookie(), visit.now).await
}

/// Checks the sign-in against what the client asks for. A sign-in form takes `prompt=login` and
/// `max_age` out of the request that it continues, or the question would never end.
pub(super) fn prove(demand: &Demand, signed_in: Option<SignedIn>, now: Timestamp) -> Standing {
    let is_over = |person: &SignedIn| {
        let auth_time = person.session().auth_time;
        demand.max_age.is_some_and(|max_age| max_age.is_over(auth_time, now))
    };
    let is_meant = |person: &SignedIn| {
        demand.subject.as_ref().is_none_or(|subject| *subject == person.user().id)
    };
    match signed_in {
        Some(person) if !demand.prompt.login && !is_over(&person) && is_meant(&person) => {
            Standing::Unasked(person)
        }
        other => Standing::Unproven(other),
    }
}
