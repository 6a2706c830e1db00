//! SQL conditions: what makes a statement's question true, or asks another one.

use crate::class::sql::{FUNCTIONS, Pieces};
use crate::class::sql_token::Token;
use crate::finding::Class;
use crate::judge::Suspicion;

use Token::{
    Close, Comment, Compare, Inline, Joint, Number, Open, Operator, Quote, Variable, Word,
};

/// Functions that a condition asks something of the database with.
const ASKED: [&str; 16] = [
    "char",
    "chr",
    "isnull",
    "ifnull",
    "nullif",
    "left",
    "right",
    "length",
    "char_length",
    "ord",
    "hex",
    "elt",
    "cast",
    "convert",
    "version",
    "database",
];

/// Pieces of a constant in quotes; one of JSON has many.
const LONGEST_CONSTANT: usize = 24;

impl Pieces<'_> {
    /// One operand from `at` on: where it ends, and whether it is a constant.
    pub(super) fn operand(&self, at: usize) -> Option<(usize, bool)> {
        let mut at = at;
        while matches!(self.get(at), Some(Open | Operator | Word("not" | "binary") | Inline)) {
            at += 1;
        }
        match self.get(at)? {
            Number => Some((self.sum(at + 1), true)),
            Variable => Some((at + 1, true)),
            // `X'41'`: a constant with what it is written in.
            Word("x" | "b" | "n" | "e") if matches!(self.get(at + 1), Some(Quote(b'\''))) => {
                self.operand(at + 1)
            }
            Word("true" | "false" | "null") => Some((at + 1, true)),
            Quote(sign) => {
                // Ticks hold names, not constants (MySQL 8.0, 11.2).
                let constant = sign != b'`';
                let close = (at + 1..self.0.len().min(at + LONGEST_CONSTANT))
                    .find(|at| self.get(*at) == Some(Quote(sign)));
                Some((close.map_or(self.0.len(), |close| self.cast_behind(close + 1)), constant))
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

    /// Where a sum of numbers ends whose first one is before `at`: `17-7`.
    fn sum(&self, at: usize) -> usize {
        let mut at = at;
        while self.get(at) == Some(Operator) && self.get(at + 1) == Some(Number) {
            at += 2;
        }
        at
    }

    /// Where a constant ends that says of which type it is, as in `'{}'::jsonb`; with a sign before a comparison, as
    /// the operators of JSON have it (PostgreSQL 17, 9.16).
    fn cast_behind(&self, at: usize) -> usize {
        let cast = matches!(
            (self.get(at), self.get(at + 1), self.get(at + 2)),
            (Some(Token::Other), Some(Token::Other), Some(Word(_)))
        );
        let signs = matches!(self.get(at + 3), Some(Operator | Variable))
            && self.get(at + 4) == Some(Compare);
        // `'x' collate nocase`: by which order it is compared.
        let ordered = matches!((self.get(at), self.get(at + 1)), (Some(Word("collate")), Some(_)));
        at + if cast { 3 + usize::from(signs) } else { 2 * usize::from(ordered) }
    }

    /// Where a row of constants ends whose first one ends at `end`: `(1,2)`.
    fn row(&self, start: usize, end: usize) -> usize {
        let mut end = end;
        while self.get(start) == Some(Open)
            && self.get(end) == Some(Token::Comma)
            && matches!(self.get(end + 1), Some(Number | Variable))
        {
            end += 2;
        }
        end
    }

    /// `or 1=1`, `and 'a'='a`, `or true--` after a break.
    pub(super) fn condition(&self, at: usize) -> Option<Suspicion> {
        let breaks = self.breaks(at);
        let (end, constant) = self.operand(at + 1)?;
        let mut end = self.row(at + 1, end);
        while matches!(self.get(end), Some(Close | Inline)) {
            end += 1;
        }
        let compares = matches!(
            self.get(end),
            Some(
                Compare
                    | Word(
                        "like"
                            | "ilike"
                            | "rlike"
                            | "regexp"
                            | "glob"
                            | "similar"
                            | "is"
                            | "in"
                            | "between"
                            | "not"
                            | "sounds"
                    )
            )
        );
        if compares {
            return self.comparison(at, end, constant);
        }
        // `' or ''^'`: nothing but quotes and signs up to the end.
        let signs =
            |token: &Token<'_>| matches!(token, Quote(_) | Operator | Compare | Close | Comment);
        let words = self.0[..at].iter().filter(|token| matches!(token, Word(_))).count();
        if self.quoted(at) && words < 2 && self.0[at + 1..].iter().all(signs) {
            return Suspicion::working(Class::Sql, "truth");
        }
        let named = matches!(self.get(at + 1), Some(Quote(_)));
        let single = matches!(self.before(at), Some(Quote(b'\'') | Close));
        let cut = matches!(self.get(end), Some(Comment));
        if constant && breaks && cut && !(named && words > 1) {
            return Suspicion::working(Class::Sql, "truth");
        }
        // A call is asked for its truth, and nothing is left of the statement.
        let called =
            matches!(self.get(end - 1), Some(Close)) && self.0[at + 1..end].contains(&Open);
        if called && cut && self.quoted(at) && words < 2 {
            return Suspicion::working(Class::Sql, "truth");
        }
        let joins = matches!(self.get(end), Some(Joint | Operator));
        if constant && breaks && self.quoted(at) && single && !named && (joins || self.ends(end)) {
            return Suspicion::working(Class::Sql, "truth");
        }
        None
    }

    /// The same where the operand, which ends before `end`, is compared with another.
    fn comparison(&self, at: usize, end: usize, constant: bool) -> Option<Suspicion> {
        let breaks = self.breaks(at);
        let (after, other) = self.operand(end + 1).unwrap_or((end + 1, false));
        let cut =
            self.0[after.min(self.0.len())..].iter().any(|token| matches!(token, Comment | Inline));
        let words = self.0[..at].iter().filter(|token| matches!(token, Word(_))).count();
        let code = self.get(at) == Some(Joint) && words >= 2;
        // Behind a comma it is the last of a list; `in a case where "a" = 'b'` is a sentence.
        let told = self.get(at) == Some(Word("where"))
            && matches!(self.before(at), Some(Word(_)))
            && self.get(at + 1) == Some(Quote(b'"'));
        if told || self.before(at) == Some(Token::Comma) {
            return Suspicion::hint(Class::Sql, "condition");
        }
        // A filter asks nothing of a field that is true of every one.
        if self.get(at) == Some(Word("or")) && self.names_itself(at, end) {
            return Suspicion::likely(Class::Sql, "tautology");
        }
        if (self.is_filter() || code) && !(constant && other) {
            return Suspicion::hint(Class::Sql, "condition");
        }
        match (constant && other, breaks) {
            (true, true) if self.quoted(at) && (self.ends(after) || cut) && at <= 12 => {
                Suspicion::sure(Class::Sql, "tautology")
            }
            (true, _)
                if self.get(at + 1) != Some(Open) || breaks || self.get(end + 1) == Some(Open) =>
            {
                Suspicion::working(Class::Sql, "tautology")
            }
            (false, _) if self.same(at, end) && (breaks || at == 0) => {
                Suspicion::working(Class::Sql, "tautology")
            }
            (false, true)
                if other
                    && self.get(at + 2) == Some(Open)
                    && matches!(self.get(at), Some(Word(_))) =>
            {
                Suspicion::likely(Class::Sql, "condition")
            }
            (false, true) if constant && self.get(end + 2) == Some(Open) => {
                Suspicion::likely(Class::Sql, "condition")
            }
            (false, true) if self.quoted(at) || cut || (self.ends(after) && at == 1) => {
                Suspicion::likely(Class::Sql, "condition")
            }
            _ => Suspicion::hint(Class::Sql, "condition"),
        }
    }

    /// Whether a name is compared with itself, or two letters with one another.
    pub(super) fn same(&self, at: usize, compare: usize) -> bool {
        let left = at + 1;
        match (self.get(left), self.get(compare), self.get(compare + 1)) {
            (Some(Word(left)), Some(Compare), Some(Word(right))) => {
                left == right || (left.len() + right.len() == 2 && (at == 0 || self.quoted(at)))
            }
            _ => false,
        }
    }

    /// `or owner_id = owner_id`: a name of more than a letter compared with itself, at the end.
    fn names_itself(&self, at: usize, compare: usize) -> bool {
        let name = |at: usize| match self.get(at) {
            Some(Word(name)) if name.len() > 1 => Some(name),
            _ => None,
        };
        let left = name(at + 1);
        left.is_some()
            && compare == at + 2
            && self.get(compare) == Some(Compare)
            && left == name(compare + 1)
            && self.ends(compare + 2)
    }

    /// `and (select …`, `or exists(…`, `and ascii(substr(…`.
    pub(super) fn subquery(&self, at: usize) -> Option<Suspicion> {
        let mut next = at + 1;
        let mut opened = false;
        while let Some(Open | Inline | Word("not")) = self.get(next) {
            opened |= self.get(next) == Some(Open);
            next += 1;
        }
        if opened && self.get(next) == Some(Word("select")) && at > 0 {
            return Suspicion::working(Class::Sql, "subquery");
        }
        let near = at + 1..at + 7;
        if self.breaks(at)
            && self.has_word(near.clone(), &["select", "exists"])
            && (self.0[at..].contains(&Open) || self.0[at..].contains(&Comment))
        {
            return Suspicion::working(Class::Sql, "subquery");
        }
        let calls = (near.start..near.end).any(|at| {
            matches!(self.get(at), Some(Word(word)) if FUNCTIONS.contains(&word) || ASKED.contains(&word))
                && self.get(at + 1) == Some(Open)
        });
        (calls && self.breaks(at)).then_some(())?;
        if self.quoted(at) {
            Suspicion::sure(Class::Sql, "function")
        } else {
            Suspicion::working(Class::Sql, "function")
        }
    }
}
