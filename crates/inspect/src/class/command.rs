//! Shell commands: a sign that ends one command, then another with what belongs to it.

use std::borrow::Cow;

use crate::class::command_argument::{
    begins_command, has_argument, has_option, is_argument, known_pair, names_program, path_prefix,
    redirects,
};
use crate::class::command_word::{ALONE, COMMON, LOUD, WITH_ARGUMENTS};
use crate::class::{code, object};
use crate::finding::Class;
use crate::judge::{Suspicion, Value};
use crate::lure;
use crate::mark;

/// Texts that only a shell's attacker writes.
const CERTAIN: [&str; 15] = [
    "<esi:include",
    "$0<<<",
    "() { :",
    "(){ :",
    "(){:",
    "/dev/tcp/",
    "/dev/udp/",
    "<!--#",
    "<!--#include",
    "bash -i >",
    "powershell -enc",
    "powershell -e ",
    "powershell -nop",
    "nc -e /bin",
    "-e /bin/sh",
];
/// Texts that are an attack in a short value, and a line of documentation in a long one.
const STARTS: &[&str] = &[
    "cat /etc/",
    "cmd /c",
    "cmd.exe",
    "bash -c",
    "sh -c",
    "python -c",
    "python3 -c",
    "perl -e",
    "php -r",
    "ruby -e",
    "powershell ",
    "invoke-webrequest http",
    "invoke-restmethod http",
    "iwr http",
    "irm http",
    "nc -l",
    "ping -c",
    "ping -n",
    "wget http",
    "curl http",
    "net user",
    "net localgroup",
    "rm -rf",
    "type c:\\",
    "ls -l /",
    "ls -la /",
    "dir c:\\",
    "ipconfig /",
    "netstat -",
    "type %",
];
/// Commands that a pipe ends in, and that do nothing but show.
const FILTERS: [&str; 14] = [
    "grep", "egrep", "head", "tail", "sort", "uniq", "wc", "awk", "sed", "xargs", "less", "more",
    "cut", "tee",
];
/// `$'\151\144'`: a word whose letters a shell reads as escapes (Bash manual, 3.1.2.4).
const ESCAPED_WORD: &str = "$'\\";

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let plain = value.lower.as_str();
    let lured = value.lures.any(lure::COMMAND);
    if lured && CERTAIN.iter().any(|text| plain.contains(text)) {
        return if value.is_free() && !plain.contains("/dev/tcp/") && !plain.starts_with("()") {
            Suspicion::working(Class::Command, "shell_text")
        } else {
            Suspicion::sure(Class::Command, "shell_text")
        };
    }
    if plain.trim_start().starts_with("() {") && plain.contains(';') && !value.is_free() {
        return Suspicion::sure(Class::Command, "shell_function");
    }
    let simple = simplified(plain);
    let found = separated(value, &simple).or_else(|| separated(value, plain));
    if found.is_some() {
        return found;
    }
    let trimmed = simple.trim_start_matches([' ', '"', '\'', '(', '=', '@', '\t', '\r', '\n']);
    // A folder of Windows is one only before its signs are taken for escapes.
    let typed = plain.trim_start();
    if STARTS.iter().any(|start| trimmed.starts_with(start) || typed.starts_with(start)) {
        return Suspicion::likely(Class::Command, "command_line");
    }
    if is_line(value, trimmed) {
        return Suspicion::likely(Class::Command, "command_line");
    }
    if lured && names_program(plain) && !value.is_free() {
        return Suspicion::likely(Class::Command, "option");
    }
    if (begins_command(plain, is_command)
        || value.marks.any(mark::BACKSLASH) && plain.contains(ESCAPED_WORD))
        && !value.is_free()
    {
        return Suspicion::likely(Class::Command, "unknown_command");
    }
    if lured && code::runs(plain) && !value.is_free() {
        return Suspicion::likely(Class::Command, "call");
    }
    if object::is_tagged(plain) {
        return Suspicion::working(Class::Command, "serialized_object");
    }
    if object::is_written(plain) {
        return Suspicion::likely(Class::Command, "serialized_object");
    }
    if asks_program(plain) && !value.is_free() {
        return Suspicion::likely(Class::Command, "formula");
    }
    if hidden(plain) {
        return Suspicion::likely(Class::Command, "hidden_space");
    }
    None
}

/// Whether a value is nothing but a command with what only a command has after it. Fields of a body hold
/// such lines honestly, places of one line do not.
fn is_line(value: &Value<'_>, text: &str) -> bool {
    let (path, rest) = path_prefix(text);
    let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let (word, tail) = rest.split_at(length);
    let tail = tail.strip_prefix(".exe").unwrap_or(tail);
    if !is_command(word) || !(path || tail.starts_with([' ', '+', '\t'])) {
        return false;
    }
    let argument = tail.split([' ', '+', '\t']).find(|word| !word.is_empty()).unwrap_or_default();
    let one_line = value.position.is_one_line();
    if path {
        let ended = matches!(tail.trim(), ";" | "|" | "&");
        return ended || one_line && tail.trim().is_empty() || is_argument(argument);
    }
    let file = argument.starts_with('/') && argument[1..].contains('/');
    one_line
        && (known_pair(word, tail) || is_argument(argument) && (file || !COMMON.contains(&word)))
}

/// Whether a value is a command at all: asked where a field is named for one.
pub(crate) fn is_command_line(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    let (path, rest) = path_prefix(&text);
    let (word, tail) = rest.split_once([' ', '+', ';', '|', '&']).unwrap_or((rest, ""));
    path && is_command(word) || ALONE.contains(&word) || is_command(word) && !tail.is_empty()
}

/// What a shell makes of quotes inside of words, of `$IFS` and of braces.
fn simplified(text: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len());
    let spaced = if text.contains('$') {
        let spaces = ["${ifs}", "$ifs$9", "$ifs"];
        let text = spaces.iter().fold(text.to_owned(), |text, form| text.replace(form, " "));
        Cow::Owned(unset(&text.replace("$@", "").replace("$*", "")))
    } else if text.contains(['\'', '"', '\\', '^']) {
        Cow::Borrowed(text)
    } else {
        return Cow::Borrowed(text);
    };
    let bytes = spaced.as_bytes();
    for (at, read) in spaced.char_indices() {
        let near = |n: usize| {
            bytes
                .get(n)
                .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'\'' | b'"'))
        };
        let inside = at > 0 && near(at - 1) && near(at + 1);
        match read {
            '\'' | '"' if inside => {}
            '\\' | '^'
                if bytes
                    .get(at + 1)
                    .is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'\\' | b'/')) => {}
            _ => out.push(read),
        }
    }
    Cow::Owned(out)
}

/// Variables that nobody has set say nothing: `/bin$u/cat$u` is `/bin/cat`.
fn unset(text: &str) -> String {
    let mut pieces = text.split('$');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let name = piece.bytes().take_while(u8::is_ascii_alphanumeric).count();
        out.extend((name == 0).then_some('$'));
        out.push_str(&piece[name..]);
    }
    out
}

fn hidden(text: &str) -> bool {
    (text.contains("${ifs}") || text.contains("$ifs"))
        || text
            .strip_prefix('{')
            .is_some_and(|rest| rest.split_once(',').is_some_and(|(word, _)| is_command(word)))
}

fn is_command(word: &str) -> bool {
    ALONE.contains(&word) || WITH_ARGUMENTS.contains(&word)
}

/// What stands between two commands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// `;`, `|`, `&`, a line's end.
    Between,
    /// `` ` ``, `$(`, `<(`: a command inside of an argument.
    Inside,
}

fn separated(value: &Value<'_>, text: &str) -> Option<Suspicion> {
    let bytes = text.as_bytes();
    let mut found = None;
    for (at, byte) in text.bytes().enumerate() {
        let sign = match byte {
            b';' | b'|' | b'&' | b'\n' | b'\r' => Sign::Between,
            // A break of lines that some reader will unescape.
            b'n' | b'r' if at > 0 && bytes[at - 1] == b'\\' => Sign::Between,
            b'`' => Sign::Inside,
            b'(' if at > 0 && matches!(bytes[at - 1], b'$' | b'<' | b'>') => Sign::Inside,
            b'{' if at == 0 || matches!(bytes[at - 1], b';' | b'|' | b'&') => Sign::Between,
            _ => continue,
        };
        if matches!(bytes.get(at + 1), Some(b';' | b'|' | b'&' | b'\n' | b'\r' | b'`')) {
            continue;
        }
        found = Suspicion::stronger(found, after(value, &text[..at], &text[at + 1..], byte, sign));
    }
    found
}

fn after(value: &Value<'_>, before: &str, rest: &str, byte: u8, sign: Sign) -> Option<Suspicion> {
    let spaced = rest.starts_with(' ') || rest.starts_with(['&', '|']);
    let rest = rest.trim_start_matches([
        ' ', '\t', ';', '|', '&', '(', '{', '!', '@', '<', '\n', '\r', '\'', '"', '+',
    ]);
    let (path, rest) = path_prefix(rest);
    let length = rest
        .bytes()
        .take_while(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'?' | b'*' | b'[' | b']')
        })
        .count();
    let (word, tail) = rest.split_at(length);
    let word = word.trim_end_matches('.');
    if path && word.contains(['?', '*', '[']) {
        return Suspicion::likely(Class::Command, "wildcard_path");
    }
    let stem = word.strip_suffix(".exe").unwrap_or(word);
    if word.is_empty() || !is_command(stem) {
        return None;
    }
    let common = COMMON.contains(&stem) && !path;
    let broken_out = sign == Sign::Between && !value.is_free() && breaks_out(before, byte, stem);
    let argument = has_argument(tail, sign, common)
        || known_pair(stem, tail)
        || redirects(stem, tail)
        || runs_another(stem, tail)
        || broken_out && (has_word(tail) || has_option(tail));
    let ends = ends_here(tail, byte, sign);
    let fits = path
        && (ends || argument || !tail.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/'))
        || WITH_ARGUMENTS.contains(&stem) && argument
        || ALONE.contains(&stem) && (ends || argument && !common);
    if !fits {
        return None;
    }
    // `fields=name|id` and `a&ip` are lists of names.
    let long = before.len() > 2;
    let listed = long
        && !matches!(byte, b';' | b'\n' | b'\r')
        && sign == Sign::Between
        && !spaced
        && !argument
        && !path
        && before.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b',' | b'|' | b'&' | b'=')
        });
    let lone = sign == Sign::Between
        && common
        && ends
        && !argument
        && spaced
        && before.trim_end_matches(['&', '|', ' ']).ends_with(char::is_alphabetic);
    // `docker run -v $(pwd):/app …` is a line of documentation.
    let documented = sign == Sign::Inside && before.split_ascii_whitespace().nth(2).is_some();
    // Inline code of Markdown is quoted with the same sign.
    let words = tail.split_once('`').is_some_and(|(_, after)| is_sentence(after));
    let quoted =
        byte == b'`' && (value.is_free() || before.ends_with(' ') && (before.len() > 12 || words));
    // A break of lines is a break of commands only in a value of one line.
    let broken = matches!(byte, b'\n' | b'\r');
    let sentence = broken && value.is_free() && !has_argument(tail, sign, true);
    // A line of its own in a text of more shows what is typed.
    let shown = broken && value.is_free() && tail.trim_end().contains('\n');
    let lines = broken && before.contains('\n') || sentence || shown;
    // `git log | head`: what a pipe only shows is typed by whoever wrote the rest too.
    let typed_before = before.rsplit('\n').next().unwrap_or_default().trim_start_matches('"');
    let piped = byte == b'|'
        && FILTERS.contains(&stem)
        && typed_before.split_ascii_whitespace().nth(1).is_some()
        && typed_before.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '#' | '$'));
    // Who writes a whole line begins with a command, who breaks out begins with a value.
    let first = before.split_ascii_whitespace().next().unwrap_or_default();
    let line = before.trim_end_matches([' ', '|', '&', ';']);
    let typed = sign == Sign::Between && spaced && is_command(first) && line.contains(' ');
    // `mysql> grant …` in a text: what a program prints to be typed behind.
    let prompt = value.is_free() && tail.starts_with("> ");
    if prompt || typed || listed || lone || quoted || lines || documented || piped {
        return Suspicion::hint(Class::Command, "command");
    }
    Suspicion::working(Class::Command, "command")
}

/// `sudo cat …`, `busybox nc …`: a command that is given another.
fn runs_another(stem: &str, tail: &str) -> bool {
    let runs = matches!(stem, "busybox" | "env" | "nohup" | "sudo" | "timeout" | "xargs");
    let mut words =
        tail.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    runs && words.next().is_some_and(is_command) && words.next().is_some()
}

/// `=cmd|' /C calc'!A0`: a cell of a table that asks another program.
fn asks_program(text: &str) -> bool {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@']);
    formula && text.split_once("|'").is_some_and(|(_, rest)| rest.contains("'!"))
}

/// Whether a value begins with the sign, or has it right between two words: nobody writes so.
fn breaks_out(before: &str, byte: u8, stem: &str) -> bool {
    let first = before.trim_matches([' ', '\'', '"', '&', '|', ';']).is_empty();
    let tight = byte == b';' && !before.contains(' ') && LOUD.contains(&stem);
    first && matches!(byte, b';' | b'|' | b'&') || tight
}

/// Whether a word follows, and little more.
fn has_word(tail: &str) -> bool {
    let mut words = tail.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    tail.starts_with([' ', '\t', '+'])
        && first.starts_with(|c: char| c.is_ascii_alphanumeric())
        && words.nth(1).is_none()
        && !tail.contains('|')
}

/// Whether words go on after a space.
fn is_sentence(after: &str) -> bool {
    let mut words = after.split(' ').skip(1).take(2);
    after.starts_with(' ')
        && words.all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic()))
}

fn ends_here(tail: &str, byte: u8, sign: Sign) -> bool {
    if tail.starts_with("\\n") || tail.starts_with("\\r") {
        return true;
    }
    let tail = tail.trim_start_matches([' ', '"', '\'', '\\']);
    match tail.bytes().next() {
        None => true,
        Some(b'`') => byte == b'`',
        Some(b')') => sign == Sign::Inside,
        Some(b';' | b'#' | b'\n' | b'\r' | b'}') => true,
        Some(b'|' | b'&') => byte != b'|' || tail.len() <= 2 || tail.starts_with("||"),
        Some(b'<' | b'>' | b'%') => true,
        _ => false,
    }
}
