//! `tokenward honeytoken`: bait.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use crate::admin_client::Target;
use crate::command::{Failure, say, table};

const COLUMNS: [table::Column; 4] = [
    ("TOKEN", "/jti"),
    ("LABEL", "/label"),
    ("CREATED", "/created_at"),
    ("EXPIRES", "/expires_at"),
];

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token that looks real; put it where only a thief would find it.
    /// Its use is a finding and blocks the network that used it
    Create {
        /// Where it will be put, for whoever reads the finding
        #[arg(long)]
        label: String,
    },
    /// List them
    List,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let api = arguments.target.connect()?;
    let json = arguments.target.json;
    match arguments.command {
        Command::List => super::print_list(&api, "/honeytokens", "after", &COLUMNS, json),
        Command::Create { label } => {
            let made = api.call(&Method::POST, "/honeytokens", Some(&json!({ "label": label })))?;
            match made.get("token").and_then(Value::as_str) {
                // The token alone, so that it can be put into a variable.
                Some(token) if !json => say(token),
                _ => say(&made),
            }
            Ok(())
        }
    }
}
