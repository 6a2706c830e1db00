//! `multipart/form-data` (RFC 7578), taken apart strictly: what two readers could read in two ways is refused.

use inspect::{Excess, Limits};

use crate::violation::Broken;

/// One part.
pub(crate) struct Part<'b> {
    pub(crate) name: String,
    /// Whether it has a file name.
    pub(crate) is_file: bool,
    /// Its media type, if it says one.
    pub(crate) kind: Option<String>,
    pub(crate) body: &'b [u8],
}

/// The parts of a body.
pub(crate) fn parts<'b>(
    content_type: &str,
    body: &'b [u8],
    limits: &Limits,
) -> Result<Vec<Part<'b>>, Broken> {
    let malformed = || Broken::rule("body", "is no multipart body as its Content-Type says");
    let boundary = parameter(content_type, "boundary").filter(|text| !text.is_empty());
    let line = format!("--{}", boundary.ok_or_else(malformed)?);
    let mut rest = body.strip_prefix(line.as_bytes()).ok_or_else(malformed)?;
    let line = format!("\r\n{line}");
    let mut parts = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            return if matches!(end, b"" | b"\r\n") { Ok(parts) } else { Err(malformed()) };
        }
        if parts.len() >= limits.parts {
            return Err(Broken::Excess(Excess::Parts));
        }
        let part = rest.strip_prefix(b"\r\n").ok_or_else(malformed)?;
        let end = find(part, line.as_bytes()).ok_or_else(malformed)?;
        let (whole, after) = part.split_at(end);
        parts.push(read(whole).ok_or_else(malformed)?);
        rest = after.get(line.len()..).unwrap_or_default();
    }
}

fn read(whole: &[u8]) -> Option<Part<'_>> {
    let end = find(whole, b"\r\n\r\n")?;
    let head = std::str::from_utf8(whole.get(..end)?).ok()?;
    let body = whole.get(end + 4..)?;
    let (mut name, mut is_file, mut kind) = (None, false, None);
    for field in head.split("\r\n") {
        let (field, value) = field.split_once(':')?;
        if field.eq_ignore_ascii_case("content-disposition") {
            if name.is_some() || !value.trim_start().starts_with("form-data") {
                return None;
            }
            name = parameter(value, "name");
            is_file = parameter(value, "filename").or(parameter(value, "filename*")).is_some();
        } else if field.eq_ignore_ascii_case("content-type") {
            kind = Some(value.trim().to_ascii_lowercase());
        }
    }
    Some(Part { name: name?, is_file, kind, body })
}

/// A parameter of a field's value (RFC 9110 §5.6.6).
pub(crate) fn parameter(value: &str, wanted: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (text, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted_text(quoted)?,
            None => {
                let (text, next) = after.split_once(';').unwrap_or((after, ""));
                (text.trim().to_owned(), next)
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(text);
        }
        rest = next;
    }
}

/// A quoted text, and what comes after it and its `;`.
fn quoted_text(text: &str) -> Option<(String, &str)> {
    let mut read = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => {
                let after = text.get(at + 1..)?.trim_start();
                return Some((read, after.strip_prefix(';').unwrap_or(after)));
            }
            '\\' if !escaped => escaped = true,
            _ => {
                read.push(c);
                escaped = false;
            }
        }
    }
    None
}

fn find(bytes: &[u8], sign: &[u8]) -> Option<usize> {
    bytes.windows(sign.len()).position(|window| window == sign)
}
