//! Whether a value reads like text for people or like code, where talk of an attack is no attack.

/// Words that hold sentences together, and that SQL and shells do not have.
const FUNCTION_WORDS: &[&str] = &[
    "about", "after", "an", "are", "at", "be", "been", "but", "can", "could", "does", "for", "had",
    "has", "have", "he", "her", "his", "how", "it", "its", "may", "me", "more", "must", "my",
    "now", "of", "only", "our", "please", "she", "should", "so", "some", "than", "that", "the",
    "their", "them", "there", "these", "they", "this", "to", "use", "used", "using", "was", "we",
    "were", "what", "which", "while", "who", "why", "will", "with", "would", "you", "your", "der",
    "die", "das", "und", "ist", "nicht", "ein", "eine", "mit", "den", "von", "zu", "le", "la",
    "les", "des", "et", "est", "un", "une", "pour", "que", "el", "los", "en", "y", "para", "con",
    "una", "fix", "remove", "instead", "make", "via", "per", "also",
];

/// Marks of code and markup languages that no single-line attack needs.
const CODE: &[&str] = &[
    "```", "](http", "](/", "=> {", ") {\n", "#!/", "fn ", "def ", "\n    ", "\n\t", "\n- ",
    "\n# ", "## ",
];

/// Whether people (or compilers) are the readers; no lines of code stand where `one_line` values do.
pub(crate) fn is_free_text(text: &str, one_line: bool) -> bool {
    is_prose(text) || (!one_line && is_code(text))
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
        function += usize::from(FUNCTION_WORDS.contains(&lower.as_str()));
        if words >= 5 && function >= 2 {
            return true;
        }
    }
    words >= 4 && function >= 1 && function * 5 >= words
}

fn is_code(text: &str) -> bool {
    let text = text.trim();
    let lines = text.bytes().filter(|byte| *byte == b'\n').count();
    lines >= 2 || CODE.iter().any(|mark| text.contains(mark))
}
