//! Parameters of path, query, headers and cookies: read as their style says, judged by their schema.

use std::borrow::Cow;
use std::sync::Arc;

use inspect::Limits;
use serde_json::{Map, Value};

use crate::document::{Document, Node};
use crate::form::{Pair, decoded, spaced};
use crate::json;
use crate::mistake::Mistake;
use crate::schema::{Compiled, Judge, SchemaId, Schemas};
use crate::shape::Shape;
use crate::violation::Broken;

/// Where a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    Cookie,
    Header,
    Path,
    Query,
}

/// How a value is written (OpenAPI 3.1 §4.8.12.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    DeepObject,
    Form,
    /// `content`: the text is JSON.
    Json,
    Pipe,
    Simple,
    Space,
}

/// How a text is encoded where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Form,
    None,
    Percent,
}

/// A parameter as the document has it.
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) location: Location,
    required: bool,
    style: Style,
    explode: bool,
    schema: Option<SchemaId>,
}

/// The same, ready to judge.
pub(crate) struct Parameter {
    pub(crate) name: String,
    place: String,
    required: bool,
    style: Style,
    explode: bool,
    shape: Shape,
    pub(crate) schema: Option<SchemaId>,
    judge: Option<Arc<Judge>>,
}

// === impl Location ===

impl Location {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "cookie" => Some(Self::Cookie),
            "header" => Some(Self::Header),
            "path" => Some(Self::Path),
            "query" => Some(Self::Query),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Header => "header",
            Self::Path => "path",
            Self::Query => "query",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Cookie | Self::Query => Style::Form,
            Self::Header | Self::Path => Style::Simple,
        }
    }
}

// === impl Described ===

impl Described {
    /// Reads a parameter; `None` for a header of which OpenAPI says that it is described elsewhere.
    pub(crate) fn read<'d>(
        document: &'d Document,
        node: &Node<'d>,
        schemas: &mut Schemas<'d>,
    ) -> Result<Option<Self>, Mistake> {
        let node = document.resolved(node)?;
        let wrong = |what: &str| document.mistake(&node, what);
        let name = node.text("name").ok_or_else(|| wrong("the parameter has no `name`"))?;
        let location = node.text("in").and_then(Location::parse);
        let location = location.ok_or_else(|| {
            wrong(
                "`in` is one of `path`, `query`, `header` and `cookie`; `querystring` is not read",
            )
        })?;
        let elsewhere = ["accept", "authorization", "content-type"];
        if location == Location::Header && elsewhere.contains(&&*name.to_ascii_lowercase()) {
            return Ok(None);
        }
        let (style, schema) = match node.get("content").and_then(|content| content.members().next())
        {
            Some((kind, media)) if is_json(kind) => (Style::Json, media.get("schema")),
            Some(_) => return Err(wrong("only JSON is read in the `content` of a parameter")),
            None => (style(&wrong, &node, location)?, node.get("schema")),
        };
        let explode = node.value.get("explode").and_then(Value::as_bool);
        Ok(Some(Self {
            name: name.to_owned(),
            location,
            required: node.is_set("required") || location == Location::Path,
            style,
            explode: explode.unwrap_or(style == Style::Form),
            schema: schema.map(|schema| schemas.gather(&schema)).transpose()?,
        }))
    }

    /// Whether another one is described again.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.location == other.location && self.name == other.name
    }

    pub(crate) fn ready(self, compiled: &mut Compiled<'_>) -> Result<Parameter, Mistake> {
        let Self { name, location, required, style, explode, schema } = self;
        let judge = schema.map(|id| compiled.judge(id)).transpose()?;
        let definitions = compiled.definitions();
        let shape = schema.map(|id| Shape::of(definitions, definitions.schema(id)));
        Ok(Parameter {
            place: format!("{} {name}", location.as_str()),
            name,
            required,
            style,
            explode,
            shape: shape.unwrap_or_default(),
            schema,
            judge,
        })
    }
}

fn style(
    wrong: &impl Fn(&str) -> Mistake,
    node: &Node<'_>,
    location: Location,
) -> Result<Style, Mistake> {
    let Some(named) = node.text("style") else { return Ok(location.style()) };
    match (named, location) {
        ("simple", Location::Header | Location::Path) => Ok(Style::Simple),
        ("form", Location::Cookie | Location::Query) => Ok(Style::Form),
        ("deepObject", Location::Query) => Ok(Style::DeepObject),
        ("pipeDelimited", Location::Query) => Ok(Style::Pipe),
        ("spaceDelimited", Location::Query) => Ok(Style::Space),
        _ => Err(wrong(
            "this `style` is not read here; use `simple` in paths and headers, `form` in cookies, and \
             `form`, `deepObject`, `pipeDelimited` or `spaceDelimited` in queries",
        )),
    }
}

/// Whether a media type is JSON (RFC 6839 §3.1).
pub(crate) fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

// === impl Parameter ===

impl Parameter {
    fn broken(&self, rule: &str) -> Broken {
        Broken::rule(&self.place, rule)
    }

    /// Whether every name that is left over in a query may be a member of it.
    pub(crate) fn takes_any_name(&self) -> bool {
        self.style == Style::Form && self.explode && self.shape.object && self.shape.open
    }

    /// Judges it in a query, of whose pairs it marks its own.
    pub(crate) fn query(
        &self,
        pairs: &[Pair<'_>],
        used: &mut [bool],
        limits: &Limits,
    ) -> Result<(), Broken> {
        if self.style == Style::DeepObject {
            return self.deep(pairs, used);
        }
        if self.style == Style::Form && self.explode && self.shape.object {
            return self.exploded(pairs, used);
        }
        let mut values = Vec::new();
        for ((name, value), used) in pairs.iter().zip(used) {
            if *name == self.name {
                *used = true;
                values.push(*value);
            }
        }
        let Some(first) = values.first() else { return self.absent() };
        let many = self.explode && self.shape.array && self.style != Style::Json;
        if many {
            let read = values
                .iter()
                .map(|raw| self.text(raw, Encoding::Form))
                .collect::<Result<Vec<_>, _>>()?;
            let list = self.shape.array(read.iter().map(|text| &**text));
            if self.accepts(&list) {
                return Ok(());
            }
            if values.len() > 1 || self.shape.array_only() {
                return self.judge(&list);
            }
        }
        if values.len() > 1 {
            return Err(self.broken("is there more than once"));
        }
        self.single(first, Encoding::Form, limits)
    }

    /// Judges it as a segment of a path.
    pub(crate) fn segment(&self, text: Option<&str>, limits: &Limits) -> Result<(), Broken> {
        match text {
            Some(text) => self.single(text, Encoding::Percent, limits),
            None => self.absent(),
        }
    }

    /// Judges it as a header or a cookie, which are not encoded.
    pub(crate) fn field(&self, text: Option<&str>, limits: &Limits) -> Result<(), Broken> {
        match text {
            Some(text) => self.single(text, Encoding::None, limits),
            None => self.absent(),
        }
    }

    fn absent(&self) -> Result<(), Broken> {
        if self.required { Err(self.broken("is missing")) } else { Ok(()) }
    }

    fn single(&self, raw: &str, encoding: Encoding, limits: &Limits) -> Result<(), Broken> {
        if self.style == Style::Json {
            let text = self.text(raw, encoding)?;
            let value = json::read(text.as_bytes(), limits);
            return match value {
                Ok(value) => self.judge(&value),
                Err(Broken::Excess(excess)) => Err(Broken::Excess(excess)),
                Err(_) => Err(self.broken("is not JSON")),
            };
        }
        if self.shape.array {
            let parts = self.split(raw).into_iter().map(|part| self.text(part, encoding));
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            let list = self.shape.array(parts.iter().map(|text| &**text));
            if self.shape.array_only() || self.accepts(&list) {
                return self.judge(&list);
            }
        }
        if self.shape.object {
            return self.judge(&self.members(raw, encoding)?);
        }
        let text = self.text(raw, encoding)?;
        let literal = self.shape.literal(&text);
        if !literal.is_string() && self.accepts(&literal) {
            return Ok(());
        }
        self.judge(&self.shape.value(&text))
    }

    fn text<'t>(&self, raw: &'t str, encoding: Encoding) -> Result<Cow<'t, str>, Broken> {
        let read = match encoding {
            Encoding::Form => spaced(raw),
            Encoding::None => Some(Cow::Borrowed(raw)),
            Encoding::Percent => decoded(raw),
        };
        read.ok_or_else(|| self.broken("is not percent-encoded UTF-8"))
    }

    fn split<'t>(&self, raw: &'t str) -> Vec<&'t str> {
        if raw.is_empty() {
            return Vec::new();
        }
        match self.style {
            Style::Space => raw.split("%20").flat_map(|part| part.split('+')).collect(),
            Style::Pipe => {
                let parts = raw.split("%7C").flat_map(|part| part.split("%7c"));
                parts.flat_map(|part| part.split('|')).collect()
            }
            Style::DeepObject | Style::Form | Style::Json | Style::Simple => {
                raw.split(',').map(str::trim).collect()
            }
        }
    }

    /// `R=100,G=200` where exploded, else `R,100,G,200`.
    fn members(&self, raw: &str, encoding: Encoding) -> Result<Value, Broken> {
        let parts = self.split(raw);
        let pairs: Vec<(&str, &str)> = if self.explode {
            parts.iter().map(|part| part.split_once('=').unwrap_or((part, ""))).collect()
        } else {
            parts.chunks(2).map(|pair| (pair[0], pair.get(1).copied().unwrap_or(""))).collect()
        };
        let read = pairs.into_iter().map(|(name, value)| {
            Ok((self.text(name, encoding)?.into_owned(), self.text(value, encoding)?.into_owned()))
        });
        self.once(read.collect::<Result<Vec<_>, Broken>>()?)
    }

    /// `filter[state]=open`.
    fn deep(&self, pairs: &[Pair<'_>], used: &mut [bool]) -> Result<(), Broken> {
        let mut members = Vec::new();
        for ((name, value), used) in pairs.iter().zip(used) {
            let inner = name.strip_prefix(self.name.as_str());
            let inner = inner.and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
            let Some(inner) = inner else { continue };
            *used = true;
            members.push((inner.to_owned(), self.text(value, Encoding::Form)?.into_owned()));
        }
        if members.is_empty() {
            return self.absent();
        }
        self.judge(&self.once(members)?)
    }

    /// The members of an object are parameters of their own.
    fn exploded(&self, pairs: &[Pair<'_>], used: &mut [bool]) -> Result<(), Broken> {
        let mut members = Vec::new();
        for ((name, value), used) in pairs.iter().zip(used) {
            if self.shape.members.iter().any(|(known, _)| known == name) {
                *used = true;
                members.push((
                    name.clone().into_owned(),
                    self.text(value, Encoding::Form)?.into_owned(),
                ));
            }
        }
        if members.is_empty() {
            return self.absent();
        }
        self.judge(&self.once(members)?)
    }

    fn once(&self, members: Vec<(String, String)>) -> Result<Value, Broken> {
        let count = members.len();
        let object = self.shape.object(members);
        let distinct = object.as_object().map_or(0, Map::len);
        if distinct < count { Err(self.broken("has a member twice")) } else { Ok(object) }
    }

    fn accepts(&self, value: &Value) -> bool {
        self.judge.as_ref().is_none_or(|judge| judge.accepts(value))
    }

    fn judge(&self, value: &Value) -> Result<(), Broken> {
        self.judge.as_ref().map_or(Ok(()), |judge| judge.judge(&self.place, value))
    }
}
