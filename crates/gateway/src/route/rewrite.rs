//! Another path for the API than for its clients, by prefixes alone.

use std::borrow::Cow;

use http::uri::PathAndQuery;

use crate::target::normal_path;

/// A prefix that is taken away, and one that is put before what is left. The path that is authorised is
/// the one before.
#[derive(Clone, Debug, Default)]
pub struct Rewrite {
    /// In segments, since a segment can be spelled in more than one way.
    strip: usize,
    add: Box<str>,
}

/// Why a path cannot be rewritten so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRewrite {
    /// `add_prefix` could make a path that has two meanings.
    #[error("`add_prefix` is a path in its normal form without a slash at its end, such as /v1")]
    Add,
    /// `strip_prefix` is not there in every path of the route.
    #[error(
        "`strip_prefix` is the beginning of the route's path, whole segments without parameters"
    )]
    Strip,
}

// === impl Rewrite ===

impl Rewrite {
    /// For the paths of a template; empty texts change nothing.
    ///
    /// # Errors
    /// [`BadRewrite`] says what is wrong.
    pub fn new(template: &str, strip: &str, add: &str) -> Result<Self, BadRewrite> {
        let rest = template.strip_prefix(strip).ok_or(BadRewrite::Strip)?;
        let whole = rest.is_empty() || rest.starts_with('/');
        if strip.contains('{') || strip.ends_with('/') || !whole {
            return Err(BadRewrite::Strip);
        }
        let normal = |path: &str| normal_path(path).is_ok_and(|normal| normal == path);
        let plain = add.starts_with('/') && !add.ends_with('/') && !add.contains(['?', '#']);
        let good = add.is_empty() || (plain && normal(add));
        if !good {
            return Err(BadRewrite::Add);
        }
        Ok(Self { strip: strip.matches('/').count(), add: add.into() })
    }

    /// The target as it is sent. What is left of a path in normal form is one too, or nothing.
    pub(crate) fn apply<'t>(&self, target: &'t PathAndQuery) -> Cow<'t, PathAndQuery> {
        if self.strip == 0 && self.add.is_empty() {
            return Cow::Borrowed(target);
        }
        let path = target.path();
        let after = path.match_indices('/').nth(self.strip);
        let rest = after.and_then(|(at, _)| path.get(at..)).unwrap_or_default();
        let root = if self.add.is_empty() && rest.is_empty() { "/" } else { "" };
        let (mark, query) = target.query().map_or(("", ""), |query| ("?", query));
        let text = format!("{}{rest}{root}{mark}{query}", self.add);
        text.parse().map_or(Cow::Borrowed(target), Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::{BadRewrite, Rewrite};
    use crate::target::normal_path;

    #[test]
    fn prefixes_come_and_go() {
        for (template, strip, add, target, expected) in [
            ("/a/{id}", "", "", "/a/1?x=/..", "/a/1?x=/.."),
            ("/a/{id}", "/a", "", "/a/1?x=//", "/1?x=//"),
            ("/a/{id}", "", "/v1", "/a/1", "/v1/a/1"),
            ("/a/b/{rest...}", "/a/b", "/v1/c", "/a/b/d/e?", "/v1/c/d/e?"),
            ("/a/b/{rest...}", "/a", "/v1", "/a/b/", "/v1/b/"),
            ("/a", "/a", "", "/a", "/"),
            ("/a", "/a", "", "/a?x", "/?x"),
            ("/a", "/a", "/b", "/a?x", "/b?x"),
            ("/a/{rest...}", "/a", "", "/a/", "/"),
            ("/", "", "/b", "/", "/b/"),
            ("/a/b/{rest...}", "/a/b", "", "/A/b.%20/d", "/d"),
            ("/a/{rest...}", "/a", "", "/a", "/"),
        ] {
            let rewrite = Rewrite::new(template, strip, add).expect("good");
            let target = target.parse().expect("target");
            let sent = rewrite.apply(&target);
            assert_eq!(sent.as_str(), expected);
            assert_eq!(normal_path(sent.path()).expect("normal"), sent.path());
        }
    }

    #[test]
    fn what_could_have_two_meanings_is_refused() {
        for strip in ["/b", "/a/", "a", "/a/b/{id}", "/a/b/{", "/", "/a/bc", "/a/b/x"] {
            let fault = Rewrite::new("/a/b/{id}", strip, "").expect_err(strip);
            assert_eq!(fault, BadRewrite::Strip, "{strip}");
        }
        for add in ["v1", "/", "/v1/", "//", "/..", "/a/../b", "/%2e%2e", "/a//b", "/a?b", "/a b"] {
            let fault = Rewrite::new("/a", "", add).expect_err(add);
            assert_eq!(fault, BadRewrite::Add, "{add}");
        }
    }
}
