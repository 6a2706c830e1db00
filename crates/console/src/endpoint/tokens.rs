//! `/tokens`: what is known of an issued token, by its `jti`.

use axum::extract::State;
use serde::Serialize;
use store::IssuedToken;
use token::id::{ClientId, GrantId, KeyId, SessionId, SubjectId, TokenId};
use token::restriction::TokenFacts;
use token::scope::ScopeSet;
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::Reader;
use crate::answer::Answer;
use crate::endpoint::restrictions::RestrictionView;
use crate::input::Segment;
use crate::problem::Problem;

/// What an issued token was made from; the token itself is not kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenView {
    /// Its name.
    #[schema(value_type = String)]
    jti: TokenId,
    /// What it is, such as `access`.
    kind: String,
    /// Whom it speaks for.
    #[schema(value_type = String)]
    subject: SubjectId,
    /// To whom it was issued.
    #[schema(value_type = String)]
    client_id: ClientId,
    /// The grant that it came from.
    #[schema(value_type = Option<String>)]
    grant_id: Option<GrantId>,
    /// The sign-in session behind it.
    #[schema(value_type = Option<String>)]
    session: Option<SessionId>,
    /// What it allows, separated by spaces.
    #[schema(value_type = String)]
    scope: ScopeSet,
    /// Whom it is for.
    audiences: Vec<String>,
    /// Which key signed it.
    #[schema(value_type = String)]
    kid: KeyId,
    /// When it was issued.
    #[schema(value_type = String, format = DateTime)]
    issued_at: Timestamp,
    /// When it expires.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Whether it has expired.
    expired: bool,
    /// Whether it is bait.
    honeytoken: bool,
    /// The restriction that refuses it now.
    restriction: Option<RestrictionView>,
}

/// Show what is known of a token, until it has expired.
#[utoipa::path(get, path = "/tokens/{jti}", tag = "tokens",
    params(("jti" = String, Path, description = "The token's `jti`")),
    responses((status = 200, description = "The token", body = TokenView),
        (status = 404, description = "No token of this name", body = Problem)))]
pub(crate) async fn show(
    State(console): State<Console>,
    _: Reader,
    Segment(jti): Segment,
) -> Result<Answer<TokenView>, Problem> {
    let id = TokenId::from(jti);
    let issued = console.store().issued_token(&id).await?;
    let issued = issued.ok_or_else(|| Problem::unknown("token on record; it may have expired"))?;
    Ok(Answer(view(&console, issued)))
}

fn view(console: &Console, issued: IssuedToken) -> TokenView {
    let now = console.authority.now();
    let facts = TokenFacts {
        token: issued.token.clone(),
        grant: issued.grant.clone(),
        session: issued.session.clone(),
        subject: issued.subject.clone(),
        client: issued.client.clone(),
        key: issued.key.clone(),
        issued_at: issued.issued_at,
        foreign: None,
    };
    let restriction = console.store().index().on_token(&facts, now);
    TokenView {
        honeytoken: console.store().honeytokens().contains(&issued.token),
        jti: issued.token,
        kind: issued.kind.into_owned(),
        subject: issued.subject,
        client_id: issued.client,
        grant_id: issued.grant,
        session: issued.session,
        scope: issued.scopes,
        audiences: issued.audiences,
        kid: issued.key,
        issued_at: issued.issued_at,
        expires_at: issued.expires_at,
        expired: now >= issued.expires_at,
        restriction: restriction.map(|restriction| RestrictionView::of(&restriction)),
    }
}
