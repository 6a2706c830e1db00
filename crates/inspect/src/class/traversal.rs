//! Paths that climb out of their folder, and files that nobody asks an API for.

use crate::finding::Class;
use crate::judge::{Position, Suspicion, Value};

/// Files that tell secrets: nobody asks an API for them.
const SECRETS: &[&str] = &[
    "etc/passwd",
    "etc/shadow",
    "etc/sudoers",
    "etc/group",
    "proc/self/",
    "proc/version",
    "proc/cmdline",
    "win.ini",
    "boot.ini",
    "system.ini",
    "windows/system32",
    "winnt/",
    "web-inf/",
    ".ssh/id",
    "id_rsa",
    ".htpasswd",
    ".htaccess",
    ".git/config",
    "config/sam",
    "ntuser.dat",
    "bash_history",
    ".xauthority",
    "global.asa",
    "repair/s",
    "authorized_keys",
];
/// Files that a climb may lead to, and whose names are ordinary by themselves.
const INNER: &[&str] = &[
    "etc/",
    "proc/",
    "meta-inf/",
    ".ssh/",
    "var/log",
    "var/adm",
    "var/lib",
    "web.config",
    "php.ini",
    "my.cnf",
    "httpd.conf",
    "inetpub",
    "error_log",
    "access_log",
    "error.log",
    "access.log",
    "usr/local",
    "windows/",
    ".env",
];
/// Schemes by which a file is named like an address.
const SCHEMES: [&str; 8] = [
    "php://",
    "file://",
    "zip://",
    "phar://",
    "expect://",
    "data://",
    "glob://",
    "compress.zlib://",
];

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let text = spelled(&value.lower);
    if SCHEMES.iter().any(|scheme| text.trim_start().starts_with(scheme)) {
        return Suspicion::likely(Class::Traversal, "file_scheme");
    }
    let secret = SECRETS.iter().any(|name| text.contains(name));
    let inner = INNER.iter().any(|name| text.contains(name));
    if encoded_dots(&value.lower) {
        return Suspicion::likely(Class::Traversal, "encoded_dots");
    }
    if overlong(&value.lower) {
        return Suspicion::likely(Class::Traversal, "overlong");
    }
    let climbs = climbs(&text);
    let relative = Position::Path == value.position || Position::Query == value.position;
    if climbs > 0 && (secret || inner && climbs > 1) {
        return if value.is_free() {
            Suspicion::likely(Class::Traversal, "climb_to_secret")
        } else {
            Suspicion::sure(Class::Traversal, "climb_to_secret")
        };
    }
    let spaced = text.trim().contains(' ');
    let dots = text.matches("/./").count() + text.matches("/.../").count();
    let opens =
        (text.starts_with("/..") || text.starts_with("..")) && climbs >= 2 && !is_source(&text);
    if (opens || dots >= 2 && !is_source(&text)) && !spaced && !text.contains("://") {
        return Suspicion::likely(Class::Traversal, "climb");
    }
    let folder = text.starts_with('/') && inner;
    if folder && value.position.is_one_line() && !spaced {
        return Suspicion::likely(Class::Traversal, "system_file");
    }
    if climbs >= 3 && !(is_source(&text) && climbs <= 4) && !spaced {
        return Suspicion::likely(Class::Traversal, "climb");
    }
    if climbs > 0 && relative && !spaced && !is_source(&text) && !text.contains("://") {
        return Suspicion::likely(Class::Traversal, "climb");
    }
    if climbs > 0
        && (text.contains("..../")
            || text.contains("..;/")
            || (text.contains(".././") && !is_source(&text)))
    {
        return Suspicion::likely(Class::Traversal, "climb");
    }
    if secret && !spaced && is_absolute(&text) && !text.contains("://") {
        return Suspicion::likely(Class::Traversal, "secret_file");
    }
    if value.text.starts_with("\\\\") && (text.contains("/c$/") || text.contains("/admin$/")) {
        return Suspicion::likely(Class::Traversal, "share");
    }
    None
}

/// Bytes that begin no character of UTF-8, or one that hides a dot or a slash; twice, so that a letter of
/// Latin-1 is none.
pub(crate) fn overlong(lower: &str) -> bool {
    let forms = [
        "%c0%", "%c1%", "%f8%80", "%fc%80", "%f0%80", "%e0%80", "%uf025", "%u2215", "%u2216",
        "%uff0e", "%uefc8", "%bg%qf",
    ];
    lower.contains('%') && forms.iter().map(|form| lower.matches(form).count()).sum::<usize>() >= 2
}

/// Two dots of which one is encoded: nobody has to encode a dot.
fn encoded_dots(text: &str) -> bool {
    if !text.contains(['%', '0']) {
        return false;
    }
    let forms = [
        "%252e",
        "%c0%ae",
        "%c0%2e",
        "%e0%80%ae",
        "%uff0e",
        "%u002e",
        "0x2e",
        "%%32%65",
        "%%32%%65",
        "%2e",
    ];
    let marked = forms.iter().fold(text.to_owned(), |text, form| text.replace(form, "\u{1}"));
    ["\u{1}\u{1}", ".\u{1}", "\u{1}."].iter().any(|pair| marked.contains(pair))
        && marked.contains(['/', '\\', '%', '0'])
}

/// One sign for a step, however it is spelled.
fn spelled(text: &str) -> String {
    let text = text.replace('\\', "/").replace('\0', "");
    if !text.contains("0x2") && !text.contains("2f") && !text.contains("0x5c") {
        return text;
    }
    text.replace("0x2e", ".").replace("0x2f", "/").replace("0x5c", "/").replace("..2f", "../")
}

/// How many steps up there are, whatever they are padded with.
fn climbs(text: &str) -> usize {
    let mut count = 0;
    for (at, _) in text.match_indices("..") {
        let before = text[..at].chars().next_back();
        // A row of dots is looked at once, from its start.
        if before == Some('.') {
            continue;
        }
        let dots = text[at + 2..].bytes().take_while(|b| matches!(b, b'.' | b';')).count();
        let rest = &text[at + 2 + dots..];
        let begins = before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != ')');
        let steps = rest.starts_with('/') || (rest.is_empty() && dots == 0 && before == Some('/'));
        count += usize::from(begins && steps);
    }
    count
}

/// Files of source code are named from one another.
fn is_source(text: &str) -> bool {
    let ends = [
        ".ts", ".js", ".tsx", ".jsx", ".css", ".scss", ".md", ".rs", ".py", ".go", ".html", ".png",
        ".svg", ".json", ".jpg", ".vue", ".java", ".c", ".h", ".hpp", ".cpp", ".toml", ".yaml",
        ".yml", ".proto", ".sh", ".lock", ".pdf", ".csv", ".mjs",
    ];
    let clean = text.trim_end_matches([')', '"', '\'', ';', '`']);
    ends.iter().any(|end| clean.ends_with(end))
        || text.contains("/src")
        || text.contains("/lib")
        || text.contains("/node_modules")
}

fn is_absolute(text: &str) -> bool {
    let text = text.trim_start_matches(['"', '\'']);
    text.starts_with('/')
        || text.starts_with('.')
        || text.get(1..3) == Some(":/")
        || SECRETS.iter().any(|name| text.starts_with(name))
}
