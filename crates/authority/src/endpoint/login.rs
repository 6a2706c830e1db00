//! Where the sign-in form is sent.

pub(crate) mod errand;
pub(crate) mod matter;
pub(crate) mod onward;
pub(crate) mod passkey;
pub(crate) mod provider;
pub(crate) mod second;

use axum::response::Response;
use http::StatusCode;
use store::{User, Wrong};
use token::event::{EventKind, Who};
use token::secret::Secret;

use self::errand::Errand;
use self::matter::{Behind, Matter};
use self::second::Known;
use crate::doubt::{Concern, Doubt};
use crate::endpoint::authorize::person::Standing;
use crate::endpoint::authorize::refusal::{self, PageRefused};
use crate::endpoint::authorize::{Evaluated, Request};
use crate::endpoint::form::Form;
use crate::endpoint::visit::Visit;
use crate::endpoint::{document, sign_up};
use crate::login::csrf::Purpose;
use crate::login::half::HalfSignedIn;
use crate::login::password::PasswordError;
use crate::login::puzzle::Puzzle;
use crate::login::session::{self, Method, Proven, SignedIn};
use crate::login::toll::{Comer, Owed, Toll};
use crate::login::{self, Attempt, SignInRefused};
use crate::oauth_error::OAuthError;
use crate::page::Rendered;
use crate::page::login::LoginPage;
pub(crate) use crate::page::login::Notice;
use crate::page::puzzle::PuzzlePrompt;
use crate::parameters::Parameters;
use crate::rule::mfa::{Missing, Step};

const REQUEST: &str = "request";
const PROOF: &str = "csrf";
const USERNAME: &str = "username";
const PASSWORD: &str = "password";
const PUZZLE: &str = "puzzle";
const ANSWER: &str = "answer";
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
    match Matter::read(&visit, form.value(REQUEST).unwrap_or_default()).await {
        Ok(matter) => decide(&visit, matter.behind(), &form).await,
        Err(refused) => refusal::answer(&visit, refused),
    }
}

/// The sign-in page before a page of ours.
pub(crate) fn before(visit: &Visit, errand: &Errand) -> Response {
    let page = page(visit, Behind::Errand(errand), Notice::None);
    visit.with_browser_cookie(document::page(StatusCode::OK, page))
}

/// The sign-in page before an application's request.
pub(crate) fn form(
    visit: &Visit,
    request: &Request,
    evaluated: &Evaluated,
    notice: Notice,
) -> Rendered {
    page(visit, Behind::Request(request, evaluated), notice)
}

/// The sign-in page.
pub(crate) fn page(visit: &Visit, behind: Behind<'_>, notice: Notice) -> Rendered {
    let proofs = &visit.authority.desk().proofs;
    let text = behind.text();
    let proof = proofs.make(Purpose::Login, visit.browser.name(), text);
    let reader = visit.reader();
    let prompt = passkey::prompt_first(visit, behind, &proof);
    let offer = provider::offer(visit, behind);
    let Behind::Request(_, evaluated) = behind else {
        let page = helped(visit, LoginPage::new(&reader, None, &notice)).asking(None, None);
        let page = working(visit, page, notice, None).or_by(prompt).or_at(offer);
        return page.continuing(text, proof).finish(None);
    };
    let current = match &evaluated.standing {
        Standing::Unproven(current) => current.as_ref(),
        Standing::Partial(person, _) | Standing::Unasked(person) | Standing::Agreed(person, _) => {
            Some(person)
        }
    };
    let hint = evaluated.demand.login_hint.as_deref();
    let page = helped(visit, LoginPage::new(&reader, Some(&evaluated.client), &notice))
        .asking(current.map(|person| person.user().username.as_str()), hint);
    working(visit, page, notice, current)
        .or_by(prompt)
        .or_at(offer)
        .continuing(text, proof)
        .finish(Some(evaluated.return_to.uri()))
}

fn helped(visit: &Visit, page: LoginPage) -> LoginPage {
    let authority = &visit.authority;
    page.helping(authority.settings(), authority.sends_letters(), sign_up::is_open(authority))
}

/// With the puzzle that is owed, or will be for the name that is probably meant, unless they are signed in.
fn working(
    visit: &Visit,
    page: LoginPage,
    notice: Notice,
    current: Option<&SignedIn>,
) -> LoginPage {
    let (authority, browser, now) = (&visit.authority, &visit.browser, visit.now);
    let desk = authority.desk();
    let (puzzle, wait) = match notice {
        Notice::Puzzle { puzzle, wait, .. } => (puzzle, wait),
        _ => {
            let demand =
                desk.demand(page.username(), page.username(), browser, visit.caller.ip, now);
            let is_current = current.is_some_and(|person| person.is_named(page.username()));
            let demand = demand.filter(|_| !page.username().is_empty() && !is_current);
            let Some(difficulty) = demand else { return page };
            let puzzle = Puzzle::new(difficulty, authority.random(), now);
            (puzzle, difficulty.wait().as_secs())
        }
    };
    let sealed = puzzle.seal(page.username(), browser, &desk.proofs);
    let words = &visit.words();
    let waiting = words.sign_in.puzzle_waiting.fill(&[("time", &words.wait(wait))]);
    let prompt = PuzzlePrompt::new(authority.settings(), &puzzle, sealed, waiting);
    page.working(prompt)
}

async fn decide(visit: &Visit, behind: Behind<'_>, form: &Parameters) -> Response {
    let proof = form.value(PROOF).unwrap_or_default();
    let proofs = &visit.authority.desk().proofs;
    if !proofs.check(Purpose::Login, visit.browser.name(), behind.text(), proof) {
        return again(visit, behind, Notice::Stale);
    }
    if form.value(CANCEL).is_some() {
        return behind.cancelled(visit);
    }
    let (Some(username), Some(password)) = (form.value(USERNAME), form.secret(PASSWORD)) else {
        let username = form.value(USERNAME).unwrap_or_default().to_owned();
        return again(visit, behind, Notice::Incomplete { username });
    };
    let tried = async {
        let account = login::account_of(visit.authority.store(), username).await?;
        let names = Names { typed: username, account: &account };
        let toll = collect(visit, names, form).await?;
        sign_in(visit, names, password, toll, behind).await
    };
    let tried = tried.await;
    observe(visit, username, &tried);
    match tried {
        Ok(Progress::Complete(cookie, person)) => {
            tell_of_browser(visit, person.user());
            welcome(visit, behind, &person.user().username, &cookie)
        }
        Ok(Progress::Half(known, step)) => {
            second::ask(visit, behind, &known, step, second::Notice::None).await
        }
        Ok(Progress::Unreachable(user)) => behind.unreachable(visit, &user),
        Err(refused) => {
            if let SignInRefused::WrongPassword(subject) = &refused {
                visit.note_failed_try(subject, Wrong::Password);
            }
            again(visit, behind, notice(username, &refused))
        }
    }
}

/// How far a right password leads.
enum Progress {
    /// To a session.
    Complete(Secret, SignedIn),
    /// To the next step.
    Half(Known, Step),
    /// Nowhere.
    Unreachable(User),
}

/// A name as it was typed, and the account that it stands for.
#[derive(Clone, Copy)]
struct Names<'a> {
    typed: &'a str,
    account: &'a str,
}

/// What is asked before a password is looked at.
async fn collect(
    visit: &Visit,
    names: Names<'_>,
    form: &Parameters,
) -> Result<Toll, SignInRefused> {
    let (authority, now) = (&visit.authority, visit.now);
    let comer = Comer {
        username: names.typed,
        account: names.account,
        browser: &visit.browser,
        ip: visit.caller.ip,
        puzzle: form.value(PUZZLE).unwrap_or_default(),
        answer: form.value(ANSWER).unwrap_or_default(),
    };
    let collected = authority.desk().collect(comer, authority.random(), now, |id, until| {
        authority.use_assertion(["sign-in puzzle", id], until, now)
    });
    let Err(owed @ SignInRefused::Owed(_)) = collected else { return collected };
    let person = visit.signed_in().await?;
    let person = person.filter(|person| person.is_named(names.typed));
    person.map(|person| Toll::of_session(&person)).ok_or(owed)
}

async fn sign_in(
    visit: &Visit,
    names: Names<'_>,
    password: Secret,
    toll: Toll,
    behind: Behind<'_>,
) -> Result<Progress, SignInRefused> {
    let (authority, now) = (&visit.authority, visit.now);
    let (ip, browser) = (visit.caller.ip, &visit.browser);
    let attempt =
        Attempt { username: names.typed, account: names.account, password, ip, browser, toll };
    let (store, passwords) = (authority.store(), authority.passwords());
    let user = authority.desk().sign_in(store, passwords, attempt, now).await?;
    Ok(match second::missing(visit, behind.demanded(), &user, false).await? {
        Missing::Nothing => {
            let proven = Proven { at: now, first: Method::Password, second: None };
            let beginning = visit.beginning(behind.client()).await?;
            let random = authority.random();
            let started = session::start(store, user, &proven, beginning, random, now);
            let (cookie, person) = started.await?;
            Progress::Complete(cookie, person)
        }
        Missing::Step(step) => {
            let half = HalfSignedIn { subject: user.id.clone(), at: now, word: None };
            Progress::Half(Known::Half(user, half), step)
        }
        Missing::Unreachable => Progress::Unreachable(user),
    })
}

/// On with what was begun, now as somebody.
pub(super) fn welcome(
    visit: &Visit,
    behind: Behind<'_>,
    username: &str,
    cookie: &Secret,
) -> Response {
    let onward = behind.onward(visit, true);
    let browser = visit.browser.after_sign_in(username, &visit.authority.desk().proofs);
    visit.with_session_cookies(document::see_other(&onward), cookie, &browser)
}

/// Asks somebody whether it was them who signed in with a browser in which they never did; where it is
/// configured. The page does not wait for that.
pub(crate) fn tell_of_browser(visit: &Visit, user: &User) {
    let authority = &visit.authority;
    let proofs = &authority.desk().proofs;
    let is_known = visit.browser.known_as(&user.username, proofs).is_some();
    if authority.settings().notices.new_browser && !is_known {
        let (subject, ip, at) = (user.id.clone(), visit.caller.ip, visit.now);
        let concern = Concern { subject, doubt: Doubt::Browser, ip, at };
        let (asking, language) = (authority.clone(), visit.language());
        authority.later().begin(async move {
            if let Err(error) = asking.ask(&concern, language, at).await {
                tracing::error!(%error, "somebody could not be asked about a sign-in");
            }
        });
    }
}

/// The page once more, saying why.
pub(crate) fn again(visit: &Visit, behind: Behind<'_>, notice: Notice) -> Response {
    let (status, wait) = (status(&notice), notice.wait());
    let page = page(visit, behind, notice);
    let response = visit.with_browser_cookie(document::page(status, page));
    match wait {
        Some(secs) => document::retry_after(response, secs),
        None => response,
    }
}

pub(crate) fn is_blocked(visit: &Visit) -> bool {
    let index = visit.authority.store().index();
    visit.caller.ip.is_some_and(|ip| index.on_network(ip, visit.now).is_some())
}

fn notice(username: &str, refused: &SignInRefused) -> Notice {
    let username = username.to_owned();
    match refused {
        SignInRefused::Disabled => Notice::Disabled { username },
        SignInRefused::Owed(Owed { puzzle, wait }) => {
            let (puzzle, wait) = (puzzle.clone(), wait.as_secs().max(1));
            Notice::Puzzle { username, puzzle, wait }
        }
        SignInRefused::Throttled(throttled) => {
            Notice::Throttled { username, wait: throttled.wait.as_secs().max(1) }
        }
        SignInRefused::UnknownUser | SignInRefused::WrongPassword(_) => Notice::Wrong { username },
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
        Notice::Disabled { .. } | Notice::NoFactor { .. } => StatusCode::FORBIDDEN,
        Notice::Failed { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        Notice::Puzzle { .. } | Notice::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
        Notice::CopiedPasskey
        | Notice::Incomplete { .. }
        | Notice::Passkey
        | Notice::Stale
        | Notice::Wrong { .. } => StatusCode::BAD_REQUEST,
        Notice::Provider(trouble) => trouble.status(),
    }
}

fn observe(visit: &Visit, username: &str, tried: &Result<Progress, SignInRefused>) {
    let (user, session, result) = match tried {
        Ok(Progress::Complete(_, person)) => {
            (Some(person.user()), Some(person.session().id.clone()), "ok")
        }
        Ok(Progress::Half(known, _)) => (Some(known.user()), None, "ok"),
        Ok(Progress::Unreachable(user)) => (Some(user), None, "ok"),
        Err(refused) => (None, None, refused.event_result()),
    };
    let who = Who { subject: user.map(|user| user.id.clone()), session, ..Who::default() };
    let kind = EventKind::Login {
        username: visit.authority.hashed_name(username),
        result: result.to_owned(),
        factor: "password".to_owned(),
        complete: matches!(tried, Ok(Progress::Complete(..))),
    };
    visit.emit(who, kind);
}
