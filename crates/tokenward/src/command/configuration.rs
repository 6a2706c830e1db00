//! `tokenward config`: check a file, print the reference.

use std::path::PathBuf;

use clap::Subcommand;

use crate::command::{Failure, say};
use crate::compose::places;
use crate::config::{load, reference};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a file without starting: names file, line and mistake
    Check {
        /// The configuration file
        #[arg(short, long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Print every option with its default and meaning, as Markdown
    Reference,
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check { config } => {
            let read = load::load(config, &load::environment()).map_err(Failure::new)?;
            places::open(&read.geo)?;
            say(format_args!("{}: good", config.display()));
        }
        Command::Reference => say(reference::markdown().trim_end()),
    }
    Ok(())
}
