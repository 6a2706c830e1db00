//! `tokenward detect`: the detectors over a recorded stream, what other responses would have done, and made streams.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use detect::engine::Engine;
use detect::policy::Terms;
use detect::policy::tolerance::{Doubt, Tolerances};
use detect::simulate::{Simulation, simulate};
use detect::stream::{self, Reading, ReplayError};
use flate2::read::MultiGzDecoder;
use geo::Geo;
use scenario::Which;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use token::place::Places;
use token::time::Timestamp;

use crate::command::{Failure, say, table, warn};
use crate::config::load;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write made traffic of nine days as JSON Lines, with attacks after seven: to try detectors and responses
    Generate {
        /// `all`, `none`, or the name of the detector whose attacks are to be in it
        #[arg(long, value_name = "NAME")]
        scenario: String,
        /// The same seed gives the same traffic
        #[arg(long, value_name = "N")]
        seed: u64,
        /// Where to write who attacks, when and how, as JSON Lines; absent: nowhere
        #[arg(long, value_name = "FILE")]
        labels: Option<PathBuf>,
    },
    /// Run every detector over recorded events and print the findings as JSON Lines;
    /// the same input gives the same output, byte for byte
    Replay {
        /// Events as JSON Lines; `-` for standard input; gzip is unpacked
        file: PathBuf,
        /// End with an object that counts findings by detector and incident
        #[arg(long)]
        summary: bool,
        /// What people said of earlier findings, as `tokenward finding tolerances --json` prints it;
        /// absent: nothing
        #[arg(long, value_name = "FILE")]
        feedback: Option<PathBuf>,
        #[command(flatten)]
        lines: Lines,
    },
    /// Show who would have been hit by another table of responses, for how long, who is held back and why, and
    /// what the present table does; changes nothing and needs no server
    Simulate {
        /// Events as JSON Lines; `-` for standard input; gzip is unpacked
        file: PathBuf,
        /// A configuration file with the new `[detect]`; other sections may be missing
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// The configuration file that is in use; absent: the built-in table
        #[arg(long, value_name = "FILE")]
        present: Option<PathBuf>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        lines: Lines,
    },
}

/// How a recording is read.
#[derive(Clone, Debug, Args)]
pub(super) struct Lines {
    /// Leave out lines that are no events: the first 20 are told on standard error, and the exit code is 3
    #[arg(long)]
    keep_going: bool,
    /// Databases of places, or folders that have some, as in `geo.files`: for what the events do not tell of their
    /// addresses; may be given several times
    #[arg(long, value_name = "FILE")]
    places: Vec<PathBuf>,
}

/// How many lines that were left out are told one by one.
const TOLD: usize = 20;

/// How a file of gzip begins (RFC 1952 §2.3.1).
const GZIP: &[u8] = b"\x1f\x8b";
const HITS: [table::Column; 6] = [
    ("HIT", "/target"),
    ("EFFECT", "/effect"),
    ("NEW", "/new"),
    ("PRESENT", "/present"),
    ("SUBJECT", "/whom/subject"),
    ("DETECTORS", "/detectors"),
];
const HELD_BACK: [table::Column; 5] = [
    ("NOT HIT", "/target"),
    ("EFFECT", "/effect"),
    ("BY", "/by"),
    ("TIMES", "/times"),
    ("DETECTORS", "/detectors"),
];

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Generate { scenario, seed, labels } => {
            generate(scenario, *seed, labels.as_deref())
        }
        Command::Replay { file, summary, feedback, lines } => {
            replay(file, *summary, feedback.as_deref(), lines)
        }
        Command::Simulate { file, policy, present, json, lines } => {
            let new = terms(policy).map_err(Failure::into_usage)?;
            let present = present.as_deref().map(terms).transpose().map_err(Failure::into_usage)?;
            let input = open(file).map_err(named(file))?;
            let mut left_out = 0;
            let places = lines.places()?;
            let mut broken = lines.broken(file, &mut left_out);
            let reading = Reading::new(&mut broken).with_places(places);
            let outcome = simulate(new, present.unwrap_or_default(), input, reading);
            show(&outcome.map_err(named(file))?, *json)?;
            drop(broken);
            complete(file, left_out)
        }
    }
}

fn generate(name: &str, seed: u64, labels: Option<&Path>) -> Result<(), Failure> {
    let which = match name {
        "all" => Which::All,
        "none" => Which::None,
        name if scenario::names().contains(&name) => Which::For(name),
        _ => {
            let known = scenario::names().join("`, `");
            let words = format!("--scenario: there is no `{name}`: `all`, `none`, `{known}`");
            return Err(Failure::new(words).into_usage());
        }
    };
    let traffic = scenario::generate(seed, which);
    if let Some(file) = labels {
        let mut output = BufWriter::new(File::create(file).map_err(named(file))?);
        lines(&mut output, &traffic.labels).map_err(named(file))?;
    }
    let written = lines(&mut BufWriter::new(io::stdout().lock()), &traffic.events);
    read_enough(written).map_err(Failure::new)
}

fn lines<T: Serialize>(output: &mut impl io::Write, rows: &[T]) -> io::Result<()> {
    for row in rows {
        serde_json::to_writer(&mut *output, row)?;
        output.write_all(b"\n")?;
    }
    output.flush()
}

fn replay(
    file: &Path,
    summary: bool,
    feedback: Option<&Path>,
    lines: &Lines,
) -> Result<(), Failure> {
    let mut engine = Engine::default();
    if let Some(feedback) = feedback {
        engine.tolerate(tolerances(feedback).map_err(Failure::into_usage)?);
    }
    let input = open(file).map_err(named(file))?;
    let mut output = BufWriter::new(io::stdout().lock());
    let mut left_out = 0;
    let places = lines.places()?;
    let mut broken = lines.broken(file, &mut left_out);
    let reading = Reading::new(&mut broken).with_places(places);
    let done = detect::replay::replay(engine, input, &mut output, summary, reading);
    drop(broken);
    // What was found before a bad line is still printed.
    read_enough(output.flush()).map_err(Failure::new)?;
    match done {
        Err(ReplayError::Io(error)) => read_enough(Err(error)).map_err(named(file)),
        done => done.map_err(named(file)),
    }?;
    complete(file, left_out)
}

/// Whoever goes by the exit code must not take a part for the whole.
fn complete(file: &Path, left_out: usize) -> Result<(), Failure> {
    let words = match left_out {
        0 => return Ok(()),
        1 => "1 line that is no event was left out".to_owned(),
        n => format!("{n} lines that are no events were left out"),
    };
    Err(Failure::incomplete(format_args!("{}: {words}", file.display())))
}

// === impl Lines ===

impl Lines {
    /// What the databases know.
    fn places(&self) -> Result<Option<Arc<dyn Places>>, Failure> {
        if self.places.is_empty() {
            return Ok(None);
        }
        match Geo::open(&self.places) {
            Ok(geo) => Ok(Some(Arc::new(geo))),
            Err(bad) => Err(Failure::new(format_args!("--places: {bad}")).into_usage()),
        }
    }

    /// Ends at the first line that is no event, or tells some and counts all.
    fn broken<'b>(
        &'b self,
        file: &'b Path,
        left_out: &'b mut usize,
    ) -> impl FnMut(usize, String) -> Result<(), ReplayError> + 'b {
        move |line, why| {
            if !self.keep_going {
                return stream::refuse(line, why);
            }
            *left_out += 1;
            if *left_out <= TOLD {
                warn(format_args!("{}: line {line}: not an event: {why}", file.display()));
            }
            Ok(())
        }
    }
}

/// Whoever reads the output may stop when they please, as `head` does.
fn read_enough(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    })
}

/// One tolerance, as the admin API has it.
#[derive(Deserialize)]
struct Tolerated {
    detector: String,
    about: String,
    halvings: u32,
    created_at: Timestamp,
    expires_at: Timestamp,
}

fn tolerances(file: &Path) -> Result<Tolerances, Failure> {
    let text = std::fs::read(file).map_err(named(file))?;
    let list: Vec<Tolerated> = serde_json::from_slice(&text).map_err(named(file))?;
    let mut all = Tolerances::default();
    for Tolerated { detector, about, halvings, created_at, expires_at } in list {
        let doubt = Doubt { halvings, from: created_at, until: expires_at };
        all.add(&detector, &about, doubt);
    }
    Ok(all)
}

fn terms(file: &Path) -> Result<Terms, Failure> {
    let config = load::load(file, &load::environment()).map_err(Failure::new)?;
    config.detect.terms().map_err(crate::compose::mistaken)
}

fn show(outcome: &Simulation, as_json: bool) -> Result<(), Failure> {
    let whole = serde_json::to_value(outcome).map_err(Failure::new)?;
    if as_json {
        say(&whole);
        return Ok(());
    }
    let rows = |member: &str| whole[member].as_array().cloned().unwrap_or_default();
    let hits: Vec<Value> = rows("hits").into_iter().map(in_words).collect();
    let held = rows("held_back");
    if !hits.is_empty() {
        table::rows(&hits, &HITS);
        say("");
    }
    if !held.is_empty() {
        table::rows(&held, &HELD_BACK);
        say("");
    }
    let count = |side: fn(&detect::simulate::Hit) -> bool| {
        outcome.hits.iter().filter(|hit| side(hit)).count()
    };
    say(format_args!(
        "{} events, {} findings; {} hit by the new table, {} by the present one, {} by both; {} held back",
        outcome.events,
        outcome.findings,
        count(|hit| hit.new.is_some()),
        count(|hit| hit.present.is_some()),
        count(|hit| hit.new.is_some() && hit.present.is_some()),
        outcome.held_back.len(),
    ));
    Ok(())
}

/// `2x, 900 s` in place of what a table has to say about somebody.
fn in_words(mut hit: Value) -> Value {
    for side in ["new", "present"] {
        let share = &hit[side];
        if let (Some(times), Some(seconds)) = (share["times"].as_u64(), share["seconds"].as_u64()) {
            let end = if share["until"].is_null() { ", for good" } else { "" };
            hit[side] = json!(format!("{times}x, {seconds} s{end}"));
        }
    }
    hit
}

fn named<E: std::fmt::Display>(file: &Path) -> impl Fn(E) -> Failure {
    move |error| Failure::new(format_args!("{}: {error}", file.display()))
}

/// Unpacked where it begins as gzip does, whatever it is called.
fn open(file: &Path) -> io::Result<Box<dyn BufRead>> {
    let input: Box<dyn Read> = match file == Path::new("-") {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(file)?),
    };
    let mut input = BufReader::new(input);
    if input.fill_buf()?.starts_with(GZIP) {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(input))));
    }
    Ok(Box::new(input))
}
