//! File text + environment → [`Config`]; a mistake is named with file, line and what is wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use crate::config::place::{self, Place};
use crate::config::{Config, check, meant, variables};

/// What is wrong with a configuration.
#[derive(Clone, Debug)]
pub(crate) struct Mistakes {
    pub(crate) file: PathBuf,
    pub(crate) found: Vec<Mistake>,
}

/// One mistake.
#[derive(Clone, Debug)]
pub(crate) struct Mistake {
    /// Where in the file, when it is in the file.
    pub(crate) place: Option<Place>,
    /// The option, such as `gateway.route[2].upstream`, when it is known.
    pub(crate) key: Option<String>,
    /// What is wrong, and how to mend it.
    pub(crate) reason: String,
    /// Whether the file cannot be read as a configuration at all: the reason speaks for itself then.
    unread: bool,
}

/// The environment's part: names and values of variables that start with `TOKENWARD_`.
pub(crate) type Environment = BTreeMap<String, String>;

/// How the name of a variable begins that is meant for the program.
pub(crate) const PREFIX: &str = "TOKENWARD_";

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, mistake) in self.found.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:", self.file.display())?;
            if let Some(place) = mistake.place {
                write!(f, "{}:", place.line)?;
            }
            if let Some(key) = mistake.key.as_ref().filter(|_| !mistake.unread) {
                write!(f, " {key}:")?;
            }
            write!(f, " {}", mistake.reason)?;
        }
        Ok(())
    }
}

// === impl Mistakes ===

impl Mistakes {
    /// What is wrong with these options of a file whose text this is.
    pub(crate) fn at(file: &Path, text: &str, found: Vec<check::Finding>) -> Self {
        let mistake = |(key, reason): check::Finding| Mistake {
            place: place::of_key(text, &key),
            key: Some(key),
            reason,
            unread: false,
        };
        Self { file: file.to_owned(), found: found.into_iter().map(mistake).collect() }
    }

    fn unread(file: &Path, reason: String) -> Self {
        let mistake = Mistake { place: None, key: None, reason, unread: true };
        Self { file: file.to_owned(), found: vec![mistake] }
    }
}

/// The variables of this process that can matter.
#[expect(clippy::disallowed_methods, reason = "the environment is read here alone")]
pub(crate) fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect()
}

/// Reads and checks a configuration file, with variables such as
/// `TOKENWARD_AUTHORITY__ISSUER` put over it.
///
/// # Errors
/// [`Mistakes`] lists what is wrong, with lines where they are known.
pub(crate) fn load(file: &Path, environment: &Environment) -> Result<Config, Mistakes> {
    parse(file, &text(file)?, environment)
}

/// The text of a configuration file.
///
/// # Errors
/// [`Mistakes`] with the system's error.
pub(crate) fn text(file: &Path) -> Result<String, Mistakes> {
    std::fs::read_to_string(file)
        .map_err(|error| Mistakes::unread(file, format!("the file cannot be read: {error}")))
}

/// As [`load`], of a text that was read already.
pub(crate) fn parse(
    file: &Path,
    text: &str,
    environment: &Environment,
) -> Result<Config, Mistakes> {
    checked(file, text, unchecked(file, text, environment)?)
}

/// What the text says, as far as it has the form of a configuration.
///
/// # Errors
/// [`Mistakes`] of form.
pub(crate) fn unchecked(
    file: &Path,
    text: &str,
    environment: &Environment,
) -> Result<Config, Mistakes> {
    // Once without the environment, so that a mistake of the file keeps its line.
    let from_file: Config = toml::from_str(text).map_err(|error| of_toml(file, text, &error))?;
    if environment.keys().any(|name| variables::is_put_over(name)) {
        overlaid(text, environment).map_err(|reason| Mistakes::unread(file, reason))
    } else {
        Ok(from_file)
    }
}

/// The same configuration, if it can be, with all files that it names.
///
/// # Errors
/// [`Mistakes`] lists what is wrong.
pub(crate) fn checked(file: &Path, text: &str, config: Config) -> Result<Config, Mistakes> {
    let found = check::mistakes(&config);
    if found.is_empty() { Ok(config) } else { Err(Mistakes::at(file, text, found)) }
}

fn overlaid(text: &str, environment: &Environment) -> Result<Config, String> {
    let mut table: Table = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    for (name, value) in environment.iter().filter(|(name, _)| variables::is_put_over(name)) {
        let path = name.trim_start_matches(PREFIX).to_ascii_lowercase();
        let path: Vec<&str> = path.split("__").collect();
        put(&mut table, &path, value).map_err(|what| format!("{name}: {what}"))?;
        Config::deserialize(table.clone())
            .map_err(|error| format!("{name}: {}", meant::said(error.message())))?;
    }
    Config::deserialize(table).map_err(|error| error.message().to_owned())
}

fn put(table: &mut Table, path: &[&str], text: &str) -> Result<(), String> {
    match path {
        [] | [""] => Err("names no option".to_owned()),
        [last] => {
            // `8`, `true` and `["a"]` mean themselves; everything else is a text.
            let value = toml::from_str::<Table>(&format!("v = {text}"))
                .ok()
                .and_then(|mut parsed| parsed.remove("v"))
                .unwrap_or_else(|| Value::String(text.to_owned()));
            table.insert((*last).to_owned(), value);
            Ok(())
        }
        [first, rest @ ..] => {
            let inner = table.entry((*first).to_owned()).or_insert(Value::Table(Table::new()));
            match inner {
                Value::Table(inner) => put(inner, rest, text),
                _ => Err(format!("`{first}` is no section")),
            }
        }
    }
}

fn of_toml(file: &Path, text: &str, error: &toml::de::Error) -> Mistakes {
    let at = error.span().map(|span| span.start);
    let mistake = Mistake {
        place: at.map(|at| place::of_offset(text, at)),
        key: at.and_then(|at| place::key_at(text, at)),
        reason: meant::said(error.message()),
        unread: true,
    };
    Mistakes { file: file.to_owned(), found: vec![mistake] }
}

#[cfg(test)]
mod tests;
