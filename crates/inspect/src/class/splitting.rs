//! Line breaks that end a header and begin the sender's own, or a command of a mail server.

use crate::finding::Class;
use crate::judge::{Position, Suspicion, Value};
use crate::mark;

/// Fields whose forging pays.
const FIELDS: [&str; 24] = [
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
    "expect:",
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
    if value.marks.any(mark::PERCENT) && is_encoded_break(&value.lower) {
        return Suspicion::likely(Class::Splitting, "encoded_break");
    }
    if !value.marks.any(mark::LINE | mark::BACKSLASH) {
        return None;
    }
    if value.marks.any(mark::LINE) && answers(&value.lower) {
        return Suspicion::working(Class::Splitting, "second_answer");
    }
    let one_line = value.position.is_one_line();
    if value.marks.any(mark::LINE) && asks_again(&value.lower) {
        return Suspicion::working(Class::Splitting, "second_request");
    }
    if one_line && value.marks.any(mark::LINE) && commands_store(value.text) {
        return Suspicion::likely(Class::Splitting, "store_command");
    }
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
            // One word, the end of its line, and a line of a log that nobody wrote.
            (false, _)
                if is_level(rest)
                    && at <= word + 1
                    && lines == 2
                    && value.marks.any(mark::BRACKET) =>
            {
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
        None if value.marks.any(mark::BACKSLASH)
            && matches!(value.position, Position::Header | Position::Path)
            && lower.trim().is_empty() =>
        {
            Suspicion::likely(Class::Splitting, "escaped_break")
        }
        None if value.marks.any(mark::LINE)
            && (value.position == Position::Path || one_line && lower.trim().is_empty()) =>
        {
            Suspicion::likely(Class::Splitting, "path_line")
        }
        best => best,
    }
}

/// `%0d%0a`, `%0%0d%0ad%0a`: nothing but line breaks that a reader behind this one will decode, perhaps after it took
/// some of them out.
fn is_encoded_break(text: &str) -> bool {
    let mut rest = text.trim().to_owned();
    while rest.len() <= LONGEST_SPLIT && rest.contains("%0") {
        let fewer = rest.replace("%0d%0a", "").replace("%0d", "").replace("%0a", "");
        if fewer.len() == rest.len() {
            return false;
        }
        rest = fewer;
    }
    rest.is_empty() && !text.is_empty()
}

/// `word⏎Field: …⏎⏎HTTP/1.1 200 OK`: one word or address, then the end of one answer and the beginning of another.
/// A recorded exchange begins with a line of its own, which has more words, or with the first answer.
fn answers(text: &str) -> bool {
    let text = text.strip_prefix("get ").unwrap_or(text);
    let Some((head, rest)) = text.split_once(['\r', '\n']) else { return false };
    let is_address = head.starts_with("http://") || head.starts_with("https://");
    let first = rest.trim_start().lines().next().unwrap_or_default();
    !head.trim_end().contains([' ', '\t'])
        && (is_address || !head.contains(':'))
        && first.contains(':')
        && !first.starts_with("http/")
        && ["\r\n\r\n", "\n\n"].iter().any(|end| {
            let mut answers = rest.split(end).skip(1);
            answers.any(|answer| {
                let status = answer.strip_prefix("http/1.").and_then(|rest| rest.get(1..5));
                status.is_some_and(|status| status.trim().parse::<u16>().is_ok())
            })
        })
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
    // Where nothing stands before, the first line may be empty too.
    let rest = if word.trim().is_empty() {
        rest.trim_start_matches(['\r', '\n'])
    } else {
        rest.strip_prefix('\n').unwrap_or(rest)
    };
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
    if is_level(rest) {
        return true;
    }
    let word =
        rest.bytes().take_while(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b' ')).count();
    // Some readers skip what is left of a break before the colon.
    let rest = rest[word..].trim_start_matches('\r');
    (3..=24).contains(&word) && rest.starts_with(':') && rest.len() > 1
}

/// `0\r\n\r\nGET /admin HTTP/1.1`: one word, the end of a request, and the beginning of another.
fn asks_again(text: &str) -> bool {
    let Some((word, rest)) = text.split_once("\r\n\r\n") else { return false };
    let line = rest.lines().next().unwrap_or_default();
    let methods = ["get ", "post ", "put ", "delete ", "patch ", "head ", "options ", "connect "];
    !word.contains([' ', '\n', ':'])
        && methods.iter().any(|method| line.starts_with(method))
        && line.trim_end().ends_with(|c: char| c.is_ascii_digit())
        && line.contains(" http/1.")
}

/// `…\r\nSET a b\r\n`: a command of a store, as its clients write it: in capitals, between breaks of two signs.
fn commands_store(text: &str) -> bool {
    let verbs =
        ["SET", "GET", "DEL", "EVAL", "CONFIG", "SLAVEOF", "FLUSHALL", "AUTH", "QUIT", "SAVE"];
    text.split("\r\n").skip(1).any(|line| {
        let mut words = line.split([' ', '\r']);
        words.next().is_some_and(|verb| verbs.contains(&verb)) && words.count() <= 4
    })
}

/// `[INFO] …`: a level in brackets, and what it is said of.
fn is_level(rest: &str) -> bool {
    let levels = ["info", "warn", "warning", "error", "debug", "fatal", "critical", "notice"];
    rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).is_some_and(|(level, told)| {
        levels.contains(&level.trim()) && told.starts_with([' ', ':']) && told.trim().len() > 1
    })
}

/// A tag and a command: `V100 CAPABILITY`.
fn is_imap(rest: &str) -> bool {
    let mut words = rest.split_ascii_whitespace();
    let tag = words.next().unwrap_or_default();
    let is_tag = tag.len() <= 8 && tag.bytes().any(|b| b.is_ascii_digit());
    is_tag && matches!(words.next(), Some("capability" | "fetch" | "select" | "login" | "logout"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_encoded_breaks_is_found() {
        for text in ["%0d%0a", "%0d%0a%0d%0a", "%0d%0d%0a%0a", "%0%0d%0ad%0%0d%0aa"] {
            assert!(is_encoded_break(text), "{text}");
        }
        for text in ["", "%", "%0", "%0dx", "a%0d%0ab", "10%0a", "%20%0a", "100%"] {
            assert!(!is_encoded_break(text), "{text}");
        }
    }

    #[test]
    fn a_second_answer_is_told_from_a_recorded_one() {
        let answer = "x-a: 0\r\n\r\nhttp/1.1 200 ok\r\n\r\n<html>";
        for head in ["r", "http://shop.example/?site=", "get http://shop.example/?site=", ""] {
            assert!(answers(&format!("{head}\r\n{answer}")), "{head}");
        }
        for head in ["http/1.1 100 continue", "get / http/1.1", "host: a", "we got"] {
            assert!(!answers(&format!("{head}\r\n{answer}")), "{head}");
        }
        for text in ["\nhttp/1.1 301 moved: a", "output\n\nhttp/1.1 301 moved: a", "seen\nsays no"]
        {
            assert!(!answers(&format!("{text}\n\nhttp/1.1 200 ok\n\n")), "{text}");
        }
        assert!(!answers("r\r\nx-a: 0\r\nhttp/1.1 200 ok") && !answers("r\n\nhttp/1.1 is old"));
    }

    #[test]
    fn a_name_before_a_colon_is_a_line_of_a_log() {
        assert!(
            asks_again("0\r\n\r\nget /a http/1.1") && asks_again("\r\n\r\npost /a http/1.0\r\n")
        );
        for text in
            ["for example:\r\n\r\nget /a http/1.1", "a\r\n\r\nget it", "a\n\nget / http/1.1"]
        {
            assert!(!asks_again(text), "{text}");
        }
        assert!(commands_store("x\r\nSET a b\r\n") && commands_store("\r\nFLUSHALL\r\n"));
        for text in
            ["eggs\r\nget milk", "a\nGET b", "SET a b", "x\r\nGET well soon, all of you there"]
        {
            assert!(!commands_store(text), "{text}");
        }
        assert!(is_level("[info] login ok") && is_log_line("[error] no"));
        assert!(!is_level("[info]") && !is_level("[link] to it") && !is_level("info] x"));
        assert!(is_log_line("error: x") && is_log_line("remote-addr\r\r\r: a.example"));
        assert!(!is_log_line("error:") && !is_log_line("er: x") && !is_log_line("error\rx"));
    }
}
