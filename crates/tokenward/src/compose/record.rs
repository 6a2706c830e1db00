//! Keeps every event as a line of a file, for `tokenward detect replay`.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use token::event::Event;

/// No event is longer, in bytes.
const LONGEST_EVENT: u64 = 1024 * 1024;

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
        let mut options = OpenOptions::new();
        let mut file = options.create(true).read(true).append(true).mode(0o600).open(file)?;
        end_in_a_line(&mut file)?;
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

/// Takes half an event away that a crash has left at the end, so that the next one begins a line.
fn end_in_a_line(file: &mut File) -> io::Result<()> {
    let (is_file, length) = file.metadata().map(|about| (about.is_file(), about.len()))?;
    if !is_file {
        return Ok(());
    }
    let from = length.saturating_sub(LONGEST_EVENT);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(LONGEST_EVENT).read_to_end(&mut tail)?;
    let half = tail.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    match half {
        [] => Ok(()),
        [b'{', ..] if serde_json::from_slice::<Event>(half).is_err() => {
            file.set_len(length - half.len() as u64)
        }
        // It is whole, or none of ours.
        _ => file.write_all(b"\n"),
    }
}

#[cfg(test)]
mod tests {
    use token::event::Event;

    use super::Recorder;

    #[test]
    fn half_an_event_of_a_crash_does_not_spoil_the_next() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("events");
        let line = r#"{"ts":"2026-09-21T14:13:20.000Z","kind":"request"}"#;
        let event: Event = serde_json::from_str(line).expect("event");
        for (before, kept) in [
            (String::new(), String::new()),
            (format!("{line}\n"), format!("{line}\n")),
            (format!("{line}\n{}", &line[..20]), format!("{line}\n")),
            (line[..20].to_owned(), String::new()),
            (line.to_owned(), format!("{line}\n")),
            ("a note".to_owned(), "a note\n".to_owned()),
        ] {
            std::fs::write(&file, &before).expect("written");
            let recorder = Recorder::open(&file).expect("opened");
            recorder.append(&event);
            recorder.flush();
            let now = std::fs::read_to_string(&file).expect("read");
            let new = now.strip_prefix(&kept).expect("what was whole is kept");
            assert_eq!(serde_json::from_str::<Event>(new).expect("one event"), event, "{before}");
        }
    }
}
