//! From the text of files to policies that have been checked, each with a name.

use std::fmt;
use std::str::FromStr as _;

use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;

use crate::names;

/// A file of policies.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path, for whoever has to mend it.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    path: String,
    line: Option<usize>,
    what: String,
}

/// A policy and the file that it is from.
struct Read<'s> {
    source: &'s Source,
    policy: Policy,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.what),
            None => write!(f, "{}: {}", self.path, self.what),
        }
    }
}

// === impl Mistake ===

impl Mistake {
    fn at(source: &Source, offset: Option<usize>, what: impl fmt::Display) -> Self {
        let line = offset.map(|offset| {
            source.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
        });
        // Whoever reads it has lines of a log before them.
        let what = what.to_string().replace('\n', " ");
        Self { path: source.path.clone(), line, what }
    }
}

/// Reads every policy. With a schema they have to keep to it; `routes` are the gateway's, as `GET /orders/{id}`
/// or `/orders/{id}` for all methods: policies about others would never apply.
///
/// # Errors
/// Every [`Mistake`] that was found.
pub(crate) fn load(
    sources: &[Source],
    schema: Option<&Source>,
    routes: &[String],
) -> Result<PolicySet, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut read = Vec::new();
    for source in sources {
        match policies(source) {
            Ok(policies) => read.extend(policies),
            Err(found) => mistakes.extend(found),
        }
    }
    let mut all = PolicySet::new();
    for Read { source, policy } in &read {
        if all.add(policy.clone()).is_err() {
            let what =
                format!("a policy is named `{}` already; give this one another @id", policy.id());
            mistakes.push(Mistake::at(source, offset(policy, source), what));
        }
        for wrong in names::unknown(policy, routes) {
            mistakes.push(Mistake::at(source, offset(policy, source), wrong));
        }
    }
    if mistakes.is_empty()
        && let Some(schema) = schema
    {
        mistakes.extend(against(schema, &all, &read));
    }
    if mistakes.is_empty() { Ok(all) } else { Err(mistakes) }
}

fn policies(source: &Source) -> Result<Vec<Read<'_>>, Vec<Mistake>> {
    let set = PolicySet::from_str(&source.text).map_err(|errors| {
        let mistake =
            |error: &cedar_policy::ParseError| Mistake::at(source, first_offset(error), error);
        errors.iter().map(mistake).collect::<Vec<_>>()
    })?;
    if let Some(template) = set.templates().next() {
        let what = format!("`{}` is a template, and nobody fills its slots here", template.id());
        return Err(vec![Mistake::at(source, None, what)]);
    }
    let file = source.path.rsplit(['/', '\\']).next().unwrap_or(&source.path);
    let named = |policy: &Policy| {
        let number = policy.id().to_string().trim_start_matches("policy").parse::<usize>();
        let own = policy.annotation("id").filter(|id| !id.is_empty()).map(str::to_owned);
        let name = own.unwrap_or_else(|| format!("{file}#{}", number.unwrap_or_default() + 1));
        Read { source, policy: policy.new_id(PolicyId::new(name)) }
    };
    let mut all: Vec<_> = set.policies().map(named).collect();
    all.sort_by_key(|read| offset(&read.policy, source));
    Ok(all)
}

/// Where a policy begins in its file.
fn offset(policy: &Policy, source: &Source) -> Option<usize> {
    source.text.find(policy.to_cedar()?.trim())
}

fn first_offset(error: &dyn Diagnostic) -> Option<usize> {
    error.labels()?.next().map(|label| label.offset())
}

/// What does not keep to the schema.
fn against(schema: &Source, all: &PolicySet, read: &[Read<'_>]) -> Vec<Mistake> {
    let parsed = match Schema::from_cedarschema_str(&schema.text) {
        Ok((parsed, _)) => parsed,
        Err(error) => return vec![Mistake::at(schema, first_offset(&error), &error)],
    };
    let result = Validator::new(parsed).validate(all, ValidationMode::Strict);
    let mistake = |error: &cedar_policy::ValidationError| {
        let of = |read: &&Read<'_>| read.policy.id() == error.policy_id();
        let source = read.iter().find(of).map_or(schema, |read| read.source);
        Mistake::at(source, first_offset(error), error)
    };
    result.validation_errors().map(mistake).collect()
}
