//! What a command has before and after it: its folder, its options, the file that it writes to.

use crate::class::command::Sign;
use crate::class::xss::window;

/// Between a command and the file that it writes to there is not more.
const LONGEST_REDIRECT: usize = 256;

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
