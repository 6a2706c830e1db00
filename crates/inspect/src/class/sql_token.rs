//! SQL as loose pieces: quotes are pieces by themselves, since where a text begins is the question.

/// One piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    /// `@x`, `@@version`.
    Variable,
    Close,
    Comma,
    /// `--` or `#`: the rest is a comment.
    Comment,
    /// `/* … */`, or one that does not end.
    Inline,
    Dot,
    Number,
    Open,
    /// `=`, `<`, `!=`, `<=>`, …
    Compare,
    /// `+`, `-`, `*`, `/`, `%`, `^`, `~`, `|`, `&`.
    Operator,
    /// `||` or `&&`.
    Joint,
    Other,
    Quote(u8),
    Semicolon,
    Word(&'t str),
}

/// Enough for every payload; values are judged in pieces anyway.
const LONGEST: usize = 1_500;

/// The pieces of `text`, which is in lower case.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut found = Vec::with_capacity(32);
    let mut at = 0;
    while at < bytes.len() && found.len() < LONGEST {
        let (token, length) = next(text, at);
        at += length.max(1);
        found.extend(token);
    }
    found
}

fn next(text: &str, at: usize) -> (Option<Token<'_>>, usize) {
    let bytes = &text.as_bytes()[at..];
    let second = bytes.get(1).copied().unwrap_or(0);
    let run = |fits: fn(u8) -> bool| bytes.iter().take_while(|b| fits(**b)).count();
    let token = match bytes[0] {
        byte if byte <= b' ' => return (None, 1),
        b'\'' | b'"' | b'`' => Token::Quote(bytes[0]),
        b'(' => Token::Open,
        b')' => Token::Close,
        b',' => Token::Comma,
        b';' => Token::Semicolon,
        b'#' => return line_comment(text, at, 1),
        b'-' if second == b'-' => return line_comment(text, at, 2),
        b'/' if second == b'*' => return block(text, at),
        b'*' if second == b'/' => return (None, 2),
        b'|' | b'&' if second == bytes[0] => return (Some(Token::Joint), 2),
        b'=' | b'<' | b'>' | b'!' => {
            let length = run(|b| matches!(b, b'=' | b'<' | b'>' | b'!'));
            return (Some(Token::Compare), length);
        }
        b'.' if !second.is_ascii_digit() => Token::Dot,
        b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'~' | b'|' | b'&' => Token::Operator,
        b'@' => return (Some(Token::Variable), run(is_word).max(1)),
        b'0'..=b'9' | b'.' => return number(text, at),
        byte if is_word(byte) => {
            let length = joint(bytes).unwrap_or_else(|| run(is_word));
            return (Some(Token::Word(&text[at..at + length])), length);
        }
        _ => Token::Other,
    };
    (Some(token), 1)
}

/// `or1`, `and1`: a word that a number needs no space after.
fn joint(bytes: &[u8]) -> Option<usize> {
    let length = if bytes.starts_with(b"or") {
        2
    } else if bytes.starts_with(b"and") {
        3
    } else {
        return None;
    };
    let digits = bytes[length..].iter().take_while(|b| is_word(**b));
    (digits.clone().count() > 0 && digits.clone().all(u8::is_ascii_digit)).then_some(length)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'@') || byte >= 128
}

fn number(text: &str, at: usize) -> (Option<Token<'_>>, usize) {
    let bytes = &text.as_bytes()[at..];
    let length = bytes.iter().take_while(|b| is_word(**b) || **b == b'.').count();
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    let tail = &bytes[digits..length];
    // `1e0union`: an exponent needs no space behind it either.
    if let Some(rest) = tail.strip_prefix(b"e") {
        let exponent = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if rest[exponent..].starts_with(b"union") {
            return (Some(Token::Number), digits + 1 + exponent);
        }
    }
    // `1e1`, `0x4f`; `1st` is a word, and `1or` a number and a word.
    if tail.starts_with(b"or") || tail.starts_with(b"and") || tail.starts_with(b"union") {
        return (Some(Token::Number), digits);
    }
    let is_number = tail.is_empty()
        || (tail[0] == b'e' && tail[1..].iter().all(u8::is_ascii_digit))
        || (tail[0] == b'x' && digits == 1 && tail[1..].iter().all(u8::is_ascii_hexdigit));
    let token = if is_number { Token::Number } else { Token::Word(&text[at..at + length]) };
    (Some(token), length)
}

/// A comment to the end of its line; what follows the line is read again, what is in it may be quotes'.
fn line_comment(text: &str, at: usize, sign: usize) -> (Option<Token<'_>>, usize) {
    match text[at..].find('\n') {
        // One that says nothing takes the place of a space.
        Some(end) if end > sign || !text[at + end..].trim().is_empty() => {
            (Some(Token::Inline), end)
        }
        _ => (Some(Token::Comment), sign),
    }
}

/// A comment of its own is a space; what MySQL runs (`/*!50000union*/`) is read as it stands.
fn block(text: &str, at: usize) -> (Option<Token<'_>>, usize) {
    if let Some(rest) = text[at..].strip_prefix("/*!") {
        return (None, 3 + rest.bytes().take_while(u8::is_ascii_digit).count());
    }
    let length = text[at + 2..].find("*/").map_or(text.len() - at, |end| end + 4);
    (Some(Token::Inline), length)
}
