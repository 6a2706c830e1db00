//! The links by which somebody makes an account: they asked for it, or were invited.

use store::{Link, LinkPurpose, StoreError, User};
use token::id::SubjectId;

use super::{Outcome, fields};
use crate::endpoint::account::password::new_password;
use crate::endpoint::account::record_for;
use crate::endpoint::visit::Visit;
use crate::language::Text;
use crate::page::done::Done;
use crate::page::fields::{Field, FieldsPage, Kind, Notice};
use crate::parameters::Parameters;
use crate::person;

const USERNAME: &str = "username";
const NAME: &str = "name";
const PASSWORD: &str = "password";

/// The page; `None` where no accounts are made so any more.
pub(super) fn page(
    visit: &Visit,
    link: &Link,
    form: &Parameters,
    notice: &Notice,
) -> Option<FieldsPage> {
    let typed = |name, proposed: &Option<String>| {
        form.value(name).or(proposed.as_deref()).unwrap_or_default().to_owned()
    };
    let words = &visit.words().link;
    let page = fields(visit, &words.entry_title, &words.entry_button, notice)
        .about(words.entry_about.fill(&[("email", &link.address)]))
        .field(
            Field::new(USERNAME, &visit.words().sign_in.username, Kind::Username)
                .holding(&typed(USERNAME, &link.username)),
        )
        .field(
            Field::new(NAME, &words.name, Kind::Name).holding(&typed(NAME, &link.name)).optional(),
        )
        .field(new_password(visit, PASSWORD));
    is_open(visit, link).then_some(page)
}

/// Makes the account.
pub(super) async fn make(
    visit: &Visit,
    link: &Link,
    form: &Parameters,
) -> Result<Outcome, StoreError> {
    let (authority, now) = (&visit.authority, visit.now);
    if !is_open(visit, link) {
        return Ok(Outcome::Over);
    }
    let words = visit.words();
    let again = |words: &Text| Ok(Outcome::Again(Notice::wrong(words)));
    let (Some(username), Some(password)) = (form.value(USERNAME), form.secret(PASSWORD)) else {
        return again(&words.link.entry_incomplete);
    };
    let name = form.value(NAME).map(str::trim).filter(|name| !name.is_empty());
    let username = person::normalised(username);
    if person::check_username(&username).is_err() {
        return again(&words.link.username_bad);
    }
    if person::check_name(name).is_err() {
        return again(&words.link.name_bad);
    }
    // Whoever has a link can find out names that are taken; not many at a time.
    if let Err(throttled) = authority.limits().letter_from(visit.caller.ip, now) {
        return Ok(Outcome::Again(Notice::throttled(throttled, &words)));
    }
    let mut user = User {
        id: SubjectId::generate(authority.random()),
        username,
        password_hash: None,
        name: name.map(str::to_owned),
        email: Some(link.address.clone()),
        email_verified: true,
        claims: Default::default(),
        disabled: false,
        require_mfa: false,
        created_at: now,
    };
    match authority.hash_password(password, &user, visit.caller.ip).await {
        Ok(hash) => user.password_hash = Some(hash),
        Err(error) => return Ok(Outcome::Again(Notice::of_password(&error, &words))),
    }
    match authority.store().create_user_by_link(&link.hash, &user, now).await {
        Ok(true) => {}
        Ok(false) => return Ok(Outcome::Over),
        Err(StoreError::NameTaken { .. }) => {
            return again(&words.link.username_taken);
        }
        Err(error) => return Err(error),
    }
    record_for(visit, &user.id, "user.create", user.id.as_str()).await?;
    Ok(Outcome::Known(Done::AccountMade, user.username))
}

/// Whether such links are still good: an administrator may have closed the door since.
fn is_open(visit: &Visit, link: &Link) -> bool {
    let sign_up = &visit.authority.settings().sign_up;
    match link.purpose {
        LinkPurpose::Invitation => sign_up.has_invitations(),
        LinkPurpose::SignUp => sign_up.is_open(),
        LinkPurpose::Address | LinkPurpose::Disown | LinkPurpose::Reset => false,
    }
}
