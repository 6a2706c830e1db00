//! Who is there, and whether their sign-in is fresh and sure enough (OpenID Connect Core 1.0 §3.1.2.3).

use store::StoreError;

use super::agreement::Given;
use super::demand::Demand;
use super::refusal::AuthorizeRefused;
use crate::endpoint::login::second;
use crate::endpoint::visit::Visit;
use crate::login::session::SignedIn;
use crate::rule::mfa::{Missing, Step};

/// How far a person has come.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// Nobody is signed in, or somebody has to prove anew who they are.
    Unproven(Option<SignedIn>),
    /// Signed in, and has to prove more.
    Partial(SignedIn, Step),
    /// Signed in, but not asked yet about this client.
    Unasked(SignedIn),
    /// Signed in, and has agreed to this.
    Agreed(SignedIn, Given),
}

/// Finds out who is signed in.
pub(super) async fn recognise(visit: &Visit) -> Result<Option<SignedIn>, StoreError> {
    visit.signed_in().await
}

/// Checks the sign-in against what the client asks for. A sign-in form takes `prompt=login` and
/// `max_age` out of the request that it continues, or the question would never end.
pub(super) async fn prove(
    visit: &Visit,
    demand: &Demand,
    signed_in: Option<SignedIn>,
) -> Result<Standing, AuthorizeRefused> {
    let now = visit.now;
    let is_over = |person: &SignedIn| {
        let auth_time = person.session().auth_time;
        demand.max_age.is_some_and(|max_age| max_age.is_over(auth_time, now))
    };
    let is_meant = |person: &SignedIn| {
        demand.subject.as_ref().is_none_or(|subject| *subject == person.user().id)
    };
    let person = match signed_in {
        Some(person) if !demand.prompt.login && !is_over(&person) && is_meant(&person) => person,
        other => return Ok(Standing::Unproven(other)),
    };
    let has_proven = person.has_two_factors();
    Ok(match second::missing(visit, demand.mfa, person.user(), has_proven).await? {
        Missing::Nothing => Standing::Unasked(person),
        Missing::Step(Step::Enrolment) if !person.is_recent(now) => {
            Standing::Unproven(Some(person))
        }
        Missing::Step(step) => Standing::Partial(person, step),
        Missing::Unreachable => return Err(AuthorizeRefused::FactorMissing),
    })
}
