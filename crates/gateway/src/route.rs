//! Rules by path and method: compiled once, found without allocating.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method};
use ipnet::IpNet;
use serde_json::{Map, Value};
use token::claim_pattern::Pattern;
use token::event::TokenKind;
use token::ladder::Ladder;
use token::place::PlaceTest;
use token::scope::ScopeSet;

use crate::cors::Cors;
use crate::limit::Limit;
use crate::settings::{Binding, Described, Inspect};
use crate::target::{BadTarget, normal_path};
use crate::upstream::Upstream;

pub mod hours;
mod parameters;
pub mod rewrite;
mod tree;
pub(crate) mod variants;

use hours::Hours;
pub(crate) use parameters::Parameters;
use rewrite::Rewrite;
pub(crate) use tree::NotAdded;
pub use tree::Routes;
pub use variants::PathVariants;

/// A path template: literal segments, parameters `{id}`, and at the end perhaps `{rest...}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: Arc<str>,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(Box<str>),
    Parameter,
    Rest,
}

/// Why a text is no path template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// A literal part that no request could ever have.
    #[error("{0}")]
    Literal(BadTarget),
    /// A literal part is percent-encoded where it need not be.
    #[error("write the path in its normal form: unreserved characters as they are, %C3 not %c3")]
    NotNormal,
    /// Braces that are not a whole segment, or a name that is not letters, digits and `_`.
    #[error("a parameter is a whole segment such as {{id}}, its name letters, digits and `_`")]
    Parameter,
    /// `{rest...}` before the end.
    #[error("a {{rest...}} can only be the last segment")]
    RestNotLast,
    /// The same name twice.
    #[error("a parameter's name is used twice")]
    SameName,
    /// No leading slash.
    #[error("a path begins with `/`")]
    Slash,
}

/// One compiled rule.
pub struct Rule {
    pub(crate) template: Arc<str>,
    pub(crate) parameters: Parameters,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) rewrite: Rewrite,
    pub(crate) demand: Demand,
    /// The same number for rules that let the same requests through.
    pub(crate) guard: usize,
    /// Networks that it is for; empty for all.
    pub(crate) networks: Box<[IpNet]>,
    /// Places that it is for: all of these hold.
    pub(crate) places: Box<[PlaceTest]>,
    /// When it is open; empty for always.
    pub(crate) hours: Box<[Hours]>,
    /// Whether policies decide, where there are some.
    pub(crate) decided: bool,
    /// The limits that are asked.
    pub(crate) limits: Box<[Arc<Limit>]>,
    /// What one request takes of them.
    pub(crate) cost: u32,
    pub(crate) inspect: Inspect,
    /// How many bytes a body may have; `None` for as many as come.
    pub(crate) body_bytes: Option<u64>,
    pub(crate) described: Option<Described>,
    /// What is said of CORS; `None`: nothing.
    pub(crate) cors: Option<Arc<Cors>>,
}

/// What a rule demands.
pub(crate) enum Demand {
    /// Nothing.
    Public,
    /// A token with all of these scopes and one of these audiences.
    Token {
        scopes: Box<[OneOf]>,
        audiences: Box<[String]>,
        /// The scopes as a challenge has them.
        scope_text: Arc<str>,
        further: Option<Box<Beside>>,
    },
}

/// What is demanded beside scopes and audience.
pub(crate) struct Beside {
    /// All of one of these sets, if there are any; and their text.
    pub(crate) any: Box<[Box<[OneOf]>]>,
    pub(crate) any_text: Arc<str>,
    pub(crate) clients: Box<[String]>,
    /// For each claim, patterns of which one has to fit.
    pub(crate) claims: Box<[Box<[Pattern]>]>,
    /// Kinds of credentials; empty for any.
    pub(crate) kinds: Box<[TokenKind]>,
    pub(crate) acr: Box<[String]>,
    pub(crate) acr_text: Option<Arc<str>>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) bound: Binding,
}

/// A scope that is demanded, and those that include it.
pub(crate) struct OneOf(Box<[Box<str>]>);

/// The rules of one path template.
#[derive(Default)]
pub struct Rules {
    /// Whether there are none because the path may be another one.
    doubt: bool,
    by_method: Vec<(Method, Arc<Rule>)>,
    any: Option<Arc<Rule>>,
}

/// The rules that answer for a path, and where in the path the last parameter's value is.
#[derive(Clone)]
pub struct Found<'r> {
    pub(crate) rules: &'r Rules,
    pub(crate) object: Option<Range<usize>>,
}

// === impl Template ===

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`BadTemplate`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, BadTemplate> {
        let Some(path) = text.strip_prefix('/') else { return Err(BadTemplate::Slash) };
        let mut segments = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for part in path.split('/') {
            if segments.last() == Some(&Segment::Rest) {
                return Err(BadTemplate::RestNotLast);
            }
            let segment = Self::segment(part, &mut names)?;
            segments.push(segment);
        }
        check_literals(&segments)?;
        Ok(Self { text: text.into(), segments })
    }

    fn segment<'t>(part: &'t str, names: &mut Vec<&'t str>) -> Result<Segment, BadTemplate> {
        if !part.contains(['{', '}']) {
            return Ok(Segment::Literal(part.into()));
        }
        let inner = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let inner = inner.ok_or(BadTemplate::Parameter)?;
        let (name, segment) = match inner.strip_suffix("...") {
            Some(name) => (name, Segment::Rest),
            None => (inner, Segment::Parameter),
        };
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(good) {
            return Err(BadTemplate::Parameter);
        }
        if names.contains(&name) {
            return Err(BadTemplate::SameName);
        }
        names.push(name);
        Ok(segment)
    }
}

/// A literal that differs from every normal path would be a rule that never applies.
fn check_literals(segments: &[Segment]) -> Result<(), BadTemplate> {
    let mut example = String::new();
    for segment in segments {
        example.push('/');
        example.push_str(match segment {
            Segment::Literal(text) => text,
            Segment::Parameter | Segment::Rest => "x",
        });
    }
    let normal = normal_path(&example).map_err(BadTemplate::Literal)?;
    if normal == example { Ok(()) } else { Err(BadTemplate::NotNormal) }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Template {
    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }
}

// === impl Demand ===

impl Demand {
    fn is_public(&self) -> bool {
        matches!(self, Self::Public)
    }

    /// All scopes that it takes, in words for operators; `None` where there are none.
    pub(crate) fn scopes_in_words(&self) -> Option<String> {
        let Self::Token { scope_text, further, .. } = self else { return None };
        let sets: &[Box<[OneOf]>] = further.as_ref().map_or(&[], |beside| &beside.any);
        let set = |set: &[OneOf]| set.iter().map(OneOf::name).collect::<Vec<_>>().join(" ");
        let sets: Vec<String> = sets.iter().map(|one| format!("`{}`", set(one))).collect();
        let all = (!scope_text.is_empty()).then(|| format!("`{scope_text}`"));
        let any = (!sets.is_empty()).then(|| sets.join(" or "));
        all.into_iter().chain(any).reduce(|all, any| format!("{all} and {any}"))
    }

    /// The scopes as a challenge has them (RFC 6750 §3); `None` where there are none.
    pub(crate) fn scope_text(&self) -> Option<&Arc<str>> {
        match self {
            Self::Public => None,
            Self::Token { scope_text, .. } => Some(scope_text).filter(|text| !text.is_empty()),
        }
    }
}

// === impl Beside ===

impl Beside {
    /// What the first claim has to be that is not so.
    pub(crate) fn unmet_claim(&self, members: Option<&Map<String, Value>>) -> Option<&[Pattern]> {
        let fits = |pattern: &Pattern| members.is_some_and(|members| pattern.fits_one_of(members));
        self.claims.iter().find(|one_of| !one_of.iter().any(fits)).map(AsRef::as_ref)
    }
}

// === impl OneOf ===

impl OneOf {
    pub(crate) fn new(scope: &str, ladder: &Ladder) -> Self {
        Self(ladder.holders(scope).map(Box::from).collect())
    }

    /// The scope that is demanded.
    pub(crate) fn name(&self) -> &str {
        // The ladder has the scope itself before those above it.
        self.0.first().map_or("", |scope| scope)
    }

    pub(crate) fn is_met_by(&self, held: &ScopeSet) -> bool {
        self.0.iter().any(|scope| held.contains(scope))
    }
}

// === impl Rules ===

impl Rules {
    /// One rule, for these methods (none for every method).
    ///
    /// # Errors
    /// The method that is there twice.
    pub(crate) fn of(methods: &[Method], rule: Rule) -> Result<Self, String> {
        let mut rules = Self::default();
        rules.add(methods, &Arc::new(rule))?;
        Ok(rules)
    }

    /// The rule for a method: its own, else the one for every method. Some have none, ever
    /// ([`is_refused_method`]).
    pub(crate) fn rule(&self, method: &Method) -> Option<&Arc<Rule>> {
        if is_refused_method(method) {
            return None;
        }
        let own = self.by_method.iter().find(|(own, _)| own == method);
        own.map(|(_, rule)| rule).or(self.any.as_ref())
    }

    /// The field `Allow` (RFC 9110 §10.2.1).
    pub(crate) fn allow(&self) -> HeaderValue {
        if self.any.is_some() {
            return HeaderValue::from_static(EVERY_METHOD);
        }
        let names: Vec<&str> = self.by_method.iter().map(|(method, _)| method.as_str()).collect();
        HeaderValue::from_str(&names.join(", "))
            .unwrap_or_else(|_| HeaderValue::from_static(EVERY_METHOD))
    }

    /// Whether the path may be another one, so that no rule is for it.
    pub(crate) fn are_in_doubt(&self) -> bool {
        self.doubt
    }

    fn are_public(&self) -> bool {
        self.all().all(|rule| rule.demand.is_public())
    }

    /// Whether it makes no difference which of the two decide.
    fn guard_like(&self, other: &Self) -> bool {
        let guard = |rule: Option<&Arc<Rule>>| rule.map(|rule| rule.guard);
        let methods = self.by_method.iter().chain(&other.by_method).map(|(method, _)| method);
        let like = |method| guard(self.rule(method)) == guard(other.rule(method));
        guard(self.any.as_ref()) == guard(other.any.as_ref()) && methods.into_iter().all(like)
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.by_method.iter().map(|(_, rule)| rule).chain(&self.any)
    }

    /// Adds a rule for these methods (none for every method).
    fn add(&mut self, methods: &[Method], rule: &Arc<Rule>) -> Result<(), String> {
        if methods.is_empty() && self.any.replace(Arc::clone(rule)).is_some() {
            return Err("*".to_owned());
        }
        for method in methods {
            if self.by_method.iter().any(|(known, _)| known == method) {
                return Err(method.to_string());
            }
            self.by_method.push((method.clone(), Arc::clone(rule)));
        }
        Ok(())
    }
}

/// What `Allow` says where every method has a rule.
pub(crate) const EVERY_METHOD: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Methods that no rule can let through: one asks for a tunnel, another for the request's own headers. Names with
/// small letters are no method's, but some servers take `put` for `PUT`, which can have a rule of its own.
pub(crate) fn is_refused_method(method: &Method) -> bool {
    let name = method.as_str();
    matches!(name, "CONNECT" | "TRACE" | "TRACK")
        || name.bytes().any(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests;
