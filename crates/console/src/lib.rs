//! The admin API: JSON over HTTP under `/api/v1`, protected by our own access tokens.
//!
//! Whoever may read is a [`access::Reader`], whoever may change an [`access::Administrator`]: no
//! handler can be written without asking for one. A change answers with a
//! [`change::Recorded`], which only the audit log gives out.

mod access;
mod answer;
mod change;
pub mod configuration;
mod endpoint;
mod input;
mod operation;
mod problem;
mod sought;

use std::sync::Arc;

use authority::Authority;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, http};
use http::{StatusCode, header};
use notify::notifier::Notifier;
use token::explanation::Explainer;
use tokio::sync::Mutex;

use crate::configuration::Configuration;
use crate::problem::Problem;

/// What the admin API works with.
#[derive(Clone)]
pub struct Parts {
    /// The authority whose state it shows and changes, and whose tokens protect it.
    pub authority: Authority,
    /// Who remembers requests; `None` where no gateway is.
    pub requests: Option<Arc<dyn Explainer>>,
    /// Who holds the configuration; `None` where nobody does.
    pub configuration: Option<Arc<dyn Configuration>>,
    /// Who tells findings to others.
    pub notifier: Notifier,
}

/// The admin API as its handlers see it.
#[derive(Clone)]
pub(crate) struct Console {
    pub(crate) authority: Authority,
    pub(crate) requests: Option<Arc<dyn Explainer>>,
    pub(crate) configuration: Option<Arc<dyn Configuration>>,
    pub(crate) notifier: Notifier,
    /// Whoever reads something, changes a part of it and writes it back holds this meanwhile.
    pub(crate) changing: Arc<Mutex<()>>,
}

/// Every operation under `/api/v1`, `/api/openapi.json`, and what else the same listener has
/// (`beside`). The listener must put an [`authority::peer::PeerAddress`] into each request's
/// extensions.
pub fn router(parts: Parts, beside: Router) -> Router {
    let Parts { authority, requests, configuration, notifier } = parts;
    let console =
        Console { authority, requests, configuration, notifier, changing: Arc::default() };
    let operations = operation::routes()
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(input::MAX_BODY_BYTES))
        .layer(from_fn_with_state(console.clone(), access::guard))
        .with_state(console);
    Router::new()
        .nest("/api/v1", operations)
        .route("/api/openapi.json", get(document).with_state(Arc::from(openapi_json())))
        .merge(beside)
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
}

/// The OpenAPI 3.1 document of the admin API, indented, with a final line feed.
pub fn openapi_json() -> String {
    let document = operation::document();
    // Made of maps with text keys: always serializable.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

async fn document(State(text): State<Arc<str>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.to_string()).into_response()
}

async fn unknown_path() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path; see /api/openapi.json")
}

async fn wrong_method() -> Problem {
    let words = "this path does not have that method; see /api/openapi.json";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, words)
}

#[cfg(test)]
mod tests;
