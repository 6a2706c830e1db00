//! `/users/{id}/factors`: what people prove beside a password. Here it is seen and removed; only its person
//! sets it up.

use axum::extract::State;
use axum::response::IntoResponse as _;
use http::StatusCode;
use serde::Serialize;
use store::{Passkey, Removal, TotpFactor};
use token::id::SubjectId;
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::Answer;
use crate::change::{Change, Recorded};
use crate::endpoint::users;
use crate::input::{Segment, TwoSegments};
use crate::problem::Problem;

/// What a person has beside a password.
#[derive(Serialize, ToSchema)]
pub(crate) struct FactorsView {
    /// Passkeys, the oldest first.
    passkeys: Vec<PasskeyView>,
    /// Apps that make codes (RFC 6238), the oldest first.
    totp: Vec<FactorView>,
    /// How many recovery codes are left.
    recovery_codes: usize,
    /// In how many browsers they are not asked for a while.
    remembered_browsers: u64,
}

/// One passkey.
#[derive(Serialize, ToSchema)]
pub(crate) struct PasskeyView {
    /// Its name here.
    id: String,
    /// What its person calls it.
    name: String,
    /// Whether there are copies of it in other places.
    is_backed_up: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When somebody last signed in with it.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

/// One app; its key is never shown.
#[derive(Serialize, ToSchema)]
pub(crate) struct FactorView {
    /// Its name here.
    id: String,
    /// When it was set up.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When a code of it was last accepted.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

/// Show what a person has beside a password.
#[utoipa::path(get, path = "/users/{id}/factors", tag = "users",
    params(("id" = String, Path, description = "The person's id: `sub` of their tokens")),
    responses((status = 200, description = "Their factors", body = FactorsView),
        (status = 404, description = "Nobody of this id", body = Problem)))]
pub(crate) async fn show_factors(
    State(console): State<Console>,
    _: Reader,
    Segment(id): Segment,
) -> Result<Answer<FactorsView>, Problem> {
    let id = users::find(&console, &SubjectId::from(id)).await?.id;
    let held = console.store().factors_of(&id).await?;
    let now = console.authority.now();
    Ok(Answer(FactorsView {
        passkeys: held.passkeys.into_iter().map(passkey_view).collect(),
        totp: held.totp.into_iter().map(view).collect(),
        recovery_codes: held.recovery_codes,
        remembered_browsers: console.store().remembered_browsers(&id, now).await?,
    }))
}

/// Remove all that a person has beside a password: passkeys, apps, recovery codes and remembered browsers. For
/// somebody who has lost them all; be sure who asks for it.
#[utoipa::path(delete, path = "/users/{id}/factors", tag = "users",
    params(("id" = String, Path, description = "The person's id: `sub` of their tokens")),
    responses((status = 204, description = "They are removed"),
        (status = 404, description = "Nobody of this id", body = Problem)))]
pub(crate) async fn remove_factors(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(id): Segment,
) -> Result<Recorded, Problem> {
    let now = console.authority.now();
    let id = users::find(&console, &SubjectId::from(id)).await?.id;
    console.store().remove_factors(&id).await?;
    let change = Change { action: "user.factors.remove", target: id.as_str(), at: now };
    console.record(&administrator, change, StatusCode::NO_CONTENT.into_response()).await
}

/// Remove one passkey or app of a person. With the last one go the recovery codes and the remembered browsers.
#[utoipa::path(delete, path = "/users/{id}/factors/{factor}", tag = "users",
    params(("id" = String, Path, description = "The person's id: `sub` of their tokens"),
        ("factor" = String, Path, description = "The id of the passkey or the app")),
    responses((status = 204, description = "It is removed"),
        (status = 404, description = "Nobody of this id, or no such factor of theirs", body = Problem)))]
pub(crate) async fn remove_factor(
    State(console): State<Console>,
    administrator: Administrator,
    TwoSegments(id, factor): TwoSegments,
) -> Result<Recorded, Problem> {
    let (id, now) = (SubjectId::from(id), console.authority.now());
    if console.store().remove_factor(&id, &factor, false).await? == Removal::Unknown {
        return Err(Problem::unknown("factor"));
    }
    // The person sees it too: what was done to them is found by their id.
    let change = Change { action: "user.factor.remove", target: id.as_str(), at: now };
    console.record(&administrator, change, StatusCode::NO_CONTENT.into_response()).await
}

fn view(factor: TotpFactor) -> FactorView {
    let TotpFactor { id, created_at, last_used_at, .. } = factor;
    FactorView { id, created_at, last_used_at }
}

fn passkey_view(passkey: Passkey) -> PasskeyView {
    let Passkey { id, name, is_backed_up, created_at, last_used_at, .. } = passkey;
    PasskeyView { id, name, is_backed_up, created_at, last_used_at }
}
