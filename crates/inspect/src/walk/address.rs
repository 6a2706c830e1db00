//! Web addresses as values: what stands in their query are parameters of another server, each a value.

/// An address taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// Scheme, host and path.
    pub(crate) head: &'a str,
    /// Without `?`.
    pub(crate) query: &'a str,
    /// Without `#`.
    pub(crate) fragment: &'a str,
}

/// Takes apart what is an address in every letter (RFC 3986 §2) and has a query; a space is a sign that was
/// decoded once too often. Signs that readers differ on, such as `@` in the host, and such that no client
/// leaves unencoded make it none: then it is judged in one piece.
pub(crate) fn split(text: &str) -> Option<Address<'_>> {
    let begins = |scheme: &&str| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let scheme = ["https://", "http://"].into_iter().find(begins)?;
    if !text.bytes().all(is_sign) {
        return None;
    }
    let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (head, query) = address.split_once('?')?;
    let rest = &head[scheme.len()..];
    let (host, _) = rest.split_once('/')?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':');
    (!host.is_empty() && host.bytes().all(fits)).then_some(Address { head, query, fragment })
}

fn is_sign(byte: u8) -> bool {
    // Spelled out, since every letter of every address is asked.
    let sign = matches!(
        byte,
        b' ' | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b':'
            | b'/'
            | b'?'
            | b'#'
            | b'['
            | b']'
            | b'@'
            | b'!'
            | b'$'
            | b'&'
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b';'
            | b'='
            | b'%'
    );
    byte.is_ascii_alphanumeric() || sign
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_parameters() {
        let found = split("https://a.example/search?q=union+select+all#top").unwrap();
        assert_eq!(found.head, "https://a.example/search");
        assert_eq!((found.query, found.fragment), ("q=union+select+all", "top"));
        for text in ["https://a.example/b", "http://a@b/?c", "http://a?@b/", "http://a/?x=' or 1"] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
