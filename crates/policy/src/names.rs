//! Routes that a policy names: one that is not there would be a policy that never applies, which nobody notices
//! about a `forbid`.

use cedar_policy::Policy;
use serde_json::Value;

use crate::entity::{ACTION, ROUTE, method_of};

/// Every route and action of the gateway that a policy names and that is not there.
pub(crate) fn unknown(policy: &Policy, routes: &[String]) -> Vec<String> {
    let Ok(tree) = policy.to_json() else { return Vec::new() };
    let mut named = Vec::new();
    collect(&tree, &mut named);
    named.iter().filter_map(|(kind, id)| wrong(kind, id, routes)).collect()
}

fn wrong(kind: &str, id: &str, routes: &[String]) -> Option<String> {
    let path = |route: &str| route.rsplit(' ').next().unwrap_or(route).to_owned();
    let known = match kind {
        ROUTE => routes.iter().any(|route| path(route) == id),
        ACTION if method_of(id).is_some() => {
            routes.iter().any(|route| route == id || path(id) == *route)
        }
        _ => true,
    };
    (!known).then(|| {
        format!("it names {kind}::{id:?}, and the gateway has no such route: it would never apply")
    })
}

/// All entities that are named, wherever they are.
fn collect<'t>(tree: &'t Value, named: &mut Vec<(&'t str, &'t str)>) {
    match tree {
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str);
            if let (Some(kind), Some(id)) = (text("type"), text("id")) {
                named.push((kind, id));
            }
            members.values().for_each(|inner| collect(inner, named));
        }
        Value::Array(many) => many.iter().for_each(|inner| collect(inner, named)),
        _ => {}
    }
}
