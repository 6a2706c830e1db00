//! `security`: which tokens an operation takes, as scopes.

use serde_json::Value;

use crate::document::{Document, Node};
use crate::mistake::Mistake;

/// Who may call an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody: the document says so, by an empty list.
    Public,
    /// Whoever has a token with all scopes of one of these sets. An empty set: any good token.
    Scopes(Vec<Vec<String>>),
}

/// What an operation says, or else the document. A document that says nothing makes nothing public: it was
/// forgotten more often than meant.
pub(crate) fn access(document: &Document, operation: &Node<'_>) -> Result<Access, Mistake> {
    let root = document.root();
    let Some(security) = operation.get("security").or_else(|| root.get("security")) else {
        return Ok(Access::Scopes(vec![Vec::new()]));
    };
    let Value::Array(alternatives) = security.value else {
        return Err(document.mistake(&security, "`security` is a list"));
    };
    if alternatives.is_empty() {
        return Ok(Access::Public);
    }
    let sets = security.items().map(|alternative| set(document, &root, &alternative));
    let mut sets: Vec<Vec<String>> = sets.collect::<Result<_, _>>()?;
    if sets.iter().any(Vec::is_empty) {
        // Whatever else is listed, a token without scopes is enough.
        sets = vec![Vec::new()];
    }
    Ok(Access::Scopes(sets))
}

/// The scopes of one alternative, of all the schemes that it names.
fn set(
    document: &Document,
    root: &Node<'_>,
    alternative: &Node<'_>,
) -> Result<Vec<String>, Mistake> {
    let named = alternative.value.as_object().is_some_and(|schemes| !schemes.is_empty());
    if !named {
        let words = "an alternative without a scheme would make the token optional, which no route can be: \
                     remove it, or write `security: []` for what is public";
        return Err(document.mistake(alternative, words));
    }
    let mut scopes: Vec<String> = Vec::new();
    for (name, listed) in alternative.members() {
        scheme(document, root, &listed, name)?;
        for scope in listed.items() {
            let text = scope.value.as_str();
            let text = text.ok_or_else(|| document.mistake(&scope, "a scope is a text"))?;
            if !scopes.iter().any(|known| known == text) {
                scopes.push(text.to_owned());
            }
        }
    }
    Ok(scopes)
}

/// Whether a scheme is one of tokens that are checked here.
fn scheme(
    document: &Document,
    root: &Node<'_>,
    used: &Node<'_>,
    name: &str,
) -> Result<(), Mistake> {
    let schemes = root.get("components").and_then(|node| node.get("securitySchemes"));
    let scheme = schemes.and_then(|schemes| schemes.get(name)).ok_or_else(|| {
        document.mistake(used, format!("no scheme is named `{name}` in components/securitySchemes"))
    })?;
    let scheme = document.resolved(&scheme)?;
    let (kind, http) = (scheme.text("type").unwrap_or_default(), scheme.text("scheme"));
    match kind {
        "oauth2" | "openIdConnect" => Ok(()),
        "http" if http.is_some_and(is_token) => Ok(()),
        _ => {
            let what = if kind == "http" { http.unwrap_or(kind) } else { kind };
            let words = format!(
                "`{what}` of the scheme `{name}` is no access token: describe it as `http` with `bearer`, \
                 `oauth2` or `openIdConnect`, or write a [[gateway.route]] for this operation"
            );
            Err(document.mistake(used, words))
        }
    }
}

fn is_token(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("dpop")
}
