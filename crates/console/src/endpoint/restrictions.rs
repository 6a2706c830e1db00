//! `/restrictions`: what has been taken back: list, add, lift.

use std::net::IpAddr;

use axum::extract::State;
use axum::response::IntoResponse as _;
use http::StatusCode;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use store::{Filter, Lift, NewRestriction, RestrictionRow};
use token::restriction::{Effect, Restriction, Selector};
use token::time::Timestamp;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{self, Answer, Page};
use crate::change::{Change, Recorded};
use crate::input::{self, Body, Limit, Query, Segment};
use crate::problem::Problem;

const MAX_REASON_CHARS: usize = 500;
const MAX_VALUE_BYTES: usize = token::foreign::LONGEST_NAME;

/// A restriction.
#[derive(Serialize, ToSchema)]
pub(crate) struct RestrictionView {
    /// Its position in the log.
    seq: u64,
    /// What it is about.
    #[schema(value_type = SelectorBody)]
    selector: Selector,
    /// `revoke` is final, all others can be lifted.
    #[schema(value_type = EffectText)]
    effect: Effect,
    /// It fits tokens issued at or before this time; a token and a network whatever their time.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// When it ends by itself; `null` for never.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Why.
    reason: String,
    /// Who: `admin:<subject>`, `client:<id>`, `detector:<name>` or `authority`.
    actor: String,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// When it was lifted.
    #[schema(value_type = Option<String>, format = DateTime)]
    lifted_at: Option<Timestamp>,
    /// Who lifted it.
    lifted_by: Option<String>,
}

/// What a restriction is about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SelectorBody {
    /// The kind of thing.
    kind: Kind,
    /// Its name: an id, a `jti`, a `kid`, an address or a network; none for `issuer`.
    value: Option<String>,
}

/// The kinds of selector.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Tokens of one client.
    Client,
    /// Tokens of one grant.
    Grant,
    /// Every token of this issuer.
    Issuer,
    /// Tokens signed with one key.
    Key,
    /// Requests from a network.
    Network,
    /// Tokens of one sign-in session.
    Session,
    /// Tokens of one person or client as subject.
    Subject,
    /// One token.
    Token,
}

/// An effect as its text.
struct EffectText;

/// A restriction to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestrictionBody {
    /// What it is about.
    selector: SelectorBody,
    /// What it does: `revoke` is final. `suspend` refuses until it ends or is lifted. With the others a token
    /// is good for less, and those that come after it too: `drop_scopes:SCOPES` (separated by spaces),
    /// `require:step_up` (sign in again), `require:dpop`, `require:mtls` (get a bound token), `limit:RATE`
    /// (`10/m`), `networks:NETWORKS`, `countries:COUNTRIES` (`NO,SE`; `ZZ` is an unknown one),
    /// `not_countries:COUNTRIES`, `asns:NUMBERS` (`64496`; 0 is an unknown one), `not_asns:NUMBERS` (each separated
    /// by commas).
    #[schema(value_type = EffectText)]
    effect: Effect,
    /// When it ends by itself; never when it is not given. Not for `revoke`.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Why, for whoever reads the log: 1 to 500 characters.
    reason: String,
}

/// Which restrictions.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestrictionsQuery {
    /// Only those in force.
    #[serde(default)]
    in_force: bool,
    /// What an earlier page gave as `next`.
    before: Option<String>,
    /// At most this many, 1 to 1000; 100 when it is not given.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// List restrictions, newest first.
#[utoipa::path(get, path = "/restrictions", tag = "restrictions", params(RestrictionsQuery),
    responses((status = 200, description = "A page of restrictions", body = Page<RestrictionView>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(query): Query<RestrictionsQuery>,
) -> Result<Answer<Page<RestrictionView>>, Problem> {
    let before = query.before.map(|text| input::position("before", &text)).transpose()?;
    let in_force_at = query.in_force.then(|| console.authority.now());
    let limit = query.limit.rows();
    let rows = console.store().restrictions(Filter { in_force_at, before, limit }).await?;
    Ok(Answer(Page::of(rows, limit, |row| row.restriction.seq.to_string(), view)))
}

/// Add a restriction. It holds at every check before this answers.
#[utoipa::path(post, path = "/restrictions", tag = "restrictions", request_body = RestrictionBody,
    responses((status = 201, description = "The restriction", body = RestrictionView)))]
pub(crate) async fn add(
    State(console): State<Console>,
    administrator: Administrator,
    Body(body): Body<RestrictionBody>,
) -> Result<Recorded, Problem> {
    let now = console.authority.now();
    let new = body.checked(administrator.actor(), now)?;
    let restriction = console.restrict(&administrator, new, now).await?;
    let target = restriction.selector.to_string();
    let change = Change { action: "restriction.add", target: &target, at: now };
    let shown = answer::json(StatusCode::CREATED, &RestrictionView::of(&restriction));
    console.record(&administrator, change, shown).await
}

/// Lift a restriction. A revocation is final.
#[utoipa::path(delete, path = "/restrictions/{seq}", tag = "restrictions",
    params(("seq" = u64, Path, description = "The restriction's position")),
    responses((status = 204, description = "It is lifted"),
        (status = 404, description = "No restriction at this position", body = Problem),
        (status = 409, description = "It is final, or not in force", body = Problem)))]
pub(crate) async fn lift(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(seq): Segment,
) -> Result<Recorded, Problem> {
    let (position, now) = (input::position("seq", &seq)?, console.authority.now());
    match console.store().lift(position, administrator.actor(), now).await? {
        Lift::Lifted => {
            let change = Change { action: "restriction.lift", target: &seq, at: now };
            console.record(&administrator, change, StatusCode::NO_CONTENT.into_response()).await
        }
        Lift::Final => Err(Problem::conflict(
            "a revocation is final: the person signs in again, the client asks for a new token",
        )),
        Lift::NotInForce => Err(Problem::conflict("it has ended, or was lifted before")),
        Lift::Unknown => Err(Problem::unknown("restriction")),
    }
}

fn view(row: RestrictionRow) -> RestrictionView {
    let RestrictionRow { restriction, lifted_at, lifted_by } = row;
    RestrictionView { lifted_at, lifted_by, ..RestrictionView::of(&restriction) }
}

// === impl EffectText ===

impl PartialSchema for EffectText {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let words = ["revoke", "suspend", "require:step_up", "require:dpop", "require:mtls"];
        AnyOfBuilder::new()
            .item(text().enum_values(Some(words)))
            .item(text().pattern(Some(r"^drop_scopes:[!#-\[\]-~]+( [!#-\[\]-~]+)*$")))
            .item(text().pattern(Some("^limit:[1-9][0-9]{0,5}/([1-9][0-9]?)?[smhd]$")))
            .item(text().pattern(Some("^networks:[0-9a-fA-F.:/,]+$")))
            .item(text().pattern(Some("^(not_)?countries:[A-Za-z]{2}(,[A-Za-z]{2}){0,255}$")))
            .item(text().pattern(Some("^(not_)?asns:[0-9]{1,9}(,[0-9]{1,9}){0,255}$")))
            .into()
    }
}

impl ToSchema for EffectText {}

// === impl RestrictionView ===

impl RestrictionView {
    /// A restriction that was not lifted.
    pub(crate) fn of(restriction: &Restriction) -> Self {
        let Restriction { seq, selector, effect, from, until, reason, actor, at } =
            restriction.clone();
        let (lifted_at, lifted_by) = (None, None);
        Self { seq, selector, effect, from, until, reason, actor, at, lifted_at, lifted_by }
    }
}

// === impl RestrictionBody ===

impl RestrictionBody {
    fn checked(self, actor: &str, now: Timestamp) -> Result<NewRestriction, Problem> {
        let effect = self.effect;
        match self.until {
            Some(_) if effect == Effect::Revoke => {
                let words = "a revocation is final: leave `until` out, or use `suspend`";
                return Err(Problem::bad_request(words));
            }
            Some(until) if until <= now => {
                return Err(Problem::bad_request("`until` must be in the future"));
            }
            _ => {}
        }
        let length = self.reason.chars().count();
        if self.reason.trim().is_empty() || length > MAX_REASON_CHARS {
            let words = format!("`reason` must be 1 to {MAX_REASON_CHARS} characters");
            return Err(Problem::bad_request(words));
        }
        let selector = self.selector.checked()?;
        if effect.is_partial() && matches!(selector, Selector::Network(_)) {
            let words =
                format!("`{effect}` is about tokens; a network takes `suspend` or `revoke`");
            return Err(Problem::bad_request(&words));
        }
        Ok(NewRestriction {
            selector,
            effect,
            from: now,
            until: self.until,
            reason: self.reason,
            actor: actor.to_owned(),
        })
    }
}

// === impl SelectorBody ===

impl SelectorBody {
    fn checked(self) -> Result<Selector, Problem> {
        let value = match (self.kind, self.value) {
            (Kind::Issuer, None) => return Ok(Selector::Issuer),
            (Kind::Issuer, Some(_)) => {
                return Err(Problem::bad_request("`selector` of the kind `issuer` has no `value`"));
            }
            (_, Some(value)) if (1..=MAX_VALUE_BYTES).contains(&value.len()) => value,
            (_, _) => {
                let words = format!("`selector.value` must be 1 to {MAX_VALUE_BYTES} bytes");
                return Err(Problem::bad_request(words));
            }
        };
        Ok(match self.kind {
            Kind::Client => Selector::Client(value.into()),
            Kind::Grant => Selector::Grant(value.into()),
            Kind::Issuer => Selector::Issuer,
            Kind::Key => Selector::Key(value.into()),
            Kind::Network => Selector::Network(network(&value)?),
            Kind::Session => Selector::Session(value.into()),
            Kind::Subject => Selector::Subject(value.into()),
            Kind::Token => Selector::Token(value.into()),
        })
    }
}

/// A network, or one address as a network of its own.
fn network(text: &str) -> Result<IpNet, Problem> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>().or_else(|_| address()).map_err(|_| {
        let words = "`selector.value` must be an address or a network such as 192.0.2.0/24";
        Problem::bad_request(words)
    })
}
