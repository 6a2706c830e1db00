//! Findings by syslog (RFC 5424): one line each, with CEF or OCSF in it.

use token::time::Timestamp;

use crate::filter;
use crate::notice::Notice;
use crate::outlet::NotTaken;

mod cef;
mod ocsf;
pub mod transport;

use transport::Transport;

/// Security messages (RFC 5424 §6.2.1): `security/authorization messages (private)`.
const FACILITY: u8 = 10;

/// Somebody who is told findings by syslog.
#[derive(Clone)]
pub struct Syslog {
    host: String,
    format: Format,
    transport: Transport,
}

/// What is in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// ArcSight Common Event Format.
    Cef,
    /// Open Cybersecurity Schema Framework 1.5: a Detection Finding (2004) as JSON.
    Ocsf,
}

// === impl Syslog ===

impl Syslog {
    /// One that is told by messages from `host`, the name by which this server is known.
    pub fn new(host: &str, format: Format, transport: Transport) -> Self {
        Self { host: header(host, 255), format, transport }
    }

    pub(crate) fn place(&self) -> String {
        self.transport.to_string()
    }

    /// One message (§6), without the framing of its transport. The time is that of the event.
    pub(crate) fn line(&self, notice: &Notice, now: Timestamp) -> String {
        use token::finding::Severity;
        // §6.2.1: critical, error, warning, notice.
        let severity = match filter::severity(&notice.finding) {
            Some(Severity::Critical) => 2,
            Some(Severity::High) => 3,
            Some(Severity::Medium) => 4,
            Some(Severity::Low) | None => 5,
        };
        let priority = FACILITY * 8 + severity;
        let (host, process) = (&self.host, std::process::id());
        let message = match self.format {
            Format::Cef => cef::message(notice),
            Format::Ocsf => ocsf::message(notice, now),
        };
        let id = header(notice.kind, 32);
        format!("<{priority}>1 {} {host} tokenward {process} {id} - {message}", notice.ts)
    }

    pub(crate) async fn send(&self, line: &str) -> Result<(), NotTaken> {
        self.transport.send(line).await.map_err(|error| {
            NotTaken::for_now(format!("{} cannot be reached: {error}", self.transport))
        })
    }
}

/// A field of the header (§6): printable ASCII without spaces, `-` where nothing is left.
fn header(text: &str, most: usize) -> String {
    let kept: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}
