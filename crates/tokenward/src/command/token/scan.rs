//! `tokenward token scan`: finds our tokens in files and in the history of git repositories, offline.
//!
//! A token is known by its prefix and its checksum, so that nothing is guessed and nobody is asked. It is
//! never printed.

mod git;
mod lines;
mod walk;

use std::path::PathBuf;

use ::token::opaque::{Family, OpaqueHash};
use clap::Args;
use serde_json::json;

use super::inspect::what;
use crate::command::{Failure, say};

/// The characters at a token's end that are shown.
const SHOWN: usize = 4;

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Look into the history of the git repository at each path instead: every commit of every branch,
    /// tag and stash, with its message
    #[arg(long)]
    git: bool,
}

/// What was looked through, and what was in it.
struct Report {
    json: bool,
    found: usize,
    unreadable: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let mut report = Report { json, found: 0, unreadable: Vec::new() };
    for path in &arguments.paths {
        if arguments.git {
            git::scan(path, &mut report)?;
        } else {
            walk::scan(path, &mut report);
        }
    }
    report.verdict()
}

// === impl Report ===

impl Report {
    /// Tells of a token at a place; its text goes no further.
    fn found(&mut self, place: &str, line: u64, token: &str, family: Family) {
        self.found += 1;
        let end = token.get(token.len().saturating_sub(SHOWN)..).unwrap_or_default();
        let masked = format!("{}…{end}", family.prefix());
        if self.json {
            let hash = OpaqueHash::of(token);
            let hash: String = hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            say(json!({ "place": place, "line": line, "what": what(family), "token": masked,
                "sha256": hash }));
        } else {
            say(format_args!("{place}:{line}: {} {masked}", what(family)));
        }
    }

    fn unreadable(&mut self, place: &str, error: &dyn std::fmt::Display) {
        self.unreadable.push(format!("{place}: {error}"));
    }

    /// Found tokens are a failure, so that a build stops; so is what could not be looked through.
    fn verdict(&self) -> Result<(), Failure> {
        match (self.found, self.unreadable.first()) {
            (0, None) => Ok(()),
            (0, Some(first)) => {
                let count = self.unreadable.len();
                Err(Failure::usage(format_args!("{count} could not be read, the first: {first}")))
            }
            (1, _) => Err(Failure::new("one token found: revoke it, then remove it")),
            (count, _) => Err(Failure::new(format_args!(
                "{count} tokens found: revoke them, then remove them"
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
