//! Codes that people type: short, without vowels, without letters that look like others (RFC 8628 §6.1).

use token::random::Random;

/// No vowel, so that no word appears; no letter that could be a digit.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// 34 bits: enough where few tries are let through.
const LENGTH: usize = 8;

/// A new code, as it is shown: two groups of four.
pub fn generate(random: &dyn Random) -> String {
    let mut code = String::with_capacity(LENGTH + 1);
    let mut buffer = [0u8; 32];
    while code.len() <= LENGTH {
        random.fill(&mut buffer);
        // 240 = 12 × 20: bytes above would make the first letters likelier.
        for byte in buffer.iter().filter(|byte| **byte < 240) {
            if code.len() == LENGTH / 2 {
                code.push('-');
            }
            if code.len() <= LENGTH {
                code.push(char::from(LETTERS[usize::from(byte % 20)]));
            }
        }
    }
    code
}

/// What was typed, as it is shown: case, spaces and hyphens do not matter. `None` when it cannot be a
/// code.
pub fn normal(typed: &str) -> Option<String> {
    let mut letters = String::with_capacity(LENGTH);
    for letter in typed.chars().filter(|c| !matches!(c, '-' | ' ' | '\u{2010}'..='\u{2015}')) {
        let letter = letter.to_ascii_uppercase();
        let known = u8::try_from(letter).is_ok_and(|byte| LETTERS.contains(&byte));
        if !known || letters.len() == LENGTH {
            return None;
        }
        letters.push(letter);
    }
    let (first, second) = letters.split_at_checked(LENGTH / 2)?;
    (second.len() == LENGTH / 2).then(|| format!("{first}-{second}"))
}

#[cfg(test)]
mod tests {
    use token::random::OsRandom;

    use super::{generate, normal};

    #[test]
    fn a_code_reads_back_however_it_is_typed() {
        for _ in 0..200 {
            let code = generate(&OsRandom::new());
            assert_eq!(code.len(), 9, "{code}");
            assert_eq!(normal(&code).as_deref(), Some(code.as_str()));
        }
        for typed in ["bcdf-ghjk", "BCDFGHJK", " bcdf ghjk ", "b-c-d-f-g-h-j-k", "BCDF–GHJK"] {
            assert_eq!(normal(typed).as_deref(), Some("BCDF-GHJK"), "{typed}");
        }
        for typed in ["", "BCDF", "BCDF-GHJ", "BCDF-GHJKL", "ACDF-GHJK", "BCDF-GHJ0", "BCDF_GHJK"] {
            assert_eq!(normal(typed), None, "{typed}");
        }
    }
}
