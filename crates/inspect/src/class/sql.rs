//! SQL: a value that ends its quotes or parentheses and goes on as a statement.

use crate::class::sql_token::{Token, tokens};
use crate::finding::Class;
use crate::judge::{Suspicion, Value};

use Token::{
    Close, Comma, Comment, Compare, Inline, Joint, Number, Open, Operator, Quote, Semicolon,
    Variable, Word,
};

/// Statements that a semicolon begins.
const STATEMENTS: [&str; 24] = [
    "select", "insert", "update", "delete", "drop", "create", "alter", "exec", "execute",
    "declare", "waitfor", "shutdown", "truncate", "merge", "grant", "call", "begin", "set", "use",
    "copy", "if", "with", "replace", "load",
];
/// Functions that wait, read or run: nobody puts them into a value.
const FUNCTIONS: [&str; 28] = [
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
const JOINTS: [&str; 14] = [
    "or", "and", "xor", "like", "rlike", "regexp", "div", "mod", "sounds", "is", "in", "between",
    "not", "having",
];
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
struct Pieces<'t>(Vec<Token<'t>>);

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
            Open => pieces.inner_select(at),
            Compare => pieces.compared(at),
            _ => None,
        };
        found = Suspicion::stronger(found, suspicion);
    }
    found.or_else(|| second_opinion(value, &pieces))
}

impl Pieces<'_> {
    fn get(&self, at: usize) -> Option<Token<'_>> {
        self.0.get(at).copied()
    }

    /// Neighbours are asked first: names are compared only where one can stand.
    fn is_function(&self, at: usize, word: &str) -> bool {
        let called = matches!(self.get(at + 1), Some(Open | Token::Dot)) || word.starts_with("xp_");
        called && FUNCTIONS.contains(&word)
    }

    fn is_schema(&self, at: usize, word: &str) -> bool {
        let named =
            matches!(self.before(at), Some(Word("from" | "join" | "into") | Token::Dot | Open));
        named && SCHEMAS.contains(&word)
    }

    fn before(&self, at: usize) -> Option<Token<'_>> {
        at.checked_sub(1).and_then(|at| self.get(at))
    }

    /// Whether a value ends right before `at`: with a quote, a parenthesis, a number, or at the start.
    fn breaks(&self, at: usize) -> bool {
        matches!(self.before(at), None | Some(Quote(_) | Close | Number | Inline | Comment))
    }

    fn quoted(&self, at: usize) -> bool {
        let mut at = at;
        while matches!(self.before(at), Some(Close | Inline)) {
            at -= 1;
        }
        matches!(self.before(at), Some(Quote(_)))
    }

    /// Whether what follows `at` ends the value, but for closing signs and a comment.
    fn ends(&self, at: usize) -> bool {
        self.0[at.min(self.0.len())..]
            .iter()
            .take_while(|token| !matches!(token, Comment | Inline))
            .all(|token| matches!(token, Close | Quote(_) | Semicolon))
    }

    fn has_word(&self, range: std::ops::Range<usize>, words: &[&str]) -> bool {
        let end = range.end.min(self.0.len());
        let range = range.start.min(end)..end;
        self.0[range].iter().any(|token| matches!(token, Word(word) if words.contains(word)))
    }

    /// `union [all] select` with columns.
    fn union(&self, at: usize) -> Option<Suspicion> {
        let mut next = at + 1;
        while matches!(
            self.get(next),
            Some(Word("all" | "distinct" | "distinctrow") | Open | Inline | Comment | Quote(b'`'))
        ) {
            next += 1;
        }
        if self.get(next) != Some(Word("select")) {
            return None;
        }
        let statement = self.has_word(0..at, &["select"]);
        while matches!(self.get(next + 1), Some(Inline | Open | Word("all" | "distinct"))) {
            next += 1;
        }
        let columns = match (self.get(next + 1), self.get(next + 2)) {
            (Some(Number | Variable | Quote(_) | Operator), _) => true,
            (Some(Word("null")), _) => true,
            (Some(Word(_)), Some(Comma | Open | Word("from") | Comment | Inline | Token::Dot)) => {
                true
            }
            (None, _) => true,
            _ => self.has_word(next..next + 40, &["from"]),
        };
        match (statement, columns) {
            (false, true) if self.breaks(at) && at > 0 => {
                Suspicion::sure(Class::Sql, "union_select")
            }
            (false, true) => Suspicion::likely(Class::Sql, "union_select"),
            (true, true) if self.quoted(at) => Suspicion::likely(Class::Sql, "union_select"),
            _ => None,
        }
    }

    /// One operand from `at` on: where it ends, and whether it is a constant.
    fn operand(&self, at: usize) -> Option<(usize, bool)> {
        let mut at = at;
        while matches!(self.get(at), Some(Open | Operator | Word("not" | "binary") | Inline)) {
            at += 1;
        }
        match self.get(at)? {
            Number | Variable => Some((at + 1, true)),
            Word("true" | "false" | "null") => Some((at + 1, true)),
            Quote(sign) => {
                let close = (at + 1..self.0.len().min(at + 8))
                    .find(|at| self.get(*at) == Some(Quote(sign)));
                Some((close.map_or(self.0.len(), |close| close + 1), true))
            }
            Word(_) => {
                let mut end = at + 1;
                while self.get(end) == Some(Token::Dot) && end < at + 4 {
                    end += 2;
                }
                if self.get(end) == Some(Open) {
                    let close =
                        (end..self.0.len().min(end + 24)).find(|at| self.get(*at) == Some(Close));
                    return Some((close.map_or(self.0.len(), |close| close + 1), false));
                }
                Some((end, false))
            }
            _ => None,
        }
    }

    /// `or 1=1`, `and 'a'='a`, `or true--` after a break.
    fn condition(&self, at: usize) -> Option<Suspicion> {
        let breaks = self.breaks(at);
        let (end, constant) = self.operand(at + 1)?;
        let mut end = end;
        while matches!(self.get(end), Some(Close | Inline)) {
            end += 1;
        }
        let compares = matches!(
            self.get(end),
            Some(
                Compare
                    | Word(
                        "like" | "rlike" | "regexp" | "is" | "in" | "between" | "not" | "sounds"
                    )
            )
        );
        if compares {
            let (after, other) = self.operand(end + 1).unwrap_or((end + 1, false));
            let cut = self.0[after.min(self.0.len())..]
                .iter()
                .any(|token| matches!(token, Comment | Inline));
            return match (constant && other, breaks) {
                (true, true) if self.quoted(at) && (self.ends(after) || cut) && at <= 12 => {
                    Suspicion::sure(Class::Sql, "tautology")
                }
                (true, _)
                    if self.get(at + 1) != Some(Open)
                        || breaks
                        || self.get(end + 1) == Some(Open) =>
                {
                    Suspicion::likely(Class::Sql, "tautology")
                }
                (false, _) if self.same(at, end) && (breaks || at == 0) => {
                    Suspicion::likely(Class::Sql, "tautology")
                }
                (false, true) if constant && self.get(end + 2) == Some(Open) => {
                    Suspicion::likely(Class::Sql, "condition")
                }
                (false, true) if self.quoted(at) || cut || (self.ends(after) && at == 1) => {
                    Suspicion::likely(Class::Sql, "condition")
                }
                _ => Suspicion::hint(Class::Sql, "condition"),
            };
        }
        // `' or ''^'`: nothing but quotes and signs up to the end.
        let signs =
            |token: &Token<'_>| matches!(token, Quote(_) | Operator | Compare | Close | Comment);
        let words = self.0[..at].iter().filter(|token| matches!(token, Word(_))).count();
        if self.quoted(at) && words < 2 && self.0[at + 1..].iter().all(signs) {
            return Suspicion::likely(Class::Sql, "truth");
        }
        let named = matches!(self.get(at + 1), Some(Quote(_)));
        let single = matches!(self.before(at), Some(Quote(b'\'') | Close));
        let cut = matches!(self.get(end), Some(Comment));
        if constant && breaks && cut {
            return Suspicion::likely(Class::Sql, "truth");
        }
        let joins = matches!(self.get(end), Some(Joint | Operator));
        if constant && breaks && self.quoted(at) && single && !named && (joins || self.ends(end)) {
            return Suspicion::likely(Class::Sql, "truth");
        }
        None
    }

    /// Whether a name is compared with itself, or two letters with one another.
    fn same(&self, at: usize, compare: usize) -> bool {
        let left = at + 1;
        match (self.get(left), self.get(compare), self.get(compare + 1)) {
            (Some(Word(left)), Some(Compare), Some(Word(right))) => {
                left == right || (left.len() + right.len() == 2 && (at == 0 || self.quoted(at)))
            }
            _ => false,
        }
    }

    /// `and (select …`, `or exists(…`, `and ascii(substr(…`.
    fn subquery(&self, at: usize) -> Option<Suspicion> {
        let near = at + 1..at + 7;
        if self.breaks(at)
            && self.has_word(near.clone(), &["select", "exists"])
            && self.0[at..].contains(&Open)
        {
            return Suspicion::likely(Class::Sql, "subquery");
        }
        let calls = (near.start..near.end).any(|at| {
            matches!(self.get(at), Some(Word(word)) if FUNCTIONS.contains(&word))
                && self.get(at + 1) == Some(Open)
        });
        (calls && self.breaks(at)).then_some(())?;
        if self.quoted(at) {
            Suspicion::sure(Class::Sql, "function")
        } else {
            Suspicion::likely(Class::Sql, "function")
        }
    }

    /// `; drop table x`.
    fn stacked(&self, at: usize) -> Option<Suspicion> {
        let mut next = at + 1;
        while matches!(self.get(next), Some(Inline | Semicolon)) {
            next += 1;
        }
        let Some(Word(word)) = self.get(next) else { return None };
        STATEMENTS.contains(&word).then_some(())?;
        let fits = match (word, self.get(next + 1)) {
            ("select", Some(Word(_) | Number | Operator | Variable | Quote(_) | Open)) => {
                self.has_word(
                    next..next + 40,
                    &["from", "sleep", "pg_sleep", "load_file", "version"],
                ) || matches!(self.get(next + 1), Some(Number | Variable))
            }
            (
                "drop" | "create" | "alter" | "truncate",
                Some(Word(
                    "table" | "database" | "user" | "view" | "function" | "procedure" | "schema"
                    | "index" | "login" | "or" | "column",
                )),
            ) => true,
            ("insert", Some(Word("into"))) => true,
            ("delete", Some(Word("from"))) => true,
            ("update", Some(Word(_))) => self.has_word(next + 2..next + 5, &["set"]),
            ("waitfor", Some(Word("delay" | "time"))) => true,
            ("exec" | "execute" | "declare", Some(Word(_) | Variable | Open)) => true,
            ("shutdown", None | Some(Comment | Semicolon | Word("with"))) => true,
            ("if" | "begin", _) => self
                .has_word(next..next + 30, &["waitfor", "declare", "exec", "select", "shutdown"]),
            ("grant", Some(Word(_))) => self.has_word(next..next + 20, &["to"]),
            ("copy", Some(Word(_))) => self.has_word(next..next + 20, &["program", "from", "to"]),
            ("load", Some(Word("data" | "xml"))) => true,
            _ => false,
        };
        fits.then_some(())?;
        let cut = self.0[next..].contains(&Comment);
        match (self.quoted(at), cut) {
            (true, true) if !self.has_word(0..at, &STATEMENTS) => {
                Suspicion::sure(Class::Sql, "stacked")
            }
            (false, false) if self.has_word(0..at, &STATEMENTS) => {
                Suspicion::hint(Class::Sql, "stacked")
            }
            _ => Suspicion::likely(Class::Sql, "stacked"),
        }
    }

    /// `admin'--`, `x') #`, `1/**/or`: a comment that cuts the rest off.
    fn cut(&self, at: usize) -> Option<Suspicion> {
        let mut start = at;
        while matches!(self.before(start), Some(Close | Semicolon | Inline)) {
            start -= 1;
        }
        let quoted = matches!(self.before(start), Some(Quote(b'\'' | b'"')));
        let quotes = self.0[..at].iter().filter(|token| matches!(token, Quote(_))).count();
        let last =
            self.get(at + 1).is_none() || (at + 3 >= self.0.len() && self.get(at) == Some(Comment));
        let words = self.0[..at].iter().filter(|token| matches!(token, Word(_))).count();
        let alone = at == 1 && quoted;
        if quoted && quotes % 2 == 1 && (last || alone) && words < 3 {
            return Suspicion::likely(Class::Sql, "quote_comment");
        }
        None
    }

    /// Clauses that only a statement has.
    fn clause(&self, at: usize) -> Option<Suspicion> {
        let next = |n: usize| self.get(at + n);
        let fits = match self.get(at)? {
            Word("order" | "group") if next(1) == Some(Word("by")) => {
                let cut = self.0[at..].contains(&Comment) || self.0[at..].contains(&Inline);
                (matches!(next(2), Some(Number))
                    && (self.quoted(at) || cut || at == 1 || at == 0 && self.ends(at + 3)))
                    || (self.quoted(at) && cut)
            }
            Word("limit") => {
                matches!(next(1), Some(Number))
                    && self.has_word(at..at + 8, &["into", "procedure", "union"])
            }
            Word("procedure") => next(1) == Some(Word("analyse")),
            Word("into") => {
                matches!(next(1), Some(Word("outfile" | "dumpfile"))) && next(2).is_some()
            }
            Word("waitfor") => {
                matches!(next(1), Some(Word("delay" | "time")))
                    && matches!(next(2), Some(Quote(_) | Variable))
            }
            Word("exec" | "execute") => {
                matches!(next(1), Some(Word(name)) if name.starts_with("xp_") || name.starts_with("sp_") || name == "master" || name == "immediate")
                    || (next(1) == Some(Open)
                        && matches!(next(2), Some(Quote(_) | Variable | Word("char"))))
            }
            _ => false,
        };
        if fits { Suspicion::likely(Class::Sql, "clause") } else { None }
    }

    fn function(&self, at: usize) -> Option<Suspicion> {
        let Some(Word(name)) = self.get(at) else { return None };
        let package =
            matches!(name, "dbms_pipe" | "dbms_lock" | "utl_http" | "utl_inaddr" | "ctxsys");
        if package && self.get(at + 1) == Some(Token::Dot) {
            return Suspicion::likely(Class::Sql, "function");
        }
        if name.starts_with("xp_") {
            return Suspicion::likely(Class::Sql, "function");
        }
        let nested = matches!(
            self.get(at + 2),
            Some(Word(
                "substring"
                    | "substr"
                    | "mid"
                    | "length"
                    | "version"
                    | "user"
                    | "database"
                    | "lower"
            ))
        );
        let common = matches!(name, "ascii" | "substring" | "substr" | "mid" | "exp") && !nested;
        let argument = matches!(
            self.get(at + 2),
            Some(Number | Quote(_) | Open | Word(_) | Operator | Variable)
        );
        if self.get(at + 1) != Some(Open) || !argument || common {
            return None;
        }
        let whole = self.ends(at + 4) && at == 0;
        if whole
            || self.breaks(at)
            || matches!(
                self.before(at),
                Some(
                    Operator
                        | Open
                        | Comma
                        | Joint
                        | Word("select" | "and" | "or" | "by" | "then" | "else")
                )
            )
        {
            return Suspicion::likely(Class::Sql, "function");
        }
        None
    }

    fn schema(&self, at: usize) -> Option<Suspicion> {
        let dotted = self.get(at + 1) == Some(Token::Dot);
        if dotted || self.get(at) != Some(Word("mysql")) {
            return Suspicion::likely(Class::Sql, "schema");
        }
        None
    }

    /// `case when … then`, `if(1=1, …`.
    fn choice(&self, at: usize) -> Option<Suspicion> {
        let case = self.get(at + 1) == Some(Word("when")) && self.has_word(at..at + 30, &["then"]);
        let call = self.get(at + 1) == Some(Open)
            && self.0[at..].iter().take(16).any(|token| *token == Compare)
            && self.has_word(
                at..at + 40,
                &[
                    "sleep",
                    "benchmark",
                    "select",
                    "pg_sleep",
                    "version",
                    "user",
                    "substring",
                    "now",
                    "sysdate",
                ],
            );
        if call || case && at > 0 {
            return Suspicion::likely(Class::Sql, "choice");
        }
        None
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
        // `A' % 'B`: the text goes on after what was put between.
        let quotes = self.0.iter().filter(|token| matches!(token, Quote(_))).count();
        let last = self.0.iter().rposition(|token| matches!(token, Quote(_))).unwrap_or(at);
        let tail = self.0.len() - last - 1;
        let plain = last == at + 2
            && matches!((self.get(at + 1), self.0.last()), (Some(Word(_)), Some(Word(_))));
        let fits =
            quotes == 2 && at <= 2 && tail <= 1 && last > at && joins(self.before(last)) && !plain;
        if self.get(at) == Some(Quote(b'\'')) && fits && self.0.len() <= 24 {
            return Suspicion::likely(Class::Sql, "glued");
        }
        Suspicion::hint(Class::Sql, "glued")
    }

    /// `(select …`: a statement in place of a value.
    fn inner_select(&self, at: usize) -> Option<Suspicion> {
        if self.get(at + 1) != Some(Word("select")) {
            return None;
        }
        let statement = self.has_word(0..at, &["select", "from", "insert", "with"]);
        if statement
            || !self.breaks(at)
                && !matches!(self.before(at), Some(Operator | Comma | Compare | Open))
        {
            return None;
        }
        Suspicion::likely(Class::Sql, "inner_select")
    }

    /// `'='`, `'=0--+`, `'<>'`: a comparison right after a quote that nothing opened.
    fn compared(&self, at: usize) -> Option<Suspicion> {
        let quoted = matches!(self.before(at), Some(Quote(b'\'')));
        let quotes = self.0[..at].iter().filter(|token| matches!(token, Quote(_))).count();
        let short = self.0.len() <= 8;
        let fits = matches!(self.get(at + 1), Some(Quote(b'\'') | Number | Open | Operator));
        if quoted && quotes == 1 && fits && short {
            return Suspicion::likely(Class::Sql, "comparison");
        }
        None
    }
}

/// Fingerprints of known injections; taken only where a value really breaks out.
fn second_opinion(value: &Value<'_>, pieces: &Pieces<'_>) -> Option<Suspicion> {
    let breaks = pieces
        .0
        .iter()
        .any(|token| matches!(token, Quote(b'\'' | b'"') | Comment | Inline | Open | Semicolon));
    let quotes = pieces.0.iter().filter(|token| matches!(token, Quote(b'\'' | b'"'))).count();
    let says = quotes % 2 == 1
        && pieces.0.iter().any(|token| matches!(token, Word(_) | Joint | Compare | Comment));
    if !breaks || !says || value.text.len() > 2_048 || pieces.0.len() < 3 {
        return None;
    }
    if !libinjectionrs::detect_sqli(value.text.as_bytes()).is_injection() {
        return None;
    }
    let statement = matches!(pieces.get(0), Some(Word(word)) if STATEMENTS.contains(&word));
    if !statement {
        Suspicion::likely(Class::Sql, "fingerprint")
    } else {
        Suspicion::hint(Class::Sql, "fingerprint")
    }
}
