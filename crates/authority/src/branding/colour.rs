//! Colours, and how well one can be read on another (WCAG 2.2, "relative luminance" and "contrast ratio").

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// A colour without transparency (sRGB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

/// A text that is no colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a colour such as `#0b6e4f`: `#` and six hexadecimal digits")]
pub struct NotAColour;

// === impl Colour ===

impl Colour {
    pub(super) const BLACK: Self = Self::new(0, 0, 0);
    pub(super) const WHITE: Self = Self::new(255, 255, 255);

    /// A colour of these parts.
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// With so many percent of another one in it.
    pub(super) fn mixed(self, other: Self, percent: u8) -> Self {
        let part = |own: u8, other: u8| {
            let percent = u32::from(percent.min(100));
            let sum = u32::from(own) * (100 - percent) + u32::from(other) * percent;
            u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX)
        };
        Self {
            red: part(self.red, other.red),
            green: part(self.green, other.green),
            blue: part(self.blue, other.blue),
        }
    }

    /// How well one can be read on the other: from 1, not at all, to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (own, other) = (self.luminance(), other.luminance());
        (own.max(other) + 0.05) / (own.min(other) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl FromStr for Colour {
    type Err = NotAColour;

    fn from_str(text: &str) -> Result<Self, NotAColour> {
        let digits = text.strip_prefix('#').ok_or(NotAColour)?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAColour);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| NotAColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self { red, green, blue })
    }
}

impl Display for Colour {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::Colour;

    #[test]
    fn is_read_and_written() {
        let colour: Colour = "#0B6e4F".parse().expect("colour");
        assert_eq!(colour.to_string(), "#0b6e4f");
        for wrong in ["0b6e4f", "#0b6e4", "#0b6e4fa", "#0b6e4g", "green", "#+b6e4f", ""] {
            assert!(wrong.parse::<Colour>().is_err(), "{wrong}");
        }
    }

    /// The figures that other programs give.
    #[test]
    fn contrast_is_that_of_wcag() {
        let near = |one: &str, other: &str, ratio: f64| {
            let (one, other): (Colour, Colour) =
                (one.parse().expect("colour"), other.parse().expect("colour"));
            let found = one.contrast(other);
            assert!((found - ratio).abs() < 0.01, "{one} on {other}: {found}");
            assert!((other.contrast(one) - found).abs() < 1e-9);
        };
        near("#000000", "#ffffff", 21.0);
        near("#767676", "#ffffff", 4.54);
        near("#ff0000", "#ffffff", 4.0);
        near("#4f46e5", "#ffffff", 6.29);
        near("#123456", "#123456", 1.0);
    }

    #[test]
    fn mixes() {
        assert_eq!(Colour::BLACK.mixed(Colour::WHITE, 50).to_string(), "#808080");
        assert_eq!(Colour::BLACK.mixed(Colour::WHITE, 0), Colour::BLACK);
        assert_eq!(Colour::BLACK.mixed(Colour::WHITE, 100), Colour::WHITE);
    }
}
