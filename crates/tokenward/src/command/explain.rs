//! `tokenward explain`: why one request was answered as it was, step by step.

use clap::Args;
use serde_json::Value;

use crate::admin_client::Target;
use crate::command::{Failure, say, segment, table};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// The request's id: the field X-Request-Id of its answer, or `request_id` in its body
    id: String,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let api = arguments.target.connect()?;
    let told = api.get(&format!("/requests/{}", segment(&arguments.id)))?;
    if arguments.target.json {
        say(told);
        return Ok(());
    }
    table::members(told.get("summary").unwrap_or(&Value::Null));
    say("");
    for step in told.get("steps").and_then(Value::as_array).into_iter().flatten() {
        say(line(step));
    }
    Ok(())
}

fn line(step: &Value) -> String {
    let part = |name: &str| step.get(name).and_then(Value::as_str).unwrap_or_default();
    let mark = match part("outcome") {
        "passed" => "ok",
        "failed" => "FAILED",
        "not_needed" => "not needed",
        _ => "not reached",
    };
    // A path or a claim may have any character.
    let detail: String = part("detail").chars().filter(|c| !c.is_control()).collect();
    format!("{:<9} {mark:<11} {detail}", part("step")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::line;

    #[test]
    fn a_step_is_a_line() {
        let step =
            json!({ "step": "permit", "outcome": "failed", "detail": "demands \u{1b}[1m`a`" });
        assert_eq!(line(&step), "permit    FAILED      demands [1m`a`");
        let step = json!({ "step": "within", "outcome": "not_reached", "detail": null });
        assert_eq!(line(&step), "within    not reached");
    }
}
