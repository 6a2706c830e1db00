//! Answers of the admin API as aligned columns for people, or as JSON for scripts.

use serde_json::Value;

use crate::command::say;

/// A column: its heading, and where its value is in a row.
pub(super) type Column = (&'static str, &'static str);

/// Prints a list.
pub(super) fn rows(rows: &[Value], columns: &[Column]) {
    let mut lines: Vec<Vec<String>> =
        vec![columns.iter().map(|(head, _)| (*head).to_owned()).collect()];
    for row in rows {
        lines.push(columns.iter().map(|(_, at)| text(row.pointer(at))).collect());
    }
    let widths: Vec<usize> = (0..columns.len())
        .map(|n| lines.iter().map(|line| line[n].chars().count()).max().unwrap_or(0))
        .collect();
    for line in lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        say(cells.join("  ").trim_end());
    }
}

/// Prints one object, a member a line; what is inside another is `outer.inner`.
pub(super) fn members(object: &Value) {
    let mut lines = Vec::new();
    flatten("", object, &mut lines);
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in lines {
        say(format_args!("{name:<width$}  {value}").to_string().trim_end());
    }
}

fn flatten(name: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (inner, value) in members {
                let joint = if name.is_empty() { "" } else { "." };
                flatten(&format!("{name}{joint}{inner}"), value, lines);
            }
        }
        other => lines.push((name.to_owned(), text(Some(other)))),
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.chars().filter(|c| !c.is_control()).collect(),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            items.iter().map(|item| text(Some(item))).collect::<Vec<_>>().join(" ")
        }
        Some(other) => other.to_string(),
    }
}
