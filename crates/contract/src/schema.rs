//! Schemas of OpenAPI 3.0 and 3.1 → JSON Schema 2020-12, gathered in one place and compiled.
//!
//! Each schema that is used, wherever it stands, becomes a definition `s0`, `s1`, …; references between them
//! are local, so that the validator resolves nothing by itself. What only describes is left out.

use std::collections::HashMap;
use std::sync::Arc;

use jsonschema::{PatternOptions, Registry, Validator};
use serde_json::{Map, Value, json};

use crate::document::{Document, Node, is_deeper};
use crate::mistake::Mistake;
use crate::violation::Broken;

/// The name that the definitions have among themselves.
const BASE: &str = "urn:tokenward:contract";
/// Schemas of one document.
const MOST: usize = 50_000;
/// Levels of a value that is explained, where schemas lead back to themselves.
const DEEPEST_EXPLAINED: usize = 6;
/// References that lead to references.
const MOST_HOPS: usize = 32;

/// Keywords whose value is a schema.
const ONE: [&str; 9] = [
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedProperties",
];
/// Keywords whose value is a list of schemas.
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is an object of schemas.
const MAPS: [&str; 3] = ["dependentSchemas", "patternProperties", "properties"];
/// Keywords that are as they are.
const PLAIN: [&str; 20] = [
    "const",
    "dependentRequired",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "type",
    "uniqueItems",
];
/// Formats of texts that are checked; others only describe.
const FORMATS: [&str; 12] = [
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uuid",
];

/// A schema that was gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SchemaId(usize);

/// The schemas of a document that are used.
pub(crate) struct Schemas<'d> {
    document: &'d Document,
    /// OpenAPI 3.0, whose schemas are a dialect of their own.
    old: bool,
    ids: HashMap<(usize, String), SchemaId>,
    /// Where each stands, and its translation.
    places: Vec<Node<'d>>,
    translated: Vec<Value>,
}

/// The same, translated: what validators are made of.
///
/// Saying where a value breaks a schema costs more than saying that it does: every alternative is then tried
/// to its end, on every level. Where schemas lead back to themselves, a value of many levels is not explained.
pub(crate) struct Compiled<'d> {
    document: &'d Document,
    registry: Registry<'static>,
    places: Vec<Node<'d>>,
    definitions: Arc<Definitions>,
    judges: HashMap<SchemaId, Arc<Judge>>,
}

/// What judges values of one schema.
pub(crate) struct Judge {
    validator: Validator,
    /// The schema can be met again inside of itself.
    is_cyclic: bool,
}

/// The translated schemas, by their numbers.
pub(crate) struct Definitions(Vec<Value>);

// === impl Schemas ===

impl<'d> Schemas<'d> {
    pub(crate) fn new(document: &'d Document, old: bool) -> Self {
        let (ids, places, translated) = (HashMap::new(), Vec::new(), Vec::new());
        Self { document, old, ids, places, translated }
    }

    /// Gathers a schema and all that it refers to.
    pub(crate) fn gather(&mut self, node: &Node<'d>) -> Result<SchemaId, Mistake> {
        let id = self.intern(node)?;
        while let Some(next) = self.places.get(self.translated.len()).cloned() {
            let translated = self.translate(&next)?;
            self.translated.push(translated);
        }
        Ok(id)
    }

    fn intern(&mut self, node: &Node<'d>) -> Result<SchemaId, Mistake> {
        let key = (node.file, node.pointer.clone());
        if let Some(id) = self.ids.get(&key) {
            return Ok(*id);
        }
        if self.places.len() >= MOST {
            return Err(self.document.mistake(node, format!("there are more than {MOST} schemas")));
        }
        let id = SchemaId(self.places.len());
        self.ids.insert(key, id);
        self.places.push(node.clone());
        Ok(id)
    }

    fn wrong(&self, node: &Node<'d>, what: &str) -> Mistake {
        self.document.mistake(node, what)
    }

    fn translate(&mut self, node: &Node<'d>) -> Result<Value, Mistake> {
        let members = match node.value {
            Value::Bool(_) => return Ok(node.value.clone()),
            Value::Object(members) => members,
            _ => return Err(self.wrong(node, "a schema is an object")),
        };
        let mut out = Map::new();
        if let Some(reference) = node.text("$ref") {
            let target = self.document.target(node, reference)?;
            let SchemaId(number) = self.intern(&target)?;
            out.insert("$ref".to_owned(), Value::String(format!("#/$defs/s{number}")));
            if self.old {
                // OpenAPI 3.0.3, Reference Object: what stands beside it is ignored.
                return Ok(Value::Object(out));
            }
        }
        for name in ["$dynamicRef", "$recursiveRef", "$id"] {
            if members.contains_key(name) {
                let words = format!("`{name}` is not read; point at the place with `$ref` alone");
                return Err(self.wrong(node, &words));
            }
        }
        for (name, value) in members {
            let name = name.as_str();
            let Some(child) = node.get(name) else { continue };
            let translated = if ONE.contains(&name) {
                self.translate(&child)?
            } else if LISTS.contains(&name) {
                let items = child.items().map(|item| self.translate(&item));
                Value::Array(items.collect::<Result<_, _>>()?)
            } else if MAPS.contains(&name) {
                let all = child.members();
                let all = all.map(|(name, one)| Ok((name.to_owned(), self.translate(&one)?)));
                Value::Object(all.collect::<Result<_, Mistake>>()?)
            } else if PLAIN.contains(&name) {
                value.clone()
            } else {
                continue;
            };
            out.insert(name.to_owned(), translated);
        }
        self.check_patterns(node)?;
        self.leave_out_read_only(node, &mut out)?;
        format(node, &mut out);
        if self.old {
            old_words(members, &mut out);
        }
        Ok(Value::Object(out))
    }

    /// Patterns that need backtracking are no patterns here: a request could make them run for hours.
    fn check_patterns(&self, node: &Node<'d>) -> Result<(), Mistake> {
        let own = node.text("pattern").map(|text| (text, node.get("pattern")));
        let names = node.get("patternProperties");
        let names = names.iter().flat_map(Node::members).map(|(text, at)| (text, Some(at)));
        for (text, at) in own.into_iter().chain(names) {
            if options().build(&json!({ "pattern": text })).is_err() {
                let words = "this pattern is none that runs in linear time: write it without \
                             look-around and back-references, or leave it out";
                return Err(self.wrong(&at.unwrap_or_else(|| node.clone()), words));
            }
        }
        Ok(())
    }

    /// What only answers have is demanded of no request (OpenAPI 3.0.3, Schema Object, `readOnly`).
    fn leave_out_read_only(
        &self,
        node: &Node<'d>,
        out: &mut Map<String, Value>,
    ) -> Result<(), Mistake> {
        let Some(Value::Array(required)) = out.get_mut("required") else { return Ok(()) };
        let Some(properties) = node.get("properties") else { return Ok(()) };
        let mut read_only = Vec::new();
        for (name, property) in properties.members() {
            if property.is_set("readOnly") || self.document.resolved(&property)?.is_set("readOnly")
            {
                read_only.push(name);
            }
        }
        required.retain(|name| !name.as_str().is_some_and(|name| read_only.contains(&name)));
        if required.is_empty() {
            out.remove("required");
        }
        Ok(())
    }

    /// Everything that was gathered, ready to make validators.
    pub(crate) fn compile(self) -> Result<Compiled<'d>, Mistake> {
        for (translated, node) in self.translated.iter().zip(&self.places) {
            if let Err(error) = jsonschema::draft202012::meta::validate(translated) {
                let inside = error.instance_path().as_str();
                let at = Node { pointer: format!("{}{inside}", node.pointer), ..node.clone() };
                let words = format!("this is not a schema: {}", error.masked_with("it"));
                return Err(self.document.mistake(&at, words));
            }
        }
        let numbered = self.translated.iter().enumerate();
        let definitions: Map<String, Value> =
            numbered.map(|(number, schema)| (format!("s{number}"), schema.clone())).collect();
        let registry = Registry::new()
            .add(BASE, json!({ "$defs": definitions }))
            .and_then(jsonschema::RegistryBuilder::prepare)
            .map_err(|error| self.document.mistake(&self.document.root(), error))?;
        Ok(Compiled {
            document: self.document,
            registry,
            places: self.places,
            definitions: Arc::new(Definitions(self.translated)),
            judges: HashMap::new(),
        })
    }
}

/// Texts of formats are checked, nothing is fetched, and patterns are those of a linear engine.
fn options<'i>() -> jsonschema::ValidationOptions<'i> {
    jsonschema::draft202012::options()
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .offline()
}

/// Formats of texts, and the ranges that some formats of numbers stand for.
fn format(node: &Node<'_>, out: &mut Map<String, Value>) {
    let Some(format) = node.text("format") else { return };
    let range = match format {
        "int32" => json!({ "minimum": i32::MIN, "maximum": i32::MAX }),
        "int64" => json!({ "minimum": i64::MIN, "maximum": i64::MAX }),
        // A file, of which only that it is there can be judged.
        "binary" => {
            for name in ["maxLength", "minLength", "pattern"] {
                out.remove(name);
            }
            return;
        }
        "byte" => json!({ "pattern": "^[A-Za-z0-9+/]*={0,2}$" }),
        known if FORMATS.contains(&known) => {
            out.insert("format".to_owned(), Value::String(known.to_owned()));
            return;
        }
        _ => return,
    };
    if let Value::Array(all) = out.entry("allOf").or_insert_with(|| json!([])) {
        all.push(range);
    }
}

/// The words that OpenAPI 3.0 has of its own.
fn old_words(members: &Map<String, Value>, out: &mut Map<String, Value>) {
    let is_set = |name: &str| members.get(name) == Some(&Value::Bool(true));
    if is_set("nullable")
        && let Some(Value::String(kind)) = out.get("type")
    {
        let kinds = json!([kind, "null"]);
        out.insert("type".to_owned(), kinds);
    }
    for (name, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        match out.get(exclusive) {
            Some(Value::Bool(true)) => {
                match out.remove(name) {
                    Some(bound) => out.insert(exclusive.to_owned(), bound),
                    None => out.remove(exclusive),
                };
            }
            Some(Value::Bool(false)) => {
                out.remove(exclusive);
            }
            _ => {}
        }
    }
}

// === impl Compiled ===

impl Compiled<'_> {
    /// What judges values of a schema that was gathered.
    pub(crate) fn judge(&mut self, id: SchemaId) -> Result<Arc<Judge>, Mistake> {
        if let Some(known) = self.judges.get(&id) {
            return Ok(Arc::clone(known));
        }
        let schema = json!({ "$ref": format!("{BASE}#/$defs/s{}", id.0) });
        let built = options().with_registry(&self.registry).build(&schema);
        let validator = built.map_err(|error| {
            let root = self.document.root();
            let words = format!("this schema cannot be used: {}", error.masked_with("it"));
            self.document.mistake(self.places.get(id.0).unwrap_or(&root), words)
        })?;
        let is_cyclic = self.definitions.is_cyclic(id);
        let judge = Arc::new(Judge { validator, is_cyclic });
        self.judges.insert(id, Arc::clone(&judge));
        Ok(judge)
    }

    pub(crate) fn definitions(&self) -> &Arc<Definitions> {
        &self.definitions
    }
}

// === impl Judge ===

impl Judge {
    pub(crate) fn accepts(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// # Errors
    /// [`Broken`] with the place below `place`, where it can be told, and the rule.
    pub(crate) fn judge(&self, place: &str, value: &Value) -> Result<(), Broken> {
        if self.accepts(value) {
            return Ok(());
        }
        if self.is_cyclic && is_deeper(value, DEEPEST_EXPLAINED) {
            return Err(Broken::rule(place, "is not as its schema has it"));
        }
        self.validator.validate(value).map_err(|error| Broken::of_schema(place, &error))
    }
}

// === impl Definitions ===

impl Definitions {
    /// A schema as it was translated.
    pub(crate) fn schema(&self, id: SchemaId) -> &Value {
        self.0.get(id.0).unwrap_or(&Value::Null)
    }

    /// Whether a schema leads to one that leads back to itself.
    fn is_cyclic(&self, id: SchemaId) -> bool {
        let edges: Vec<Vec<usize>> = self.0.iter().map(targets).collect();
        // 0: not seen; 1: under way; 2: done. An explicit stack, since chains can be long.
        let mut state = vec![0u8; edges.len()];
        let mut stack = vec![(id.0, 0)];
        while let Some((at, next)) = stack.pop() {
            let (Some(mark), Some(out)) = (state.get_mut(at), edges.get(at)) else { continue };
            *mark = 1;
            let Some(&target) = out.get(next) else {
                *mark = 2;
                continue;
            };
            stack.push((at, next + 1));
            match state.get(target) {
                Some(0) => stack.push((target, 0)),
                Some(1) => return true,
                _ => {}
            }
        }
        false
    }

    /// What a translated schema is, behind its references.
    pub(crate) fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let mut at = schema;
        for _ in 0..MOST_HOPS {
            match target(at).and_then(|number| self.0.get(number)) {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    }
}

/// The number that a translated reference has.
fn target(schema: &Value) -> Option<usize> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/s")?.parse().ok()
}

/// Those of all references in a translated schema.
fn targets(schema: &Value) -> Vec<usize> {
    let mut found: Vec<usize> = target(schema).into_iter().collect();
    match schema {
        Value::Array(items) => found.extend(items.iter().flat_map(targets)),
        Value::Object(members) => found.extend(members.values().flat_map(targets)),
        _ => {}
    }
    found
}
