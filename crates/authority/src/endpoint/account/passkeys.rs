//! Where people add and name their passkeys.

use axum::response::Response;
use store::{Passkey, StoreError};

use super::factors::{self, page};
use super::{PROOF, answered, record, sent};
use crate::endpoint::form::Form;
use crate::endpoint::login::errand::Errand;
use crate::endpoint::login::passkey::{relying_party, use_once};
use crate::endpoint::visit::Visit;
use crate::letters::FactorChange;
use crate::login::factor::recovery;
use crate::login::passkey::{Invitation, PasskeyRefused};
use crate::login::session::SignedIn;
use crate::login::user_agent::Software;
use crate::oauth_error::OAuthError;
use crate::page::factors::Notice;
use crate::page::passkey::PasskeyPrompt;
use crate::parameters::Parameters;
use crate::register;

const CHALLENGE: &str = "challenge";
const CREDENTIAL: &str = "credential";
const FACTOR: &str = "factor";
const NAME: &str = "name";
/// Passkeys that one person can have.
pub(super) const MOST: usize = 10;
const MAX_NAME_CHARS: usize = 64;

/// `POST /account/factors/passkey`: takes the passkey that a device has just made.
pub(super) async fn add_one(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::factors()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let added = match add(&visit, &person, &form).await {
        Ok(response) => Ok(response),
        Err(PasskeyRefused::Store(StoreError::NameTaken { .. })) => {
            page(&visit, &person, Notice::PasskeyHeld).await
        }
        Err(PasskeyRefused::Store(error)) => Err(error),
        Err(PasskeyRefused::Stale) => page(&visit, &person, Notice::Stale).await,
        Err(refused) => {
            tracing::debug!(cause = %refused, "a new passkey is refused");
            page(&visit, &person, Notice::PasskeyRefused).await
        }
    };
    answered(&visit, added)
}

/// `POST /account/factors/rename`
pub(super) async fn rename(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::factors()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let renamed = async {
        let (id, subject) = (form.value(FACTOR).unwrap_or_default(), &person.user().id);
        let Some(name) = name(&form) else {
            return page(&visit, &person, Notice::Name).await;
        };
        if !visit.authority.store().rename_passkey(subject, id, &name).await? {
            return page(&visit, &person, Notice::Stale).await;
        }
        record(&visit, &person, "factor.rename", id).await?;
        page(&visit, &person, Notice::None).await
    };
    answered(&visit, renamed.await)
}

/// The invitation on the page, where passkeys are possible and there is room for one.
pub(super) fn prompt(
    visit: &Visit,
    person: &SignedIn,
    held: &[Passkey],
    proof: &str,
) -> Option<PasskeyPrompt> {
    let authority = &visit.authority;
    let party = authority.desk().passkeys.as_ref().filter(|_| held.len() < MOST)?;
    let made = || {
        let (options, invitation) =
            party.invite(person.user(), held, authority.random(), visit.now)?;
        let sealed = invitation.seal(authority.store(), &visit.browser)?;
        Ok::<_, PasskeyRefused>((options.to_string(), sealed))
    };
    let made = made().inspect_err(|error| tracing::error!(cause = %error, "no passkey is offered"));
    let (options, sealed) = made.ok()?;
    let hidden = vec![(PROOF, proof.to_owned()), (CHALLENGE, sealed)];
    Some(PasskeyPrompt::new(authority.settings(), "/account/factors/passkey", options, hidden))
}

async fn add(
    visit: &Visit,
    person: &SignedIn,
    form: &Parameters,
) -> Result<Response, PasskeyRefused> {
    let (store, subject) = (visit.authority.store(), &person.user().id);
    if store.factors_of(subject).await?.passkeys.len() >= MOST {
        return Ok(page(visit, person, Notice::Full).await?);
    }
    let text = form.value(CHALLENGE).unwrap_or_default();
    let invitation = Invitation::open(store, &visit.browser, subject, text, visit.now);
    let invitation = invitation.ok_or(PasskeyRefused::Stale)?;
    use_once(visit, invitation.once())?;
    let words = visit.words();
    let agent = visit.caller.user_agent.as_deref().map(|text| Software::of(text).spoken(&words));
    let name = name(form).or(agent).unwrap_or_else(|| String::from(&words.factors.passkey));
    let answer = form.value(CREDENTIAL).unwrap_or_default();
    let (passkey, method) = relying_party(visit)?.accept(invitation, answer, name, visit.now)?;
    let codes = factors::first_codes(visit, subject).await?;
    let hashes = (!codes.is_empty()).then(|| recovery::hashes(&codes));
    if !store.add_passkey(&passkey, hashes).await? {
        return Err(PasskeyRefused::Unknown);
    }
    record(visit, person, "factor.add", &passkey.id).await?;
    factors::tell(visit, person.user(), FactorChange::Added);
    Ok(factors::added(visit, person, &codes, method).await?)
}

fn name(form: &Parameters) -> Option<String> {
    let name = form.value(NAME)?.trim();
    let fits = name.chars().count() <= MAX_NAME_CHARS && register::is_visible(name);
    (fits && !name.is_empty()).then(|| name.to_owned())
}
