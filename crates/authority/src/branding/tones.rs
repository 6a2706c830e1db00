//! What is made of one colour so that everything in it and on it can be read: WCAG 2.2 §1.4.3 (text, 4.5 to 1)
//! and §1.4.11 (edges, 3 to 1), level AA.

use std::fmt::{self, Display, Formatter};

use super::colour::Colour;

const TEXT: f64 = 4.5;
const EDGE: f64 = 3.0;

/// What is beneath the colour, as the style sheet has it.
#[derive(Debug)]
pub(super) struct Theme {
    pub(super) card: Colour,
    pub(super) ground: Colour,
    /// Where text goes that needs more contrast.
    away: Colour,
    /// How much of the colour is in what is only tinted, in percent.
    tint: u8,
}

/// A light page.
pub(super) const LIGHT: Theme = Theme {
    card: Colour::WHITE,
    ground: Colour::new(0xf3, 0xf4, 0xf8),
    away: Colour::BLACK,
    tint: 9,
};

/// A dark page.
pub(super) const DARK: Theme = Theme {
    card: Colour::new(0x15, 0x17, 0x1f),
    ground: Colour::new(0x0c, 0x0d, 0x13),
    away: Colour::WHITE,
    tint: 18,
};

/// The colour, and what is made of it.
#[derive(Debug)]
pub(super) struct Tones {
    /// The colour itself: what buttons are filled with.
    pub(super) accent: Colour,
    /// The same beneath a pointer.
    pub(super) hover: Colour,
    /// What is written on both.
    pub(super) on_accent: Colour,
    /// Around a button that would not stand out from the card.
    pub(super) edge: Colour,
    /// Behind a letter that stands for a name.
    pub(super) soft: Colour,
    /// Links, and what else is written in the colour.
    pub(super) text: Colour,
    /// Behind the card.
    pub(super) glow: Colour,
}

// === impl Tones ===

impl Tones {
    pub(super) fn of(accent: Colour, theme: &Theme) -> Self {
        // One of the two has at least 4.58 on any colour.
        let (on_accent, opposite) = if accent.contrast(Colour::WHITE) >= TEXT {
            (Colour::WHITE, Colour::BLACK)
        } else {
            (Colour::BLACK, Colour::WHITE)
        };
        let soft = theme.card.mixed(accent, theme.tint);
        let glow = theme.ground.mixed(accent, theme.tint);
        let grounds = [theme.card, theme.ground, soft, glow];
        let is_read =
            |colour: &Colour| grounds.iter().all(|ground| colour.contrast(*ground) >= TEXT);
        let mut further = (0..=100).map(|percent| accent.mixed(theme.away, percent));
        let text = further.find(is_read).unwrap_or(theme.away);
        Self {
            accent,
            hover: accent.mixed(opposite, 12),
            on_accent,
            edge: if accent.contrast(theme.card) >= EDGE { accent } else { text },
            soft,
            text,
            glow,
        }
    }
}

impl Display for Tones {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (name, colour) in [
            ("accent", self.accent),
            ("accent-hover", self.hover),
            ("accent-soft", self.soft),
            ("accent-text", self.text),
            ("accent-edge", self.edge),
            ("on-accent", self.on_accent),
            ("ground-glow", self.glow),
        ] {
            writeln!(f, "  --{name}: {colour};")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Colour, DARK, EDGE, LIGHT, TEXT, Theme, Tones};

    fn assert_readable(accent: Colour, theme: &Theme, text_soft: Colour) {
        let tones = Tones::of(accent, theme);
        for (what, colour, ground, least) in [
            ("a button", tones.on_accent, tones.accent, TEXT),
            ("a button beneath a pointer", tones.on_accent, tones.hover, TEXT),
            ("a button's edge", tones.edge, theme.card, EDGE),
            ("a link on the card", tones.text, theme.card, TEXT),
            ("a link at the foot", tones.text, theme.ground, TEXT),
            ("a letter", tones.text, tones.soft, TEXT),
            ("a link before the glow", tones.text, tones.glow, TEXT),
            ("the foot", text_soft, tones.glow, TEXT),
        ] {
            let found = colour.contrast(ground);
            assert!(found >= least, "{accent}: {what}: {colour} on {ground}: {found:.2}");
        }
    }

    #[test]
    fn every_colour_can_be_read() {
        // `--text-soft` of the style sheet.
        let [soft_light, soft_dark] =
            [Colour::new(0x56, 0x5c, 0x6d), Colour::new(0xa3, 0xa9, 0xba)];
        let steps = || (0..=255).step_by(15);
        for red in steps() {
            for green in steps() {
                for blue in steps() {
                    let accent = Colour::new(red, green, blue);
                    assert_readable(accent, &LIGHT, soft_light);
                    assert_readable(accent, &DARK, soft_dark);
                }
            }
        }
    }

    #[test]
    fn a_colour_that_is_good_stays_as_it_is() {
        let green = Colour::new(0x0b, 0x6e, 0x4f);
        let tones = Tones::of(green, &LIGHT);
        assert_eq!((tones.text, tones.edge, tones.on_accent), (green, green, Colour::WHITE));
    }

    #[test]
    fn a_bright_colour_has_dark_words_and_an_edge() {
        let yellow = Colour::new(0xff, 0xcc, 0x00);
        let tones = Tones::of(yellow, &LIGHT);
        assert_eq!((tones.accent, tones.on_accent), (yellow, Colour::BLACK));
        assert_ne!(tones.text, yellow);
        assert_eq!(tones.edge, tones.text);
        assert_eq!(Tones::of(yellow, &DARK).text, yellow);
    }
}
