//! `authorization_details`: what exactly is asked for, each type with a shape that an administrator defined
//! (RFC 9396).

use std::collections::BTreeMap;

use serde_json::Value;
use token::authorization_details::AuthorizationDetail;

use crate::language::Language;

/// More than a person reads.
const MOST: usize = 16;
/// In bytes; the whole parameter.
const MAX_LENGTH: usize = 8 * 1024;

/// What a member has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `true` or `false`.
    Boolean,
    /// A list of such.
    List(Box<Shape>),
    /// A number.
    Number,
    /// An object with these members and no others.
    Object(BTreeMap<String, Member>),
    /// A text.
    Text,
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// What it has to be.
    pub shape: Shape,
    /// Whether it may be left out.
    pub optional: bool,
}

/// A type of detail that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailDefinition {
    /// Its name.
    pub kind: String,
    /// What it allows, in words for the person who consents; `{a.b}` stands for a member.
    pub description: String,
    /// The same in other languages.
    pub translations: BTreeMap<Language, String>,
    /// The actions that it can name; none, where this is empty.
    pub actions: Vec<String>,
    /// Its own members.
    pub members: BTreeMap<String, Member>,
}

/// Why details are refused (RFC 9396 §5).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DetailsRefused {
    /// Not a list of objects.
    #[error("`authorization_details` must be a JSON array of at most 16 objects with a `type`")]
    Form,
    /// The client may not ask for the type.
    #[error("the client may not ask for `authorization_details` of the type `{0}`")]
    NotAllowed(String),
    /// More than was granted.
    #[error("`authorization_details` can only repeat what was granted")]
    NotGranted,
    /// A member breaks the type's shape.
    #[error("`authorization_details` of the type `{kind}`: the member `{member}` {rule}")]
    Member {
        /// The type.
        kind: String,
        /// The member.
        member: String,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// Nobody defined the type.
    #[error("there is no type `{0}` of `authorization_details` here")]
    Unknown(String),
}

/// Reads and checks the parameter; nothing where it is not there.
///
/// # Errors
/// [`DetailsRefused`] with the first rule broken.
pub fn requested(
    text: Option<&str>,
    defined: &[DetailDefinition],
    allowed: &[String],
    resources: impl FnOnce() -> Vec<String>,
) -> Result<Vec<AuthorizationDetail>, DetailsRefused> {
    let details = read(text)?;
    if details.is_empty() {
        return Ok(details);
    }
    let resources = resources();
    for detail in &details {
        let kind = &detail.kind;
        let definition = defined.iter().find(|known| known.kind == *kind);
        let definition = definition.ok_or_else(|| DetailsRefused::Unknown(shown(kind)))?;
        if !allowed.contains(kind) {
            return Err(DetailsRefused::NotAllowed(shown(kind)));
        }
        definition.check(detail, &resources)?;
    }
    Ok(details)
}

/// What a token request wants of what was granted: all, or some of it unchanged (§6).
///
/// # Errors
/// [`DetailsRefused`] when it is more, or malformed.
pub fn narrowed(
    text: Option<&str>,
    granted: &[AuthorizationDetail],
) -> Result<Vec<AuthorizationDetail>, DetailsRefused> {
    if text.is_none() {
        return Ok(granted.to_vec());
    }
    let details = read(text)?;
    if details.iter().all(|detail| granted.contains(detail)) {
        Ok(details)
    } else {
        Err(DetailsRefused::NotGranted)
    }
}

/// Reads the parameter, whatever types it names.
fn read(text: Option<&str>) -> Result<Vec<AuthorizationDetail>, DetailsRefused> {
    let Some(text) = text else { return Ok(Vec::new()) };
    // The strict reader takes objects alone: a list inside of one is as strict.
    let wrapped = format!("{{\"details\":{text}}}");
    let mut members =
        token::json::parse_object(wrapped.as_bytes()).map_err(|_| DetailsRefused::Form)?;
    let list = match members.remove("details") {
        Some(Value::Array(list)) if list.len() <= MOST && text.len() <= MAX_LENGTH => list,
        _ => return Err(DetailsRefused::Form),
    };
    if !members.is_empty() {
        return Err(DetailsRefused::Form);
    }
    let read = |value| serde_json::from_value(value).map_err(|_| DetailsRefused::Form);
    list.into_iter().map(read).collect()
}

/// A shape that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` must be `text`, `number`, `boolean`, a list with one of those, or a table of such members; \
     a name that ends with `?` may be left out"
)]
pub struct NotAShape(String);

// === impl DetailDefinition ===

impl DetailDefinition {
    fn check(
        &self,
        detail: &AuthorizationDetail,
        resources: &[String],
    ) -> Result<(), DetailsRefused> {
        let wrong = |member: &str, rule| {
            let (kind, member) = (self.kind.clone(), shown(member));
            Err(DetailsRefused::Member { kind, member, rule })
        };
        if detail.actions.iter().any(|action| !self.actions.contains(action)) {
            return wrong("actions", "names an action that the type does not have");
        }
        if detail.locations.iter().any(|location| !resources.contains(location)) {
            return wrong("locations", "names a resource that is not here");
        }
        let Ok(Value::Object(mut members)) = serde_json::to_value(detail) else {
            return Err(DetailsRefused::Form);
        };
        members.retain(|name, _| !matches!(name.as_str(), "type" | "actions" | "locations"));
        match (Shape::Object(self.members.clone())).fault(&Value::Object(members), "") {
            Some((member, rule)) => wrong(&member, rule),
            None => Ok(()),
        }
    }

    /// The words for a person who reads this language, with what is asked for filled in.
    pub fn words(&self, detail: &AuthorizationDetail, language: Language) -> String {
        let value = serde_json::to_value(detail).unwrap_or_default();
        let mut words = String::new();
        let mut rest = self.translations.get(&language).unwrap_or(&self.description).as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((path, behind)) = after.split_once('}') else { break };
            words.push_str(before);
            words.push_str(&filled(&value, path));
            rest = behind;
        }
        words.push_str(rest);
        words
    }
}

fn filled(value: &Value, path: &str) -> String {
    match path.split('.').try_fold(value, |value, name| value.get(name)) {
        Some(Value::String(text)) => shown(text),
        Some(Value::Array(list)) => {
            let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            shown(&texts.join(", "))
        }
        Some(other @ (Value::Number(_) | Value::Bool(_))) => other.to_string(),
        _ => "?".to_owned(),
    }
}

// === impl Shape ===

impl Shape {
    /// Reads the members of an object as a configuration has them: `{ "amount": "text", "tags?":
    /// ["text"], "to": { "name": "text" } }`.
    ///
    /// # Errors
    /// [`NotAShape`] names the member that is wrong.
    pub fn members(
        configured: &BTreeMap<String, Value>,
    ) -> Result<BTreeMap<String, Member>, NotAShape> {
        let one = |(name, value): (&String, &Value)| {
            let (known, optional) = match name.strip_suffix('?') {
                Some(known) => (known, true),
                None => (name.as_str(), false),
            };
            let shape = Self::read(value).ok_or_else(|| NotAShape(shown(name)))?;
            Ok((known.to_owned(), Member { shape, optional }))
        };
        configured.iter().map(one).collect()
    }

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(word) => match word.as_str() {
                "boolean" => Some(Self::Boolean),
                "number" => Some(Self::Number),
                "text" => Some(Self::Text),
                _ => None,
            },
            Value::Array(list) => match list.as_slice() {
                [one] => Self::read(one).map(|shape| Self::List(Box::new(shape))),
                _ => None,
            },
            Value::Object(members) => {
                let members = members.iter().map(|(name, value)| (name.clone(), value.clone()));
                Self::members(&members.collect()).ok().map(Self::Object)
            }
            _ => None,
        }
    }

    /// The member that does not fit, and why.
    fn fault(&self, value: &Value, path: &str) -> Option<(String, &'static str)> {
        let fault = |rule| Some((path.to_owned(), rule));
        match (self, value) {
            (Self::Text, Value::String(_))
            | (Self::Number, Value::Number(_))
            | (Self::Boolean, Value::Bool(_)) => None,
            (Self::Text, _) => fault("must be a text"),
            (Self::Number, _) => fault("must be a number"),
            (Self::Boolean, _) => fault("must be true or false"),
            (Self::List(shape), Value::Array(list)) => {
                list.iter().find_map(|value| shape.fault(value, path))
            }
            (Self::List(_), _) => fault("must be a list"),
            (Self::Object(members), Value::Object(values)) => {
                let at = |name: &str| match path {
                    "" => name.to_owned(),
                    path => format!("{path}.{name}"),
                };
                if let Some(name) = values.keys().find(|name| !members.contains_key(*name)) {
                    return Some((at(name), "is not known"));
                }
                members.iter().find_map(|(name, member)| match values.get(name) {
                    Some(value) => member.shape.fault(value, &at(name)),
                    None if member.optional => None,
                    None => Some((at(name), "is missing")),
                })
            }
            (Self::Object(_), _) => fault("must be an object"),
        }
    }
}

/// Text of a stranger: bounded, and without what cannot be seen.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(128).collect()
}

#[cfg(test)]
mod tests;
