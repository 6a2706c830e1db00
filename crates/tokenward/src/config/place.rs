//! Places in the text of a configuration file, and the options that stand there.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
}

/// The place of the byte at this offset.
pub(crate) fn of_offset(text: &str, offset: usize) -> Place {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = text.get(..offset).unwrap_or_default();
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let begins = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before.get(begins..).unwrap_or_default().chars().count() + 1;
    Place { line, column }
}

/// The place of `gateway.route[2].upstream`, or of the nearest part of it that is in the text.
pub(crate) fn of_key(text: &str, key: &str) -> Option<Place> {
    let root = DeTable::parse(text).ok()?;
    let mut table = root.get_ref();
    let mut place = None;
    for part in key.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
            None => (part, None),
        };
        let Some((key, mut value)) = table.get_key_value(name) else { break };
        place = Some(of_offset(text, key.span().start));
        if let (Some(index), DeValue::Array(items)) = (index, value.get_ref()) {
            let Some(item) = items.get(index) else { break };
            place = Some(of_offset(text, item.span().start));
            value = item;
        }
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    place
}

/// The option that stands at an offset; `None` where there is none, or the text is no TOML.
pub(crate) fn key_at(text: &str, offset: usize) -> Option<String> {
    let root = DeTable::parse(text).ok()?;
    in_table(root.get_ref(), offset, "")
}

fn in_table(table: &DeTable<'_>, offset: usize, above: &str) -> Option<String> {
    table.iter().find_map(|(name, value)| {
        let joint = if above.is_empty() { "" } else { "." };
        let key = format!("{above}{joint}{}", name.get_ref());
        let inner = in_value(value, offset, &key);
        inner.or_else(|| name.span().contains(&offset).then_some(key))
    })
}

fn in_value(value: &Spanned<DeValue<'_>>, offset: usize, key: &str) -> Option<String> {
    let here = || value.span().contains(&offset).then(|| key.to_owned());
    match value.get_ref() {
        DeValue::Table(inner) => in_table(inner, offset, key).or_else(here),
        DeValue::Array(items) => {
            let item = |(position, item)| in_value(item, offset, &format!("{key}[{position}]"));
            items.iter().enumerate().find_map(item).or_else(here)
        }
        _ => here(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, key_at, of_key, of_offset};

    const TEXT: &str = "[a]\nb = 1\n[[a.route]]\npath = \"/\"\n[[a.route]]\n  path = [\"ä\", 5]\n";

    #[test]
    fn a_key_has_a_place() {
        for (key, line, column) in [
            ("a", 1, 2),
            ("a.b", 2, 1),
            ("a.route[1].path", 6, 3),
            ("a.route[1].nothing", 5, 1),
            ("a.route[7].path", 3, 5),
        ] {
            assert_eq!(of_key(TEXT, key), Some(Place { line, column }), "{key}");
        }
        assert_eq!(of_key(TEXT, "z"), None);
    }

    #[test]
    fn a_place_has_a_key() {
        for (what, key) in [
            ("b = 1", "a.b"),
            ("1\n", "a.b"),
            ("path = \"/", "a.route[0].path"),
            ("5]", "a.route[1].path[1]"),
        ] {
            let at = TEXT.find(what).expect(what);
            assert_eq!(key_at(TEXT, at).as_deref(), Some(key), "{what}");
        }
        assert_eq!(key_at("a = [", 4), None);
        let five = TEXT.find("5]").expect("five");
        assert_eq!(of_offset(TEXT, five), Place { line: 6, column: 16 });
    }
}
