//! `tokenward finding`: what the detectors found, and what was done about it.

use clap::{Args, Subcommand};
use http::Method;

use crate::admin_client::Target;
use crate::command::{Failure, table};

const COLUMNS: [table::Column; 7] = [
    ("FINDING", "/id"),
    ("TIME", "/finding/ts"),
    ("DETECTOR", "/finding/detector"),
    ("SEVERITY", "/finding/severity"),
    ("RESPONSE", "/finding/response"),
    ("UNDONE", "/undone_at"),
    ("SUMMARY", "/finding/evidence/summary"),
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
    /// List findings, newest first
    List,
    /// Show one finding with its evidence
    Show { id: String },
    /// Undo what was done about a finding, where it can be undone
    Undo { id: String },
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let api = arguments.target.connect()?;
    let json = arguments.target.json;
    let at = |id: &str| format!("/findings/{}", super::segment(id));
    match arguments.command {
        Command::List => super::print_list(&api, "/findings", "before", &COLUMNS, json),
        Command::Show { id } => super::print(&api.get(&at(&id))?, json),
        Command::Undo { id } => {
            super::print(&api.call(&Method::POST, &format!("{}/undo", at(&id)), None)?, json)
        }
    }
}
