//! SQL by what is left over: comments that cut a statement short, and operators between two quotes.

use crate::class::sql::{JOINTS, Pieces};
use crate::class::sql_token::Token;
use crate::finding::Class;
use crate::judge::Suspicion;

use Token::{
    Close, Comment, Compare, Inline, Joint, Number, Open, Operator, Quote, Variable, Word,
};

/// What stands behind a comment that only cuts off is not more.
const LONGEST_REST: usize = 3;
/// Pieces of a value that is nothing but a sum and a comment.
const LONGEST_SUM: usize = 8;
/// Pieces of a value with operators between its quotes.
const LONGEST_INTERPOSED: usize = 24;

impl Pieces<'_> {
    /// `select … where id=1 or … -- 1`: a statement of one line with a condition more, and its rest cut off.
    /// Whoever comments a statement writes words.
    pub(super) fn cut_statement(&self, text: &str) -> Option<Suspicion> {
        let at = self.0.iter().rposition(|token| *token == Comment)?;
        let rest = &self.0[at + 1..];
        let said = rest.iter().any(|token| matches!(token, Word(_)));
        let more = self.has_word(0..at, &["or", "union", "and", "having", "limit"])
            || self.0[..at].contains(&Joint);
        let asks = self.0[..at].contains(&Compare);
        let cut =
            more && asks && rest.len() <= LONGEST_REST && !said && !text.trim().contains('\n');
        if cut { Suspicion::likely(Class::Sql, "cut_statement") } else { None }
    }

    /// `1*1--`, `@version/*`: a number or a variable of the database, and a comment at the end of it.
    pub(super) fn cut_number(&self, text: &str) -> Option<Suspicion> {
        let text = text.trim_end();
        if self.0.len() > LONGEST_INTERPOSED || !text.ends_with("--") && !text.ends_with("/*") {
            return None;
        }
        let (last, sum) = self.0.split_last()?;
        let sum: Vec<_> = sum.iter().copied().filter(|token| *token != Inline).collect();
        let sums = |token: &Token<'_>| {
            matches!(token, Number | Variable | Operator | Open | Close | Compare)
        };
        // `(cos('b')) --`: whatever is asked, the parentheses end with the value.
        let enclosed = matches!((sum.first(), sum.last()), (Some(Open), Some(Close)));
        let fits = matches!(sum.first(), Some(Number | Variable))
            && matches!(sum.last(), Some(Number | Variable | Close))
            && sum.iter().all(sums)
            && sum.len() <= LONGEST_SUM
            || enclosed && sum.len() <= LONGEST_INTERPOSED;
        if fits && matches!(last, Comment | Inline) {
            Suspicion::likely(Class::Sql, "cut_number")
        } else {
            None
        }
    }

    /// `X' - 'Y' = '1`, `'+name`: read from the first quote on, nothing but operators and constants stand
    /// outside of quotes.
    pub(super) fn interposed(&self, text: &str) -> Option<Suspicion> {
        if self.0.len() > 2 * LONGEST_INTERPOSED {
            return None;
        }
        let pieces: Vec<_> = self.0.iter().copied().filter(|token| *token != Inline).collect();
        if let [Quote(b'\''), Operator | Joint, Word(_) | Number]
        | [Joint, Quote(b'\''), Word(_) | Number] = pieces[..]
        {
            return Suspicion::likely(Class::Sql, "interposed");
        }
        // `A' LIKE 'B`: each quote is tight to its word.
        if let [Word(_), Quote(b'\''), Word(joint), Quote(b'\''), Word(_)] = pieces[..]
            && JOINTS.contains(&joint)
            && text.split_once('\'').is_some_and(|(word, _)| !word.ends_with(' '))
            && text.rsplit_once('\'').is_some_and(|(_, word)| !word.starts_with(' '))
        {
            return Suspicion::likely(Class::Sql, "interposed");
        }
        let is_quote = |token: &Token<'_>| *token == Quote(b'\'');
        let quotes = pieces.iter().filter(|token| is_quote(token)).count();
        if !matches!(quotes, 2 | 4 | 6) || pieces.len() > LONGEST_INTERPOSED {
            return None;
        }
        let mut parts = pieces.split(is_quote);
        let (first, last) = (parts.next()?, parts.next_back()?);
        let joins = |token: Option<&Token<'_>>| match token {
            Some(Operator | Compare | Joint) => true,
            Some(Word(word)) => JOINTS.contains(word),
            _ => false,
        };
        let computes = |piece: &[Token<'_>]| {
            joins(piece.first())
                && joins(piece.last())
                && piece.iter().all(|token| {
                    joins(Some(token)) || matches!(token, Number | Open | Close | Variable)
                })
        };
        let fits = first.len() == 1 && last.len() <= 1 && parts.step_by(2).all(computes);
        // `don't in 'x` has a word of its own between; a sign is no apostrophe's neighbour.
        let signs = pieces.iter().any(|token| matches!(token, Operator | Compare | Joint));
        if fits && signs { Suspicion::likely(Class::Sql, "interposed") } else { None }
    }
}
