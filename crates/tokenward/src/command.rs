//! The command line: one file a command, each a thin client of what does the work.

use std::fmt;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::admin_client::AdminClient;

mod admin_token;
mod cli_reference;
mod client;
mod configuration;
mod detect;
mod dev;
mod explain;
mod finding;
mod geo;
mod honeytoken;
mod incident;
mod jose;
mod key;
mod mail;
mod notify;
mod openapi;
mod policy;
mod restriction;
mod serve;
mod sought;
mod table;
mod texts;
mod token;
mod user;

/// Issue, check, watch and take back API tokens.
#[derive(Debug, Parser)]
#[command(name = "tokenward", version, about, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole product on this machine: nothing to install, nothing to configure
    Dev(dev::Arguments),
    /// Run from a configuration file
    Serve(serve::Arguments),
    /// Check a configuration file, have it read again, or print every option
    #[command(subcommand)]
    Config(configuration::Command),
    /// Print every command with its options
    #[command(hide = true)]
    CliReference,
    /// Print the OpenAPI document of an API
    Openapi {
        /// Which one
        #[arg(value_enum, default_value = "admin")]
        api: openapi::Api,
    },
    /// Make an access token for the admin API from the store of a configuration file
    AdminToken(admin_token::Arguments),
    /// OAuth clients
    Client(client::Arguments),
    /// People who sign in
    User(user::Arguments),
    /// Letters that are kept instead of sent
    Mail(mail::Arguments),
    /// Issued tokens: look up, revoke
    Token(token::Arguments),
    /// Signatures, encryption and keys offline: what would otherwise be pasted into a web page
    #[command(subcommand)]
    Jose(jose::Command),
    /// What has been taken back: list, add, lift
    Restriction(restriction::Arguments),
    /// What the detectors found: list, show, undo, judge
    Finding(finding::Arguments),
    /// Findings that belong together: list, show
    Incident(incident::Arguments),
    /// Whom findings are told: list, try, what was not taken
    Notify(notify::Arguments),
    /// Why a request was answered as it was, by the id that its answer told
    Explain(explain::Arguments),
    /// Signing keys: list, rotate
    Key(key::Arguments),
    /// Bait: tokens that nobody has a reason to use
    Honeytoken(honeytoken::Arguments),
    /// What the gateway decides: tried on cases that are written down
    #[command(subcommand)]
    Policy(policy::Command),
    /// Detectors over recorded events
    #[command(subcommand)]
    Detect(detect::Command),
    /// What pages and letters say in a language, as a file for `authority.branding.texts`
    Texts(texts::Arguments),
    /// Where addresses are: databases of countries and autonomous systems
    #[command(subcommand)]
    Geo(geo::Command),
}

/// Why a command ends with another exit code than 0.
#[derive(Debug)]
pub(crate) struct Failure {
    words: String,
    code: u8,
}

// === impl Failure ===

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl Failure {
    /// With the words that the person reads.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self { words: message.to_string(), code: 1 }
    }

    /// The command was called with what it cannot use; a script that asks whether a token is good
    /// must be able to tell this from a no.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self { words: message.to_string(), code: 2 }
    }

    /// It was done, but not for all that was given.
    pub(crate) fn incomplete(message: impl fmt::Display) -> Self {
        Self { words: message.to_string(), code: 3 }
    }

    /// The same, as wrong usage.
    pub(crate) fn into_usage(self) -> Self {
        Self { code: 2, ..self }
    }

    /// Prints it; exit code 1, 2 for wrong usage, as the argument parser has it, or 3 for what was not done for all.
    #[expect(clippy::print_stderr, reason = "this is where commands report")]
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("error: {}", self.words);
        ExitCode::from(self.code)
    }
}

/// Runs the command.
///
/// # Errors
/// [`Failure`] with what went wrong and how to mend it.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Config(command) => configuration::run(&command),
        Command::CliReference => cli_reference::run(),
        Command::Openapi { api } => openapi::run(api),
        Command::AdminToken(arguments) => admin_token::run(&arguments),
        Command::Client(arguments) => client::run(arguments),
        Command::User(arguments) => user::run(arguments),
        Command::Mail(arguments) => mail::run(arguments),
        Command::Token(arguments) => token::run(arguments),
        Command::Jose(command) => jose::run(command),
        Command::Restriction(arguments) => restriction::run(arguments),
        Command::Finding(arguments) => finding::run(arguments),
        Command::Incident(arguments) => incident::run(arguments),
        Command::Notify(arguments) => notify::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Key(arguments) => key::run(arguments),
        Command::Honeytoken(arguments) => honeytoken::run(arguments),
        Command::Policy(command) => policy::run(&command),
        Command::Detect(command) => detect::run(&command),
        Command::Texts(arguments) => texts::run(&arguments),
        Command::Geo(command) => geo::run(&command),
    }
}

/// Prints to standard output; a reader that went away ends the program quietly.
pub(crate) fn say(text: impl fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints to standard error what does not end the command.
pub(crate) fn warn(text: impl fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "warning: {text}");
}

/// Prints one object of the admin API.
fn print(value: &serde_json::Value, json: bool) -> Result<(), Failure> {
    if json {
        say(value);
    } else {
        table::members(value);
    }
    Ok(())
}

/// Reads every page of a list (`cursor` is the parameter that asks for the next) and prints it; as
/// JSON, one array.
fn print_list(
    api: &AdminClient,
    path: &str,
    cursor: &str,
    columns: &[table::Column],
    json: bool,
) -> Result<(), Failure> {
    let rows = api.list(path, cursor)?;
    if json {
        say(serde_json::Value::Array(rows));
    } else {
        table::rows(&rows, columns);
    }
    Ok(())
}

/// An identifier as one path segment.
fn segment(id: &str) -> String {
    let mut segment = String::new();
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}
