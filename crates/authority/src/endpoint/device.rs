//! Devices without a keyboard: where they ask, and where their people decide (RFC 8628 §3.1 to §3.3).

use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use store::{Client, StoreError, Waiting, WaitingKind};
use token::event::{EventKind, Who};
use token::id::GrantId;
use token::opaque::{Family, OpaqueHash};
use token::term::{GrantType, parameter};
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::approve;
use crate::caller::Caller;
use crate::client_auth::AuthenticatedClient;
use crate::endpoint::authorize::refusal::{self, PageRefused};
use crate::endpoint::form::Form;
use crate::endpoint::login::errand::Errand;
use crate::endpoint::login::second;
use crate::endpoint::token::authenticate;
use crate::endpoint::visit::Visit;
use crate::endpoint::{answer, consent, document, done, login};
use crate::grant::GrantRefused;
use crate::login::csrf::Purpose;
use crate::login::session::SignedIn;
use crate::login::throttle::{Place, Throttled};
use crate::oauth_error::OAuthError;
use crate::page::device::{Asked, CodePage, ConfirmPage, Notice};
use crate::page::done::Done;
use crate::parameters::Parameters;
use crate::paths::Paths;
use crate::polls;
use crate::rule::mfa::Demanded;
use crate::rule::{authorization_details, profile, resource, scope, user_code};
use crate::state::Authority;

const PROOF: &str = "csrf";
const DECISION: &str = "decision";
/// Codes are short: two that are alike can be made, and then another is.
const TRIES: usize = 5;

/// The pages.
pub(crate) fn routes() -> Paths {
    Paths::default()
        .route("/device", get(enter).post(find))
        .route("/device/decision", post(decide))
        .route("/device/qr", get(qr))
}

/// RFC 8628 §3.2; `verification_uri_qr` is an image of `verification_uri_complete`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Started {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    verification_uri_qr: String,
    expires_in: u64,
    interval: u64,
}

/// `POST /device_authorization`
pub(crate) async fn start(
    State(authority): State<Authority>,
    caller: Caller,
    headers: HeaderMap,
    Form(parameters): Form,
) -> Result<Response, OAuthError> {
    let now = authority.now();
    let client = authenticate(&authority, &caller, &headers, &parameters, now).await?;
    if client.is_public() {
        authority.limits().kept(caller.ip, now).map_err(|t| OAuthError::throttled(&t))?;
    }
    let (device_code, user_code, hash) =
        keep(&authority, &caller, &client, &parameters, now).await?;
    let (step, code) = ("started".to_owned(), Some(authority.hashed_code(&hash)));
    authority.emit(&caller, client.who(), EventKind::Device { step, code }, now);
    let settings = authority.settings();
    let page = settings.url("/device");
    Ok(answer::json(
        StatusCode::OK,
        &Started {
            device_code,
            verification_uri_complete: format!("{page}?user_code={user_code}"),
            verification_uri_qr: format!("{page}/qr?user_code={user_code}"),
            verification_uri: page,
            user_code,
            expires_in: settings.device_code_life.as_secs(),
            interval: polls::INTERVAL.as_secs(),
        },
    ))
}

async fn keep(
    authority: &Authority,
    caller: &Caller,
    client: &AuthenticatedClient,
    parameters: &Parameters,
    now: Timestamp,
) -> Result<(String, String, OpaqueHash), GrantRefused> {
    approve::grant_type(client, GrantType::DeviceCode)?;
    let (settings, registered) = (authority.settings(), client.client());
    let asked = parameters.value(parameter::SCOPE);
    let (may, usual) = (&registered.scopes, &registered.default_scopes);
    let scopes = scope::requested_of_person(asked, may, usual, &settings.ladder)?;
    let audiences = resource::requested(parameters.all(parameter::RESOURCE), &scopes, settings)?;
    let scopes = scope::fitting(&scopes, &audiences, settings)?;
    let details = authorization_details::requested(
        parameters.value(parameter::AUTHORIZATION_DETAILS),
        &settings.authorization_details,
        &registered.options.authorization_details_types,
        || settings.audiences(),
    )?;
    let device_code = Family::Device.generate(authority.random());
    let hash = OpaqueHash::of(device_code.expose());
    for _ in 0..TRIES {
        let user_code = user_code::generate(authority.random());
        let request = Waiting {
            hash,
            kind: WaitingKind::Device,
            user_code: Some(OpaqueHash::of(&user_code)),
            client: client.id().clone(),
            subject: None,
            scopes: scopes.clone(),
            audiences: audiences.clone(),
            details: details.clone(),
            message: None,
            asked_from: caller.ip.map(|ip| ip.to_string()),
            asked_by: caller.user_agent.clone(),
            asked_at: now,
            expires_at: now.plus(settings.device_code_life),
            notify: None,
        };
        match authority.store().save_waiting(&request).await {
            Err(StoreError::NameTaken { .. }) => {}
            Err(error) => return Err(error.into()),
            Ok(()) => return Ok((device_code.expose().to_owned(), user_code, hash)),
        }
    }
    Err(StoreError::Overloaded.into())
}

/// `GET /device`: where the code is typed.
async fn enter(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::parse(&query.unwrap_or_default()).unwrap_or_default();
    let code = parameters.value(parameter::USER_CODE).and_then(user_code::normal);
    match signed_in(&visit).await {
        Ok(Some(person)) => {
            let errand = Errand::device(code.as_deref());
            match second::before(&visit, &errand, &person, Demanded::default()).await {
                Ok(Some(first)) => first,
                Ok(None) => {
                    code_page(&visit, &person, code.as_deref().unwrap_or_default(), Notice::None)
                }
                Err(error) => refusal::answer(&visit, PageRefused::Store(error).into()),
            }
        }
        Ok(None) => login::before(&visit, &Errand::device(code.as_deref())),
        Err(refused) => refusal::answer(&visit, refused.into()),
    }
}

/// `POST /device`: shows what the code stands for.
async fn find(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match form_of_person(&visit, form).await {
        Ok(Some(both)) => both,
        Ok(None) => return login::before(&visit, &Errand::device(None)),
        Err(refused) => return refusal::answer(&visit, refused.into()),
    };
    let typed = form.value(parameter::USER_CODE).unwrap_or_default();
    if !is_proven(&visit, &person, "", &form) {
        return code_page(&visit, &person, typed, Notice::Stale);
    }
    match look_up(&visit, &person, typed).await {
        Ok(Ok((request, client, code))) => {
            let demanded = Demanded::by(&client, &request.scopes, visit.authority.settings());
            let errand = Errand::device(Some(&code));
            match second::before(&visit, &errand, &person, demanded).await {
                Ok(Some(first)) => first,
                // The proof that a decision needs is on this page alone.
                Ok(None) => confirm_page(&visit, &person, &request, &client, &code),
                Err(error) => refusal::answer(&visit, PageRefused::Store(error).into()),
            }
        }
        Ok(Err(notice)) => code_page(&visit, &person, typed, notice),
        Err(refused) => refusal::answer(&visit, refused.into()),
    }
}

/// `POST /device/decision`
async fn decide(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match form_of_person(&visit, form).await {
        Ok(Some(both)) => both,
        Ok(None) => return login::before(&visit, &Errand::device(None)),
        Err(refused) => return refusal::answer(&visit, refused.into()),
    };
    let code = form.value(parameter::USER_CODE).unwrap_or_default();
    let allow = match form.value(DECISION) {
        Some("allow") => true,
        Some("deny") => false,
        _ => return code_page(&visit, &person, code, Notice::Stale),
    };
    if !is_proven(&visit, &person, code, &form) {
        return code_page(&visit, &person, code, Notice::Stale);
    }
    match write_down(&visit, &person, code, allow.then_some(&form)).await {
        Ok(Ok(done)) => done::answer(&visit, done),
        Ok(Err(notice)) => code_page(&visit, &person, code, notice),
        Err(refused) => refusal::answer(&visit, refused.into()),
    }
}

/// `GET /device/qr`: an image that leads to the page, for a device that shows pictures.
async fn qr(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::parse(&query.unwrap_or_default()).unwrap_or_default();
    let Some(code) = parameters.value(parameter::USER_CODE).and_then(user_code::normal) else {
        return refusal::answer(&visit, PageRefused::UserCode.into());
    };
    let url = visit.authority.settings().url(&format!("/device?user_code={code}"));
    document::qr(&url)
}

async fn signed_in(visit: &Visit) -> Result<Option<SignedIn>, PageRefused> {
    Ok(visit.signed_in().await?)
}

async fn form_of_person(
    visit: &Visit,
    form: Result<Form, OAuthError>,
) -> Result<Option<(Parameters, SignedIn)>, PageRefused> {
    let Form(form) = form.map_err(PageRefused::Form)?;
    Ok(signed_in(visit).await?.map(|person| (form, person)))
}

fn is_proven(visit: &Visit, person: &SignedIn, code: &str, form: &Parameters) -> bool {
    let proof = form.value(PROOF).unwrap_or_default();
    let session = person.session().id.as_str();
    visit.authority.desk().proofs.check(Purpose::Device, session, code, proof)
}

fn proof(visit: &Visit, person: &SignedIn, code: &str) -> String {
    visit.authority.desk().proofs.make(Purpose::Device, person.session().id.as_str(), code)
}

/// The request behind a typed code; a wrong one is counted against the person who types.
async fn look_up(
    visit: &Visit,
    person: &SignedIn,
    typed: &str,
) -> Result<Result<(Waiting, std::sync::Arc<Client>, String), Notice>, PageRefused> {
    let (store, throttle) = (visit.authority.store(), &visit.authority.desk().throttle);
    let place = Place { ip: None, known_browser: Some(person.user().id.as_str()) };
    let tried = match throttle.begin("a device's code", place, visit.now) {
        Ok(tried) => tried,
        Err(Throttled { .. }) => return Ok(Err(Notice::Throttled)),
    };
    let found = match user_code::normal(typed) {
        Some(code) => {
            let found = store.waiting_by_user_code(&OpaqueHash::of(&code), visit.now).await?;
            found.map(|state| (state, code))
        }
        None => None,
    };
    let waiting = found.filter(|(state, _)| state.progress == store::Progress::Waiting);
    let Some((state, code)) = waiting else {
        observe(visit, person, None, "bad_user_code", None);
        return Ok(Err(Notice::Unknown));
    };
    throttle.succeeded(tried);
    let client = store.client(&state.request.client).await?;
    let client = client.filter(|client| {
        !client.disabled && !crate::client_auth::is_suspended(store, &client.id, visit.now)
    });
    Ok(match client {
        Some(client) => Ok((state.request, client, code)),
        None => Err(Notice::Unknown),
    })
}

async fn write_down(
    visit: &Visit,
    person: &SignedIn,
    code: &str,
    allowed: Option<&Parameters>,
) -> Result<Result<Done, Notice>, PageRefused> {
    let (request, client, _) = match look_up(visit, person, code).await? {
        Ok(found) => found,
        Err(notice) => return Ok(Err(notice)),
    };
    let (authority, now) = (&visit.authority, visit.now);
    let given = allowed.and_then(|form| consent::given(authority, &client, &request, form));
    let allow = given.is_some();
    let grant = given.map(|request| {
        let id = GrantId::generate(authority.random());
        let usual = authority.settings().refresh_absolute_life;
        let end = now.plus(profile::shorter(usual, client.options.refresh_absolute_life));
        request.granted(id, person.session(), end, now)
    });
    let id = grant.as_ref().map(|grant| grant.id.clone());
    if !authority.store().decide_waiting(&request.hash, grant, now).await? {
        return Ok(Err(Notice::Unknown));
    }
    let who = Who { grant: id, ..Who::default() };
    let step = if allow { "approved" } else { "denied" };
    observe(visit, person, Some((&client, who)), step, Some(&request.hash));
    Ok(Ok(if allow { Done::DeviceAllowed } else { Done::DeviceRefused }))
}

fn code_page(visit: &Visit, person: &SignedIn, code: &str, notice: Notice) -> Response {
    let status = match notice {
        Notice::None => StatusCode::OK,
        Notice::Stale | Notice::Unknown => StatusCode::BAD_REQUEST,
        Notice::Throttled => StatusCode::TOO_MANY_REQUESTS,
    };
    let proof = proof(visit, person, "");
    let page = CodePage::new(&visit.reader(), person.user(), code, proof, notice);
    let response = document::page(status, page.finish());
    if notice == Notice::Throttled { document::retry_after(response, 60) } else { response }
}

fn confirm_page(
    visit: &Visit,
    person: &SignedIn,
    request: &Waiting,
    client: &Client,
    code: &str,
) -> Response {
    let from = visit.caller.ip.map(|ip| ip.to_string());
    let person_of = person.user();
    let asked =
        Asked { request, client, person: person_of, user_code: code, from: from.as_deref() };
    let proof = proof(visit, person, code);
    let page = ConfirmPage::new(&visit.reader(), &asked, proof, visit.now);
    document::page(StatusCode::OK, page.finish())
}

fn observe(
    visit: &Visit,
    person: &SignedIn,
    about: Option<(&Client, Who)>,
    step: &str,
    hash: Option<&OpaqueHash>,
) {
    let (client, who) = about.map_or((None, Who::default()), |(client, who)| (Some(client), who));
    let who = Who {
        subject: Some(person.user().id.clone()),
        session: Some(person.session().id.clone()),
        client: client.map(|client| client.id.clone()),
        ..who
    };
    let code = hash.map(|hash| visit.authority.hashed_code(hash));
    visit.emit(who, EventKind::Device { step: step.to_owned(), code });
}
