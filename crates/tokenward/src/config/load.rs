//! File text + environment → [`Config`]; a mistake is named with file, line and what is wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use crate::config::{Config, check};

/// What is wrong with a configuration.
#[derive(Debug)]
pub(crate) struct Mistakes {
    file: PathBuf,
    found: Vec<Mistake>,
}

/// One mistake.
#[derive(Debug)]
pub(crate) struct Mistake {
    /// Line in the file, from 1, when the mistake is in the file.
    line: Option<usize>,
    what: String,
}

/// The environment's part: names and values of variables that start with `TOKENWARD_`.
pub(crate) type Environment = BTreeMap<String, String>;

const PREFIX: &str = "TOKENWARD_";

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, mistake) in self.found.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            match mistake.line {
                Some(line) => write!(f, "{}:{line}: {}", self.file.display(), mistake.what)?,
                None => write!(f, "{}: {}", self.file.display(), mistake.what)?,
            }
        }
        Ok(())
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
    let text = std::fs::read_to_string(file).map_err(|error| Mistakes {
        file: file.to_owned(),
        found: vec![Mistake { line: None, what: format!("the file cannot be read: {error}") }],
    })?;
    parse(file, &text, environment)
}

pub(crate) fn parse(
    file: &Path,
    text: &str,
    environment: &Environment,
) -> Result<Config, Mistakes> {
    let mistakes = |found| Mistakes { file: file.to_owned(), found };
    // Once without the environment, so that a mistake of the file keeps its line.
    let from_file: Config =
        toml::from_str(text).map_err(|error| mistakes(vec![of_toml(text, &error)]))?;
    let config = if environment.keys().any(|name| name.contains("__")) {
        overlaid(text, environment).map_err(|what| mistakes(vec![Mistake { line: None, what }]))?
    } else {
        from_file
    };
    let found: Vec<Mistake> = check::mistakes(&config)
        .into_iter()
        .map(|(path, what)| Mistake { line: line_of(text, &path), what: format!("{path}: {what}") })
        .collect();
    if found.is_empty() { Ok(config) } else { Err(mistakes(found)) }
}

fn overlaid(text: &str, environment: &Environment) -> Result<Config, String> {
    let mut table: Table = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    for (name, value) in environment.iter().filter(|(name, _)| name.contains("__")) {
        let path = name.trim_start_matches(PREFIX).to_ascii_lowercase();
        let path: Vec<&str> = path.split("__").collect();
        put(&mut table, &path, value).map_err(|what| format!("{name}: {what}"))?;
        Config::deserialize(table.clone())
            .map_err(|error| format!("{name}: {}", error.message()))?;
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

fn of_toml(text: &str, error: &toml::de::Error) -> Mistake {
    let line = error.span().map(|span| line_at(text, span.start));
    Mistake { line, what: error.message().replace('\n', " ") }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The line of `gateway.route[2].upstream`, or of the nearest part of it that is in the file.
fn line_of(text: &str, path: &str) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let mut table = root.get_ref();
    let mut line = None;
    for part in path.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
            None => (part, None),
        };
        let Some((key, mut value)) = table.get_key_value(name) else { break };
        line = Some(line_at(text, key.span().start));
        if let (Some(index), DeValue::Array(items)) = (index, value.get_ref()) {
            let Some(item) = items.get(index) else { break };
            line = Some(line_at(text, item.span().start));
            value = item;
        }
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    line
}

#[cfg(test)]
mod tests;
