//! `tokenward policy`: what the gateway would decide, tried on cases that are written down.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use crate::command::serve::runtime;
use crate::command::{Failure, say};
use crate::compose::rehearsal::Rehearsal;
use crate::config::load;

mod case;

use case::{Cases, Verdict};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Try requests on the routes and policies of a configuration file, without starting anything: names each
    /// case that is not decided as it says; exit code 1 when there is one
    Test {
        /// The cases: TOML, or JSON when its name ends with `.json`
        file: PathBuf,
        /// The configuration file
        #[arg(short, long, value_name = "FILE")]
        config: PathBuf,
        /// Print one JSON object with every case
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Test { file, config, json } = command;
    let cases = read(file).map_err(Failure::into_usage)?;
    let config = load::load(config, &load::environment()).map_err(Failure::new)?;
    let rehearsal = Rehearsal::new(&config)?;
    let runtime = runtime()?;
    let mut verdicts = Vec::with_capacity(cases.cases.len());
    for (number, case) in cases.cases.iter().enumerate() {
        let named = |failure: Failure| {
            let place = format!("{}: case {}", file.display(), number + 1);
            Failure::new(format_args!("{place}: {failure}")).into_usage()
        };
        let request = case.request().map_err(named)?;
        let decided = runtime.block_on(rehearsal.decide(&request)).map_err(named)?;
        verdicts.push(Verdict::of(case, number + 1, decided));
    }
    report(file, &verdicts, *json)
}

fn read(file: &Path) -> Result<Cases, Failure> {
    let wrong =
        |what: &dyn std::fmt::Display| Failure::new(format_args!("{}: {what}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    let is_json = file.extension().is_some_and(|ending| ending == "json");
    let cases: Cases = if is_json {
        serde_json::from_str(&text).map_err(|error| wrong(&error))?
    } else {
        // The parser's words have the line in them.
        toml::from_str(&text).map_err(|error| wrong(&error.to_string().trim_end()))?
    };
    if cases.cases.is_empty() {
        return Err(wrong(&"there is no case in it: add a `[[case]]`"));
    }
    Ok(cases)
}

fn report(file: &Path, verdicts: &[Verdict], json: bool) -> Result<(), Failure> {
    let failed = verdicts.iter().filter(|verdict| !verdict.passed()).count();
    if json {
        let cases: Vec<_> = verdicts.iter().map(Verdict::to_json).collect();
        say(json!({ "cases": cases, "failed": failed }));
    } else {
        for verdict in verdicts.iter().filter(|verdict| !verdict.passed()) {
            say(format_args!("{}: {verdict}", file.display()));
        }
        say(format_args!("{} cases, {failed} failed", verdicts.len()));
    }
    match failed {
        0 => Ok(()),
        _ => Err(Failure::new(format_args!(
            "{failed} of {} cases are not decided as they say",
            verdicts.len()
        ))),
    }
}
