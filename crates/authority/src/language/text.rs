//! One text, with places in it for what differs: `Signed in as {username}`.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter, Write as _};

use askama::filters::{self, HtmlSafe};

/// A text of a catalogue. It is plain: what looks like markup in it is shown as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text(Cow<'static, str>);

/// A text with values in its places, as HTML that is escaped.
#[derive(Debug)]
pub(crate) struct Markup<'a> {
    text: &'a Text,
    values: Vec<(&'static str, Shown)>,
}

/// How a value looks.
#[derive(Debug)]
enum Shown {
    Bold(String),
    Code(String),
    Plain(String),
}

/// A piece of a text.
enum Piece<'a> {
    Place(&'a str),
    Words(&'a str),
}

// === impl Text ===

impl Text {
    pub(super) const fn of(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    pub(super) fn replaced(text: String) -> Self {
        Self(Cow::Owned(text))
    }

    /// As it stands.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// With values in its places.
    pub(crate) fn fill(&self, values: &[(&str, &dyn Display)]) -> String {
        let mut filled = String::with_capacity(self.0.len() + 32);
        for piece in self.pieces() {
            // Writing to a string does not fail.
            let _ = match piece {
                Piece::Words(words) => filled.write_str(words),
                Piece::Place(name) => match values.iter().find(|(known, _)| *known == name) {
                    Some((_, value)) => write!(filled, "{value}"),
                    None => write!(filled, "{{{name}}}"),
                },
            };
        }
        filled
    }

    /// With a value in a place, in bold.
    pub(crate) fn bold(&self, name: &'static str, value: impl Display) -> Markup<'_> {
        self.markup().bold(name, value)
    }

    /// With a value in a place, as something to be compared letter by letter.
    pub(crate) fn code(&self, name: &'static str, value: impl Display) -> Markup<'_> {
        self.markup().with(name, Shown::Code(value.to_string()))
    }

    /// With a value in a place.
    pub(crate) fn plain(&self, name: &'static str, value: impl Display) -> Markup<'_> {
        self.markup().plain(name, value)
    }

    /// The names of its places, in order.
    pub(super) fn places(&self) -> Vec<&str> {
        let place = |piece| match piece {
            Piece::Place(name) => Some(name),
            Piece::Words(_) => None,
        };
        let mut places: Vec<&str> = self.pieces().into_iter().filter_map(place).collect();
        places.sort_unstable();
        places
    }

    fn markup(&self) -> Markup<'_> {
        Markup { text: self, values: Vec::new() }
    }

    fn pieces(&self) -> Vec<Piece<'_>> {
        let (mut pieces, mut rest) = (Vec::new(), self.as_str());
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, behind)) = after.split_once('}') else { break };
            pieces.push(Piece::Words(before));
            pieces.push(Piece::Place(name));
            rest = behind;
        }
        pieces.push(Piece::Words(rest));
        pieces
    }
}

impl Display for Text {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl From<&Text> for String {
    fn from(text: &Text) -> Self {
        text.0.clone().into_owned()
    }
}

// === impl Markup ===

impl Markup<'_> {
    /// With a value in another place, in bold.
    pub(crate) fn bold(self, name: &'static str, value: impl Display) -> Self {
        self.with(name, Shown::Bold(value.to_string()))
    }

    /// With a value in another place.
    pub(crate) fn plain(self, name: &'static str, value: impl Display) -> Self {
        self.with(name, Shown::Plain(value.to_string()))
    }

    fn with(mut self, name: &'static str, value: Shown) -> Self {
        self.values.push((name, value));
        self
    }
}

impl Display for Markup<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        for piece in self.text.pieces() {
            match piece {
                Piece::Words(words) => escaped(out, words)?,
                Piece::Place(name) => match self.values.iter().find(|(known, _)| *known == name) {
                    Some((_, value)) => value.write(out)?,
                    None => escaped(out, &format!("{{{name}}}"))?,
                },
            }
        }
        Ok(())
    }
}

// Everything in it is escaped where it is written.
impl HtmlSafe for Markup<'_> {}

// === impl Shown ===

impl Shown {
    fn write(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let (before, value, after) = match self {
            Self::Bold(value) => ("<b>", value, "</b>"),
            Self::Code(value) => (r#"<b class="code">"#, value, "</b>"),
            Self::Plain(value) => ("", value, ""),
        };
        out.write_str(before)?;
        escaped(out, value)?;
        out.write_str(after)
    }
}

fn escaped(out: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let Ok(escaped) = filters::escape(text, filters::Html);
    write!(out, "{escaped}")
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn values_come_where_they_belong() {
        let text = Text::of("{client} for <{username}> {of} {client} {");
        assert_eq!(text.places(), ["client", "client", "of", "username"]);
        let filled = text.fill(&[("username", &"{client}"), ("client", &7)]);
        assert_eq!(filled, "7 for <{client}> {of} 7 {");
    }

    #[test]
    fn a_value_is_never_markup() {
        let text = Text::of("<i> {client} & {username}");
        let markup = text.bold("client", "<b>{username}").plain("username", "\"'");
        let shown = markup.to_string();
        assert_eq!(shown, "&#60;i&#62; <b>&#60;b&#62;{username}</b> &#38; &#34;&#39;");
        assert_eq!(
            Text::of("{code}").code("code", "A-B").to_string(),
            r#"<b class="code">A-B</b>"#
        );
    }
}
