//! SQL statements and their parts: unions, stacked statements, clauses, functions, tables of the database's own.

use crate::class::sql::{Pieces, STATEMENTS};
use crate::class::sql_token::Token;
use crate::finding::Class;
use crate::judge::Suspicion;

use Token::{
    Comma, Comment, Compare, Inline, Joint, Number, Open, Operator, Quote, Semicolon, Variable,
    Word,
};

/// Beginnings of names that only a database has.
const INNER: [&str; 10] = [
    "pg_",
    "syscat",
    "sysibm",
    "dbms_",
    "utl_",
    "all_tab",
    "dba_",
    "v$",
    "current_setting",
    "rdb$",
];

fn asks_database(name: &str) -> bool {
    INNER.iter().any(|start| name.starts_with(start))
}

/// Packages of a database that only its own people call.
pub(super) fn is_package(name: &str) -> bool {
    name == "ctxsys" || name.starts_with("dbms_") || name.starts_with("utl_")
}

impl Pieces<'_> {
    /// `select @@version`, `select * from pg_user`: a whole statement about the database itself.
    pub(super) fn spying(&self) -> Option<Suspicion> {
        let first = usize::from(matches!(self.get(0), Some(Quote(_))));
        if let (Some(Word("create" | "alter")), Some(Word("user")), Some(Word("identified"))) =
            (self.get(first), self.get(first + 1), self.get(first + 3))
        {
            return Suspicion::likely(Class::Sql, "account_statement");
        }
        let mut pieces = self.0.iter().skip(first).filter(|token| **token != Inline);
        if let (Some(Word("set")), Some(Word("global")), Some(_), Some(Compare)) =
            (pieces.next(), pieces.next(), pieces.next(), pieces.next())
        {
            return Suspicion::likely(Class::Sql, "setting_statement");
        }
        // `declare @a varchar(9) select @a = …`: a variable, and at once what it is for.
        let asks = |pair: &[Token<'_>]| {
            matches!(pair, [Word("select" | "set" | "exec" | "execute"), Token::Variable])
        };
        let declares = (self.get(0), self.get(1)) == (Some(Word("declare")), Some(Token::Variable));
        if declares && self.0.len() <= 40 && self.0.windows(2).any(asks) {
            return Suspicion::likely(Class::Sql, "declaring_statement");
        }
        let starts = self.get(0) == Some(Word("select"));
        let inner = |at: usize| match self.get(at) {
            Some(Token::Variable) => at == 1,
            Some(Word("version" | "user" | "database")) => at == 1 && self.get(2) == Some(Open),
            Some(Word("current_user" | "session_user" | "system_user")) => at == 1,
            Some(Word(word)) => asks_database(word),
            _ => false,
        };
        let spies = starts && self.0.len() <= 40 && (1..self.0.len()).any(inner);
        if spies { Suspicion::likely(Class::Sql, "spying_statement") } else { None }
    }

    /// `union [all] select` with columns.
    pub(super) fn union(&self, at: usize) -> Option<Suspicion> {
        let mut next = at + 1;
        while matches!(
            self.get(next),
            Some(Word("all" | "distinct" | "distinctrow") | Open | Inline | Comment | Quote(b'`'))
        ) {
            next += 1;
        }
        // `union values (1)`, `union table users`: statements that select by another name.
        let other = match (self.get(next), self.get(next + 1)) {
            (Some(Word("values")), Some(Open)) => true,
            (Some(Word("table")), Some(Word(_))) => self.ends_commented() || self.ends(next + 2),
            _ => false,
        };
        if other && self.breaks(at) && at > 0 {
            return Suspicion::working(Class::Sql, "union_select");
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
            (None, _) => at > 0,
            _ => self.has_word(next..next + 40, &["from"]),
        };
        match (statement, columns) {
            (false, true) if self.breaks(at) && at > 0 => {
                Suspicion::sure(Class::Sql, "union_select")
            }
            (false, true) => Suspicion::working(Class::Sql, "union_select"),
            (true, true) if self.quoted(at) => Suspicion::working(Class::Sql, "union_select"),
            _ => None,
        }
    }

    /// `; drop table x`.
    pub(super) fn stacked(&self, at: usize) -> Option<Suspicion> {
        let mut next = at + 1;
        while matches!(self.get(next), Some(Inline | Semicolon)) {
            next += 1;
        }
        let Some(Word(word)) = self.get(next) else { return None };
        STATEMENTS.contains(&word).then_some(())?;
        let inline = self.0[next + 1..].iter().take_while(|token| **token == Inline).count();
        let fits = match (word, self.get(next + 1 + inline)) {
            ("select", Some(Word(_) | Number | Operator | Variable | Quote(_) | Open)) => {
                self.has_word(
                    next..next + 40,
                    &["from", "sleep", "pg_sleep", "load_file", "version"],
                ) || matches!(self.get(next + 1), Some(Number | Variable))
                    || at == 1 && self.get(0) == Some(Number)
                    || matches!(self.get(next + 1), Some(Word(name)) if asks_database(name))
                    || (at == 0 || self.quoted(at))
                        && self.ends_commented()
                        && !self.has_word(0..at, &STATEMENTS)
            }
            (
                "drop" | "create" | "alter" | "truncate",
                Some(Word(
                    "table" | "database" | "user" | "view" | "function" | "procedure" | "schema"
                    | "index" | "login" | "or" | "column",
                )),
            ) => true,
            ("insert", Some(Word("into"))) => true,
            ("delete", Some(Word(_))) => self.has_word(next + 1..next + 5, &["from"]),
            ("update", Some(Word(_))) => self.has_word(next + 2..next + 5, &["set"]),
            ("waitfor", Some(Word("delay" | "time"))) => true,
            ("exec" | "execute" | "declare", Some(Word(_) | Variable | Open)) => true,
            ("shutdown", None | Some(Comment | Semicolon | Word("with"))) => true,
            ("if" | "begin", _) => self.has_word(
                next..next + 30,
                &["waitfor", "declare", "exec", "select", "shutdown", "sleep"],
            ),
            ("grant", Some(Word(_))) => self.has_word(next..next + 20, &["to"]),
            ("copy", Some(Word(_) | Open)) => {
                self.has_word(next..next + 20, &["program", "from", "to"])
            }
            ("load", Some(Word("data" | "xml"))) => true,
            ("call", Some(Word(_))) => self.get(next + 2) == Some(Open),
            ("pragma", Some(Word(_))) => matches!(self.get(next + 2), Some(Open | Compare)),
            ("rename", Some(Word("table"))) => true,
            ("handler", Some(Word(_))) => self.get(next + 2) == Some(Word("open")),
            ("set", Some(Variable)) => self.get(next + 2) == Some(Compare),
            ("notify" | "listen" | "prepare" | "revoke", Some(Word(_))) => {
                self.quoted(at) && self.ends_commented()
            }
            _ => false,
        };
        fits.then_some(())?;
        let cut = self.0[next..].contains(&Comment);
        let quoted = self.quoted(at) || matches!(self.get(at), Some(Quote(_)));
        match (quoted, cut) {
            (true, true) if !self.has_word(0..at, &STATEMENTS) => {
                Suspicion::sure(Class::Sql, "stacked")
            }
            (false, false)
                if self.has_word(0..at, &STATEMENTS)
                    || (word == "select"
                        && matches!(self.before(at), Some(Word(_)))
                        && matches!(self.get(next + 1), Some(Word(_)))) =>
            {
                Suspicion::hint(Class::Sql, "stacked")
            }
            _ => Suspicion::working(Class::Sql, "stacked"),
        }
    }

    /// Whether the last pieces are a comment, with a sign or a number at most behind it.
    fn ends_commented(&self) -> bool {
        let tail = &self.0[self.0.len().saturating_sub(2)..];
        tail.contains(&Comment)
    }

    /// Clauses that only a statement has.
    pub(super) fn clause(&self, at: usize) -> Option<Suspicion> {
        let words = |token: &&Token<'_>| **token != Inline;
        let next = |n: usize| self.0[at + 1..].iter().filter(words).nth(n - 1).copied();
        let fits = match self.get(at)? {
            Word("order" | "group") if next(1) == Some(Word("by")) => {
                let cut = self.0[at..].contains(&Comment) || self.0[at..].contains(&Inline);
                (matches!(next(2), Some(Number))
                    && (self.quoted(at) || cut || at == 1 || at == 0 && self.ends(at + 3)))
                    || (self.quoted(at) && cut)
                    || self.has_word(at..at + 40, &["rand"])
                        && self.has_word(at..at + 40, &["floor"])
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
                matches!(next(1), Some(Word(name)) if name.starts_with("xp_") || name.starts_with("sp_") || name == "immediate" || name == "master" && next(2) == Some(Token::Dot))
                    || (next(1) == Some(Open)
                        && matches!(next(2), Some(Quote(_) | Variable | Word("char"))))
            }
            _ => false,
        };
        if fits { Suspicion::working(Class::Sql, "clause") } else { None }
    }

    pub(super) fn function(&self, at: usize) -> Option<Suspicion> {
        let Some(Word(name)) = self.get(at) else { return None };
        if self.get(at + 1) == Some(Token::Dot) && is_package(name) {
            return Suspicion::working(Class::Sql, "function");
        }
        if name.starts_with("xp_") {
            return Suspicion::working(Class::Sql, "function");
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
        // `nanosleep (2), and sleep (3)`: pages of a manual.
        let listed = matches!(self.before(at), Some(Word("and" | "or")))
            && at.checked_sub(1).and_then(|at| self.before(at)) == Some(Comma);
        if listed {
            return Suspicion::hint(Class::Sql, "function");
        }
        // `)user_lock.sleep(5)`: a function of a package.
        let start = if self.before(at) == Some(Token::Dot) { at.saturating_sub(2) } else { at };
        if whole
            || self.breaks(start) && start > 0
            || self.breaks(at)
            || matches!(
                self.before(start),
                Some(
                    Operator
                        | Open
                        | Comma
                        | Joint
                        | Word("select" | "and" | "or" | "by" | "then" | "else")
                )
            )
        {
            return Suspicion::working(Class::Sql, "function");
        }
        None
    }

    /// `cast(@@version as int)`: the database made to tell in an error.
    pub(super) fn cast(&self, at: usize) -> Option<Suspicion> {
        let asks = self.get(at + 1) == Some(Open)
            && match self.get(at + 2) {
                Some(Variable) => true,
                Some(Open) => self.get(at + 3) == Some(Word("select")),
                _ => false,
            };
        if asks { Suspicion::working(Class::Sql, "function") } else { None }
    }

    pub(super) fn schema(&self, at: usize) -> Option<Suspicion> {
        let dotted = self.get(at + 1) == Some(Token::Dot);
        if dotted || self.get(at) != Some(Word("mysql")) {
            return Suspicion::working(Class::Sql, "schema");
        }
        None
    }

    /// `case when … then`, `if(1=1, …`.
    pub(super) fn choice(&self, at: usize) -> Option<Suspicion> {
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
        let constant = |at: usize| self.operand(at).filter(|(_, constant)| *constant);
        let compared = constant(at + 2).filter(|(end, _)| self.get(*end) == Some(Compare));
        if case && compared.is_some_and(|(end, _)| constant(end + 1).is_some()) {
            return Suspicion::working(Class::Sql, "constant_choice");
        }
        if call || case && at > 0 {
            return Suspicion::working(Class::Sql, "choice");
        }
        None
    }

    /// `(select …`: a statement in place of a value.
    pub(super) fn inner_select(&self, at: usize) -> Option<Suspicion> {
        if self.get(at + 1) != Some(Word("select")) {
            return None;
        }
        let statement = self.has_word(0..at, &["select", "from", "insert", "with"]);
        if statement
            || !self.breaks(at)
                && !matches!(
                    self.before(at),
                    Some(
                        Operator | Comma | Compare | Open | Word("any" | "all" | "some" | "exists")
                    )
                )
        {
            return None;
        }
        Suspicion::working(Class::Sql, "inner_select")
    }
}
