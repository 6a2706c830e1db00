//! Recorded events in the order of their time: JSON Lines in, one event after the other out, with what those
//! before it tell of it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufRead};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize as _;
use serde_json::{Map, Value};
use token::event::{Event, TokenKind};
use token::json;
use token::place::Places;
use token::time::Timestamp;

use crate::origin::Origins;

/// How far behind the newest event one may come.
const DISORDER: Duration = Duration::from_secs(5);
/// Members that are numbers with a fraction.
const PLACES: [&str; 2] = ["lat", "lon"];
/// Up to here a float is one whole number and no other (2^53).
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;
/// No event is longer, in bytes.
const LINE_LIMIT: usize = 1024 * 1024;

/// Some programs begin a file of UTF-8 with it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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

/// What becomes of a line that is no event: by its number and what is wrong with it. An error ends it all.
pub type Broken<'b> = &'b mut dyn FnMut(usize, String) -> Result<(), ReplayError>;

/// Events that wait until those before them have come.
struct Line<F> {
    waiting: BinaryHeap<Reverse<Waiting>>,
    newest: Timestamp,
    origins: Origins,
    see: F,
}

/// An event in the order of time, then of lines.
struct Waiting {
    line: usize,
    event: Event,
}

/// How a recording is read.
pub struct Reading<'b> {
    broken: Broken<'b>,
    places: Option<Arc<dyn Places>>,
}

/// Ends it all at the first line that is no event.
///
/// # Errors
/// [`ReplayError`] names it.
pub fn refuse(line: usize, why: String) -> Result<(), ReplayError> {
    Err(ReplayError::NotAnEvent { line, why })
}

/// Shows every event of `input`, in order. Events before a line that is none are shown in any case. A last line that is
/// cut off is left out.
///
/// # Errors
/// [`ReplayError`] of [`Reading::new`], or says why reading or `see` failed.
pub fn each(
    input: impl BufRead,
    reading: Reading<'_>,
    see: impl FnMut(&Event) -> io::Result<()>,
) -> Result<(), ReplayError> {
    let newest = Timestamp::from_millis(i64::MIN);
    let Reading { broken, places } = reading;
    let origins = Origins::new(places);
    let mut line = Line { waiting: BinaryHeap::new(), newest, origins, see };
    let done = line.read(input, broken);
    line.release(None)?;
    done
}

/// Reads a line. Others write what is not known as `null`, whole numbers as `12.0`, and kinds of tokens that this version
/// does not know; for anything else the first mistake is told.
fn event(text: &[u8]) -> Result<Event, serde_json::Error> {
    serde_json::from_slice(text).or_else(|error| {
        let plain = json::parse_object(text).ok().map(plainer);
        plain.and_then(|plain| serde_json::from_value(plain).ok()).ok_or(error)
    })
}

/// The same without what is not known, and with whole numbers written as such.
fn plainer(members: Map<String, Value>) -> Value {
    let is_known = |name: &str, value: &Value| match name {
        "token_kind" => TokenKind::deserialize(value).is_ok(),
        _ => !value.is_null(),
    };
    let known = members.into_iter().filter(|(name, value)| is_known(name, value));
    let plain = known.map(|(name, value)| {
        let number = value.as_f64().filter(|_| value.is_f64() && !PLACES.contains(&&*name));
        let whole = number.filter(|it| it.fract() == 0.0 && (0.0..MOST_EXACT).contains(it));
        (name, whole.map_or(value, |whole| Value::from(whole as u64)))
    });
    Value::Object(plain.collect())
}

// === impl Reading ===

impl<'b> Reading<'b> {
    /// `broken` says whether it goes on after a line that is no event, such as [`refuse`]. Places are those that the
    /// events tell.
    pub fn new(broken: Broken<'b>) -> Self {
        Self { broken, places: None }
    }

    /// Looks places up that an event does not tell.
    pub fn with_places(self, places: Option<Arc<dyn Places>>) -> Self {
        Self { places, ..self }
    }
}

// === impl Waiting ===

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

// === impl Line ===

impl<F: FnMut(&Event) -> io::Result<()>> Line<F> {
    fn read(&mut self, mut input: impl BufRead, broken: Broken<'_>) -> Result<(), ReplayError> {
        let mut text = Vec::new();
        for line in 1.. {
            text.clear();
            let mut limited = io::Read::take(&mut input, LINE_LIMIT as u64 + 1);
            if limited.read_until(b'\n', &mut text)? == 0 {
                return Ok(());
            }
            if text.len() > LINE_LIMIT {
                broken(line, "it is longer than 1 MiB".to_owned())?;
                if !text.ends_with(b"\n") {
                    input.skip_until(b'\n')?;
                }
                continue;
            }
            let text =
                if line == 1 { text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text) } else { &text };
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let event = match event(text) {
                Ok(event) => event,
                // Whoever writes it is in the middle of it, or was stopped there.
                Err(error) if error.is_eof() && !text.ends_with(b"\n") => return Ok(()),
                Err(error) => {
                    broken(line, error.to_string())?;
                    continue;
                }
            };
            self.newest = self.newest.max(event.ts);
            self.waiting.push(Reverse(Waiting { line, event }));
            self.release(Some(self.newest.minus(DISORDER)))?;
        }
        Ok(())
    }

    /// Shows what is older than `before`, or everything.
    fn release(&mut self, before: Option<Timestamp>) -> Result<(), ReplayError> {
        while let Some(Reverse(first)) = self.waiting.peek() {
            if before.is_some_and(|before| first.event.ts >= before) {
                break;
            }
            let Some(Reverse(Waiting { mut event, .. })) = self.waiting.pop() else { break };
            self.origins.complete(&mut event);
            (self.see)(&event)?;
        }
        Ok(())
    }
}
