//! `tokenward token`: issued tokens, and any token that somebody holds.

use std::io::BufRead as _;

use ::token::secret::Secret;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::json;

use crate::admin_client::Target;
use crate::command::Failure;

mod inspect;
mod personal;
mod scan;
pub(super) mod verify;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say offline what a token is and whether it is well formed; nothing in it is verified
    Inspect(inspect::Arguments),
    /// Find our tokens in files, or in the history of git repositories, by prefix and checksum; none is
    /// printed. The exit code is 1 when there are any
    Scan(scan::Arguments),
    /// Verify a signed token against a key set, as an API or a client would
    Verify(verify::Arguments),
    /// Show what is known of a token, by its `jti`
    Show { jti: String },
    /// Make a personal token, or one of a service, and print it: it is never shown again
    CreatePersonal(personal::Create),
    /// List personal tokens and tokens of services, with their last use
    ListPersonal(personal::List),
    /// Show a personal token or one of a service, by its `jti`
    ShowPersonal { jti: String },
    /// Replace one by a new value with the same terms, and print that; the old one stays good for a while
    RotatePersonal(personal::Rotate),
    /// Take scopes from one: it keeps those that it was really used for, or those that are named
    NarrowPersonal(personal::Narrow),
    /// Revoke one: final
    RevokePersonal { jti: String },
    /// Revoke one token, by its `jti`: final
    Revoke {
        jti: String,
        /// Why, for the log
        #[arg(long, default_value = "revoked from the command line")]
        reason: String,
    },
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let (target, json) = (&arguments.target, arguments.target.json);
    match arguments.command {
        Command::Inspect(arguments) => inspect::run(&arguments, json),
        Command::Scan(arguments) => scan::run(&arguments, json),
        Command::Verify(arguments) => verify::run(&arguments, json),
        Command::CreatePersonal(arguments) => personal::create(&target.connect()?, arguments, json),
        Command::ListPersonal(arguments) => personal::list(&target.connect()?, &arguments, json),
        Command::ShowPersonal { jti } => personal::show(&target.connect()?, &jti, json),
        Command::RotatePersonal(arguments) => {
            personal::rotate(&target.connect()?, &arguments, json)
        }
        Command::NarrowPersonal(arguments) => {
            personal::narrow(&target.connect()?, &arguments, json)
        }
        Command::RevokePersonal { jti } => personal::revoke(&target.connect()?, &jti),
        Command::Show { jti } => {
            let api = target.connect()?;
            super::print(&api.get(&format!("/tokens/{}", super::segment(&jti)))?, json)
        }
        Command::Revoke { jti, reason } => {
            let body = json!({
                "selector": { "kind": "token", "value": jti }, "effect": "revoke", "reason": reason,
            });
            let api = target.connect()?;
            super::print(&api.call(&Method::POST, "/restrictions", Some(&body))?, json)
        }
    }
}

/// A token from the command line, or the first line of standard input: arguments stay in the
/// shell's history and can be read by other users of the machine.
pub(super) fn given(token: Option<&str>) -> Result<Secret, Failure> {
    let text = match token {
        Some(token) => Secret::new(token.trim()),
        None => {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line).map_err(Failure::new)?;
            Secret::new(line.trim())
        }
    };
    if text.expose().is_empty() {
        return Err(Failure::usage("no token: give it as an argument or on standard input"));
    }
    Ok(text)
}
