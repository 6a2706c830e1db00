//! `tokenward notify`: whom findings are told, whether that works, and what was not taken.

use clap::{Args, Subcommand};
use http::Method;

use crate::admin_client::Target;
use crate::command::{Failure, say, table};

const OUTLETS: [table::Column; 5] = [
    ("OUTLET", "/name"),
    ("KIND", "/kind"),
    ("PLACE", "/place"),
    ("WAITING", "/waiting"),
    ("DEAD", "/dead"),
];
const DELIVERIES: [table::Column; 6] = [
    ("ID", "/id"),
    ("OUTLET", "/outlet"),
    ("ABOUT", "/about"),
    ("TRIES", "/tries"),
    ("DUE", "/due_at"),
    ("CAUSE", "/cause"),
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
    /// List whom findings are told
    List,
    /// Tell one that somebody tries it; exit code 1 when that is not taken
    Test { name: String },
    /// List deliveries that wait, newest first
    Waiting,
    /// List deliveries that were given up within the last week, newest first
    Dead,
    /// Try a delivery again now
    Retry { id: String },
    /// Forget a delivery: it is not told
    Forget { id: String },
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let api = arguments.target.connect()?;
    let json = arguments.target.json;
    match arguments.command {
        Command::List => {
            let outlets = api.get("/outlets")?;
            if json {
                return super::print(&outlets, json);
            }
            table::rows(outlets["items"].as_array().map_or(&[], Vec::as_slice), &OUTLETS);
            Ok(())
        }
        Command::Test { name } => {
            let path = format!("/outlets/{}/test", super::segment(&name));
            let tested = api.call(&Method::POST, &path, None)?;
            if json {
                say(&tested);
            }
            if tested["taken"] == true {
                if !json {
                    say(format_args!("{name}: taken"));
                }
                return Ok(());
            }
            let cause = tested["cause"].as_str().unwrap_or("it says not why");
            Err(Failure::new(format_args!("{name}: not taken: {cause}")))
        }
        Command::Waiting => super::print_list(&api, "/deliveries", "before", &DELIVERIES, json),
        Command::Dead => {
            super::print_list(&api, "/deliveries?dead=true", "before", &DELIVERIES, json)
        }
        Command::Retry { id } => {
            let path = format!("/deliveries/{}/retry", super::segment(&id));
            api.call(&Method::POST, &path, None).map(drop)
        }
        Command::Forget { id } => {
            let path = format!("/deliveries/{}", super::segment(&id));
            api.call(&Method::DELETE, &path, None).map(drop)
        }
    }
}
