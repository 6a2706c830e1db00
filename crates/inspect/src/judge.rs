//! One value judged: the cheap looks first, then one recogniser for each class, in every reading.

use std::cell::OnceCell;

use crate::class::{self, prototype};
use crate::decode;
use crate::disguise;
use crate::expect::{Expect, Expectations};
use crate::finding::{Class, Finding, Place, Stop};
use crate::lure::Lures;
use crate::mark::{self, Marks};
use crate::role;
use crate::shape;

/// Where a value stands, as far as it changes what is usual there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// A member of JSON, a form or XML.
    Field,
    /// The contents of a file, or a body of no known form.
    File,
    /// A header or a cookie.
    Header,
    /// A segment of the path.
    Path,
    /// A parameter of the query.
    Query,
}

/// How sure a recogniser is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// Odd for an identifier, ordinary elsewhere.
    Hint,
    /// An attack in a short value; talk or code in a long text.
    Likely,
    /// A payload that works, also behind a sentence; shown in documents and code.
    Working,
    /// An attack wherever it stands.
    Sure,
}

/// What a recogniser says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suspicion {
    pub(crate) class: Class,
    pub(crate) rule: &'static str,
    pub(crate) strength: Strength,
}

/// One reading of a value, as recognisers see it.
pub(crate) struct Value<'v> {
    pub(crate) text: &'v str,
    /// The same with ASCII letters in lower case.
    pub(crate) lower: String,
    pub(crate) marks: Marks,
    pub(crate) lures: Lures,
    pub(crate) position: Position,
    free: OnceCell<bool>,
}

/// Judges values for one request.
pub(crate) struct Judge<'e> {
    pub(crate) expectations: &'e dyn Expectations,
}

/// Longer values are looked at in pieces that overlap, so that work grows with length alone.
const PIECE: usize = 8 * 1024;
const OVERLAP: usize = 512;
/// A text with a sentence before a payload is longer than this.
const SHORTEST_PROSE: usize = 24;
/// Sentences that are judged one by one.
const SENTENCES: usize = 64;
/// Values with pieces in quotes that are looked into.
const LONGEST_QUOTED: usize = 1_024;
/// Bytes that break out; a sentence without one is a sentence.
const BREAKING: u32 = mark::QUOTE
    | mark::ANGLE
    | mark::PAREN
    | mark::SEMICOLON
    | mark::PIPE
    | mark::AMPERSAND
    | mark::DOLLAR
    | mark::TICK
    | mark::BRACE
    | mark::BACKSLASH
    | mark::SLASH
    | mark::HASH
    | mark::EQUALS
    | mark::STAR;
/// Bytes without which there is nothing to decode.
const ENCODED: u32 = mark::PERCENT | mark::AMPERSAND | mark::BACKSLASH | mark::HIGH | mark::CONTROL;

/// Disguises, by the sign that each needs.
const DISGUISES: [(u32, Undisguise); 8] = [
    (mark::BACKSLASH, disguise::style_escapes),
    (mark::PLUS, disguise::pluses),
    (mark::PLUS, disguise::utf7),
    (mark::HIGH, disguise::high_bits),
    (mark::PERCENT, disguise::doubled_percents),
    (mark::ANGLE, disguise::elements),
    (mark::STAR, disguise::comments),
    (mark::COLON, disguise::data_address),
];
type Undisguise = fn(&str) -> Option<String>;

// === impl Position ===

impl Position {
    /// Whether a value there has no lines.
    pub(crate) fn is_one_line(self) -> bool {
        matches!(self, Self::Header | Self::Path | Self::Query)
    }
}

// === impl Judge ===

impl Judge<'_> {
    /// Judges `text`; `place` is asked only when it looks suspicious.
    ///
    /// # Errors
    /// [`Stop::Found`] with the strongest suspicion that the field's role lets stand.
    pub(crate) fn value(
        &self,
        text: &str,
        position: Position,
        place: impl Fn() -> Place,
    ) -> Result<(), Stop> {
        if text.len() <= PIECE {
            return self.piece(text, position, &place);
        }
        let mut start = 0;
        while start < text.len() {
            let end = boundary(text, (start + PIECE).min(text.len()));
            self.piece(&text[start..end], position, &place)?;
            if end == text.len() {
                break;
            }
            start = boundary(text, end - OVERLAP);
        }
        Ok(())
    }

    fn piece(
        &self,
        text: &str,
        position: Position,
        place: &impl Fn() -> Place,
    ) -> Result<(), Stop> {
        let marks = Marks::of(text);
        if marks.any(mark::CONTROL) && shape::is_binary(text) {
            return Ok(());
        }
        if !marks.is_plain() || text.contains("..") || prototype::is_plain_path(text, marks) {
            self.reading(text, marks, position, place)?;
        }
        self.hidden(text, marks, position, place)?;
        self.undisguised(text, marks, position, place)?;
        if marks.any(ENCODED) {
            for reading in decode::readings(text) {
                let marks = Marks::of(&reading);
                self.reading(&reading, marks, position, place)?;
                self.hidden(&reading, marks, position, place)?;
                self.undisguised(&reading, marks, position, place)?;
            }
        }
        Ok(())
    }

    /// What is left when a disguise is taken off.
    fn undisguised(
        &self,
        text: &str,
        marks: Marks,
        position: Position,
        place: &impl Fn() -> Place,
    ) -> Result<(), Stop> {
        for (_, read) in DISGUISES.iter().filter(|(sign, _)| marks.any(*sign)) {
            if let Some(reading) = read(text) {
                self.reading(&reading, Marks::of(&reading), position, place)?;
            }
        }
        Ok(())
    }

    /// What base64 hides.
    fn hidden(
        &self,
        text: &str,
        marks: Marks,
        position: Position,
        place: &impl Fn() -> Place,
    ) -> Result<(), Stop> {
        if marks.any(mark::QUOTE) {
            // `s:16:"L2V0Yy9wYXNzd2Q="`: in quotes of some other format.
            let short = if text.len() <= LONGEST_QUOTED { text } else { "" };
            let pieces = short.split(['"', '\'']).skip(1).step_by(2);
            for hidden in pieces.filter_map(decode::base64_text) {
                self.reading(&hidden, Marks::of(&hidden), position, place)?;
            }
            return Ok(());
        }
        if marks.any(!(mark::EQUALS | mark::SLASH | mark::PLUS)) {
            return Ok(());
        }
        if decode::is_serialized(text) {
            let suspicion = Suspicion {
                class: Class::Command,
                rule: "serialized_object",
                strength: Strength::Likely,
            };
            return self.stands(text, suspicion, position, place);
        }
        let Some(hidden) = decode::base64_text(text) else { return Ok(()) };
        let marks = Marks::of(&hidden);
        self.reading(&hidden, marks, position, place)?;
        self.undisguised(&hidden, marks, position, place)?;
        for reading in decode::readings(&hidden) {
            self.reading(&reading, Marks::of(&reading), position, place)?;
        }
        Ok(())
    }

    fn reading(
        &self,
        text: &str,
        marks: Marks,
        position: Position,
        place: &impl Fn() -> Place,
    ) -> Result<(), Stop> {
        let lures = Lures::of(text);
        let lookout = class::Lookout::new(marks, lures);
        if !lookout.wants_any() {
            return Ok(());
        }
        if let Some(suspicion) = lookout.look(text, position) {
            self.stands(text, suspicion, position, place)?;
        }
        self.sentences(text, position, place)
    }

    /// A payload behind a sentence: what stands after its end is judged as if it were alone.
    fn sentences(
        &self,
        text: &str,
        position: Position,
        place: &impl Fn() -> Place,
    ) -> Result<(), Stop> {
        if text.len() < SHORTEST_PROSE || position == Position::File {
            return Ok(());
        }
        let after_word = |at: &usize| !text[..*at].ends_with([' ', '\n']);
        let ends = text.match_indices(['.', '!', '?']).map(|(at, _)| at);
        let ends = ends.filter(after_word).map(|at| at + 1);
        let mut ends = ends.filter(|at| text[*at..].starts_with(' ')).take(SENTENCES).peekable();
        while let Some(start) = ends.next() {
            let sentence = text[start..ends.peek().copied().unwrap_or(text.len())].trim();
            let marks = Marks::of(sentence);
            // Inline code of Markdown is shown.
            let shown = marks.any(mark::TICK) && text.contains('\n');
            if marks.any(BREAKING)
                && !shown
                && !shape::is_free_text(sentence, false)
                && let Some(suspicion) =
                    class::Lookout::new(marks, Lures::of(sentence)).look(sentence, position)
            {
                self.stands(sentence, suspicion, position, place)?;
            }
        }
        Ok(())
    }

    /// Whether a suspicion is enough for the role that the field has.
    ///
    /// # Errors
    /// [`Stop::Found`] when it is.
    pub(crate) fn stands(
        &self,
        text: &str,
        suspicion: Suspicion,
        position: Position,
        place: &impl Fn() -> Place,
    ) -> Result<(), Stop> {
        let place = place();
        let expect = self.expectations.expect(&place);
        let needed = match expect {
            Expect::FreeText if is_payload_alone(text) => Strength::Likely,
            Expect::FreeText if shape::is_marked_code(text) => Strength::Sure,
            Expect::FreeText => Strength::Working,
            Expect::Identifier => Strength::Hint,
            Expect::Url { .. } => Strength::Likely,
            Expect::Unknown if suspicion.strength == Strength::Sure => Strength::Sure,
            Expect::Unknown if role::is_identifier(&place) => Strength::Hint,
            Expect::Unknown if position == Position::File => Strength::Sure,
            Expect::Unknown if shape::is_free_text(text, position.is_one_line()) => {
                if shape::is_marked_code(text) {
                    Strength::Sure
                } else {
                    Strength::Working
                }
            }
            Expect::Unknown => Strength::Likely,
        };
        let inner = expect == Expect::Url { inner: true } || is_redirect(&place);
        let meant = inner && suspicion.class == Class::Ssrf && suspicion.rule == "inner_address";
        if suspicion.strength < needed || meant {
            return Ok(());
        }
        Err(Stop::Found(Finding { class: suspicion.class, place, rule: suspicion.rule }))
    }
}

/// Whether a text begins by breaking out, and has no sentence or line of code after that.
fn is_payload_alone(text: &str) -> bool {
    let signs = ['\'', '"', ')', ';', '|', '&', '`', '$', '<', '{', '.', '/'];
    text.trim_start().starts_with(signs) && !shape::is_free_text(text, false)
}

/// Where a browser is sent, often to the machine that it runs on (RFC 8252 §7.3), or who issued something: nothing
/// is fetched.
fn is_redirect(place: &Place) -> bool {
    match place {
        Place::Query(name) | Place::BodyMember(name) => {
            let name = role::last_member(name);
            name.starts_with("redirect_uri") || matches!(name, "iss" | "issuer")
        }
        _ => false,
    }
}

/// The last place at or before `at` where a character begins.
fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

// === impl Value ===

impl<'v> Value<'v> {
    pub(crate) fn new(text: &'v str, marks: Marks, lures: Lures, position: Position) -> Self {
        let lower = text.to_ascii_lowercase();
        Self { text, lower, marks, lures, position, free: OnceCell::new() }
    }

    /// Whether it is text for people or code.
    pub(crate) fn is_free(&self) -> bool {
        *self.free.get_or_init(|| shape::is_free_text(self.text, self.position.is_one_line()))
    }
}

// === impl Suspicion ===

impl Suspicion {
    pub(crate) fn sure(class: Class, rule: &'static str) -> Option<Self> {
        Some(Self { class, rule, strength: Strength::Sure })
    }

    pub(crate) fn likely(class: Class, rule: &'static str) -> Option<Self> {
        Some(Self { class, rule, strength: Strength::Likely })
    }

    pub(crate) fn working(class: Class, rule: &'static str) -> Option<Self> {
        Some(Self { class, rule, strength: Strength::Working })
    }

    pub(crate) fn hint(class: Class, rule: &'static str) -> Option<Self> {
        Some(Self { class, rule, strength: Strength::Hint })
    }

    /// The stronger of two; the earlier where they are alike.
    pub(crate) fn stronger(first: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (first, other) {
            (Some(a), Some(b)) if b.strength > a.strength => Some(b),
            (None, other) => other,
            (first, _) => first,
        }
    }
}
