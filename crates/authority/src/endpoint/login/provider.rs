//! Signing in at an identity provider: the way there, and the way back.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::StatusCode;
use mail::Address;
use store::{StoreError, User};
use token::event::{EventKind, Who};
use token::term::parameter;

use super::matter::{Behind, Matter};
use super::second::{self, Known};
use super::{Notice, PROOF, again, is_blocked, tell_of_browser, welcome};
use crate::endpoint::account::identities;
use crate::endpoint::answer;
use crate::endpoint::authorize::refusal::{self, PageRefused};
use crate::endpoint::document;
use crate::endpoint::form::Form;
use crate::endpoint::visit::Visit;
use crate::login::csrf::Purpose as Proof;
use crate::login::half::{HalfSignedIn, Word};
use crate::login::session::{self, Beginning, SignedIn};
use crate::oauth_error::OAuthError;
use crate::page::providers::{ProviderOffer, Trouble};
use crate::parameters::Parameters;
use crate::paths::Paths;
use crate::provider::admit::{AdmitRefused, admit};
use crate::provider::exchange::{self, ProviderFailed, Wanted, authorization_url};
use crate::provider::logout::{self, LogoutRefused};
use crate::provider::places::Places;
use crate::provider::trip::{MAX_REQUEST_BYTES, Purpose, Trip};
use crate::provider::{Provider, Vouched};
use crate::rule::mfa::Missing;
use crate::state::Authority;

const PROVIDER: &str = "provider";
const EMAIL: &str = "email";
const LOGOUT_TOKEN: &str = "logout_token";

/// The way there, the way back, and where providers say that a session has ended.
pub(crate) fn routes() -> Paths {
    Paths::default()
        .route("/login/provider", post(leave))
        .route("/login/provider/{provider}", get(back))
        .route("/login/provider/{provider}/logout", post(end))
}

/// What the sign-in page offers.
pub(super) fn offer(visit: &Visit, behind: Behind<'_>) -> Option<ProviderOffer> {
    ProviderOffer::of(&visit.reader(), behind.wanted().hint.as_deref())
}

/// `POST /login/provider`: to the provider that was chosen, or to that of an address.
async fn leave(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, matter) = match second::read(&visit, form).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let (behind, proofs) = (matter.behind(), &visit.authority.desk().proofs);
    let proof = form.value(PROOF).unwrap_or_default();
    if !proofs.check(Proof::Login, visit.browser.name(), behind.text(), proof) {
        return again(&visit, behind, Notice::Stale);
    }
    let trouble = |trouble| again(&visit, behind, Notice::Provider(trouble));
    let Some((provider, address)) = chosen(&visit.authority, &form) else {
        return trouble(Trouble::UnknownDomain);
    };
    if behind.text().len() > MAX_REQUEST_BYTES {
        return trouble(Trouble::LongRequest);
    }
    let wanted = behind.wanted();
    let wanted = Wanted { hint: address.or(wanted.hint), ..wanted };
    let purpose = Purpose::SignIn { request: behind.text().to_owned() };
    match go(&visit, provider, purpose, &wanted).await {
        Ok(response) => response,
        Err(Stopped::Store(error)) => refusal::answer(&visit, PageRefused::Store(error).into()),
        Err(stopped) => {
            observe(&visit, None, stopped.event_result(), false);
            trouble(stopped.trouble(provider))
        }
    }
}

/// By its name, or by the domain of an address; then the address is known, too.
fn chosen<'a>(
    authority: &'a Authority,
    form: &Parameters,
) -> Option<(&'a Provider, Option<String>)> {
    let settings = authority.settings();
    if let Some(name) = form.value(PROVIDER) {
        return settings.provider(name).map(|provider| (provider, None));
    }
    let typed = form.value(EMAIL)?.trim();
    let domain = Address::parse(typed).ok()?.domain();
    let provider = settings.providers.iter().find(|provider| provider.has_domain(&domain))?;
    Some((provider, Some(typed.to_owned())))
}

/// Sends somebody to a provider.
pub(crate) async fn go(
    visit: &Visit,
    provider: &Provider,
    purpose: Purpose,
    wanted: &Wanted,
) -> Result<Response, Stopped> {
    let (authority, now) = (&visit.authority, visit.now);
    let places = places(authority, provider, visit).await?;
    let trip = Trip::new(&provider.name, purpose, authority.random(), now);
    let callback = authority.settings().url(&provider.callback_path());
    let url = authorization_url(provider, &places, &trip, &callback, wanted);
    let sealed = trip.seal(authority.store(), &visit.browser)?;
    let response = visit.with_browser_cookie(document::see_other(url.as_str()));
    Ok(visit.with_trip_cookie(response, &sealed))
}

/// `GET /login/provider/{provider}`: somebody is back, with a code or a refusal (RFC 6749 §4.1.2).
async fn back(visit: Visit, Path(name): Path<String>, RawQuery(query): RawQuery) -> Response {
    if is_blocked(&visit) {
        return refusal::answer(&visit, PageRefused::Blocked.into());
    }
    let query = Parameters::parse(&query.unwrap_or_default()).unwrap_or_default();
    let Some((provider, trip)) = trip(&visit, &name, &query) else {
        return refusal::answer(&visit, PageRefused::Returned.into());
    };
    let response = match &trip.purpose {
        Purpose::SignIn { request } => match Matter::read(&visit, request).await {
            Ok(matter) => sign_in(&visit, provider, &trip, &query, matter.behind()).await,
            Err(refused) => refusal::answer(&visit, refused),
        },
        Purpose::Connect { subject, session } => {
            let asked = (subject, session);
            identities::arrived(&visit, provider, &trip, &query, asked).await
        }
    };
    visit.with_trip_cookie(response, "")
}

/// What this browser took along, when this is what comes back; once.
fn trip<'a>(visit: &'a Visit, name: &str, query: &Parameters) -> Option<(&'a Provider, Trip)> {
    let (authority, now) = (&visit.authority, visit.now);
    let provider = authority.settings().provider(name)?;
    let (state, sealed) = (query.value(parameter::STATE)?, visit.trip_cookie()?);
    let trip = Trip::open(authority.store(), &visit.browser, name, state, sealed, now)?;
    let is_first = authority.use_assertion(["trip to a provider", state], trip.ends_at(), now);
    is_first.then_some((provider, trip))
}

/// Who came back from a provider, by its word.
pub(crate) async fn vouched(
    visit: &Visit,
    provider: &Provider,
    trip: &Trip,
    query: &Parameters,
) -> Result<Vouched, Stopped> {
    let places = places(&visit.authority, provider, visit).await?;
    // Before anything of the answer is used: another provider's code must not reach this one (RFC 9207 §2.4).
    exchange::check_issuer(provider, &places, query.value(parameter::ISS))?;
    if let Some(code) = query.value(parameter::ERROR) {
        return Err(ProviderFailed::refused(code).into());
    }
    let code = query.value(parameter::CODE).ok_or(ProviderFailed::Answer("code"))?;
    let authority = &visit.authority;
    Ok(exchange::vouch(authority, provider, &places, trip, code, visit.now).await?)
}

async fn places(
    authority: &Authority,
    provider: &Provider,
    visit: &Visit,
) -> Result<Arc<Places>, ProviderFailed> {
    let fetcher = authority.fetcher().ok_or(ProviderFailed::NoFetcher)?;
    authority.provider_places().of(provider, fetcher, visit.now).await
}

async fn sign_in(
    visit: &Visit,
    provider: &Provider,
    trip: &Trip,
    query: &Parameters,
    behind: Behind<'_>,
) -> Response {
    let arrived = async {
        let vouched = vouched(visit, provider, trip, query).await?;
        let fresh = behind.wanted().fresh;
        fresh.check(vouched.auth_time, trip.at, visit.now).map_err(ProviderFailed::from)?;
        let (authority, language) = (&visit.authority, visit.language());
        let user = admit(authority, provider, &vouched, language, visit.now).await?;
        Ok::<_, Stopped>((user, word(visit, vouched)))
    };
    match arrived.await {
        Ok((user, word)) => match enter(visit, behind, user, word).await {
            Ok(response) => response,
            Err(error) => refusal::answer(visit, PageRefused::Store(error).into()),
        },
        Err(Stopped::Store(error)) => refusal::answer(visit, PageRefused::Store(error).into()),
        Err(stopped) => {
            tracing::info!(provider = provider.name, cause = %stopped, "a sign-in at a provider came to nothing");
            observe(visit, None, stopped.event_result(), false);
            again(visit, behind, Notice::Provider(stopped.trouble(provider)))
        }
    }
}

/// On with what was begun, or to the next step.
async fn enter(
    visit: &Visit,
    behind: Behind<'_>,
    user: User,
    word: Word,
) -> Result<Response, StoreError> {
    let (authority, now) = (&visit.authority, visit.now);
    match second::missing(visit, behind.demanded(), &user, word.is_sure).await? {
        Missing::Nothing => {
            let beginning = Beginning {
                upstream: Some(word.upstream()),
                ..visit.beginning(behind.client()).await?
            };
            let (store, random) = (authority.store(), authority.random());
            let proven = word.proven(None);
            let started = session::start(store, user, &proven, beginning, random, now);
            let (cookie, person) = started.await?;
            observe(visit, Some((person.user(), Some(&person))), "ok", true);
            tell_of_browser(visit, person.user());
            Ok(welcome(visit, behind, &person.user().username, &cookie))
        }
        Missing::Step(step) => {
            observe(visit, Some((&user, None)), "ok", false);
            let half = HalfSignedIn { subject: user.id.clone(), at: now, word: Some(word) };
            let known = Known::Half(user, half);
            Ok(second::ask(visit, behind, &known, step, second::Notice::None).await)
        }
        Missing::Unreachable => {
            observe(visit, Some((&user, None)), "ok", false);
            Ok(behind.unreachable(visit, &user))
        }
    }
}

/// Where the provider does not say when somebody signed in, it is when it vouched for them.
fn word(visit: &Visit, vouched: Vouched) -> Word {
    Word {
        provider: vouched.provider,
        subject: vouched.subject,
        session: vouched.session,
        auth_time: vouched.auth_time.unwrap_or(visit.now),
        is_sure: vouched.is_sure,
    }
}

fn observe(visit: &Visit, who: Option<(&User, Option<&SignedIn>)>, result: &str, complete: bool) {
    let session = who.and_then(|(_, person)| person.map(|person| person.session().id.clone()));
    let user = who.map(|(user, _)| user);
    let username = user.map(|user| visit.authority.hashed_name(&user.username));
    let who = Who { subject: user.map(|user| user.id.clone()), session, ..Who::default() };
    let kind = EventKind::Login {
        username: username.unwrap_or_default(),
        result: result.to_owned(),
        factor: "sso".to_owned(),
        complete,
    };
    visit.emit(who, kind);
}

/// `POST /login/provider/{provider}/logout` (OpenID Connect Back-Channel Logout 1.0 §2.5, §2.8)
async fn end(
    State(authority): State<Authority>,
    Path(name): Path<String>,
    form: Result<Form, OAuthError>,
) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(error) => return error.into_response(),
    };
    let refused = |words: String| OAuthError::invalid_request(words);
    let Some(provider) = authority.settings().provider(&name) else {
        let words = "there is no identity provider of this name here";
        return refused(words.to_owned()).with_status(StatusCode::NOT_FOUND).into_response();
    };
    let Some(token) = form.value(LOGOUT_TOKEN) else {
        return refused("the parameter `logout_token` is missing".to_owned()).into_response();
    };
    match logout::obey(&authority, provider, token, authority.now()).await {
        Ok(ended) => {
            tracing::info!(provider = name, ended, "a provider has ended sessions");
            answer::empty(StatusCode::OK)
        }
        Err(LogoutRefused::Store(error)) => OAuthError::from(error).into_response(),
        Err(why) => {
            tracing::warn!(provider = name, cause = %why, "a logout token is not obeyed");
            refused(why.to_string()).into_response()
        }
    }
}

/// Why nobody came of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    /// Nobody here.
    #[error(transparent)]
    Admit(AdmitRefused),
    /// The provider's word is not had or not believed.
    #[error(transparent)]
    Provider(#[from] ProviderFailed),
    /// State could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl Stopped ===

impl From<AdmitRefused> for Stopped {
    fn from(refused: AdmitRefused) -> Self {
        match refused {
            AdmitRefused::Store(error) => Self::Store(error),
            other => Self::Admit(other),
        }
    }
}

impl Stopped {
    /// What events call it.
    fn event_result(&self) -> &'static str {
        match self {
            Self::Admit(refused) => refused.event_result(),
            Self::Provider(failed) => failed.event_result(),
            Self::Store(_) => "error",
        }
    }

    /// What its person is told.
    pub(crate) fn trouble(&self, provider: &Provider) -> Trouble {
        let title = provider.title.clone();
        match self {
            Self::Admit(AdmitRefused::AddressKnown) => Trouble::AddressKnown { title },
            Self::Admit(AdmitRefused::Disabled) => Trouble::Disabled,
            Self::Admit(AdmitRefused::Unknown) => Trouble::Unknown { title },
            Self::Admit(AdmitRefused::Store(_)) | Self::Store(_) => Trouble::Unreachable { title },
            Self::Provider(failed) => match failed {
                ProviderFailed::Discovery(_)
                | ProviderFailed::Fetch(_)
                | ProviderFailed::NoFetcher
                | ProviderFailed::NoPlace(_)
                | ProviderFailed::Unsigned => Trouble::Unreachable { title },
                ProviderFailed::NotFresh(_) => Trouble::NotFresh { title },
                ProviderFailed::Refused(code) => match code.as_str() {
                    "access_denied" => Trouble::Cancelled { title },
                    "server_error" | "temporarily_unavailable" => Trouble::Unreachable { title },
                    _ => Trouble::Refused { title },
                },
                ProviderFailed::Answer(_)
                | ProviderFailed::IdToken(_)
                | ProviderFailed::Issuer
                | ProviderFailed::Subject => Trouble::NotBelieved { title },
            },
        }
    }
}
