//! Files and folders.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use super::{Report, lines};

const BUFFER: usize = 64 * 1024;

/// Looks through a file, or a folder with all below it. Links are not followed, and what git keeps for
/// itself is compressed: its history is looked through by `--git`.
pub(super) fn scan(path: &Path, report: &mut Report) {
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        let shown = path.display().to_string();
        let kind = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata.file_type(),
            Err(error) => {
                report.unreadable(&shown, &error);
                continue;
            }
        };
        if kind.is_dir() {
            match below(&path) {
                // In order, so that two runs say the same.
                Ok(entries) => waiting.extend(entries.into_iter().rev()),
                Err(error) => report.unreadable(&shown, &error),
            }
        } else if kind.is_file()
            && let Err(error) = file(&path, &shown, report)
        {
            report.unreadable(&shown, &error);
        }
    }
}

fn below(folder: &Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() != ".git" {
            entries.push(entry.path());
        }
    }
    entries.sort();
    Ok(entries)
}

fn file(path: &Path, shown: &str, report: &mut Report) -> std::io::Result<()> {
    let mut reader = BufReader::with_capacity(BUFFER, File::open(path)?);
    let mut seen = HashSet::new();
    lines::each(&mut reader, |piece| {
        lines::tokens(piece, &mut seen, |token, family| {
            report.found(shown, piece.number, token, family);
        });
    })
}
