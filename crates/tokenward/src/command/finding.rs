//! `tokenward finding`: what the detectors found, and what was done about it.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::json;

use crate::admin_client::Target;
use crate::command::sought::Sought;
use crate::command::{Failure, say, table};

const TOLERANCES: [table::Column; 6] = [
    ("SEQ", "/seq"),
    ("DETECTOR", "/detector"),
    ("ABOUT", "/about"),
    ("HALVINGS", "/halvings"),
    ("UNTIL", "/expires_at"),
    ("BY", "/created_by"),
];
const COLUMNS: [table::Column; 8] = [
    ("FINDING", "/id"),
    ("TIME", "/finding/ts"),
    ("DETECTOR", "/finding/detector"),
    ("SEVERITY", "/finding/severity"),
    ("RESPONSE", "/finding/response"),
    ("UNDONE", "/undone_at"),
    ("VERDICT", "/verdict"),
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
    /// List findings, newest first: all, or those that meet all options
    List(Box<Sought>),
    /// Show one finding with its evidence
    Show { id: String },
    /// Undo what was done about a finding, where it can be undone
    Undo { id: String },
    /// Say what a finding is worth: after `false` and `expected` its detector is believed less about this
    /// principal or route, for a time; after `true` it is believed again
    Feedback {
        id: String,
        /// `true`, `false` or `expected`
        verdict: String,
        /// The verdict is about the route of its request, for everybody
        #[arg(long)]
        route: bool,
    },
    /// List whom and what detectors are believed less about
    Tolerances,
    /// End a tolerance: the detector is believed again
    EndTolerance { seq: u64 },
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let api = arguments.target.connect()?;
    let json = arguments.target.json;
    let at = |id: &str| format!("/findings/{}", super::segment(id));
    match arguments.command {
        Command::List(sought) => {
            super::print_list(&api, &sought.of("/findings"), "before", &COLUMNS, json)
        }
        Command::Show { id } => super::print(&api.get(&at(&id))?, json),
        Command::Undo { id } => {
            super::print(&api.call(&Method::POST, &format!("{}/undo", at(&id)), None)?, json)
        }
        Command::Feedback { id, verdict, route } => {
            let about = if route { "route" } else { "principal" };
            let body = json!({ "verdict": verdict, "about": about });
            let path = format!("{}/feedback", at(&id));
            super::print(&api.call(&Method::POST, &path, Some(&body))?, json)
        }
        Command::Tolerances => super::print_list(&api, "/tolerances", "before", &TOLERANCES, json),
        Command::EndTolerance { seq } => {
            api.call(&Method::DELETE, &format!("/tolerances/{seq}"), None)?;
            if !json {
                say(format_args!("tolerance {seq} has ended"));
            }
            Ok(())
        }
    }
}
