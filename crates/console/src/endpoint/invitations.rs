//! `/invitations`: people who may make an account for themselves.

use authority::person;
use axum::extract::State;
use axum::response::IntoResponse as _;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::{Link, LinkPurpose};
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{self, Answer, Page};
use crate::change::{Change, Recorded};
use crate::input::{After, Body, Query, Segment};
use crate::problem::Problem;

/// An invitation that was not taken yet. Its link is in the letter alone: whoever opens it reads the address.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvitationView {
    /// Its name.
    id: String,
    /// Where the letter went.
    email: String,
    /// The user name that is proposed.
    username: Option<String>,
    /// The name that is proposed.
    name: Option<String>,
    /// Who invited them.
    created_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Somebody to be invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationBody {
    /// Where the letter goes; it will be their address, and count as theirs.
    email: String,
    /// A user name that is proposed to them.
    username: Option<String>,
    /// A name that is proposed to them.
    name: Option<String>,
}

/// List invitations that were not taken yet.
#[utoipa::path(get, path = "/invitations", tag = "invitations", params(After),
    responses((status = 200, description = "A page of invitations", body = Page<InvitationView>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(page): Query<After>,
) -> Result<Answer<Page<InvitationView>>, Problem> {
    let (limit, now) = (page.limit.rows(), console.authority.now());
    let store = console.store();
    let rows = store.links(LinkPurpose::Invitation, page.after.as_deref(), limit, now).await?;
    Ok(Answer(Page::of(rows, limit, |row| row.id.clone(), view)))
}

/// Invite somebody by a letter.
#[utoipa::path(post, path = "/invitations", tag = "invitations", request_body = InvitationBody,
    responses((status = 201, description = "The letter is on its way", body = InvitationView),
        (status = 409, description = "No letters are sent, or nobody is let in by invitation", body = Problem)))]
pub(crate) async fn create(
    State(console): State<Console>,
    administrator: Administrator,
    Body(body): Body<InvitationBody>,
) -> Result<Recorded, Problem> {
    let authority = &console.authority;
    if !authority.settings().sign_up.has_invitations() || !authority.sends_letters() {
        return Err(Problem::new(StatusCode::CONFLICT, CLOSED));
    }
    let InvitationBody { email, username, name } = body;
    let checked = person::check_email(Some(&email))
        .and_then(|()| username.as_deref().map_or(Ok(()), person::check_username))
        .and_then(|()| person::check_name(name.as_deref()));
    checked.map_err(Problem::bad_request)?;
    let (now, actor) = (authority.now(), administrator.actor());
    let link = authority.invite(&email, username, name, actor, now).await?;
    let shown = answer::json(StatusCode::CREATED, &view(link.clone()));
    let change = Change { action: "invitation.create", target: &link.id, at: now };
    console.record(&administrator, change, shown).await
}

/// Take an invitation back.
#[utoipa::path(delete, path = "/invitations/{id}", tag = "invitations",
    params(("id" = String, Path, description = "The invitation's id")),
    responses((status = 204, description = "Its link is void"),
        (status = 404, description = "No such invitation, or it was taken", body = Problem)))]
pub(crate) async fn remove(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(id): Segment,
) -> Result<Recorded, Problem> {
    if !console.store().withdraw_link(LinkPurpose::Invitation, &id).await? {
        return Err(Problem::unknown("invitation"));
    }
    let at = console.authority.now();
    let change = Change { action: "invitation.delete", target: &id, at };
    console.record(&administrator, change, StatusCode::NO_CONTENT.into_response()).await
}

const CLOSED: &str = "nobody can be invited: set `authority.sign_up.mode` to `invitation` or `open`, and \
    `mail.mode` to `smtp` or `mailbox`";

fn view(link: Link) -> InvitationView {
    InvitationView {
        id: link.id,
        email: link.address,
        username: link.username,
        name: link.name,
        created_by: link.created_by,
        created_at: link.created_at,
        expires_at: link.expires_at,
    }
}
