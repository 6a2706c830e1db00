//! Who may call: one table of methods and scopes, checked before any handler runs.

use std::sync::Arc;

use authority::bearer::{self, BearerRefused, Demand, Presented};
use authority::caller::Caller;
use authority::endpoint::protected::{self, Seen};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Method, StatusCode, header};
use token::term::scope;
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;

use crate::Console;
use crate::problem::Problem;

const MAY_READ: &[&str] = &[scope::ADMIN_READ, scope::ADMIN];
const MAY_CHANGE: &[&str] = &[scope::ADMIN];

/// Proof that whoever asks may see everything. Only [`guard`] makes one.
#[derive(Clone)]
pub(crate) struct Reader(());

/// Proof that whoever asks may change everything, and who it is. Only [`guard`] makes one.
#[derive(Clone)]
pub(crate) struct Administrator {
    /// `admin:<subject>`.
    actor: String,
    caller: Caller,
}

/// Lets a request through to its handler with its proof, or refuses it, and tells the watcher.
/// Blocked networks are let in: here is where blocks are undone.
pub(crate) async fn guard(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Response {
    let authority = &console.authority;
    let now = authority.now();
    let trusted = &authority.settings().trusted_proxies;
    let caller = Caller::of(request.headers(), request.extensions(), trusted);
    let (method, path) = (request.method().clone(), format!("/api/v1{}", request.uri().path()));
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let seen = Seen { caller: &caller, method: &method, path: &path, route: route.as_deref(), now };
    let presented = bearer::present(request.headers(), request.uri().query(), None);
    let token = match admit(&console, &caller, presented, &method, now).await {
        Ok(token) => token,
        Err(refused) => {
            protected::observe(authority, &seen, Err(&refused));
            return Problem::from(refused).into_response();
        }
    };
    if is_reading(&method) {
        request.extensions_mut().insert(Reader(()));
    } else {
        let actor = format!("admin:{}", token.facts().subject);
        let caller = caller.clone();
        request.extensions_mut().insert(Administrator { actor, caller });
    }
    let response = next.run(request).await;
    protected::observe(authority, &seen, Ok((&*token, response.status())));
    response
}

async fn admit(
    console: &Console,
    caller: &Caller,
    presented: Result<Presented, BearerRefused>,
    method: &Method,
    now: Timestamp,
) -> Result<Arc<VerifiedAccessToken>, BearerRefused> {
    let audiences = vec![console.authority.settings().admin_resource.clone()];
    let scopes = if is_reading(method) { MAY_READ } else { MAY_CHANGE };
    let demand = Demand { audiences, scopes, place: None };
    bearer::admit_from_anywhere(&console.authority, caller, &presented?, demand, now).await
}

fn is_reading(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

// === impl Reader ===

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(no_proof)
    }
}

// === impl Administrator ===

impl Administrator {
    /// Who it is, as logs name it: `admin:<subject>`.
    pub(crate) fn actor(&self) -> &str {
        &self.actor
    }

    /// Where the request comes from.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl<S: Sync> FromRequestParts<S> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(no_proof)
    }
}

/// A handler was mounted under a method that does not give what it asks for.
fn no_proof() -> Problem {
    Problem::internal(&"a handler asks for another access than its method gives")
}

impl From<BearerRefused> for Problem {
    fn from(refused: BearerRefused) -> Self {
        let (status, challenge) = (refused.status(), refused.challenge());
        let problem = match refused {
            BearerRefused::Store(error) => return error.into(),
            BearerRefused::Scope(scope, _) => {
                let words = format!("the access token lacks the scope `{scope}`");
                Self::new(StatusCode::FORBIDDEN, words)
            }
            other => Self::new(status, other),
        };
        match challenge {
            Some(challenge) => problem.with_field(header::WWW_AUTHENTICATE, &challenge),
            None => problem,
        }
    }
}
