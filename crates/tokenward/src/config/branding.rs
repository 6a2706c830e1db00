//! `[authority.branding]`: whose pages and letters are, in which language, and what they say otherwise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use authority::branding::{
    Accent, Colour, Link, Links, Logo, MOST_ICON_BYTES, MOST_LOGO_BYTES, Own, Picture,
};
use authority::language::{Catalogue, Language};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Finding;

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
    /// Who you are to people, on pages, in letters and in their apps for codes: 1 to 64 characters. Absent: the
    /// issuer's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// The colour of buttons, such as `#0b6e4f`. What is written on it is white or black, whichever can be read; links
    /// are in a darker one of it where that is needed (WCAG 2.2, level AA).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accent: Option<String>,
    /// The same on dark pages, where links are in a lighter one of it. Absent: `accent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accent_dark: Option<String>,
    /// File with the picture above every page, 40 pixels high: an SVG, a PNG or a WebP of at most 12 KB. An SVG has
    /// no script and nothing from elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logo: Option<PathBuf>,
    /// The same for dark pages. Absent: `logo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logo_dark: Option<PathBuf>,
    /// File with the icon in the browser's tab: an SVG, a PNG or a WebP of at most 4 KB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) icon: Option<PathBuf>,
    /// A link to your terms of service, by https, at the foot of pages and letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) terms: Option<String>,
    /// A link to your privacy policy, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) privacy: Option<String>,
    /// A link to where you help people, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) support: Option<String>,
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

    /// Whose pages these are.
    ///
    /// # Errors
    /// Words that name the option and what is wrong.
    pub(crate) fn own(&self) -> Result<authority::branding::Branding, String> {
        let light: Option<Colour> = parsed("accent", self.accent.as_deref())?;
        let dark: Option<Colour> = parsed("accent_dark", self.accent_dark.as_deref())?;
        let accent = light.map(|light| Accent { light, dark: dark.unwrap_or(light) });
        let picture = |name: &str, path: &Option<PathBuf>, most: usize| {
            let wrong = |path: &Path, error: &dyn std::fmt::Display| {
                format!("authority.branding.{name}: {}: {error}", path.display())
            };
            let Some(path) = path else { return Ok(None) };
            let content = std::fs::read(path).map_err(|error| wrong(path, &error))?;
            Picture::new(content, most).map(Some).map_err(|error| wrong(path, &error))
        };
        let dark = picture("logo_dark", &self.logo_dark, MOST_LOGO_BYTES)?;
        let logo = picture("logo", &self.logo, MOST_LOGO_BYTES)?;
        Ok(authority::branding::Branding::new(Own {
            name: self.name.clone(),
            accent,
            logo: logo.map(|light| Logo { light, dark }),
            icon: picture("icon", &self.icon, MOST_ICON_BYTES)?,
            links: Links {
                terms: parsed("terms", self.terms.as_deref())?,
                privacy: parsed("privacy", self.privacy.as_deref())?,
                support: parsed("support", self.support.as_deref())?,
            },
        }))
    }

    /// What is wrong, as far as no file has to be read for it.
    pub(crate) fn check(&self, found: &mut Vec<Finding>) {
        let mut wrong = |name: &str, words: String| {
            found.push((format!("authority.branding.{name}"), words));
        };
        for (name, colour) in [("accent", &self.accent), ("accent_dark", &self.accent_dark)] {
            if let Some(Err(error)) = colour.as_deref().map(str::parse::<Colour>) {
                wrong(name, error.to_string());
            }
        }
        let links =
            [("terms", &self.terms), ("privacy", &self.privacy), ("support", &self.support)];
        for (name, link) in links {
            if let Some(Err(error)) = link.as_deref().map(str::parse::<Link>) {
                wrong(name, error.to_string());
            }
        }
        let is_name = |name: &str| {
            name.trim() == name
                && (1..=64).contains(&name.chars().count())
                && !name.contains(|c: char| c.is_control() || matches!(c, '{' | '}'))
        };
        if self.name.as_deref().is_some_and(|name| !is_name(name)) {
            let words =
                "must be 1 to 64 characters without `{`, `}`, breaks and spaces around them";
            wrong("name", words.to_owned());
        }
        for (dark, is_alone, light) in [
            ("accent_dark", self.accent_dark.is_some() && self.accent.is_none(), "accent"),
            ("logo_dark", self.logo_dark.is_some() && self.logo.is_none(), "logo"),
        ] {
            if is_alone {
                wrong(dark, format!("needs `{light}` beside it, for light pages"));
            }
        }
    }
}

/// An option that is read from its text.
fn parsed<T: std::str::FromStr>(name: &str, text: Option<&str>) -> Result<Option<T>, String>
where
    T::Err: std::fmt::Display,
{
    let read = text.map(str::parse).transpose();
    read.map_err(|error: T::Err| format!("authority.branding.{name}: {error}"))
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

    #[test]
    fn what_is_wrong_is_named() {
        let read = |text: &str| toml::from_str::<Branding>(text).expect("branding");
        let found = |text: &str| {
            let mut found = Vec::new();
            read(text).check(&mut found);
            found
        };
        let good = "name = 'Example Bank'\naccent = '#0b6e4f'\naccent_dark = '#5fd39b'\n\
                    terms = 'https://example.com/terms'";
        assert_eq!(found(good), []);
        assert!(read(good).own().is_ok());
        for (text, option) in [
            ("accent = 'green'", "accent"),
            ("accent_dark = '#fff000'", "accent_dark"),
            ("logo_dark = 'logo.svg'", "logo_dark"),
            ("name = ''", "name"),
            ("name = 'a {client}'", "name"),
            ("support = 'http://example.com'", "support"),
        ] {
            let found = found(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert_eq!(found[0].0, format!("authority.branding.{option}"));
        }
    }

    #[test]
    fn pictures_are_read_and_refused_by_their_option() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| Some(folder.path().join(name));
        std::fs::write(folder.path().join("good.svg"), "<svg><path d='M0 0'/></svg>")
            .expect("file");
        std::fs::write(folder.path().join("bad.svg"), "<svg><script/></svg>").expect("file");
        let own = |logo: &str, icon: &str| {
            Branding { logo: at(logo), icon: at(icon), ..Branding::default() }.own()
        };
        assert!(own("good.svg", "good.svg").is_ok());
        for (logo, icon, words) in [
            ("bad.svg", "good.svg", "the element `script`"),
            ("none.svg", "good.svg", "No such file"),
            ("good.svg", "bad.svg", "authority.branding.icon"),
        ] {
            let wrong = own(logo, icon).expect_err(words);
            assert!(wrong.starts_with("authority.branding.") && wrong.contains(words), "{wrong}");
        }
    }

    fn said(file: &str) -> Result<Vec<(&'static str, String)>, String> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("fr.toml");
        std::fs::write(&path, file).expect("file");
        let texts = BTreeMap::from([(Language::French, path)]);
        let branding = Branding { language: Language::French, texts, ..Branding::default() };
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
