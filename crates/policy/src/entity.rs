//! Names and entities, as policies write them.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};

/// A person or a service that a token speaks for.
pub(crate) const USER: &str = "User";
/// A client on its own account.
pub(crate) const CLIENT: &str = "Client";
/// What people belong to.
pub(crate) const GROUP: &str = "Group";
/// A route of the gateway.
pub(crate) const ROUTE: &str = "Route";
/// What is done.
pub(crate) const ACTION: &str = "Action";

/// The members of an entity.
pub(crate) type Members = Vec<(String, RestrictedExpression)>;

/// A text that names no type of entities.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no type: write letters, digits and `_`, such as `document`, joined by `::`")]
pub(crate) struct NotAType(pub(crate) String);

/// The name of an entity.
///
/// # Errors
/// [`NotAType`] when there can be no such type.
pub(crate) fn named(kind: &str, id: &str) -> Result<EntityUid, NotAType> {
    let name: EntityTypeName = kind.parse().map_err(|_| NotAType(kind.to_owned()))?;
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}

/// An entity that belongs to others, which are there by name alone.
///
/// # Errors
/// What Cedar says about a member that it does not take.
pub(crate) fn entity(
    uid: EntityUid,
    members: Members,
    parents: HashSet<EntityUid>,
) -> Result<Vec<Entity>, String> {
    let members: HashMap<_, _> = members.into_iter().collect();
    let mut all: Vec<Entity> = parents.iter().cloned().map(Entity::with_uid).collect();
    all.push(Entity::new(uid, members, parents).map_err(|error| error.to_string())?);
    Ok(all)
}

/// The method of an action that is one of the gateway's: `GET /orders/{id}` belongs to `GET`.
pub(crate) fn method_of(action: &str) -> Option<&str> {
    let (method, path) = action.split_once(' ')?;
    path.starts_with('/').then_some(method)
}
