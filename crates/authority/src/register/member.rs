//! Members of a registration request, read strictly: what has the wrong type is refused by its name.

use std::str::FromStr;

use serde_json::{Map, Value};
use token::scope::ScopeSet;

use crate::register::RegistrationRefused;

const MAX_TEXT_CHARS: usize = 512;

/// A member that must be a short text; `null` counts as absent.
pub(super) fn text<'a>(
    members: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, RegistrationRefused> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= MAX_TEXT_CHARS => Ok(Some(text)),
        Some(_) => Err(wrong(name, "must be a text of at most 512 characters")),
    }
}

/// The same, to be kept.
pub(super) fn owned(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<String>, RegistrationRefused> {
    Ok(text(members, name)?.map(str::to_owned))
}

/// A member that must be one of the words that its specification has.
pub(super) fn word<T: FromStr>(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<T>, RegistrationRefused> {
    let word = text(members, name)?;
    word.map(str::parse).transpose().map_err(|_| wrong(name, "has a value that is not known here"))
}

/// A member that must be `true` or `false`; absent means `false`.
pub(super) fn flag(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<bool, RegistrationRefused> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(wrong(name, "must be true or false")),
    }
}

/// A member that must be a list of scopes; `null` counts as absent.
pub(super) fn scopes(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<ScopeSet>, RegistrationRefused> {
    const RULE: &str = "must be scopes separated by single spaces";
    let asked = text(members, name)?;
    asked.map(ScopeSet::parse).transpose().map_err(|_| wrong(name, RULE))
}

/// A member that must be a list of texts; `null` counts as absent.
pub(super) fn texts(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Vec<String>>, RegistrationRefused> {
    const RULE: &str = "must be a list of at most 100 texts of at most 2048 characters";
    let list = match members.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) if list.len() <= 100 => list,
        Some(_) => return Err(wrong(name, RULE)),
    };
    let one = |value: &Value| value.as_str().filter(|text| text.len() <= 2048).map(str::to_owned);
    let list: Option<Vec<String>> = list.iter().map(one).collect();
    list.map(Some).ok_or(wrong(name, RULE))
}

pub(super) fn wrong(member: &str, rule: &'static str) -> RegistrationRefused {
    RegistrationRefused::Member { member: member.to_owned(), rule }
}

/// A member that must be a number of seconds.
pub(super) fn seconds(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<u64>, RegistrationRefused> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(wrong(name, "must be a whole number of seconds, 0 or more")),
        },
    }
}
