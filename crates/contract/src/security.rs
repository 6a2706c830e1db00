//! `security`: which credentials an operation takes.

use serde_json::Value;

use crate::document::{Document, Node};
use crate::mistake::Mistake;

/// Who may call an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody: the document says so, by an empty list.
    Public,
    /// Whoever has such a token.
    Token(Demand),
}

/// What a token has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// All scopes of one of these sets. An empty set: any good token.
    pub scopes: Vec<Vec<String>>,
    /// The fields in which API keys come (`apiKey`), as the document writes them.
    pub key_fields: Vec<String>,
    /// Only API keys will do.
    pub only_keys: bool,
    /// It is bound to a certificate of its client (`mutualTLS`).
    pub certificate: bool,
}

/// One alternative: all of its schemes together.
#[derive(Default)]
struct Alternative {
    scopes: Vec<String>,
    token: bool,
    key: Option<String>,
    certificate: bool,
}

/// What one scheme stands for.
enum Scheme {
    Token,
    Key(String),
    Certificate,
}

/// What an operation says, or else the document. A document that says nothing makes nothing public: it was
/// forgotten more often than meant.
pub(crate) fn access(document: &Document, operation: &Node<'_>) -> Result<Access, Mistake> {
    let root = document.root();
    let Some(security) = operation.get("security").or_else(|| root.get("security")) else {
        return Ok(Access::Token(Demand { scopes: vec![Vec::new()], ..Demand::default() }));
    };
    let Value::Array(listed) = security.value else {
        return Err(document.mistake(&security, "`security` is a list"));
    };
    if listed.is_empty() {
        return Ok(Access::Public);
    }
    let read = security.items().map(|one| Alternative::read(document, &root, &one));
    let alternatives: Vec<Alternative> = read.collect::<Result<_, _>>()?;
    let certificate = alternatives.iter().all(|one| one.certificate);
    if !certificate && alternatives.iter().any(|one| one.certificate) {
        let words = "`mutualTLS` is in some alternatives and not in others; write a [[gateway.route]] for this \
                     operation, or name it in all of them";
        return Err(document.mistake(&security, words));
    }
    let key_fields = alternatives.iter().filter_map(|one| one.key.clone()).collect();
    let only_keys = alternatives.iter().all(|one| one.key.is_some());
    // An API key is a token with scopes: beside alternatives for others it is no way around theirs.
    let demanding = alternatives.into_iter().filter(|one| only_keys || one.key.is_none());
    let mut scopes: Vec<Vec<String>> = demanding.map(|one| one.scopes).collect();
    if scopes.iter().any(Vec::is_empty) {
        // Whatever else is listed, a token without scopes is enough.
        scopes = vec![Vec::new()];
    }
    Ok(Access::Token(Demand { scopes, key_fields, only_keys, certificate }))
}

// === impl Alternative ===

impl Alternative {
    fn read(document: &Document, root: &Node<'_>, alternative: &Node<'_>) -> Result<Self, Mistake> {
        let named = alternative.value.as_object().is_some_and(|schemes| !schemes.is_empty());
        if !named {
            let words = "an alternative without a scheme would make the token optional, which no route can be: \
                         remove it, or write `security: []` for what is public";
            return Err(document.mistake(alternative, words));
        }
        let mut read = Self::default();
        for (name, listed) in alternative.members() {
            match scheme(document, root, &listed, name)? {
                Scheme::Token => read.token = true,
                Scheme::Certificate => read.certificate = true,
                Scheme::Key(field) => {
                    read.token |= read.key.is_some();
                    read.key = Some(field);
                }
            }
            for scope in listed.items() {
                let text = scope.value.as_str();
                let text = text.ok_or_else(|| document.mistake(&scope, "a scope is a text"))?;
                if !read.scopes.iter().any(|known| known == text) {
                    read.scopes.push(text.to_owned());
                }
            }
        }
        if read.token && read.key.is_some() {
            let words = "an API key together with another credential: a request has one token; write them as \
                         alternatives, or a [[gateway.route]] for this operation";
            return Err(document.mistake(alternative, words));
        }
        if read.certificate && read.key.is_some() {
            let words = "an API key is bound to no certificate, so that `mutualTLS` cannot go with it; write a \
                         [[gateway.route]] for this operation";
            return Err(document.mistake(alternative, words));
        }
        Ok(read)
    }
}

/// What a scheme stands for, if it is one that is checked here.
fn scheme(
    document: &Document,
    root: &Node<'_>,
    used: &Node<'_>,
    name: &str,
) -> Result<Scheme, Mistake> {
    let schemes = root.get("components").and_then(|node| node.get("securitySchemes"));
    let scheme = schemes.and_then(|schemes| schemes.get(name)).ok_or_else(|| {
        document.mistake(used, format!("no scheme is named `{name}` in components/securitySchemes"))
    })?;
    let scheme = document.resolved(&scheme)?;
    let (kind, http) = (scheme.text("type").unwrap_or_default(), scheme.text("scheme"));
    match (kind, scheme.text("in")) {
        ("oauth2" | "openIdConnect", _) => Ok(Scheme::Token),
        ("mutualTLS", _) => Ok(Scheme::Certificate),
        ("http", _) if http.is_some_and(is_token) => Ok(Scheme::Token),
        ("apiKey", Some("header")) => {
            let field = scheme.text("name");
            let field = field.ok_or_else(|| document.mistake(&scheme, "`name` is missing"))?;
            Ok(Scheme::Key(field.to_owned()))
        }
        ("apiKey", place) => {
            let words = format!(
                "the API key of the scheme `{name}` comes in `{}`, where no credential is taken, since it would be \
                 known to logs and other sites: let it come in a field (`in: header`), or write a \
                 [[gateway.route]] for this operation",
                place.unwrap_or_default()
            );
            Err(document.mistake(used, words))
        }
        _ => {
            let what = if kind == "http" { http.unwrap_or(kind) } else { kind };
            let words = format!(
                "`{what}` of the scheme `{name}` is no access token: describe it as `http` with `bearer`, \
                 `oauth2`, `openIdConnect` or `apiKey`, or write a [[gateway.route]] for this operation"
            );
            Err(document.mistake(used, words))
        }
    }
}

fn is_token(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("dpop")
}
