//! The history of a git repository, read from the `git` command as it comes.

use std::collections::HashSet;
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Stdio};

use super::lines::{self, Piece};
use super::{Failure, Report};

/// Before each commit: what no line of text begins with.
const MARK: u8 = 1;
const NAME_DIGITS: usize = 12;

/// Where in the history a line is.
#[derive(Default)]
struct Place {
    commit: String,
    file: Option<String>,
    /// The number of the line in the file, or in the message.
    line: u64,
    in_hunk: bool,
    /// Whether the line is one to be looked at.
    looks: bool,
}

/// Looks through every commit of every reference and of what references were before, which is where stashes and
/// commits that were amended are: its message, and what each file got by it, whatever its attributes say of it.
///
/// # Errors
/// [`Failure`] when git cannot be run there.
pub(super) fn scan(path: &Path, report: &mut Report) -> Result<(), Failure> {
    let mut command = Command::new("git");
    command.arg("-C").arg(path).args([
        // Names of files as they are.
        "-c",
        "core.quotePath=false",
        "log",
        "--all",
        "--reflog",
        "-p",
        "--text",
        "-m",
        "-U0",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--no-renames",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        // Indented, so that no line of a message looks like the beginning of a file.
        "--format=%x01%H%n%w(0,1,1)%B",
    ]);
    // What the person has set for reading is not for us.
    command.env("GIT_PAGER", "cat").env("GIT_CONFIG_NOSYSTEM", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let wrong = |error: &dyn std::fmt::Display| Failure::usage(format_args!("git: {error}"));
    let mut child = command.spawn().map_err(|error| wrong(&error))?;
    let Some(output) = child.stdout.take() else { return Err(wrong(&"it says nothing")) };
    let (mut place, mut seen) = (Place::default(), HashSet::new());
    let read = lines::each(&mut BufReader::new(output), |piece| {
        if !place.step(piece) {
            return;
        }
        lines::tokens(piece, &mut HashSet::new(), |token, family| {
            let shown = place.shown(path);
            // A merge shows its lines once for each parent.
            let text = format!("{shown}:{}:{token}", place.line);
            if seen.insert(::token::opaque::OpaqueHash::of(&text)) {
                report.found(&shown, place.line, token, family);
            }
        });
    });
    read.map_err(|error| wrong(&error))?;
    let status = child.wait().map_err(|error| wrong(&error))?;
    if status.success() {
        return Ok(());
    }
    Err(wrong(&format_args!("{} is no repository that it can read", path.display())))
}

// === impl Place ===

impl Place {
    /// Follows the output; whether this line is one to be looked at.
    fn step(&mut self, piece: &Piece<'_>) -> bool {
        if piece.begins {
            self.looks = self.begin(piece.bytes);
        }
        self.looks
    }

    fn begin(&mut self, bytes: &[u8]) -> bool {
        if let [MARK, name @ ..] = bytes {
            let name = String::from_utf8_lossy(name.get(..NAME_DIGITS).unwrap_or(name));
            *self = Self { commit: name.into_owned(), ..Self::default() };
            return false;
        }
        if bytes.starts_with(b"diff --git ") {
            (self.file, self.in_hunk) = (Some(String::new()), false);
            return false;
        }
        match (&self.file, bytes.first()) {
            // The message.
            (None, _) => {
                self.line += 1;
                true
            }
            (Some(_), Some(b'@')) if bytes.starts_with(b"@@ ") => {
                self.in_hunk = true;
                self.line = first_line(bytes).unwrap_or_default().saturating_sub(1);
                false
            }
            (Some(_), Some(b'+')) if self.in_hunk => {
                self.line += 1;
                true
            }
            (Some(_), Some(b'+')) => {
                let name = bytes.strip_prefix(b"+++ b/").unwrap_or_default();
                self.file = Some(String::from_utf8_lossy(name).trim_end().to_owned());
                false
            }
            // What is taken away was there before, in the commit that brought it.
            _ => false,
        }
    }

    fn shown(&self, repository: &Path) -> String {
        let repository = repository.display();
        match &self.file {
            Some(file) => format!("{repository}@{}:{file}", self.commit),
            None => format!("{repository}@{}:(message)", self.commit),
        }
    }
}

/// `@@ -12 +34,5 @@` → 34
fn first_line(hunk: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(hunk.get(..64.min(hunk.len()))?).ok()?;
    let after = text.split(" +").nth(1)?;
    after.split([',', ' ']).next()?.parse().ok()
}
