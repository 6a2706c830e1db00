//! From JSON to Cedar's values: what claims and properties of others are for a policy.

use cedar_policy::RestrictedExpression;
use serde_json::{Map, Value};

/// Deeper than this nobody looks, and no stack is risked.
const DEEPEST: usize = 16;

/// A value that Cedar has no type for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoValue {
    /// A number with a fraction that `decimal` does not hold, or a larger one than 64 bits.
    #[error("the number {0} is neither whole nor one with at most four decimal places")]
    Number(String),
    /// Lists in lists, and so on.
    #[error("it is nested more than {DEEPEST} levels deep")]
    TooDeep,
}

/// All members that are not `null`.
///
/// # Errors
/// [`NoValue`] for the first that is none.
pub(crate) fn members(
    members: &Map<String, Value>,
) -> Result<Vec<(String, RestrictedExpression)>, NoValue> {
    fields(members, 0, Err)
}

/// All members that are values, and those parts of them that are.
pub(crate) fn possible_members(
    members: &Map<String, Value>,
) -> Vec<(String, RestrictedExpression)> {
    fields(members, 0, |_| Ok(None)).unwrap_or_default()
}

/// What is done about a part that is no value: it is left out, or all is refused.
type Otherwise = fn(NoValue) -> Result<Option<RestrictedExpression>, NoValue>;

fn fields(
    members: &Map<String, Value>,
    depth: usize,
    otherwise: Otherwise,
) -> Result<Vec<(String, RestrictedExpression)>, NoValue> {
    let field = |(name, value): (&String, &Value)| {
        let value = part(value, depth, otherwise).transpose()?;
        Some(value.map(|value| (name.clone(), value)))
    };
    members.iter().filter_map(field).collect()
}

fn part(
    value: &Value,
    depth: usize,
    otherwise: Otherwise,
) -> Result<Option<RestrictedExpression>, NoValue> {
    if depth > DEEPEST {
        return otherwise(NoValue::TooDeep);
    }
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::Bool(flag) => RestrictedExpression::new_bool(*flag),
        Value::String(text) => RestrictedExpression::new_string(text.clone()),
        Value::Number(number) => match (number.as_i64(), decimal(&number.to_string())) {
            (Some(whole), _) => RestrictedExpression::new_long(whole),
            (None, Some(decimal)) => RestrictedExpression::new_decimal(decimal),
            (None, None) => return otherwise(NoValue::Number(number.to_string())),
        },
        Value::Array(many) => {
            let parts = many.iter().map(|one| part(one, depth + 1, otherwise));
            let parts: Vec<_> = parts.collect::<Result<_, _>>()?;
            RestrictedExpression::new_set(parts.into_iter().flatten())
        }
        Value::Object(members) => {
            // Names come from a map: none is there twice.
            match RestrictedExpression::new_record(fields(members, depth + 1, otherwise)?) {
                Ok(record) => record,
                Err(_) => return Ok(None),
            }
        }
    }))
}

/// A number as `decimal` takes it: up to four places, and what fits into 64 bits.
fn decimal(text: &str) -> Option<&str> {
    /// What comes before the point: one digit less than fits for certain.
    const MOST_DIGITS: usize = 14;
    let (whole, places) = text.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let fits = (1..=MOST_DIGITS).contains(&whole.len()) && (1..=4).contains(&places.len());
    (fits && digits(whole) && digits(places)).then_some(text)
}
