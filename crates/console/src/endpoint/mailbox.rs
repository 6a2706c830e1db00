//! `/mailbox`: letters that are kept instead of sent, on a machine of one's own.

use axum::extract::State;
use http::StatusCode;
use mail::{Kept, Mailbox};
use serde::Serialize;
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::Reader;
use crate::answer::{Answer, Page};
use crate::input::{self, Before, Query, Segment};
use crate::problem::Problem;

/// A letter that was kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct LetterSummary {
    /// Its number, from 1.
    id: u64,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Whom it is for.
    to: String,
    /// What it is about.
    subject: String,
}

/// A letter with its words.
#[derive(Serialize, ToSchema)]
pub(crate) struct LetterView {
    /// Its number, from 1.
    id: u64,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Whom it is for.
    to: String,
    /// What it is about.
    subject: String,
    /// Its words.
    text: String,
    /// The same as a page.
    html: String,
}

/// List letters that were kept, newest first. With `mail.mode = "mailbox"` alone; the newest 200, in memory.
#[utoipa::path(get, path = "/mailbox", tag = "mailbox", params(Before),
    responses((status = 200, description = "A page of letters", body = Page<LetterSummary>),
        (status = 404, description = "Letters are not kept here", body = Problem)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(page): Query<Before>,
) -> Result<Answer<Page<LetterSummary>>, Problem> {
    let before = page.before.map(|text| input::position("before", &text)).transpose()?;
    let limit = page.limit.rows();
    let rows = kept(&console)?.newest(before, limit);
    Ok(Answer(Page::of(rows, limit, |row| row.id.to_string(), summary)))
}

/// Show a letter that was kept. Its links are good for whoever reads it.
#[utoipa::path(get, path = "/mailbox/{id}", tag = "mailbox",
    params(("id" = String, Path, description = "The letter's number")),
    responses((status = 200, description = "The letter", body = LetterView),
        (status = 404, description = "No such letter, or letters are not kept here", body = Problem)))]
pub(crate) async fn show(
    State(console): State<Console>,
    _: Reader,
    Segment(id): Segment,
) -> Result<Answer<LetterView>, Problem> {
    let mailbox = kept(&console)?;
    let found = id.parse().ok().and_then(|id| mailbox.find(id));
    found.map(|kept| Answer(view(kept))).ok_or_else(|| Problem::unknown("letter"))
}

fn kept(console: &Console) -> Result<&Mailbox, Problem> {
    let words = "letters are not kept here: that is so with `mail.mode = \"mailbox\"` alone";
    let kept = console.authority.outbox().kept();
    kept.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, words))
}

fn summary(kept: Kept) -> LetterSummary {
    let Kept { id, at, letter } = kept;
    LetterSummary { id, at, to: letter.to.to_string(), subject: letter.subject }
}

fn view(kept: Kept) -> LetterView {
    let Kept { id, at, letter } = kept;
    LetterView {
        id,
        at,
        to: letter.to.to_string(),
        subject: letter.subject,
        text: letter.text,
        html: letter.html,
    }
}
