//! Where the sign-in form is sent.

pub(crate) mod errand;
pub(crate) mod onward;

use axum::response::Response;
use http::StatusCode;
use store::User;
use token::event::{EventKind, Who};
use token::secret::Secret;

use self::errand::Errand;
use crate::endpoint::authorize::person::Standing;
use crate::endpoint::authorize::refusal::{self, AuthorizeRefused, PageRefused};
use crate::endpoint::authorize::{self, Evaluated, Request};
use crate::endpoint::document;
use crate::endpoint::done;
use crate::endpoint::form::Form;
use crate::endpoint::visit::Visit;
use crate::login::csrf::Purpose;
use crate::login::password::PasswordError;
use crate::login::session::{self, SignedIn};
use crate::login::{Attempt, SignInRefused};
use crate::oauth_error::OAuthError;
use crate::page::Rendered;
use crate::page::done::Done;
use crate::page::login::LoginPage;
pub(crate) use crate::page::login::Notice;
use crate::parameters::Parameters;

const REQUEST: &str = "request";
const PROOF: &str = "csrf";
const USERNAME: &str = "username";
const PASSWORD: &str = "password";
/// Only the second button of the form has it.
const CANCEL: &str = "cancel";

/// `POST /login`
pub(crate) async fn login(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let form = match form {
        Ok(Form(parameters)) => parameters,
        Err(error) => return refusal::answer(&visit, PageRefused::Form(error).into()),
    };
    if is_blocked(&visit) {
        return refusal::answer(&visit, PageRefused::Blocked.into());
    }
    let text = form.value(REQUEST).unwrap_or_default();
    if let Some(errand) = Errand::read(text) {
        return decide(&visit, &Behind::Errand(&errand), &form).await;
    }
    let request = match Request::read(&visit, text).await {
        Ok(request) => request,
        Err(refused) => return refusal::answer(&visit, refused.into()),
    };
    match authorize::evaluate(&visit, &request).await {
        Ok(evaluated) => decide(&visit, &Behind::Request(&request, &evaluated), &form).await,
        Err(refused) => refusal::answer(&visit, refused),
    }
}

/// What a person signs in for.
enum Behind<'a> {
    /// A page of ours.
    Errand(&'a Errand),
    /// An application's request.
    Request(&'a Request, &'a Evaluated),
}

/// The sign-in page before a page of ours.
pub(crate) fn before(visit: &Visit, errand: &Errand) -> Response {
    let page = page(visit, &Behind::Errand(errand), Notice::None);
    visit.with_browser_cookie(document::page(StatusCode::OK, page))
}

/// The sign-in page before an application's request.
pub(crate) fn form(
    visit: &Visit,
    request: &Request,
    evaluated: &Evaluated,
    notice: Notice,
) -> Rendered {
    page(visit, &Behind::Request(request, evaluated), notice)
}

fn page(visit: &Visit, behind: &Behind<'_>, notice: Notice) -> Rendered {
    let proofs = &visit.authority.desk().proofs;
    let text = behind.text();
    let proof = proofs.make(Purpose::Login, visit.browser.name(), text);
    let settings = visit.authority.settings();
    let Behind::Request(_, evaluated) = behind else {
        let page = LoginPage::new(settings, None, &notice).asking(None, None);
        return page.continuing(text, proof).finish(None);
    };
    let current = match &evaluated.standing {
        Standing::Unproven(current) => current.as_ref(),
        Standing::Unasked(person) | Standing::Agreed(person) => Some(person),
    };
    let hint = evaluated.demand.login_hint.as_deref();
    LoginPage::new(settings, Some(&evaluated.client), &notice)
        .asking(current.map(|person| person.user().username.as_str()), hint)
        .continuing(text, proof)
        .finish(Some(evaluated.return_to.uri()))
}

async fn decide(visit: &Visit, behind: &Behind<'_>, form: &Parameters) -> Response {
    let proof = form.value(PROOF).unwrap_or_default();
    let proofs = &visit.authority.desk().proofs;
    if !proofs.check(Purpose::Login, visit.browser.name(), behind.text(), proof) {
        return again(visit, behind, Notice::Stale);
    }
    if form.value(CANCEL).is_some() {
        return match behind {
            Behind::Errand(_) => done::answer(visit, Done::NothingChanged),
            Behind::Request(_, evaluated) => {
                authorize::refuse(visit, evaluated, None, &AuthorizeRefused::Denied)
            }
        };
    }
    let (Some(username), Some(password)) = (form.value(USERNAME), form.secret(PASSWORD)) else {
        let username = form.value(USERNAME).unwrap_or_default().to_owned();
        return again(visit, behind, Notice::Incomplete { username });
    };
    let tried = sign_in(visit, username, password).await;
    observe(visit, username, &tried);
    match tried {
        Ok((cookie, _)) => welcome(visit, behind, username, &cookie),
        Err(refused) => again(visit, behind, notice(username, &refused)),
    }
}

async fn sign_in(
    visit: &Visit,
    username: &str,
    password: Secret,
) -> Result<(Secret, SignedIn), SignInRefused> {
    let authority = &visit.authority;
    let attempt = Attempt { username, password, ip: visit.caller.ip, browser: &visit.browser };
    let (store, passwords) = (authority.store(), authority.passwords());
    let user: User = authority.desk().sign_in(store, passwords, attempt, visit.now).await?;
    let life = authority.settings().session_life;
    Ok(session::start(store, user, life, authority.random(), visit.now).await?)
}

/// On with what was begun, now as somebody.
fn welcome(visit: &Visit, behind: &Behind<'_>, username: &str, cookie: &Secret) -> Response {
    let settings = visit.authority.settings();
    let onward = match behind {
        Behind::Errand(errand) => errand.url(settings),
        Behind::Request(request, _) => {
            let path = settings.path("/authorize");
            format!("{path}?{}", onward::after_sign_in(&request.text))
        }
    };
    let browser = visit.browser.after_sign_in(username, &visit.authority.desk().proofs);
    visit.with_session_cookies(document::see_other(&onward), cookie, &browser)
}

/// The page once more, saying why.
fn again(visit: &Visit, behind: &Behind<'_>, notice: Notice) -> Response {
    let (status, wait) = (status(&notice), notice.wait());
    let page = page(visit, behind, notice);
    let response = visit.with_browser_cookie(document::page(status, page));
    match wait {
        Some(secs) => document::retry_after(response, secs),
        None => response,
    }
}

// === impl Behind ===

impl Behind<'_> {
    /// What the form brings back.
    fn text(&self) -> &str {
        match self {
            Self::Errand(errand) => errand.text(),
            Self::Request(request, _) => &request.text,
        }
    }
}

fn is_blocked(visit: &Visit) -> bool {
    let index = visit.authority.store().index();
    visit.caller.ip.is_some_and(|ip| index.on_network(ip, visit.now).is_some())
}

fn notice(username: &str, refused: &SignInRefused) -> Notice {
    let username = username.to_owned();
    match refused {
        SignInRefused::Disabled => Notice::Disabled { username },
        SignInRefused::Throttled(throttled) => {
            Notice::Throttled { username, wait: throttled.wait.as_secs().max(1) }
        }
        SignInRefused::UnknownUser | SignInRefused::WrongPassword => Notice::Wrong { username },
        SignInRefused::Password(PasswordError::Busy) => Notice::Busy { username },
        SignInRefused::Password(_) | SignInRefused::Store(_) => {
            tracing::error!(cause = %refused, "sign-in failed");
            Notice::Failed { username }
        }
    }
}

fn status(notice: &Notice) -> StatusCode {
    match notice {
        Notice::None => StatusCode::OK,
        Notice::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Notice::Disabled { .. } => StatusCode::FORBIDDEN,
        Notice::Failed { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        Notice::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
        Notice::Incomplete { .. } | Notice::Stale | Notice::Wrong { .. } => StatusCode::BAD_REQUEST,
    }
}

fn observe(visit: &Visit, username: &str, tried: &Result<(Secret, SignedIn), SignInRefused>) {
    let (who, result) = match tried {
        Ok((_, person)) => {
            let subject = Some(person.user().id.clone());
            let session = Some(person.session().id.clone());
            (Who { subject, session, ..Who::default() }, "ok")
        }
        Err(refused) => (Who::default(), refused.event_result()),
    };
    let kind = EventKind::Login {
        username: visit.authority.hashed_name(username),
        result: result.to_owned(),
        factor: "password".to_owned(),
        complete: tried.is_ok(),
    };
    visit.emit(who, kind);
}
