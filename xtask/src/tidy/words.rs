//! The repository speaks of the product alone: no path of one machine, no registry's host.

use super::files::TextFile;

/// Home folders and hosts, in halves, so that this table does not refuse itself.
const REFUSED: [(&str, &str, &str); 4] = [
    ("/ro", "ot/", "a path of one machine"),
    ("/wo", "rk/", "a path of one machine"),
    ("registry.np", "mjs.org", "a registry's host"),
    ("files.python", "hosted.org", "a registry's host"),
];

/// What is refused.
pub(crate) fn check(files: &[TextFile]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            for (first, second, what) in REFUSED {
                let word = [first, second].concat();
                if line.contains(&word) {
                    problems.push(format!("{}:{}: `{word}` is {what}", file.path, number + 1));
                }
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_or_host_is_refused_with_its_line() {
        for (first, second, _) in REFUSED {
            let text = format!("fine\nsee {first}{second}x\n");
            let problems = check(&[TextFile { path: "a.md".to_owned(), text }]);
            assert!(problems[0].starts_with("a.md:2: "), "{problems:?}");
        }
        let text = "framework/ and /roots are fine\n".to_owned();
        assert!(check(&[TextFile { path: "a.md".to_owned(), text }]).is_empty());
    }
}
