//! What comes after the password: a passkey, a code, or setting up what makes codes.

use axum::response::Response;
use http::StatusCode;
use store::{StoreError, User, Wrong};
use token::event::{EventKind, Who};
use token::opaque::OpaqueHash;
use token::secret::Secret;

use super::errand::Errand;
use super::matter::{Behind, Matter};
use super::passkey;
use super::{CANCEL, PROOF, REQUEST, is_blocked};
use crate::endpoint::account::factors;
use crate::endpoint::authorize::refusal::{self, PageRefused};
use crate::endpoint::form::Form;
use crate::endpoint::visit::Visit;
use crate::endpoint::{document, login};
use crate::login::csrf::Purpose;
use crate::login::factor::{FactorAttempt, FactorRefused, Typed, totp};
use crate::login::half::{HalfSignedIn, Offer, Word};
use crate::login::session::{self, Beginning, Method, Proven, SignedIn};
use crate::oauth_error::OAuthError;
use crate::page::enrolment::{EnrolmentPage, RecoveryPage};
use crate::page::second::CodePage;
pub(crate) use crate::page::second::Notice;
use crate::parameters::Parameters;
use crate::rule::mfa::{Demanded, Missing, Person, Step};

const HALF: &str = "half";
const OFFER: &str = "offer";
const CODE: &str = "code";
const RECOVERY_CODE: &str = "recovery_code";
const REMEMBER: &str = "remember";

/// Somebody who has shown their password, or for whom a provider vouches.
pub(crate) enum Known {
    /// Just now; there is no session yet.
    Half(User, HalfSignedIn),
    /// They are signed in.
    Session(SignedIn),
}

/// What somebody still has to do before they get what they came for.
pub(crate) async fn missing(
    visit: &Visit,
    demanded: Demanded,
    user: &User,
    has_proven: bool,
) -> Result<Missing, StoreError> {
    if has_proven {
        return Ok(Missing::Nothing);
    }
    let (store, policy) = (visit.authority.store(), visit.authority.settings().mfa);
    let person = Person {
        is_required: user.require_mfa,
        has_factor: store.has_factor(&user.id).await?,
        has_proven,
        is_remembered: match visit.remembered_cookie().filter(|_| !policy.remember.is_zero()) {
            Some(cookie) => {
                store.is_remembered(&OpaqueHash::of(cookie), &user.id, visit.now).await?
            }
            None => false,
        },
    };
    Ok(policy.missing(demanded, person))
}

/// The page that comes before a page of ours, where somebody who is signed in has to prove more.
pub(crate) async fn before(
    visit: &Visit,
    errand: &Errand,
    person: &SignedIn,
    demanded: Demanded,
) -> Result<Option<Response>, StoreError> {
    let behind = Behind::Errand(errand);
    match missing(visit, demanded, person.user(), person.has_two_factors()).await? {
        Missing::Nothing => Ok(None),
        Missing::Unreachable => Ok(Some(behind.unreachable(visit, person.user()))),
        Missing::Step(Step::Enrolment) if !person.is_recent(visit.now) => {
            Ok(Some(login::before(visit, errand)))
        }
        Missing::Step(step) => {
            let known = Known::Session(person.clone());
            Ok(Some(ask(visit, behind, &known, step, Notice::None).await))
        }
    }
}

/// The page for a step, perhaps once more and saying why.
pub(crate) async fn ask(
    visit: &Visit,
    behind: Behind<'_>,
    known: &Known,
    step: Step,
    notice: Notice,
) -> Response {
    let now = visit.now;
    let asked = match step {
        Step::Code => code_page(visit, behind, known, notice).await,
        Step::Enrolment => {
            let offer = Offer::new(known.user().id.clone(), visit.authority.random(), now);
            enrolment_page(visit, behind, known, &offer, notice)
        }
    };
    asked.unwrap_or_else(|error| refusal::answer(visit, PageRefused::Store(error).into()))
}

/// `POST /login/code`
pub(crate) async fn code(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, matter) = match read(&visit, form).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let behind = matter.behind();
    let answered = async {
        let known = match known(&visit, behind, &form).await? {
            Ok(known) => known,
            Err(answer) => return Ok(answer),
        };
        let typed = match (form.secret(CODE), form.secret(RECOVERY_CODE)) {
            (Some(code), _) => Typed::Code(code),
            (None, Some(code)) => Typed::Recovery(code),
            (None, None) => {
                return Ok(ask(&visit, behind, &known, Step::Code, Notice::Incomplete).await);
            }
        };
        check(&visit, behind, known, &typed, form.value(REMEMBER).is_some()).await
    };
    answered.await.unwrap_or_else(|error: StoreError| {
        refusal::answer(&visit, PageRefused::Store(error).into())
    })
}

async fn check(
    visit: &Visit,
    behind: Behind<'_>,
    known: Known,
    typed: &Typed,
    remember: bool,
) -> Result<Response, StoreError> {
    let authority = &visit.authority;
    let (ip, browser) = (visit.caller.ip, &visit.browser);
    let attempt = FactorAttempt { user: known.user(), typed, ip, browser };
    match authority.desk().prove(authority.store(), attempt, visit.now).await {
        Err(refused) => {
            observe(visit, &known, None, typed.event_factor(), refused.event_result());
            if matches!(refused, FactorRefused::Replayed | FactorRefused::Wrong) {
                visit.note_failed_try(&known.user().id, Wrong::Code);
            }
            let notice = notice(refused)?;
            Ok(ask(visit, behind, &known, Step::Code, notice).await)
        }
        Ok(method) => {
            let Some(person) = complete(visit, behind, &known, method).await? else {
                return Ok(login::again(visit, behind, login::Notice::Stale));
            };
            observe(visit, &known, Some(&person.1), typed.event_factor(), "ok");
            login::tell_of_browser(visit, person.1.user());
            let onward = behind.onward(visit, known.is_half());
            let response = signed_in(visit, document::see_other(&onward), &person);
            if remember { remembered(visit, response, person.1.user()).await } else { Ok(response) }
        }
    }
}

/// `POST /login/enrol`
pub(crate) async fn enrol(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, matter) = match read(&visit, form).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let behind = matter.behind();
    let answered = async {
        match known(&visit, behind, &form).await? {
            Ok(known) => set_up(&visit, behind, known, &form).await,
            Err(answer) => Ok(answer),
        }
    };
    answered.await.unwrap_or_else(|error: StoreError| {
        refusal::answer(&visit, PageRefused::Store(error).into())
    })
}

async fn set_up(
    visit: &Visit,
    behind: Behind<'_>,
    known: Known,
    form: &Parameters,
) -> Result<Response, StoreError> {
    let store = visit.authority.store();
    // Who has one shows that one: a password alone must not put another beside it.
    if store.has_factor(&known.user().id).await? {
        return Ok(ask(visit, behind, &known, Step::Code, Notice::None).await);
    }
    if !known.is_recent(visit) {
        return Ok(login::again(visit, behind, login::Notice::Stale));
    }
    let text = form.value(OFFER).unwrap_or_default();
    let Some(offer) = Offer::open(store, &visit.browser, &known.user().id, text, visit.now) else {
        return Ok(ask(visit, behind, &known, Step::Enrolment, Notice::Stale).await);
    };
    let typed = form.value(CODE).unwrap_or_default();
    let Some(step) = totp::fitting(&offer.secret, typed, visit.now) else {
        return enrolment_page(visit, behind, &known, &offer, Notice::NotYet);
    };
    let Some(codes) = factors::add(visit, known.user(), offer, step).await? else {
        return Ok(login::again(visit, behind, login::Notice::Stale));
    };
    let Some(person) = complete(visit, behind, &known, Method::Totp).await? else {
        return Ok(login::again(visit, behind, login::Notice::Stale));
    };
    observe(visit, &known, Some(&person.1), "totp", "ok");
    login::tell_of_browser(visit, person.1.user());
    let onward = behind.onward(visit, known.is_half());
    let page = RecoveryPage::new(&visit.reader(), &codes, onward);
    Ok(signed_in(visit, document::page(StatusCode::OK, page.finish()), &person))
}

/// The form, and what is signed in for.
pub(super) async fn read(
    visit: &Visit,
    form: Result<Form, OAuthError>,
) -> Result<(Parameters, Matter), Response> {
    let Form(form) =
        form.map_err(|error| refusal::answer(visit, PageRefused::Form(error).into()))?;
    if is_blocked(visit) {
        return Err(refusal::answer(visit, PageRefused::Blocked.into()));
    }
    let matter = Matter::read(visit, form.value(REQUEST).unwrap_or_default()).await;
    matter.map(|matter| (form, matter)).map_err(|refused| refusal::answer(visit, refused))
}

/// Who sends the form; or the answer, when it is not one that this browser was given, or they go back.
pub(super) async fn known(
    visit: &Visit,
    behind: Behind<'_>,
    form: &Parameters,
) -> Result<Result<Known, Response>, StoreError> {
    let (store, now) = (visit.authority.store(), visit.now);
    let stale = || Ok(Err(login::again(visit, behind, login::Notice::Stale)));
    let proof = form.value(PROOF).unwrap_or_default();
    let proofs = &visit.authority.desk().proofs;
    if !proofs.check(Purpose::Factor, visit.browser.name(), behind.text(), proof) {
        return stale();
    }
    if form.value(CANCEL).is_some() {
        return Ok(Err(behind.cancelled(visit)));
    }
    let Some(text) = form.value(HALF) else {
        let person = visit.signed_in().await?;
        return person.map_or_else(stale, |person| Ok(Ok(Known::Session(person))));
    };
    let half = HalfSignedIn::open(store, &visit.browser, behind.text(), text, now);
    let Some(half) = half else { return stale() };
    let user = session::recognise_half(store, &half.subject, half.at, now).await?;
    user.map_or_else(stale, |user| Ok(Ok(Known::Half(user, half))))
}

/// Begins the session, or raises the one that there is; `None` when that has ended meanwhile.
pub(super) async fn complete(
    visit: &Visit,
    behind: Behind<'_>,
    known: &Known,
    method: Method,
) -> Result<Option<(Secret, SignedIn)>, StoreError> {
    let (store, random) = (visit.authority.store(), visit.authority.random());
    match known {
        Known::Session(person) => session::raise(store, person, method, random, visit.now).await,
        Known::Half(user, half) => {
            let proven = match &half.word {
                Some(word) => word.proven(Some(method)),
                None => Proven { at: half.at, first: Method::Password, second: Some(method) },
            };
            let upstream = half.word.as_ref().map(Word::upstream);
            let (user, beginning) =
                (user.clone(), Beginning { upstream, ..visit.beginning(behind.client()).await? });
            session::start(store, user, &proven, beginning, random, visit.now).await.map(Some)
        }
    }
}

pub(super) fn signed_in(
    visit: &Visit,
    response: Response,
    (cookie, person): &(Secret, SignedIn),
) -> Response {
    let proofs = &visit.authority.desk().proofs;
    let browser = visit.browser.after_sign_in(&person.user().username, proofs);
    visit.with_session_cookies(response, cookie, &browser)
}

async fn remembered(
    visit: &Visit,
    response: Response,
    user: &User,
) -> Result<Response, StoreError> {
    let (authority, life) = (&visit.authority, visit.authority.settings().mfa.remember);
    if life.is_zero() {
        return Ok(response);
    }
    let cookie = visit.new_remembered_cookie();
    let (hash, now) = (OpaqueHash::of(cookie.expose()), visit.now);
    authority.store().remember_browser(&hash, &user.id, now, now.plus(life)).await?;
    Ok(visit.with_remembered_cookie(response, &cookie, life))
}

async fn code_page(
    visit: &Visit,
    behind: Behind<'_>,
    known: &Known,
    notice: Notice,
) -> Result<Response, StoreError> {
    let (status, wait) = (notice.status(), notice.wait());
    let (user, hidden) = (known.user(), hidden(visit, behind, known)?);
    let held = visit.authority.store().factors_of(&user.id).await?;
    let prompt = match held.passkeys.is_empty() {
        true => None,
        false => passkey::prompt_second(visit, behind, &held.passkeys, &hidden),
    };
    let page = CodePage::new(&visit.reader(), behind.client(), user, notice);
    let page = page.asking(!held.totp.is_empty(), prompt);
    let page = page.continuing(hidden).finish(behind.return_to());
    let response = visit.with_browser_cookie(document::page(status, page));
    Ok(match wait {
        Some(secs) => document::retry_after(response, secs),
        None => response,
    })
}

fn enrolment_page(
    visit: &Visit,
    behind: Behind<'_>,
    known: &Known,
    offer: &Offer,
    notice: Notice,
) -> Result<Response, StoreError> {
    let (reader, status) = (visit.reader(), notice.status());
    let mut hidden = hidden(visit, behind, known)?;
    hidden.push((OFFER, offer.seal(visit.authority.store(), &visit.browser)?));
    let page = EnrolmentPage::new(&reader, known.user(), &offer.secret, notice);
    let page = page.at_sign_in(hidden, &reader).finish(behind.return_to());
    Ok(visit.with_browser_cookie(document::page(status, page)))
}

fn hidden(
    visit: &Visit,
    behind: Behind<'_>,
    known: &Known,
) -> Result<Vec<(&'static str, String)>, StoreError> {
    let (store, browser, text) = (visit.authority.store(), &visit.browser, behind.text());
    let proof = visit.authority.desk().proofs.make(Purpose::Factor, browser.name(), text);
    let mut hidden = vec![(REQUEST, text.to_owned()), (PROOF, proof)];
    if let Known::Half(_, half) = known {
        hidden.push((HALF, half.seal(store, browser, text)?));
    }
    Ok(hidden)
}

fn notice(refused: FactorRefused) -> Result<Notice, StoreError> {
    match refused {
        FactorRefused::Replayed => Ok(Notice::Replayed),
        FactorRefused::Store(error) => Err(error),
        FactorRefused::Throttled(throttled) => {
            Ok(Notice::Throttled { wait: throttled.wait.as_secs().max(1) })
        }
        FactorRefused::Wrong => Ok(Notice::Wrong),
    }
}

pub(super) fn observe(
    visit: &Visit,
    known: &Known,
    person: Option<&SignedIn>,
    factor: &str,
    result: &'static str,
) {
    let user = known.user();
    let session = person.map(|person| person.session().id.clone());
    let who = Who { subject: Some(user.id.clone()), session, ..Who::default() };
    let kind = EventKind::Login {
        username: visit.authority.hashed_name(&user.username),
        result: result.to_owned(),
        factor: factor.to_owned(),
        complete: person.is_some(),
    };
    visit.emit(who, kind);
}

// === impl Known ===

impl Known {
    pub(crate) fn user(&self) -> &User {
        match self {
            Self::Half(user, _) => user,
            Self::Session(person) => person.user(),
        }
    }

    pub(super) fn is_half(&self) -> bool {
        matches!(self, Self::Half(..))
    }

    fn is_recent(&self, visit: &Visit) -> bool {
        match self {
            Self::Half(..) => true,
            Self::Session(person) => person.is_recent(visit.now),
        }
    }
}
