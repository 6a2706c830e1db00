//! Words that make a closer look worth while, found in one pass over a value.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};

/// A set of groups of such words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lures(u16);

pub(crate) const SQL: u16 = 1;
pub(crate) const SCRIPT: u16 = 1 << 1;
pub(crate) const COMMAND: u16 = 1 << 2;
pub(crate) const PATH: u16 = 1 << 3;
pub(crate) const XPATH: u16 = 1 << 4;
pub(crate) const URL: u16 = 1 << 5;
pub(crate) const MARKUP: u16 = 1 << 6;
pub(crate) const DOCUMENT: u16 = 1 << 7;

pub(crate) const NOSQL: u16 = 1 << 8;
pub(crate) const LDAP: u16 = 1 << 9;
pub(crate) const SQL_JOINT: u16 = 1 << 10;

const WORDS: [(u16, &[&str]); 11] = [
    (
        NOSQL,
        &[
            "$", "this.", "return", "new date", "sleep(", "while(", "process.", "db.", "tojson(",
            "emit(", "==",
        ],
    ),
    (LDAP, &[")(", ") (", "(|", "(&", "(!", "*)", "*(", ":=", "*|"]),
    (
        SQL,
        &[
            "union",
            "select",
            "||",
            "&&",
            "--",
            "';",
            "\";",
            "drop ",
            "insert ",
            "delete ",
            "update ",
            "exec",
            "declare ",
            "waitfor",
            "sleep",
            "benchmark",
            "having",
            "order by",
            "group by",
            "outfile",
            "load_file",
            "@@",
            "schema",
            "rlike",
            "shutdown",
            "procedure",
            "sqlite",
            "pg_",
            "utl_",
            "dbms_",
            "json_",
            "substr",
            "version(",
            "ascii(",
            "sys.",
            "sysobjects",
            "grant ",
            "truncate",
            "extractvalue",
            "updatexml",
        ],
    ),
    // These say something only beside a sign.
    (
        SQL_JOINT,
        &[
            "or ", " or", "and ", " and", "/*", "limit ", "like ", "xor", "sys", "'=", "'+", "' ",
            "')", "'#", "\"=", "\")", "\"#", "regexp", "between", "div ", "merge ", "char(",
            "chr(", "concat", "or(", "and(", "if(", "case", "'or", "'and", "' in", "'*", "'-",
            "'/", "'^", "'|", "'&", "'%", "'<", "'>", "'!", "=0x", "0x", " where", "create ",
            "alter ", "or/", "or\t", "or\n", "'\t", "'\n", "and\n", "or+", "or'", "or\"",
        ],
    ),
    (
        SCRIPT,
        &[
            "script",
            "alert",
            "confirm",
            "prompt",
            "eval",
            "document",
            "top[",
            "self[",
            "parent[",
            "frames[",
            ".find(",
            "onerror",
            "onload",
            "onmouse",
            "onfocus",
            "onclick",
            "onpointer",
            "onkey",
            "ontoggle",
            "onstart",
            "onanim",
            "ontrans",
            "onbegin",
            "onwheel",
            "onscroll",
            "oncopy",
            "oncut",
            "onpaste",
            "ondrag",
            "onhash",
            "onpage",
            "onmessage",
            "onblur",
            "onchange",
            "oninput",
            "onsubmit",
            "onselect",
            "onresize",
            "ontouch",
            "onend",
            "onrepeat",
            "onshow",
            "onplay",
            "oncan",
            "onfinish",
            "onbounce",
            "onun",
            "onafter",
            "onbefore",
            "onauxclick",
            "ondbl",
            "onfull",
            "oninvalid",
            "onpop",
            "onreset",
            "onsearch",
            "onseek",
            "onstorage",
            "onsuspend",
            "ontime",
            "onvolume",
            "onwait",
            "onwebkit",
            "onx",
            "data:text",
            "expression",
            "constructor",
            "fromcharcode",
            "window",
            "settimeout",
            "import(",
            "location",
            "innerhtml",
            "fetch(",
            "\\x",
            "\\u00",
            "<",
            "atob(",
        ],
    ),
    (
        COMMAND,
        &[
            "/bin/",
            "cmd",
            "powershell",
            "/etc/",
            "cat ",
            "ping ",
            "curl ",
            "wget ",
            "nc ",
            "bash",
            "sh -",
            "system(",
            "exec(",
            "popen",
            "passthru",
            "() {",
            "(){",
            "ifs",
            "dir ",
            "netstat",
            "ipconfig",
            "<!--#",
            "<esi:",
            "<?",
            "python",
            "perl",
            "php",
            "nslookup ",
            "whoami",
            "ls ",
            "/dev/tcp",
            "ncat",
            "certutil",
            "rm -",
            "type ",
            "net ",
            "import ",
            "require(",
        ],
    ),
    (
        PATH,
        &[
            "../",
            "..\\",
            "..;",
            "/..",
            "\\..",
            "/etc/",
            "passwd",
            "win.ini",
            "boot.ini",
            "system32",
            "/proc/",
            "web-inf",
            "php://",
            "file:",
            ".ssh",
            ".htaccess",
            ".htpasswd",
            ".git/",
            ".env",
            "\\\\",
            "/var/log",
            "c:\\",
            "c:/",
            "....",
            "0x2e",
            "/./",
            "..2f",
            "windows/",
            "windows\\",
            "ntuser",
            "id_rsa",
            "..%",
            "%2e",
            "%c0",
            "%c1",
            "%f8%80",
            "%fc%80",
            "%f0%80",
            "%uf025",
            "%u221",
            "%uff0e",
            "%e0%80",
            "zip://",
            "phar:",
            "expect:",
            "data:",
            "/root",
            "shadow",
            "web.config",
        ],
    ),
    (
        XPATH,
        &[
            "::",
            "position()",
            "count(",
            "text()",
            "name(",
            "string-length",
            "node()",
            "'//",
            " //",
            "(//",
            "|//",
            ",//",
            "[//",
            "=//",
            "]|",
            "] |",
            "substring(",
            "starts-with",
            "contains(",
            "doc(",
            "last()",
            "or '",
            "or \"",
            "']",
            "/*",
            "true()",
        ],
    ),
    (
        URL,
        &[
            "://",
            "localhost",
            "169.254",
            "metadata",
            "//",
            "file:",
            "gopher:",
            "dict:",
            "jar:",
            "ldap:",
            "netdoc:",
            "phar:",
            "sftp:",
            "tftp:",
            "expect:",
            "php:",
            "100.100.100.200",
            "[::",
        ],
    ),
    (
        MARKUP,
        &["{{", "${", "#{", "<%", "{%", "*{", "[[", "@(", "<#", "#set", "{php", "~[", "{=", "$("],
    ),
    (
        DOCUMENT,
        &[
            "<!doctype",
            "<!entity",
            "xinclude",
            "xi:include",
            "schemalocation",
            "<xs:",
            "xml-stylesheet",
            "<!element",
        ],
    ),
];

static AUTOMATON: LazyLock<Option<(AhoCorasick, Vec<u16>)>> = LazyLock::new(|| {
    let (mut words, mut groups) = (Vec::new(), Vec::new());
    for (group, list) in WORDS {
        words.extend_from_slice(list);
        groups.resize(words.len(), group);
    }
    let automaton = AhoCorasickBuilder::new()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words);
    Some((automaton.ok()?, groups))
});

// === impl Lures ===

impl Lures {
    const ALL: Self = Self(u16::MAX);

    pub(crate) fn of(text: &str) -> Self {
        // An automaton that cannot be built would make every value suspicious, never none.
        let Some((automaton, groups)) = &*AUTOMATON else { return Self::ALL };
        let mut found = 0;
        for hit in automaton.find_overlapping_iter(text) {
            found |= groups.get(hit.pattern().as_usize()).copied().unwrap_or(0);
        }
        if text.trim_start().starts_with("//") {
            found |= XPATH | URL | PATH;
        }
        Self(found)
    }

    pub(crate) fn any(self, groups: u16) -> bool {
        self.0 & groups != 0
    }
}
