//! Where people set up and remove what they prove beside a password.

use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use store::{StoreError, TotpFactor, User};
use token::secret::Secret;

use crate::endpoint::account::{self, PROOF, Sent, answered, proof, record};
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

const OFFER: &str = "offer";
const CODE: &str = "code";
const FACTOR: &str = "factor";
/// Applications that one person can have.
const MOST: usize = 5;

/// The pages.
pub(super) fn routes() -> Paths {
    Paths::default()
        .route("/account/factors", get(list))
        .route("/account/factors/add", post(add_one))
        .route("/account/factors/codes", post(renew_codes))
        .route("/account/factors/forget", post(forget))
        .route("/account/factors/remove", post(remove))
}

/// `GET /account/factors`
async fn list(visit: Visit) -> Response {
    let shown = async {
        match account::entered(&visit, &Errand::factors()).await? {
            Ok(person) => page(&visit, &person, Notice::None).await,
            Err(answer) => Ok(answer),
        }
    };
    answered(&visit, shown.await)
}

/// `POST /account/factors/add`: offers a secret, and takes it when a first code of it comes back.
async fn add_one(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    answered(&visit, set_up(&visit, &form, &person).await)
}

/// `POST /account/factors/codes`: new recovery codes in place of the old ones.
async fn renew_codes(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (_, person) = match sent(&visit, form).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let renewed = async {
        let codes = recovery::generate(visit.authority.random());
        let (store, subject) = (visit.authority.store(), &person.user().id);
        if !store.renew_recovery_codes(subject, recovery::hashes(&codes), visit.now).await? {
            return page(&visit, &person, Notice::Stale).await;
        }
        record(&visit, subject.as_str(), "factor.codes", subject.as_str()).await?;
        tell(&visit, person.user(), FactorChange::NewCodes);
        Ok(codes_page(&visit, &codes))
    };
    answered(&visit, renewed.await)
}

/// `POST /account/factors/forget`: no browser is remembered any more.
async fn forget(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (_, person) = match sent(&visit, form).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let forgotten = async {
        let subject = &person.user().id;
        visit.authority.store().forget_browsers(subject).await?;
        record(&visit, subject.as_str(), "factor.forget", subject.as_str()).await?;
        page(&visit, &person, Notice::Forgotten).await
    };
    answered(&visit, forgotten.await)
}

/// `POST /account/factors/remove`
async fn remove(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let removed = async {
        let (id, subject) = (form.value(FACTOR).unwrap_or_default(), &person.user().id);
        if !visit.authority.store().remove_factor(subject, id).await? {
            return page(&visit, &person, Notice::Stale).await;
        }
        record(&visit, subject.as_str(), "factor.remove", id).await?;
        tell(&visit, person.user(), FactorChange::Removed);
        page(&visit, &person, Notice::Removed).await
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
    let response = match codes.is_empty() {
        true => document::see_other(&Errand::factors().url(authority.settings())),
        false => codes_page(visit, &codes),
    };
    if person.has_two_factors() {
        return Ok(response);
    }
    let (store, random) = (authority.store(), authority.random());
    let raised = session::raise(store, person, Method::Totp, random, now).await?;
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
    let codes = match store.factors_of(&user.id).await?.recovery_codes {
        0 => recovery::generate(visit.authority.random()),
        _ => Vec::new(),
    };
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
    record(visit, user.id.as_str(), "factor.add", &factor.id).await?;
    tell(visit, user, FactorChange::Added);
    Ok(Some(codes))
}

fn tell(visit: &Visit, user: &User, what: FactorChange) {
    let occasion = Occasion::FactorsChanged { username: &user.username, what };
    visit.authority.write(user, &occasion, visit.now);
}

/// A form of the page, and who sent it.
async fn sent(
    visit: &Visit,
    form: Result<Form, OAuthError>,
) -> Result<(Parameters, SignedIn), Response> {
    match account::sent(visit, form, &Errand::factors()).await? {
        Sent::Proven(form, person) => Ok((form, person)),
        Sent::Stale(person) => Err(answered(visit, page(visit, &person, Notice::Stale).await)),
    }
}

async fn page(visit: &Visit, person: &SignedIn, notice: Notice) -> Result<Response, StoreError> {
    let (authority, subject) = (&visit.authority, &person.user().id);
    let held = Held {
        factors: authority.store().factors_of(subject).await?,
        remembered: authority.store().remembered_browsers(subject, visit.now).await?,
        most: MOST,
    };
    let status = notice.status();
    let proof = proof(visit, person);
    let page = FactorsPage::new(authority.settings(), person.user(), &held, proof, notice);
    Ok(document::page(status, page.finish()))
}

fn offered(
    visit: &Visit,
    person: &SignedIn,
    offer: &Offer,
    notice: second::Notice,
) -> Result<Response, StoreError> {
    let (settings, status) = (visit.authority.settings(), notice.status());
    let sealed = offer.seal(visit.authority.store(), &visit.browser)?;
    let hidden = vec![(PROOF, proof(visit, person)), (OFFER, sealed)];
    let page = EnrolmentPage::new(settings, person.user(), &offer.secret, notice);
    let page = page.for_account(hidden, settings).finish(None);
    Ok(visit.with_browser_cookie(document::page(status, page)))
}

fn codes_page(visit: &Visit, codes: &[Secret]) -> Response {
    let settings = visit.authority.settings();
    let page = RecoveryPage::new(settings, codes, Errand::factors().url(settings));
    document::page(StatusCode::OK, page.finish())
}
