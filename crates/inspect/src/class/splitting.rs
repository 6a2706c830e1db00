//! Line breaks that end a header and begin the sender's own, or a command of a mail server.

use crate::finding::Class;
use crate::judge::{Position, Suspicion, Value};
use crate::mark;

/// Fields whose forging pays.
const FIELDS: [&str; 23] = [
    "set-cookie:",
    "location:",
    "content-length:",
    "content-type:",
    "transfer-encoding:",
    "http/1.",
    "http/2",
    "x-",
    "refresh:",
    "link:",
    "access-control-",
    "host:",
    "status:",
    "content-disposition:",
    "content-security-policy:",
    "authorization:",
    "etag:",
    "proxy-authorization:",
    "referer:",
    "user-agent:",
    "vary:",
    "www-authenticate:",
    "cookie:",
];

/// Who forges a log adds a line or two; a text of more is a document.
const MOST_LOG_LINES: usize = 4;

/// A value with one field put into it is not longer.
const LONGEST_SPLIT: usize = 200;

/// A value before a break that begins a field is not longer, unless it is one word.
const LONGEST_HEAD: usize = 64;

/// Commands of SMTP and IMAP, and the fields of a message that add readers.
const MAIL: [&str; 9] =
    ["rcpt to:", "mail from:", "quit\r", "data\r", "bcc:", "cc:", "to:", "subject:", "reply-to:"];

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let one_line = value.position.is_one_line();
    // Breaks that a reader will unescape.
    let unescaped = (one_line && value.marks.any(mark::BACKSLASH))
        .then(|| value.lower.replace("\\r", "\r").replace("\\n", "\n"));
    let lower = unescaped.as_deref().unwrap_or(&value.lower);
    let mut best = None;
    let lines = lower.trim().lines().count();
    let ends = lower.match_indices(['\r', '\n']);
    // Where the value before the break is one word it may be longer: an address, say.
    let word = lower.trim_start().find(|c: char| c.is_whitespace()).unwrap_or(lower.len());
    let near = usize::max(LONGEST_HEAD, word.min(LONGEST_SPLIT) + 4);
    // Of a row of breaks the last one counts.
    for (at, _) in ends.filter(|(at, _)| !lower[at + 1..].starts_with(['\r', '\n'])) {
        let rest = lower[at..].trim_start_matches(['\r', '\n', ' ', '\t']);
        let field = FIELDS.iter().any(|field| rest.starts_with(field)) && rest.contains([':', '/']);
        let mail = MAIL.iter().any(|command| rest.starts_with(command)) || is_imap(rest);
        // Messages for people have lines that look like fields; a parameter has no lines.
        best = match (one_line, field) {
            (true, true) => return Suspicion::sure(Class::Splitting, "header_line"),
            (true, false) if mail => return Suspicion::sure(Class::Splitting, "mail_line"),
            // An empty line ends the header: what follows is a body of the sender's own.
            (true, false) if rest.starts_with('<') && lower[..at].ends_with(['\r', '\n']) => {
                return Suspicion::sure(Class::Splitting, "body");
            }
            (true, false) if is_log_line(rest) && lines <= MOST_LOG_LINES => {
                Suspicion::likely(Class::Splitting, "log_line")
            }
            (false, true) if at < near && is_split_address(lower) => {
                Suspicion::working(Class::Splitting, "header_line")
            }
            (false, true) if at < near && !value.is_free() && !is_block(lower) => {
                Suspicion::likely(Class::Splitting, "header_line")
            }
            (false, _) if mail && at == 0 => return Suspicion::sure(Class::Splitting, "mail_line"),
            (false, _) if mail && at < LONGEST_HEAD => {
                Suspicion::likely(Class::Splitting, "mail_line")
            }
            _ => best,
        };
    }
    match best {
        None if is_split(value) => Suspicion::likely(Class::Splitting, "header_line"),
        None if value.marks.any(mark::LINE)
            && (value.position == Position::Path || one_line && lower.trim().is_empty()) =>
        {
            Suspicion::likely(Class::Splitting, "path_line")
        }
        best => best,
    }
}

/// An address with a line break in it, and a field behind that: no text begins so.
fn is_split_address(text: &str) -> bool {
    let Some((head, _)) = text.trim_start().split_once(['\r', '\n']) else { return false };
    head.contains("://") && !head.contains(' ') && text.contains('\r')
}

/// `word⏎Some-Name: value`: one word, and after the end of its line a field of a header, by the hyphen of its name.
/// Messages have a sentence or an empty line before theirs.
fn is_split(value: &Value<'_>) -> bool {
    if value.text.len() > LONGEST_SPLIT {
        return false;
    }
    let text = value.lower.replace("\\r", "\r").replace("\\n", "\n");
    let Some((word, rest)) = text.split_once(['\r', '\n']) else { return false };
    let rest = rest.strip_prefix('\n').unwrap_or(rest);
    let Some((name, field)) = rest.split_once(':') else { return false };
    let name = name.trim_start_matches([' ', '\t']);
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    !word.trim().contains([' ', ':'])
        && name.trim_matches('-').contains('-')
        && name.bytes().all(fits)
        && !field.trim().contains(['\r', '\n'])
}

/// Whether every line is a field, the first one too: a header that is told, and that nothing was put into.
fn is_block(text: &str) -> bool {
    let is_field = |line: &str| {
        line.split_once(':').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
    };
    text.trim_end().lines().all(is_field)
}

/// A level or a field of a log at the start of a line: `ERROR: …`.
fn is_log_line(rest: &str) -> bool {
    let word =
        rest.bytes().take_while(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b' ')).count();
    (3..=24).contains(&word) && rest[word..].starts_with(':') && rest.len() > word + 1
}

/// A tag and a command: `V100 CAPABILITY`.
fn is_imap(rest: &str) -> bool {
    let mut words = rest.split_ascii_whitespace();
    let tag = words.next().unwrap_or_default();
    let is_tag = tag.len() <= 8 && tag.bytes().any(|b| b.is_ascii_digit());
    is_tag && matches!(words.next(), Some("capability" | "fetch" | "select" | "login" | "logout"))
}
