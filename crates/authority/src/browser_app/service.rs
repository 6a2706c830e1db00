//! What an application asks of the server below [`PREFIX`]: sign in, who is it, sign out. No answer has
//! a token in it.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Map, Value, json};
use store::BrowserSession;
use token::client_address::TrustedProxies;
use token::event::{EventKind, Who};
use token::id::SubjectId;
use token::opaque::Family;
use token::restriction::Selector;
use token::secret::Secret;
use token::term::{OAuthErrorCode, parameter};
use token::time::Timestamp;

use crate::browser_app::attempt::{self, Attempt};
use crate::browser_app::cookie::Cookie;
use crate::browser_app::kept;
use crate::browser_app::refused::AppRefused;
use crate::browser_app::{BrowserApp, PREFIX};
use crate::caller::Caller;
use crate::oauth_error::OAuthError;
use crate::parameters::Parameters;
use crate::{person_claims, presented_token};

const RETURN_TO: &str = "return_to";
const SIGNED_OUT: &str = "signed out of the application";

/// One request, as far as the service looks at it.
struct Asked<'r> {
    headers: &'r HeaderMap,
    query: &'r str,
    caller: Caller,
    now: Timestamp,
}

// === impl BrowserApp ===

impl BrowserApp {
    /// Answers a request below [`PREFIX`] from this address. Its sender has been held to the
    /// application's origin where it changes something: that is for whoever serves the origin.
    pub async fn answer(&self, request: &Request<()>, ip: IpAddr) -> Response<String> {
        let mut caller =
            Caller::of(request.headers(), request.extensions(), &TrustedProxies::default());
        caller.ip = Some(ip);
        let asked = Asked {
            headers: request.headers(),
            query: request.uri().query().unwrap_or_default(),
            caller,
            now: self.authority().now(),
        };
        let name = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
        let answered = match (name, request.method()) {
            ("callback", &Method::GET) => self.callback(&asked).await,
            ("login", &Method::GET) => self.login(&asked),
            ("logout", &Method::POST) => self.logout(&asked).await,
            ("session", &Method::GET) => self.session(&asked).await,
            ("callback" | "login" | "session", _) => return wrong_method("GET"),
            ("logout", _) => return wrong_method("POST"),
            _ => return problem(StatusCode::NOT_FOUND, "nothing is at this path"),
        };
        answered.unwrap_or_else(|refused| {
            let error = OAuthError::from(refused);
            let body = json!({
                parameter::ERROR: error.code,
                parameter::ERROR_DESCRIPTION: error.description,
            });
            json_answer(error.status, &body)
        })
    }

    /// `GET /bff/login`: off to the issuer, with a note in the browser of what was asked.
    fn login(&self, asked: &Asked<'_>) -> Result<Response<String>, AppRefused> {
        let parameters = Parameters::parse(asked.query)?;
        let return_to = attempt::return_to(self.origin(), parameters.value(RETURN_TO))?;
        let authority = self.authority();
        let attempt = Attempt::begin(return_to, asked.now, authority.random());
        let note = attempt.sealed(authority.store().sealer(), self.origin())?;
        let mut response = see_other(&attempt.authorize_url(self))?;
        append(&mut response, Cookie::Attempt.set(&note, attempt::LIFE, self.is_https()));
        Ok(response)
    }

    /// `GET /bff/callback`: the issuer's answer. Every sign-in has a cookie value of its own, so that
    /// nobody can know it beforehand.
    async fn callback(&self, asked: &Asked<'_>) -> Result<Response<String>, AppRefused> {
        let parameters = Parameters::parse(asked.query)?;
        let (authority, now, https) = (self.authority(), asked.now, self.is_https());
        let store = authority.store();
        let note = Cookie::Attempt.read(asked.headers, https).ok_or(AppRefused::NoAttempt)?;
        let attempt = Attempt::open(&note, store.sealer(), self.origin(), now)?;
        if !attempt.began(parameters.value(parameter::STATE).unwrap_or_default()) {
            return Err(AppRefused::State);
        }
        if parameters.value(parameter::ISS) != Some(authority.settings().issuer.as_str()) {
            return Err(AppRefused::Issuer);
        }
        if let Some(error) = parameters.value(parameter::ERROR) {
            return Err(AppRefused::Declined(error.chars().take(64).collect()));
        }
        let code = parameters.required(parameter::CODE)?;
        let first = kept::redeem(self, &attempt, code, &asked.caller, now).await?;
        check_nonce(first.id_token.as_ref(), attempt.nonce())?;
        let grant = first.who.grant.ok_or(AppRefused::Unreadable)?;
        let held = store.grant(&grant).await?.ok_or(AppRefused::Unreadable)?;
        let renewable = first.kept.refresh_token.is_some();
        let expires_at = if renewable { held.expires_at } else { first.kept.expires_at };
        let (origin, tokens) = (self.origin().to_owned(), first.kept.written());
        let cookie = Family::Browser.generate(authority.random());
        let session = BrowserSession { origin, grant, tokens, expires_at };
        store.start_browser_session(&cookie, &session).await?;
        let mut response = see_other(attempt.return_to())?;
        let life = expires_at.since(now);
        append(&mut response, Cookie::Session.set(cookie.expose(), life, https));
        append(&mut response, Cookie::Attempt.clear(https));
        Ok(response)
    }

    /// `GET /bff/session`: whether somebody is signed in, and who.
    async fn session(&self, asked: &Asked<'_>) -> Result<Response<String>, AppRefused> {
        let body = match self.signed_in(asked).await? {
            Some(claims) => {
                let mut body = Map::from_iter([("signed_in".to_owned(), json!(true))]);
                body.extend(claims);
                Value::Object(body)
            }
            None => json!({ "signed_in": false }),
        };
        Ok(json_answer(StatusCode::OK, &body))
    }

    /// What the application may know of its person; `None` when nobody is signed in, or the grant was
    /// taken back.
    async fn signed_in(&self, asked: &Asked<'_>) -> Result<Option<Map<String, Value>>, AppRefused> {
        let (authority, now) = (self.authority(), asked.now);
        let Some((cookie, session)) = self.presented(asked)? else { return Ok(None) };
        let token = self.access_token(cookie.expose()).await.map_err(|_| AppRefused::Unreadable)?;
        let Some(token) = token else { return Ok(None) };
        let Some(token) = presented_token::ours(authority, token.expose(), now)? else {
            return Ok(None);
        };
        if presented_token::objection(authority, &token, now).await?.is_some() {
            return Ok(None);
        }
        let Some(user) = authority.store().user(&token.facts().subject).await? else {
            return Ok(None);
        };
        let scopes = presented_token::scopes_left(authority, &token, now);
        let mut claims = person_claims::told(&user, authority.settings(), &scopes, &[]);
        claims.insert("sub".to_owned(), json!(user.id));
        claims.insert("expires_at".to_owned(), json!(session.expires_at.as_secs()));
        Ok(Some(claims))
    }

    /// `POST /bff/logout`: ends the grant, and with it every token; says where the person signs out of
    /// the issuer as well (OpenID Connect RP-Initiated Logout 1.0 §2).
    async fn logout(&self, asked: &Asked<'_>) -> Result<Response<String>, AppRefused> {
        if let Some((cookie, session)) = self.presented(asked)? {
            let (store, now) = (self.authority().store(), asked.now);
            let grant = store.grant(&session.grant).await?;
            let actor = match &grant {
                Some(grant) => format!("user:{}", grant.subject),
                None => format!("client:{}", self.settings().client),
            };
            store.end_grant(&session.grant, SIGNED_OUT, &actor, now).await?;
            store.end_browser_session(cookie.expose()).await?;
            self.observe_logout(asked, &session, grant.map(|grant| grant.subject), actor);
        }
        let body = json!({ "signed_in": false, "end_session": self.end_session_url().await? });
        let mut response = json_answer(StatusCode::OK, &body);
        append(&mut response, Cookie::Session.clear(self.is_https()));
        Ok(response)
    }

    fn observe_logout(
        &self,
        asked: &Asked<'_>,
        session: &BrowserSession,
        subject: Option<SubjectId>,
        actor: String,
    ) {
        let client = Some(self.settings().client.clone());
        let grant = Some(session.grant.clone());
        let who = Who { subject, client, grant, ..Who::default() };
        let kind = EventKind::Revoke {
            result: "ok".to_owned(),
            selector: Some(Selector::Grant(session.grant.clone()).to_string()),
            actor: Some(actor),
            reason: Some(SIGNED_OUT.to_owned()),
        };
        self.authority().emit(&asked.caller, who, kind, asked.now);
    }

    async fn end_session_url(&self) -> Result<String, AppRefused> {
        let (authority, client) = (self.authority(), &self.settings().client);
        let home = format!("{}/", self.origin());
        let known = authority.store().client(client).await?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(parameter::CLIENT_ID, client.as_str());
        if known.is_some_and(|known| known.options.post_logout_redirect_uris.contains(&home)) {
            query.append_pair("post_logout_redirect_uri", &home);
        }
        Ok(format!("{}?{}", authority.settings().url("/logout"), query.finish()))
    }

    fn presented(&self, asked: &Asked<'_>) -> Result<Option<(Secret, BrowserSession)>, AppRefused> {
        let cookie = Cookie::Session.read(asked.headers, self.is_https());
        let Some(cookie) = cookie.filter(|text| Family::of(text) == Ok(Family::Browser)) else {
            return Ok(None);
        };
        let store = self.authority().store();
        let session = store.browser_session(&cookie, self.origin(), asked.now)?;
        Ok(session.map(|session| (Secret::new(cookie), session)))
    }
}

/// OpenID Connect Core 1.0 §3.1.3.7: it is ours and came to us directly, so that only its content is in
/// question. One that is encrypted to the client is for the client alone.
fn check_nonce(id_token: Option<&Secret>, nonce: &str) -> Result<(), AppRefused> {
    let Some(text) = id_token.filter(|token| token.expose().split('.').count() == 3) else {
        return Ok(());
    };
    let payload = text.expose().split('.').nth(1).and_then(token::base64url::decode);
    let claims = payload.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let fits = claims.is_some_and(|claims| claims[parameter::NONCE] == nonce);
    if fits { Ok(()) } else { Err(AppRefused::Nonce) }
}

fn see_other(target: &str) -> Result<Response<String>, AppRefused> {
    let target = HeaderValue::from_str(target).map_err(|_| AppRefused::ReturnTo)?;
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, target);
    guard(&mut response);
    Ok(response)
}

fn json_answer(status: StatusCode, body: &Value) -> Response<String> {
    let mut response = Response::new(body.to_string());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    guard(&mut response);
    response
}

/// Neither kept, nor taken for something else; and no other site learns where it led.
fn guard(response: &mut Response<String>) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

fn problem(status: StatusCode, words: &str) -> Response<String> {
    let code = OAuthErrorCode::InvalidRequest;
    let body = json!({ parameter::ERROR: code, parameter::ERROR_DESCRIPTION: words });
    json_answer(status, &body)
}

fn wrong_method(allow: &'static str) -> Response<String> {
    let mut response =
        problem(StatusCode::METHOD_NOT_ALLOWED, &format!("the method must be {allow}"));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

fn append(response: &mut Response<String>, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
