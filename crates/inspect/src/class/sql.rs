//! SQL: a value that ends its quotes or parentheses and goes on as a statement.

use crate::class::sql_statement::is_package;
use crate::class::sql_token::{Token, tokens};
use crate::finding::Class;
use crate::judge::{Strength, Suspicion, Value};
use crate::mark;

use Token::{
    Close, Comment, Compare, Inline, Joint, Number, Open, Operator, Quote, Semicolon, Word,
};

/// Statements that a semicolon begins.
pub(super) const STATEMENTS: [&str; 31] = [
    "select", "insert", "update", "delete", "drop", "create", "alter", "exec", "execute",
    "declare", "waitfor", "shutdown", "truncate", "merge", "grant", "call", "begin", "set", "use",
    "copy", "if", "with", "replace", "load", "rename", "revoke", "pragma", "handler", "notify",
    "listen", "prepare",
];
/// Functions that wait, read or run: nobody puts them into a value.
pub(super) const FUNCTIONS: [&str; 28] = [
    "sleep",
    "benchmark",
    "pg_sleep",
    "extractvalue",
    "updatexml",
    "load_file",
    "xp_cmdshell",
    "randomblob",
    "xp_dirtree",
    "xp_regread",
    "dbms_pipe",
    "dbms_lock",
    "utl_http",
    "utl_inaddr",
    "ctxsys",
    "generate_series",
    "sp_executesql",
    "openrowset",
    "json_depth",
    "json_keys",
    "json_extract",
    "ascii",
    "substring",
    "substr",
    "mid",
    "gtid_subset",
    "exp",
    "make_set",
];
/// Words that join two values.
pub(super) const JOINTS: [&str; 17] = [
    "or", "and", "xor", "like", "rlike", "regexp", "div", "mod", "sounds", "is", "in", "between",
    "not", "having", "ilike", "glob", "similar",
];
/// Rules that a whole statement can break too.
const REACHING: [&str; 4] = ["constant_choice", "function", "schema", "union_select"];
/// Fingerprints are of short values: longer ones are judged by the rules alone.
const LONGEST_FINGERPRINT: usize = 512;
/// Names of a database's own tables.
const SCHEMAS: [&str; 14] = [
    "information_schema",
    "sysobjects",
    "syscolumns",
    "pg_catalog",
    "sqlite_master",
    "sysusers",
    "all_tables",
    "user_tables",
    "pg_user",
    "pg_shadow",
    "mysql",
    "sysdatabases",
    "sysibm",
    "msysaccessobjects",
];

/// The pieces of a value, and what the rules ask of them.
pub(super) struct Pieces<'t>(pub(super) Vec<Token<'t>>);

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let pieces = Pieces(tokens(&value.lower));
    let mut found = None;
    for at in 0..pieces.0.len() {
        let suspicion = match pieces.0[at] {
            Word("union") => pieces.union(at),
            Word(
                "or" | "and" | "xor" | "having" | "where" | "div" | "rlike" | "like" | "in" | "not",
            )
            | Joint => Suspicion::stronger(pieces.condition(at), pieces.subquery(at)),
            Semicolon => pieces.stacked(at),
            Comment | Inline => pieces.cut(at),
            Word(
                "order" | "group" | "limit" | "procedure" | "into" | "waitfor" | "exec" | "execute",
            ) => pieces.clause(at),
            Word(word) if pieces.is_function(at, word) => pieces.function(at),
            Word(word) if pieces.is_schema(at, word) => pieces.schema(at),
            Word("case" | "if" | "iif") => pieces.choice(at),
            Quote(_) => pieces.glued(at),
            Word("update" | "insert" | "delete" | "drop" | "grant")
                if matches!(pieces.before(at), Some(Number | Quote(_))) =>
            {
                pieces.stacked(at - 1)
            }
            Word("cast" | "convert") => pieces.cast(at),
            Open => pieces.inner_select(at),
            Compare => pieces.compared(at),
            _ => None,
        };
        found = Suspicion::stronger(found, suspicion);
    }
    if value.marks.any(mark::EQUALS)
        && value.marks.any(mark::PAREN)
        && is_self_compared(&value.lower)
    {
        found = Suspicion::stronger(found, Suspicion::working(Class::Sql, "tautology"));
    }
    // A statement that is whole breaks out of nothing: only what it reaches for counts.
    let reaches = found.is_some_and(|found| REACHING.contains(&found.rule));
    if pieces.is_statement() && !reaches {
        return pieces.spying().or_else(|| pieces.cut_statement(value.text));
    }
    let found = found.filter(|found| found.strength > Strength::Hint).or_else(|| {
        Suspicion::stronger(
            found,
            pieces.interposed(value.text).or_else(|| pieces.cut_number(value.text)),
        )
    });
    Suspicion::stronger(found, pieces.spying()).or_else(|| second_opinion(value, &pieces))
}

impl Pieces<'_> {
    pub(super) fn get(&self, at: usize) -> Option<Token<'_>> {
        self.0.get(at).copied()
    }

    /// Neighbours are asked first: names are compared only where one can stand.
    fn is_function(&self, at: usize, word: &str) -> bool {
        let called = matches!(self.get(at + 1), Some(Open | Token::Dot)) || word.starts_with("xp_");
        called && (FUNCTIONS.contains(&word) || is_package(word))
    }

    fn is_schema(&self, at: usize, word: &str) -> bool {
        let named = matches!(
            self.before(at),
            Some(Word("from" | "join" | "into") | Token::Dot | Token::Other | Open)
        );
        named && SCHEMAS.contains(&word)
    }

    pub(super) fn before(&self, at: usize) -> Option<Token<'_>> {
        at.checked_sub(1).and_then(|at| self.get(at))
    }

    /// Whether it is one statement from its first word on.
    fn is_statement(&self) -> bool {
        let told = |token: &&Token<'_>| matches!(token, Word("explain" | "analyze"));
        let first = self.0.iter().take_while(told).count();
        let part = match self.get(first) {
            Some(Word("select" | "delete" | "with")) => "from",
            Some(Word("update")) => "set",
            Some(Word("insert")) => "into",
            Some(Word("create" | "alter")) => "table",
            _ => return false,
        };
        self.has_word(1..64, &[part])
    }

    /// Whether it is a filter of an API: `status = 'open' and …`.
    pub(super) fn is_filter(&self) -> bool {
        let mut at = 1;
        while self.get(at) == Some(Token::Dot) && matches!(self.get(at + 1), Some(Word(_))) {
            at += 2;
        }
        let compared = Some(Compare) == self.get(at)
            || matches!(
                self.get(at),
                Some(Word(
                    "eq" | "ne" | "gt" | "ge" | "lt" | "le" | "in" | "is" | "between" | "like"
                ))
            );
        matches!(self.get(0), Some(Word(_))) && compared
    }

    /// Whether a value ends right before `at`: with a quote, a parenthesis, a number, or at the start.
    pub(super) fn breaks(&self, at: usize) -> bool {
        matches!(self.before(at), None | Some(Quote(_) | Close | Number | Inline | Comment))
    }

    pub(super) fn quoted(&self, at: usize) -> bool {
        let mut at = at;
        while matches!(self.before(at), Some(Close | Inline)) {
            at -= 1;
        }
        matches!(self.before(at), Some(Quote(_)))
    }

    /// Whether what follows `at` ends the value, but for closing signs and a comment.
    pub(super) fn ends(&self, at: usize) -> bool {
        self.0[at.min(self.0.len())..]
            .iter()
            .take_while(|token| !matches!(token, Comment | Inline))
            .all(|token| matches!(token, Close | Quote(_) | Semicolon))
    }

    pub(super) fn has_word(&self, range: std::ops::Range<usize>, words: &[&str]) -> bool {
        let end = range.end.min(self.0.len());
        let range = range.start.min(end)..end;
        self.0[range].iter().any(|token| matches!(token, Word(word) if words.contains(word)))
    }

    /// `admin'--`, `x') #`, `1/**/or`: a comment that cuts the rest off.
    fn cut(&self, at: usize) -> Option<Suspicion> {
        let last =
            self.get(at + 1).is_none() || (at + 3 >= self.0.len() && self.get(at) == Some(Comment));
        // What stands before is counted for the last one alone: a text may have many.
        if !last && at != 1 {
            return None;
        }
        let mut start = at;
        while matches!(self.before(start), Some(Close | Semicolon | Inline)) {
            start -= 1;
        }
        let quoted = matches!(self.before(start), Some(Quote(b'\'' | b'"')));
        let quotes = self.0[..at].iter().filter(|token| matches!(token, Quote(_))).count();
        let words = self.0[..at].iter().filter(|token| matches!(token, Word(_))).count();
        let alone = at == 1 && quoted;
        if last
            && self.begins_quoted()
            && self.has_word(0..at, &["select"])
            && self.has_word(0..at, &["from"])
        {
            return Suspicion::likely(Class::Sql, "quoted_statement");
        }
        if quoted && quotes % 2 == 1 && (last || alone) && words < 3 {
            return Suspicion::working(Class::Sql, "quote_comment");
        }
        None
    }

    /// Whether the second or third piece is a quote that nothing opened.
    fn begins_quoted(&self) -> bool {
        let quotes = self.0.iter().filter(|token| matches!(token, Quote(_))).count();
        quotes % 2 == 1 && self.0.iter().take(3).any(|token| matches!(token, Quote(_)))
    }

    /// `'||(select …)||'`, `'+(…)+'`, `'||'`: a text glued to what follows.
    fn glued(&self, at: usize) -> Option<Suspicion> {
        let joins = |token: Option<Token<'_>>| match token {
            Some(Joint | Operator | Compare) => true,
            Some(Word(word)) => JOINTS.contains(&word),
            _ => false,
        };
        if !joins(self.get(at + 1)) {
            return None;
        }
        if self.has_word(at + 2..at + 8, &["select", "case"])
            || matches!(self.get(at + 2), Some(Word(word)) if FUNCTIONS.contains(&word))
        {
            return Suspicion::likely(Class::Sql, "glued");
        }
        // `'||f(1)||'`, `'or'1=1`: a call between two texts, a choice behind an empty one.
        let ends = matches!(self.0.last(), Some(Quote(_))) && joins(self.before(self.0.len() - 1));
        let called = ends && self.0.len() <= 40 && self.0.contains(&Open);
        let chosen = matches!(
            self.0[at..],
            [_, Word(_) | Joint, Quote(_), Number, Compare, Number]
                | [_, Word(_) | Joint, Quote(_), Number, Compare, Number, Quote(_)]
        );
        if at == 0 && self.0.len() > 3 && (called || chosen) {
            return Suspicion::likely(Class::Sql, "glued");
        }
        // `1'-1/user--'`: a sum, and the rest cut off.
        let sum = matches!((self.get(at + 1), self.get(at + 2)), (Some(Operator), Some(Number)));
        if sum && at <= 1 && self.0.len() <= 16 && self.0[at..].contains(&Comment) {
            return Suspicion::likely(Class::Sql, "glued");
        }
        // `A' % 'B`: the text goes on after what was put between.
        if at > 2 || self.0.len() > 24 {
            return Suspicion::hint(Class::Sql, "glued");
        }
        let quotes = self.0.iter().filter(|token| matches!(token, Quote(_))).count();
        let last = self.0.iter().rposition(|token| matches!(token, Quote(_))).unwrap_or(at);
        let tail = self.0.len() - last - 1;
        let plain = last == at + 2
            && matches!((self.get(at + 1), self.0.last()), (Some(Word(_)), Some(Word(_))));
        let fits = quotes == 2 && tail <= 1 && last > at && joins(self.before(last)) && !plain;
        if self.get(at) == Some(Quote(b'\'')) && fits {
            return Suspicion::likely(Class::Sql, "glued");
        }
        Suspicion::hint(Class::Sql, "glued")
    }

    /// `'='`, `'=0--+`, `'<>'`: a comparison right after a quote that nothing opened.
    fn compared(&self, at: usize) -> Option<Suspicion> {
        if self.0.len() > 8 {
            return None;
        }
        let quoted = matches!(self.before(at), Some(Quote(b'\'')));
        let quotes = self.0[..at].iter().filter(|token| matches!(token, Quote(_))).count();
        let fits = matches!(self.get(at + 1), Some(Quote(b'\'') | Number | Open | Operator));
        if quoted && quotes == 1 && fits {
            return Suspicion::likely(Class::Sql, "comparison");
        }
        None
    }
}

/// `(4711=4711`: a number compared with itself, where a question was opened.
fn is_self_compared(text: &str) -> bool {
    text.match_indices('=').any(|(at, _)| {
        let left = text[..at].bytes().rev().take_while(u8::is_ascii_digit).count();
        let (before, left) = text[..at].split_at(at - left);
        let rest = &text[at + 1..];
        let right = rest.bytes().take_while(u8::is_ascii_digit).count();
        !left.is_empty()
            && left == &rest[..right]
            && before.trim_end().ends_with('(')
            && rest[right..].trim_start().starts_with([')', ','])
    })
}

/// Fingerprints of known injections; taken only where a value really breaks out.
fn second_opinion(value: &Value<'_>, pieces: &Pieces<'_>) -> Option<Suspicion> {
    let says = |token: &Token<'_>| match token {
        Joint | Compare | Comment | Inline | Semicolon => true,
        Word(word) => JOINTS.contains(word) || STATEMENTS.contains(word) || *word == "union",
        _ => false,
    };
    if value.text.len() > LONGEST_FINGERPRINT
        || pieces.0.len() < 3
        || quotes(value.text).is_multiple_of(2)
    {
        return None;
    }
    if !pieces.0.iter().any(says)
        || !libinjectionrs::detect_sqli(value.text.as_bytes()).is_injection()
    {
        return None;
    }
    let statement = matches!(pieces.get(0), Some(Word(word)) if STATEMENTS.contains(&word));
    if statement {
        Suspicion::hint(Class::Sql, "fingerprint")
    } else {
        Suspicion::likely(Class::Sql, "fingerprint")
    }
}

/// Quotes that are no apostrophes: not between two letters.
fn quotes(text: &str) -> usize {
    let bytes = text.as_bytes();
    let letter =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let quotes = bytes.iter().enumerate().filter(|(_, byte)| matches!(byte, b'\'' | b'"'));
    quotes.filter(|(at, _)| !(letter(at.checked_sub(1)) && letter(Some(at + 1)))).count()
}
