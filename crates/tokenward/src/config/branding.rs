//! `[authority.branding]`: in which language pages and letters are, and what they say otherwise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use authority::language::{Catalogue, Language};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What pages and letters look and sound like. They are in German (`de`), English (`en`), Spanish (`es`), French
/// (`fr`) and Portuguese (`pt`): in the one that an application's `ui_locales` asks for, else the browser's
/// `Accept-Language`; letters in the one that the person's `locale` names, else in that of the page they come from.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Branding {
    /// The language of whoever wants none of these.
    #[schemars(with = "String")]
    pub(crate) language: Language,
    /// Files (TOML) with texts in the place of the built-in ones, by the tag of their language. A text has the
    /// name that `tokenward texts` prints, and keeps its places such as `{client}`.
    #[schemars(with = "BTreeMap<String, PathBuf>")]
    pub(crate) texts: BTreeMap<Language, PathBuf>,
}

/// A file of texts, in parts: `[sign_in]`, `title = "Welcome"`.
type Texts = BTreeMap<String, BTreeMap<String, String>>;

// === impl Branding ===

impl Branding {
    /// All texts as they are said.
    ///
    /// # Errors
    /// Words that name the file and what is wrong in it.
    pub(crate) fn catalogue(&self) -> Result<Catalogue, String> {
        let mut catalogue = Catalogue::new(self.language);
        for (language, path) in &self.texts {
            let wrong = |error: &dyn std::fmt::Display| {
                let tag = language.tag();
                format!("authority.branding.texts.{tag}: {}: {error}", path.display())
            };
            let texts = read(path).map_err(|error| wrong(&error))?;
            catalogue = catalogue.replacing(*language, &texts).map_err(|error| wrong(&error))?;
        }
        Ok(catalogue)
    }
}

/// The texts of a file, by their whole names.
fn read(path: &Path) -> Result<BTreeMap<String, String>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let parts: Texts = toml::from_str(&text).map_err(|error| error.to_string())?;
    let named = |(part, texts): (String, BTreeMap<String, String>)| {
        texts.into_iter().map(move |(name, text)| (format!("{part}.{name}"), text))
    };
    Ok(parts.into_iter().flat_map(named).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use authority::language::Language;

    use super::Branding;

    fn said(file: &str) -> Result<Vec<(&'static str, String)>, String> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("fr.toml");
        std::fs::write(&path, file).expect("file");
        let texts = BTreeMap::from([(Language::French, path)]);
        let branding = Branding { language: Language::French, texts };
        Ok(branding.catalogue()?.texts(Language::French))
    }

    #[test]
    fn a_file_replaces_texts_and_says_where_it_is_wrong() {
        let texts = said("[sign_in]\ntitle = \"Bienvenue\"\n").expect("texts");
        assert!(texts.contains(&("sign_in.title", "Bienvenue".to_owned())));
        assert!(texts.len() > 400);
        for (file, words) in [
            ("[sign_in]\ntitel = \"x\"", "there is no text `sign_in.titel`"),
            ("[sign_in]\nlead = \"x\"", "`{client}`"),
            ("title = \"x\"", "invalid type"),
            ("[sign_in", "TOML"),
        ] {
            let wrong = said(file).expect_err(file);
            assert!(
                wrong.contains("authority.branding.texts.fr") && wrong.contains(words),
                "{wrong}"
            );
        }
    }
}
