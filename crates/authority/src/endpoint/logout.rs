//! Where a client sends a person to sign out (OpenID Connect RP-Initiated Logout 1.0).

use std::sync::Arc;

use axum::extract::RawQuery;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use store::Client;
use token::id::ClientId;
use token::term::parameter;

use crate::endpoint::authorize::refusal::{self, PageRefused};
use crate::endpoint::form::Form;
use crate::endpoint::visit::Visit;
use crate::endpoint::{document, done};
use crate::id_token_hint::{self, Hint};
use crate::login::csrf::Purpose;
use crate::login::session::SignedIn;
use crate::logout;
use crate::oauth_error::OAuthError;
use crate::page::done::Done;
use crate::page::logout::LogoutPage;
use crate::parameters::Parameters;
use crate::paths::Paths;

const PROOF: &str = "csrf";
const REQUEST: &str = "request";
const DECISION: &str = "decision";
const POST_LOGOUT_REDIRECT_URI: &str = "post_logout_redirect_uri";

/// The endpoint and its page.
pub(crate) fn routes() -> Paths {
    Paths::default()
        .route("/logout", get(by_link).post(by_form))
        .route("/logout/decision", post(decide))
}

/// A request whose words were checked.
struct Request {
    /// As its page brings it back.
    text: String,
    client: Option<Arc<Client>>,
    hint: Option<Hint>,
    /// Where the client wants the person sent, one of those that it registered.
    onward: Option<String>,
}

/// `GET /logout`
async fn by_link(visit: Visit, RawQuery(query): RawQuery) -> Response {
    match read(&visit, &query.unwrap_or_default()).await {
        Ok(request) => judge(&visit, &request).await,
        Err(refused) => refusal::answer(&visit, refused.into()),
    }
}

/// `POST /logout`: becomes the same request by GET, to which browsers add the session's cookie.
async fn by_form(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    match form {
        Ok(Form(parameters)) => {
            let path = visit.authority.settings().path("/logout");
            document::see_other(&format!("{path}?{}", parameters.to_query()))
        }
        Err(error) => refusal::answer(&visit, PageRefused::Form(error).into()),
    }
}

/// `POST /logout/decision`
async fn decide(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let decided = async {
        let Form(form) = form.map_err(PageRefused::Form)?;
        let request = read(&visit, form.value(REQUEST).unwrap_or_default()).await?;
        let Some(person) = signed_in(&visit).await? else { return Ok(leave(&visit, &request)) };
        let proof = form.value(PROOF).unwrap_or_default();
        let (session, proofs) = (person.session().id.as_str(), &visit.authority.desk().proofs);
        if !proofs.check(Purpose::Logout, session, &request.text, proof) {
            return Ok(ask(&visit, &request, &person, StatusCode::BAD_REQUEST));
        }
        match form.value(DECISION) {
            Some("out") => sign_out(&visit, &request, &person).await,
            _ => Ok(done::answer(&visit, Done::NothingChanged)),
        }
    };
    decided.await.unwrap_or_else(|refused: PageRefused| refusal::answer(&visit, refused.into()))
}

/// §2: the words of a request, and whose they are.
async fn read(visit: &Visit, text: &str) -> Result<Request, PageRefused> {
    let parameters = Parameters::parse(text)?;
    visit.prefer(&parameters);
    let hint = match parameters.value(parameter::ID_TOKEN_HINT) {
        Some(hint) => {
            let hint = id_token_hint::read(&visit.authority, hint);
            Some(hint.ok_or(PageRefused::Hint)?)
        }
        None => None,
    };
    let named = parameters.value(parameter::CLIENT_ID).map(ClientId::from);
    let hinted = hint.as_ref().map(|hint| hint.client.clone());
    if named.is_some() && hinted.is_some() && named != hinted {
        return Err(PageRefused::Hint);
    }
    let client = match named.or(hinted) {
        Some(id) => {
            let client = visit.authority.store().client(&id).await?;
            Some(client.ok_or_else(|| PageRefused::ClientUnknown(refusal::shown(id.as_str())))?)
        }
        None => None,
    };
    let onward = match parameters.value(POST_LOGOUT_REDIRECT_URI) {
        Some(uri) => Some(onward(client.as_ref(), uri, parameters.value(parameter::STATE))?),
        None => None,
    };
    Ok(Request { text: parameters.to_query(), client, hint, onward })
}

/// §3: exactly one of those that the client registered.
fn onward(
    client: Option<&Arc<Client>>,
    uri: &str,
    state: Option<&str>,
) -> Result<String, PageRefused> {
    let client = client.ok_or(PageRefused::ClientMissing)?;
    if !client.options.post_logout_redirect_uris.iter().any(|known| known == uri) {
        let uri = refusal::shown(uri);
        return Err(PageRefused::LogoutUriUnknown { client: client.id.clone(), uri });
    }
    let Some(state) = state else { return Ok(uri.to_owned()) };
    let joint = if uri.contains('?') { '&' } else { '?' };
    let state = form_urlencoded::Serializer::new(String::new())
        .append_pair(parameter::STATE, state)
        .finish();
    Ok(format!("{uri}{joint}{state}"))
}

async fn signed_in(visit: &Visit) -> Result<Option<SignedIn>, PageRefused> {
    Ok(visit.signed_in().await?)
}

/// §2: without a hint that fits the session, the person is asked, or any page could sign them out.
async fn judge(visit: &Visit, request: &Request) -> Response {
    let person = match signed_in(visit).await {
        Ok(Some(person)) => person,
        Ok(None) => return leave(visit, request),
        Err(refused) => return refusal::answer(visit, refused.into()),
    };
    let fits = request.hint.as_ref().is_some_and(|hint| {
        hint.subject == person.user().id
            && hint.session.as_ref().is_none_or(|session| *session == person.session().id)
    });
    if !fits {
        return ask(visit, request, &person, StatusCode::OK);
    }
    match sign_out(visit, request, &person).await {
        Ok(response) => response,
        Err(refused) => refusal::answer(visit, refused.into()),
    }
}

async fn sign_out(
    visit: &Visit,
    request: &Request,
    person: &SignedIn,
) -> Result<Response, PageRefused> {
    let actor = format!("user:{}", person.user().id);
    logout::end(&visit.authority, person.session(), &actor, visit.now).await?;
    Ok(visit.without_session_cookie(leave(visit, request)))
}

/// Where it ends: at the client, or here.
fn leave(visit: &Visit, request: &Request) -> Response {
    match &request.onward {
        Some(onward) => document::see_other(onward),
        None => done::answer(visit, Done::SignedOut),
    }
}

fn ask(visit: &Visit, request: &Request, person: &SignedIn, status: StatusCode) -> Response {
    let proofs = &visit.authority.desk().proofs;
    let proof = proofs.make(Purpose::Logout, person.session().id.as_str(), &request.text);
    let client = request.client.as_ref().map(|client| client.name.as_str());
    let page = LogoutPage::new(&visit.reader(), person.user(), client, &request.text, proof);
    document::page(status, page.finish(request.onward.as_deref()))
}
