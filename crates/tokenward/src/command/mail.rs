//! `tokenward mail`: letters that are kept instead of sent.

use clap::{Args, Subcommand};

use crate::admin_client::Target;
use crate::command::{Failure, say, table};

const COLUMNS: [table::Column; 4] =
    [("LETTER", "/id"), ("TIME", "/at"), ("TO", "/to"), ("SUBJECT", "/subject")];

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List letters that were kept (`mail.mode = "mailbox"`), newest first
    List,
    /// Show one letter with its words
    Show { id: u64 },
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let api = arguments.target.connect()?;
    let json = arguments.target.json;
    match arguments.command {
        Command::List => super::print_list(&api, "/mailbox", "before", &COLUMNS, json),
        Command::Show { id } => {
            let letter = api.get(&format!("/mailbox/{id}"))?;
            if json {
                say(letter);
                return Ok(());
            }
            let part = |name: &str| letter[name].as_str().unwrap_or_default().to_owned();
            say(format_args!(
                "To: {}\nSubject: {}\n\n{}",
                part("to"),
                part("subject"),
                part("text")
            ));
            Ok(())
        }
    }
}
