//! GraphQL documents: the grammar is no injection; the texts in them are values.

use crate::finding::{Place, Stop};
use crate::judge::Position;
use crate::walk::Walk;

const OPENINGS: [&str; 4] = ["query", "mutation", "subscription", "fragment"];

/// A piece that the grammar has (GraphQL §2.1).
enum Piece<'d> {
    Close,
    /// Not of the grammar.
    Foreign,
    Name,
    Open,
    Other,
    Text(&'d str),
}

/// Whether a text begins as a document and is one, piece by piece.
pub(crate) fn is_document(text: &str) -> bool {
    let start = text.trim_start();
    let named = OPENINGS.iter().any(|word| {
        start.strip_prefix(word).is_some_and(|rest| rest.starts_with([' ', '{', '(', '\n', '@']))
    });
    let selects = |rest: &str| {
        let rest = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '#'))
            || rest.starts_with("...")
    };
    let bare = start.strip_prefix('{').is_some_and(selects);
    if !named && !bare {
        return false;
    }
    let (mut rest, mut open, mut seen) = (text, 0_usize, false);
    while let Some((piece, after)) = next(rest) {
        match piece {
            Piece::Foreign => return false,
            Piece::Open => (open, seen) = (open + 1, true),
            Piece::Close => open = open.saturating_sub(1),
            _ => {}
        }
        rest = after;
    }
    seen && open == 0
}

/// Judges the texts of a document.
pub(crate) fn walk(
    walk: &Walk<'_>,
    text: &str,
    position: Position,
    place: impl Fn() -> Place,
) -> Result<(), Stop> {
    let (mut rest, mut depth) = (text, 0_usize);
    while let Some((piece, after)) = next(rest) {
        match piece {
            Piece::Open => {
                depth += 1;
                walk.depth(depth)?;
            }
            Piece::Close => depth = depth.saturating_sub(1),
            Piece::Name => walk.count()?,
            Piece::Text(text) => {
                let quoted = format!("\"{text}\"");
                let read =
                    serde_json::from_str::<String>(&quoted).unwrap_or_else(|_| text.to_owned());
                walk.value(&read, position, &place)?;
            }
            Piece::Foreign => return walk.value(text, position, place),
            Piece::Other => {}
        }
        rest = after;
    }
    Ok(())
}

fn next(text: &str) -> Option<(Piece<'_>, &str)> {
    let text = text.trim_start_matches([' ', '\t', '\r', '\n', ',', '\u{FEFF}']);
    let first = text.chars().next()?;
    let (piece, length) = match first {
        '#' => (Piece::Other, text.find('\n').unwrap_or(text.len())),
        '"' => return Some(string(text)),
        '{' => (Piece::Open, 1),
        '}' => (Piece::Close, 1),
        '(' | ')' | '[' | ']' | ':' | '=' | '!' | '$' | '@' | '&' | '|' => (Piece::Other, 1),
        '.' if text.starts_with("...") => (Piece::Other, 3),
        '-' | '0'..='9' => (
            Piece::Other,
            text[1..]
                .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '+' | '-'))
                .map_or(text.len(), |end| end + 1),
        ),
        'a'..='z' | 'A'..='Z' | '_' => (
            Piece::Name,
            text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len()),
        ),
        _ => (Piece::Foreign, first.len_utf8()),
    };
    Some((piece, &text[length..]))
}

fn string(text: &str) -> (Piece<'_>, &str) {
    if let Some(body) = text.strip_prefix("\"\"\"") {
        return match body.find("\"\"\"") {
            Some(end) => (Piece::Text(&body[..end]), &body[end + 3..]),
            None => (Piece::Foreign, ""),
        };
    }
    let body = &text[1..];
    let mut escaped = false;
    let end = body.find(|c| {
        let ends = (c == '"' && !escaped) || c == '\n';
        escaped = c == '\\' && !escaped;
        ends
    });
    match end {
        Some(end) if body[end..].starts_with('"') => (Piece::Text(&body[..end]), &body[end + 1..]),
        _ => (Piece::Foreign, ""),
    }
}
