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

/// Prints one object, a member a line.
pub(super) fn members(object: &Value) {
    let Some(members) = object.as_object() else { return say(text(Some(object))) };
    let width = members.keys().map(String::len).max().unwrap_or(0);
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        say(format_args!("{name:<width$}  {}", text(Some(value))));
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
