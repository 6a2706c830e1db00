//! The files that are the repository's: tracked, or new and not ignored.

use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::process;

/// A text file of the repository.
#[derive(Debug)]
pub(crate) struct TextFile {
    /// Relative to the repository's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl TextFile {
    pub(crate) fn is_rust(&self) -> bool {
        is_rust(&self.path)
    }
}

pub(crate) fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|ending| ending == "rs")
}

/// Every text file under `root`; what is not UTF-8 is left out.
///
/// # Errors
/// `git ls-files` failed, or a file cannot be read.
pub(crate) fn read(root: &Path) -> Result<Vec<TextFile>, Failure> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "-co", "--exclude-standard"]).current_dir(root);
    let mut files = Vec::new();
    for path in process::ask(&mut git)?.split('\0').filter(|path| !path.is_empty()) {
        let whole = root.join(path);
        // A file that was deleted, but is still in the index, is none.
        if !whole.is_file() {
            continue;
        }
        let bytes = std::fs::read(&whole).map_err(|error| Failure::file("read", &whole, &error))?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(TextFile { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_deleted_and_binary_files_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            process::ask(Command::new("git").args(arguments).current_dir(folder.path())).unwrap();
        };
        git(&["init", "--quiet"]);
        for (path, bytes) in [
            (".gitignore", &b"ignored\n"[..]),
            ("ignored", b"x"),
            ("tracked.rs", b"x"),
            ("deleted", b"x"),
            ("new.md", b"x"),
            ("binary", b"\xff\xfe"),
        ] {
            std::fs::write(folder.path().join(path), bytes).unwrap();
        }
        git(&["add", "tracked.rs", "deleted"]);
        std::fs::remove_file(folder.path().join("deleted")).unwrap();
        let mut paths: Vec<_> =
            read(folder.path()).unwrap().into_iter().map(|file| file.path).collect();
        paths.sort();
        assert_eq!(paths, [".gitignore", "new.md", "tracked.rs"]);
    }

    #[test]
    fn a_folder_without_git_is_refused() {
        assert!(read(tempfile::tempdir().unwrap().path()).is_err());
    }
}
