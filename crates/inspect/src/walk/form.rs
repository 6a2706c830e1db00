//! Query strings and forms (`application/x-www-form-urlencoded`).

use crate::class::{command, overlong};
use crate::decode;
use crate::finding::{Class, Place, Stop};
use crate::judge::{Position, Suspicion};
use crate::walk::{Walk, graphql, json};

/// Judges each name and value; `place` makes the place of a parameter.
pub(crate) fn walk(
    walk: &Walk<'_>,
    text: &str,
    position: Position,
    place: fn(String) -> Place,
) -> Result<(), Stop> {
    let mut torn = false;
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (raw_name, raw) = pair.split_once('=').unwrap_or(("", pair));
        torn |= raw_name.is_empty() && raw.len() < pair.len()
            || !pair.contains('=')
            || raw_name.starts_with(['(', ')', '\'', '"']);
        let name = decode::form(raw_name);
        walk.name(&name, position, || place(name.to_string()))?;
        // Decoding makes of overlong forms what they hide, and hides that they were there.
        if overlong(&raw.to_ascii_lowercase()) {
            walk.value(raw, position, || place(name.to_string()))?;
        }
        let value = decode::form(raw);
        // A payload of its own with an equals sign in it has no name.
        if !raw_name.is_empty() && is_cut(&name) {
            walk.value(&decode::form(pair), position, || place(String::new()))?;
        }
        member(walk, &name, &value, position, place)?;
    }
    // An `&` of the payload's own tears it apart: once more in one piece.
    if torn && text.contains(['&', '?']) {
        let whole = decode::form(text);
        let value = whole.split_once('=').map_or(&*whole, |(_, value)| value);
        return walk.value(value, position, || place(String::new()));
    }
    Ok(())
}

/// Whether a name is the first part of something that was no parameter.
fn is_cut(name: &str) -> bool {
    name.starts_with("on")
        || name.bytes().any(|byte| {
            matches!(byte, b'\'' | b'"' | b'<' | b'(' | b'{' | b';' | b'|' | b'&' | b'$' | b' ')
        })
}

fn member(
    walk: &Walk<'_>,
    name: &str,
    value: &str,
    position: Position,
    place: fn(String) -> Place,
) -> Result<(), Stop> {
    let at = || place(name.to_owned());
    if graphql::is_document(value) {
        return graphql::walk(walk, value, position, at);
    }
    if json::looks_like(value) && json::nested(walk, value, position, &at)? {
        return Ok(());
    }
    if is_for_commands(name) && command::is_command_line(value) {
        let suspicion = Suspicion::likely(Class::Command, "command_parameter");
        suspicion.map_or(Ok(()), |found| walk.judge.stands(value, found, position, &at))?;
    }
    walk.address(name, value, position, at)?;
    walk.value(value, position, at)
}

fn is_for_commands(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.ends_with("cmd") || lower.ends_with("command") || matches!(&*lower, "exec" | "execute")
}
