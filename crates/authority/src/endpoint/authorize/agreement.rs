//! Whether the person has already agreed to what the client asks for.

use store::{Client, StoreError};

use super::demand::Demand;
use super::person::Standing;
use super::return_to::ReturnTo;
use crate::endpoint::visit::Visit;

/// Looks for an earlier consent that covers everything asked for.
pub(super) async fn ask(
    visit: &Visit,
    client: &Client,
    return_to: &ReturnTo,
    demand: &Demand,
    standing: Standing,
) -> Result<Standing, StoreError> {
    let Standing::Unasked(person) = standing else { return Ok(standing) };
    if demand.prompt.consent || !is_who_it_says(client, return_to) {
        return Ok(Standing::Unasked(person));
    }
    // A payment that was agreed to once is not agreed to for ever.
    if !demand.details.is_empty() {
        return Ok(Standing::Unasked(person));
    }
    let agreed = visit.authority.store().consent(&person.user().id, &client.id).await?;
    // Who agreed to more has agreed to what it includes.
    let agreed = visit.authority.settings().ladder.reach(&agreed);
    let covers = !agreed.is_empty() && agreed.contains_all(&demand.consent);
    Ok(if covers { Standing::Agreed(person) } else { Standing::Unasked(person) })
}

/// Any app on a machine can use the name of a client without a secret and listen where that one
/// would: what was agreed with the real one must not be given away unseen (RFC 8252 §8.6).
fn is_who_it_says(client: &Client, return_to: &ReturnTo) -> bool {
    client.secret_hash.is_some() || return_to.uri().starts_with("https://")
}
