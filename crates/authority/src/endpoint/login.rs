//! Where the sign-in form is sent.

pub(crate) mod onward;

use axum::response::Response;
use http::StatusCode;
use store::User;
use token::event::{EventKind, Who};
use token::secret::Secret;

use crate::endpoint::authorize::person::Standing;
use crate::endpoint::authorize::refusal::{self, AuthorizeRefused, PageRefused};
use crate::endpoint::authorize::{self, Evaluated, Request};
use crate::endpoint::document;
use crate::endpoint::form::Form;
use crate::endpoint::visit::Visit;
use crate::login::csrf::Purpose;
use crate::login::password::PasswordError;
use crate::login::session::{self, SignedIn};
use crate::login::{Attempt, SignInRefused};
use crate::oauth_error::OAuthError;
use crate::page::Rendered;
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
    let request = match Request::read(&visit, form.value(REQUEST).unwrap_or_default()) {
        Ok(request) => request,
        Err(refused) => return refusal::answer(&visit, refused.into()),
    };
    if is_blocked(&visit) {
        return refusal::answer(&visit, PageRefused::Blocked.into());
    }
    match authorize::evaluate(&visit, &request).await {
        Ok(evaluated) => decide(&visit, &request, &evaluated, &form).await,
        Err(refused) => refusal::answer(&visit, refused),
    }
}

/// The sign-in page.
pub(crate) fn form(
    visit: &Visit,
    request: &Request,
    evaluated: &Evaluated,
    notice: Notice,
) -> Rendered {
    let proofs = &visit.authority.desk().proofs;
    let current = match &evaluated.standing {
        Standing::Unproven(current) => current.as_ref(),
        Standing::Unasked(person) | Standing::Agreed(person) => Some(person),
    };
    let page = LoginPage::new(visit.authority.settings(), &evaluated.client, &notice);
    let hint = evaluated.demand.login_hint.as_deref();
    page.asking(current.map(|person| person.user().username.as_str()), hint)
        .continuing(&request.text, proofs.make(Purpose::Login, visit.browser.name(), &request.text))
        .finish(evaluated.return_to.uri())
}

async fn decide(
    visit: &Visit,
    request: &Request,
    evaluated: &Evaluated,
    form: &Parameters,
) -> Response {
    let proof = form.value(PROOF).unwrap_or_default();
    let proofs = &visit.authority.desk().proofs;
    if !proofs.check(Purpose::Login, visit.browser.name(), &request.text, proof) {
        return again(visit, request, evaluated, Notice::Stale);
    }
    if form.value(CANCEL).is_some() {
        return authorize::refuse(visit, evaluated, None, &AuthorizeRefused::Denied);
    }
    let (Some(username), Some(password)) = (form.value(USERNAME), form.secret(PASSWORD)) else {
        let username = form.value(USERNAME).unwrap_or_default().to_owned();
        return again(visit, request, evaluated, Notice::Incomplete { username });
    };
    let tried = sign_in(visit, username, password).await;
    observe(visit, username, &tried);
    match tried {
        Ok((cookie, _)) => welcome(visit, request, username, &cookie),
        Err(refused) => again(visit, request, evaluated, notice(username, &refused)),
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

/// On with the request, now as somebody.
fn welcome(visit: &Visit, request: &Request, username: &str, cookie: &Secret) -> Response {
    let path = visit.authority.settings().path("/authorize");
    let onward = format!("{path}?{}", onward::after_sign_in(&request.text));
    let browser = visit.browser.after_sign_in(username, &visit.authority.desk().proofs);
    visit.with_session_cookies(document::see_other(&onward), cookie, &browser)
}

/// The page once more, saying why.
fn again(visit: &Visit, request: &Request, evaluated: &Evaluated, notice: Notice) -> Response {
    let (status, wait) = (status(&notice), notice.wait());
    let page = form(visit, request, evaluated, notice);
    let response = visit.with_browser_cookie(document::page(status, page));
    match wait {
        Some(secs) => document::retry_after(response, secs),
        None => response,
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
