//! XPath: a quote or a bracket broken out of, then an axis or a function of the language.

use crate::finding::Class;
use crate::judge::{Position, Suspicion, Value};

/// Functions and axes that no other language spells so.
const WORDS: [&str; 20] = [
    "doc-available(",
    "position()",
    "last()",
    "node()",
    "text()",
    "true()",
    "name(/",
    "name(.",
    "name(parent",
    "name()",
    "count(/",
    "count(//",
    "count(parent",
    "count(child",
    "string-length(",
    "substring(/",
    "starts-with(",
    "contains(",
    "doc(",
    "string(",
];
const AXES: [&str; 8] = [
    "parent::",
    "child::",
    "ancestor::",
    "ancestor-or-self::",
    "descendant::",
    "following-sibling::",
    "self::node",
    "attribute::",
];

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let text = value.lower.as_str();
    let breaks = text.contains(['\'', '"', ']', ')']);
    if AXES.iter().any(|axis| text.contains(axis)) && (breaks || text.contains('/')) {
        return Suspicion::likely(Class::XPath, "axis");
    }
    let joined = joins(text);
    let paths = ["or //", "and //", "or /", "and /", "or(/", "and(/"];
    if breaks && joined && paths.iter().any(|path| text.contains(path)) && text.contains('[') {
        return Suspicion::working(Class::XPath, "path_condition");
    }
    let asks =
        |word: &str| text.split_once(word).is_some_and(|(_, rest)| rest.starts_with(['/', '.']));
    let questions =
        ["substring(", "contains(", "starts-with(", "count(", "name(", "doc-available("];
    if questions.iter().any(|word| asks(word)) && text.contains(['[', '*']) && !value.is_free() {
        return Suspicion::likely(Class::XPath, "question");
    }
    let function = WORDS.iter().any(|word| text.contains(word));
    if function && breaks && joined && !is_filter(text) {
        return Suspicion::likely(Class::XPath, "function");
    }
    for union in ["]|", "] |", "')|", "') |", "'|/", "' | /", "|//", "| //", "*|/", "* | /"] {
        if text.split_once(union).is_some_and(|(_, rest)| {
            let rest = rest.trim_start();
            rest.starts_with(['/', '*', '@', '.']) || union.ends_with('/')
        }) {
            return Suspicion::likely(Class::XPath, "union");
        }
    }
    let told = value.position == Position::Field && is_locator(text.trim());
    if text.trim_start().starts_with("//") && is_path(text.trim()) && !told {
        return Suspicion::likely(Class::XPath, "path");
    }
    None
}

/// `contains(name,'a') or startswith(b,'c')`: a whole condition on members, as OData has it (Part 2, 5.1.1.5), from
/// its first call to the last quote and parenthesis.
fn is_filter(text: &str) -> bool {
    let Some((name, rest)) = text.trim().split_once('(') else { return false };
    let called = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic());
    let mut depth = 1_i32;
    let whole = rest.bytes().all(|byte| {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        depth >= 0
    });
    called
        && whole
        && depth == 0
        && rest.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.matches('\'').count().is_multiple_of(2)
        && text.matches('"').count().is_multiple_of(2)
        && !["//", "::", "()", "@", "|"].iter().any(|sign| text.contains(sign))
}

fn joins(text: &str) -> bool {
    text.match_indices("or").chain(text.match_indices("and")).any(|(at, word)| {
        let before = text[..at].trim_end();
        let after = text[at + word.len()..].trim_start_matches([' ', '\t', '+', '(']);
        let free = text[..at].ends_with([' ', '\'', '"', ')', ']', '+', '\t']);
        free && before.ends_with(|c: char| matches!(c, '\'' | '"' | ']' | ')' | '0'..='9'))
            && (after.len() < text.len() - at - word.len()
                || after.starts_with(['\'', '"', '/', '*']))
    }) || text.contains("][")
        || text.contains("']")
        || text.contains("|")
}

/// `//*[@id="menu"]/li[2]`: where an element of a page is, as tools that record clicks say it.
fn is_locator(text: &str) -> bool {
    let (quotes, plain) = (text.matches('"').count(), !text.contains(['|', '\'', '(']));
    plain && text.contains("[@") && quotes > 0 && quotes.is_multiple_of(2)
}

/// `//user/*`, `//*[@id=1]`: a location with a step of its own.
fn is_path(text: &str) -> bool {
    let rest = text.trim_start_matches('/');
    let odd = text.contains("[@")
        || text.contains("/@")
        || text.contains("//*")
        || text.contains("/*[")
        || rest == "*"
        || text.contains("/text()")
        || text.contains("[position")
        || text.ends_with("/*");
    odd && !text.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_an_api_are_told_from_what_breaks_out() {
        for text in [
            "contains(name,'a') or startswith(tolower(b),'c')",
            "contains(a,\"b\") and c eq 1",
            "contains(name,'O''Brien') or d eq 2",
        ] {
            assert!(is_filter(text), "{text}");
        }
        for text in [
            "' or contains(.,'a') or '",
            "contains(.,'a') or 'b'",
            "contains(a,'b') or name()='c'",
            "contains(a,'b')] | //user[contains(a,'b'",
            "contains(a,'b') or 'x",
        ] {
            assert!(!is_filter(text), "{text}");
        }
    }
}
