//! `tokenward client`: OAuth clients.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use crate::admin_client::Target;
use crate::command::{Failure, say, table};

const COLUMNS: [table::Column; 5] = [
    ("CLIENT", "/client_id"),
    ("NAME", "/client_name"),
    ("GRANTS", "/grant_types"),
    ("SCOPES", "/scope"),
    ("DISABLED", "/disabled"),
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
    /// List clients
    List,
    /// Show one client
    Show { client_id: String },
    /// Create a client; its secret is shown once
    Create {
        /// Name, as people see it on the consent page
        #[arg(long)]
        name: String,
        /// Grant types; repeat the option for several
        #[arg(long = "grant", value_name = "GRANT", default_value = "client_credentials")]
        grants: Vec<String>,
        /// Redirect URIs; repeat the option for several
        #[arg(long = "redirect-uri", value_name = "URI")]
        redirect_uris: Vec<String>,
        /// Scopes it may have, separated by spaces
        #[arg(long, default_value = "")]
        scope: String,
        /// Those of them that people may leave out when they are asked, separated by spaces
        #[arg(long, value_name = "SCOPE", default_value = "")]
        optional_scope: String,
        /// A client that cannot keep a secret: a browser or native application
        #[arg(long)]
        public: bool,
        /// File with its public keys (a JSON Web Key Set): it signs instead of keeping a secret
        #[arg(long, value_name = "FILE", conflicts_with = "public")]
        jwks: Option<PathBuf>,
        /// URL of its public keys, instead
        #[arg(long, value_name = "URL", conflicts_with_all = ["public", "jwks"])]
        jwks_uri: Option<String>,
        /// Every token request has to have a DPoP proof
        #[arg(long)]
        dpop: bool,
        /// A client that may act with this one's tokens, by token exchange with an actor token; repeat
        /// the option for several
        #[arg(long, value_name = "CLIENT")]
        may_act: Vec<String>,
        /// A resource that this client may have tokens exchanged for, beside those that they are for;
        /// repeat the option for several
        #[arg(long = "exchange-audience", value_name = "URL")]
        exchange_audiences: Vec<String>,
    },
    /// Disable a client: its tokens are revoked, and it is issued nothing more
    Disable { client_id: String },
    /// Enable a disabled client
    Enable { client_id: String },
    /// Replace the secret; the new one is shown once
    RotateSecret { client_id: String },
    /// Delete a client and revoke all its tokens
    Delete { client_id: String },
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let api = arguments.target.connect()?;
    let json = arguments.target.json;
    let at = |id: &str| format!("/clients/{}", super::segment(id));
    match arguments.command {
        Command::List => super::print_list(&api, "/clients", "after", &COLUMNS, json),
        Command::Show { client_id } => super::print(&api.get(&at(&client_id))?, json),
        Command::Create {
            name,
            grants,
            redirect_uris,
            scope,
            optional_scope,
            public,
            jwks,
            jwks_uri,
            dpop,
            may_act,
            exchange_audiences,
        } => {
            let jwks = jwks.as_deref().map(read_jwks).transpose()?;
            let method = match (public, jwks.is_some() || jwks_uri.is_some()) {
                (true, _) => "none",
                (false, true) => "private_key_jwt",
                (false, false) => "client_secret_basic",
            };
            let body = json!({
                "client_name": name, "grant_types": grants, "redirect_uris": redirect_uris,
                "scope": scope, "optional_scopes": optional_scope, "token_endpoint_auth_method": method, "jwks": jwks,
                "jwks_uri": jwks_uri, "dpop_bound_access_tokens": dpop,
                "may_act": may_act, "exchange_audiences": exchange_audiences,
            });
            super::print(&api.call(&Method::POST, "/clients", Some(&body))?, json)
        }
        Command::Disable { client_id } => set_disabled(&api, &at(&client_id), true, json),
        Command::Enable { client_id } => set_disabled(&api, &at(&client_id), false, json),
        Command::RotateSecret { client_id } => {
            let path = format!("{}/secret", at(&client_id));
            super::print(&api.call(&Method::POST, &path, None)?, json)
        }
        Command::Delete { client_id } => {
            api.call(&Method::DELETE, &at(&client_id), None)?;
            if !json {
                say(format_args!("client {client_id} is deleted, its tokens are revoked"));
            }
            Ok(())
        }
    }
}

fn read_jwks(path: &Path) -> Result<Value, Failure> {
    let wrong =
        |error: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {error}", path.display()));
    let text = std::fs::read(path).map_err(|error| wrong(&error))?;
    serde_json::from_slice(&text).map_err(|error| wrong(&error))
}

fn set_disabled(
    api: &crate::admin_client::AdminClient,
    path: &str,
    disabled: bool,
    json: bool,
) -> Result<(), Failure> {
    super::print(&api.call(&Method::PATCH, path, Some(&json!({ "disabled": disabled })))?, json)
}
