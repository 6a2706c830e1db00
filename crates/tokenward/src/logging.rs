//! Structured logs on standard error: text for people, JSON for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Log, LogFormat};

/// Starts logging for this process.
pub(crate) fn start(log: &Log) {
    let filter = filter(&log.level).unwrap_or_else(|| EnvFilter::new("info"));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start, as in tests, keeps the first.
    let _ = match log.format {
        LogFormat::Text => {
            builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init()
        }
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// What a level or a filter lets through. A word that is no level would be taken for the name of a part of the program,
/// and all others would be silent.
pub(crate) fn filter(text: &str) -> Option<EnvFilter> {
    let mut words = text.split(',').map(str::trim).filter(|part| !part.contains(['=', '[']));
    if !words.all(|word| word.parse::<LevelFilter>().is_ok()) {
        return None;
    }
    EnvFilter::try_new(text).ok()
}
