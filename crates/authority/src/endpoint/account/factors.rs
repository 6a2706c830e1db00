//! `/account/factors`: where people set up and remove what they sign in with beside a password.

use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use store::{Removal, StoreError, TotpFactor, User};
use token::id::SubjectId;
use token::secret::Secret;

use super::{PROOF, answered, entered, passkeys, proof, record, record_for, sent};
use crate::endpoint::document;
use crate::endpoint::form::Form;
use crate::endpoint::login::errand::Errand;
use crate::endpoint::login::second;
use crate::endpoint::visit::Visit;
use crate::letters::{FactorChange, Occasion};
use crate::login::factor::{recovery, totp};
use crate::login::half::Offer;
use crate::login::session::{self, Method, SignedIn};
use crate::oauth_error::OAuthError;
use crate::page::enrolment::{EnrolmentPage, RecoveryPage};
use crate::page::factors::{FactorsPage, Held, Notice};
use crate::parameters::Parameters;
use crate::paths::Paths;
use crate::rule::mfa::Require;

const OFFER: &str = "offer";
const CODE: &str = "code";
const FACTOR: &str = "factor";
/// Applications that one person can have.
const MOST: usize = 5;

/// The pages.
pub(crate) fn routes() -> Paths {
    Paths::default()
        .route("/account/factors", get(list))
        .route("/account/factors/add", post(add_one))
        .route("/account/factors/codes", post(renew_codes))
        .route("/account/factors/forget", post(forget))
        .route("/account/factors/passkey", post(passkeys::add_one))
        .route("/account/factors/rename", post(passkeys::rename))
        .route("/account/factors/remove", post(remove))
}

/// `GET /account/factors`
async fn list(visit: Visit) -> Response {
    let shown = async {
        match entered(&visit, &Errand::factors()).await? {
            Ok(person) => page(&visit, &person, Notice::None).await,
            Err(answer) => Ok(answer),
        }
    };
    answered(&visit, shown.await)
}

/// `POST /account/factors/add`: offers a secret, and takes it when a first code of it comes back.
async fn add_one(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::factors()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    answered(&visit, set_up(&visit, &form, &person).await)
}

/// `POST /account/factors/codes`: new recovery codes in place of the old ones.
async fn renew_codes(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (_, person) = match sent(&visit, form, &Errand::factors()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let renewed = async {
        let codes = recovery::generate(visit.authority.random());
        let (store, subject) = (visit.authority.store(), &person.user().id);
        if !store.renew_recovery_codes(subject, recovery::hashes(&codes), visit.now).await? {
            return page(&visit, &person, Notice::Stale).await;
        }
        record(&visit, &person, "factor.codes", subject.as_str()).await?;
        tell(&visit, person.user(), FactorChange::NewCodes);
        Ok(codes_page(&visit, &codes))
    };
    answered(&visit, renewed.await)
}

/// `POST /account/factors/forget`: no browser is remembered any more.
async fn forget(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (_, person) = match sent(&visit, form, &Errand::factors()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let forgotten = async {
        let subject = &person.user().id;
        visit.authority.store().forget_browsers(subject).await?;
        record(&visit, &person, "factor.forget", subject.as_str()).await?;
        page(&visit, &person, Notice::Forgotten).await
    };
    answered(&visit, forgotten.await)
}

/// `POST /account/factors/remove`: the last one stays with whoever has to have one.
async fn remove(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::factors()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let removed = async {
        let (id, user) = (form.value(FACTOR).unwrap_or_default(), person.user());
        let settings = visit.authority.settings();
        let keep_last = user.require_mfa || settings.mfa.require == Require::Always;
        match visit.authority.store().remove_factor(&user.id, id, keep_last).await? {
            Removal::Last => page(&visit, &person, Notice::Last).await,
            Removal::Removed => {
                record(&visit, &person, "factor.remove", id).await?;
                tell(&visit, user, FactorChange::Removed);
                page(&visit, &person, Notice::Removed).await
            }
            Removal::Unknown => page(&visit, &person, Notice::Stale).await,
        }
    };
    answered(&visit, removed.await)
}

async fn set_up(
    visit: &Visit,
    form: &Parameters,
    person: &SignedIn,
) -> Result<Response, StoreError> {
    let (authority, now, user) = (&visit.authority, visit.now, person.user());
    if authority.store().factors_of(&user.id).await?.totp.len() >= MOST {
        return page(visit, person, Notice::Full).await;
    }
    let Some(text) = form.value(OFFER) else {
        let offer = Offer::new(user.id.clone(), authority.random(), now);
        return offered(visit, person, &offer, second::Notice::None);
    };
    let offer = Offer::open(authority.store(), &visit.browser, &user.id, text, now);
    let Some(offer) = offer else { return page(visit, person, Notice::Stale).await };
    let typed = form.value(CODE).unwrap_or_default();
    let Some(step) = totp::fitting(&offer.secret, typed, now) else {
        return offered(visit, person, &offer, second::Notice::NotYet);
    };
    let Some(codes) = add(visit, user, offer, step).await? else {
        return page(visit, person, Notice::Stale).await;
    };
    added(visit, person, &codes, Method::Totp).await
}

/// The answer after something was added, which is proven by that.
pub(super) async fn added(
    visit: &Visit,
    person: &SignedIn,
    codes: &[Secret],
    method: Method,
) -> Result<Response, StoreError> {
    let authority = &visit.authority;
    let response = match codes.is_empty() {
        true => document::see_other(&Errand::factors().url(authority.settings())),
        false => codes_page(visit, codes),
    };
    if person.has_two_factors() {
        return Ok(response);
    }
    let (store, random) = (authority.store(), authority.random());
    let raised = session::raise(store, person, method, random, visit.now).await?;
    Ok(match raised {
        Some((cookie, _)) => visit.with_session_cookies(response, &cookie, &visit.browser),
        None => response,
    })
}

/// Adds a factor whose code of this step was shown, and gives recovery codes to whoever has none left.
/// `None` when it was added before, or the person is gone.
pub(crate) async fn add(
    visit: &Visit,
    user: &User,
    offer: Offer,
    step: u64,
) -> Result<Option<Vec<Secret>>, StoreError> {
    let (store, now) = (visit.authority.store(), visit.now);
    let codes = first_codes(visit, &user.id).await?;
    let factor = TotpFactor {
        id: offer.id,
        subject: user.id.clone(),
        secret: offer.secret.into(),
        last_step: step,
        created_at: now,
        last_used_at: Some(now),
    };
    let hashes = (!codes.is_empty()).then(|| recovery::hashes(&codes));
    match store.add_totp(&factor, hashes).await {
        Ok(true) => {}
        Ok(false) | Err(StoreError::NameTaken { .. }) => return Ok(None),
        Err(error) => return Err(error),
    }
    record_for(visit, &user.id, "factor.add", &factor.id).await?;
    tell(visit, user, FactorChange::Added);
    Ok(Some(codes))
}

/// Somebody is told by mail of what protects their account: it may not have been them.
pub(super) fn tell(visit: &Visit, user: &User, what: FactorChange) {
    let occasion = Occasion::FactorsChanged { username: &user.username, what };
    visit.authority.write(user, &occasion, visit.language(), visit.now);
}

/// Recovery codes for somebody who has none; empty for anybody else.
pub(super) async fn first_codes(
    visit: &Visit,
    subject: &SubjectId,
) -> Result<Vec<Secret>, StoreError> {
    Ok(match visit.authority.store().factors_of(subject).await?.recovery_codes {
        0 => recovery::generate(visit.authority.random()),
        _ => Vec::new(),
    })
}

pub(super) async fn page(
    visit: &Visit,
    person: &SignedIn,
    notice: Notice,
) -> Result<Response, StoreError> {
    let (authority, subject) = (&visit.authority, &person.user().id);
    let held = Held {
        factors: authority.store().factors_of(subject).await?,
        remembered: authority.store().remembered_browsers(subject, visit.now).await?,
        most: MOST,
    };
    let (status, proof) = (notice.status(), proof(visit, person));
    let prompt = passkeys::prompt(visit, person, &held.factors.passkeys, &proof);
    let page = FactorsPage::new(&visit.reader(), person.user(), &held, proof, notice);
    // The challenge in it is bound to the browser.
    Ok(visit.with_browser_cookie(document::page(status, page.inviting(prompt).finish())))
}

fn offered(
    visit: &Visit,
    person: &SignedIn,
    offer: &Offer,
    notice: second::Notice,
) -> Result<Response, StoreError> {
    let (reader, status) = (visit.reader(), notice.status());
    let sealed = offer.seal(visit.authority.store(), &visit.browser)?;
    let hidden = vec![(PROOF, proof(visit, person)), (OFFER, sealed)];
    let page = EnrolmentPage::new(&reader, person.user(), &offer.secret, notice);
    let page = page.for_account(hidden, &reader).finish(None);
    Ok(visit.with_browser_cookie(document::page(status, page)))
}

fn codes_page(visit: &Visit, codes: &[Secret]) -> Response {
    let settings = visit.authority.settings();
    let page = RecoveryPage::new(&visit.reader(), codes, Errand::factors().url(settings));
    document::page(StatusCode::OK, page.finish())
}
