//! Script for a browser: elements, handlers and addresses that run, and quotes that lead to them.

use crate::class::xss_element::Element;
use crate::class::xss_script::script;
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
/// Addresses that run.
pub(crate) const SCHEMES: [&str; 5] =
    ["javascript:", "vbscript:", "data:text/html", "livescript:", "mocha:"];

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let text = value.lower.as_str();
    let acts = Acts::of(text);
    let mut found = address(value, text, &acts);
    // Of a row of them only the last can begin an element.
    let starts = text.match_indices('<').filter(|(at, _)| !text[at + 1..].starts_with('<'));
    for (at, _) in starts {
        found = Suspicion::stronger(found, Element::at(text, at, &acts).judge(value));
    }
    found = Suspicion::stronger(found, attribute(text, &acts));
    if found.is_none_or(|found| found.strength == Strength::Hint) {
        found = Suspicion::stronger(found, script(value, text));
    }
    if found.is_none()
        && text.contains(['<', '"', '\''])
        && text.contains("on") | text.contains('<')
        && value.text.len() < 1_024
        && !is_closed_markup(text)
        && fingerprinted(text)
    {
        return Suspicion::likely(Class::Xss, "fingerprint");
    }
    found
}

/// Whether it looks like a known injection; a document's type is another recogniser's.
fn fingerprinted(text: &str) -> bool {
    let text = text.replace("<!doctype", "");
    libinjectionrs::detect_xss(text.as_bytes()).is_injection()
}

/// Where in a text something acts, found once: questions about its parts cost nothing then.
pub(crate) struct Acts(Vec<usize>);

impl Acts {
    pub(crate) fn of(text: &str) -> Self {
        let mut found = Vec::new();
        // Most texts have none: asking is cheaper than searching for places.
        for act in ACTS.iter().filter(|act| text.contains(**act)) {
            let word = act.bytes().all(|b| b.is_ascii_alphabetic());
            let hits = text.match_indices(*act).map(|(at, _)| at);
            found.extend(hits.filter(|at| !word || called(window(&text[at + act.len()..], 64))));
        }
        found.sort_unstable();
        Self(found)
    }

    pub(crate) fn within(&self, from: usize, to: usize) -> bool {
        let next = self.0.partition_point(|at| *at < from);
        self.0.get(next).is_some_and(|at| *at < to)
    }

    pub(crate) fn after(&self, from: usize) -> bool {
        self.0.last().is_some_and(|at| *at >= from)
    }
}

/// The first bytes of a text.
pub(crate) fn window(text: &str, length: usize) -> &str {
    let end = (0..=length.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// Whether a name is called, in any of the ways of JavaScript.
pub(super) fn called(rest: &str) -> bool {
    let rest = rest
        .trim_start_matches([' ', '\t', '\n', '\r', ')', ']', '"', '\'', '/', '*', '?', '.', ',']);
    ["(", "`", "call", "apply", "bind", "&lpar;", "&#40", "\\x28", "\\u0028", ";throw"]
        .iter()
        .any(|sign| rest.starts_with(sign))
}

/// `javascript:…` in place of an address.
fn address(value: &Value<'_>, text: &str, acts: &Acts) -> Option<Suspicion> {
    if links_to_script(text, acts) || refers_to_script(text, acts) {
        return Suspicion::working(Class::Xss, "script_link");
    }
    let squeezed: String = text.chars().filter(|c| !c.is_control()).take(64).collect();
    let start = squeezed.trim_start_matches([' ', '"', '\'', '(', '>']);
    let scheme = SCHEMES.iter().find(|scheme| start.starts_with(**scheme))?;
    let rest = &start[scheme.len()..];
    if does_nothing(rest) {
        return None;
    }
    if acts.after(scheme.len())
        || rest.starts_with("//")
        || rest.starts_with(",<")
        || *scheme == "data:text/html"
    {
        return Suspicion::sure(Class::Xss, "script_address");
    }
    (!rest.starts_with(' ') && !rest.is_empty() && !value.is_free()).then_some(())?;
    Suspicion::likely(Class::Xss, "script_address")
}

/// `[a](javascript:…)`: a link of Markdown that acts.
fn links_to_script(text: &str, acts: &Acts) -> bool {
    text.match_indices("](").any(|(at, sign)| {
        let target = window(&text[at + sign.len()..], 256);
        let squeezed: String =
            target.chars().filter(|c| !c.is_control() && !matches!(c, ' ' | '<')).collect();
        SCHEMES.iter().any(|scheme| squeezed.starts_with(scheme))
            && (acts.after(at) || squeezed.contains("base64,"))
    })
}

/// `[a]: javascript:…` on a line, and `href='javascript:…'` in code: an address that acts where a link gets its own.
fn refers_to_script(text: &str, acts: &Acts) -> bool {
    SCHEMES.iter().any(|scheme| {
        text.match_indices(*scheme).any(|(at, _)| {
            let before = text[..at].trim_end_matches([' ', '<']);
            let refers = before.ends_with("]:")
                && before
                    .rfind('[')
                    .is_some_and(|open| text[..open].is_empty() || text[..open].ends_with('\n'));
            let given = before.ends_with("href='") || before.ends_with("href=\"");
            (refers || given) && acts.within(at, at + 64)
        })
    })
}

/// `javascript:void(0);`: how pages say that a link leads nowhere.
fn does_nothing(script: &str) -> bool {
    let script = script.replace("%3b", ";");
    let rest = script.trim_start_matches("void").trim_matches([' ', '(', ')', '0', ';']);
    script.starts_with("void") && rest.is_empty() || script == ";" || script.is_empty()
}

/// `" onfocus=…`: a quote that ends an attribute and begins another.
fn attribute(text: &str, acts: &Acts) -> Option<Suspicion> {
    let mut found = None;
    for (at, _) in text.match_indices("on") {
        let before = text[..at].trim_end_matches(|c: char| c.is_whitespace() || c == '/');
        let breaks = before.is_empty() || before.ends_with(['"', '\'', '`', '>', '=']);
        let letters = text[at + 2..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let rest = text[at + 2 + letters..].trim_start();
        if !breaks || letters < 3 || !rest.starts_with('=') {
            continue;
        }
        let runs = acts.after(text.len() - rest.len());
        let odd = before.bytes().filter(|b| matches!(b, b'"' | b'\'')).count() % 2 == 1;
        found = Suspicion::stronger(
            found,
            match (runs, odd) {
                (true, true) => Suspicion::sure(Class::Xss, "attribute"),
                (true, false) => Suspicion::likely(Class::Xss, "attribute"),
                (false, false)
                    if before.is_empty()
                        && is_event(&text[at + 2..])
                        && window(rest, 64).contains('(') =>
                {
                    Suspicion::likely(Class::Xss, "attribute")
                }
                (false, true)
                    if window(rest, 64).contains('(') && text[..at].ends_with(['"', '\'', ' ']) =>
                {
                    Suspicion::likely(Class::Xss, "attribute")
                }
                (false, _) => Suspicion::hint(Class::Xss, "attribute"),
            },
        );
    }
    found
}

/// Whether letters begin the name of an event of a page.
fn is_event(letters: &str) -> bool {
    let events = [
        "load",
        "error",
        "focus",
        "blur",
        "mouse",
        "click",
        "pointer",
        "key",
        "toggle",
        "animation",
        "transition",
        "input",
        "change",
        "scroll",
        "wheel",
        "drag",
        "copy",
        "cut",
        "paste",
        "begin",
        "show",
        "play",
        "can",
        "start",
        "end",
        "touch",
        "submit",
        "select",
        "resize",
    ];
    events.iter().any(|event| letters.starts_with(event))
}

/// Whether every element is closed: then the elements were seen one by one already.
fn is_closed_markup(text: &str) -> bool {
    let opens = text.matches('<').count();
    opens > 0 && opens == text.matches('>').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_act_are_told_from_those_that_are_told_of() {
        let refers = |text: &str| refers_to_script(text, &Acts::of(text));
        assert!(
            refers("[a][b]\n\n[b]: javascript:alert(1)") && refers("a.href='javascript:alert(1)'")
        );
        for text in [
            "[b]: https://a.example",
            "note [b]: javascript:alert(1)",
            "[b]: javascript: a language",
        ] {
            assert!(!refers(text), "{text}");
        }
    }
}
