//! Keeps every event as a line of a file, for `tokenward detect replay`.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use token::event::Event;

/// An open recording.
pub(super) struct Recording(BufWriter<File>);

// === impl Recording ===

impl Recording {
    /// Appends to `file`, which only its owner can read when it is made here.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn open(file: &Path) -> io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
        Ok(Self(BufWriter::new(file)))
    }

    /// Appends one event.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn append(&mut self, event: &Event) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, event)?;
        self.0.write_all(b"\n")
    }

    /// Writes what is held back; called when no event waits.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
