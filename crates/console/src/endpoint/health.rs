//! `/health`: how the process is, for people; probes ask `/healthz` and `/readyz`.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Console;
use crate::access::Reader;
use crate::answer::Answer;

/// How the process is.
#[derive(Serialize, ToSchema)]
pub(crate) struct HealthView {
    /// Whether everything works.
    healthy: bool,
    /// The version of this program.
    version: &'static str,
    /// Restrictions held in memory.
    restrictions: usize,
    /// The store.
    store: StoreView,
}

/// How the store is.
#[derive(Serialize, ToSchema)]
struct StoreView {
    /// Whether writes are taken at all.
    writer_alive: bool,
    /// Why the last write failed; `null` when it succeeded.
    last_error: Option<String>,
    /// Writes that wait.
    queue_depth: usize,
    /// Records of issued tokens that were lost since the start, because too many waited or the
    /// disk refused them.
    lost_token_records: u64,
}

/// Show how the process is.
#[utoipa::path(get, path = "/health", tag = "health",
    responses((status = 200, description = "How the process is", body = HealthView)))]
pub(crate) async fn show(State(console): State<Console>, _: Reader) -> Answer<HealthView> {
    let health = console.store().health();
    Answer(HealthView {
        healthy: health.writer_alive && health.last_error.is_none(),
        version: env!("CARGO_PKG_VERSION"),
        restrictions: console.store().index().len(),
        store: StoreView {
            writer_alive: health.writer_alive,
            last_error: health.last_error,
            queue_depth: health.queue_depth,
            lost_token_records: health.lost_background,
        },
    })
}
