//! The link by which somebody says that it was not them: everything of their account ends.

use store::{Link, LinkPurpose, StoreError};

use super::{Outcome, fields};
use crate::endpoint::account::record_for;
use crate::endpoint::visit::Visit;
use crate::logout;
use crate::page::done::Done;
use crate::page::fields::{FieldsPage, Notice};

const REASON: &str = "its person says that it was not them";

pub(super) fn page(visit: &Visit, notice: &Notice) -> FieldsPage {
    let words = &visit.words().doubt;
    fields(visit, &words.title, &words.button, notice).about(&words.about)
}

/// Ends every session, and takes every token back. The link goes last: cut off in between, it is good for
/// another try, and to end twice is to end once.
pub(super) async fn end(visit: &Visit, link: &Link) -> Result<Outcome, StoreError> {
    let (authority, caller, now) = (&visit.authority, &visit.caller, visit.now);
    let Some(subject) = &link.subject else { return Ok(Outcome::Over) };
    let actor = format!("subject:{subject}");
    logout::everywhere(authority, caller, subject, &actor, REASON, now).await?;
    authority.store().withdraw_link(LinkPurpose::Disown, &link.id).await?;
    record_for(visit, subject, "session.disown", subject.as_str()).await?;
    Ok(Outcome::Done(Done::Disowned))
}
