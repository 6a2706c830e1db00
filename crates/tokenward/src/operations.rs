//! Health, readiness and metrics, for whoever keeps the process running.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use authority::Authority;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::json;

use crate::compose::Issuers;
use crate::listen;

const PASSWORDS: &str = "tokenward_passwords";
const PASSWORDS_SHED: &str = "tokenward_passwords_shed_total";
const LETTERS: &str = "tokenward_letters_total";

/// What the probes look at.
#[derive(Clone)]
pub(crate) struct Operations {
    ready: Arc<AtomicBool>,
    authority: Authority,
    metrics: Option<PrometheusHandle>,
    issuers: Issuers,
}

// === impl Operations ===

impl Operations {
    /// Probes over the authority, its store and what is known of other issuers; not ready yet.
    pub(crate) fn new(
        authority: Authority,
        metrics: Option<PrometheusHandle>,
        issuers: Issuers,
    ) -> Self {
        Self { ready: Arc::new(AtomicBool::new(false)), authority, metrics, issuers }
    }

    /// Says whether requests should be sent here.
    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// `/healthz`, `/readyz` and `/metrics`.
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(self)
    }

    /// Drops what the metrics need no longer to hold; called regularly.
    pub(crate) fn upkeep(&self) {
        gauge!("tokenward_restrictions").set(self.authority.store().index().len() as f64);
        let passwords = self.authority.passwords().load();
        gauge!(PASSWORDS, "state" => "running").set(passwords.running as f64);
        gauge!(PASSWORDS, "state" => "waiting").set(passwords.waiting as f64);
        counter!(PASSWORDS_SHED).absolute(passwords.shed);
        let letters = self.authority.outbox().counts();
        counter!(LETTERS, "result" => "sent").absolute(letters.sent);
        counter!(LETTERS, "result" => "lost").absolute(letters.lost);
        self.issuers.measure();
        if let Some(handle) = &self.metrics {
            handle.run_upkeep();
        }
    }
}

/// Starts to count for this process; `None` when something else counts already.
pub(crate) fn start_metrics() -> Option<PrometheusHandle> {
    let handle = PrometheusBuilder::new().install_recorder().ok()?;
    describe_gauge!("tokenward_restrictions", "Restrictions held in memory");
    describe_gauge!(PASSWORDS, "Passwords that are worked on, and those that wait for it");
    describe_counter!(PASSWORDS_SHED, "Passwords turned away because too many waited");
    listen::describe_metrics();
    describe_counter!(LETTERS, "Letters that a mail server took, and those that none did");
    Some(handle)
}

/// The process works at all.
async fn healthz(State(operations): State<Operations>) -> Response {
    let health = operations.authority.store().health();
    let status =
        if health.writer_alive { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
    (status, Json(json!({ "alive": health.writer_alive }))).into_response()
}

/// Requests should be sent here: started, not stopping, and the store takes writes. That another issuer is
/// down is told and changes nothing: the tokens of all others are checked as ever.
async fn readyz(State(operations): State<Operations>) -> Response {
    let ready = operations.ready.load(Ordering::Acquire);
    let health = operations.authority.store().health();
    let good = ready && health.writer_alive && health.last_error.is_none();
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": good, "serving": ready, "store": health.last_error.is_none(),
        "issuers_without_keys": operations.issuers.without_keys(),
    });
    (status, Json(body)).into_response()
}

async fn metrics(State(operations): State<Operations>) -> Response {
    operations.upkeep();
    let mut page = operations.metrics.as_ref().map(PrometheusHandle::render).unwrap_or_default();
    page.push_str(&gateway::durations::requests().to_string());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response()
}
