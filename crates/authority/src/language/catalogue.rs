//! The texts of all languages, with those that an operator has replaced.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::text::Text;
use super::words::Words;
use super::{Language, english, french, german, portuguese, spanish};

/// The texts of all languages.
#[derive(Clone, Debug)]
pub struct Catalogue {
    usual: Language,
    words: BTreeMap<Language, Arc<Words>>,
}

/// Why a text cannot be replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextRefused {
    /// It has other places than the one it takes the place of.
    #[error("the text `{name}` must have these places, each as often: {wanted}")]
    Places {
        /// Its name.
        name: String,
        /// Which it has to have.
        wanted: String,
    },
    /// There is none of this name.
    #[error(
        "there is no text `{0}`; the names are those of the documentation, such as `sign_in.title`"
    )]
    Unknown(String),
}

// === impl Catalogue ===

impl Catalogue {
    /// The built-in texts; people who want no language that is here are spoken to in this one.
    pub fn new(usual: Language) -> Self {
        let words = Language::ALL.map(|language| (language, Arc::new(built_in(language))));
        Self { usual, words: words.into() }
    }

    /// With other texts in one language, by their names, such as `sign_in.title`.
    ///
    /// # Errors
    /// [`TextRefused`] names the first text that cannot be replaced.
    pub fn replacing(
        mut self,
        language: Language,
        texts: &BTreeMap<String, String>,
    ) -> Result<Self, TextRefused> {
        let mut words = built_in(language);
        for (name, text) in texts {
            let mut all = words.texts_mut();
            let found = all.iter_mut().find(|(known, _)| *known == name.as_str());
            let (_, place) = found.ok_or_else(|| TextRefused::Unknown(name.clone()))?;
            let text = Text::replaced(text.clone());
            if text.places() != place.places() {
                let wanted: Vec<String> =
                    place.places().iter().map(|place| format!("`{{{place}}}`")).collect();
                let wanted = if wanted.is_empty() { "none".to_owned() } else { wanted.join(", ") };
                return Err(TextRefused::Places { name: name.clone(), wanted });
            }
            **place = text;
        }
        self.words.insert(language, Arc::new(words));
        Ok(self)
    }

    /// The language of whoever wants none that is here.
    pub fn usual(&self) -> Language {
        self.usual
    }

    /// Every text of a language as it is said, by its name.
    pub fn texts(&self, language: Language) -> Vec<(&'static str, String)> {
        let words = self.words(language);
        words.texts().into_iter().map(|(name, text)| (name, text.into())).collect()
    }

    /// What is said in a language.
    pub(crate) fn words(&self, language: Language) -> Arc<Words> {
        let known = self.words.get(&language).cloned();
        known.unwrap_or_else(|| Arc::new(built_in(language)))
    }
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::new(Language::default())
    }
}

fn built_in(language: Language) -> Words {
    match language {
        Language::English => english::ENGLISH,
        Language::French => french::FRENCH,
        Language::German => german::GERMAN,
        Language::Portuguese => portuguese::PORTUGUESE,
        Language::Spanish => spanish::SPANISH,
    }
}
