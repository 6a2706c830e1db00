//! Recorded events → findings, as JSON Lines; the same input gives the same output, byte for byte.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::{self, BufRead, Write};
use std::time::Duration;

use serde_json::json;
use token::event::Event;
use token::time::Timestamp;

use crate::engine::Engine;

/// How far behind the newest event one may come.
const DISORDER: Duration = Duration::from_secs(5);
/// No event is longer, in bytes.
const LINE_LIMIT: usize = 1024 * 1024;
/// Responses a minute that the policy would carry out, as the program's default.
pub const RESPONSES_PER_MINUTE: u32 = 60;

/// Why a replay ended early. What was found before has been written.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line is no event.
    #[error("line {line}: not an event: {why}")]
    NotAnEvent {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// Runs every detector over `input` and writes the findings to `output`; with `summary`, a last
/// line counts them.
///
/// # Errors
/// [`ReplayError`] names the line that is no event.
pub fn replay(
    input: impl BufRead,
    output: &mut impl Write,
    summary: bool,
) -> Result<(), ReplayError> {
    let mut run = Run::new(output);
    let done = run.read(input);
    // Events before a bad line are judged all the same.
    run.release(None)?;
    done?;
    if summary {
        run.summarise()?;
    }
    Ok(())
}

struct Run<'w, W> {
    engine: Engine,
    waiting: BinaryHeap<Reverse<Waiting>>,
    newest: Timestamp,
    output: &'w mut W,
    events: u64,
    findings: u64,
    detectors: BTreeMap<String, u64>,
    incidents: BTreeMap<String, u64>,
}

/// An event in the order of time, then of lines.
struct Waiting {
    line: usize,
    event: Event,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.event.ts, self.line).cmp(&(other.event.ts, other.line))
    }
}

// === impl Run ===

impl<'w, W: Write> Run<'w, W> {
    fn new(output: &'w mut W) -> Self {
        Self {
            engine: Engine::new(RESPONSES_PER_MINUTE),
            waiting: BinaryHeap::new(),
            newest: Timestamp::from_millis(i64::MIN),
            output,
            events: 0,
            findings: 0,
            detectors: BTreeMap::new(),
            incidents: BTreeMap::new(),
        }
    }

    fn read(&mut self, mut input: impl BufRead) -> Result<(), ReplayError> {
        let mut text = Vec::new();
        for line in 1.. {
            text.clear();
            let mut limited = io::Read::take(&mut input, LINE_LIMIT as u64 + 1);
            if limited.read_until(b'\n', &mut text)? == 0 {
                return Ok(());
            }
            if text.len() > LINE_LIMIT {
                let why = "it is longer than 1 MiB".to_owned();
                return Err(ReplayError::NotAnEvent { line, why });
            }
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let event: Event = serde_json::from_slice(&text)
                .map_err(|error| ReplayError::NotAnEvent { line, why: error.to_string() })?;
            self.newest = self.newest.max(event.ts);
            self.waiting.push(Reverse(Waiting { line, event }));
            self.release(Some(self.newest.minus(DISORDER)))?;
        }
        Ok(())
    }

    /// Judges what is older than `before`, or everything.
    fn release(&mut self, before: Option<Timestamp>) -> Result<(), ReplayError> {
        while let Some(Reverse(first)) = self.waiting.peek() {
            if before.is_some_and(|before| first.event.ts >= before) {
                break;
            }
            let Some(Reverse(Waiting { event, .. })) = self.waiting.pop() else { break };
            self.events += 1;
            for finding in self.engine.observe(&event) {
                self.findings += 1;
                *self.detectors.entry(finding.detector.to_owned()).or_default() += 1;
                *self.incidents.entry(finding.incident.clone()).or_default() += 1;
                serde_json::to_writer(&mut *self.output, &finding).map_err(io::Error::from)?;
                self.output.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    fn summarise(&mut self) -> Result<(), ReplayError> {
        let summary = json!({
            "events": self.events,
            "findings": self.findings,
            "detectors": self.detectors,
            "incidents": self.incidents,
        });
        writeln!(self.output, "{summary}")?;
        Ok(())
    }
}
