//! Bytes as letters that people can type (RFC 4648 §6), without padding: whole groups of five bytes alone.

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Letters of a group when people read it.
const GROUP: usize = 4;

/// Eight letters for each five bytes; what is left over at the end is not written.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() / 5 * 8);
    let (groups, _) = bytes.as_chunks::<5>();
    for group in groups {
        let number = group.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        let letter = |place: u32| (number >> (35 - 5 * place) & 31) as usize;
        text.extend((0..8).filter_map(|place| LETTERS.get(letter(place)).copied()).map(char::from));
    }
    text
}

/// The same in groups of four, with something between them.
pub(super) fn grouped(text: &str, between: &str) -> String {
    let mut grouped = String::with_capacity(text.len() * 2);
    for (place, letter) in text.chars().enumerate() {
        if place > 0 && place % GROUP == 0 {
            grouped.push_str(between);
        }
        grouped.push(letter);
    }
    grouped
}

/// What was typed, as [`encode`] writes it: case, spaces and hyphens do not matter. `None` for anything
/// but so many letters.
pub(super) fn normal(typed: &str, letters: usize) -> Option<String> {
    let mut text = String::with_capacity(letters);
    let is_joint = |c: &char| matches!(c, '-' | '\u{2010}'..='\u{2015}') || c.is_whitespace();
    for letter in typed.chars().filter(|c| !is_joint(c)) {
        let letter = letter.to_ascii_uppercase();
        let known = u8::try_from(letter).is_ok_and(|byte| LETTERS.contains(&byte));
        if !known || text.len() == letters {
            return None;
        }
        text.push(letter);
    }
    (text.len() == letters).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{encode, grouped, normal};

    #[test]
    fn writes_as_rfc_4648_has_it() {
        // §10.
        assert_eq!(encode(b"fooba"), "MZXW6YTB");
        assert_eq!(encode(b"12345678901234567890"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(grouped("MZXW6YTB", "-"), "MZXW-6YTB");
    }

    #[test]
    fn reads_what_people_type() {
        for typed in ["MZXW-6YTB", " mzxw 6ytb", "m-zxw6–ytb"] {
            assert_eq!(normal(typed, 8).as_deref(), Some("MZXW6YTB"), "{typed}");
        }
        for typed in ["", "MZXW6YT", "MZXW6YTBA", "MZXW6YT1", "MZXW6YTé"] {
            assert_eq!(normal(typed, 8), None, "{typed}");
        }
    }
}
