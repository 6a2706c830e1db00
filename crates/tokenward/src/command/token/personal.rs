//! `tokenward token create-personal` and its like: tokens of people and of services that live long.

use clap::Args;
use http::Method;
use serde_json::{Value, json};

use crate::admin_client::AdminClient;
use crate::command::{Failure, print, print_list, say, segment, table};
use crate::config::span::Span;

const COLUMNS: [table::Column; 9] = [
    ("TOKEN", "/jti"),
    ("OWNER", "/owner"),
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("SCOPE", "/scope"),
    ("EXPIRES", "/expires_at"),
    ("LAST USED", "/last_used_at"),
    ("FROM", "/last_used_ip"),
    ("ROUTE", "/last_used_route"),
];

#[derive(Debug, Args)]
pub(in crate::command) struct Create {
    /// Whose it is: a person, by the name they sign in with
    #[arg(long, value_name = "USERNAME", required_unless_present = "client")]
    user: Option<String>,
    /// Whose it is: a service, which is a client with the grant type client_credentials
    #[arg(long, value_name = "CLIENT", conflicts_with = "user")]
    client: Option<String>,
    /// What it is for
    #[arg(long)]
    name: String,
    /// What it allows; repeat the option for several
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<String>,
    /// How long it lives
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    expires: Span,
    /// It ends earlier when it is not used for this long
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    idle: Option<Span>,
    /// An address or a network that it may be used from; repeat the option for several
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<String>,
    /// Where it may be used, such as countries:NO,SE or not_asns:64496; repeat the option for several, all of
    /// which hold
    #[arg(long = "place", value_name = "TEST")]
    places: Vec<String>,
    /// A resource that it is for, when it is not the gateway's own; repeat the option for several
    #[arg(long = "resource", value_name = "URL")]
    resources: Vec<String>,
    /// The thumbprint of the key that has to be shown beside it (DPoP)
    #[arg(long, value_name = "JKT")]
    dpop_jkt: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::command) struct List {
    /// Of this person alone, by their id
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Of this service alone
    #[arg(long, value_name = "CLIENT", conflicts_with = "user")]
    client: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::command) struct Rotate {
    jti: String,
    /// How long the new one lives; as long as the old one when it is left out
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    expires: Option<Span>,
    /// How long the old one stays good
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    overlap: Option<Span>,
}

#[derive(Debug, Args)]
pub(in crate::command) struct Narrow {
    jti: String,
    /// A scope that it keeps; repeat the option for several. Left out: what it was really used for
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
}

pub(super) fn create(api: &AdminClient, arguments: Create, json: bool) -> Result<(), Failure> {
    let Create { user, client, name, scopes, expires, idle, networks, places, resources, dpop_jkt } =
        arguments;
    let mut body = json!({
        "name": name, "scope": scopes.join(" "), "expires_in": expires.duration().as_secs(),
        "networks": networks, "places": places, "resources": resources,
    });
    let idle = idle.map(|idle| json!(idle.duration().as_secs()));
    let further = [
        ("username", user.map(Value::from)),
        ("client_id", client.map(Value::from)),
        ("dpop_jkt", dpop_jkt.map(Value::from)),
        ("idle", idle),
    ];
    for (member, value) in further {
        if let Some(value) = value {
            body[member] = value;
        }
    }
    shown(&api.call(&Method::POST, "/personal-tokens", Some(&body))?, json)
}

pub(super) fn list(api: &AdminClient, arguments: &List, json: bool) -> Result<(), Failure> {
    let path = match (&arguments.user, &arguments.client) {
        (Some(user), _) => format!("/personal-tokens?user={}", segment(user)),
        (None, Some(client)) => format!("/personal-tokens?client_id={}", segment(client)),
        (None, None) => "/personal-tokens".to_owned(),
    };
    print_list(api, &path, "after", &COLUMNS, json)
}

pub(super) fn show(api: &AdminClient, jti: &str, json: bool) -> Result<(), Failure> {
    print(&api.get(&format!("/personal-tokens/{}", segment(jti)))?, json)
}

pub(super) fn rotate(api: &AdminClient, arguments: &Rotate, json: bool) -> Result<(), Failure> {
    let mut body = json!({});
    for (member, span) in [("expires_in", arguments.expires), ("overlap", arguments.overlap)] {
        if let Some(span) = span {
            body[member] = json!(span.duration().as_secs());
        }
    }
    let path = format!("/personal-tokens/{}/rotate", segment(&arguments.jti));
    shown(&api.call(&Method::POST, &path, Some(&body))?, json)
}

pub(super) fn narrow(api: &AdminClient, arguments: &Narrow, json: bool) -> Result<(), Failure> {
    let body = match arguments.scopes.as_slice() {
        [] => json!({}),
        scopes => json!({ "scope": scopes.join(" ") }),
    };
    let path = format!("/personal-tokens/{}/narrow", segment(&arguments.jti));
    print(&api.call(&Method::POST, &path, Some(&body))?, json)
}

pub(super) fn revoke(api: &AdminClient, jti: &str) -> Result<(), Failure> {
    let path = format!("/personal-tokens/{}", segment(jti));
    api.call(&Method::DELETE, &path, None).map(drop)
}

/// A token that was just made, alone, so that it can be put into a variable.
fn shown(made: &Value, json: bool) -> Result<(), Failure> {
    match made.get("token").and_then(Value::as_str) {
        Some(token) if !json => say(token),
        _ => say(made),
    }
    Ok(())
}
