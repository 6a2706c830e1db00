//! Expressions of template engines by their grammar: what an engine would have to call, look up or compare, and
//! not merely put in.

/// One piece of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'e> {
    /// `(`.
    Open,
    /// `[`.
    Index,
    /// `)` or `]`.
    Close,
    /// `==`, `<`, …
    Compare,
    Dot,
    /// `|`.
    Filter,
    /// `~` or `+`.
    Join,
    Name(&'e str),
    Number,
    Other,
    /// In quotes.
    Text,
}

/// Longer expressions are programs, and are known by what they reach.
const LONGEST: usize = 96;

/// The pieces of an expression in lower case.
struct Pieces<'e>(Vec<Piece<'e>>);

/// Whether an expression does more than to name what is to be shown: it calls (`a.b()`), looks up by a text
/// (`a['b']`), calls as Go does (`.a.b "c"`), or puts a constant through a filter (`7|times:7`).
/// Calls that are given nothing count where `plain`: some applications make what they show with these.
pub(super) fn acts(expression: &str, plain: bool) -> bool {
    let pieces = Pieces::of(expression);
    let given = |at: usize| plain || pieces.0.get(at + 1) != Some(&Piece::Close);
    (0..pieces.0.len()).any(|at| pieces.calls(at) && given(at) || pieces.looks_up(at))
        || pieces.filters()
        || pieces.asks_text()
        || pieces.imports()
        || pieces.computes()
}

/// Whether a brace alone is enough of a sign: a function is called with a constant, or a class by `::`.
pub(super) fn calls_constant(expression: &str) -> bool {
    let pieces = Pieces::of(expression);
    let constant = |at: usize| matches!(pieces.0.get(at + 1), Some(Piece::Number | Piece::Text));
    let named = |at: usize| matches!(pieces.before(at), Some(Piece::Name(_)));
    let calls =
        (0..pieces.0.len()).any(|at| pieces.0[at] == Piece::Open && named(at) && constant(at));
    let first = matches!(pieces.0.first(), Some(Piece::Name(_)));
    first && (calls || expression.contains("::") && pieces.0.contains(&Piece::Open))
}

/// Whether two constants are compared: what a probe sends to see which branch is taken.
pub(super) fn compares_constants(expression: &str) -> bool {
    let constant = |piece: &Piece<'_>| matches!(piece, Piece::Number | Piece::Text);
    Pieces::of(expression).0.windows(3).any(|pieces| match pieces {
        [left, Piece::Compare, right] => constant(left) && constant(right),
        _ => false,
    })
}

/// Whether two texts are joined and nothing else is done: `'a'~'b'`.
pub(super) fn joins_constants(expression: &str) -> bool {
    matches!(Pieces::of(expression).0[..], [Piece::Text, Piece::Join, Piece::Text])
}

/// Whether a number is put through a filter, and a probe sees whether another one comes out: `364|add:733`.
pub(super) fn filters_constant(expression: &str) -> bool {
    matches!(Pieces::of(expression).0[..], [Piece::Number, Piece::Filter, Piece::Name(_), ..])
}

// === impl Pieces ===

impl<'e> Pieces<'e> {
    fn of(text: &'e str) -> Self {
        let (mut pieces, mut rest) = (Vec::new(), text.trim_start());
        while !rest.is_empty() && pieces.len() < LONGEST {
            let (piece, length) = next(rest);
            pieces.push(piece);
            rest = rest[length..].trim_start();
        }
        Self(pieces)
    }

    fn before(&self, at: usize) -> Option<Piece<'e>> {
        at.checked_sub(1).and_then(|at| self.0.get(at)).copied()
    }

    /// `a(`, `a[0](`, `a['b'](`, `%x(`; and Go's methods, which take their arguments without parentheses.
    fn calls(&self, at: usize) -> bool {
        match (self.0[at], self.before(at)) {
            (Piece::Open, Some(Piece::Name(_) | Piece::Close)) => true,
            (Piece::Number | Piece::Text, Some(Piece::Name(_))) => {
                let path = self.0[..at].iter().rev();
                let path = path.take_while(|piece| matches!(piece, Piece::Name(_) | Piece::Dot));
                let (mut steps, mut begins) = (0, Piece::Other);
                for piece in path {
                    steps += usize::from(*piece == Piece::Dot);
                    begins = *piece;
                }
                // A method of an object of an object, or of the whole: helpers have short names.
                steps >= 2 || begins == Piece::Dot
            }
            _ => false,
        }
    }

    fn looks_up(&self, at: usize) -> bool {
        let named = matches!(self.before(at), Some(Piece::Name(_) | Piece::Close));
        named && self.0[at] == Piece::Index && self.0.get(at + 1) == Some(&Piece::Text)
    }

    /// `'id'.execute()`: a text that is asked to do something.
    fn asks_text(&self) -> bool {
        self.0
            .windows(4)
            .any(|pieces| matches!(pieces, [Piece::Text, Piece::Dot, Piece::Name(_), Piece::Open]))
    }

    /// `import os`, `from os import popen`: what is imported is no template, whose name would be a text.
    fn imports(&self) -> bool {
        matches!(self.0[..], [Piece::Name("import" | "from"), Piece::Name(_), ..])
    }

    /// `printf "%s" "x"`, `lookup 'a'`: a function of the language itself, which needs no parentheses, and a constant.
    fn computes(&self) -> bool {
        let own = ["call", "html", "js", "lookup", "print", "printf", "println", "urlquery"];
        match self.0[..] {
            [Piece::Name(name), Piece::Text | Piece::Number, ..] => own.contains(&name),
            _ => false,
        }
    }

    fn filters(&self) -> bool {
        matches!(self.0[..], [Piece::Number | Piece::Text, Piece::Filter, Piece::Name(_), ..])
    }
}

fn next(text: &str) -> (Piece<'_>, usize) {
    let run = |fits: fn(char) -> bool| text.find(|c| !fits(c)).unwrap_or(text.len());
    let first = text.chars().next().unwrap_or(' ');
    match first {
        '(' => (Piece::Open, 1),
        '[' => (Piece::Index, 1),
        ')' | ']' => (Piece::Close, 1),
        '.' => (Piece::Dot, 1),
        '~' | '+' => (Piece::Join, 1),
        '|' => (Piece::Filter, run(|c| c == '|')),
        '=' | '<' | '>' | '!' => {
            let length = run(|c| matches!(c, '=' | '<' | '>' | '!'));
            (if text[..length] == *"=" { Piece::Other } else { Piece::Compare }, length)
        }
        '\'' | '"' => {
            let end = text[1..].find(first).map_or(text.len(), |end| end + 2);
            (Piece::Text, end)
        }
        '0'..='9' => (Piece::Number, run(|c| c.is_ascii_digit())),
        c if is_name(c) => {
            let length = run(is_name);
            (Piece::Name(&text[..length]), length)
        }
        c => (Piece::Other, c.len_utf8()),
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_that_act_are_told_from_names() {
        let acting = [
            "this.tostring()",
            "config['a']('b', shell=true)",
            "$x := .echo.filesystem.open \"/flag\"",
            "7 | times:7",
            "%x(ls )",
            ".system \"ls\"",
            "import os",
            "printf \"%s\" \"a\"",
            "'id'.execute()",
            "a[0](1)",
        ];
        for text in acting {
            assert!(acts(text, true), "{text}");
        }
        let naming = [
            "user.name",
            "#is_alert",
            "product.title | upcase",
            "eval \"now+1h\"",
            "items[0].name",
            "import 'forms.html' as forms",
            "include \"chart.labels\" . | nindent 4",
            ".values.name | default \"a\"",
            ".values.image.tag",
            "github.ref == 'refs/heads/main'",
        ];
        for text in naming {
            assert!(!acts(text, true), "{text}");
        }
        assert!(!acts("page.size.tostring()", false));
    }

    #[test]
    fn comparisons_of_constants_are_probes() {
        assert!(compares_constants("if 1 == 2") && compares_constants("if 'a' != 'b'"));
        assert!(!compares_constants("if user.age == 2") && !compares_constants("a = 1"));
        assert!(joins_constants("'a'~'b'") && joins_constants("\"a\" + \"b\""));
        assert!(!joins_constants("'a', 'b'") && !joins_constants("name ~ 'b'"));
        assert!(filters_constant("364|add:733") && filters_constant("7 | times: 7"));
        assert!(!filters_constant("price|add:7") && !filters_constant("1 || 2"));
    }
}
