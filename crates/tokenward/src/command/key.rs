//! `tokenward key`: signing keys.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::json;

use crate::admin_client::Target;
use crate::command::{Failure, table};

const COLUMNS: [table::Column; 5] = [
    ("KEY", "/kid"),
    ("ALG", "/alg"),
    ("STATE", "/state"),
    ("CREATED", "/created_at"),
    ("ACTIVATED", "/activated_at"),
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
    /// List keys
    List,
    /// Publish a new key; it signs once checkers have had time to fetch it
    Rotate {
        /// Sign with the new key from now on
        #[arg(long)]
        at_once: bool,
        /// Others may know the key: older keys are gone at once, with every access token
        #[arg(long)]
        compromised: bool,
    },
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let api = arguments.target.connect()?;
    let json = arguments.target.json;
    match arguments.command {
        Command::List => super::print_list(&api, "/keys", "after", &COLUMNS, json),
        Command::Rotate { at_once, compromised } => {
            let body = json!({ "at_once": at_once, "compromised": compromised });
            super::print(&api.call(&Method::POST, "/keys/rotate", Some(&body))?, json)
        }
    }
}
