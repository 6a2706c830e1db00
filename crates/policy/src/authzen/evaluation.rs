//! One case: subject, action, resource and context (AuthZEN Authorization API 1.0 §5).

use std::collections::HashSet;

use cedar_policy::{Entities, EntityUid};
use gateway::policy::Ruling;
use serde_json::{Map, Value, json};

use crate::engine::{Case, Engine, distinct, named};
use crate::entity::{ACTION, GROUP, entity, method_of};
use crate::request::GROUPS;
use crate::value::members;

/// Why a case is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadEvaluation {
    #[error("`{0}` must be an object")]
    NotAnObject(String),
    #[error("`{0}` must be a text that is not empty")]
    NotAText(String),
    #[error("{0}: {1}")]
    Wrong(String, String),
    #[error("subject and resource are the same, and differ in `{0}`")]
    Contradiction(String),
}

/// An entity as a service describes it.
struct Told {
    uid: EntityUid,
    properties: Map<String, Value>,
}

/// Evaluates a case.
///
/// # Errors
/// [`BadEvaluation`] names the member that is wrong.
pub(super) fn evaluate(
    engine: &Engine,
    asked: &Map<String, Value>,
) -> Result<Value, BadEvaluation> {
    let mut subject = told(asked, "subject")?;
    let mut resource = told(asked, "resource")?;
    let action = object(asked, "action")?;
    let name = text(action, "action", "name")?;
    let action_uid = uid("action.name", ACTION, name)?;
    let no_context = Map::new();
    let context = match asked.get("context") {
        None | Some(Value::Null) => &no_context,
        Some(_) => object(asked, "context")?,
    };
    if subject.uid == resource.uid {
        merge(&mut subject, &mut resource)?;
    }
    let groups = subject.properties.get(GROUPS).and_then(Value::as_array);
    let groups = groups.into_iter().flatten().filter_map(Value::as_str);
    let groups = groups.filter_map(|group| named(GROUP, group).ok()).collect();
    let methods = method_of(name).and_then(|method| named(ACTION, method).ok());
    let mut all =
        described("resource", resource.uid.clone(), &resource.properties, HashSet::new())?;
    all.extend(described("subject", subject.uid.clone(), &subject.properties, groups)?);
    let properties = properties(action, "action")?;
    let methods = methods.into_iter().collect();
    all.extend(described("action", action_uid.clone(), &properties, methods)?);
    let case = Case {
        principal: subject.uid,
        action: action_uid,
        resource: resource.uid,
        context: members(context).map_err(|error| wrong("context", &error))?,
    };
    Ok(answer(engine.rule(case, Entities::empty(), distinct(all))))
}

/// The decision; a refusal says whether something forbids it or nothing permits it, and no more.
fn answer(ruling: Ruling) -> Value {
    if ruling.allowed {
        return json!({ "decision": true });
    }
    let reason = match ruling.policies.is_empty() {
        true => "no policy permits it",
        false => "a policy forbids it, or cannot be evaluated for it",
    };
    json!({ "decision": false, "context": { "reason": reason } })
}

fn told(asked: &Map<String, Value>, part: &str) -> Result<Told, BadEvaluation> {
    let members = object(asked, part)?;
    let kind = text(members, part, "type")?;
    let id = text(members, part, "id")?;
    let uid = uid(&format!("{part}.type"), kind, id)?;
    Ok(Told { uid, properties: properties(members, part)? })
}

fn properties(
    members: &Map<String, Value>,
    part: &str,
) -> Result<Map<String, Value>, BadEvaluation> {
    match members.get("properties") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(properties)) => Ok(properties.clone()),
        Some(_) => Err(BadEvaluation::NotAnObject(format!("{part}.properties"))),
    }
}

/// Who acts on themselves is one entity, with all that is said of it.
fn merge(subject: &mut Told, resource: &mut Told) -> Result<(), BadEvaluation> {
    for (name, value) in &resource.properties {
        if subject.properties.get(name).is_some_and(|own| own != value) {
            return Err(BadEvaluation::Contradiction(name.clone()));
        }
        subject.properties.insert(name.clone(), value.clone());
    }
    resource.properties.clone_from(&subject.properties);
    Ok(())
}

fn described(
    part: &str,
    uid: EntityUid,
    properties: &Map<String, Value>,
    parents: HashSet<EntityUid>,
) -> Result<Vec<cedar_policy::Entity>, BadEvaluation> {
    let at = format!("{part}.properties");
    let members = members(properties).map_err(|error| wrong(&at, &error))?;
    entity(uid, members, parents).map_err(|error| wrong(&at, &error))
}

fn uid(at: &str, kind: &str, id: &str) -> Result<EntityUid, BadEvaluation> {
    named(kind, id).map_err(|error| wrong(at, &error))
}

fn wrong(at: &str, error: &dyn std::fmt::Display) -> BadEvaluation {
    BadEvaluation::Wrong(format!("`{at}`"), error.to_string())
}

fn object<'v>(
    members: &'v Map<String, Value>,
    name: &str,
) -> Result<&'v Map<String, Value>, BadEvaluation> {
    let value = members.get(name).and_then(Value::as_object);
    value.ok_or_else(|| BadEvaluation::NotAnObject(name.to_owned()))
}

fn text<'v>(
    members: &'v Map<String, Value>,
    part: &str,
    name: &str,
) -> Result<&'v str, BadEvaluation> {
    let text = members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| BadEvaluation::NotAText(format!("{part}.{name}")))
}
