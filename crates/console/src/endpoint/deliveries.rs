//! `/deliveries`: what is to be told and was not taken yet, or was given up.

use axum::extract::State;
use axum::response::IntoResponse as _;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::{Delivery, DeliveryState};
use token::id::DeliveryId;
use token::time::Timestamp;
use utoipa::{IntoParams, ToSchema};

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{Answer, Page};
use crate::change::{Change, Recorded};
use crate::input::{self, Limit, Query, Segment};
use crate::problem::Problem;

/// Something to be told.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    /// Its name; of a webhook its `webhook-id`.
    #[schema(value_type = String)]
    id: DeliveryId,
    /// The outlet.
    outlet: String,
    /// The id of the finding, or the event and whom it is of.
    about: String,
    /// `waiting` or `dead`: given up.
    state: &'static str,
    /// How often it was tried.
    tries: u64,
    /// Why it was not taken at the last try.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// Since when it is to be told.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it is tried next, or was given up.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
}

/// Which deliveries.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeliveriesQuery {
    /// Those that were given up, instead of those that wait.
    #[serde(default)]
    dead: bool,
    /// What an earlier page gave as `next`.
    before: Option<String>,
    /// At most this many, 1 to 1000; 100 when it is not given.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// List deliveries that wait or were given up, newest first. What was taken is not kept.
#[utoipa::path(get, path = "/deliveries", tag = "deliveries", params(DeliveriesQuery),
    responses((status = 200, description = "A page of deliveries", body = Page<DeliveryView>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Answer<Page<DeliveryView>>, Problem> {
    let before = query.before.map(|text| input::position("before", &text)).transpose()?;
    let state = if query.dead { DeliveryState::Dead } else { DeliveryState::Waiting };
    let limit = query.limit.rows();
    let rows = console.store().deliveries(state, before, limit).await?;
    Ok(Answer(Page::of(rows, limit, |row| row.position.to_string(), view)))
}

/// Try a delivery again now, as if it was new.
#[utoipa::path(post, path = "/deliveries/{id}/retry", tag = "deliveries",
    params(("id" = String, Path, description = "The delivery's name")),
    responses((status = 204, description = "It is tried"),
        (status = 404, description = "No delivery of this name", body = Problem)))]
pub(crate) async fn retry(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(id): Segment,
) -> Result<Recorded, Problem> {
    if !console.notifier.again(&DeliveryId::from(id.as_str())).await? {
        return Err(Problem::unknown("delivery"));
    }
    let change = Change { action: "delivery.retry", target: &id, at: console.authority.now() };
    console.record(&administrator, change, StatusCode::NO_CONTENT.into_response()).await
}

/// Forget a delivery: it is not told.
#[utoipa::path(delete, path = "/deliveries/{id}", tag = "deliveries",
    params(("id" = String, Path, description = "The delivery's name")),
    responses((status = 204, description = "It is forgotten"),
        (status = 404, description = "No delivery of this name", body = Problem)))]
pub(crate) async fn remove(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(id): Segment,
) -> Result<Recorded, Problem> {
    if !console.store().remove_delivery(&DeliveryId::from(id.as_str())).await? {
        return Err(Problem::unknown("delivery"));
    }
    let change = Change { action: "delivery.remove", target: &id, at: console.authority.now() };
    console.record(&administrator, change, StatusCode::NO_CONTENT.into_response()).await
}

fn view(delivery: Delivery) -> DeliveryView {
    DeliveryView {
        id: delivery.id,
        outlet: delivery.outlet,
        about: delivery.about,
        state: delivery.state.as_str(),
        tries: delivery.tries,
        cause: delivery.cause,
        created_at: delivery.created_at,
        due_at: delivery.due_at,
    }
}
