//! Spellings of request targets: a table of known tricks, and any number of others put together by chance.
//!
//! `{p}` stands for the name of an API, `{h}` for the gateway's host and port.

/// What is to come of a target in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is forwarded with this path, and the query that it had.
    Goes(&'static str),
    /// It is refused with 400 and words that have these in them; none: for what is no request at all.
    Refused(&'static str),
    /// There is no such route.
    Nowhere,
}

use Fate::{Goes, Nowhere, Refused};

const DOTS: Fate = Refused("`.` or `..`");
const SEPARATOR: Fate = Refused("backslash");
const CHARACTER: Fate = Refused("must not be there");
const TWICE: Fate = Refused("encoded twice");
const EMPTY: Fate = Refused("empty segment");
const PARAMETER: Fate = Refused("`;`");
const PERCENT: Fate = Refused("two hexadecimal digits");
const UTF8: Fate = Refused("not UTF-8");
const FRAGMENT: Fate = Refused("a fragment");
const UNREAD: Fate = Refused("");

/// Targets that others have stumbled over, and plain ones beside them.
#[rustfmt::skip]
pub(super) const TABLE: &[(&str, Fate)] = &[
    ("/{p}/open/1", Goes("/{p}/open/1")),
    ("/{p}/open/", Goes("/{p}/open/")),
    ("/{p}/open/a/", Goes("/{p}/open/a/")),
    ("/{p}/open/caf%c3%a9", Goes("/{p}/open/caf%C3%A9")),
    ("/{p}/open/%61%2D%7e", Goes("/{p}/open/a-~")),
    ("/{p}/%6fpen/1", Goes("/{p}/open/1")),
    ("/{p}/open/a%20b", Goes("/{p}/open/a%20b")),
    ("/{p}/open/a+b", Goes("/{p}/open/a+b")),
    ("/{p}/open/a%2bb", Goes("/{p}/open/a%2Bb")),
    ("/{p}/open/%3f%23", Goes("/{p}/open/%3F%23")),
    ("/{p}/open/100%25", Goes("/{p}/open/100%25")),
    ("/{p}/open/a:b@c!$&'()*,=", Goes("/{p}/open/a:b@c!$&'()*,=")),
    ("/{p}/open/...", Goes("/{p}/open/...")),
    ("/{p}/open/..a", Goes("/{p}/open/..a")),
    ("/{p}/open/a..", Goes("/{p}/open/a..")),
    ("/{p}/open/.hidden", Goes("/{p}/open/.hidden")),
    ("/{p}/open/%ef%bc%8f", Goes("/{p}/open/%EF%BC%8F")),
    ("/{p}/open/%ef%bc%8e%ef%bc%8e", Goes("/{p}/open/%EF%BC%8E%EF%BC%8E")),
    ("/{p}/open/1?", Goes("/{p}/open/1")),
    ("/{p}/open/1??", Goes("/{p}/open/1")),
    ("/{p}/open/1?a=b&a=c;d", Goes("/{p}/open/1")),
    ("/{p}/open/1?a=/../{p}/closed/1", Goes("/{p}/open/1")),
    ("/{p}/open/1?a=%2e%2e%2f%00%zz", Goes("/{p}/open/1")),
    ("/{p}/open/1?a=\\..\\", Goes("/{p}/open/1")),
    ("http://{h}/{p}/open/1", Goes("/{p}/open/1")),
    ("HTTP://{h}/{p}/open/1", Goes("/{p}/open/1")),
    ("http://{h}/{p}/open/1?x", Goes("/{p}/open/1")),
    ("/{p}/cut/1?a", Goes("/1")),
    ("/{p}/cut/", Goes("/")),
    ("/{p}/cut/?/../", Goes("/")),
    ("/{p}/cut", Nowhere),
    ("/{p}/cut//{p}/closed/1", EMPTY),
    ("/{p}/cut/../closed/1", DOTS),
    ("/{p}/cut/%2e%2e/closed/1", DOTS),
    ("/{p}/open/../closed/1", DOTS),
    ("/{p}/open/./1", DOTS),
    ("/{p}/open/..", DOTS),
    ("/{p}/open/.", DOTS),
    ("/{p}/open/%2e%2e/closed/1", DOTS),
    ("/{p}/open/%2E./closed/1", DOTS),
    ("/{p}/open/.%2e/closed/1", DOTS),
    ("/{p}/open/%2e/1", DOTS),
    ("/../{p}/closed/1", DOTS),
    ("http://{h}/{p}/open/../closed/1", DOTS),
    ("http://{h}/{p}/open/%2e%2e/closed/1", DOTS),
    ("/{p}/open/..%2fclosed/1", SEPARATOR),
    ("/{p}/open/..%2Fclosed/1", SEPARATOR),
    ("/{p}%2fclosed/1", SEPARATOR),
    ("/{p}/open%2f1", SEPARATOR),
    ("/{p}/open/..%5cclosed/1", SEPARATOR),
    ("/{p}/open/..\\closed\\1", SEPARATOR),
    ("/{p}\\closed\\1", SEPARATOR),
    ("/{p}/open/%252e%252e/closed/1", TWICE),
    ("/{p}/open/..%252fclosed/1", TWICE),
    ("/{p}/open/%25%32%65", TWICE),
    ("/{p}/open/%25252e", TWICE),
    ("/{p}/open/..;/closed/1", PARAMETER),
    ("/{p}/open/..;a=b/closed/1", PARAMETER),
    ("/{p}/open/1;jsessionid=2", PARAMETER),
    ("/{p};/closed/1", PARAMETER),
    ("/{p}/open/%3b", PARAMETER),
    ("/{p}/closed;/1", PARAMETER),
    ("//{p}/closed/1", EMPTY),
    ("//{h}/{p}/closed/1", EMPTY),
    ("/{p}//closed/1", EMPTY),
    ("/{p}/open//1", EMPTY),
    ("/{p}/open///../closed/1", EMPTY),
    ("/{p}/open//", EMPTY),
    ("/{p}/open/1%00", CHARACTER),
    ("/{p}/open/1%0d%0aX:%20y", CHARACTER),
    ("/{p}/open/1%09", CHARACTER),
    ("/{p}/open/1%7f", CHARACTER),
    ("/{p}/open/\u{e9}", CHARACTER),
    ("/{p}/open/\u{ff0e}\u{ff0e}/closed/1", CHARACTER),
    ("/{p}/open/a|b", CHARACTER),
    ("/{p}/open/{a}", CHARACTER),
    ("/{p}/open/a\"b", CHARACTER),
    ("/{p}/open/a^b", CHARACTER),
    ("/{p}/open/a`b", UNREAD),
    ("/{p}/open/a[b]", CHARACTER),
    ("/{p}/open/a<b>", UNREAD),
    ("/{p}/open/a\u{0}", UNREAD),
    ("/{p}/open/a\u{7f}", UNREAD),
    ("/{p}/open/a\tb", UNREAD),
    ("/{p}/open/a b", UNREAD),
    // What is behind a `#` is not sent on, nor was it asked about.
    ("/{p}/open/1#/../../closed/1", FRAGMENT),
    ("/{p}/open/1?a#b?c", FRAGMENT),
    ("/{p}/closed/1#/public", FRAGMENT),
    ("/{p}/open/%", PERCENT),
    ("/{p}/open/%2", PERCENT),
    ("/{p}/open/%zz", PERCENT),
    ("/{p}/open/%u002e%u002e/closed/1", PERCENT),
    ("/{p}/open/%+2e", PERCENT),
    ("/{p}/open/%c0%ae%c0%ae/closed/1", UTF8),
    ("/{p}/open/..%c0%afclosed/1", UTF8),
    ("/{p}/open/%e0%80%af", UTF8),
    ("/{p}/open/%f0%80%80%af", UTF8),
    ("/{p}/open/%ff%fe", UTF8),
    ("/{p}/open/%ed%a0%80", UTF8),
    ("http://other.example/{p}/open/1", Refused("differ")),
    ("http://u@{h}/{p}/open/1", Refused("differ")),
    ("http://{h}@other.example/{p}/open/1", Refused("differ")),
    ("ftp://{h}/{p}/open/1", Refused("not a path")),
    ("{h}", Refused("not a path")),
    ("*", Refused("not a path")),
    ("{p}/open/1", UNREAD),
    ("http:/{p}/open/1", UNREAD),
    ("http:///{p}/open/1", UNREAD),
    ("?/{p}/open/1", UNREAD),
    ("/{P}/open/1", Nowhere),
    ("/{p}/OPEN/1", Nowhere),
    ("/{p}/open", Nowhere),
    ("/{p}/closed", Nowhere),
    ("/{p}/closed./1", Nowhere),
    ("/{p}/closed%20/1", Nowhere),
    ("/{p}/open./1", Nowhere),
    ("/{p}/Closed/1", Nowhere),
    ("/{p}/clo%C5%BFed/1", Nowhere),
    ("http://{h}", Nowhere),
    ("http://{h}?/{p}/open/1", Nowhere),
    ("/", Nowhere),
];

const BEGINNINGS: &[&str] = &[
    "/{p}/open/",
    "/{p}/open/",
    "/{p}/open/",
    "/{p}/closed/",
    "/{p}/closed/1/",
    "/{p}/open/1/",
    "/{p}/",
    "/{p}/cut/",
    "/",
    "//",
    "http://{h}/{p}/open/",
    "http://{h}/{p}/closed/",
    "http://{h}",
    "/{p}",
    "/.//{p}/closed/",
];

/// Of these, what is harmless is there several times, so that not everything is refused.
const PIECES: &[&str] = &[
    "/",
    "/",
    "/",
    "/",
    "/",
    "a",
    "b",
    "1",
    "42",
    "x-y",
    "open",
    "closed",
    "{p}",
    "private",
    "public",
    "a",
    "b",
    "1",
    "42",
    "x-y",
    "_",
    "~",
    "!",
    "$",
    "&",
    "'",
    "(",
    ")",
    "*",
    "+",
    ",",
    "=",
    ":",
    "@",
    "%20",
    "%41",
    "%7e",
    "%7E",
    "%2d",
    "%c3%a9",
    "%C3%A9",
    "%e2%82%ac",
    "%3d",
    "%3f",
    "%23",
    "%26",
    "%25",
    "...",
    "a.",
    ".a",
    ".json",
    "?",
    "?q=1",
    "&r=2",
    "%40",
    "%ef%bc%8f",
    ".",
    "..",
    "%2e",
    "%2E",
    "%2e%2e",
    ".%2e",
    "/../",
    "/./",
    "%252e",
    "%2f",
    "%2F",
    "%5c",
    "\\",
    "//",
    ";",
    "%3b",
    ";a=b",
    "%00",
    "%0a",
    "%0d%0a",
    "%09",
    "%",
    "%2",
    "%zz",
    "%u002e",
    "%c0%ae",
    "%c0%af",
    "%ff",
    "\u{e9}",
    "|",
    "^",
    "`",
    "{",
    "\"",
    "[",
    "%7c",
    "%7B",
    "%5e",
    "%22",
    "%3c",
    "%25%32%65",
];

/// Numbers that are the same in every run (SplitMix64).
pub(super) struct Chance(pub(super) u64);

// === impl Chance ===

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).expect("small")
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    /// Another target.
    pub(super) fn target(&mut self) -> String {
        let mut target = self.one(BEGINNINGS).to_owned();
        for _ in 0..self.below(5) {
            target += self.one(PIECES);
        }
        target
    }
}
