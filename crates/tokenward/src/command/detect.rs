//! `tokenward detect`: the detectors over a recorded stream.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use flate2::read::MultiGzDecoder;

use crate::command::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run every detector over recorded events and print the findings as JSON Lines;
    /// the same input gives the same output, byte for byte
    Replay {
        /// Events as JSON Lines; `-` for standard input, `.gz` is unpacked
        file: PathBuf,
        /// End with an object that counts findings by detector and incident
        #[arg(long)]
        summary: bool,
    },
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Replay { file, summary } = command;
    let input =
        open(file).map_err(|error| Failure::new(format_args!("{}: {error}", file.display())))?;
    let mut output = BufWriter::new(io::stdout().lock());
    let done = detect::replay::replay(BufReader::new(input), &mut output, *summary);
    // What was found before a bad line is still printed.
    output.flush().map_err(Failure::new)?;
    done.map_err(|error| Failure::new(format_args!("{}: {error}", file.display())))
}

fn open(file: &Path) -> io::Result<Box<dyn Read>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let opened = File::open(file)?;
    if file.extension().is_some_and(|ending| ending == "gz") {
        return Ok(Box::new(MultiGzDecoder::new(opened)));
    }
    Ok(Box::new(opened))
}
