//! Disguises that only some readers take off: what is left of a value without them.

use base64::Engine as _;

use crate::decode::{self, LENIENT_BASE64};

/// Elements that are put into words are short.
const LONGEST_ELEMENT: usize = 8;
/// Who escapes one letter of a word escapes more.
const FEWEST_ESCAPES: usize = 4;
/// Data addresses beyond this are pictures.
const LONGEST_DATA: usize = 8 * 1024;

/// `1'+or+1=1`: plus signs for spaces where nothing says that they are.
pub(crate) fn pluses(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let beside = |at: usize| bytes.get(at).is_some_and(|b| b.is_ascii_alphabetic());
    let words = text.match_indices('+').filter(|(at, _)| beside(at + 1)).count();
    (words >= 2 && !text.contains(' ')).then(|| text.replace('+', " "))
}

/// UTF-7 (RFC 2152): `+ADw-` is `<`. Read only where all that it hides is ASCII, and twice or more, since words
/// behind a plus sign are base64 by chance.
pub(crate) fn utf7(text: &str) -> Option<String> {
    if !text.contains("+A") {
        return None;
    }
    let mut pieces = text.split('+');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    let mut hidden = 0;
    for piece in pieces {
        let in_base64 = |b: &u8| b.is_ascii_alphanumeric() || *b == b'/';
        let (code, rest) = piece.split_at(piece.bytes().take_while(|b| in_base64(b)).count());
        match utf16_of(code) {
            Some(read) => {
                hidden += 1;
                out.push_str(&read);
                out.push_str(rest.strip_prefix('-').unwrap_or(rest));
            }
            None => {
                out.push('+');
                out.push_str(piece);
            }
        }
    }
    (hidden >= 2).then_some(out)
}

/// Letters of ASCII in UTF-16 in base64 without padding.
fn utf16_of(code: &str) -> Option<String> {
    // Two letters of sixteen bits are six digits; what is left over of the last digit is zeros.
    if !code.starts_with('A') || !matches!(code.len() % 8, 0 | 3 | 6) {
        return None;
    }
    let bytes = LENIENT_BASE64.decode(code).ok()?;
    let letters = bytes.chunks_exact(2).map(|pair| match pair {
        [0, letter] if letter.is_ascii() => Some(char::from(*letter)),
        _ => None,
    });
    letters.collect()
}

/// `un<>ion`, `o<x>nload`: an element inside of a word, for filters that take elements out.
pub(crate) fn elements(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let letter =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let (mut out, mut kept) = (String::new(), 0);
    for (at, _) in text.match_indices('<').filter(|(at, _)| letter(at.checked_sub(1))) {
        let name = bytes[at + 1..].iter().take(LONGEST_ELEMENT);
        let end = at + 1 + name.take_while(|b| b.is_ascii_alphabetic()).count();
        if bytes.get(end) == Some(&b'>')
            && (letter(Some(end + 1)) || bytes.get(end + 1) == Some(&b'('))
        {
            out.push_str(&text[kept..at]);
            kept = end + 1;
        }
    }
    (kept > 0).then(|| out + &text[kept..])
}

/// `un/**/ion sel/**/ect`: comments inside of words, for filters that take comments out.
pub(crate) fn comments(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let letter =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let inside = |(at, _): &(usize, &str)| letter(at.checked_sub(1)) && letter(Some(at + 4));
    let spaced = text.contains(' ') || text.contains("*/ ");
    (spaced && text.match_indices("/**/").filter(inside).count() >= 2)
        .then(|| text.replace("/**/", ""))
}

/// `%s%e%l%e%c%t`: signs that begin no encoded byte, which some servers drop.
pub(crate) fn stray_percents(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let stray = |at: &usize| !(digit(at + 1) && digit(at + 2));
    let strays = text.match_indices('%').map(|(at, _)| at).filter(stray).count();
    (strays >= 4 && strays * 3 >= text.len()).then(|| text.replace('%', ""))
}

/// `..%%32%%66`: a sign for two, which decodes to what is read as an escape once more.
pub(crate) fn doubled_percents(text: &str) -> Option<String> {
    text.contains("%%").then(|| text.replace("%%", "%")).and_then(|text| decode::percent(&text))
}

/// `¼script¾`: letters whose high bit a reader of seven bits drops.
pub(crate) fn high_bits(text: &str) -> Option<String> {
    let brackets = text.contains('\u{BC}') && text.contains('\u{BE}');
    let low = |read: char| match read {
        '\u{A0}'..='\u{FF}' => char::from_u32(read as u32 & 0x7F).unwrap_or(read),
        _ => read,
    };
    brackets.then(|| text.chars().map(low).collect())
}

/// `\6A\61\76\61`: letters as a style sheet escapes them (CSS Syntax 3, §4.3.7).
pub(crate) fn style_escapes(text: &str) -> Option<String> {
    let digits = |rest: &str| rest.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
    let is_escape = |(at, _): &(usize, &str)| digits(&text[at + 1..]) >= 2;
    if text.match_indices('\\').filter(is_escape).count() < FEWEST_ESCAPES {
        return None;
    }
    let mut pieces = text.split('\\');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_at(digits(piece));
        match u32::from_str_radix(code, 16).ok().and_then(char::from_u32) {
            Some(read) if code.len() >= 2 => {
                out.push(read);
                out.push_str(rest.strip_prefix(' ').unwrap_or(rest));
            }
            _ => {
                out.push('\\');
                out.push_str(piece);
            }
        }
    }
    Some(out)
}

/// The text that an address of the scheme `data` holds.
pub(crate) fn data_address(text: &str) -> Option<String> {
    let start = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("data:"));
    if !start || text.len() > LONGEST_DATA {
        return None;
    }
    let (_, body) = text.split_once(";base64,")?;
    String::from_utf8(LENIENT_BASE64.decode(body.trim()).ok()?).ok()
}

/// The ASCII letter or digit that a mathematical one stands for.
pub(crate) fn mathematical(read: char) -> Option<char> {
    let code = read as u32;
    let letter = |at: u32| {
        let at = at % 52;
        char::from_u32(if at < 26 { 0x41 + at } else { 0x61 + at - 26 })
    };
    match read {
        '\u{1D400}'..='\u{1D6A3}' => letter(code - 0x1D400),
        '\u{1D7CE}'..='\u{1D7FF}' => char::from_u32(0x30 + (code - 0x1D7CE) % 10),
        '\u{2070}' | '\u{2074}'..='\u{2079}' => char::from_u32(code - 0x2070 + 0x30),
        '\u{2080}'..='\u{2089}' => char::from_u32(code - 0x2080 + 0x30),
        '\u{B9}' => Some('1'),
        '\u{B2}' | '\u{B3}' => char::from_u32(code - 0xB0 + 0x30),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_inside_of_words_are_taken_out() {
        assert_eq!(comments("1 un/**/ion sel/**/ect 1").as_deref(), Some("1 union select 1"));
        for text in ["a/**/b/**/c", "a /**/ b c/**/d", "/**/ src /**/"] {
            assert!(comments(text).is_none(), "{text}");
        }
    }

    #[test]
    fn letters_of_seven_bits_are_read() {
        let read = |text: &str| utf7(text).unwrap_or_default();
        assert_eq!(read("+ADw-script+AD4-"), "<script>");
        assert_eq!(read("+ADwAIQ-DOCTYPE a+AFs-"), "<!DOCTYPE a[");
        assert_eq!(read("+ADw-+ACE-DOCTYPE"), "<!DOCTYPE");
        for text in ["1+1", "a+Apple+Banana", "+ADw-", "+49 170 +49 171", "C++ and A+", "+AAA+AAB"]
        {
            assert!(utf7(text).is_none_or(|read| read.contains('\0')), "{text}");
        }
    }
}
