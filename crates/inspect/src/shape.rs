//! Whether a value reads like text for people or like code, where talk of an attack is no attack.

/// Words that hold sentences together, and that SQL and shells do not have; sorted.
const FUNCTION_WORDS: &[&str] = &[
    "about", "after", "also", "an", "are", "at", "be", "been", "but", "can", "con", "could", "das",
    "den", "der", "des", "die", "does", "ein", "eine", "el", "en", "est", "et", "fix", "for",
    "had", "has", "have", "he", "her", "his", "how", "instead", "ist", "it", "its", "la", "le",
    "les", "los", "make", "may", "me", "mit", "more", "must", "my", "nicht", "now", "of", "only",
    "our", "para", "per", "please", "pour", "que", "remove", "she", "should", "so", "some", "than",
    "that", "the", "their", "them", "there", "these", "they", "this", "to", "un", "una", "und",
    "une", "use", "used", "using", "via", "von", "was", "we", "were", "what", "which", "while",
    "who", "why", "will", "with", "would", "y", "you", "your", "zu",
];

/// Marks of code and markup languages that no single-line attack needs.
const CODE: &[&str] = &[
    "```", "](http", "=> {", ") {\n", "#!/", "fn ", "def ", "\n    ", "\n\t", "\n- ", "\n# ", "## ",
];

/// Shorter values are judged whatever they are made of.
const SHORTEST_BINARY: usize = 1_024;
/// Letters and signs that stand in a row by chance.
const LONGEST_BINARY_RUN: usize = 16;

/// Lines of code are longer than a payload that uses breaks for spaces.
const SHORTEST_CODE: usize = 40;

/// Whether people (or compilers) are the readers; no lines of code stand where `one_line` values do.
pub(crate) fn is_free_text(text: &str, one_line: bool) -> bool {
    is_prose(text) || (!one_line && is_code(text))
}

/// Whether a text is bytes of something else: nowhere do as many letters and signs stand in a row as the
/// shortest payload has.
pub(crate) fn is_binary(text: &str) -> bool {
    text.len() >= SHORTEST_BINARY
        && !text
            .split(|c: char| !matches!(c, ' '..='~' | '\t' | '\r' | '\n'))
            .any(|run| run.len() >= LONGEST_BINARY_RUN)
}

/// Whether there are sentences.
pub(crate) fn is_prose(text: &str) -> bool {
    let mut words = 0;
    let mut function = 0;
    for word in text.split(|c: char| c.is_whitespace()).take(400) {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        if word.is_empty()
            || !word.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-'))
        {
            continue;
        }
        words += 1;
        let lower = word.to_ascii_lowercase();
        function += usize::from(FUNCTION_WORDS.binary_search(&lower.as_str()).is_ok());
        if words >= 5 && function >= 2 {
            return true;
        }
    }
    words >= 4 && function >= 1 && function * 5 >= words && signs(text) <= words
}

/// Signs that statements and commands are made of; a sentence has fewer than words.
fn signs(text: &str) -> usize {
    text.bytes()
        .filter(|b| {
            matches!(
                b,
                b'(' | b')' | b'=' | b'\'' | b'"' | b';' | b'|' | b'&' | b'$' | b'<' | b'>' | b'*'
            )
        })
        .count()
}

fn is_code(text: &str) -> bool {
    let text = text.trim();
    let lines = text.bytes().filter(|byte| *byte == b'\n').count();
    (lines >= 2 && text.len() >= SHORTEST_CODE) || is_marked_code(text)
}

/// Whether it shows code, or is code: there a payload that works is shown too.
pub(crate) fn is_marked_code(text: &str) -> bool {
    CODE.iter().any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sorted() {
        assert!(FUNCTION_WORDS.is_sorted());
    }

    #[test]
    fn sentences_are_told_from_payloads() {
        assert!(is_prose("Please send it to the office when you can"));
        assert!(!is_prose("1 UNION SELECT name, password FROM users WHERE id = 1 OR 1 = 1"));
        assert!(is_free_text("fn main() {\n    run();\n}", false));
    }
}
