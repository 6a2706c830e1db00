//! XML: its document type is judged first, then every text and attribute.

use crate::class::xxe;
use crate::decode;
use crate::disguise;
use crate::finding::{Finding, Place, Stop};
use crate::judge::Position;
use crate::walk::Walk;

/// Judges a document.
pub(crate) fn walk(walk: &Walk<'_>, text: &str, place: impl Fn() -> Place) -> Result<(), Stop> {
    let unwrapped = disguise::utf7(text);
    let text = unwrapped.as_deref().unwrap_or(text);
    let lower = text.to_ascii_lowercase();
    if let Some(suspicion) = xxe::document(&lower).or_else(|| xxe::doctype(&lower)) {
        let (class, rule) = (suspicion.class, suspicion.rule);
        return Err(Stop::Found(Finding { class, place: place(), rule }));
    }
    let mut rest = text;
    let mut depth = 0_usize;
    while !rest.is_empty() {
        let (before, tag) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        if !before.trim().is_empty() {
            value(walk, before, &place)?;
        }
        if let Some(body) = tag.strip_prefix("<![CDATA[") {
            let (inside, after) = body.split_once("]]>").unwrap_or((body, ""));
            walk.value(inside, Position::Field, &place)?;
            rest = after;
            continue;
        }
        if let Some(body) = tag.strip_prefix("<!--") {
            let (inside, after) = body.split_once("-->").unwrap_or((body, ""));
            walk.value(inside, Position::Field, &place)?;
            rest = after;
            continue;
        }
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (element, after) = tag.split_at(end);
        depth = if element.starts_with("</") || element.starts_with("<?") {
            depth.saturating_sub(usize::from(element.starts_with("</")))
        } else {
            depth + usize::from(!element.ends_with("/>") && !element.is_empty())
        };
        walk.depth(depth)?;
        attributes(walk, element, &place)?;
        scripted(walk, tag, element, &place)?;
        rest = after;
    }
    Ok(())
}

/// A text as the document's reader has it.
fn value(walk: &Walk<'_>, text: &str, place: &impl Fn() -> Place) -> Result<(), Stop> {
    let read = decode::entities(text);
    walk.value(read.as_deref().unwrap_or(text), Position::Field, place)
}

fn attributes(walk: &Walk<'_>, element: &str, place: &impl Fn() -> Place) -> Result<(), Stop> {
    let mut rest = element;
    while let Some(start) = rest.find(['"', '\'']) {
        let sign = if rest[start..].starts_with('"') { '"' } else { '\'' };
        let body = &rest[start + 1..];
        let (value, after) = body.split_once(sign).unwrap_or((body, ""));
        // Names of namespaces are addresses that nobody asks.
        if !rest[..start].contains("xmlns") {
            self::value(walk, value, place)?;
        }
        rest = after;
    }
    Ok(())
}

/// An element of script, which is markup of a page and not of a message.
fn scripted(
    walk: &Walk<'_>,
    tag: &str,
    element: &str,
    place: &impl Fn() -> Place,
) -> Result<(), Stop> {
    let lower = element.to_ascii_lowercase();
    if lower.starts_with("<script") || lower.contains(" on") && lower.contains('=') {
        let end = tag.char_indices().map(|(at, _)| at).find(|at| *at >= 512).unwrap_or(tag.len());
        return walk.value(&tag[..end], Position::Field, place);
    }
    Ok(())
}
