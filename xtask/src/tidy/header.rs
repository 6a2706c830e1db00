//! Every Rust file says first, in a sentence, what its one subject is.

use super::files::TextFile;

/// What is refused.
pub(crate) fn check(files: &[TextFile]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.is_rust() && !has_sentence(&file.text))
        .map(|file| {
            format!("{}: must start with `//!` and a sentence that says its one subject", file.path)
        })
        .collect()
}

fn has_sentence(text: &str) -> bool {
    let mut lines = text.lines().peekable();
    if lines.peek().is_some_and(|first| first.starts_with("#!/")) {
        lines.next();
    }
    let words: Vec<&str> = lines
        .map_while(|line| line.strip_prefix("//! "))
        .take_while(|line| !line.trim().is_empty())
        .flat_map(str::split_whitespace)
        .collect();
    words.len() > 1 && words.last().is_some_and(|word| word.ends_with(['.', ':', '?', ')']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> usize {
        check(&[TextFile { path: "a.rs".to_owned(), text: text.to_owned() }]).len()
    }

    #[test]
    fn a_sentence_on_one_or_two_lines_is_accepted() {
        assert_eq!(problems("//! What it is.\nfn a() {}\n"), 0);
        assert_eq!(problems("//! What it is,\n//! in two lines.\n//!\n//! More\n"), 0);
        assert_eq!(problems("#!/usr/bin/env cargo\n//! What it is.\n"), 0);
    }

    #[test]
    fn code_an_attribute_a_word_and_a_fragment_are_refused() {
        for text in [
            "",
            "fn a() {}\n",
            "#![allow(x)]\n//! What it is.\n",
            "\n//! What it is.\n",
            "// What it is.\n",
            "//! Tidy.\n",
            "//!\n//! What it is.\n",
            "//! What it\n",
        ] {
            assert_eq!(problems(text), 1, "{text:?}");
        }
    }

    #[test]
    fn other_languages_are_left_alone() {
        let file = TextFile { path: "a.py".to_owned(), text: "x = 1\n".to_owned() };
        assert!(check(&[file]).is_empty());
    }
}
