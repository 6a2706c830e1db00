//! What is said of a configuration that was read again: to the log, the metrics, the audit log, and whoever asks.

use std::sync::PoisonError;

use console::configuration::{Applied, Mistake, NotApplied, Refused};
use store::AuditEntry;

use super::{Cause, Reloader, Source};
use crate::config::load::{self, Mistakes};

const RELOADS: &str = "tokenward_config_reloads_total";
const VERSION: &str = "tokenward_config_version";
const REFUSED: &str = "tokenward_config_refused";
/// The audit log is no place for a thousand mistakes.
const LONGEST_TARGET: usize = 1000;

/// Begins to count.
pub(super) fn describe() {
    metrics::describe_counter!(RELOADS, "Readings of the configuration, by what came of them");
    metrics::describe_gauge!(VERSION, "Version of the configuration that is in force");
    metrics::describe_gauge!(REFUSED, "Whether the last change of the configuration was refused");
    metrics::gauge!(VERSION).set(1.0);
    metrics::gauge!(REFUSED).set(0.0);
}

// === impl Reloader ===

impl Reloader {
    /// Says what came of it, to the log, the metrics and whoever asks later.
    pub(super) fn told(
        &self,
        tried: Result<Vec<String>, Mistakes>,
        source: &Source,
        cause: Cause,
    ) -> Result<Applied, NotApplied> {
        let now = self.fixed.clock.now();
        let count = |result| metrics::counter!(RELOADS, "result" => result).increment(1);
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = tried.is_err();
        metrics::gauge!(REFUSED).set(if refused { 1.0 } else { 0.0 });
        match tried {
            Ok(changed) => {
                status.refused = None;
                if changed.is_empty() {
                    count("unchanged");
                    tracing::info!(?cause, "the configuration is as it was");
                } else {
                    count("applied");
                    status.version += 1;
                    status.since = now;
                    metrics::gauge!(VERSION).set(status.version as f64);
                    let version = status.version;
                    tracing::info!(
                        ?cause,
                        version,
                        changed = changed.join(", "),
                        "the configuration has changed"
                    );
                }
                Ok(Applied { version: status.version, changed })
            }
            Err(mistakes) => {
                count("refused");
                for mistake in &mistakes.found {
                    tracing::error!(
                        ?cause,
                        file = %source.file.display(),
                        line = mistake.place.map(|place| place.line),
                        column = mistake.place.map(|place| place.column),
                        key = mistake.key,
                        reason = mistake.reason,
                        "the configuration is refused, the old one stays"
                    );
                }
                let words = mistakes.to_string();
                let mistakes = shown(mistakes);
                status.refused = Some(Refused { at: now, mistakes: mistakes.clone() });
                Err(NotApplied::Refused { mistakes, words })
            }
        }
    }

    /// Writes to the audit log what nobody else does.
    pub(super) async fn recorded(&self, cause: Cause, outcome: &Result<Applied, NotApplied>) {
        let actor = match cause {
            Cause::Administrator => return,
            Cause::Signal => "system:signal",
            Cause::Files => "system:files",
        };
        let (action, target) = match outcome {
            Ok(Applied { changed, .. }) if changed.is_empty() => return,
            Ok(Applied { version, changed }) => {
                ("config.reload", format!("version {version}: {}", changed.join(", ")))
            }
            Err(NotApplied::Refused { words, .. }) => ("config.refuse", words.clone()),
            Err(NotApplied::NoFile) => return,
        };
        let entry = AuditEntry {
            at: self.fixed.clock.now(),
            actor: actor.to_owned(),
            action: action.to_owned(),
            target: target.chars().take(LONGEST_TARGET).collect(),
            ip: None,
        };
        if let Err(error) = self.fixed.store.append_audit(&entry).await {
            tracing::error!(%error, "a change of the configuration is not in the audit log");
        }
    }
}

fn shown(mistakes: Mistakes) -> Vec<Mistake> {
    let Mistakes { file, found } = mistakes;
    let file = file.display().to_string();
    let one = |mistake: load::Mistake| Mistake {
        file: file.clone(),
        line: mistake.place.map(|place| place.line),
        column: mistake.place.map(|place| place.column),
        key: mistake.key,
        reason: mistake.reason,
    };
    found.into_iter().map(one).collect()
}
