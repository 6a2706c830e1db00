//! What was found, and where; never the payload itself.

use std::fmt;

use crate::limits::Excess;

/// The kinds of injection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// A command for the operating system's shell.
    Command,
    /// A filter of a directory.
    Ldap,
    /// A lookup of a logging library, such as JNDI.
    Lookup,
    /// An operator of a document database.
    NoSql,
    /// A name that leads to the object that all objects of JavaScript share.
    Prototype,
    /// A line break that begins a header or a protocol's command.
    Splitting,
    /// SQL.
    Sql,
    /// A URL that leads the server to an inner address.
    Ssrf,
    /// An expression of a template engine.
    Template,
    /// A path that leaves its folder.
    Traversal,
    /// An XPath expression.
    XPath,
    /// Script for a browser.
    Xss,
    /// A document type or an inclusion that makes an XML parser fetch.
    Xxe,
}

/// Where in the request. The text form tells a name only where it is an ordinary one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The body as a whole.
    Body,
    /// A member, by its path, such as `$.a.b[2]`.
    BodyMember(String),
    /// A cookie.
    Cookie(String),
    /// A header.
    Header(String),
    /// A segment of the path, from 1.
    Path(usize),
    /// A parameter of the query.
    Query(String),
}

/// What an inspection came to that did not end clean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// More than the limits allow.
    Excess(Excess),
    /// An injection.
    Found(Finding),
}

/// An injection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of which kind.
    pub class: Class,
    /// Where.
    pub place: Place,
    /// The rule that knew it, by its stable name.
    pub rule: &'static str,
}

// === impl Class ===

impl Class {
    /// Every class.
    pub const ALL: [Self; 13] = [
        Self::Command,
        Self::Ldap,
        Self::Lookup,
        Self::NoSql,
        Self::Prototype,
        Self::Splitting,
        Self::Sql,
        Self::Ssrf,
        Self::Template,
        Self::Traversal,
        Self::XPath,
        Self::Xss,
        Self::Xxe,
    ];

    /// The word that events carry after `injection:`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Ldap => "ldap",
            Self::Lookup => "lookup",
            Self::NoSql => "nosql",
            Self::Prototype => "prototype",
            Self::Splitting => "splitting",
            Self::Sql => "sqli",
            Self::Ssrf => "ssrf",
            Self::Template => "template",
            Self::Traversal => "traversal",
            Self::XPath => "xpath",
            Self::Xss => "xss",
            Self::Xxe => "xxe",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Place ===

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, name) = match self {
            Self::Body => return f.write_str("body"),
            Self::Path(position) => return write!(f, "path segment {position}"),
            Self::BodyMember(path) => ("body", path),
            Self::Cookie(name) => ("cookie", name),
            Self::Header(name) => ("header", name),
            Self::Query(name) => ("query", name),
        };
        if is_ordinary(name) {
            write!(f, "{what} {name}")
        } else {
            write!(f, "{what} (a name left out)")
        }
    }
}

/// Names come from the sender: one that could be a payload is not repeated.
fn is_ordinary(name: &str) -> bool {
    let fits =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'[' | b']' | b'$');
    !name.is_empty() && name.len() <= 128 && name.bytes().all(fits) && !name.contains("..")
}

// === impl Finding ===

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) in {}", self.class, self.rule, self.place)
    }
}

// === impl Stop ===

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Excess(excess) => excess.fmt(f),
            Self::Found(finding) => finding.fmt(f),
        }
    }
}
