//! Links at the foot of pages and letters.

use std::str::FromStr;

use url::Url;

use crate::language::words::Words;

/// Where an operator says more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Their terms of service.
    pub terms: Option<Link>,
    /// Their privacy policy.
    pub privacy: Option<Link>,
    /// Where they help.
    pub support: Option<Link>,
}

/// An address of a page, by https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link(String);

/// A text that is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a URL that begins with https://, such as https://www.example.com/terms")]
pub struct NotALink;

/// A link as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) words: String,
    pub(crate) address: String,
}

// === impl Links ===

impl Links {
    /// Those that there are, in words of a language.
    pub(crate) fn shown(&self, words: &Words) -> Vec<Shown> {
        let words = &words.common;
        let all = [
            (&self.terms, &words.terms),
            (&self.privacy, &words.privacy_policy),
            (&self.support, &words.support),
        ];
        let shown = all.into_iter().filter_map(|(link, words)| {
            let Link(address) = link.as_ref()?;
            Some(Shown { words: words.into(), address: address.clone() })
        });
        shown.collect()
    }
}

// === impl Link ===

impl FromStr for Link {
    type Err = NotALink;

    fn from_str(text: &str) -> Result<Self, NotALink> {
        let url = Url::parse(text).map_err(|_| NotALink)?;
        let is_good =
            url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
        // As the parser writes it: without spaces and controls, which a letter could not carry.
        if is_good { Ok(Self(url.into())) } else { Err(NotALink) }
    }
}

#[cfg(test)]
mod tests {
    use super::Link;

    #[test]
    fn lead_by_https_alone() {
        let good: Link = "https://www.example.com/terms?a=b#c".parse().expect("link");
        assert_eq!(good.0, "https://www.example.com/terms?a=b#c");
        for wrong in
            ["http://www.example.com", "javascript:alert(1)", "/terms", "https://a@b.example", ""]
        {
            assert!(wrong.parse::<Link>().is_err(), "{wrong}");
        }
    }
}
