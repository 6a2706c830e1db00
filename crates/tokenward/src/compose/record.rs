//! Keeps every event as a line of a file, for `tokenward detect replay`.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use token::event::Event;

/// An open recording, or none: after the first failure there is none either. A clone is the same one.
#[derive(Clone, Default)]
pub(super) struct Recorder(Option<Arc<Mutex<Option<BufWriter<File>>>>>);

// === impl Recorder ===

impl Recorder {
    /// Appends to `file`, which only its owner can read when it is made here.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn open(file: &Path) -> io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
        Ok(Self(Some(Arc::new(Mutex::new(Some(BufWriter::new(file)))))))
    }

    /// Appends one event.
    pub(super) fn append(&self, event: &Event) {
        self.with(|file| {
            serde_json::to_writer(&mut *file, event)?;
            file.write_all(b"\n")
        });
    }

    /// Writes what is held back; called when no event waits.
    pub(super) fn flush(&self) {
        self.with(BufWriter::flush);
    }

    fn with(&self, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) {
        let Some(shared) = &self.0 else { return };
        let mut held = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = &mut *held else { return };
        if let Err(error) = write(file) {
            tracing::error!(%error, "events are not recorded any more");
            *held = None;
        }
    }
}
