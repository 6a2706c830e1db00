//! Template engines: the signs of an expression, and inside them something to compute or to reach.

use crate::class::xss::window;
use crate::finding::Class;
use crate::judge::{Suspicion, Value};

/// Openings with their ends.
const SIGNS: [(&str, &str); 13] = [
    ("%{", "}"),
    ("@{", "}"),
    ("{{", "}}"),
    ("${", "}"),
    ("#{", "}"),
    ("*{", "}"),
    ("<%", "%>"),
    ("{%", "%}"),
    ("[[", "]]"),
    ("@(", ")"),
    ("~[", "]"),
    ("{=", "}"),
    ("$(", ")"),
];
/// Names through which engines reach the machine.
const REACHES: &[&str] = &[
    "__class__",
    "__mro__",
    "__globals__",
    "__subclasses__",
    "__builtins__",
    "__import__",
    "__init__",
    "constructor",
    "popen",
    "system(",
    "exec(",
    "getclass",
    "forname",
    "getruntime",
    "runtime",
    "processbuilder",
    "request.application",
    "config.items",
    "config.__",
    "self.__",
    "lipsum",
    "cycler",
    "joiner",
    "_self",
    "registerundefinedfiltercallback",
    "getfilter",
    "app.request",
    "file_excerpt",
    "t(java",
    "java.lang",
    "freemarker.template",
    "?new()",
    "?eval",
    "_memberaccess",
    "#context",
    "ognl.",
    "process.mainmodule",
    "require(",
    "child_process",
    "global.process",
    "scriptengine",
    "os.environ",
    "settings.secret",
    "|attr(",
    "['__",
    "url_for.",
    "get_flashed_messages",
    "request.environ",
    "request|attr",
    "file.read",
    "file.open",
    "dir.entries",
    "`id`",
    "phpinfo",
    "eval(",
    "range.constructor",
    "debug()",
    "sleep(",
    "@print(",
    ".subclasses",
    ".class.",
    "touppercase()",
    "config.iteritems",
    "smarty.version",
    "|filter('",
    "|map('",
    "|sort('",
    "|reduce('",
    "__base__",
];
/// Names that are an attack when they are all that an expression has.
const LONE: [&str; 10] = [
    "config",
    "self",
    "settings",
    "request",
    "_self",
    "dump(app)",
    "debug",
    "this",
    "_self.env",
    "app",
];

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let escaped = value.lower.contains("$\\").then(|| unescaped(&value.lower));
    let text = escaped.as_deref().unwrap_or(&value.lower);
    let mut found = None;
    for (open, close) in SIGNS {
        for (at, _) in text.match_indices(open) {
            // Of openings in a row the last one has the expression.
            if text[at + open.len()..].starts_with(open) {
                continue;
            }
            let inner = window(&text[at + open.len()..], 512);
            let inner = inner.find(close).map_or(inner, |end| &inner[..end]);
            let inner = inner.trim_matches(|c: char| {
                c.is_whitespace() || c == '-' || c == '=' || c == '{' || c == '$'
            });
            found = Suspicion::stronger(found, expression(value, open, inner));
        }
    }
    let directive = [
        "<#assign",
        "[#assign",
        "{$smarty",
        "#set($",
        "#set ($",
        "{php}",
        "<#include",
        "#include(",
        "{literal}<",
        "{if system",
        "{system(",
    ];
    if directive.iter().any(|word| text.contains(word)) {
        let sure = REACHES.iter().any(|name| text.contains(name));
        let other = if sure {
            Suspicion::sure(Class::Template, "directive")
        } else {
            Suspicion::likely(Class::Template, "directive")
        };
        found = Suspicion::stronger(found, other);
    }
    found
}

/// `$\A{…}`: a letter that some engines take off between the signs.
fn unescaped(text: &str) -> String {
    let mut pieces = text.split("$\\");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push('$');
        let letters = piece.bytes().take_while(u8::is_ascii_alphabetic).count();
        out.push_str(if letters <= 1 { &piece[letters..] } else { piece });
    }
    out
}

fn expression(value: &Value<'_>, open: &str, inner: &str) -> Option<Suspicion> {
    if inner.is_empty() {
        return None;
    }
    let arithmetic = computes(inner);
    // A shell's `$(…)`, Thymeleaf's `*{…}` and a link's `[[…]]` are ordinary signs: only sums count.
    if matches!(open, "$(" | "@(" | "@{" | "[[" | "~[" | "{=" | "*{") {
        return if arithmetic && value.text.len() < 60 {
            Suspicion::working(Class::Template, "arithmetic")
        } else if open == "*{" && REACHES.iter().any(|name| inner.contains(name)) {
            Suspicion::working(Class::Template, "reach")
        } else {
            None
        };
    }
    if let Some(name) = REACHES.iter().find(|name| inner.contains(**name)) {
        let strong = name.starts_with("__")
            || matches!(
                *name,
                "t(java" | "popen" | "registerundefinedfiltercallback" | "?new()" | "getruntime"
            );
        let only = matches!(*name, "__globals__" | "__subclasses__" | "__mro__" | "__builtins__");
        return if strong && (only || !value.is_free()) {
            Suspicion::sure(Class::Template, "reach")
        } else {
            Suspicion::working(Class::Template, "reach")
        };
    }
    if arithmetic {
        return Suspicion::working(Class::Template, "arithmetic");
    }
    let whole = value.text.len() <= inner.len() + 12;
    if whole
        && open == "{{"
        && (LONE.contains(&inner) || inner.starts_with("config.") || inner.starts_with("settings."))
    {
        return Suspicion::likely(Class::Template, "lone_name");
    }
    if whole && open == "<%" && inner.starts_with(['`', '@']) {
        return Suspicion::working(Class::Template, "reach");
    }
    if whole
        && open == "{{"
        && (inner.contains("|join") || inner.contains(")|") && inner.contains('\''))
    {
        return Suspicion::likely(Class::Template, "filter");
    }
    None
}

/// Two constants and an operator between them: what a probe sends to see whether it is computed.
fn computes(inner: &str) -> bool {
    inner.match_indices(['*', '+', '-', '/']).any(|(at, _)| {
        let constant = |c: Option<char>| {
            c.is_some_and(|c| c.is_ascii_digit() || matches!(c, '\'' | '"' | ')'))
        };
        let left = inner[..at].trim_end();
        let right = inner[at + 1..].trim_start();
        let number = |text: &str| {
            text.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .next()
                .is_some_and(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()))
        };
        let leads = right.trim_start_matches(['\'', '"', '(']);
        (number(left) || left.ends_with(['\'', '"']) && inner[at..].starts_with('*'))
            && constant(left.chars().next_back())
            && leads.starts_with(|c: char| c.is_ascii_digit())
            && (inner[at..].starts_with('*') || inner.len() < 16)
            && !leads.starts_with("0-")
            && inner.matches('-').count() < 2
    })
}
