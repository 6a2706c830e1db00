//! Whose pages and letters these are: a name, a colour, a picture and a few links of the operator.

mod colour;
mod links;
mod picture;
mod tones;

use bytes::Bytes;

pub use self::colour::{Colour, NotAColour};
pub(crate) use self::links::Shown;
pub use self::links::{Link, Links, NotALink};
pub use self::picture::{MOST_ICON_BYTES, MOST_LOGO_BYTES, Picture, PictureRefused};
use self::tones::{DARK, LIGHT, Tones};
use crate::page::asset::Asset;

/// The built-in colour, as it is in the style sheet and in the icon.
const BUILT_IN: Colour = Colour::new(0x4f, 0x46, 0xe5);
const STYLE: &str = include_str!("../assets/page.css");
const ICON: &str = include_str!("../assets/icon.svg");

/// The colour of buttons; what is written on it and what else is made of it is chosen so that everything can be
/// read (WCAG 2.2 §1.4.3, level AA).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent {
    /// On light pages, and in letters.
    pub light: Colour,
    /// On dark pages.
    pub dark: Colour,
}

/// The picture above every page.
#[derive(Clone, Debug)]
pub struct Logo {
    /// On light pages.
    pub light: Picture,
    /// On dark pages, where it is another.
    pub dark: Option<Picture>,
}

/// What an operator makes their own; what is absent stays as it is built in.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// Who they are to people, in the place of the issuer's host.
    pub name: Option<String>,
    /// Their colour.
    pub accent: Option<Accent>,
    /// Their logo.
    pub logo: Option<Logo>,
    /// The icon in the browser's tab.
    pub icon: Option<Picture>,
    /// Links at the foot of pages and letters.
    pub links: Links,
}

/// Whose pages and letters these are, with the files that pages refer to.
#[derive(Clone, Debug)]
pub struct Branding {
    pub(crate) name: Option<String>,
    pub(crate) style: Asset,
    pub(crate) icon: Asset,
    pub(crate) logo: Option<Asset>,
    pub(crate) logo_dark: Option<Asset>,
    pub(crate) links: Links,
    /// The colours of a button in a letter, which is always a light one.
    pub(crate) button: Button,
}

/// A button whose colours are written beside it, since a letter has no style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Button {
    pub(crate) ground: Colour,
    pub(crate) edge: Colour,
    pub(crate) text: Colour,
}

// === impl Branding ===

impl Branding {
    /// Pages and letters of this operator.
    pub fn new(own: Own) -> Self {
        let icon = own.icon.map_or_else(|| drawn(own.accent), |icon| icon.asset());
        let style = own.accent.map_or_else(|| STYLE.to_owned(), coloured);
        let light = Tones::of(own.accent.map_or(BUILT_IN, |accent| accent.light), &LIGHT);
        let (logo, logo_dark) = match own.logo {
            Some(logo) => (Some(logo.light.asset()), logo.dark.map(|dark| dark.asset())),
            None => (None, None),
        };
        Self {
            name: own.name,
            style: Asset::new(Bytes::from(style), "css", "text/css; charset=utf-8"),
            icon,
            logo,
            logo_dark,
            links: own.links,
            button: Button { ground: light.accent, edge: light.edge, text: light.on_accent },
        }
    }

    /// The file of this name that pages refer to.
    pub(crate) fn asset(&self, name: &str) -> Option<&Asset> {
        let pictures = self.logo.iter().chain(&self.logo_dark);
        [&self.style, &self.icon].into_iter().chain(pictures).find(|asset| asset.name == name)
    }
}

impl Default for Branding {
    fn default() -> Self {
        Self::new(Own::default())
    }
}

/// The style sheet with other colours behind its own: no page needs a style of its own.
fn coloured(accent: Accent) -> String {
    let (light, dark) = (Tones::of(accent.light, &LIGHT), Tones::of(accent.dark, &DARK));
    format!(
        "{STYLE}\n:root {{\n{light}}}\n\n\
         @media (prefers-color-scheme: dark) {{\n:root {{\n{dark}}}\n}}\n"
    )
}

/// The shield, in the colour that there is.
fn drawn(accent: Option<Accent>) -> Asset {
    // A tab may be light or dark, so its colour has to stand out from neither more than the built-in one does.
    let icon = match accent {
        Some(accent) => ICON
            .replace("\"#4f46e5\"", &format!("\"{}\"", accent.light))
            .replace("\"#fff\"", &format!("\"{}\"", Tones::of(accent.light, &LIGHT).on_accent)),
        None => ICON.to_owned(),
    };
    Asset::new(Bytes::from(icon), "svg", "image/svg+xml")
}

#[cfg(test)]
mod tests;
