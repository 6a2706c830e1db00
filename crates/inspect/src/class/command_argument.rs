//! What a command has before and after it: its folder, its options, the file that it writes to.

use crate::class::command::Sign;
use crate::class::xss::window;

/// Between a command and the file that it writes to there is not more.
const LONGEST_REDIRECT: usize = 256;
/// What is given to a command begins with its options.
const OPTION_WITHIN: usize = 3;
/// A line that a value is made of is not longer.
const LONGEST_LINE: usize = 256;

/// `/bin/`, `/usr/bin/`, `c:\windows\`, also with wildcards.
pub(super) fn path_prefix(text: &str) -> (bool, &str) {
    let length = text
        .bytes()
        .take_while(|b| {
            !matches!(
                b,
                b' ' | b';'
                    | b'|'
                    | b'&'
                    | b'`'
                    | b')'
                    | b'\n'
                    | b'<'
                    | b'>'
                    | b'"'
                    | b'\''
                    | b'$'
                    | b','
                    | b'='
            )
        })
        .count();
    let mut head = &text[..length];
    if head.starts_with('/') {
        head = head.split('\\').next().unwrap_or(head);
    }
    let absolute = head.starts_with('/') || head.starts_with("c:\\") || head.starts_with("~/");
    let Some(last) = head.rfind(['/', '\\']).filter(|_| absolute) else { return (false, text) };
    let folder = &head[..last];
    let known = ["bin", "sbin", "system32", "b?n", "b*", "?in", "usr", "???"]
        .iter()
        .any(|name| folder.ends_with(name));
    if known { (true, &text[last + 1..]) } else { (false, text) }
}

/// Whether what follows a command is an argument, and no sentence.
pub(super) fn has_argument(tail: &str, sign: Sign, common: bool) -> bool {
    let Some(first) = tail.bytes().next() else { return false };
    if matches!(first, b'<' | b'>' | b'$') {
        return !common || first == b'<';
    }
    if first == b',' {
        // `{cat,/etc/passwd}`: a brace's comma is a space.
        return tail[1..].starts_with(['/', '-']);
    }
    if !matches!(first, b' ' | b'\t' | b'+') {
        return false;
    }
    let argument = tail.trim_start_matches([' ', '\t', '+', '"', '\'']);
    let word: &str =
        argument.split([' ', ';', '|', '&', '`', ')', '\n', '"', '\'']).next().unwrap_or_default();
    if is_argument(word) || is_address(word) || matches!(word, "*" | "." | "/") {
        return true;
    }
    let name = word.contains('.') && !word.ends_with('.')
        || word.bytes().all(|b| b.is_ascii_digit()) && !word.is_empty();
    match (sign, common) {
        (Sign::Inside, _) => !word.is_empty(),
        (Sign::Between, true) => name && !uncommented(argument).contains(' '),
        (Sign::Between, false) => {
            name || argument.split_ascii_whitespace().nth(2).is_none() && !word.is_empty()
        }
    }
}

/// What a command is given, without the comment that cuts the rest off.
fn uncommented(argument: &str) -> &str {
    argument.split(['#', ';', '|', '&']).next().unwrap_or_default().trim_end()
}

/// Whether a word is an option, a path, an address or a variable, and no word of a sentence.
pub(super) fn is_argument(word: &str) -> bool {
    word.starts_with(['-', '/', '$', '~', '<', '>', '*', '{', '\\']) && word.len() > 1
        || word.starts_with("./")
        || word.starts_with("../")
        || word.contains("://")
        || word.starts_with("c:\\")
}

/// Whether an option is one of the first words: `Start-Sleep -s 5`, `telnetd -p 4444`.
pub(super) fn has_option(tail: &str) -> bool {
    let command = tail.split([';', '|', '&', '\n']).next().unwrap_or_default();
    let mut words = command.split_ascii_whitespace().take(OPTION_WITHIN);
    tail.starts_with([' ', '\t', '+']) && words.any(is_option)
}

/// `--upload-pack=touch /tmp/x`, `ext::sh -c id`: a value that a program takes for an option of its own, by which
/// it is told to run another one.
pub(super) fn names_program(text: &str) -> bool {
    let options = [
        "proxycommand=",
        "upload-pack=",
        "receive-pack=",
        "sshcommand=",
        "compress-program=",
        "checkpoint-action=",
    ];
    let text = text.trim_start();
    text.starts_with('-') && options.iter().any(|option| text.contains(option))
        || text.strip_prefix("ext::").is_some_and(|program| program.contains(' '))
}

fn is_option(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    matches!(word.len() - name.len(), 1 | 2)
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.ends_with(['.', ':', '!', '?'])
}

/// `; ss -tulpn`, `| mail -s x a@b </etc/passwd`, `;setsid cat /etc/passwd`: a value that begins with the end of a
/// command, and goes on as only a command does, whatever it is called.
pub(super) fn begins_command(text: &str, is_command: impl Fn(&str) -> bool) -> bool {
    let first = text.bytes().find(|b| !matches!(b, b'\'' | b'"' | b' '));
    if !matches!(first, Some(b';' | b'|' | b'&')) {
        return false;
    }
    let rest = text.trim_start_matches(['\'', '"', ' ']);
    let line = rest.trim_start_matches([';', '|', '&', ' ']);
    let signs = &rest[..rest.len() - line.len()];
    // A row of a table has the sign behind each of its cells too.
    let row = signs.starts_with('|') && !signs.starts_with("||") && line.contains('|');
    if row || text.len() > LONGEST_LINE || text.contains('\n') {
        return false;
    }
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let tail = line.trim_start_matches(name);
    let mut words = tail.split_ascii_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let given = |word: &str| is_option(word) || word.starts_with('/') && word[1..].contains('/');
    line.starts_with(|c: char| c.is_ascii_alphabetic())
        && tail.starts_with([' ', '\t'])
        && (signs == ";" && rest.len() == text.len() && is_short_line(tail)
            || given(first)
            || is_command(first) && is_argument(second))
}

/// One to three plain words: `docker ps`, `aws s3 ls`.
fn is_short_line(tail: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/');
    let words = || tail.split_ascii_whitespace();
    words().count() <= 3 && words().all(|text| text.bytes().all(word))
}

/// `echo 1 > /var/www/x.txt`: what a command says goes to a file.
pub(super) fn redirects(stem: &str, tail: &str) -> bool {
    let says = matches!(stem, "echo" | "printf" | "cat" | "type" | "dir" | "ls" | "id" | "whoami");
    let appends = window(tail, LONGEST_REDIRECT).split_once(">>").map(|(_, to)| to.trim_start());
    if says && appends.is_some_and(|to| to.starts_with(|c: char| c.is_ascii_alphanumeric())) {
        return true;
    }
    let file = window(tail, LONGEST_REDIRECT)
        .split_once('>')
        .map(|(_, to)| to.trim_start_matches(['>', ' ', '+']));
    let file = file.and_then(|to| to.split([' ', ';', '&', '+']).next());
    says && file.is_some_and(|name| name.contains(['/', '.', '\\']))
}

/// Commands of Windows that are words, with their own words.
pub(super) fn known_pair(stem: &str, tail: &str) -> bool {
    let next = tail.trim_start_matches([' ', '+']);
    let word = next.split([' ', '&', '|', ';', '+']).next().unwrap_or_default();
    match stem {
        "net" => matches!(
            word,
            "user" | "view" | "localgroup" | "share" | "use" | "start" | "group" | "accounts"
        ),
        "reg" => matches!(word, "add" | "query" | "delete" | "save" | "export"),
        "netsh" => matches!(word, "firewall" | "advfirewall" | "interface" | "wlan"),
        "sc" => matches!(word, "query" | "create" | "start" | "stop" | "config"),
        "type" | "dir" | "copy" | "del" => {
            word.starts_with(['%', '/', '\\']) || word.get(1..3) == Some(":\\")
        }
        _ => false,
    }
}

fn is_address(word: &str) -> bool {
    word.split('.').count() == 4 && word.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_unknown_commands_are_told_from_lists() {
        let begins = |text: &str| begins_command(text, |word| word == "cat");
        for text in [
            ";ss -tulpn",
            "'; xterm -display a.example:1",
            "| mail -s x a@b.example < /etc/passwd",
            "&& setsid cat /etc/passwd",
            "|| xdg-open /tmp/x/y",
            ";docker ps",
            ";aws s3 ls",
        ] {
            assert!(begins(text), "{text}");
        }
        for text in [
            "; charset=utf-8",
            "& Co. KG - Berlin",
            "| name -f | size |",
            "ss -tulpn",
            "; the cat sat",
            "& sons - since 1950",
            "; see /docs",
            ";a, b and c",
            ";one two three four five",
            "'; and more",
        ] {
            assert!(!begins(text), "{text}");
        }
    }

    #[test]
    fn options_that_run_programs_are_told_from_others() {
        for text in ["--upload-pack=touch /tmp/x", "-oproxycommand=id", "ext::sh -c id"] {
            assert!(names_program(text), "{text}");
        }
        for text in ["--output=a", "see --upload-pack=a", "ext::a", "ext: sh -c", "-5"] {
            assert!(!names_program(text), "{text}");
        }
    }

    #[test]
    fn options_are_told_from_dashes() {
        assert!(has_option(" Start-Sleep -s 5") && has_option(" --all"));
        for tail in [" a - b", " -5", " 1 2 3 -x", "x -y", " -, or", " ---a"] {
            assert!(!has_option(tail), "{tail}");
        }
    }
}
