//! Values as a careless reader would read them: encodings taken off, layer by layer, with a bound.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use crate::disguise;
use crate::mark::{self, Marks};

/// Layers of encoding that are taken off: deeper ones no known server takes off either.
const LAYERS: usize = 3;
/// Base64 beyond this is a file, not a value.
const LONGEST_BASE64: usize = 8 * 1024;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
pub(crate) const LENIENT_BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The further readings of `text`, outermost first; none where it is what it seems.
pub(crate) fn readings(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for _ in 0..LAYERS {
        let last = found.last().map_or(text, String::as_str);
        let Some(next) = layer(last) else { break };
        found.push(next);
    }
    found
}

fn layer(text: &str) -> Option<String> {
    let marks = Marks::of(text);
    if !marks.any(mark::PERCENT | mark::AMPERSAND | mark::BACKSLASH | mark::HIGH | mark::CONTROL) {
        return None;
    }
    let mut read = Cow::Borrowed(text);
    if marks.any(mark::PERCENT) {
        replace(&mut read, percent);
        replace(&mut read, disguise::stray_percents);
    }
    if marks.any(mark::AMPERSAND) {
        replace(&mut read, entities);
    }
    if marks.any(mark::BACKSLASH) {
        replace(&mut read, escapes);
    }
    if marks.any(mark::HIGH | mark::CONTROL) || !read.is_ascii() {
        replace(&mut read, fold);
    }
    match read {
        Cow::Owned(read) if read != text => Some(read),
        _ => None,
    }
}

fn replace(text: &mut Cow<'_, str>, step: fn(&str) -> Option<String>) {
    if let Some(next) = step(text) {
        *text = Cow::Owned(next);
    }
}

/// Percent-encoding, once, with `%uXXXX`, overlong UTF-8 and what is left as it came.
pub(crate) fn percent(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let mut changed = false;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            out.push(byte);
            at += 1;
        } else if let Some(value) = hex(bytes.get(at + 1..at + 3)) {
            out.push(value as u8);
            at += 3;
            changed = true;
        } else if bytes.get(at + 1).is_some_and(|u| u | 32 == b'u')
            && let Some(value) = hex(bytes.get(at + 2..at + 6))
        {
            push_char(&mut out, value);
            at += 6;
            changed = true;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    changed.then(|| lossy(&overlong(out)))
}

/// A form's value: `+` is a space, then percent-encoding.
pub(crate) fn form(text: &str) -> Cow<'_, str> {
    if !text.contains(['+', '%']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent(&spaced).unwrap_or(spaced))
}

/// UTF-8, or Latin-1 read as such: a byte is never lost.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Overlong forms (RFC 3629 §10) become the ASCII character that a lax decoder makes of them.
fn overlong(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.iter().any(|byte| matches!(byte, 0xC0 | 0xC1 | 0xE0 | 0xF0 | 0xF8 | 0xFC)) {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let low = |n: usize| bytes.get(at + n).map(|b| b & 0x3F);
        let read = match byte {
            0xC0 | 0xC1 if bytes.get(at + 1).is_some_and(|next| matches!(next, b' '..=0x7E)) => {
                bytes.get(at + 1).map(|next| (*next, 2))
            }
            0xC0 | 0xC1 => low(1).map(|low| (((byte & 1) << 6) | low, 2)),
            0xE0 if matches!(bytes.get(at + 1), Some(0x80 | 0x81)) => {
                low(2).map(|l| (((bytes[at + 1] & 1) << 6) | l, 3))
            }
            0xF0 if bytes.get(at + 1) == Some(&0x80)
                && matches!(bytes.get(at + 2), Some(0x80 | 0x81)) =>
            {
                low(3).map(|l| (((bytes[at + 2] & 1) << 6) | l, 4))
            }
            0xF8 if bytes.get(at + 1) == Some(&0x80) => low(4).map(|low| (low, 5)),
            0xFC if bytes.get(at + 1) == Some(&0x80) => low(5).map(|low| (low, 6)),
            _ => None,
        };
        let (value, length) = read.unwrap_or((byte, 1));
        out.push(value);
        at += length;
    }
    out
}

/// HTML character references: numeric ones, and the few names that an attack needs.
pub(crate) fn entities(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    // Beside real elements, an encoded bracket is one that is shown.
    let markup = text.contains('<');
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let read = entity(rest).filter(|(read, _)| !(markup && matches!(read, '<' | '>')));
        let (read, length) = read.unwrap_or(('&', 1));
        changed |= length > 1;
        out.push(read);
        rest = &rest[length..];
    }
    out.push_str(rest);
    changed.then_some(out)
}

const NAMED: [(&str, char); 20] = [
    ("lt;", '<'),
    ("gt;", '>'),
    ("quot;", '"'),
    ("apos;", '\''),
    ("amp;", '&'),
    ("lpar;", '('),
    ("rpar;", ')'),
    ("colon;", ':'),
    ("tab;", '\t'),
    ("newline;", '\n'),
    ("sol;", '/'),
    ("bsol;", '\\'),
    ("equals;", '='),
    ("semi;", ';'),
    ("period;", '.'),
    ("grave;", '`'),
    ("lbrace;", '{'),
    ("rbrace;", '}'),
    ("num;", '#'),
    ("dollar;", '$'),
];

fn entity(text: &str) -> Option<(char, usize)> {
    let bytes = text.as_bytes();
    if bytes.get(1) != Some(&b'#') {
        let tail = text.get(1..)?;
        let (name, read) = NAMED.iter().find(|(name, _)| {
            tail.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        })?;
        return Some((*read, 1 + name.len()));
    }
    let is_hex = bytes.get(2).is_some_and(|x| x | 32 == b'x');
    let start = if is_hex { 3 } else { 2 };
    let radix = if is_hex { 16 } else { 10 };
    let digits =
        bytes[start..].iter().take(9).take_while(|b| char::from(**b).is_digit(radix)).count();
    let value = u32::from_str_radix(text.get(start..start + digits)?, radix).ok()?;
    let ends = usize::from(bytes.get(start + digits) == Some(&b';'));
    Some((char::from_u32(value)?, start + digits + ends))
}

/// `\u0027`, `\x27` and `\/`, as JavaScript and JSON have them inside a text.
fn escapes(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let mut changed = false;
    while let Some(&byte) = bytes.get(at) {
        let digits = match bytes.get(at + 1) {
            Some(b'u') if byte == b'\\' => 4,
            Some(b'x') if byte == b'\\' => 2,
            _ => 0,
        };
        match hex(bytes.get(at + 2..at + 2 + digits)).filter(|_| digits > 0) {
            Some(value) => {
                push_char(&mut out, value);
                at += 2 + digits;
                changed = true;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    changed.then(|| lossy(&out))
}

/// Full-width and circled forms become ASCII; invisible characters and NUL go.
fn fold(text: &str) -> Option<String> {
    let mut changed = false;
    let mut out = String::with_capacity(text.len());
    for read in text.chars() {
        let folded = match read {
            '\0' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}' => None,
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(read as u32 - 0xFEE0),
            '\u{3002}' | '\u{FF61}' => Some('.'),
            '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
            // What is no UTF-8 is Latin-1 to some, and its own space the sign that is sent.
            '\u{FFFD}' => Some(' '),
            '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{3000}' | '\u{B}' | '\u{C}' => Some(' '),
            '\u{2BC}' | '\u{2B9}' | '\u{2032}' | '\u{2018}' | '\u{2019}' => Some('\''),
            '\u{2460}'..='\u{2468}' => char::from_u32(read as u32 - 0x2460 + 0x31),
            '\u{24EA}' => Some('0'),
            '\u{24B6}'..='\u{24CF}' => char::from_u32(read as u32 - 0x24B6 + 0x61),
            '\u{24D0}'..='\u{24E9}' => char::from_u32(read as u32 - 0x24D0 + 0x61),
            '\u{560D}' => Some('\r'),
            '\u{560A}' => Some('\n'),
            '\u{563C}' => Some('<'),
            '\u{563E}' => Some('>'),
            '\u{2215}' => Some('/'),
            '\u{2216}' | '\u{EFC8}' => Some('\\'),
            // ⑯ is one sign for two.
            '\u{2469}'..='\u{2473}' => {
                let number = read as u32 - 0x2469 + 10;
                out.extend(char::from_digit(number / 10, 10));
                char::from_digit(number % 10, 10)
            }
            _ if !read.is_ascii() => Some(disguise::mathematical(read).unwrap_or(read)),
            _ => Some(read),
        };
        changed |= folded != Some(read);
        out.extend(folded);
    }
    changed.then_some(out)
}

/// What base64 hides, where it is text.
pub(crate) fn base64_text(text: &str) -> Option<String> {
    let body = text.trim_end_matches('=');
    if !(8..=LONGEST_BASE64).contains(&body.len()) || text.len() - body.len() > 2 {
        return None;
    }
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
    // Ordinary words and paths are base64 by their letters alone: real base64 mixes.
    let mixes = |kind: fn(&u8) -> bool| body.as_bytes().iter().any(kind);
    if !body.bytes().all(fits) || !mixes(u8::is_ascii_uppercase) || !mixes(u8::is_ascii_lowercase) {
        return None;
    }
    let engine = if body.contains(['-', '_']) { &URL_SAFE } else { &LENIENT_BASE64 };
    let text = String::from_utf8(engine.decode(body).ok()?).ok()?;
    let printable = text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace() || c == '\0');
    printable.then_some(text)
}

/// Objects of Python, Java and .NET in base64: whoever reads one runs what it says.
pub(crate) fn is_serialized(text: &str) -> bool {
    let starts = ["gASV", "gANj", "gAJj", "rO0AB", "AAEAAAD/////"];
    text.len() >= 24 && starts.iter().any(|start| text.starts_with(start))
}

fn hex(digits: Option<&[u8]>) -> Option<u32> {
    digits?.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

fn push_char(out: &mut Vec<u8>, value: u32) {
    let read = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(read.encode_utf8(&mut [0; 4]).as_bytes());
}
