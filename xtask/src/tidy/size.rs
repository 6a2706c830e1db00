//! How big files, functions and inline test modules may be.

use super::files::TextFile;
use super::scan;

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 100;
/// Longer functions are listed, not refused.
const FUNCTION_SCREEN: usize = 60;
const INLINE_TEST_LINES: usize = 100;
const LISTED: usize = 10;

/// Files that may be longer, each with its reason.
const LONG_FILES: [(&str, &str); 0] = [];

/// Something with a size: what is listed and compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sized {
    pub(crate) lines: usize,
    pub(crate) what: String,
}

/// What is refused.
pub(crate) fn check(files: &[TextFile]) -> Vec<String> {
    check_with(files, &LONG_FILES)
}

fn check_with(files: &[TextFile], long_files: &[(&str, &str)]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines = file.text.lines().count();
        let is_excepted = long_files.iter().any(|(path, _)| *path == file.path);
        if lines > FILE_LINES && !is_excepted {
            problems.push(format!("{}: {lines} lines; at most {FILE_LINES}: split it", file.path));
        }
        for block in scan::functions(&file.text) {
            if block.lines > FUNCTION_LINES {
                problems.push(format!(
                    "{}:{}: `{}` has {} lines; at most {FUNCTION_LINES}: split it at a step",
                    file.path, block.line, block.name, block.lines
                ));
            }
        }
        for block in scan::modules(&file.text) {
            if block.name == "tests" && block.lines > INLINE_TEST_LINES {
                problems.push(format!(
                    "{}:{}: {} lines of tests in place; at most {INLINE_TEST_LINES}: move them to \
                     a file `tests.rs` beside",
                    file.path, block.line, block.lines
                ));
            }
        }
    }
    for (path, _) in long_files {
        let lines =
            files.iter().find(|file| file.path == *path).map(|file| file.text.lines().count());
        if lines.is_none_or(|lines| lines <= FILE_LINES) {
            problems.push(format!("{path}: needs no exception for its size any more"));
        }
    }
    problems
}

/// The largest files.
pub(crate) fn largest_files(files: &[TextFile]) -> Vec<Sized> {
    let sizes = files.iter().filter(|file| file.is_rust());
    largest(sizes.map(|file| Sized { lines: file.text.lines().count(), what: file.path.clone() }))
        .into_iter()
        .take(LISTED)
        .collect()
}

/// The largest functions: ten, or all that do not fit a screen.
pub(crate) fn largest_functions(files: &[TextFile]) -> Vec<Sized> {
    let sizes = files.iter().filter(|file| file.is_rust()).flat_map(|file| {
        scan::functions(&file.text).into_iter().map(|block| Sized {
            lines: block.lines,
            what: format!("{}:{} {}", file.path, block.line, block.name),
        })
    });
    largest(sizes)
        .into_iter()
        .enumerate()
        .take_while(|(index, function)| *index < LISTED || function.lines > FUNCTION_SCREEN)
        .map(|(_, function)| function)
        .collect()
}

fn largest(sizes: impl Iterator<Item = Sized>) -> Vec<Sized> {
    let mut sizes: Vec<Sized> = sizes.collect();
    sizes.sort_by(|a, b| b.lines.cmp(&a.lines).then_with(|| a.what.cmp(&b.what)));
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: String) -> TextFile {
        TextFile { path: path.to_owned(), text }
    }

    fn function(name: &str, lines: usize) -> String {
        format!("fn {name}() {{\n{}}}\n", "    x();\n".repeat(lines - 2))
    }

    #[test]
    fn a_file_over_the_limit_is_refused_unless_excepted() {
        let long = [file("a.rs", "\n".repeat(601))];
        assert_eq!(check_with(&long, &[]).len(), 1);
        assert!(check_with(&long, &[("a.rs", "a table")]).is_empty());
        assert!(check_with(&[file("a.rs", "\n".repeat(600))], &[]).is_empty());
        assert!(check_with(&[file("a.json", "\n".repeat(601))], &[]).is_empty());
    }

    #[test]
    fn an_exception_that_is_not_needed_is_refused() {
        let problems = check_with(&[file("a.rs", String::new())], &[("a.rs", "was long")]);
        assert!(problems[0].contains("no exception"), "{problems:?}");
    }

    #[test]
    fn a_function_over_the_limit_is_refused() {
        assert!(check_with(&[file("a.rs", function("f", 100))], &[]).is_empty());
        let problems = check_with(&[file("a.rs", function("f", 101))], &[]);
        assert!(problems[0].starts_with("a.rs:1: `f` has 101 lines"), "{problems:?}");
    }

    #[test]
    fn long_tests_in_place_are_refused() {
        let tests = |lines: usize| format!("mod tests {{\n{}}}\n", "    // x\n".repeat(lines - 2));
        assert!(check_with(&[file("a.rs", tests(100))], &[]).is_empty());
        assert_eq!(check_with(&[file("a.rs", tests(101))], &[]).len(), 1);
        let other = tests(101).replace("tests", "vectors");
        assert!(check_with(&[file("a.rs", other)], &[]).is_empty());
    }

    #[test]
    fn every_function_that_fits_no_screen_is_listed() {
        let text: String = (0..12).map(|index| function(&format!("f{index}"), 61)).collect();
        assert_eq!(largest_functions(&[file("a.rs", text)]).len(), 12);
        let text: String = (0..12).map(|index| function(&format!("f{index}"), 60)).collect();
        assert_eq!(largest_functions(&[file("a.rs", text)]).len(), 10);
        let files: Vec<_> = (1..=12).map(|n| file(&format!("{n}.rs"), "\n".repeat(n))).collect();
        assert_eq!(largest_files(&files)[0], Sized { lines: 12, what: "12.rs".to_owned() });
        assert_eq!(largest_files(&files).len(), 10);
    }
}
