//! What developers and CI run: `cargo xtask test`, `tidy`, `bench`, `reference`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]

use std::process::ExitCode;

use failure::Failure;

mod bench;
mod eval_detect;
mod failure;
mod install;
mod place;
mod process;
mod reference;
mod test;
mod tidy;

const USAGE: &str = "\
usage: cargo xtask TASK

  test                  install what the tests need, then run every check and every test
  tidy                  check what the compiler does not: edges, licences, sizes, names
  bench                 measure what a request and a token cost, beside peers
  bench authority       only what the authority does; `bench gateway`, `bench auth` likewise
  bench gateway NUMBER  with so many tokens in turn, 1000 without it
  bench idle [NUMBER]   memory with so many connections that rest, 10,000 without it
  eval-detect           what the detectors find and imagine in made traffic with labels
  eval-detect figures   their events a second and memory, in a release build
  reference [--check]   write the documents that are made from the code, or compare them
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match perform(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nxtask: {}", failure.words);
            ExitCode::from(failure.status)
        }
    }
}

fn perform(words: &[&str]) -> Result<(), Failure> {
    match words {
        ["test"] => test::run(),
        ["bench"] => bench::run(),
        ["bench", part @ ("auth" | "authority" | "gateway" | "idle")] => {
            bench::run_part(part, None)
        }
        ["bench", part @ ("gateway" | "idle"), number] if number.parse::<usize>().is_ok() => {
            bench::run_part(part, Some(number))
        }
        ["eval-detect"] => eval_detect::run(&place::Place::find()?),
        ["eval-detect", "figures"] => eval_detect::figures(&place::Place::find()?),
        ["reference"] => reference::run(&place::Place::find()?, false),
        ["reference", "--check"] => reference::run(&place::Place::find()?, true),
        ["tidy"] => tidy::run(&place::Place::find()?),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => Err(Failure { words: format!("no such task\n\n{USAGE}"), status: 2 }),
    }
}
