//! Names that lead from an object to what all objects share, its prototype or the globals of its program: whoever
//! may set a member there sets it for every request.

use crate::finding::Class;
use crate::judge::{Suspicion, Value};
use crate::mark::{self, Marks};

/// The member by which an object is known to its prototype.
const DIRECT: &str = "__proto__";
/// The same of Python, of functions and classes.
const GLOBALS: [&str; 4] = ["__builtins__", "__globals__", "__mro__", "__subclasses__"];
/// The member by which a bean of Java leads to the loader of its class.
const LOADER: &str = "classLoader";
/// The two members that lead to the same, one after the other.
const STEPS: [&str; 2] = ["constructor", "prototype"];

/// A name of a member or a parameter: `__proto__`, `a[__proto__][b]`, `constructor.prototype.b`.
pub(crate) fn key(name: &str, marks: Marks) -> Option<Suspicion> {
    // Nearly every name begins otherwise, and has one step.
    let leads = is_direct(name)
        || name.len() == LOADER.len() && name == LOADER
        || marks.any(mark::DOT | mark::BRACKET) && is_led(name);
    leads.then_some(())?;
    Suspicion::sure(Class::Prototype, "prototype_key")
}

fn is_direct(step: &str) -> bool {
    step.starts_with("__")
        && (step == DIRECT
            || GLOBALS.contains(&step)
            // `__pro__proto__to__`: what is left when a filter took the name out once.
            || step.len() > DIRECT.len()
                && step.contains(DIRECT)
                && step.replacen(DIRECT, "", 1) == DIRECT)
}

/// `class.classLoader`, `class.module.classLoader`: from a bean of Java to the loader of its classes.
fn loads_classes(outer: &str, inner: &str) -> bool {
    inner.eq_ignore_ascii_case(LOADER) && matches!(outer, "class" | "module")
}

/// Whether a member of this name in one of that name is the prototype.
pub(crate) fn is_pair(outer: &str, inner: &str) -> bool {
    inner == STEPS[1] && outer == STEPS[0]
}

/// Whether a value without signs is worth a look.
pub(crate) fn is_plain_path(text: &str, marks: Marks) -> bool {
    if text.len() < DIRECT.len() {
        return false;
    }
    let leads =
        || ["__", "constructor.prototype", ".classLoader"].iter().any(|name| text.contains(name));
    text.starts_with("__") || marks.any(mark::DOT) && leads()
}

/// A value that is a path as setters take it: `/__proto__/admin`, `constructor.prototype.a`. In code both are
/// talk, so nothing but steps may stand there.
pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let text = value.text.trim();
    let is_path = text.bytes().all(|b| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'_' | b'.' | b'/' | b'[' | b']' | b'"' | b'\'' | b'-' | b'$' | b'=')
    });
    if is_path && is_led(text) {
        return Suspicion::likely(Class::Prototype, "prototype_path");
    }
    names_member(text).then_some(())?;
    Suspicion::working(Class::Prototype, "prototype_text")
}

/// `{"__proto__": …`, `"constructor": {"prototype": …`: an object that a text holds in some encoding.
fn names_member(text: &str) -> bool {
    let opens = |before: &str| before.trim_end().ends_with(['{', ',']);
    // What stands behind a name in quotes and a colon.
    let inside =
        |rest: &'_ str| Some(rest.strip_prefix('"')?.trim_start().strip_prefix(':')?.len());
    let named = |name: &str| {
        text.match_indices(name).find_map(|(at, _)| {
            let quoted = text[..at].strip_suffix('"').is_some_and(opens);
            let left = inside(&text[at + name.len()..]).filter(|_| quoted)?;
            Some(&text[text.len() - left..])
        })
    };
    let pair = || {
        let members = named(STEPS[0])?.trim_start().strip_prefix('{')?.trim_start();
        members.strip_prefix('"')?.strip_prefix(STEPS[1])
    };
    text.contains('{') && (named(DIRECT).is_some() || pair().is_some())
}

/// Whether one of the steps of a path is to the prototype; `Array.prototype.constructor` leads the other way.
fn is_led(path: &str) -> bool {
    let steps = path.split(['.', '/', '[', ']', '"', '\'', '=']).filter(|step| !step.is_empty());
    let mut last = "";
    for step in steps {
        if is_direct(step) || is_pair(last, step) || loads_classes(last, step) {
            return true;
        }
        last = step;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_key(name: &str) -> bool {
        key(name, Marks::of(name)).is_some()
    }

    #[test]
    fn names_that_lead_to_the_prototype_are_found() {
        let names = [
            "__proto__",
            "__proto__[admin]",
            "user[__proto__][admin]",
            "a.__proto__.b",
            "constructor[prototype][x]",
            "a.constructor.prototype.x",
            "a['__proto__']",
            "__class__.__init__.__globals__.secret",
            "__pro__proto__to__",
            "__pro__proto__to__[a]",
            "classLoader",
            "class.module.classLoader.resources",
            "user[class][classLoader][x]",
        ];
        for name in names {
            assert!(is_key(name), "{name}");
        }
        let honest = [
            "proto",
            "protocol",
            "__typename",
            "constructor",
            "prototype",
            "prototype.constructor",
            "a.prototype",
            "constructor.id",
            "team[constructor][name]",
            "__proto",
            "__a__proto__b__",
            "classLoaderName",
            "my__proto__col",
            "__class__",
            "class.name",
            "module.class",
        ];
        for text in ["{\"a\": 1, \"__proto__\": {}}", "{\"constructor\": {\"prototype\": 1}}"] {
            assert!(names_member(text), "{text}");
        }
        for text in
            ["{\"constructor\": {\"id\": 1}}", "{name: \"__proto__\"}", "x.__proto__ = {a: 1}"]
        {
            assert!(!names_member(text), "{text}");
        }
        for name in honest {
            assert!(!is_key(name), "{name}");
        }
    }
}
