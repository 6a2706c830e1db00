//! Where another issuer's tokens say something: the name of a claim, or a way into one.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

/// `scp`; `realm_access.roles` for a member inside of others; `/a.b/c` (a JSON pointer, RFC 6901) where
/// a name has dots. What has a colon, such as `https://example.com/roles`, is one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

/// A text that is no way to a claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no claim; write `scp`, `realm_access.roles` or `/a.b/c`")]
pub struct NotAPath(String);

/// Where scopes are, as one text with spaces or as a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeSource {
    /// The claim.
    pub claim: ClaimPath,
    /// Is put before each of them, so that `admin` among the roles becomes `role:admin`.
    pub prefix: String,
}

// === impl ClaimPath ===

impl ClaimPath {
    /// What is there.
    pub fn find<'v>(&self, members: &'v Map<String, Value>) -> Option<&'v Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(members.get(first)?, |value, name| value.as_object()?.get(name))
    }

    /// The text there, unless it is empty.
    pub fn text<'v>(&self, members: &'v Map<String, Value>) -> Option<&'v str> {
        self.find(members)?.as_str().filter(|text| !text.is_empty())
    }
}

impl FromStr for ClaimPath {
    type Err = NotAPath;

    fn from_str(text: &str) -> Result<Self, NotAPath> {
        let names: Vec<String> = match text.strip_prefix('/') {
            Some(pointer) => {
                let unescaped = |part: &str| part.replace("~1", "/").replace("~0", "~");
                pointer.split('/').map(unescaped).collect()
            }
            None if text.contains(':') => vec![text.to_owned()],
            None => text.split('.').map(str::to_owned).collect(),
        };
        if names.iter().any(String::is_empty) {
            return Err(NotAPath(text.to_owned()));
        }
        Ok(Self(names))
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|name| write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::ClaimPath;

    #[test]
    fn a_path_leads_to_a_claim() {
        let claims = json!({ "scp": "a", "realm_access": { "roles": ["b"] }, "a.b": { "c": "d" },
            "https://example.com/roles": "e", "empty": "" });
        let claims = claims.as_object().expect("claims");
        for (path, found) in [
            ("scp", json!("a")),
            ("realm_access.roles", json!(["b"])),
            ("/a.b/c", json!("d")),
            ("https://example.com/roles", json!("e")),
        ] {
            let path: ClaimPath = path.parse().expect("path");
            assert_eq!(path.find(claims), Some(&found));
            assert_eq!(path.to_string().parse(), Ok(path));
        }
        for path in ["none", "scp.a", "a.b.c", "realm_access.none"] {
            assert_eq!(path.parse::<ClaimPath>().expect("path").find(claims), None, "{path}");
        }
        assert_eq!("empty".parse::<ClaimPath>().expect("path").text(claims), None);
    }

    #[test]
    fn what_names_nothing_is_no_path() {
        for text in ["", "/", "a.", ".a", "a..b", "/a//b"] {
            assert!(text.parse::<ClaimPath>().is_err(), "{text:?}");
        }
    }
}
