//! Recorded events → findings, as JSON Lines; the same input gives the same output, byte for byte.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use serde_json::json;
use token::event::Event;

use crate::engine::Engine;
use crate::stream::{self, Reading, ReplayError};

/// Runs `engine`, which must be fresh, over `input` and writes the findings to `output`; with `summary`, a
/// last line counts them. `reading` says how `input` is read.
///
/// # Errors
/// [`ReplayError`] of `reading`, or says why reading or writing failed.
pub fn replay(
    engine: Engine,
    input: impl BufRead,
    output: &mut impl Write,
    summary: bool,
    reading: Reading<'_>,
) -> Result<(), ReplayError> {
    let mut run = Run {
        engine,
        output,
        events: 0,
        findings: 0,
        detectors: BTreeMap::new(),
        incidents: BTreeMap::new(),
    };
    stream::each(input, reading, |event| run.see(event))?;
    if summary {
        run.summarise()?;
    }
    Ok(())
}

struct Run<'w, W> {
    engine: Engine,
    output: &'w mut W,
    events: u64,
    findings: u64,
    detectors: BTreeMap<String, u64>,
    incidents: BTreeMap<String, u64>,
}

// === impl Run ===

impl<W: Write> Run<'_, W> {
    fn see(&mut self, event: &Event) -> io::Result<()> {
        self.events += 1;
        for finding in self.engine.observe(event) {
            self.findings += 1;
            *self.detectors.entry(finding.detector.to_owned()).or_default() += 1;
            *self.incidents.entry(finding.incident.clone()).or_default() += 1;
            serde_json::to_writer(&mut *self.output, &finding).map_err(io::Error::from)?;
            self.output.write_all(b"\n")?;
        }
        Ok(())
    }

    fn summarise(&mut self) -> io::Result<()> {
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
