//! `/account/tokens`: the personal tokens of somebody, under the rules that administrators' have.

use std::time::Duration;

use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use store::{StoreError, StoredPersonal};
use token::event::{EventKind, Who};
use token::id::TokenId;
use token::personal::Owner;
use token::restriction::Selector;

use super::{actor, answered, entered, proof, record, sent};
use crate::endpoint::document;
use crate::endpoint::form::{Form, ticked};
use crate::endpoint::login::errand::Errand;
use crate::endpoint::visit::Visit;
use crate::login::session::SignedIn;
use crate::oauth_error::OAuthError;
use crate::page::tokens::{MadePage, Notice, TokensPage, Typed, Why};
use crate::parameters::Parameters;
use crate::paths::Paths;
use crate::personal::{self, Made, Order, OrderRefused, PersonalView, Rotation, State};

const NAME: &str = "name";
const DAYS: &str = "days";
const IDLE: &str = "idle";
const NETWORKS: &str = "networks";
const TOKEN: &str = "token";
/// Longer texts are no list of networks.
const MAX_NETWORKS_BYTES: usize = 4096;
const DAY: Duration = Duration::from_secs(24 * 3600);
const REASON: &str = "revoked by its owner";
const MOST_SHOWN: usize = 1000;

/// The pages.
pub(super) fn routes() -> Paths {
    Paths::default()
        .route("/account/tokens", get(list))
        .route("/account/tokens/create", post(create))
        .route("/account/tokens/narrow", post(narrow))
        .route("/account/tokens/revoke", post(revoke))
        .route("/account/tokens/rotate", post(rotate))
}

/// `GET /account/tokens`
async fn list(visit: Visit) -> Response {
    let shown = async {
        match entered(&visit, &Errand::tokens()).await? {
            Ok(person) => page(&visit, &person, Notice::None).await,
            Err(answer) => Ok(answer),
        }
    };
    answered(&visit, shown.await)
}

/// `POST /account/tokens/create`: a token, shown in this answer and never again.
async fn create(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::tokens()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let typed = typed(&visit, &form);
    let made = match order(&typed, &person) {
        Ok(order) => visit.authority.make_personal(order, visit.now).await,
        Err(refused) => Err(refused),
    };
    let made = made.map_err(|refused| (refused, typed));
    answered(&visit, shown_once(&visit, &person, "personal_token.create", made).await)
}

/// What the form asks for, as far as it is among what was offered.
fn typed(visit: &Visit, form: &Parameters) -> Typed {
    let text = |name| form.value(name).unwrap_or_default().trim().to_owned();
    let days = |name| u64::from(text(name).parse::<u32>().unwrap_or_default());
    let resources = visit.authority.settings().resource_identifiers().into_iter();
    Typed {
        name: text(NAME),
        days: days(DAYS),
        scopes: ticked(form, &visit.authority.personal_scopes()),
        idle: days(IDLE),
        networks: text(NETWORKS),
        resources: resources
            .filter(|one| form.value(&format!("resource:{one}")).is_some())
            .collect(),
    }
}

fn order(typed: &Typed, person: &SignedIn) -> Result<Order, OrderRefused> {
    let days = |days| DAY.saturating_mul(u32::try_from(days).unwrap_or(u32::MAX));
    if typed.networks.len() > MAX_NETWORKS_BYTES {
        return Err(OrderRefused::Networks);
    }
    let parts = typed.networks.split([' ', ',', '\t', '\r', '\n']).filter(|part| !part.is_empty());
    let networks = parts.map(personal::network).collect::<Option<Vec<_>>>();
    Ok(Order {
        owner: Owner::Person(person.user().id.clone()),
        name: typed.name.clone(),
        scopes: typed.scopes.clone(),
        resources: typed.resources.clone(),
        life: days(typed.days),
        idle: (typed.idle > 0).then(|| days(typed.idle)),
        networks: networks.ok_or(OrderRefused::Networks)?,
        places: Vec::new(),
        jkt: None,
        by: actor(person),
    })
}

/// `POST /account/tokens/rotate`: a token in the place of another, which stays good for a while.
async fn rotate(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::tokens()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let made = match own(&visit, &person, &form).await {
        Ok(held) => {
            let rotation = Rotation { life: None, overlap: None, by: actor(&person) };
            visit.authority.rotate_personal(&held, rotation, visit.now).await
        }
        Err(refused) => Err(refused),
    };
    let made = made.map_err(|refused| (refused, Typed::default()));
    answered(&visit, shown_once(&visit, &person, "personal_token.rotate", made).await)
}

/// `POST /account/tokens/narrow`: a token keeps what it was used for.
async fn narrow(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::tokens()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let narrowed = match own(&visit, &person, &form).await {
        Ok(held) => visit.authority.narrow_personal(held, None).await,
        Err(refused) => Err(refused),
    };
    let shown = async {
        match narrowed {
            Ok(held) => {
                let name = held.terms.token.as_str();
                record(&visit, &person, "personal_token.narrow", name).await?;
                page(&visit, &person, Notice::Narrowed).await
            }
            Err(refused) => refused_page(&visit, &person, refused, Typed::default()).await,
        }
    };
    answered(&visit, shown.await)
}

/// `POST /account/tokens/revoke`
async fn revoke(visit: Visit, form: Result<Form, OAuthError>) -> Response {
    let (form, person) = match sent(&visit, form, &Errand::tokens()).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let revoked = async {
        let held = match own(&visit, &person, &form).await {
            Ok(held) => held,
            Err(refused) => {
                return refused_page(&visit, &person, refused, Typed::default()).await;
            }
        };
        let (name, by) = (held.terms.token, actor(&person));
        visit.authority.store().revoke_personal(&name, REASON, &by, visit.now).await?;
        let kind = EventKind::Revoke {
            result: "ok".to_owned(),
            selector: Some(Selector::Token(name.clone()).to_string()),
            actor: Some(by),
            reason: Some(REASON.to_owned()),
        };
        visit.emit(Who { subject: Some(person.user().id.clone()), ..Who::default() }, kind);
        record(&visit, &person, "personal_token.revoke", name.as_str()).await?;
        page(&visit, &person, Notice::Revoked).await
    };
    answered(&visit, revoked.await)
}

pub(super) async fn page(
    visit: &Visit,
    person: &SignedIn,
    notice: Notice,
) -> Result<Response, StoreError> {
    let (authority, user) = (&visit.authority, person.user());
    let (store, owner) = (authority.store(), Owner::Person(user.id.clone()));
    let mut shown = Vec::new();
    for held in store.personal_tokens(Some(&owner), None, MOST_SHOWN).await? {
        let view = PersonalView::of(store, held, visit.now)?;
        if !matches!(view.state, State::Expired | State::Revoked) {
            shown.push(view);
        }
    }
    let (status, proof) = (notice.status(), proof(visit, person));
    let scopes = authority.personal_scopes();
    let page = TokensPage::new(&visit.reader(), user, &shown, &scopes, proof, notice);
    Ok(document::page(status, page.finish()))
}

/// The page with a new token; it is in the audit log before anybody sees it.
async fn shown_once(
    visit: &Visit,
    person: &SignedIn,
    action: &str,
    made: Result<Made, (OrderRefused, Typed)>,
) -> Result<Response, StoreError> {
    let made = match made {
        Ok(made) => made,
        Err((refused, typed)) => return refused_page(visit, person, refused, typed).await,
    };
    record(visit, person, action, made.stored.terms.token.as_str()).await?;
    let page = MadePage::new(&visit.reader(), &made);
    Ok(document::page(StatusCode::OK, page.finish()))
}

async fn refused_page(
    visit: &Visit,
    person: &SignedIn,
    refused: OrderRefused,
    typed: Typed,
) -> Result<Response, StoreError> {
    match refused {
        OrderRefused::Store(error) => Err(error),
        refused => {
            let notice = Notice::Refused(Why::of(&refused), Box::new(typed));
            page(visit, person, notice).await
        }
    }
}

/// The token that a form is about, when it is the person's own.
async fn own(
    visit: &Visit,
    person: &SignedIn,
    form: &Parameters,
) -> Result<StoredPersonal, OrderRefused> {
    let name = TokenId::from(form.value(TOKEN).unwrap_or_default());
    let held = visit.authority.store().personal_token(&name).await?;
    let owner = Owner::Person(person.user().id.clone());
    held.filter(|held| held.terms.owner == owner).ok_or(OrderRefused::Unknown)
}
