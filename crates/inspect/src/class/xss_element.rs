//! One element of markup: what it is called, what it handles, where it leads.

use crate::class::xss::{Acts, SCHEMES, window};
use crate::finding::Class;
use crate::judge::{Strength, Suspicion, Value};

/// Elements that are nothing but a danger in a value.
const DANGEROUS: [&str; 18] = [
    "script", "iframe", "object", "embed", "applet", "base", "meta", "frameset", "frame",
    "isindex", "bgsound", "layer", "link", "xml", "import", "portal", "xss", "form",
];
/// Those whose names are words: without an attribute they are names in brackets.
const WORDS: [&str; 9] =
    ["base", "object", "link", "frame", "layer", "import", "meta", "xml", "portal"];
/// What is read of an element that does not end.
const LONGEST: usize = 1_024;

/// An element, from its name on.
pub(crate) struct Element<'t> {
    name: &'t str,
    /// From the end of the name to the end of the element.
    inside: &'t str,
    /// From the end of the name, as far as is read.
    rest: &'t str,
    /// Where `rest` begins in the text.
    start: usize,
    /// Whether the name stands right after the bracket.
    tight: bool,
    closing: bool,
    /// Whether words stand before it.
    worded: bool,
    /// Whether it stands in Markdown's inline code.
    shown: bool,
    acts: &'t Acts,
}

impl<'t> Element<'t> {
    /// The element that the bracket at `at` begins.
    pub(crate) fn at(text: &'t str, at: usize, acts: &'t Acts) -> Self {
        let after = window(&text[at + 1..], LONGEST);
        let body = after.trim_start_matches(['/', '\0', ' ', '\t', '%', '\\']);
        let name = body.find(|c: char| !c.is_ascii_alphanumeric() && c != ':' && c != '-');
        let (name, rest) = body.split_at(name.unwrap_or(body.len()));
        let end = rest.find('>').unwrap_or(rest.len());
        let tight = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '\0' | '\\');
        Self {
            name,
            inside: &rest[..end],
            rest,
            start: at + 1 + after.len() - rest.len(),
            tight: after.starts_with(tight),
            closing: after.starts_with('/'),
            worded: text[..at].ends_with(' ')
                && text[..at].split_ascii_whitespace().nth(1).is_some(),
            shown: text[..at].ends_with('`'),
            acts,
        }
    }

    pub(crate) fn judge(&self, value: &Value<'_>) -> Option<Suspicion> {
        if !self.name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            // Instructions of documents that bring behaviour or a style along.
            let imports = self.inside.starts_with("?import")
                && self.inside.contains("implementation=")
                || self.inside.starts_with("?xml-stylesheet")
                    && ["\"data:", "'data:", "expression("].iter().any(|w| self.inside.contains(w));
            if imports {
                return Suspicion::likely(Class::Xss, "instruction");
            }
            let comment = self.rest.starts_with("!--[if") || self.rest.starts_with("![cdata[");
            return if comment && self.acts_later() {
                Suspicion::likely(Class::Xss, "comment")
            } else {
                None
            };
        }
        self.script()
            .or_else(|| self.handler())
            .or_else(|| self.address())
            .or_else(|| self.dangerous())
            .or_else(|| self.style(value))
            .or_else(|| self.disguised(value))
    }

    fn acts_later(&self) -> bool {
        self.acts.within(self.start, self.start + LONGEST)
    }

    fn local(&self) -> &str {
        self.name.rsplit(':').next().unwrap_or(self.name)
    }

    fn script(&self) -> Option<Suspicion> {
        let ends = !self.rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        if self.local() != "script" || !self.tight || !ends {
            return None;
        }
        // In a sentence a bare `<script>` is a word.
        let words = self.inside.trim_start();
        let first = words.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == ':');
        let attribute = first.starts_with(['=', '/']) || self.inside.contains("src=");
        if self.inside.len() == self.rest.len() && !attribute && self.inside.contains(' ') {
            return Suspicion::hint(Class::Xss, "script_element");
        }
        let bare = !self.inside.contains('=') && !self.rest.contains("</") && self.worded;
        let strength = match (self.acts_later() && !self.shown, bare) {
            (true, _) => Strength::Sure,
            (false, true) => Strength::Hint,
            (false, false) if self.shown => Strength::Likely,
            (false, false) => Strength::Working,
        };
        Some(Suspicion { class: Class::Xss, rule: "script_element", strength })
    }

    /// `onerror=…` among the attributes.
    fn handler(&self) -> Option<Suspicion> {
        for (at, _) in self.inside.match_indices("on") {
            let joined = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            let letters = self.inside[at + 2..].bytes().take_while(u8::is_ascii_alphabetic).count();
            let value = window(&self.inside[at + 2 + letters..], 64);
            let value = value.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
            if letters < 3
                || !value.starts_with('=')
                || self.inside[..at].ends_with(joined)
                || at == 0
            {
                continue;
            }
            // Nothing is handled; but a table's cell doubles its quotes.
            let empty = value[1..].trim_start().strip_prefix("\"\"");
            if empty.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric())) {
                continue;
            }
            let runs = self.acts.within(self.start + at, self.start + self.inside.len());
            return if runs && !self.shown {
                Suspicion::sure(Class::Xss, "handler")
            } else {
                Suspicion::working(Class::Xss, "handler")
            };
        }
        None
    }

    /// `href=javascript:…`, also with breaks inside of the word.
    fn address(&self) -> Option<Suspicion> {
        if !self.inside.contains(':') || !self.inside.contains('=') || self.shown {
            return None;
        }
        let squeezed: String =
            self.inside.chars().filter(|c| !c.is_control() && *c != ' ').collect();
        let used = self.local() == "use" && squeezed.contains("=\"data:");
        // An animation that changes where a link leads, to a page that is written there, is none.
        let changed = matches!(self.local(), "set" | "animate")
            && squeezed.contains("attributename=")
            && squeezed.contains("href")
            && squeezed.contains("=\"data:");
        let leads = used || changed || SCHEMES.iter().any(|scheme| squeezed.contains(scheme));
        if leads { Suspicion::sure(Class::Xss, "script_address") } else { None }
    }

    /// `<a href=http://0x42.0x66.7.0x93/>`: a link that hides where it leads; data that is shown as markup
    /// (`datasrc`), and a size that is script (`&{…}`).
    fn disguised(&self, value: &Value<'_>) -> Option<Suspicion> {
        let inside = self.inside.replace("\"\"", "\"");
        let old = inside.contains("datasrc=") && inside.contains('#') || inside.contains("=\"&{");
        let hides =
            |(_, address): (&str, &str)| hides_host(address.trim_start_matches(['"', '\'']));
        let found = old || inside.split_once("href=").is_some_and(hides);
        (found && !value.is_free()).then_some(())?;
        Suspicion::likely(Class::Xss, "disguised_element")
    }

    fn dangerous(&self) -> Option<Suspicion> {
        let name = self.local();
        if !DANGEROUS.contains(&name) || !self.tight || self.closing {
            return None;
        }
        let has = |word: &str| self.inside.contains(word);
        let ordinary = match name {
            "form" => !has("action=//") && !has("action=\"//"),
            "link" => !has("stylesheet") && !has("import"),
            "meta" => {
                let sets = ["refresh", "cookie", "\"link\"", "content-security-policy"];
                !(has("http-equiv") && sets.iter().any(|name| has(name)) || has("utf-7"))
            }
            // A player as sites offer it for embedding.
            "iframe" => has("src=\"https://") && (has("width=") || has("allow") || has("title=")),
            name => WORDS.contains(&name) && !has("="),
        };
        if has("srcdoc") && self.acts_later() {
            return Suspicion::sure(Class::Xss, "element");
        }
        if ordinary {
            Suspicion::hint(Class::Xss, "element")
        } else {
            Suspicion::likely(Class::Xss, "element")
        }
    }

    /// Styles that ran script in old browsers.
    fn style(&self, value: &Value<'_>) -> Option<Suspicion> {
        let has = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
        // Comments and escapes of letters hide a word from all but the reader of the style.
        let inline = self.inside.contains("style=")
            && has(
                &self.inside.replace("/**/", "").replace('\\', ""),
                &["expression(", "-moz-binding", "behavior:"],
            );
        let sheet = self.local() == "style"
            && (has(self.rest, &["@import", "expression", "-moz-binding"])
                // A rule for each beginning of a value tells the value.
                || self.rest.contains("^=") && self.rest.contains("url(")
                || has(self.inside, &["javascript"]));
        if (inline || sheet) && !value.is_free() {
            Suspicion::likely(Class::Xss, "style")
        } else {
            None
        }
    }
}

/// Whether an address has signs in its scheme or its host that no browser needs: breaks, percent signs, numbers that
/// are not decimal.
fn hides_host(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once("//") else { return false };
    let host = &rest[..rest.find(['/', '"', '\'', '>']).unwrap_or(rest.len())];
    let odd = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_digit())
            && (part.len() > 1 && part.starts_with('0')
                || part.bytes().any(|b| b.is_ascii_alphabetic()))
    };
    let numbers = host.split('.').count() == 4 && host.split('.').any(odd);
    scheme.len() <= "http:".len() + 4 && scheme.contains(['\t', '\n', '\r', ' '])
        || host.contains(['%', '\t', '\n'])
        || numbers && host.split('.').all(|part| part.starts_with(|c: char| c.is_ascii_digit()))
}
