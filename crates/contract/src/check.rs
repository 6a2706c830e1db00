//! One operation's requests held against what the document says of them.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, COOKIE};
use inspect::{Expect, Expectations, Limits, Place};

use crate::body::BodyCheck;
use crate::form::pairs;
use crate::parameter::Parameter;
use crate::role;
use crate::schema::Definitions;
use crate::violation::Broken;

/// What becomes of parameters of the query that are not described.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownQuery {
    /// They pass.
    #[default]
    Allow,
    /// They are refused.
    Refuse,
}

/// What requests of one operation have to be, compiled.
pub struct RequestCheck {
    /// By the number of their segment.
    pub(crate) path: Vec<(usize, Parameter)>,
    pub(crate) query: Vec<Parameter>,
    pub(crate) headers: Vec<Parameter>,
    pub(crate) cookies: Vec<Parameter>,
    pub(crate) unknown_query: UnknownQuery,
    pub(crate) body: Option<BodyCheck>,
    pub(crate) definitions: Arc<Definitions>,
}

/// What the document says of the fields of one request.
struct Fields<'c> {
    check: &'c RequestCheck,
    content_type: Option<&'c str>,
}

// === impl RequestCheck ===

impl fmt::Debug for RequestCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestCheck").finish_non_exhaustive()
    }
}

impl RequestCheck {
    /// Judges the parameters; `path` as the client sent it, in normal form.
    ///
    /// # Errors
    /// [`Broken`] with the first rule that is broken.
    pub fn head(
        &self,
        path: &str,
        query: Option<&str>,
        headers: &HeaderMap,
        limits: &Limits,
    ) -> Result<(), Broken> {
        for (segment, parameter) in &self.path {
            parameter.segment(path.split('/').nth(*segment), limits)?;
        }
        self.query(query.unwrap_or_default(), limits)?;
        for parameter in &self.headers {
            let mut fields = headers.get_all(parameter.name.as_str()).iter();
            let first = fields.next().map(|value| value.to_str());
            let text = first.transpose();
            let text = text.map_err(|_| named("header", &parameter.name, "is not ASCII"))?;
            if fields.next().is_some() {
                return Err(named("header", &parameter.name, "is there more than once"));
            }
            parameter.field(text, limits)?;
        }
        self.cookies(headers, limits)
    }

    fn query(&self, query: &str, limits: &Limits) -> Result<(), Broken> {
        if self.query.is_empty() && self.unknown_query == UnknownQuery::Allow {
            return Ok(());
        }
        let pairs = pairs(query);
        let pairs = pairs.ok_or_else(|| Broken::rule("query", "is not percent-encoded UTF-8"))?;
        let mut used = vec![false; pairs.len()];
        for parameter in &self.query {
            parameter.query(&pairs, &mut used, limits)?;
        }
        let open = self.query.iter().any(Parameter::takes_any_name);
        let strict = self.unknown_query == UnknownQuery::Refuse && !open;
        if strict && used.contains(&false) {
            return Err(Broken::rule("query", "has a parameter that is not described"));
        }
        Ok(())
    }

    fn cookies(&self, headers: &HeaderMap, limits: &Limits) -> Result<(), Broken> {
        if self.cookies.is_empty() {
            return Ok(());
        }
        let fields = headers.get_all(COOKIE).iter().filter_map(|field| field.to_str().ok());
        let pairs = fields.flat_map(|field| field.split(';'));
        let pairs: Vec<(&str, &str)> =
            pairs.filter_map(|pair| pair.trim().split_once('=')).collect();
        for parameter in &self.cookies {
            let mut own = pairs.iter().filter(|(name, _)| *name == parameter.name);
            let first = own.next().map(|(_, value)| *value);
            if own.next().is_some() {
                return Err(named("cookie", &parameter.name, "is there more than once"));
            }
            parameter.field(first, limits)?;
        }
        Ok(())
    }

    /// Whether the body has to be read to be judged; `present` says whether there is one.
    ///
    /// # Errors
    /// [`Broken`] for a media type that the operation does not take, for a body where none is described, and
    /// for none where one is demanded.
    pub fn reads_body(&self, headers: &HeaderMap, present: bool) -> Result<bool, Broken> {
        match &self.body {
            Some(body) => body.is_read(content_type(headers), present),
            None if present => Err(Broken::rule("body", "is there, and none is described")),
            None => Ok(false),
        }
    }

    /// Judges a whole body.
    ///
    /// # Errors
    /// [`Broken`] as [`RequestCheck::reads_body`], and for the first rule that the body breaks.
    pub fn body(&self, headers: &HeaderMap, bytes: &[u8], limits: &Limits) -> Result<(), Broken> {
        match &self.body {
            Some(body) => body.judge(content_type(headers), bytes, limits),
            None => Ok(()),
        }
    }

    /// What belongs in the fields of a request, for whoever looks for injections in them.
    pub fn expectations<'c>(&'c self, headers: &'c HeaderMap) -> impl Expectations + 'c {
        Fields { check: self, content_type: content_type(headers) }
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    let mut fields = headers.get_all(CONTENT_TYPE).iter();
    let first = fields.next()?;
    // Two of them have two meanings.
    first.to_str().ok().filter(|_| fields.next().is_none())
}

fn named(place: &str, name: &str, rule: &str) -> Broken {
    Broken::rule(format!("{place} {name}"), rule)
}

// === impl Fields ===

impl Expectations for Fields<'_> {
    fn expect(&self, place: &Place) -> Expect {
        let check = self.check;
        let by_name = |parameters: &[Parameter], name: &str| {
            let found = parameters.iter().find(|one| one.name.eq_ignore_ascii_case(name));
            let schema = found.and_then(|one| one.schema);
            schema.map(|id| role::of(&check.definitions, check.definitions.schema(id), name))
        };
        let expected = match place {
            Place::Body => None,
            Place::BodyMember(path) => {
                let content = check.body.as_ref().and_then(|body| body.content(self.content_type));
                let schema = content.and_then(|content| content.schema);
                schema.and_then(|id| role::at(&check.definitions, id, path))
            }
            Place::Cookie(name) => by_name(&check.cookies, name),
            Place::Header(name) => by_name(&check.headers, name),
            Place::Path(position) => {
                let found = check.path.iter().find(|(segment, _)| segment == position);
                found.and_then(|(_, one)| by_name(std::slice::from_ref(one), &one.name))
            }
            Place::Query(name) => by_name(&check.query, name),
        };
        expected.unwrap_or_default()
    }
}
