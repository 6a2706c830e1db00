//! Script where a text was expected: a call behind what ends the text, whatever way it is put together.

use crate::class::xss::{called, window};
use crate::finding::Class;
use crate::judge::{Suspicion, Value};

/// `';alert(1)//`, `-confirm(1)-`, `alert.call(null,1)`: script where a text was expected.
pub(super) fn script(value: &Value<'_>, text: &str) -> Option<Suspicion> {
    let names = ["alert", "confirm", "prompt", "eval"];
    let calls = names.iter().any(|name| called_of_window(text, name))
        || names.iter().any(|name| {
            text.match_indices(name).any(|(at, _)| {
                let start = text[..at].trim_end_matches([
                    ' ', '(', '[', '!', '+', '-', '~', '/', '*', '\t', '\n', '{', '"', '\'',
                ]);
                let breaks = start.is_empty()
                    || start.ends_with([
                        ';', '\'', '"', ')', '}', ',', '=', ':', '|', '&', '?', '\\', '`', '>', '$',
                    ])
                    || start.len() < at
                        && text[..at].ends_with(['-', '+', '*', '(', '[', '\'', '"']);
                let direct = text[at + name.len()..].trim_start();
                // Whole statements before it are a piece of code, not a value that was ended.
                let code = start.starts_with(|c: char| c.is_ascii_alphabetic())
                    && [") ", ");"].iter().any(|end| start.contains(end));
                breaks
                    && !code
                    && (called(&text[at + name.len()..])
                        && !direct.starts_with(|c: char| c.is_ascii_alphabetic()))
            })
        });
    let reaches = [
        "document.cookie",
        "document.domain",
        "constructor.constructor",
        "document.location=",
        "document['",
        "window['",
        "string.fromcharcode(",
        "self['",
        "top['",
        "[]['",
        "[][\"",
        "onerror=",
        "top[\"",
        "top[/",
        "self[\"",
        "self[/",
        "window[\"",
        "window[/",
        "parent['",
        "parent[\"",
        "frames['",
        "globalthis[",
        "find(alert",
        "map(alert",
        "document[\"cookie",
        "document.body.",
        "![]+",
        "!![]+",
    ];
    let begins = ["import('", "import(\"", "fetch('//", "fetch('http", "new function`"];
    let imports = begins.iter().any(|call| text.starts_with(call));
    let reach = reaches.iter().any(|name| text.contains(name))
        || imports
        || assembled(text)
        || names.iter().any(|name| handed(text, name) || renamed(text, name));
    if (calls || reach || ends_string(text) || adds_policy(text)) && !value.is_free() {
        return Suspicion::likely(Class::Xss, "script");
    }
    None
}

/// `top["al"+"ert"](1)`, `this[/al/.source+/ert/.source](1)`: a name that is put together, and called.
fn assembled(text: &str) -> bool {
    let globals = ["top", "window", "self", "this", "parent", "frames", "globalthis", "document"];
    globals.iter().any(|name| {
        text.match_indices(name).any(|(at, _)| {
            let rest = text[at + name.len()..].trim_start_matches(['?', '.', ' ']);
            let inside = if rest.starts_with('[') { window(rest, 160) } else { "" };
            let called = ["](", "]`", "]?.("].iter().any(|end| inside.contains(end));
            let put = inside.contains('+') || inside.contains("/*");
            called && put && inside.contains(['"', '\'', '`', '/'])
        })
    })
}

/// `[1].map(alert)`, `.with(0,confirm)`: a function handed to one that calls it.
fn handed(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].trim_end();
        if before.ends_with(".apply(") && text[at + name.len()..].starts_with(',') {
            return true;
        }
        before.ends_with(['(', ','])
            && before.as_bytes()[before.len().saturating_sub(64)..]
                .windows(2)
                .any(|pair| pair == b"].")
            && text[at + name.len()..].trim_start().starts_with([')', ','])
    })
}

/// `a=eval;b=alert;a(b(1))`: a function under another name, and that called.
fn renamed(text: &str, function: &str) -> bool {
    text.match_indices(function).any(|(at, _)| {
        let rest = text[at + function.len()..].trim_start();
        let Some(before) = text[..at].trim_end().strip_suffix('=') else { return false };
        let before = before.trim_end();
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
        let name = &before[before.trim_end_matches(is_name).len()..];
        let called =
            || rest.match_indices(name).any(|(at, _)| rest[at + name.len()..].starts_with('('));
        rest.starts_with([';', ',']) && !name.is_empty() && called()
    })
}

/// `x";setTimeout(name, 1)//`: one word and its quote, then calls, and the rest of the line made a comment.
fn ends_string(text: &str) -> bool {
    let Some(code) = text.trim_end().strip_suffix("//") else { return false };
    let Some((word, code)) = code.split_once(['\'', '"']) else { return false };
    let code = code.trim_start_matches([')', '}', ']', ' ']);
    let Some(call) = code.strip_prefix([';', '-', '+', ',']) else { return false };
    let call = call.trim_start();
    let name = call
        .trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$'));
    let ended = call.trim_end().trim_end_matches(';').ends_with([')', '`']);
    name.len() < call.len() && name.starts_with(['(', '`']) && ended && !word.contains(' ')
}

/// `window.alert(1)`, `parent.confirm`1``: a function of the window, where a value begins.
fn called_of_window(text: &str, name: &str) -> bool {
    let rest = text.trim_start();
    let Some((object, call)) = rest.split_once('.') else { return false };
    let window = matches!(object, "window" | "self" | "top" | "parent" | "globalthis" | "frames");
    let call = call.strip_prefix(name);
    window && call.is_some_and(|rest| rest.trim_start().starts_with(['(', '`']))
}

/// `a.png; script-src *`: a place, and behind it a directive of the policy that it is put into (CSP 3, §6.1).
fn adds_policy(text: &str) -> bool {
    let Some((place, rest)) = text.trim_start().split_once(';') else { return false };
    place.contains(['.', '/'])
        && !place.contains(' ')
        && rest
            .trim_start()
            .strip_prefix("script-src")
            .is_some_and(|rest| rest.starts_with([' ', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_policies_are_told_from_names() {
        assert!(
            called_of_window("window.alert(1)", "alert")
                && called_of_window("top.confirm`1`", "confirm")
        );
        for text in ["app.alert(1)", "window.alerts(1)", "see window.alert(1)", "window.alert"] {
            assert!(!called_of_window(text, "alert"), "{text}");
        }
        assert!(
            adds_policy("a.png; script-src *")
                && adds_policy("https://a.example;script-src-elem 'self'")
        );
        for text in
            ["default-src 'self'; script-src *", "a.png; style", "script-src *", "a.b; script-srcs"]
        {
            assert!(!adds_policy(text), "{text}");
        }
    }
}
