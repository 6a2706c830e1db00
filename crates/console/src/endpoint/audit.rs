//! `/audit`: who changed what, and when.

use std::net::IpAddr;

use axum::extract::State;
use serde::Serialize;
use store::AuditRow;
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::Reader;
use crate::answer::{Answer, Page};
use crate::input::{self, Before, Query};
use crate::problem::Problem;

/// One change.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditView {
    /// Its position: grows by one a change, without holes.
    seq: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who: `admin:<subject>`.
    actor: String,
    /// What, such as `client.create`.
    action: String,
    /// On what.
    target: String,
    /// From where.
    #[schema(value_type = Option<String>)]
    ip: Option<IpAddr>,
}

/// List changes, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(Before),
    responses((status = 200, description = "A page of changes", body = Page<AuditView>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(page): Query<Before>,
) -> Result<Answer<Page<AuditView>>, Problem> {
    let before = page.before.map(|text| input::position("before", &text)).transpose()?;
    let limit = page.limit.rows();
    let rows = console.store().audit(before, limit).await?;
    Ok(Answer(Page::of(rows, limit, |row| row.seq.to_string(), view)))
}

fn view(row: AuditRow) -> AuditView {
    let AuditRow { seq, entry } = row;
    AuditView {
        seq,
        at: entry.at,
        actor: entry.actor,
        action: entry.action,
        target: entry.target,
        ip: entry.ip,
    }
}
