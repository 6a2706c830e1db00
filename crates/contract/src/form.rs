//! Names and values of queries, forms and paths: percent-encoding with one meaning only.

use std::borrow::Cow;

/// A name, read, and its value as it came.
pub(crate) type Pair<'t> = (Cow<'t, str>, &'t str);

/// The pairs of a query or a form (`application/x-www-form-urlencoded`); `None` when a name cannot be read.
pub(crate) fn pairs(text: &str) -> Option<Vec<Pair<'_>>> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Some((spaced(name)?, value))
        })
        .collect()
}

/// A value of a query or a form: `+` is a space.
pub(crate) fn spaced(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return decoded(text);
    }
    let text = text.replace('+', " ");
    decoded(&text).map(|read| Cow::Owned(read.into_owned()))
}

/// Percent-encoding taken off; `None` when it is none, or not UTF-8 behind it.
pub(crate) fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let mut read = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            read.push(byte);
            at += 1;
            continue;
        }
        let [high, low] = bytes.get(at + 1..at + 3)? else { return None };
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        read.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
        at += 3;
    }
    String::from_utf8(read).ok().map(Cow::Owned)
}
