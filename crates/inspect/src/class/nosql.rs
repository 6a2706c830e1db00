//! Operators of document databases, as a key or smuggled into a value, and JavaScript for `$where`.

use crate::finding::Class;
use crate::judge::{Suspicion, Value};

/// Operators that turn a value into a question. Those of updates and of OData are ordinary names.
const OPERATORS: [&str; 43] = [
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$eq",
    "$or",
    "$and",
    "$nor",
    "$not",
    "$where",
    "$regex",
    "$exists",
    "$type",
    "$expr",
    "$elemmatch",
    "$jsonschema",
    "$function",
    "$accumulator",
    "$mod",
    "$all",
    "$size",
    "$natural",
    // Stages that read other collections, or write them.
    "$lookup",
    "$graphlookup",
    "$unionwith",
    "$out",
    "$merge",
    "$facet",
    "$match",
    "$project",
    "$group",
    "$unwind",
    "$currentop",
    "$indexstats",
    "$text",
    "$meta",
    "$near",
    "$nearsphere",
    "$geowithin",
    "$geointersects",
];

/// A name of a member, or of a parameter such as `user[$ne]`.
pub(crate) fn key(name: &str) -> Option<Suspicion> {
    if !name.contains('$') {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let last = lower.rsplit(['[', '.']).find(|part| part.starts_with('$')).unwrap_or(&lower);
    let last = last.trim_end_matches(']');
    // Alone it is a member of its own in metadata, and in objects that say what they are.
    let own = lower == "$type";
    (!own && OPERATORS.contains(&last)).then_some(())?;
    Suspicion::sure(Class::NoSql, "operator_key")
}

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let text = value.lower.as_str();
    if text.contains('$') && names_operator(text) {
        return Suspicion::working(Class::NoSql, "operator_text");
    }
    if let Some(found) = beside_name(text) {
        return Some(found);
    }
    let breaks = text
        .trim_start()
        .starts_with(|c: char| matches!(c, '\'' | '"' | ';' | '|' | '}' | '0'..='9' | '/'))
        || text.contains("';")
        || text.contains("'|")
        || !text.matches('\'').count().is_multiple_of(2)
            && (text.contains("' |") || text.contains("' &"));
    let script = [
        "this.",
        "return true",
        "return false",
        "return 1",
        "return(true",
        "return '",
        "return \"",
        "new date",
        "sleep(",
        "while(",
        "while(1",
        "process.",
        "db.get",
        "tojson(",
        "emit(",
    ];
    if breaks
        && script.iter().any(|word| begins_word(text, word))
        && text.contains([';', '|', '&', '='])
    {
        return Suspicion::likely(Class::NoSql, "script");
    }
    if text.trim_start().starts_with("db.") || text.contains(";db.") || text.contains("; db.") {
        let acts = [
            ".insert(",
            ".find(",
            ".drop(",
            ".remove(",
            ".update(",
            ".getcollection",
            ".dropdatabase",
            ".stores.",
            ".mapreduce",
            ".deletemany",
            ".aggregate(",
        ];
        if acts.iter().any(|act| text.contains(act)) {
            return Suspicion::likely(Class::NoSql, "database_call");
        }
    }
    if joins_object(text) || (returns(text) || is_predicate(text)) && !value.is_free() {
        return Suspicion::likely(Class::NoSql, "script");
    }
    tautology(text)
}

/// `1'||this`, `a && !this.b`: after one word and its quote the object that a condition in JavaScript is about.
fn joins_object(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@');
    let rest = text.trim_start().trim_start_matches(word).trim_start_matches(['\'', '"', ')', ' ']);
    let Some(rest) = rest.strip_prefix("||").or_else(|| rest.strip_prefix("&&")) else {
        return false;
    };
    let object = rest.trim_start_matches([' ', '!', '(']).strip_prefix("this");
    object.is_some_and(|rest| {
        rest.is_empty() || rest.starts_with(['.', '[', '\'', '"', ')', ';', '/'])
    })
}

/// `a'; return this.b != 'c`, `1; return db.a.find()`: a value, the end of its statement, and an expression that
/// is given back. A word alone is none: parcels are returned too.
fn returns(text: &str) -> bool {
    text.match_indices("return").any(|(at, word)| {
        let Some(value) = text[..at].trim_end().strip_suffix(';') else { return false };
        let rest = text[at + word.len()..].trim_start();
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
        let named = rest.trim_start_matches(name);
        let called =
            named.len() < rest.len() && named.starts_with(['.', '(', '[', '=', '!', '<', '>', ';']);
        let constant = rest.starts_with(['\'', '"', '!']) || rest.starts_with("1") && !called;
        !value.trim().contains(' ') && (called || constant)
    })
}

/// `function(){return true}`: a function of nothing, which a database would call for each of its documents.
fn is_predicate(text: &str) -> bool {
    let Some(rest) = text.trim().strip_prefix("function") else { return false };
    let body = rest.trim_start().strip_prefix('(').map(str::trim_start);
    let body = body.and_then(|rest| rest.strip_prefix(')')?.trim_start().strip_prefix('{'));
    let Some(body) = body.and_then(|rest| rest.trim_end().strip_suffix('}')) else { return false };
    let given = body.trim().trim_end_matches(';').strip_prefix("return").map(str::trim);
    let constant = |text: &str| {
        matches!(text.trim_matches(['(', ')', ' ', '!']), "true" | "false" | "0" | "1")
    };
    given.is_some_and(constant) || begins_word(body, "this.") || begins_word(body, "sleep(")
}

/// `[$nin][]`, the end of a parameter's name where the name is made of the value; `'}, {$set: …`, an object that
/// is closed and another put behind it, or what is known of it is replaced by a pattern.
fn beside_name(text: &str) -> Option<Suspicion> {
    let bracket = text.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']'));
    if bracket.is_some_and(|(name, _)| OPERATORS.contains(&name)) {
        return Suspicion::working(Class::NoSql, "operator_text");
    }
    let closed = text.trim_start_matches(['\'', '"', ' ']).starts_with(['}', ']']);
    let put = ["$set", "$inc", "$push", "$unset", "$rename", "$comment", "$where"];
    (closed && (put.iter().any(|name| text.contains(name)) || opens_pattern(text))).then_some(())?;
    Suspicion::likely(Class::NoSql, "operator_text")
}

/// `}, { password : /.*/ }`: behind what was closed an object whose first member is a regular expression.
fn opens_pattern(text: &str) -> bool {
    let rest = text.trim_start_matches(['\'', '"', '}', ']', ' ']);
    let Some(object) = rest.strip_prefix(',').and_then(|rest| rest.trim_start().strip_prefix('{'))
    else {
        return false;
    };
    object.split_once(':').is_some_and(|(_, value)| value.trim_start().starts_with('/'))
}

/// Whether `word` is there and is no end of a longer one.
fn begins_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()))
}

/// `"$ne":`, `$where:` and `{$gt:` in a text.
fn names_operator(text: &str) -> bool {
    text.match_indices('$').any(|(at, _)| {
        let rest = &text[at..];
        let length = rest[1..].bytes().take_while(u8::is_ascii_alphabetic).count() + 1;
        let after = rest[length..].trim_start_matches(['"', '\'', ' ', ']']);
        let before = text[..at].trim_end_matches(['"', '\'', ' ']);
        OPERATORS.contains(&&rest[..length])
            && after.starts_with([':', '='])
            && (before.is_empty() || before.ends_with(['{', ',', '[', '\'', '"', '}']))
    })
}

/// `' || 'a'=='a` and `'; return 'a'=='a`: equality as JavaScript has it, after a quote.
fn tautology(text: &str) -> Option<Suspicion> {
    // A value that is one word up to its quote; code has words before.
    let head = text.split(['\'', '"']).next().unwrap_or_default();
    if head.contains([' ', '(', '=']) {
        return None;
    }
    let quoted = |joint: &str| {
        text.split_once(joint)
            .is_some_and(|(_, rest)| rest.contains("==") || rest.starts_with("1)"))
    };
    let joints = ["'||", "' ||", "\"||", "\" ||", "'&&", "' &&", "\"&&", "\" &&"];
    if joints.iter().any(|joint| quoted(joint)) {
        return Suspicion::likely(Class::NoSql, "script_equality");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_in_javascript_are_told_from_words() {
        for text in ["1'||this", "a' && !this.b.match(/c/)//", "1||this", "x\" || this[\"a\"]"] {
            assert!(joins_object(text), "{text}");
        }
        for text in ["a||this is it", "left && thistle", "this || that", "one two || this"] {
            assert!(!joins_object(text), "{text}");
        }
        for text in
            ["a'; return db.a.find(); var b='", "1; return this.a != 'b'", "'; return '' == '"]
        {
            assert!(returns(text), "{text}");
        }
        for text in [
            "size 10; return to sender",
            "10;return",
            "Too small; return label: 4711",
            "return x.y",
        ] {
            assert!(!returns(text), "{text}");
        }
    }

    #[test]
    fn functions_of_nothing_are_told_from_those_that_format() {
        for text in ["function(){return true}", "function () { return this.a == 1 }"] {
            assert!(is_predicate(text), "{text}");
        }
        for text in [
            "function(x){return true}",
            "function () { return value.toFixed(2); }",
            "function(){}",
            "functional",
        ] {
            assert!(!is_predicate(text), "{text}");
        }
    }

    #[test]
    fn stages_are_told_from_names_of_others() {
        assert!(key("$group").is_some() && key("a[$project]").is_some() && key("$match").is_some());
        for name in ["$group_0", "$groups", "$set", "$select", "$ref", "$metadata", "match"] {
            assert!(key(name).is_none(), "{name}");
        }
    }

    #[test]
    fn objects_that_are_closed_are_told_from_lists() {
        assert!(opens_pattern("}, { password : /.*/ }") && opens_pattern("'}],{a:/b/"));
        assert!(!opens_pattern("}, { a: 1 }") && !opens_pattern("a: /b/"));
        assert!(key("filter[$unionWith]").is_some() && key("$lookup").is_some());
        assert!(key("$filter").is_none() && key("$search").is_none() && key("$allowed").is_none());
    }
}
