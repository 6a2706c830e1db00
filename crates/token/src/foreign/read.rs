//! The claims of another issuer's token, where its rules say that they are.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{ClaimPath, ForeignRules};
use crate::claims::Audience;
use crate::cnf::Confirmation;
use crate::numeric_date::NumericDate;
use crate::reason::{Reason, Refused};
use crate::scope::{ScopeSet, is_scope_token};

/// The rule that is broken, and words for whoever made the token.
pub(super) type Broken = (Refused, &'static str);

/// The longest text of all scopes, as [`ScopeSet::parse`] takes it.
const MOST_SCOPE_BYTES: usize = 4096;

/// What was read, and not yet held against anything.
pub(super) struct Read<'v> {
    members: &'v Map<String, Value>,
    pub(super) issuer: Option<&'v str>,
    pub(super) subject: &'v str,
    pub(super) client: &'v str,
    pub(super) audience: Option<Audience>,
    pub(super) expires_at: i64,
    pub(super) issued_at: i64,
    pub(super) not_before: Option<i64>,
    pub(super) auth_time: Option<i64>,
    pub(super) acr: Option<&'v str>,
    pub(super) token: Option<&'v str>,
    pub(super) session: Option<&'v str>,
    pub(super) confirmation: Option<Confirmation>,
    pub(super) scope: ScopeSet,
}

// === impl Read ===

impl<'v> Read<'v> {
    /// Reads them.
    ///
    /// # Errors
    /// [`Reason::Malformed`] when one is missing, or is not what it must be.
    pub(super) fn of(
        members: &'v Map<String, Value>,
        rules: &ForeignRules,
    ) -> Result<Self, Broken> {
        let wrong = |words| (Reason::Malformed.into(), words);
        let client = rules.client.iter().find_map(|path| path.text(members));
        let client = client.ok_or_else(|| wrong("the token names no client"))?;
        let time = |name| time(members, name);
        let (expires_at, issued_at) = time("exp")?.zip(time("iat")?).ok_or_else(|| {
            wrong("the token has no `exp` or no `iat`: both are needed to take it back")
        })?;
        Ok(Self {
            members,
            issuer: text(members, "iss")?,
            subject: subject(members, rules)?.unwrap_or(client),
            client,
            audience: of_type(members, "aud")?,
            expires_at,
            issued_at,
            not_before: time("nbf")?,
            auth_time: time("auth_time")?,
            acr: text(members, "acr")?,
            token: text(members, "jti")?.filter(|text| !text.is_empty()),
            session: text(members, "sid")?.filter(|text| !text.is_empty()),
            confirmation: of_type(members, "cnf")?,
            scope: scopes(members, rules)?,
        })
    }

    /// Whether a claim is this, or a list in which this is.
    pub(super) fn has(&self, path: &ClaimPath, wanted: &Value) -> bool {
        match path.find(self.members) {
            Some(Value::Array(many)) => many.contains(wanted),
            Some(one) => one == wanted,
            None => false,
        }
    }
}

/// Whom it speaks for; nobody beside its client only where nothing is there at all.
fn subject<'v>(
    members: &'v Map<String, Value>,
    rules: &ForeignRules,
) -> Result<Option<&'v str>, Broken> {
    match rules.subject.find(members) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(wrong_type()),
    }
}

fn wrong_type() -> Broken {
    (Reason::Malformed.into(), "a claim of the token has the wrong type")
}

fn text<'v>(members: &'v Map<String, Value>, name: &str) -> Result<Option<&'v str>, Broken> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_type()),
    }
}

/// What limits a token is never lost by being `null`, or of another type.
fn of_type<T: DeserializeOwned>(
    members: &Map<String, Value>,
    name: &str,
) -> Result<Option<T>, Broken> {
    let value = members.get(name).map(T::deserialize).transpose();
    value.map_err(|_| wrong_type())
}

fn time(members: &Map<String, Value>, name: &str) -> Result<Option<i64>, Broken> {
    /// Some 30,000 years: no sum with it overflows.
    const LARGEST: i64 = 1_000_000_000_000;
    let seconds = of_type::<NumericDate>(members, name)?.map(NumericDate::as_secs);
    match seconds {
        Some(seconds) if !(0..=LARGEST).contains(&seconds) => Err(wrong_type()),
        seconds => Ok(seconds),
    }
}

fn scopes(members: &Map<String, Value>, rules: &ForeignRules) -> Result<ScopeSet, Broken> {
    let mut found: Vec<String> = Vec::new();
    for source in &rules.scopes {
        let mut add = |scope: &str| {
            // A role may have any name; what is no scope no route can demand.
            let scope = format!("{}{scope}", source.prefix);
            if is_scope_token(&scope) {
                found.push(scope);
            }
        };
        match source.claim.find(members) {
            Some(Value::String(text)) => {
                text.split(' ').filter(|scope| !scope.is_empty()).for_each(&mut add);
            }
            Some(Value::Array(many)) => {
                many.iter().filter_map(Value::as_str).filter(|s| !s.is_empty()).for_each(&mut add);
            }
            _ => {}
        }
    }
    if found.iter().map(|scope| scope.len() + 1).sum::<usize>() > MOST_SCOPE_BYTES {
        return Err((Reason::TooLarge.into(), "the token has more than 4 KiB of scopes"));
    }
    Ok(ScopeSet::of(found.iter().map(String::as_str)))
}
