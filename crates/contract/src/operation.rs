//! The operations of a document, with the paths that clients send.

use http::Method;

use crate::document::{Document, Node};
use crate::mistake::Mistake;
use crate::security::{Access, access};

/// Members of a path item that are operations (OpenAPI 3.1 §4.8.9). `trace` never passes the gateway.
const METHODS: [(&str, Method); 7] = [
    ("delete", Method::DELETE),
    ("get", Method::GET),
    ("head", Method::HEAD),
    ("options", Method::OPTIONS),
    ("patch", Method::PATCH),
    ("post", Method::POST),
    ("put", Method::PUT),
];

/// Asks with a body and changes nothing; an operation since OpenAPI 3.2.
const QUERY: &str = "QUERY";

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its method.
    pub method: Method,
    /// Its path as clients send it, with its prefix, in the form of the gateway's templates.
    pub path: String,
    /// Its `operationId`.
    pub id: Option<String>,
    /// Who may call it, or why that cannot be said.
    pub access: Result<Access, Mistake>,
    /// Where its path item and itself stand.
    pub(crate) item: Place,
    pub(crate) own: Place,
    /// The names of the path's parameters, by the number of their segment.
    pub(crate) segments: Vec<(usize, String)>,
    mistake: Mistake,
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) pointer: String,
}

// === impl Operation ===

impl Operation {
    /// A mistake of whoever uses it, at its place in the document.
    pub fn wrong(&self, what: &str) -> Mistake {
        self.mistake.saying(what)
    }
}

/// Every operation; `prefix` stands for the path of its servers, `new` is OpenAPI 3.2.
pub(crate) fn operations(
    document: &Document,
    prefix: Option<&str>,
    new: bool,
) -> Result<Vec<Operation>, Vec<Mistake>> {
    let root = document.root();
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    let paths = root.get("paths");
    for (path, item) in paths.iter().flat_map(Node::members) {
        if path.starts_with("x-") {
            continue;
        }
        if let Err(mistake) = of_path(document, path, &item, prefix, new, &mut found) {
            wrong.push(mistake);
        }
    }
    if found.is_empty() && wrong.is_empty() {
        wrong.push(document.mistake(&root, "it has no operation under `paths`"));
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

fn of_path(
    document: &Document,
    path: &str,
    item: &Node<'_>,
    prefix: Option<&str>,
    new: bool,
    found: &mut Vec<Operation>,
) -> Result<(), Mistake> {
    let item = document.resolved(item)?;
    let known = METHODS.into_iter().filter_map(|(name, method)| Some((method, item.get(name)?)));
    let mut methods: Vec<(Method, Node<'_>)> = known.collect();
    if new {
        methods.extend(new_methods(document, &item)?);
    }
    for (method, own) in methods {
        let base = match prefix {
            Some(prefix) => prefix.to_owned(),
            None => base(document, &item, &own)?,
        };
        let (path, segments) = template(document, &item, &format!("{base}{path}"))?;
        found.push(Operation {
            method,
            path,
            id: own.text("operationId").map(str::to_owned),
            access: access(document, &own),
            item: Place { file: item.file, pointer: item.pointer.clone() },
            own: Place { file: own.file, pointer: own.pointer.clone() },
            segments,
            mistake: document.mistake(&own, ""),
        });
    }
    Ok(())
}

/// What OpenAPI 3.2 has beside (§4.8.9): `query`, and methods by the names under which they are sent.
fn new_methods<'d>(
    document: &Document,
    item: &Node<'d>,
) -> Result<Vec<(Method, Node<'d>)>, Mistake> {
    let query = item.get("query").map(|own| (QUERY, own));
    let others = item.get("additionalOperations");
    let others = others.iter().flat_map(Node::members).map(|(name, own)| {
        let has_member = [QUERY, "TRACE"].contains(&name)
            || METHODS.iter().any(|(_, known)| known.as_str() == name);
        if has_member {
            let words = format!("`{name}` has a member of its own, in small letters");
            return Err(document.mistake(&own, words));
        }
        Ok((name, own))
    });
    let named = query.map(Ok).into_iter().chain(others).map(|named| {
        let (name, own) = named?;
        let method = Method::from_bytes(name.as_bytes());
        let no_method = |_| document.mistake(&own, format!("`{name}` is no method"));
        Ok((method.map_err(no_method)?, own))
    });
    named.collect()
}

/// The path of the servers: of the operation, else of the path, else of the document.
fn base(document: &Document, item: &Node<'_>, own: &Node<'_>) -> Result<String, Mistake> {
    let root = document.root();
    let servers =
        own.get("servers").or_else(|| item.get("servers")).or_else(|| root.get("servers"));
    let Some(servers) = servers else { return Ok(String::new()) };
    let mut only: Option<String> = None;
    for server in servers.items() {
        let path = server_path(&server);
        if only.as_ref().is_some_and(|only| *only != path) {
            let words = "the servers have different paths; say with `prefix` which one clients use";
            return Err(document.mistake(&servers, words));
        }
        only = Some(path);
    }
    Ok(only.unwrap_or_default())
}

fn server_path(server: &Node<'_>) -> String {
    let mut url = server.text("url").unwrap_or_default().to_owned();
    for (name, variable) in server.get("variables").iter().flat_map(Node::members) {
        url = url.replace(&format!("{{{name}}}"), variable.text("default").unwrap_or_default());
    }
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => &url,
    };
    rest.trim_end_matches('/').to_owned()
}

/// A path as the gateway's templates have it: parameters are whole segments, their names letters, digits and
/// `_`.
fn template(
    document: &Document,
    at: &Node<'_>,
    path: &str,
) -> Result<(String, Vec<(usize, String)>), Mistake> {
    let mut segments = Vec::new();
    let mut text = String::new();
    for (number, part) in path.split('/').enumerate() {
        if number > 0 {
            text.push('/');
        }
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        match name.filter(|name| !name.is_empty() && !name.contains(['{', '}'])) {
            None if part.contains(['{', '}']) => {
                let words =
                    "a parameter has to be a whole segment of the path, such as /files/{name}";
                return Err(document.mistake(at, words));
            }
            None => text.push_str(part),
            Some(name) => {
                let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
                text.push('{');
                text.extend(name.chars().map(plain));
                text.push('}');
                segments.push((number, name.to_owned()));
            }
        }
    }
    Ok((text, segments))
}
