//! What kind of value a schema describes, as far as a text has to be read before it can be judged.

use serde_json::{Map, Number, Value};

use crate::schema::Definitions;

/// Schemas inside of schemas that are looked at.
const DEEPEST: usize = 8;

/// What a text may stand for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    text: bool,
    number: bool,
    integer: bool,
    boolean: bool,
    pub(crate) array: bool,
    pub(crate) object: bool,
    /// Of the items.
    pub(crate) items: Option<Box<Shape>>,
    /// Of the members that are described.
    pub(crate) members: Vec<(String, Shape)>,
    /// Whether there may be others.
    pub(crate) open: bool,
}

// === impl Shape ===

impl Shape {
    pub(crate) fn of(definitions: &Definitions, schema: &Value) -> Self {
        let mut shape = Self { open: true, ..Self::default() };
        shape.add(definitions, schema, 0);
        if !(shape.text
            || shape.number
            || shape.integer
            || shape.boolean
            || shape.array
            || shape.object)
        {
            shape.text = true;
        }
        shape
    }

    fn add(&mut self, definitions: &Definitions, schema: &Value, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let resolved = definitions.resolved(schema);
        match resolved.get("type") {
            Some(Value::String(kind)) => self.kind(kind),
            Some(Value::Array(kinds)) => {
                kinds.iter().filter_map(Value::as_str).for_each(|kind| self.kind(kind));
            }
            _ => {
                let listed = resolved.get("enum").and_then(Value::as_array);
                let only = resolved.get("const");
                listed.into_iter().flatten().chain(only).for_each(|value| self.example(value));
            }
        }
        self.object |= resolved.get("properties").is_some() && resolved.get("type").is_none();
        if resolved.get("additionalProperties") == Some(&Value::Bool(false)) {
            self.open = false;
        }
        if let Some(items) = resolved.get("items") {
            let mut shape = Self { open: true, ..Self::default() };
            shape.add(definitions, items, depth + 1);
            self.items = Some(Box::new(shape));
        }
        for (name, member) in
            resolved.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            let mut shape = Self { open: true, ..Self::default() };
            shape.add(definitions, member, depth + 1);
            self.members.push((name.clone(), shape));
        }
        for list in ["allOf", "anyOf", "oneOf"] {
            for part in resolved.get(list).and_then(Value::as_array).into_iter().flatten() {
                self.add(definitions, part, depth + 1);
            }
        }
    }

    fn kind(&mut self, kind: &str) {
        match kind {
            "array" => self.array = true,
            "boolean" => self.boolean = true,
            "integer" => self.integer = true,
            "number" => self.number = true,
            "object" => self.object = true,
            "string" => self.text = true,
            _ => {}
        }
    }

    fn example(&mut self, value: &Value) {
        match value {
            Value::Array(_) => self.array = true,
            Value::Bool(_) => self.boolean = true,
            Value::Null => {}
            Value::Number(_) => self.number = true,
            Value::Object(_) => self.object = true,
            Value::String(_) => self.text = true,
        }
    }

    /// Whether it can be nothing but a list.
    pub(crate) fn array_only(&self) -> bool {
        let other = self.text || self.number || self.integer || self.boolean || self.object;
        self.array && !other
    }

    /// A text as the value that it stands for; as itself where it may, or stands for none.
    pub(crate) fn value(&self, text: &str) -> Value {
        if self.text {
            return Value::String(text.to_owned());
        }
        self.literal(text)
    }

    /// A text as the number or the word that it looks like, where the schema knows such.
    pub(crate) fn literal(&self, text: &str) -> Value {
        if self.boolean && matches!(text, "true" | "false") {
            return Value::Bool(text == "true");
        }
        let number = match (self.number, self.integer) {
            (true, _) => number(text),
            (false, true) if !text.contains(['.', 'e', 'E']) => number(text),
            (false, _) => None,
        };
        number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
    }

    /// Members by name → an object, each as what it stands for.
    pub(crate) fn object(&self, members: impl IntoIterator<Item = (String, String)>) -> Value {
        let read = members.into_iter().map(|(name, text)| {
            let shape = self.members.iter().find(|(known, _)| *known == name);
            let value =
                shape.map_or_else(|| Value::String(text.clone()), |(_, shape)| shape.value(&text));
            (name, value)
        });
        Value::Object(read.collect::<Map<_, _>>())
    }

    /// Items → a list, each as what it stands for.
    pub(crate) fn array<'t>(&self, items: impl IntoIterator<Item = &'t str>) -> Value {
        let value = |text: &'t str| match &self.items {
            Some(items) => items.value(text),
            None => Value::String(text.to_owned()),
        };
        Value::Array(items.into_iter().map(value).collect())
    }
}

/// A number as JSON writes it.
fn number(text: &str) -> Option<Number> {
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'-');
    let ends = text.bytes().last().is_some_and(|byte| byte.is_ascii_digit());
    (begins && ends).then(|| serde_json::from_str(text).ok()).flatten()
}
