//! The configuration reference, printed from the types: every option, its default and its meaning.

use std::fmt::Write as _;

use schemars::schema_for;
use serde_json::{Map, Value};

use crate::config::{Admin, Auth, Config, Gateway};

/// The reference as Markdown.
pub(crate) fn markdown() -> String {
    let mut schema = Value::from(schema_for!(Config));
    // The same text whether maps keep their order or not, which a feature of a dependency decides.
    schema.sort_all_objects();
    let mut page = String::from(
        "# Configuration reference\n\n\
         Printed by `tokenward config reference` from the types that read the file.\n\n\
         `tokenward serve -c tokenward.toml` reads one TOML file; `tokenward config check -c FILE` \
         names file, line and mistake without starting. A variable such as \
         `TOKENWARD_AUTHORITY__ISSUER` goes over the option `issuer` of the section `authority`: \
         the path in capitals, its parts joined by two underscores. `TOKENWARD_MASTER_KEY` holds \
         the master key itself. A variable that begins with `TOKENWARD_` and means nothing is told at the start and \
         by `config check`. Lengths of time are a whole number and `s`, `m`, `h` or `d`. Names of files \
         that do not begin with `/` are seen from the folder in which the program was started.\n",
    );
    let defaults = serde_json::to_value(Config {
        gateway: Some(Gateway { auth: Some(Auth::default()), ..Gateway::default() }),
        admin: Some(Admin::default()),
        ..Config::default()
    })
    .unwrap_or_default();
    let reader = Reader::of(&schema);
    reader.section(&mut page, "", &schema, Some(&defaults));
    page
}

/// Finds its way in the schema of the configuration.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    definitions: Option<&'a Map<String, Value>>,
}

/// A section or array of sections inside another.
struct Inner<'a> {
    heading: String,
    schema: &'a Value,
    defaults: Option<&'a Value>,
    about: &'a str,
}

impl<'a> Reader<'a> {
    pub(super) fn of(schema: &'a Value) -> Self {
        Self { definitions: schema.get("$defs").and_then(Value::as_object) }
    }

    fn section(
        &self,
        page: &mut String,
        path: &str,
        schema: &'a Value,
        defaults: Option<&'a Value>,
    ) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let mut inner = Vec::new();
        let mut rows = String::new();
        for (name, property) in properties {
            let default = defaults.and_then(|defaults| defaults.get(name));
            let about = property.get("description").and_then(Value::as_str).unwrap_or_default();
            let full = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let each = property.get("additionalProperties").and_then(|each| self.object(each));
            if let Some(target) = each {
                let about = target.get("description").and_then(Value::as_str).unwrap_or(about);
                let heading = format!("[{full}.NAME]");
                inner.push(Inner { heading, schema: target, defaults: None, about });
            }
            if let Some(target) = self.object(property) {
                inner.push(Inner {
                    heading: format!("[{full}]"),
                    schema: target,
                    defaults: default,
                    about,
                });
            } else if let Some(target) = property.get("items").and_then(|items| self.object(items))
            {
                inner.push(Inner {
                    heading: format!("[[{full}]]"),
                    schema: target,
                    defaults: None,
                    about,
                });
            } else {
                let default = if required.contains(&name.as_str()) {
                    "required".to_owned()
                } else {
                    shown(default)
                };
                let kind = self.kind(property);
                let _ = writeln!(
                    rows,
                    "| `{name}` | {kind} | {default} | {} |",
                    about.replace('\n', " ")
                );
            }
        }
        if !rows.is_empty() {
            let _ =
                write!(page, "\n| option | type | default | meaning |\n|---|---|---|---|\n{rows}");
        }
        for part in inner {
            let _ = write!(page, "\n## `{}`\n\n{}\n", part.heading, part.about.replace('\n', " "));
            let path = part.heading.trim_matches(['[', ']']);
            self.section(page, path, part.schema, part.defaults);
        }
    }

    /// The object schema behind a property, through `$ref`, `anyOf` with null, or `allOf`.
    pub(super) fn object(&self, property: &'a Value) -> Option<&'a Value> {
        let target = self.resolve(property)?;
        target.get("properties").map(|_| target)
    }

    fn resolve(&self, property: &'a Value) -> Option<&'a Value> {
        if let Some(name) = property.get("$ref").and_then(Value::as_str) {
            return self.definitions?.get(name.rsplit('/').next()?);
        }
        let options = property.get("anyOf").or_else(|| property.get("allOf"));
        match options.and_then(Value::as_array) {
            Some(options) => options.iter().find_map(|option| self.resolve(option)),
            None => Some(property),
        }
    }

    fn kind(&self, property: &'a Value) -> String {
        let Some(target) = self.resolve(property) else { return String::new() };
        let variants: Vec<String> = target
            .get("oneOf")
            .and_then(Value::as_array)
            .map(|variants| {
                variants
                    .iter()
                    .filter_map(|v| v.get("const")?.as_str())
                    .map(|v| format!("`{v}`"))
                    .collect()
            })
            .unwrap_or_default();
        if !variants.is_empty() {
            return variants.join(" or ");
        }
        if target.get("format").and_then(Value::as_str) == Some("span") {
            return "length of time".to_owned();
        }
        let name = match target.get("type") {
            Some(Value::String(name)) => name.as_str(),
            Some(Value::Array(names)) => names.first().and_then(Value::as_str).unwrap_or_default(),
            _ => "",
        };
        match name {
            "array" => "array of texts".to_owned(),
            "object" => "table of texts".to_owned(),
            "string" => "text".to_owned(),
            "integer" => "whole number".to_owned(),
            other => other.to_owned(),
        }
    }
}

fn shown(default: Option<&Value>) -> String {
    match default {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::Array(items)) if items.is_empty() => "`[]`".to_owned(),
        Some(Value::Object(members)) if members.is_empty() => "`{}`".to_owned(),
        Some(value) => format!("`{value}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn every_section_option_and_default_is_there() {
        let page = markdown();
        for part in [
            "## `[authority]`",
            "## `[gateway]`",
            "## `[gateway.auth]`",
            "## `[[gateway.route]]`",
            "## `[gateway.upstreams.NAME]`",
            "| `balance` | `least_requests` or `round_robin` or `hash` |",
            "## `[admin]`",
            "## `[[scope]]`",
            "## `[store]`",
            "## `[detect]`",
            "## `[log]`",
            "## `[gateway.tls]`",
            "| `access_token_life` | length of time | `\"10m\"` |",
            "| `format` | `text` or `json` | `\"text\"` |",
            "| `upstream` | text | required |",
            "| `drain` | length of time | `\"20s\"` |",
        ] {
            assert!(page.contains(part), "no {part} in:\n{page}");
        }
    }
}
