//! Two commands: what README tells people to run is what continuous integration runs.

use super::files::TextFile;

const START: &str = "cargo run --release -- dev";
const TEST: &str = "cargo xtask test";

/// What is refused.
pub(crate) fn check(files: &[TextFile]) -> Vec<String> {
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| &file.text);
    let has_line = |path, line| text(path).is_some_and(|text| text.lines().any(|one| one == line));
    let mut problems = Vec::new();
    for line in [START, TEST] {
        if !has_line("README.md", line) {
            problems.push(format!("README.md: no line `{line}`"));
        }
    }
    let last = text(".ci/run").and_then(|text| text.lines().last());
    if last != Some(TEST) {
        problems.push(format!(".ci/run: must end with `{TEST}`"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_must_say_the_same() {
        let file = |path: &str, text: String| TextFile { path: path.to_owned(), text };
        let readme = file("README.md", format!("# T\n{START}\nor\n{TEST}\n"));
        let good = [readme, file(".ci/run", format!("set -e\n{TEST}\n"))];
        assert!(check(&good).is_empty());
        let [readme, _] = good;
        let other = file(".ci/run", "cargo test\n".to_owned());
        assert_eq!(check(&[readme, other]).len(), 1);
        assert_eq!(check(&[]).len(), 3);
    }
}
