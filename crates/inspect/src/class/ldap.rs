//! LDAP filters (RFC 4515): a parenthesis that ends the filter around and begins another.

use crate::finding::Class;
use crate::judge::{Suspicion, Value};

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let text: String = value.lower.chars().filter(|c| !c.is_whitespace()).collect();
    if extensible(&text) {
        return Suspicion::likely(Class::Ldap, "matching_rule");
    }
    // A probe: nothing but the signs of a filter.
    let probe = text.len() < 16 && text.contains('*') && text.contains(['(', ')', '|', '&']);
    if probe && text.bytes().all(|b| b"*()|&!=%'\\/@".contains(&b)) {
        return Suspicion::likely(Class::Ldap, "probe");
    }
    if !text.contains(['(', ')']) {
        return None;
    }
    if is_whole(&text) {
        return Suspicion::hint(Class::Ldap, "filter");
    }
    for (at, _) in text.match_indices(")(") {
        if begins_filter(&text[at + 1..]) && !value.is_free() {
            return Suspicion::likely(Class::Ldap, "filter_break");
        }
    }
    for pattern in ["*)(", "*(|(", "*(&(", "*))(", ")(|", ")(&", ")(!", "(|(", "(&(", "(!("] {
        let Some(at) = text.find(pattern) else { continue };
        let open = at + pattern.rfind('(').unwrap_or(0);
        let whole = text.starts_with('(') && at == 0;
        if begins_filter(&text[open..])
            || (pattern.ends_with(['|', '&', '!']) && ends(&text[open + 2..]))
        {
            return if whole || pattern.starts_with(['*', ')']) {
                Suspicion::working(Class::Ldap, "filter")
            } else {
                Suspicion::hint(Class::Ldap, "filter")
            };
        }
    }
    if closes_and_negates(&text) && !value.is_free() {
        return Suspicion::likely(Class::Ldap, "filter_break");
    }
    if opens_behind(&text) && !value.is_free() {
        return Suspicion::likely(Class::Ldap, "filter_break");
    }
    let bare = text.trim_end_matches(['\0', '%', '0']);
    let closes = bare.ends_with("*)") || bare.ends_with("*))") || bare.ends_with("*)))");
    if (closes && !bare.contains('(') && bare.len() < 40) || bare == "*)(&" {
        return Suspicion::likely(Class::Ldap, "filter_close");
    }
    None
}

/// `*)!(sn=*`, `x)|(mail=*`: one word, the end of its filter, a sign, and another one that does not end.
fn closes_and_negates(text: &str) -> bool {
    let Some((word, rest)) = text.split_once(')') else { return false };
    let signed = rest.strip_prefix(['!', '|', '&']);
    signed.is_some_and(|filter| {
        begins_filter(filter) && filter.starts_with('(') && !filter.contains(')')
    }) && !word.contains('(')
}

/// `admin)(*`, `x)(|(*`: one word, the end of its filter, and what begins another that does not end.
fn opens_behind(text: &str) -> bool {
    let Some((word, rest)) = text.split_once(")(") else { return false };
    !word.is_empty()
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'@'))
        && rest.starts_with(['*', '|', '&', '!'])
        && rest.bytes().all(|b| b"*()|&!".contains(&b))
}

/// A filter from its first sign to its last, that asks for nothing odd.
fn is_whole(text: &str) -> bool {
    let mut depth = 0_i32;
    for (at, byte) in text.bytes().enumerate() {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        if depth <= 0 && at + 1 < text.len() {
            return false;
        }
    }
    let odd = ["password", "=*)", "(1=", "(0=", "|(|"];
    depth == 0 && text.starts_with('(') && !odd.iter().any(|sign| text.contains(sign))
}

/// `(attribute=`, or `(&(`, `(|(` and `(!(` before one.
fn begins_filter(text: &str) -> bool {
    let mut rest = text;
    for _ in 0..4 {
        let Some(next) = rest.strip_prefix('(') else { break };
        rest = next.trim_start_matches(['&', '|', '!']);
    }
    if rest.is_empty() && text.len() > 2 {
        return true;
    }
    let name = rest
        .bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b';' | b'.' | b':'));
    let name = name.count();
    let after = &rest[name..];
    let compares = after.starts_with('=') && !after.starts_with("==") && !after.starts_with("=>");
    name >= 1
        && (compares
            || after.starts_with("~=")
            || after.starts_with(">=")
            || after.starts_with("<="))
}

fn ends(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(')')
}

/// `attribute:1.2.840:=`: a matching rule named by its number.
fn extensible(text: &str) -> bool {
    text.match_indices(":=").any(|(at, _)| {
        let oid = text[..at].rsplit(':').next().unwrap_or_default();
        oid.contains('.')
            && oid.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && at > oid.len() + 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_that_are_left_open_are_found() {
        assert!(closes_and_negates("*)!(sn=*") && closes_and_negates("x)|(mail=*"));
        for text in ["admin)(*", "x)(|(*", "a.b)(&"] {
            assert!(opens_behind(text), "{text}");
        }
        for text in ["f(x)(*", "a)(b", ")(*", "(1)(2)", "a)(*b", "smile :)(: *"] {
            assert!(!opens_behind(text), "{text}");
        }
        for text in ["f(x)|(y=1)", "a)!(b)", "(a)|(b=c)", "x)(y=z"] {
            assert!(!closes_and_negates(text), "{text}");
        }
    }
}
