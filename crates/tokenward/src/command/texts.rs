//! `tokenward texts`: what pages and letters say, as a file that an operator changes.

use authority::language::{Catalogue, Language};
use clap::Args;

use crate::command::{Failure, say};

/// Which language.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Its tag: de, en, es, fr or pt
    language: String,
}

/// Prints the built-in texts as TOML.
///
/// # Errors
/// [`Failure`] when pages are not in that language.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let language = Language::ALL.into_iter().find(|one| one.tag() == arguments.language);
    let unknown = || {
        let tag = &arguments.language;
        Failure::new(format_args!("pages are not in `{tag}`; choose de, en, es, fr or pt"))
    };
    say(file(&Catalogue::default(), language.ok_or_else(unknown).map_err(Failure::into_usage)?));
    Ok(())
}

/// All texts of a language in parts, as `authority.branding.texts` reads them.
fn file(catalogue: &Catalogue, language: Language) -> String {
    let (mut file, mut last) = (String::new(), "");
    for (name, text) in catalogue.texts(language) {
        let Some((part, name)) = name.split_once('.') else { continue };
        if part != last {
            let space = if last.is_empty() { "" } else { "\n" };
            file.push_str(&format!("{space}[{part}]\n"));
            last = part;
        }
        file.push_str(&format!("{name} = {}\n", toml::Value::String(text)));
    }
    file.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use authority::language::{Catalogue, Language};

    use super::file;

    #[test]
    fn what_is_printed_can_be_read() {
        let catalogue = Catalogue::default();
        for language in Language::ALL {
            let text = file(&catalogue, language);
            let read: BTreeMap<String, BTreeMap<String, String>> =
                toml::from_str(&text).expect("TOML");
            let count: usize = read.values().map(BTreeMap::len).sum();
            assert_eq!(count, catalogue.texts(language).len());
            assert!(text.starts_with("[account]\n"), "{text}");
        }
    }
}
