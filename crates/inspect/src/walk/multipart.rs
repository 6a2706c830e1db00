//! Forms in parts (RFC 7578): names, file names, short values, and the text in files.

use crate::class::{code, xxe};
use crate::finding::{Class, Finding, Place, Stop};
use crate::judge::Position;
use crate::limits::Excess;
use crate::walk::{Walk, json};

/// One part: what its header says, and its bytes.
struct Part<'p> {
    name: String,
    file: Option<String>,
    kind: String,
    body: &'p [u8],
}

/// Judges the parts between boundaries.
pub(crate) fn walk(walk: &Walk<'_>, content_type: &str, body: &[u8]) -> Result<(), Stop> {
    let Some(boundary) = parameter(content_type, "boundary").filter(|text| !text.is_empty()) else {
        let text = String::from_utf8_lossy(body);
        return walk.value(&text, Position::Field, || Place::Body);
    };
    let line = format!("--{boundary}");
    let mut rest = body;
    let mut parts = 0;
    while let Some(start) = find(rest, line.as_bytes()) {
        let after = &rest[start + line.len()..];
        if after.starts_with(b"--") {
            break;
        }
        parts += 1;
        if parts > walk.limits.parts {
            return Err(Stop::Excess(Excess::Parts));
        }
        let end = find(after, line.as_bytes()).unwrap_or(after.len());
        part(walk, &read(&after[..end]))?;
        rest = &after[end..];
    }
    if parts == 0 {
        let text = String::from_utf8_lossy(body);
        return walk.value(&text, Position::File, || Place::Body);
    }
    Ok(())
}

fn read(bytes: &[u8]) -> Part<'_> {
    let (head, body) =
        split(bytes, b"\r\n\r\n").or_else(|| split(bytes, b"\n\n")).unwrap_or((bytes, b""));
    let head = String::from_utf8_lossy(head);
    let mut part = Part { name: String::new(), file: None, kind: String::new(), body: trim(body) };
    for line in head.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.trim().eq_ignore_ascii_case("content-disposition") {
            part.name = parameter(value, "name").unwrap_or_default();
            part.file = parameter(value, "filename").or_else(|| parameter(value, "filename*"));
        } else if name.trim().eq_ignore_ascii_case("content-type") {
            part.kind = value.trim().to_ascii_lowercase();
        }
    }
    part
}

fn part(walk: &Walk<'_>, part: &Part<'_>) -> Result<(), Stop> {
    let place = || Place::BodyMember(part.name.clone());
    walk.name(&part.name, Position::Field, place)?;
    if let Some(file) = &part.file {
        // A file name is used as a path.
        walk.value(file, Position::Query, place)?;
    }
    let Ok(text) = std::str::from_utf8(part.body) else { return walk.count() };
    let json = part.kind.contains("json") || json::looks_like(text);
    if json && json::nested(walk, text, Position::Field, &place)? {
        return Ok(());
    }
    if let Some(suspicion) = text
        .trim_start()
        .starts_with('<')
        .then(|| xxe::document(&text.to_ascii_lowercase()))
        .flatten()
    {
        let (class, rule) = (suspicion.class, suspicion.rule);
        return Err(Stop::Found(Finding { class, place: place(), rule }));
    }
    if part.file.is_some() && is_program(part, text) {
        let finding = Finding { class: Class::Command, place: place(), rule: "program_file" };
        return Err(Stop::Found(finding));
    }
    let position = if part.file.is_some() { Position::File } else { Position::Field };
    walk.value(text, position, place)
}

/// Whether a file is a program that a web server would run: it calls what only an attacker's program calls,
/// or is said to be a picture.
fn is_program(part: &Part<'_>, text: &str) -> bool {
    let start =
        text.trim_start().trim_start_matches("GIF89a").trim_start_matches([';', '\r', '\n']);
    let begins = ["<?php", "<?=", "<%", "<jsp:"].iter().any(|sign| start.starts_with(sign));
    begins && (part.kind.starts_with("image/") || code::acts(&text.to_ascii_lowercase()))
}

/// A parameter of a field's value, quoted or not.
fn parameter(value: &str, name: &str) -> Option<String> {
    let lower = value.to_ascii_lowercase();
    for (at, _) in lower.match_indices(name) {
        let Some(rest) =
            value.get(at + name.len()..).and_then(|rest| rest.trim_start().strip_prefix('='))
        else {
            continue;
        };
        if !value[..at].ends_with([';', ' ', '\t']) {
            continue;
        }
        let rest = rest.trim_start();
        let Some(quoted) = rest.strip_prefix('"') else {
            return Some(
                rest.split([';', '\r', '\n']).next().unwrap_or_default().trim().to_owned(),
            );
        };
        let mut text = String::new();
        let mut escaped = false;
        for read in quoted.chars() {
            match read {
                '"' if !escaped => break,
                '\\' if !escaped => escaped = true,
                _ => {
                    text.extend((escaped && read != '"').then_some('\\'));
                    text.push(read);
                    escaped = false;
                }
            }
        }
        return Some(text);
    }
    None
}

fn split<'b>(bytes: &'b [u8], sign: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = find(bytes, sign)?;
    Some((&bytes[..at], &bytes[at + sign.len()..]))
}

fn find(bytes: &[u8], sign: &[u8]) -> Option<usize> {
    bytes.windows(sign.len()).position(|window| window == sign)
}

/// The line's end before a boundary belongs to the boundary (RFC 2046 §5.1.1).
fn trim(body: &[u8]) -> &[u8] {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    body.strip_suffix(b"\r").unwrap_or(body)
}
