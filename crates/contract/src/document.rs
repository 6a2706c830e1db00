//! The files of a document and the references between them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::mistake::Mistake;
use crate::operation::Place;

/// A larger file is no description.
const LARGEST_FILE: u64 = 32 * 1024 * 1024;
/// Files of one document.
const MOST_FILES: usize = 500;
/// Readers of documents go down by themselves.
const DEEPEST: usize = 100;
/// References that lead to references.
const MOST_HOPS: usize = 32;

/// Every file of a document, read.
pub(crate) struct Document {
    files: Vec<File>,
    by_path: BTreeMap<PathBuf, Result<usize, String>>,
}

struct File {
    /// As it is named in mistakes.
    name: PathBuf,
    /// As it is on disk.
    path: PathBuf,
    value: Value,
}

/// A value and where it stands.
#[derive(Clone)]
pub(crate) struct Node<'d> {
    pub(crate) file: usize,
    pub(crate) pointer: String,
    pub(crate) value: &'d Value,
}

// === impl Document ===

impl Document {
    /// Reads a file and all that it refers to, below its folder.
    pub(crate) fn read(path: &Path) -> Result<Self, Mistake> {
        let wrong = |what: String| Mistake::new(path, "", what);
        let full = path.canonicalize();
        let full = full.map_err(|error| wrong(format!("the file cannot be read: {error}")))?;
        let folder = full.parent().unwrap_or(&full).to_owned();
        let value = parse(&full).map_err(wrong)?;
        let mut document = Self { files: Vec::new(), by_path: BTreeMap::new() };
        document.by_path.insert(full.clone(), Ok(0));
        document.files.push(File { name: path.to_owned(), path: full, value });
        let mut next = 0;
        while next < document.files.len() {
            document.follow_files(next, &folder);
            next += 1;
        }
        Ok(document)
    }

    /// Reads the files that one refers to; what is wrong with one is said where the reference is used.
    fn follow_files(&mut self, number: usize, folder: &Path) {
        let Some(file) = self.files.get(number) else { return };
        let mut targets = Vec::new();
        references(&file.value, &mut targets);
        let base = file.path.parent().unwrap_or(folder).to_owned();
        for target in targets {
            let joined = base.join(&target);
            if self.by_path.contains_key(&joined) {
                continue;
            }
            let read = self.add(&joined, folder);
            self.by_path.insert(joined, read);
        }
    }

    fn add(&mut self, joined: &Path, folder: &Path) -> Result<usize, String> {
        let full = joined.canonicalize().map_err(|error| format!("cannot be read: {error}"))?;
        if !full.starts_with(folder) {
            return Err("is outside of the document's folder; move it there".to_owned());
        }
        if let Some(known) = self.by_path.get(&full) {
            return known.clone();
        }
        if self.files.len() >= MOST_FILES {
            return Err(format!("is one file too many: there may be {MOST_FILES}"));
        }
        let value = parse(&full)?;
        let number = self.files.len();
        let name = full.strip_prefix(folder).unwrap_or(&full).to_owned();
        let name = self
            .files
            .first()
            .and_then(|first| first.name.parent())
            .map_or_else(|| name.clone(), |parent| parent.join(&name));
        self.files.push(File { name, path: full.clone(), value });
        self.by_path.insert(full, Ok(number));
        Ok(number)
    }

    /// Every file that is referred to, whether it can be read or not.
    pub(crate) fn into_paths(self) -> impl Iterator<Item = PathBuf> {
        self.by_path.into_keys()
    }

    /// The document itself.
    pub(crate) fn root(&self) -> Node<'_> {
        self.node(0, String::new()).unwrap_or(Node {
            file: 0,
            pointer: String::new(),
            value: &Value::Null,
        })
    }

    fn node(&self, file: usize, pointer: String) -> Option<Node<'_>> {
        let value = self.files.get(file)?.value.pointer(&pointer)?;
        Some(Node { file, pointer, value })
    }

    /// What stands at a place.
    pub(crate) fn at(&self, place: &Place) -> Option<Node<'_>> {
        self.node(place.file, place.pointer.clone())
    }

    /// A mistake at a place.
    pub(crate) fn mistake(&self, at: &Node<'_>, what: impl fmt::Display) -> Mistake {
        let name = self.files.get(at.file).map_or(Path::new(""), |file| &file.name);
        Mistake::new(name, &at.pointer, what)
    }

    /// What a node is: itself, or what it refers to.
    pub(crate) fn resolved<'d>(&'d self, node: &Node<'d>) -> Result<Node<'d>, Mistake> {
        let mut at = node.clone();
        for _ in 0..MOST_HOPS {
            let Some(reference) = at.value.get("$ref").and_then(Value::as_str) else {
                return Ok(at);
            };
            at = self.target(&at, reference)?;
        }
        Err(self.mistake(node, "its `$ref` leads around in a circle; point it at a value"))
    }

    /// What a reference that stands in `from` points at.
    pub(crate) fn target<'d>(
        &'d self,
        from: &Node<'d>,
        reference: &str,
    ) -> Result<Node<'d>, Mistake> {
        let wrong = |what: String| self.mistake(from, format!("`$ref: {reference}` {what}"));
        let (path, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        if is_url(path) {
            return Err(wrong(
                "is a URL, and nothing is fetched: keep a copy beside the document and point there"
                    .to_owned(),
            ));
        }
        let file = match (path, self.files.get(from.file)) {
            ("", _) | (_, None) => from.file,
            (path, Some(file)) => {
                let joined = file.path.parent().unwrap_or(Path::new("")).join(decoded(path));
                match self.by_path.get(&joined) {
                    Some(Ok(number)) => *number,
                    Some(Err(fault)) => return Err(wrong(fault.clone())),
                    None => return Err(wrong("is no file of the document".to_owned())),
                }
            }
        };
        let pointer = decoded(fragment);
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err(wrong(
                "names an anchor; point at the place, as in `#/components/schemas/Order`"
                    .to_owned(),
            ));
        }
        self.node(file, pointer).ok_or_else(|| {
            wrong("points at nothing; correct it, or add what it points at".to_owned())
        })
    }
}

/// The relative files that are referred to, whether these are references or only look so.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get("$ref") {
                let path = text.split('#').next().unwrap_or_default();
                if !path.is_empty() && !is_url(path) {
                    found.push(decoded(path));
                }
            }
            members.values().for_each(|member| references(member, found));
        }
        _ => {}
    }
}

fn is_url(path: &str) -> bool {
    path.contains(':') || path.starts_with("//")
}

fn parse(file: &Path) -> Result<Value, String> {
    let size = std::fs::metadata(file).map_err(|error| format!("cannot be read: {error}"))?.len();
    if size > LARGEST_FILE {
        return Err(format!("has {size} bytes; at most {LARGEST_FILE} are read"));
    }
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| format!("the file cannot be read: {error}"))?;
    let is_json = file.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
    let value = if is_json {
        serde_json::from_str(&text).map_err(|error| format!("this is not JSON: {error}"))?
    } else {
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let read = serde_saphyr::from_str_with_options::<Value>(&text, options);
        read.map_err(|error| format!("this is not YAML: {error}"))?
    };
    if is_deeper(&value, DEEPEST) {
        return Err(format!("is nested more than {DEEPEST} deep; use `$ref`"));
    }
    Ok(value)
}

/// Whether a value has more levels than so many.
pub(crate) fn is_deeper(value: &Value, left: usize) -> bool {
    match value {
        Value::Array(items) => left == 0 || items.iter().any(|item| is_deeper(item, left - 1)),
        Value::Object(members) => {
            left == 0 || members.values().any(|member| is_deeper(member, left - 1))
        }
        _ => false,
    }
}

/// Percent-encoding in a reference, taken off; what is none stays.
fn decoded(text: &str) -> String {
    crate::form::decoded(text).map_or_else(|| text.to_owned(), |text| text.into_owned())
}

// === impl Node ===

impl<'d> Node<'d> {
    /// A member by its name.
    pub(crate) fn get(&self, name: &str) -> Option<Node<'d>> {
        let value = self.value.as_object()?.get(name)?;
        Some(Node { file: self.file, pointer: joined(&self.pointer, name), value })
    }

    /// Every member; none of what is no object.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'d str, Node<'d>)> + use<'d> {
        let (file, pointer) = (self.file, self.pointer.clone());
        self.value.as_object().into_iter().flatten().map(move |(name, value)| {
            (name.as_str(), Node { file, pointer: joined(&pointer, name), value })
        })
    }

    /// Every item; none of what is no list.
    pub(crate) fn items(&self) -> impl Iterator<Item = Node<'d>> + use<'d> {
        let (file, pointer) = (self.file, self.pointer.clone());
        self.value.as_array().into_iter().flatten().enumerate().map(move |(index, value)| Node {
            file,
            pointer: format!("{pointer}/{index}"),
            value,
        })
    }

    /// A member that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&'d str> {
        self.value.get(name).and_then(Value::as_str)
    }

    /// A member that is `true`.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.value.get(name).and_then(Value::as_bool) == Some(true)
    }
}

/// A pointer with one more name (RFC 6901 §3).
pub(crate) fn joined(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
