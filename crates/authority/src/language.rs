//! The languages of pages and letters: their texts, and which of them somebody is spoken to in.

mod catalogue;
mod choice;
mod english;
mod french;
mod german;
mod portuguese;
mod reader;
mod spanish;
mod text;
pub(crate) mod words;

use serde::{Deserialize, Serialize};

pub use self::catalogue::{Catalogue, TextRefused};
pub(crate) use self::choice::{accepted, of_locales};
pub(crate) use self::reader::Reader;
pub(crate) use self::text::Text;

/// A language that pages and letters are complete in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// French.
    #[serde(rename = "fr")]
    French,
    /// German.
    #[serde(rename = "de")]
    German,
    /// Portuguese.
    #[serde(rename = "pt")]
    Portuguese,
    /// Spanish.
    #[serde(rename = "es")]
    Spanish,
}

// === impl Language ===

impl Language {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::English, Self::French, Self::German, Self::Portuguese, Self::Spanish];

    /// Its tag (RFC 5646), such as `de`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::German => "de",
            Self::Portuguese => "pt",
            Self::Spanish => "es",
        }
    }

    /// The language of a tag, whatever region it names (RFC 4647 §3.4): `de-CH` is German, and so
    /// is `de_CH`, as some write it (OpenID Connect Core 1.0 §5.1).
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
}

#[cfg(test)]
mod tests;
