//! `tokenward honeytoken`: bait.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use http::Method;
use serde_json::{Value, json};

use crate::admin_client::{AdminClient, Target};
use crate::command::{Failure, say, table};

mod planted;

use planted::Place;

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
        /// What it looks like
        #[arg(long, value_enum, default_value_t = Kind::AccessToken)]
        kind: Kind,
    },
    /// Make one and put it into a file, a variable or an answer; its label says where
    Plant(Plant),
    /// List them
    List,
}

/// What a honeytoken looks like.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Kind {
    /// An access token that says what it may (JWT)
    AccessToken,
    /// The secret of a client
    ClientSecret,
    /// An access token that says nothing
    OpaqueToken,
    /// A personal token
    PersonalToken,
    /// A refresh token
    RefreshToken,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("place").required(true).args(["file", "env", "response"]))]
struct Plant {
    /// What it looks like
    #[arg(long, value_enum, default_value_t = Kind::PersonalToken)]
    kind: Kind,
    /// What it is called there
    #[arg(long, default_value = "API_TOKEN")]
    name: String,
    /// A file: a line `NAME=TOKEN` is added to it, or, where its name ends with `.json`, it is made with
    /// a member of that name
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// A variable: printed as a line for a shell to read, as with `eval`
    #[arg(long)]
    env: bool,
    /// An answer of an API: printed as a JSON object to put into it
    #[arg(long, value_name = "METHOD PATH")]
    response: Option<String>,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let api = arguments.target.connect()?;
    let json = arguments.target.json;
    match arguments.command {
        Command::List => super::print_list(&api, "/honeytokens", "after", &COLUMNS, json),
        Command::Create { label, kind } => {
            let made = create(&api, &label, kind)?;
            match made.get("token").and_then(Value::as_str) {
                // The token alone, so that it can be put into a variable.
                Some(token) if !json => say(token),
                _ => say(&made),
            }
            Ok(())
        }
        Command::Plant(plant) => {
            let place = Place::new(&plant.name, plant.file, plant.response)?;
            let made = create(&api, &place.label(plant.kind.word()), plant.kind)?;
            let token = made.get("token").and_then(Value::as_str).unwrap_or_default();
            if let Some(text) = place.put(token)? {
                say(text);
            } else if json {
                say(&made);
            } else {
                say(made["label"].as_str().unwrap_or_default());
            }
            Ok(())
        }
    }
}

fn create(api: &AdminClient, label: &str, kind: Kind) -> Result<Value, Failure> {
    let body = json!({ "label": label, "kind": kind.word() });
    api.call(&Method::POST, "/honeytokens", Some(&body))
}

// === impl Kind ===

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::ClientSecret => "client_secret",
            Self::OpaqueToken => "opaque_token",
            Self::PersonalToken => "personal_token",
            Self::RefreshToken => "refresh_token",
        }
    }
}
