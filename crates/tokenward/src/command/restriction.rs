//! `tokenward restriction`: what has been taken back.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::json;

use crate::admin_client::Target;
use crate::command::{Failure, say, table};

const COLUMNS: [table::Column; 8] = [
    ("SEQ", "/seq"),
    ("KIND", "/selector/kind"),
    ("VALUE", "/selector/value"),
    ("EFFECT", "/effect"),
    ("UNTIL", "/until"),
    ("LIFTED", "/lifted_at"),
    ("ACTOR", "/actor"),
    ("REASON", "/reason"),
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
    /// List restrictions, newest first
    List {
        /// Only those in force
        #[arg(long)]
        in_force: bool,
    },
    /// Restrict tokens or a network
    Add {
        /// What: token, grant, session, subject, client, key, network or issuer
        kind: String,
        /// Which one; none for `issuer`
        value: Option<String>,
        /// `suspend`; `revoke`, which is final; or, for a token that stays good for less,
        /// `drop_scopes:SCOPES`, `require:step_up`, `require:dpop`, `require:mtls`, `limit:RATE`,
        /// `networks:NETWORKS`, `countries:NO,SE`, `not_countries:NO`, `asns:64496`, `not_asns:64496`
        #[arg(long, default_value = "suspend")]
        effect: String,
        /// When it ends by itself, as 2026-12-31T12:00:00Z
        #[arg(long)]
        until: Option<String>,
        /// Why, for the log
        #[arg(long)]
        reason: String,
    },
    /// Lift a restriction that is not final
    Lift { seq: u64 },
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let api = arguments.target.connect()?;
    let json = arguments.target.json;
    match arguments.command {
        Command::List { in_force } => {
            let path = if in_force { "/restrictions?in_force=true" } else { "/restrictions" };
            super::print_list(&api, path, "before", &COLUMNS, json)
        }
        Command::Add { kind, value, effect, until, reason } => {
            let mut selector = json!({ "kind": kind });
            if let Some(value) = value {
                selector["value"] = json!(value);
            }
            let mut body = json!({ "selector": selector, "effect": effect, "reason": reason });
            if let Some(until) = until {
                body["until"] = json!(until);
            }
            super::print(&api.call(&Method::POST, "/restrictions", Some(&body))?, json)
        }
        Command::Lift { seq } => {
            api.call(&Method::DELETE, &format!("/restrictions/{seq}"), None)?;
            if !json {
                say(format_args!("restriction {seq} is lifted"));
            }
            Ok(())
        }
    }
}
