//! Spellings of a path that some servers take for the same.

use std::borrow::Cow;

use crate::target::hex_byte;

/// What becomes of a path that many servers take for a route's, and that another route would take here: letters of
/// the other case, dots or spaces at the end of a segment, a slash more or less at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathVariants {
    /// It is another path, which the upstream tells apart: the other route has it.
    Distinct,
    /// It is refused; but where one of the two routes is public the rules of the other count.
    #[default]
    Refuse,
    /// It is this route's.
    Same,
}

/// A segment as servers see it that do not care for its spelling: decoded, without dots and spaces at its end, and
/// in one letter case.
pub(super) fn fold(segment: &str) -> Cow<'_, str> {
    if is_plain(segment) {
        return Cow::Borrowed(segment);
    }
    let decoded = decoded(segment);
    // In this order `ſ` becomes `s`, and the sign for kelvin `k`, as they do for who compares in capitals.
    let folded = decoded.to_uppercase().to_lowercase();
    let trimmed = folded.trim_end_matches(['.', ' ']);
    Cow::Owned(if trimmed.is_empty() { folded } else { trimmed.to_owned() })
}

/// Whether [`fold`] leaves every segment of a path as it is.
pub(super) fn is_plain(path: &str) -> bool {
    !path.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'%' || byte == b'.')
}

fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        let encoded = after.get(..2).filter(|_| *first == b'%').and_then(hex_byte);
        bytes.push(encoded.unwrap_or(*first));
        rest = after.get(if encoded.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn spellings_that_servers_take_for_one_are_one() {
        for (spellings, folded) in [
            (
                &["admin", "Admin", "ADMIN", "admin.", "admin..", "admin%20", "Admin.%20."][..],
                "admin",
            ),
            (&["caf%C3%A9", "CAF%C3%89"], "caf\u{e9}"),
            (&["u%C5%BFer", "USER"], "user"),
            (&["%E2%84%AAey", "Key"], "key"),
            (&["stra%C3%9Fe", "STRASSE"], "strasse"),
            (&["a.b"], "a.b"),
            (&["..."], "..."),
            (&[""], ""),
        ] {
            for spelling in spellings {
                assert_eq!(fold(spelling), folded, "{spelling}");
            }
        }
        for (one, other) in [("admin", "admins"), ("a.b", "ab"), (".admin", "admin"), ("%20a", "a")]
        {
            assert_ne!(fold(one), fold(other), "{one}");
        }
    }
}
