//! Script for a browser: elements, handlers and addresses that run, and quotes that lead to them.

use crate::finding::Class;
use crate::judge::{Strength, Suspicion, Value};

/// Calls and names that do something, or show that something could be done.
const ACTS: [&str; 33] = [
    "alert",
    "confirm",
    "prompt",
    "eval",
    "document.cookie",
    "document.domain",
    "document.write",
    "document.location",
    "string.fromcharcode",
    "window.location",
    "settimeout(",
    "setinterval(",
    "import(",
    "xmlhttprequest",
    "execscript",
    "msgbox",
    "location=",
    "location.href",
    "location.hash",
    "top[",
    "self[",
    "window[",
    "this[",
    "localstorage",
    "atob(",
    "fetch(",
    "constructor(",
    ".constructor",
    "window.name",
    "console.log",
    "print()",
    "throw",
    "innerhtml",
];
/// Elements that are nothing but a danger in a value.
const ELEMENTS: [&str; 17] = [
    "script", "iframe", "object", "embed", "applet", "base", "meta", "frameset", "frame",
    "isindex", "bgsound", "layer", "link", "xml", "import", "portal", "xss",
];
const SCHEMES: [&str; 4] = ["javascript:", "vbscript:", "data:text/html", "livescript:"];

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let text = value.lower.as_str();
    let mut found = address(value, text);
    for (at, _) in text.match_indices('<') {
        found = Suspicion::stronger(found, element(value, text, at));
    }
    found = Suspicion::stronger(found, attribute(text));
    if found.is_none() {
        found = script(value, text);
    }
    if found.is_none()
        && text.contains(['<', '"', '\''])
        && text.contains("on") | text.contains('<')
        && value.text.len() < 1_024
        && !is_closed_markup(text)
        && libinjectionrs::detect_xss(value.text.as_bytes()).is_injection()
    {
        return Suspicion::likely(Class::Xss, "fingerprint");
    }
    found
}

fn acts(text: &str) -> bool {
    ACTS.iter().any(|act| {
        text.match_indices(act).any(|(at, _)| {
            let word = act.bytes().all(|b| b.is_ascii_alphabetic());
            !word || called(&text[at + act.len()..])
        })
    })
}

/// Whether a name is called, in any of the ways of JavaScript.
fn called(rest: &str) -> bool {
    let rest = rest
        .trim_start_matches([' ', '\t', '\n', '\r', ')', ']', '"', '\'', '/', '*', '?', '.', ',']);
    ["(", "`", "call", "apply", "bind", "&lpar;", "&#40", "\\x28", "\\u0028", ";throw"]
        .iter()
        .any(|sign| rest.starts_with(sign))
}

/// `javascript:…` in place of an address.
fn address(value: &Value<'_>, text: &str) -> Option<Suspicion> {
    let squeezed: String = text.chars().filter(|c| !c.is_control()).take(64).collect();
    let start = squeezed.trim_start_matches([' ', '"', '\'', '(', '>']);
    let scheme = SCHEMES.iter().find(|scheme| start.starts_with(**scheme))?;
    let rest = &start[scheme.len()..];
    if acts(text) || rest.starts_with("//") || rest.starts_with(",<") || *scheme == "data:text/html"
    {
        return Suspicion::sure(Class::Xss, "script_address");
    }
    (!rest.starts_with(' ') && !rest.is_empty() && !value.is_free()).then_some(())?;
    Suspicion::likely(Class::Xss, "script_address")
}

/// One element: its name, its handlers, its addresses.
fn element(value: &Value<'_>, text: &str, at: usize) -> Option<Suspicion> {
    let rest = text[at + 1..].trim_start_matches(['/', '\0', ' ', '\t', '<', '%', '\\']);
    let name = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && c != ':' && c != '-')
        .unwrap_or(rest.len());
    let (name, rest) = rest.split_at(name);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return comment(rest);
    }
    let open = text[at + 1..]
        .starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '\0' | '<' | '\\'));
    let end = rest.find('>').unwrap_or(rest.len());
    let inside = &rest[..end];
    let shown = text[..at].ends_with('`');
    let local = name.rsplit(':').next().unwrap_or(name);
    if local == "script"
        && open
        && (rest.is_empty() || rest.starts_with(|c: char| !c.is_ascii_alphanumeric()))
    {
        let strength = if acts(rest) && !shown { Strength::Sure } else { Strength::Likely };
        return Some(Suspicion { class: Class::Xss, rule: "script_element", strength });
    }
    if let Some(suspicion) = handler(inside, shown) {
        return Some(suspicion);
    }
    let squeezed: String = inside.chars().filter(|c| !c.is_control() && *c != ' ').collect();
    if SCHEMES.iter().any(|scheme| squeezed.contains(scheme)) && squeezed.contains('=') {
        return if shown { None } else { Suspicion::sure(Class::Xss, "script_address") };
    }
    if ELEMENTS.contains(&local) && open && end <= rest.len() && !text[at + 1..].starts_with('/') {
        let benign =
            local == "link" && !inside.contains("stylesheet") && !inside.contains("import")
                || local == "meta"
                    && !(inside.contains("http-equiv")
                        && (inside.contains("refresh") || inside.contains("cookie")))
                || matches!(
                    local,
                    "base"
                        | "object"
                        | "link"
                        | "frame"
                        | "layer"
                        | "import"
                        | "meta"
                        | "xml"
                        | "portal"
                ) && !inside.contains('=');
        let active = inside.contains("srcdoc") && acts(rest);
        return match (active, benign) {
            (true, _) => Suspicion::sure(Class::Xss, "element"),
            (false, false) => Suspicion::likely(Class::Xss, "element"),
            (false, true) => Suspicion::hint(Class::Xss, "element"),
        };
    }
    let style = inside.contains("style=")
        && (inside.contains("expression")
            || inside.contains("-moz-binding")
            || inside.contains("behavior:"));
    if (style
        || local == "style"
            && (rest.contains("@import")
                || rest.contains("expression")
                || rest.contains("-moz-binding")))
        && !value.is_free()
    {
        return Suspicion::likely(Class::Xss, "style");
    }
    None
}

/// Conditional comments and CDATA of old browsers.
fn comment(rest: &str) -> Option<Suspicion> {
    if rest.starts_with("!--[if") && acts(rest) || rest.starts_with("![cdata[") && acts(rest) {
        return Suspicion::likely(Class::Xss, "comment");
    }
    None
}

/// `onerror=…` among the attributes.
fn handler(inside: &str, shown: bool) -> Option<Suspicion> {
    for (at, _) in inside.match_indices("on") {
        let separated = inside[..at]
            .ends_with(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-' && c != '.');
        let letters = inside[at + 2..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let value = inside[at + 2 + letters..]
            .trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
        if separated && letters >= 3 && value.starts_with('=') {
            return match acts(value) && !shown {
                true => Suspicion::sure(Class::Xss, "handler"),
                false => Suspicion::likely(Class::Xss, "handler"),
            };
        }
    }
    None
}

/// `" onfocus=…`: a quote that ends an attribute and begins another.
fn attribute(text: &str) -> Option<Suspicion> {
    let mut found = None;
    for (at, _) in text.match_indices("on") {
        let before = text[..at].trim_end_matches(|c: char| c.is_whitespace() || c == '/');
        let breaks = before.is_empty() || before.ends_with(['"', '\'', '`', '>', '=']);
        let letters = text[at + 2..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let rest = text[at + 2 + letters..].trim_start();
        if !breaks || letters < 3 || !rest.starts_with('=') {
            continue;
        }
        let runs = acts(rest);
        let odd = before.matches(['"', '\'']).count() % 2 == 1;
        found = Suspicion::stronger(
            found,
            match (runs, odd) {
                (true, true) => Suspicion::sure(Class::Xss, "attribute"),
                (true, false) => Suspicion::likely(Class::Xss, "attribute"),
                (false, true) if rest.contains('(') && text[..at].ends_with(['"', '\'', ' ']) => {
                    Suspicion::likely(Class::Xss, "attribute")
                }
                (false, _) => Suspicion::hint(Class::Xss, "attribute"),
            },
        );
    }
    found
}

/// `';alert(1)//`, `-confirm(1)-`, `alert.call(null,1)`: script where a text was expected.
fn script(value: &Value<'_>, text: &str) -> Option<Suspicion> {
    let names = ["alert", "confirm", "prompt", "eval"];
    let calls = names.iter().any(|name| {
        text.match_indices(name).any(|(at, _)| {
            let start = text[..at].trim_end_matches([
                ' ', '(', '[', '!', '+', '-', '~', '/', '*', '\t', '\n', '{', '"', '\'',
            ]);
            let breaks = start.is_empty()
                || start.ends_with([
                    ';', '\'', '"', ')', '}', ',', '=', ':', '|', '&', '?', '\\', '`', '>',
                ])
                || start.len() < at && text[..at].ends_with(['-', '+', '*', '(', '[', '\'', '"']);
            let direct = text[at + name.len()..].trim_start();
            breaks
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
    ];
    let reach = reaches.iter().any(|name| text.contains(name));
    if (calls || reach) && !value.is_free() {
        return Suspicion::likely(Class::Xss, "script");
    }
    None
}

/// Whether every element is closed: then the elements were seen one by one already.
fn is_closed_markup(text: &str) -> bool {
    let opens = text.matches('<').count();
    opens > 0 && opens == text.matches('>').count()
}
