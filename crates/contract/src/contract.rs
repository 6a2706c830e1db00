//! A document, read: its operations, and checks made of them.

use std::path::{Path, PathBuf};

use crate::body;
use crate::check::{RequestCheck, UnknownQuery};
use crate::document::{Document, Node};
use crate::mistake::Mistake;
use crate::operation::{Operation, operations};
use crate::parameter::{self, Location, Parameter};
use crate::schema::{Compiled, Schemas};

/// An OpenAPI document.
pub struct Contract {
    document: Document,
    /// OpenAPI 3.0.
    old: bool,
    operations: Vec<Operation>,
}

/// What a document says of one operation's requests, before its schemas are compiled.
struct Draft {
    parameters: Vec<(Option<usize>, parameter::Described)>,
    body: Option<body::Described>,
}

// === impl Contract ===

impl Contract {
    /// Reads a document and the files beside it that it refers to. Its operations have the path of its
    /// servers before their own, or `prefix` in place of that.
    ///
    /// # Errors
    /// [`Mistake`]s, each with the file and the place: what cannot be read, a version other than 3.0, 3.1 and 3.2,
    /// and what operations cannot be here.
    pub fn read(file: &Path, prefix: Option<&str>) -> Result<Self, Vec<Mistake>> {
        let document = Document::read(file).map_err(|mistake| vec![mistake])?;
        let root = document.root();
        let version = root.text("openapi").unwrap_or_default();
        let old = version.starts_with("3.0.");
        let new = version.starts_with("3.2.");
        if !old && !new && !version.starts_with("3.1.") {
            let words = "not an OpenAPI document of the version 3.0, 3.1 or 3.2: `openapi` says which it is, \
                         such as \"3.1.0\"";
            return Err(vec![document.mistake(&root, words)]);
        }
        let operations = operations(&document, prefix, new)?;
        Ok(Self { document, old, operations })
    }

    /// The document's file and those that it refers to, as far as they can be found.
    pub fn files(file: &Path) -> Vec<PathBuf> {
        let others = Document::read(file).map(Document::into_paths).into_iter().flatten();
        std::iter::once(file.to_owned()).chain(others).collect()
    }

    /// Its operations, in the document's order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Compiles what requests of these operations have to be, in the same order.
    ///
    /// # Errors
    /// Every [`Mistake`] in what the document says of their parameters, bodies and schemas.
    pub fn checks(
        &self,
        wanted: &[&Operation],
        unknown_query: UnknownQuery,
    ) -> Result<Vec<RequestCheck>, Vec<Mistake>> {
        let mut schemas = Schemas::new(&self.document, self.old);
        let drafts = wanted.iter().map(|operation| self.draft(operation, &mut schemas));
        let drafts = all(drafts)?;
        let mut compiled = schemas.compile().map_err(|mistake| vec![mistake])?;
        all(drafts.into_iter().map(|draft| draft.ready(&mut compiled, unknown_query)))
    }

    fn draft<'d>(
        &'d self,
        operation: &Operation,
        schemas: &mut Schemas<'d>,
    ) -> Result<Draft, Mistake> {
        let document = &self.document;
        let mut parameters: Vec<(Option<usize>, parameter::Described)> = Vec::new();
        // Those of the operation come later and replace those of its path (OpenAPI 3.1 §4.8.10.1).
        for place in [&operation.item, &operation.own] {
            let Some(listed) = document.at(place).and_then(|node| node.get("parameters")) else {
                continue;
            };
            for node in listed.items() {
                let Some(described) = parameter::Described::read(document, &node, schemas)? else {
                    continue;
                };
                let mut segments = operation.segments.iter();
                let segment = segments.find(|(_, name)| *name == described.name);
                let segment = segment.map(|(number, _)| *number);
                if described.location == Location::Path && segment.is_none() {
                    let words = format!("the path has no parameter `{{{}}}`", described.name);
                    return Err(document.mistake(&node, words));
                }
                parameters.retain(|(_, known)| !known.is_same(&described));
                parameters.push((segment, described));
            }
        }
        let body = document.at(&operation.own).and_then(|node: Node<'d>| node.get("requestBody"));
        let body = body.map(|node| body::Described::read(document, &node, schemas)).transpose()?;
        Ok(Draft { parameters, body })
    }
}

/// All of them, or every mistake.
fn all<T>(results: impl Iterator<Item = Result<T, Mistake>>) -> Result<Vec<T>, Vec<Mistake>> {
    let (mut good, mut wrong) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(one) => good.push(one),
            // What several operations refer to is wrong once.
            Err(mistake) if wrong.contains(&mistake) => {}
            Err(mistake) => wrong.push(mistake),
        }
    }
    if wrong.is_empty() { Ok(good) } else { Err(wrong) }
}

// === impl Draft ===

impl Draft {
    fn ready(
        self,
        compiled: &mut Compiled<'_>,
        unknown_query: UnknownQuery,
    ) -> Result<RequestCheck, Mistake> {
        let (mut path, mut query) = (Vec::new(), Vec::new());
        let (mut headers, mut cookies): (Vec<Parameter>, Vec<Parameter>) = (Vec::new(), Vec::new());
        for (segment, described) in self.parameters {
            let location = described.location;
            let parameter = described.ready(compiled)?;
            match (location, segment) {
                (Location::Path, Some(segment)) => path.push((segment, parameter)),
                (Location::Path, None) => {}
                (Location::Query, _) => query.push(parameter),
                (Location::Header, _) => headers.push(parameter),
                (Location::Cookie, _) => cookies.push(parameter),
            }
        }
        let body = self.body.map(|body| body.ready(compiled)).transpose()?;
        let definitions = std::sync::Arc::clone(compiled.definitions());
        Ok(RequestCheck { path, query, headers, cookies, unknown_query, body, definitions })
    }
}
