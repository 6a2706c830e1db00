//! `tokenward incident`: findings that belong together.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::Value;

use crate::admin_client::Target;
use crate::command::sought::Sought;
use crate::command::{Failure, say, table};

const COLUMNS: [table::Column; 7] = [
    ("INCIDENT", "/id"),
    ("KIND", "/kind"),
    ("SEVERITY", "/severity"),
    ("FINDINGS", "/findings"),
    ("FIRST", "/first"),
    ("LAST", "/last"),
    ("ANSWERED", "/answered"),
];
const TIMELINE: [table::Column; 5] = [
    ("TIME", "/at"),
    ("STEP", "/step"),
    ("DETECTOR", "/detector"),
    ("RESPONSE", "/response"),
    ("WORDS", "/words"),
];
const RESTRICTIONS: [table::Column; 6] = [
    ("SEQ", "/seq"),
    ("KIND", "/selector/kind"),
    ("VALUE", "/selector/value"),
    ("EFFECT", "/effect"),
    ("LIFTED", "/lifted_at"),
    ("SECONDS", "/seconds"),
];
const UNDONE: [table::Column; 7] = [
    ("FINDING", "/finding"),
    ("DETECTOR", "/detector"),
    ("RESPONSE", "/response"),
    ("SEQ", "/restriction"),
    ("UNDONE", "/undone"),
    ("KEPT FOR OTHERS", "/kept"),
    ("WHY NOT", "/why"),
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
    /// List incidents and campaigns, the one with the last finding first: all, or those that have a finding that
    /// meets all options
    List(Box<Sought>),
    /// Show one with its timeline, and what was done
    Show { id: String },
    /// Undo what was done about each of its findings, where it can be undone, and say what could not be and why
    Undo { id: String },
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let api = arguments.target.connect()?;
    let json = arguments.target.json;
    let at = |id: &str| format!("/incidents/{}", super::segment(id));
    match arguments.command {
        Command::List(sought) => {
            super::print_list(&api, &sought.of("/incidents"), "before", &COLUMNS, json)
        }
        Command::Show { id } => {
            let incident = api.get(&at(&id))?;
            if json {
                return super::print(&incident, json);
            }
            let rows = |member: &str| incident[member].as_array().cloned().unwrap_or_default();
            let (timeline, restrictions) = (rows("timeline"), rows("restrictions"));
            let mut head = incident.clone();
            for member in ["timeline", "restrictions", "detectors"] {
                head[member] = Value::Null;
            }
            table::members(&head);
            say("");
            table::rows(&timeline, &TIMELINE);
            if !restrictions.is_empty() {
                say("");
                table::rows(&restrictions, &RESTRICTIONS);
            }
            Ok(())
        }
        Command::Undo { id } => {
            let undone = api.call(&Method::POST, &format!("{}/undo", at(&id)), None)?;
            if json {
                return super::print(&undone, json);
            }
            table::rows(undone["findings"].as_array().map_or(&[], Vec::as_slice), &UNDONE);
            Ok(())
        }
    }
}
