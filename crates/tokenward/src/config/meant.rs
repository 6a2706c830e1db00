//! What the reader of a file says of a mistake, in words that help: the name that was probably meant.

/// What is said of an address that is none, by the standard library.
const NO_ADDRESS: &str = "invalid socket address syntax";

/// The same words, or better ones.
pub(crate) fn said(message: &str) -> String {
    if message.contains(NO_ADDRESS) {
        return message.replace(NO_ADDRESS, "not an address with a port such as 127.0.0.1:8080");
    }
    let parts: Vec<&str> = message.split('`').collect();
    let (Some(kind @ ("unknown field " | "unknown variant ")), Some(name)) =
        (parts.first().copied(), parts.get(1).copied())
    else {
        return message.replace('\n', " ");
    };
    match nearest(name, parts.iter().skip(3).step_by(2).copied()) {
        Some(near) => format!("{kind}`{name}`: did you mean `{near}`?"),
        None => message.replace('\n', " "),
    }
}

/// The name that was probably meant, if one is near.
pub(crate) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let (steps, near) = known.map(|known| (distance(name, known), known)).min()?;
    (steps <= most(name)).then_some(near)
}

/// So many slips are likely in a name.
fn most(name: &str) -> usize {
    (name.chars().count() / 3).clamp(1, 3)
}

/// How many characters are to be added, taken out, replaced or swapped with the next (optimal string alignment).
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, here) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, there) in other.iter().enumerate() {
            let at =
                |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&row, j) + usize::from(here != there);
            let mut least = replaced.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && one.get(i - 1) == Some(there);
            if swapped && other.get(j - 1) == Some(here) {
                least = least.min(at(&before, j - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        for (one, other, steps) in [
            ("", "ab", 2),
            ("issuer", "issuer", 0),
            ("isuser", "issuer", 1),
            ("lief", "life", 1),
            ("issuerr", "issuer", 1),
            ("path", "bath", 1),
            ("retry", "retries", 3),
        ] {
            assert_eq!(
                (distance(one, other), distance(other, one)),
                (steps, steps),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn a_name_that_is_near_is_proposed_and_no_other() {
        let said =
            |name: &str| said(&format!("unknown field `{name}`, expected `listen` or `tls`"));
        assert_eq!(said("lisetn"), "unknown field `lisetn`: did you mean `listen`?");
        assert_eq!(said("port"), "unknown field `port`, expected `listen` or `tls`");
    }

    #[test]
    fn other_words_stay() {
        assert_eq!(
            said("unknown field `a`, there are no fields"),
            "unknown field `a`, there are no fields"
        );
        assert_eq!(said("two\nlines"), "two lines");
        assert!(said(NO_ADDRESS).contains("127.0.0.1:8080"));
    }
}
