//! `/honeytokens`: bait.

use std::time::Duration;

use authority::Authority;
use authority::issue::{AccessTokenOrder, mint};
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::Honeytoken;
use token::id::{ClientId, SubjectId, TokenId};
use token::opaque::Family;
use token::reference;
use token::scope::ScopeSet;
use token::secret::Secret;
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{self, Answer, Page};
use crate::change::{Change, Recorded};
use crate::input::{After, Body, Query};
use crate::problem::Problem;

/// Long enough to be worth stealing for whoever finds it.
const LIFE: Duration = Duration::from_secs(365 * 24 * 3600);
const MAX_LABEL_CHARS: usize = 200;

/// A honeytoken; the token itself is shown once, when it is made.
#[derive(Serialize, ToSchema)]
pub(crate) struct HoneytokenView {
    /// Its name.
    #[schema(value_type = String)]
    jti: TokenId,
    /// Where it was put.
    label: String,
    /// Who made it.
    created_by: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it seems to expire; its use is noticed after that too.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The token, in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// A honeytoken to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoneytokenBody {
    /// Where it will be put, for whoever reads the finding: 1 to 200 characters.
    label: String,
    /// What it looks like.
    #[serde(default)]
    kind: HoneytokenKind,
}

/// What a honeytoken looks like.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum HoneytokenKind {
    /// An access token that says what it may (JWT).
    #[default]
    AccessToken,
    /// The secret of a client.
    ClientSecret,
    /// An access token that says nothing.
    OpaqueToken,
    /// A personal token.
    PersonalToken,
    /// A refresh token.
    RefreshToken,
}

/// List honeytokens, oldest first.
#[utoipa::path(get, path = "/honeytokens", tag = "honeytokens", params(After),
    responses((status = 200, description = "A page of honeytokens", body = Page<HoneytokenView>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(page): Query<After>,
) -> Result<Answer<Page<HoneytokenView>>, Problem> {
    let after = page.after.map(TokenId::from);
    let limit = page.limit.rows();
    let rows = console.store().list_honeytokens(after.as_ref(), limit).await?;
    Ok(Answer(Page::of(rows, limit, |row| row.token.to_string(), |row| view(row, None))))
}

/// Make a token that looks real and that nobody has a reason to use. Its use is a finding and
/// blocks the network that used it.
#[utoipa::path(post, path = "/honeytokens", tag = "honeytokens", request_body = HoneytokenBody,
    responses((status = 201, description = "The honeytoken", body = HoneytokenView)))]
pub(crate) async fn create(
    State(console): State<Console>,
    administrator: Administrator,
    Body(body): Body<HoneytokenBody>,
) -> Result<Recorded, Problem> {
    let length = body.label.chars().count();
    if body.label.trim().is_empty() || length > MAX_LABEL_CHARS {
        let words = format!("`label` must be 1 to {MAX_LABEL_CHARS} characters");
        return Err(Problem::bad_request(words));
    }
    let authority = &console.authority;
    let now = authority.now();
    let (token, text) = match body.kind.family() {
        Some(family) => {
            let text = family.generate(authority.random());
            (reference::name(text.expose()), text)
        }
        None => access_token(authority, now)?,
    };
    let honeytoken = Honeytoken {
        token: token.clone(),
        label: body.label,
        created_by: administrator.actor().to_owned(),
        created_at: now,
        expires_at: now.plus(LIFE),
    };
    console.store().add_honeytoken(&honeytoken).await?;
    let change = Change { action: "honeytoken.create", target: token.as_str(), at: now };
    let shown = view(honeytoken, Some(text.expose().to_owned()));
    console.record(&administrator, change, answer::json(StatusCode::CREATED, &shown)).await
}

fn access_token(authority: &Authority, now: Timestamp) -> Result<(TokenId, Secret), Problem> {
    let (random, settings) = (authority.random(), authority.settings());
    let names: Vec<&str> = settings.scopes.iter().map(|scope| scope.name.as_str()).collect();
    let order = AccessTokenOrder {
        // Nobody's names, in the form of everybody's.
        subject: SubjectId::generate(random),
        client: ClientId::generate(random),
        scopes: ScopeSet::parse(&names.join(" ")).map_err(|error| Problem::internal(&error))?,
        audiences: settings.resource_identifiers(),
        life: LIFE,
        grant: None,
        session: None,
        auth_time: None,
        acr: None,
        details: Vec::new(),
        cnf: None,
        act: None,
        may_act: None,
    };
    let issued = mint(order, &settings.issuer, authority.keys(), authority.store(), now, random);
    let issued = issued.map_err(|error| Problem::internal(&error))?;
    Ok((issued.id, issued.token))
}

// === impl HoneytokenKind ===

impl HoneytokenKind {
    /// The form of what says nothing of itself.
    fn family(self) -> Option<Family> {
        Some(match self {
            Self::AccessToken => return None,
            Self::ClientSecret => Family::ClientSecret,
            Self::OpaqueToken => Family::Access,
            Self::PersonalToken => Family::Personal,
            Self::RefreshToken => Family::Refresh,
        })
    }
}

fn view(honeytoken: Honeytoken, token: Option<String>) -> HoneytokenView {
    HoneytokenView {
        jti: honeytoken.token,
        label: honeytoken.label,
        created_by: honeytoken.created_by,
        created_at: honeytoken.created_at,
        expires_at: honeytoken.expires_at,
        token,
    }
}
