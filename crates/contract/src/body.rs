//! The body of a request: its media type, and its fields by their schema.

use std::sync::Arc;

use inspect::Limits;
use serde_json::{Map, Value};

use crate::document::{Document, Node};
use crate::form::{pairs, spaced};
use crate::json;
use crate::mistake::Mistake;
use crate::multipart::{Part, parameter, parts};
use crate::parameter::is_json;
use crate::schema::{Compiled, Judge, SchemaId, Schemas};
use crate::shape::Shape;
use crate::violation::Broken;

/// A body as the document has it: media ranges with their schemas.
pub(crate) struct Described {
    required: bool,
    contents: Vec<(String, Option<SchemaId>, Vec<String>)>,
}

/// The same, ready to judge.
pub(crate) struct BodyCheck {
    required: bool,
    /// The most particular media range first.
    contents: Vec<Content>,
}

/// What one media range demands.
pub(crate) struct Content {
    range: String,
    kind: Kind,
    pub(crate) schema: Option<SchemaId>,
    judge: Option<Arc<Judge>>,
    shape: Shape,
    /// Fields of a form whose text is JSON.
    json_fields: Vec<String>,
}

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Form,
    Json,
    Multipart,
    /// Not read.
    Opaque,
    Text,
}

// === impl Described ===

impl Described {
    pub(crate) fn read<'d>(
        document: &'d Document,
        node: &Node<'d>,
        schemas: &mut Schemas<'d>,
    ) -> Result<Self, Mistake> {
        let node = document.resolved(node)?;
        let mut contents = Vec::new();
        for (range, media) in node.get("content").iter().flat_map(Node::members) {
            let media = document.resolved(&media)?;
            // Of OpenAPI 3.2; left out, a body would pass that nobody has looked at.
            for name in ["itemSchema", "itemEncoding", "prefixEncoding"] {
                if let Some(unread) = media.get(name) {
                    return Err(document.mistake(&unread, format!("`{name}` is not read here")));
                }
            }
            let schema = media.get("schema").map(|schema| schemas.gather(&schema)).transpose()?;
            let mut json_fields = Vec::new();
            for (field, encoding) in media.get("encoding").iter().flat_map(Node::members) {
                if encoding.text("contentType").is_some_and(is_json) {
                    json_fields.push(field.to_owned());
                }
            }
            let range = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            contents.push((range, schema, json_fields));
        }
        if contents.is_empty() {
            return Err(document.mistake(&node, "a body needs a media type under `content`"));
        }
        Ok(Self { required: node.is_set("required"), contents })
    }

    pub(crate) fn ready(self, compiled: &mut Compiled<'_>) -> Result<BodyCheck, Mistake> {
        let ready = self.contents.into_iter().map(|(range, schema, json_fields)| {
            let judge = schema.map(|id| compiled.judge(id)).transpose()?;
            let definitions = compiled.definitions();
            let shape = schema.map(|id| Shape::of(definitions, definitions.schema(id)));
            let shape = shape.unwrap_or_default();
            Ok(Content { kind: Kind::of(&range), range, schema, judge, shape, json_fields })
        });
        let mut contents: Vec<Content> = ready.collect::<Result<_, Mistake>>()?;
        contents.sort_by_key(|content| content.range.matches('*').count());
        Ok(BodyCheck { required: self.required, contents })
    }
}

// === impl Kind ===

impl Kind {
    fn of(media_type: &str) -> Self {
        match media_type {
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => Self::Multipart,
            json if is_json(json) => Self::Json,
            "text/plain" => Self::Text,
            _ => Self::Opaque,
        }
    }
}

// === impl BodyCheck ===

impl BodyCheck {
    /// Whether the body has to be read to be judged.
    ///
    /// # Errors
    /// [`Broken`] for a media type that is not taken, and for no body where one is demanded.
    pub(crate) fn is_read(
        &self,
        content_type: Option<&str>,
        present: bool,
    ) -> Result<bool, Broken> {
        if !present {
            return if self.required { Err(missing()) } else { Ok(false) };
        }
        let content = self.content(content_type).ok_or(Broken::MediaType)?;
        Ok(content.kind_of(content_type) != Kind::Opaque)
    }

    /// What is demanded of a media type.
    pub(crate) fn content(&self, content_type: Option<&str>) -> Option<&Content> {
        let full = content_type?;
        let kind = full.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        self.contents.iter().find(|content| content.takes(&kind))
    }

    pub(crate) fn judge(
        &self,
        content_type: Option<&str>,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<(), Broken> {
        if bytes.is_empty() {
            return if self.required { Err(missing()) } else { Ok(()) };
        }
        let content = self.content(content_type).ok_or(Broken::MediaType)?;
        content.judge(content_type.unwrap_or_default(), bytes, limits)
    }
}

fn missing() -> Broken {
    Broken::rule("body", "is missing")
}

// === impl Content ===

impl Content {
    fn takes(&self, kind: &str) -> bool {
        match self.range.strip_suffix('*') {
            Some("*/") => true,
            Some(main) => kind.starts_with(main),
            None => self.range == kind,
        }
    }

    /// A range says nothing of how to read; the request does.
    fn kind_of(&self, content_type: Option<&str>) -> Kind {
        if !self.range.contains('*') {
            return self.kind;
        }
        let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
        Kind::of(&kind.trim().to_ascii_lowercase())
    }

    fn judge(&self, content_type: &str, bytes: &[u8], limits: &Limits) -> Result<(), Broken> {
        let kind = self.kind_of(Some(content_type));
        let charset = parameter(content_type, "charset");
        let plain = charset.is_none_or(|charset| {
            charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("us-ascii")
        });
        if kind != Kind::Opaque && !plain {
            // Whoever reads it by that charset reads something else than is judged here.
            return Err(Broken::MediaType);
        }
        let value = match kind {
            Kind::Opaque => return Ok(()),
            Kind::Json => json::read(bytes, limits)?,
            Kind::Text => Value::String(text(bytes)?.to_owned()),
            Kind::Form => self.form(text(bytes)?, limits)?,
            Kind::Multipart => {
                let parts = parts(content_type, bytes, limits)?;
                let fields = parts.iter().map(Self::field).collect::<Result<_, _>>()?;
                self.fields(fields, limits)?
            }
        };
        self.judge.as_ref().map_or(Ok(()), |judge| judge.judge("body", &value))
    }

    fn form(&self, text: &str, limits: &Limits) -> Result<Value, Broken> {
        let malformed = || Broken::rule("body", "is no form");
        let pairs = pairs(text).ok_or_else(malformed)?;
        let read = pairs.into_iter().map(|(name, raw)| {
            let value = spaced(raw).ok_or_else(malformed)?;
            Ok((name.into_owned(), value.into_owned(), false))
        });
        self.fields(read.collect::<Result<_, Broken>>()?, limits)
    }

    /// Name, text, and whether the text is JSON; of a file only that it is there.
    fn field(part: &Part<'_>) -> Result<(String, String, bool), Broken> {
        let text = if part.is_file { "" } else { text(part.body)? };
        let is_json = !part.is_file && part.kind.as_deref().is_some_and(is_json);
        Ok((part.name.clone(), text.to_owned(), is_json))
    }

    /// Fields of a form → the object that they stand for.
    fn fields(
        &self,
        fields: Vec<(String, String, bool)>,
        limits: &Limits,
    ) -> Result<Value, Broken> {
        if fields.len() > limits.values {
            return Err(Broken::Excess(inspect::Excess::Values));
        }
        let mut object = Map::new();
        for (name, text, is_json) in fields {
            let shape = self.shape.members.iter().find(|(known, _)| *known == name);
            let shape = shape.map(|(_, shape)| shape);
            let list = shape.filter(|shape| shape.array);
            let one = list.and_then(|shape| shape.items.as_deref()).or(shape);
            let nested = one.is_some_and(|shape| shape.object) || self.json_fields.contains(&name);
            let value = match one {
                _ if nested || is_json => json::read(text.as_bytes(), limits)?,
                Some(shape) => shape.value(&text),
                None => Value::String(text),
            };
            match (object.get_mut(&name), list.is_some() && !value.is_array()) {
                (Some(Value::Array(items)), true) => items.push(value),
                (Some(_), _) => return Err(Broken::rule("body", "has a field twice")),
                (None, true) => drop(object.insert(name, Value::Array(vec![value]))),
                (None, false) => drop(object.insert(name, value)),
            }
        }
        Ok(Value::Object(object))
    }
}

fn text(bytes: &[u8]) -> Result<&str, Broken> {
    std::str::from_utf8(bytes).map_err(|_| Broken::rule("body", "is not UTF-8"))
}
