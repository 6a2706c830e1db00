//! `tokenward token`: issued tokens.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::json;

use crate::admin_client::Target;
use crate::command::Failure;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what is known of a token, by its `jti`
    Show { jti: String },
    /// Revoke one token, by its `jti`: final
    Revoke {
        jti: String,
        /// Why, for the log
        #[arg(long, default_value = "revoked from the command line")]
        reason: String,
    },
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let api = arguments.target.connect()?;
    let json = arguments.target.json;
    match arguments.command {
        Command::Show { jti } => {
            super::print(&api.get(&format!("/tokens/{}", super::segment(&jti)))?, json)
        }
        Command::Revoke { jti, reason } => {
            let body = json!({
                "selector": { "kind": "token", "value": jti }, "effect": "revoke", "reason": reason,
            });
            super::print(&api.call(&Method::POST, "/restrictions", Some(&body))?, json)
        }
    }
}
