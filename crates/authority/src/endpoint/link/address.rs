//! The link by which somebody shows that an address is theirs.

use store::{Link, StoreError};

use super::{Outcome, fields};
use crate::endpoint::account::record_for;
use crate::endpoint::visit::Visit;
use crate::letters::Occasion;
use crate::page::done::Done;
use crate::page::fields::{FieldsPage, Notice};

pub(super) fn page(visit: &Visit, link: &Link, notice: &Notice) -> FieldsPage {
    let words = &visit.words().link;
    let about = words.address_about.fill(&[("email", &link.address)]);
    fields(visit, &words.address_title, &words.address_button, notice).about(about)
}

/// Gives the account the address.
pub(super) async fn confirm(visit: &Visit, link: &Link) -> Result<Outcome, StoreError> {
    let (authority, now) = (&visit.authority, visit.now);
    let Some(before) = authority.store().confirm_address(&link.hash, now).await? else {
        return Ok(Outcome::Over);
    };
    record_for(visit, &before.id, "user.address", before.id.as_str()).await?;
    // Whoever reads the address before has to learn of it, in case it was not them.
    if before.email.as_ref().is_some_and(|address| *address != link.address) {
        let occasion = Occasion::AddressChanged { username: &before.username };
        authority.write(&before, &occasion, visit.language(), now);
    }
    Ok(Outcome::Done(Done::AddressConfirmed))
}
