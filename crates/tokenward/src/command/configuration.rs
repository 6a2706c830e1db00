//! `tokenward config`: check a file, have it read again, print the reference.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use http::Method;
use serde_json::Value;

use crate::admin_client::Target;
use crate::command::{Failure, say, warn};
use crate::compose::readable;
use crate::config::{load, reference, variables};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a file and all that it names without starting: names file, line and mistake
    Check {
        /// The configuration file
        #[arg(short, long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Have the running server read its file again: applied whole, or refused with file, line and mistake
    Reload(Reload),
    /// Print every option with its default and meaning, as Markdown
    Reference,
}

#[derive(Debug, Args)]
pub(super) struct Reload {
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check { config } => {
            let environment = load::environment();
            let read = load::load(config, &environment).map_err(Failure::new)?;
            readable::check(&read)?;
            for words in variables::ignored(&read, &environment) {
                warn(words);
            }
            say(format_args!("{}: good", config.display()));
        }
        Command::Reload(Reload { target }) => {
            let applied = target.connect()?.call(&Method::POST, "/config/reload", None)?;
            if target.json { say(&applied) } else { say(words(&applied)) }
        }
        Command::Reference => say(reference::markdown().trim_end()),
    }
    Ok(())
}

fn words(applied: &Value) -> String {
    let version = &applied["version"];
    let changed = applied["changed"].as_array().map(Vec::as_slice).unwrap_or_default();
    match changed {
        [] => format!("version {version} stays in force: nothing has changed"),
        some => {
            let some: Vec<&str> = some.iter().filter_map(Value::as_str).collect();
            format!("version {version} is in force; changed: {}", some.join(", "))
        }
    }
}
