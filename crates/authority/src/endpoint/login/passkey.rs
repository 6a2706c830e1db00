//! Where the answer of a passkey is sent: in place of a password, or after it.

use axum::response::Response;
use store::{Passkey, StoreError};
use token::event::{EventKind, Who};
use token::secret::Secret;

use super::matter::Behind;
use super::second::{self, Known};
use super::{Notice, PROOF, REQUEST, again, welcome};
use crate::approve;
use crate::endpoint::authorize::refusal::{self, PageRefused};
use crate::endpoint::document;
use crate::endpoint::form::Form;
use crate::endpoint::visit::Visit;
use crate::login::csrf::Purpose;
use crate::login::passkey::{self, Challenge, PasskeyRefused, RelyingParty};
use crate::login::session::{self, Method, Proven, SignedIn};
use crate::oauth_error::OAuthError;
use crate::page::passkey::PasskeyPrompt;
use crate::parameters::Parameters;
use crate::rule::mfa::Step;

const CHALLENGE: &str = "challenge";
const CREDENTIAL: &str = "credential";

/// The question on the sign-in page, where passkeys are possible.
pub(super) fn prompt_first(
    visit: &Visit,
    behind: Behind<'_>,
    proof: &str,
) -> Option<PasskeyPrompt> {
    let hidden = [(REQUEST, behind.text().to_owned()), (PROOF, proof.to_owned())];
    prompt(visit, behind, &[], &hidden, "/login/passkey")
}

/// The question after the password, for one of the person's own.
pub(super) fn prompt_second(
    visit: &Visit,
    behind: Behind<'_>,
    held: &[Passkey],
    hidden: &[(&'static str, String)],
) -> Option<PasskeyPrompt> {
    prompt(visit, behind, held, hidden, "/login/code/passkey")
}

/// `POST /login/passkey`: in place of a password.
pub(crate) async fn first(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, matter) = match second::read(&visit, form).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let (behind, proofs) = (matter.behind(), &visit.authority.desk().proofs);
    let proof = form.value(PROOF).unwrap_or_default();
    if !proofs.check(Purpose::Login, visit.browser.name(), behind.text(), proof) {
        return again(&visit, behind, Notice::Stale);
    }
    let tried = match check(&visit, behind, &form, None).await {
        Ok((passkey, method)) => begin(&visit, behind, &passkey, method).await,
        Err(refused) => Err(refused),
    };
    observe(&visit, &tried).await;
    match tried {
        Ok((cookie, person)) => welcome(&visit, behind, &person.user().username, &cookie),
        Err(PasskeyRefused::Copied { .. }) => again(&visit, behind, Notice::CopiedPasskey),
        Err(PasskeyRefused::Stale) => again(&visit, behind, Notice::Stale),
        Err(PasskeyRefused::Store(error)) => {
            refusal::answer(&visit, PageRefused::Store(error).into())
        }
        Err(refused) => {
            tracing::debug!(cause = %refused, "a passkey is refused");
            again(&visit, behind, Notice::Passkey)
        }
    }
}

/// `POST /login/code/passkey`: after the password.
pub(crate) async fn second(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, matter) = match second::read(&visit, form).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let behind = matter.behind();
    let answered = async {
        match second::known(&visit, behind, &form).await? {
            Ok(known) => prove(&visit, behind, &form, known).await,
            Err(answer) => Ok(answer),
        }
    };
    answered.await.unwrap_or_else(|error: StoreError| {
        refusal::answer(&visit, PageRefused::Store(error).into())
    })
}

async fn prove(
    visit: &Visit,
    behind: Behind<'_>,
    form: &Parameters,
    known: Known,
) -> Result<Response, StoreError> {
    let refused = match check(visit, behind, form, Some(&known)).await {
        Ok((_, method)) => {
            let Some(person) = second::complete(visit, behind, &known, method).await? else {
                return Ok(again(visit, behind, Notice::Stale));
            };
            second::observe(visit, &known, Some(&person.1), "passkey", "ok");
            let onward = behind.onward(visit, known.is_half());
            return Ok(second::signed_in(visit, document::see_other(&onward), &person));
        }
        Err(PasskeyRefused::Store(error)) => return Err(error),
        Err(refused) => refused,
    };
    second::observe(visit, &known, None, "passkey", refused.event_result());
    let notice = match refused {
        PasskeyRefused::Copied { .. } => second::Notice::CopiedPasskey,
        PasskeyRefused::Stale => return Ok(again(visit, behind, Notice::Stale)),
        _ => second::Notice::Passkey,
    };
    Ok(second::ask(visit, behind, &known, Step::Code, notice).await)
}

/// Which passkey has answered the question of this form, and what that proves. Whoever is known already
/// answers with one of theirs.
async fn check(
    visit: &Visit,
    behind: Behind<'_>,
    form: &Parameters,
    known: Option<&Known>,
) -> Result<(Passkey, Method), PasskeyRefused> {
    let (authority, now) = (&visit.authority, visit.now);
    let (store, party) = (authority.store(), relying_party(visit)?);
    let text = form.value(CHALLENGE).unwrap_or_default();
    let challenge = Challenge::open(store, &visit.browser, behind.text(), text, now);
    let challenge = challenge.ok_or(PasskeyRefused::Stale)?;
    use_once(visit, challenge.once())?;
    let answer = passkey::read(form.value(CREDENTIAL).unwrap_or_default())?;
    let held = store.passkey_by_credential(answer.get_credential_id()).await?;
    let held = held.ok_or(PasskeyRefused::Unknown)?;
    // Web Authentication §7.2, step 6: a passkey that tells nobody's handle is good for somebody known alone.
    let is_theirs = known.is_none_or(|known| known.user().id == held.subject);
    let handle_fits = match answer.get_user_unique_id() {
        Some(handle) => handle == held.handle,
        None => known.is_some(),
    };
    if !is_theirs || !handle_fits {
        return Err(PasskeyRefused::Unknown);
    }
    let method = party.check(store, challenge, &answer, &held, now).await?;
    Ok((held, method))
}

/// Begins a session for the person of a passkey.
async fn begin(
    visit: &Visit,
    behind: Behind<'_>,
    passkey: &Passkey,
    method: Method,
) -> Result<(Secret, SignedIn), PasskeyRefused> {
    let (authority, now) = (&visit.authority, visit.now);
    let store = authority.store();
    let user = approve::active_person(store, &passkey.subject, now).await?;
    let user = user.ok_or(PasskeyRefused::Unknown)?;
    let proven = Proven { at: now, first: method, second: None };
    let beginning = visit.beginning(behind.client()).await?;
    Ok(session::start(store, user, &proven, beginning, authority.random(), now).await?)
}

/// Whose passkeys are taken here.
///
/// # Errors
/// [`PasskeyRefused::Unknown`] where there are none.
pub(crate) fn relying_party(visit: &Visit) -> Result<&RelyingParty, PasskeyRefused> {
    visit.authority.desk().passkeys.as_ref().ok_or(PasskeyRefused::Unknown)
}

/// Takes a challenge, which is good once.
///
/// # Errors
/// [`PasskeyRefused::Stale`] when it was taken before.
pub(crate) fn use_once(
    visit: &Visit,
    (id, until): (&str, token::time::Timestamp),
) -> Result<(), PasskeyRefused> {
    match visit.authority.use_assertion(["passkey challenge", id], until, visit.now) {
        true => Ok(()),
        false => Err(PasskeyRefused::Stale),
    }
}

fn prompt(
    visit: &Visit,
    behind: Behind<'_>,
    allowed: &[Passkey],
    hidden: &[(&'static str, String)],
    path: &str,
) -> Option<PasskeyPrompt> {
    let authority = &visit.authority;
    let party = authority.desk().passkeys.as_ref()?;
    let made = || {
        let (options, challenge) = party.ask(allowed, authority.random(), visit.now)?;
        let sealed = challenge.seal(authority.store(), &visit.browser, behind.text())?;
        Ok::<_, PasskeyRefused>((options.to_string(), sealed))
    };
    // Whoever has a password can do without.
    let made =
        made().inspect_err(|error| tracing::error!(cause = %error, "no passkey is asked for"));
    let (options, sealed) = made.ok()?;
    let hidden = hidden.iter().cloned().chain([(CHALLENGE, sealed)]).collect();
    Some(PasskeyPrompt::new(authority.settings(), path, options, hidden))
}

async fn observe(visit: &Visit, tried: &Result<(Secret, SignedIn), PasskeyRefused>) {
    let result = tried.as_ref().map_or_else(PasskeyRefused::event_result, |_| "ok");
    let (user, session) = match tried {
        Ok((_, person)) => (Some(person.user().clone()), Some(person.session().id.clone())),
        // The signature was good, so this is no name that anybody could claim.
        Err(PasskeyRefused::Copied { subject }) => {
            (visit.authority.store().user(subject).await.ok().flatten(), None)
        }
        Err(_) => (None, None),
    };
    let username = user.as_ref().map(|user| visit.authority.hashed_name(&user.username));
    let who = Who { subject: user.map(|user| user.id), session, ..Who::default() };
    let kind = EventKind::Login {
        username: username.unwrap_or_default(),
        result: result.to_owned(),
        factor: "passkey".to_owned(),
        complete: tried.is_ok(),
    };
    visit.emit(who, kind);
}
