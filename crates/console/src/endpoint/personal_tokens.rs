//! `/personal-tokens`: tokens of people and of services that live long.

use std::time::Duration;

use authority::personal::{self, Order, OrderRefused, PersonalView, Rotation};
use axum::extract::State;
use axum::response::IntoResponse as _;
use http::StatusCode;
use ipnet::IpNet;
use serde::Deserialize;
use store::StoredPersonal;
use token::event::{EventKind, Who};
use token::id::{ClientId, KeyId, SubjectId, TokenId};
use token::personal::Owner;
use token::place::PlaceTest;
use token::restriction::Selector;
use token::scope::ScopeSet;
use utoipa::{IntoParams, ToSchema};

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{self, Answer, Page};
use crate::change::{Change, Recorded};
use crate::input::{Body, Limit, Query, Segment};
use crate::problem::Problem;

const REVOKED: &str = "revoked by an administrator";

/// A token to be made: for one person or for one service.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonalBody {
    /// The person's id.
    user: Option<String>,
    /// The person, by the name they sign in with.
    username: Option<String>,
    /// The service: a client with the grant type `client_credentials`.
    client_id: Option<String>,
    /// What it is for, 1 to 100 characters.
    name: String,
    /// What it is to allow, separated by spaces; no more than its owner may do.
    #[schema(value_type = String)]
    scope: ScopeSet,
    /// Which resources it is for, by their identifiers; the gateway's own when none is given.
    #[serde(default)]
    resources: Vec<String>,
    /// How many seconds it lives: at least 60, at most what is configured.
    expires_in: u64,
    /// It ends earlier when it is not used for so many seconds, at least 600.
    idle: Option<u64>,
    /// Addresses and networks that it may be used from, at most 32; all when none is given.
    #[serde(default)]
    networks: Vec<String>,
    /// Places that it may be used from, such as `countries:NO,SE` or `not_asns:64496`, at most 4, all of which
    /// hold; all when none is given. They need `geo.files`.
    #[serde(default)]
    places: Vec<String>,
    /// The thumbprint (RFC 7638) of the key that has to be shown beside it (DPoP).
    #[schema(value_type = Option<String>)]
    dpop_jkt: Option<KeyId>,
}

/// How a token is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotationBody {
    /// How many seconds the new one lives; as many as the old one when it is not given.
    expires_in: Option<u64>,
    /// For how many seconds the old one stays good; as configured when it is not given.
    overlap: Option<u64>,
}

/// What a token keeps.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NarrowBody {
    /// The scopes that it keeps, separated by spaces; those that were demanded of it so far when it is not
    /// given.
    #[schema(value_type = Option<String>)]
    scope: Option<ScopeSet>,
}

/// Whose tokens.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonalQuery {
    /// Of this person alone, by their id.
    user: Option<String>,
    /// Of this service alone.
    client_id: Option<String>,
    /// What an earlier page gave as `next`.
    after: Option<String>,
    /// At most this many, 1 to 1000; 100 when it is not given.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// List personal tokens and tokens of services, oldest first.
#[utoipa::path(get, path = "/personal-tokens", tag = "personal_tokens", params(PersonalQuery),
    responses((status = 200, description = "A page of tokens", body = Page<PersonalView>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(query): Query<PersonalQuery>,
) -> Result<Answer<Page<PersonalView>>, Problem> {
    let owner = match (query.user, query.client_id) {
        (None, None) => None,
        (Some(user), None) => Some(Owner::Person(user.into())),
        (None, Some(client)) => Some(Owner::Service(client.into())),
        (Some(_), Some(_)) => {
            return Err(Problem::bad_request("give `user` or `client_id`, not both"));
        }
    };
    let (after, limit) = (query.after.map(TokenId::from), query.limit.rows());
    let (store, now) = (console.store(), console.authority.now());
    let rows = store.personal_tokens(owner.as_ref(), after.as_ref(), limit).await?;
    let shown: Result<Vec<PersonalView>, _> =
        rows.into_iter().map(|row| PersonalView::of(store, row, now)).collect();
    Ok(Answer(Page::of(shown?, limit, |row| row.jti.to_string(), |row| row)))
}

/// Make a token. It is shown in this answer and never again.
#[utoipa::path(post, path = "/personal-tokens", tag = "personal_tokens",
    request_body = PersonalBody,
    responses((status = 201, description = "The token", body = PersonalView),
        (status = 409, description = "It would be more than its owner may have", body = Problem)))]
pub(crate) async fn create(
    State(console): State<Console>,
    administrator: Administrator,
    Body(body): Body<PersonalBody>,
) -> Result<Recorded, Problem> {
    let now = console.authority.now();
    let owner = owner(&console, &body).await?;
    let networks = body.networks.iter().map(|text| network(text)).collect::<Result<_, _>>()?;
    let places = body.places.iter().map(|text| text.parse::<PlaceTest>());
    let order = Order {
        owner,
        name: body.name,
        scopes: body.scope,
        resources: body.resources,
        life: Duration::from_secs(body.expires_in),
        idle: body.idle.map(Duration::from_secs),
        networks,
        places: places.collect::<Result<_, _>>().map_err(Problem::bad_request)?,
        jkt: body.dpop_jkt,
        by: administrator.actor().to_owned(),
    };
    let made = console.authority.make_personal(order, now).await?;
    let name = made.stored.terms.token.clone();
    let mut view = PersonalView::of(console.store(), made.stored, now)?;
    view.token = Some(made.token.expose().to_owned());
    let change = Change { action: "personal_token.create", target: name.as_str(), at: now };
    console.record(&administrator, change, answer::json(StatusCode::CREATED, &view)).await
}

/// Show a token, until a week after its end.
#[utoipa::path(get, path = "/personal-tokens/{jti}", tag = "personal_tokens",
    params(("jti" = String, Path, description = "The token's name")),
    responses((status = 200, description = "The token", body = PersonalView),
        (status = 404, description = "No token of this name", body = Problem)))]
pub(crate) async fn show(
    State(console): State<Console>,
    _: Reader,
    Segment(jti): Segment,
) -> Result<Answer<PersonalView>, Problem> {
    let held = find(&console, &TokenId::from(jti)).await?;
    Ok(Answer(PersonalView::of(console.store(), held, console.authority.now())?))
}

/// Replace a token by a new one with the same terms, shown in this answer; the old one stays good for a
/// while.
#[utoipa::path(post, path = "/personal-tokens/{jti}/rotate", tag = "personal_tokens",
    request_body = RotationBody,
    params(("jti" = String, Path, description = "The token's name")),
    responses((status = 201, description = "The new token", body = PersonalView),
        (status = 404, description = "No token of this name", body = Problem),
        (status = 409, description = "It has ended, or is restricted", body = Problem)))]
pub(crate) async fn rotate(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(jti): Segment,
    Body(body): Body<RotationBody>,
) -> Result<Recorded, Problem> {
    let now = console.authority.now();
    let held = find(&console, &TokenId::from(jti)).await?;
    let rotation = Rotation {
        life: body.expires_in.map(Duration::from_secs),
        overlap: body.overlap.map(Duration::from_secs),
        by: administrator.actor().to_owned(),
    };
    let made = console.authority.rotate_personal(&held, rotation, now).await?;
    let mut view = PersonalView::of(console.store(), made.stored, now)?;
    view.token = Some(made.token.expose().to_owned());
    let target = held.terms.token.as_str();
    let change = Change { action: "personal_token.rotate", target, at: now };
    console.record(&administrator, change, answer::json(StatusCode::CREATED, &view)).await
}

/// Narrow a token to some of its scopes, or to those that it was really used for.
#[utoipa::path(post, path = "/personal-tokens/{jti}/narrow", tag = "personal_tokens",
    request_body = NarrowBody,
    params(("jti" = String, Path, description = "The token's name")),
    responses((status = 200, description = "The token as it is now", body = PersonalView),
        (status = 404, description = "No token of this name", body = Problem),
        (status = 409, description = "It would get more, or was not used", body = Problem)))]
pub(crate) async fn narrow(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(jti): Segment,
    Body(body): Body<NarrowBody>,
) -> Result<Recorded, Problem> {
    let _alone = console.changing.lock().await;
    let now = console.authority.now();
    let held = find(&console, &TokenId::from(jti)).await?;
    let held = console.authority.narrow_personal(held, body.scope).await?;
    let name = held.terms.token.clone();
    let view = PersonalView::of(console.store(), held, now)?;
    let change = Change { action: "personal_token.narrow", target: name.as_str(), at: now };
    console.record(&administrator, change, answer::json(StatusCode::OK, &view)).await
}

/// Revoke a token: final.
#[utoipa::path(delete, path = "/personal-tokens/{jti}", tag = "personal_tokens",
    params(("jti" = String, Path, description = "The token's name")),
    responses((status = 204, description = "It is revoked"),
        (status = 404, description = "No token of this name", body = Problem)))]
pub(crate) async fn remove(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(jti): Segment,
) -> Result<Recorded, Problem> {
    let (name, now) = (TokenId::from(jti), console.authority.now());
    let actor = administrator.actor();
    let held = console.store().revoke_personal(&name, REVOKED, actor, now).await?;
    held.ok_or_else(|| Problem::unknown("personal token"))?;
    let kind = EventKind::Revoke {
        result: "ok".to_owned(),
        selector: Some(Selector::Token(name.clone()).to_string()),
        actor: Some(actor.to_owned()),
        reason: Some(REVOKED.to_owned()),
    };
    console.authority.emit(administrator.caller(), Who::default(), kind, now);
    let change = Change { action: "personal_token.revoke", target: name.as_str(), at: now };
    console.record(&administrator, change, StatusCode::NO_CONTENT.into_response()).await
}

async fn owner(console: &Console, body: &PersonalBody) -> Result<Owner, Problem> {
    match (&body.user, &body.username, &body.client_id) {
        (Some(id), None, None) => Ok(Owner::Person(SubjectId::from(id.as_str()))),
        (None, Some(name), None) => {
            let user = console.store().user_by_name(name).await?;
            let user = user.ok_or_else(|| Problem::bad_request(OrderRefused::Owner))?;
            Ok(Owner::Person(user.id))
        }
        (None, None, Some(id)) => Ok(Owner::Service(ClientId::from(id.as_str()))),
        _ => Err(Problem::bad_request("give one of `user`, `username` and `client_id`")),
    }
}

async fn find(console: &Console, token: &TokenId) -> Result<StoredPersonal, Problem> {
    let held = console.store().personal_token(token).await?;
    held.ok_or_else(|| Problem::unknown("personal token"))
}

/// A network, or an address as a network of its own.
fn network(text: &str) -> Result<IpNet, Problem> {
    personal::network(text).ok_or_else(|| {
        Problem::bad_request("`networks` must be addresses, or networks such as 192.0.2.0/24")
    })
}

impl From<OrderRefused> for Problem {
    fn from(refused: OrderRefused) -> Self {
        match refused {
            OrderRefused::Store(error) => error.into(),
            OrderRefused::Unknown => Self::unknown("personal token"),
            OrderRefused::Closed
            | OrderRefused::Ended
            | OrderRefused::Many
            | OrderRefused::Restrained
            | OrderRefused::ScopeExceeded(_)
            | OrderRefused::Unused => Self::conflict(refused),
            OrderRefused::Idle
            | OrderRefused::Life(_)
            | OrderRefused::Name
            | OrderRefused::Networks
            | OrderRefused::NoScope
            | OrderRefused::NoService
            | OrderRefused::Owner
            | OrderRefused::Places
            | OrderRefused::Resource(_)
            | OrderRefused::Scope(_)
            | OrderRefused::ScopeElsewhere(_)
            | OrderRefused::Thumbprint => Self::bad_request(refused),
        }
    }
}
