//! Paths that climb out of their folder, and files that nobody asks an API for.

use crate::finding::Class;
use crate::judge::{Position, Suspicion, Value};
use crate::mark;

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
    ".ssh/",
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

/// Folders of a system with what is asked for in them; other files there are named like any other.
const SYSTEM: [(&str, &[&str]); 4] = [
    (
        "etc/",
        &[
            "issue",
            "motd",
            "hosts",
            "hostname",
            "services",
            "crontab",
            "fstab",
            "resolv.conf",
            "profile",
            "mtab",
            "networks",
            "shells",
            "inittab",
            "ssh/",
            "apache",
            "httpd/",
            "nginx/",
            "mysql/",
            "my.cnf",
            "php",
            "init.d/",
            "rc.",
            "sysconfig/",
            "pam.d/",
            "security/",
            "cron",
            "samba/",
            "vsftpd",
            "proftpd",
            "pure-ftpd",
            "exports",
            "redhat-release",
            "debian_version",
            "os-release",
            "lsb-release",
            "environment",
            "master.passwd",
            "aliases",
            "ftp",
            "bash",
            "network/",
            "ssl/private",
            "kubernetes/",
            "tomcat",
            "lighttpd",
            "snmp",
            "at.",
        ],
    ),
    (
        "proc/",
        &[
            "self",
            "version",
            "cpuinfo",
            "meminfo",
            "mounts",
            "net/",
            "cmdline",
            "sched_debug",
            "partitions",
            "filesystems",
            "sys/",
            "swaps",
            "stat",
            "modules",
            "1/",
            "[0-9]",
        ],
    ),
    (
        "var/log/",
        &[
            "apache", "httpd", "nginx", "auth", "syslog", "messages", "secure", "mysql", "vsftpd",
            "proftpd", "mail", "lastlog", "wtmp", "faillog", "xferlog", "access", "error", "cron",
            "boot", "kern", "dmesg", "lighttpd", "exim", "ftp", "user", "daemon", "debug", "dpkg",
        ],
    ),
    ("usr/local/", &["apache", "etc/", "php", "nginx", "mysql", "tomcat", "www"]),
];
/// Files of servers, wherever they are installed.
const SERVER_FILES: [&str; 20] = [
    "access.log",
    "access_log",
    "apache2.conf",
    "bash_history",
    "error.log",
    "error_log",
    "httpd.conf",
    "lighttpd.conf",
    "my.cnf",
    "my.ini",
    "mysql.log",
    "nginx.conf",
    "php.ini",
    "php5.ini",
    "proftpd.conf",
    "sshd_config",
    "tomcat-users.xml",
    "vsftpd.conf",
    "web.config",
    ".bash_history",
];
/// Paths that no API has as steps of its own.
const NEVER_STEPS: [&str; 11] = [
    "etc/passwd",
    "etc/shadow",
    "web-inf/",
    "windows/win.ini",
    "system32/cmd.exe",
    "proc/self/",
    ".git/config",
    ".ssh/id",
    "boot.ini",
    ".aws/credentials",
    ".git/head",
];

/// Folders that a system keeps to itself, and what its files end in: a value of one line names none of these.
const OWN: [&str; 3] = ["/etc/", "/proc/", "/var/log/"];
const SETTINGS: [&str; 6] = [".cfg", ".cnf", ".conf", ".config", ".ini", ".log"];

/// Whether the steps of a path as it was sent lead to a file that tells secrets.
pub(crate) fn names_secret(path: &str) -> bool {
    let lower = collapsed(&path.to_ascii_lowercase());
    NEVER_STEPS.iter().any(|name| lower.contains(name))
}

/// A slash for several; those of an address stay.
fn collapsed(text: &str) -> String {
    if !text.contains("//") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for read in text.chars() {
        let scheme = out.strip_suffix(":/").is_some_and(|name| name.len() != 1);
        if read != '/' || !out.ends_with('/') || scheme {
            out.push(read);
        }
    }
    out
}

fn is_system_file(text: &str) -> bool {
    let rest = text.trim_start_matches(['/', '"', '\'']);
    let file = rest.rsplit('/').next().unwrap_or(rest);
    let served = SERVER_FILES.iter().any(|name| file.starts_with(name));
    served
        || SYSTEM.iter().any(|(folder, names)| {
            rest.strip_prefix(folder)
                .is_some_and(|rest| names.iter().any(|name| rest.starts_with(name)))
        })
}

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let text = spelled(&value.lower);
    if SCHEMES.iter().any(|scheme| text.trim_start().starts_with(scheme)) {
        return Suspicion::likely(Class::Traversal, "file_scheme");
    }
    if names_scheme(&text) {
        return Suspicion::likely(Class::Traversal, "file_scheme");
    }
    let straight = text.contains("/./").then(|| text.replace("/./", "/"));
    let straight = straight.as_deref().unwrap_or(&text);
    let secret = SECRETS.iter().any(|name| straight.contains(name));
    let inner = INNER.iter().any(|name| text.contains(name));
    if encoded_dots(&value.lower) || is_encoded_step(&value.lower) {
        return Suspicion::likely(Class::Traversal, "encoded_dots");
    }
    if overlong(&value.lower) {
        return Suspicion::working(Class::Traversal, "overlong");
    }
    let climbs = climbs(&text);
    let relative = Position::Path == value.position || Position::Query == value.position;
    if climbs > 0 && (secret || inner && climbs > 1) {
        return if value.is_free() {
            Suspicion::working(Class::Traversal, "climb_to_secret")
        } else {
            Suspicion::sure(Class::Traversal, "climb_to_secret")
        };
    }
    // No client sends a step up in a path: it takes the step.
    let stepped = value.position == Position::Path
        && climbs > 0
        && value.marks.any(mark::PERCENT | mark::SLASH | mark::BACKSLASH);
    if stepped && !text.contains("://") {
        return Suspicion::likely(Class::Traversal, "climb");
    }
    let spaced = text.trim().contains(' ');
    let one_line = value.position.is_one_line();
    let steps = text.split('/').filter(|step| *step == "...").count();
    let dots = text.matches("/./").count() + steps.saturating_sub(1);
    let opens = (text.starts_with("/..") || text.starts_with("..")) && climbs >= 2;
    let opens = opens && (!is_source(&text) || one_line && !is_library(&text));
    if (opens || dots >= 2 && !is_source(&text)) && !spaced && !text.contains("://") {
        return Suspicion::likely(Class::Traversal, "climb");
    }
    let drive = text.get(1..3) == Some(":/");
    let system = (text.starts_with('/') || drive)
        && is_system_file(text.get(2..).filter(|_| drive).unwrap_or(&text));
    let rooted = one_line
        && OWN.iter().any(|folder| text.starts_with(folder))
        && SETTINGS.iter().any(|end| text.ends_with(end));
    if (system || rooted || drive && inner) && !spaced {
        return Suspicion::likely(Class::Traversal, "system_file");
    }
    if climbs >= 3 && (one_line || !(is_source(&text) && climbs <= 4)) && !spaced {
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
    let last = text.rsplit("../").next().unwrap_or_default();
    if climbs > 0 && !spaced && (is_system_file(last) || is_settings(last)) {
        return Suspicion::likely(Class::Traversal, "climb_to_system");
    }
    let named = secret && is_absolute(&text) || NEVER_STEPS.iter().any(|name| text.contains(name));
    if named && !spaced && !text.contains("://") {
        return Suspicion::likely(Class::Traversal, "secret_file");
    }
    if value.text.starts_with("\\\\") && (text.contains("/c$/") || text.contains("/admin$/")) {
        return Suspicion::likely(Class::Traversal, "share");
    }
    None
}

/// `page=php://input`: a file's scheme as the value of a parameter that stands in the value.
fn names_scheme(text: &str) -> bool {
    text.match_indices("://").any(|(at, sign)| {
        let named = |scheme: &&str| text[..at + sign.len()].strip_suffix(*scheme);
        let named = |scheme: &&str| named(scheme).is_some_and(|before| before.ends_with('='));
        SCHEMES.iter().any(named)
    })
}

/// Bytes that begin no character of UTF-8, or one that hides a dot or a slash; twice, so that a letter of
/// Latin-1 is none.
pub(crate) fn overlong(lower: &str) -> bool {
    let forms = [
        "%c0%", "%c1%", "%f8%80", "%fc%80", "%f0%80", "%e0%80", "%uf025", "%u2215", "%u2216",
        "%uff0e", "%uefc8", "%bg%qf",
    ];
    let hits = || forms.iter().flat_map(|form| lower.match_indices(form));
    // Behind two dots one is enough.
    lower.contains('%')
        && (hits().count() >= 2 || hits().any(|(at, _)| lower[..at].ends_with("..")))
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

/// `..%5c`, `..%252f`: nothing but a step up whose slash is encoded, which nobody has to do.
fn is_encoded_step(text: &str) -> bool {
    let Some(rest) = text.trim().strip_prefix("..%") else { return false };
    let slash = |rest: &str| ["2f", "5c"].contains(&rest.trim_start_matches("25"));
    slash(rest) || matches!(rest, "u002f" | "u005c" | "00/" | "00\\")
}

/// One sign for a step, however it is spelled.
fn spelled(text: &str) -> String {
    let text = collapsed(&text.replace('\\', "/").replace('\0', ""));
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
        let padding = |b: &u8| matches!(b, b'.' | b';' | b'%' | 1..=8 | 14..=31);
        let dots = text[at + 2..].bytes().take_while(padding).count();
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
    ends.iter().any(|end| clean.ends_with(end)) || is_library(text)
}

/// Folders in which sources are.
fn is_library(text: &str) -> bool {
    text.contains("/src") || text.contains("/lib") || text.contains("/node_modules")
}

/// `.env`, `.env.production`: the secrets of a program, beside which its sources are.
fn is_settings(file: &str) -> bool {
    file.strip_prefix(".env").is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn is_absolute(text: &str) -> bool {
    let text = text.trim_start_matches(['"', '\'']);
    text.starts_with('/')
        || text.starts_with('.')
        || text.get(1..3) == Some(":/")
        || SECRETS.iter().any(|name| text.starts_with(name))
}
