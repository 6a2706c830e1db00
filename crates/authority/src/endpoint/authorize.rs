//! The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core 1.0 §3.1.2).

pub(crate) mod agreement;
mod client;
mod code;
mod demand;
pub(crate) mod person;
mod quiet;
pub(crate) mod refusal;
mod response;
pub(crate) mod return_to;

use std::sync::Arc;

use axum::extract::RawQuery;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use store::Client;
use token::event::{EventKind, Who};
use token::scope::ScopeSet;
use token::term::parameter;

use self::agreement::Given;
use self::demand::Demand;
use self::person::Standing;
use self::refusal::{AuthorizeRefused, PageRefused, Refused};
use self::return_to::ReturnTo;
use crate::endpoint::form::Form;
use crate::endpoint::login::matter::Behind;
use crate::endpoint::login::onward;
use crate::endpoint::login::passkey;
use crate::endpoint::login::second::{self, Known};
use crate::endpoint::visit::Visit;
use crate::endpoint::{assets, consent, document, login};
use crate::login::session::SignedIn;
use crate::oauth_error::OAuthError;
use crate::parameters::Parameters;
use crate::paths::Paths;
use crate::pushed;
use crate::request_object;
use crate::rule::profile;
use crate::state::Authority;

/// Longer requests are refused: they travel in URLs, and every step repeats them.
const MAX_REQUEST_BYTES: usize = 16 * 1024;

/// The authorization endpoint and the pages behind it.
pub(crate) fn routes() -> Paths {
    Paths::default()
        .route("/authorize", get(authorize).post(authorize_by_form))
        .route("/login", post(login::login).get(out_of_turn))
        .route("/login/code", post(second::code).get(out_of_turn))
        .route("/login/code/passkey", post(passkey::second).get(out_of_turn))
        .route("/login/passkey", post(passkey::first).get(out_of_turn))
        .route("/login/enrol", post(second::enrol).get(out_of_turn))
        .route("/consent", post(consent::consent).get(out_of_turn))
        .route("/assets/{name}", get(assets::asset))
}

/// `GET /authorize`
async fn authorize(visit: Visit, RawQuery(query): RawQuery) -> Response {
    match Request::read(&visit, &query.unwrap_or_default()).await {
        Ok(request) => match evaluate(&visit, &request).await {
            Ok(evaluated) => proceed(&visit, &request, evaluated).await,
            Err(refused) => refusal::answer(&visit, refused),
        },
        Err(refused) => refusal::answer(&visit, refused.into()),
    }
}

/// `POST /authorize`: becomes the same request by GET. Browsers send no session cookie along with
/// a form of another site, but they do with the redirect that follows.
async fn authorize_by_form(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let request = form.map_err(PageRefused::Form);
    match request.and_then(|Form(parameters)| normal_text(&parameters)) {
        Ok(text) => document::see_other(&url_of(&visit, &text)),
        Err(refused) => refusal::answer(&visit, refused.into()),
    }
}

/// `GET /login`, `GET /consent` and the like: a page that was kept or reloaded out of its turn.
async fn out_of_turn(visit: Visit) -> Response {
    refusal::answer(&visit, PageRefused::OutOfTurn.into())
}

/// An authorization request, on its own or as a form brings it along.
pub(crate) struct Request {
    pub(crate) parameters: Parameters,
    /// The parameters as one text, always written the same way; of a pushed request its name.
    pub(crate) text: String,
    /// The name of the pushed request.
    pub(crate) pushed: Option<String>,
    /// Whether its client has signed it.
    is_signed: bool,
}

/// A request that all rules let through, and how far its person has come.
pub(crate) struct Evaluated {
    pub(crate) client: Arc<Client>,
    pub(crate) return_to: ReturnTo,
    pub(crate) demand: Demand,
    pub(crate) standing: Standing,
    pub(crate) pushed: Option<String>,
}

// === impl Request ===

impl Request {
    /// Reads a query, and finds the request that was pushed under its name, or that is signed in it.
    pub(crate) async fn read(visit: &Visit, query: &str) -> Result<Self, PageRefused> {
        if query.len() > MAX_REQUEST_BYTES {
            return Err(PageRefused::TooLong);
        }
        let parameters = Parameters::parse(query)?;
        visit.prefer(&parameters);
        let text = normal_text(&parameters)?;
        if let Some(object) = parameters.value(parameter::REQUEST) {
            let client = client::identify(visit, &parameters).await?;
            let opened = request_object::open(&visit.authority, &client, object, visit.now).await?;
            // RFC 9101 §6.3: what stands beside the object does not count, but for our own marks.
            let parameters = Parameters::parse(&onward::marked(&opened.to_query(), &parameters))?;
            visit.prefer(&parameters);
            return Ok(Self { parameters, text, pushed: None, is_signed: true });
        }
        let uri = parameters.value(parameter::REQUEST_URI);
        let Some(uri) = uri.filter(|uri| uri.starts_with(pushed::PREFIX)).map(str::to_owned) else {
            return Ok(Self { parameters, text, pushed: None, is_signed: false });
        };
        let client = parameters.value(parameter::CLIENT_ID).ok_or(PageRefused::ClientMissing)?;
        let kept = pushed::open(visit.authority.store(), &uri, client, visit.now).await?;
        let kept = kept.ok_or(PageRefused::RequestUriUnknown)?;
        // RFC 9126 §4: what stands beside the name does not count, but for our own marks.
        let parameters = Parameters::parse(&onward::marked(&kept, &parameters))?;
        visit.prefer(&parameters);
        Ok(Self { parameters, text, pushed: Some(uri), is_signed: false })
    }

    /// Where the request starts anew.
    pub(crate) fn url(&self, visit: &Visit) -> String {
        url_of(visit, &self.text)
    }
}

fn url_of(visit: &Visit, text: &str) -> String {
    format!("{}?{text}", visit.authority.settings().path("/authorize"))
}

fn normal_text(parameters: &Parameters) -> Result<String, PageRefused> {
    let text = parameters.to_query();
    if text.len() > MAX_REQUEST_BYTES { Err(PageRefused::TooLong) } else { Ok(text) }
}

/// Judges a request that is pushed: all rules that need no person (RFC 9126 §2.1).
///
/// # Errors
/// What the client would have been told at its redirect URI.
pub(crate) fn judge(
    authority: &Authority,
    client: &Client,
    parameters: &Parameters,
) -> Result<(), OAuthError> {
    return_to::check(client, parameters)
        .map_err(|refused| OAuthError::invalid_request(refused.to_string()))?;
    demand::check(authority, client, parameters).map(drop).map_err(|why| why.to_oauth())
}

/// The rules in their order; each takes what those before it found. Up to the redirect URI a
/// refusal is a page, behind it an answer to the client (RFC 6749 §4.1.2.1).
pub(crate) async fn evaluate(visit: &Visit, request: &Request) -> Result<Evaluated, Refused> {
    let parameters = &request.parameters;
    let client = client::identify(visit, parameters).await?;
    let return_to = return_to::check(&client, parameters)?;
    let decided = async {
        let fapi2 = profile::is_fapi2(visit.authority.settings(), &client.options);
        let push = client.options.require_pushed_authorization_requests || fapi2;
        if push && request.pushed.is_none() {
            return Err(AuthorizeRefused::NotPushed);
        }
        // One that was pushed was judged when it was.
        let unsigned = !request.is_signed && request.pushed.is_none();
        if client.options.require_signed_request_object && unsigned {
            return Err(AuthorizeRefused::NotSigned);
        }
        let demand = demand::check(&visit.authority, &client, parameters)?;
        let signed_in = person::recognise(visit).await?;
        let standing = person::prove(visit, &demand, signed_in).await?;
        let standing = agreement::ask(visit, &client, &return_to, &demand, standing).await?;
        quiet::check(demand.prompt, &standing)?;
        Ok((demand, standing))
    };
    match decided.await {
        Ok((demand, standing)) => {
            let pushed = request.pushed.clone();
            Ok(Evaluated { client, return_to, demand, standing, pushed })
        }
        Err(why) => Err(Refused::ToClient(Box::new((client, return_to, why)))),
    }
}

/// Shows the page that is still needed, or sends the code.
async fn proceed(visit: &Visit, request: &Request, evaluated: Evaluated) -> Response {
    match &evaluated.standing {
        Standing::Unproven(_) => {
            let page = login::form(visit, request, &evaluated, login::Notice::None);
            visit.with_browser_cookie(document::page(StatusCode::OK, page))
        }
        Standing::Partial(person, step) => {
            let (behind, known) = (Behind::Request(request, &evaluated), person.clone());
            second::ask(visit, behind, &Known::Session(known), *step, second::Notice::None).await
        }
        Standing::Unasked(person) => consent::show(visit, request, &evaluated, person, None).await,
        Standing::Agreed(person, given) => finish(visit, &evaluated, person, given).await,
    }
}

/// Makes the code and sends it to the client.
pub(crate) async fn finish(
    visit: &Visit,
    evaluated: &Evaluated,
    person: &SignedIn,
    given: &Given,
) -> Response {
    match code::issue(visit, evaluated, person, given).await {
        Ok(None) => refusal::answer(visit, PageRefused::RequestUriUnknown.into()),
        Ok(Some((code, grant))) => {
            let who = Who { grant: Some(grant), ..who(&evaluated.client, Some(person)) };
            observe(visit, evaluated, &given.scopes, who, "ok");
            response::code(visit, &evaluated.client, &evaluated.return_to, &code)
        }
        Err(error) => refuse(visit, evaluated, Some(person), &error.into()),
    }
}

/// Answers the client with a refusal.
pub(crate) fn refuse(
    visit: &Visit,
    evaluated: &Evaluated,
    person: Option<&SignedIn>,
    why: &AuthorizeRefused,
) -> Response {
    let who = who(&evaluated.client, person);
    observe(visit, evaluated, &evaluated.demand.scopes, who, why.event_result());
    response::refusal(visit, &evaluated.client, &evaluated.return_to, &why.to_oauth())
}

/// Whom events are about.
pub(crate) fn who(client: &Client, person: Option<&SignedIn>) -> Who {
    Who {
        client: Some(client.id.clone()),
        subject: person.map(|person| person.user().id.clone()),
        session: person.map(|person| person.session().id.clone()),
        ..Who::default()
    }
}

fn observe(visit: &Visit, evaluated: &Evaluated, scopes: &ScopeSet, who: Who, result: &str) {
    let kind = EventKind::Authorize {
        scopes: scopes.clone(),
        result: result.to_owned(),
        redirect_host: evaluated.return_to.host(),
    };
    visit.emit(who, kind);
}
