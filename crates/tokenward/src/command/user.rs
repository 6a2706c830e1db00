//! `tokenward user`: people who sign in.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use crate::admin_client::{AdminClient, Target};
use crate::command::{Failure, say, table};

const COLUMNS: [table::Column; 5] = [
    ("SUBJECT", "/id"),
    ("USERNAME", "/username"),
    ("NAME", "/name"),
    ("EMAIL", "/email"),
    ("DISABLED", "/disabled"),
];

const INVITATIONS: [table::Column; 4] = [
    ("INVITATION", "/id"),
    ("EMAIL", "/email"),
    ("USERNAME", "/username"),
    ("EXPIRES", "/expires_at"),
];

const IDENTITIES: [table::Column; 5] = [
    ("IDENTITY", "/id"),
    ("PROVIDER", "/provider"),
    ("ACCOUNT", "/label"),
    ("CONNECTED", "/created_at"),
    ("LAST USED", "/last_used_at"),
];

/// A claim's name and value.
type Claim = (String, Value);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List people
    List,
    /// Show one person
    Show { id: String },
    /// Create a person; the password is read from standard input
    Create {
        #[arg(long)]
        username: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        email: Option<String>,
        /// What else is known about them: `locale=en`, or JSON: `address={"country":"NL"}`; repeat
        /// the option for several
        #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
        claims: Vec<Claim>,
    },
    /// Invite somebody by a letter: they choose their username and password
    Invite {
        /// Where the letter goes
        email: String,
        /// A user name that is proposed to them
        #[arg(long)]
        username: Option<String>,
        /// A name that is proposed to them
        #[arg(long)]
        name: Option<String>,
    },
    /// List invitations that were not taken yet
    Invitations,
    /// Take an invitation back
    Uninvite { id: String },
    /// Set claims of a person; those that are not named stay
    SetClaims {
        id: String,
        /// As for `create`; without a value the claim is taken away
        #[arg(required = true, value_name = "NAME=VALUE", value_parser = claim)]
        claims: Vec<Claim>,
    },
    /// Set a new password, read from standard input; sessions end, tokens are revoked
    SetPassword { id: String },
    /// Disable a person: sessions end, tokens are revoked, no sign-in
    Disable { id: String },
    /// Enable a disabled person
    Enable { id: String },
    /// Show what a person proves beside a password: passkeys, apps, recovery codes, remembered browsers
    Factors { id: String },
    /// Remove one passkey or app for codes of a person, or all that they prove beside a password
    RemoveFactors {
        id: String,
        /// The id of the passkey or the app, as `factors` shows it; all of them without it
        #[arg(long)]
        factor: Option<String>,
    },
    /// List the accounts at identity providers that open a person's account
    Identities { id: String },
    /// Take an account at an identity provider from a person; sessions that stand on it end
    Disconnect {
        id: String,
        /// The id of the account, as `identities` shows it
        identity: String,
    },
    /// Demand more than a password of a person, whatever the configuration says
    RequireMfa {
        id: String,
        /// Demand it no more
        #[arg(long)]
        off: bool,
    },
    /// Delete a person and revoke all their tokens
    Delete { id: String },
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let api = arguments.target.connect()?;
    let json = arguments.target.json;
    let at = |id: &str| format!("/users/{}", super::segment(id));
    match arguments.command {
        Command::List => super::print_list(&api, "/users", "after", &COLUMNS, json),
        Command::Show { id } => super::print(&api.get(&at(&id))?, json),
        Command::Create { username, name, email, claims } => {
            let mut body = json!({ "username": username, "password": read_password()? });
            for (member, value) in [("name", name), ("email", email)] {
                if let Some(value) = value {
                    body[member] = json!(value);
                }
            }
            body["claims"] = object(claims);
            super::print(&api.call(&Method::POST, "/users", Some(&body))?, json)
        }
        Command::Invite { email, username, name } => {
            let mut body = json!({ "email": email });
            for (member, value) in [("username", username), ("name", name)] {
                if let Some(value) = value {
                    body[member] = json!(value);
                }
            }
            super::print(&api.call(&Method::POST, "/invitations", Some(&body))?, json)
        }
        Command::Invitations => {
            super::print_list(&api, "/invitations", "after", &INVITATIONS, json)
        }
        Command::Uninvite { id } => {
            api.call(&Method::DELETE, &format!("/invitations/{}", super::segment(&id)), None)?;
            if !json {
                say(format_args!("the invitation {id} is taken back"));
            }
            Ok(())
        }
        Command::SetClaims { id, claims } => {
            let body = json!({ "claims": object(claims) });
            super::print(&api.call(&Method::PATCH, &at(&id), Some(&body))?, json)
        }
        Command::SetPassword { id } => {
            let body = json!({ "password": read_password()? });
            api.call(&Method::PUT, &format!("{}/password", at(&id)), Some(&body))?;
            if !json {
                say(format_args!("the password of {id} is set"));
            }
            Ok(())
        }
        Command::Disable { id } => set_disabled(&api, &at(&id), true, json),
        Command::Enable { id } => set_disabled(&api, &at(&id), false, json),
        Command::Factors { id } => super::print(&api.get(&format!("{}/factors", at(&id)))?, json),
        Command::RemoveFactors { id, factor } => {
            let one = factor.map(|factor| format!("/{}", super::segment(&factor)));
            let path = format!("{}/factors{}", at(&id), one.unwrap_or_default());
            api.call(&Method::DELETE, &path, None)?;
            if !json {
                say(format_args!("removed; {id} needs a password alone until they set up an app"));
            }
            Ok(())
        }
        Command::Identities { id } => {
            let path = format!("{}/identities", at(&id));
            super::print_list(&api, &path, "after", &IDENTITIES, json)
        }
        Command::Disconnect { id, identity } => {
            let path = format!("{}/identities/{}", at(&id), super::segment(&identity));
            api.call(&Method::DELETE, &path, None)?;
            if !json {
                say(format_args!("disconnected; {id} cannot sign in by it any more"));
            }
            Ok(())
        }
        Command::RequireMfa { id, off } => {
            let body = json!({ "require_mfa": !off });
            super::print(&api.call(&Method::PATCH, &at(&id), Some(&body))?, json)
        }
        Command::Delete { id } => {
            api.call(&Method::DELETE, &at(&id), None)?;
            if !json {
                say(format_args!("{id} is deleted, the tokens are revoked"));
            }
            Ok(())
        }
    }
}

fn object(claims: Vec<Claim>) -> Value {
    Value::Object(claims.into_iter().collect())
}

/// `name=value`; what is not JSON is a text, and nothing at all is `null`.
fn claim(text: &str) -> Result<Claim, String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    let value = match value {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
    };
    Ok((name.to_owned(), value))
}

fn set_disabled(api: &AdminClient, path: &str, disabled: bool, json: bool) -> Result<(), Failure> {
    super::print(&api.call(&Method::PATCH, path, Some(&json!({ "disabled": disabled })))?, json)
}

/// One line of standard input: an argument would stay in the shell's history.
fn read_password() -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let _ = write!(std::io::stderr(), "password: ");
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(Failure::new)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::new("no password came on standard input"));
    }
    Ok(password.to_owned())
}
